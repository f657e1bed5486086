//! One instrument of a paper account: an engine in which the market's quote rests and our orders trade with it.

use std::collections::HashMap;

use nanobook::matching::{Config, Engine, Output};
use nanobook::{OrderId, OrderRequest, Owner, Price, Qty, Side, StpPolicy};

/// Whose our orders are; the market's have no owner.
const US: Owner = Owner(1);

/// What happened to an order of ours, by its place in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It traded.
    Fill {
        order: usize,
        lots: u64,
        price: Price,
        rested: bool,
    },
    /// What was open of it is gone.
    Ended { order: usize },
}

pub(super) struct Book {
    engine: Engine,
    market: [Option<OrderId>; 2],
    ours: HashMap<OrderId, usize>,
    places: HashMap<usize, OrderId>,
    out: Vec<Output>,
}

const fn index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

impl Book {
    pub(super) fn new() -> Self {
        let config = Config {
            stp: StpPolicy::CancelNewest,
            keep_closed: Some(64),
            record: false,
            ..Config::default()
        };
        Self {
            engine: Engine::new(config),
            market: [None; 2],
            ours: HashMap::new(),
            places: HashMap::new(),
            out: Vec::new(),
        }
    }

    /// Puts the market's bid and ask in place of the ones before: price and lots of each.
    pub(super) fn quote(
        &mut self,
        bid: Option<(Price, u64)>,
        ask: Option<(Price, u64)>,
    ) -> Vec<Event> {
        self.out.clear();
        for order in self.market.iter_mut().filter_map(Option::take) {
            // It may have traded away already.
            let _ = self.engine.cancel(order, &mut self.out);
        }
        self.out.clear();
        let locked = matches!((bid, ask), (Some((bid, _)), Some((ask, _))) if bid >= ask);
        if !locked {
            for (side, level) in [(Side::Buy, bid), (Side::Sell, ask)] {
                let Some((price, lots)) = level.filter(|(price, lots)| price.0 > 0 && *lots > 0)
                else {
                    continue;
                };
                let request = OrderRequest::limit(side, price, Qty(lots));
                if let Ok(ack) = self.engine.submit(request, &mut self.out) {
                    self.market[index(side)] = Some(ack.id);
                }
            }
        }
        self.events()
    }

    /// Lots that are left of the market's quote on a side.
    pub(super) fn left(&self, side: Side) -> u64 {
        let order = self.market[index(side)].and_then(|id| self.engine.order(id));
        order.map_or(0, |order| order.open.0)
    }

    /// An order of ours reaches the market.
    pub(super) fn enter(&mut self, order: usize, request: OrderRequest) -> Vec<Event> {
        self.out.clear();
        let id = self.engine.next_order_id();
        self.ours.insert(id, order);
        self.places.insert(order, id);
        if self
            .engine
            .submit(request.with_owner(US), &mut self.out)
            .is_ok()
        {
            return self.events();
        }
        self.forget(id);
        vec![Event::Ended { order }]
    }

    /// A cancel reaches the market.
    pub(super) fn cancel(&mut self, order: usize) -> Vec<Event> {
        self.out.clear();
        let Some(id) = self.places.get(&order).copied() else {
            return Vec::new();
        };
        match self.engine.cancel(id, &mut self.out) {
            Ok(_) => self.events(),
            Err(_) => Vec::new(),
        }
    }

    fn forget(&mut self, id: OrderId) {
        if let Some(order) = self.ours.remove(&id) {
            self.places.remove(&order);
        }
    }

    /// What the last command did to orders of ours.
    fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for output in std::mem::take(&mut self.out) {
            match output {
                Output::Trade(trade) => {
                    for side in [Side::Buy, Side::Sell] {
                        if let Some(&order) = self.ours.get(&trade.order_of(side)) {
                            events.push(Event::Fill {
                                order,
                                lots: trade.qty.0,
                                price: trade.price,
                                rested: trade.side != Some(side),
                            });
                        }
                    }
                }
                Output::Cancelled { id, .. } => {
                    let open = self.engine.order(id).is_some_and(|order| order.open.0 > 0);
                    if let Some(&order) = self.ours.get(&id)
                        && !open
                    {
                        events.push(Event::Ended { order });
                    }
                }
                Output::Rested { .. }
                | Output::Triggered { .. }
                | Output::CascadeStopped { .. } => {}
            }
        }
        let closed: Vec<OrderId> = self
            .ours
            .keys()
            .copied()
            .filter(|id| self.engine.order(*id).is_none_or(|o| !o.status.is_active()))
            .collect();
        for id in closed {
            self.forget(id);
        }
        events
    }
}
