//! One row of memory for each symbol: what is held, what may trade, at what price.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use nanobook::trading::{ClientOrderId, Instrument, NewOrder, Quote, Units};
use nanobook::{Price, Side, Symbol};

use crate::checks::account::Span;
use crate::checks::order::Others;
use crate::situation::Situation;

/// Which order of an instrument, of those that work and those to be sent.
#[derive(Clone, Copy, Debug)]
struct Interest {
    side: Side,
    price: Option<Price>,
}

/// What is known of a symbol.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot<'a> {
    pub(crate) quote: Option<&'a Quote>,
    pub(crate) instrument: Option<&'a Instrument>,
    pub(crate) volume: Option<Units>,
    pub(crate) located: Option<Units>,
    pub(crate) held: Units,
    pub(crate) buys: Option<Units>,
    pub(crate) sells: Option<Units>,
    /// The venue's own mark of the position.
    market_px: Option<Price>,
    pub(crate) has_position: bool,
    pub(crate) has_orders: bool,
    overflow: bool,
    interests: Vec<Interest>,
}

impl Slot<'_> {
    /// Everything that can happen to the position; `None` on overflow.
    pub(crate) fn span(&self) -> Option<Span> {
        if self.overflow {
            return None;
        }
        Span::new(
            self.held,
            self.buys.unwrap_or_default(),
            self.sells.unwrap_or_default(),
        )
    }

    /// What the position is worth: the middle of the quote, else the venue's mark; `None` unless above zero.
    pub(crate) fn mark(&self) -> Option<Price> {
        let mid = self.quote.and_then(Quote::mid);
        mid.or(self.market_px).filter(|price| price.0 > 0)
    }

    fn trade(&mut self, side: Side, qty: Units, price: Option<Price>) {
        self.has_orders = true;
        let sum = match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        };
        match sum.unwrap_or_default().checked_add(qty) {
            Some(total) if qty.0 >= 0 => *sum = Some(total),
            _ => self.overflow = true,
        }
        self.interests.push(Interest { side, price });
    }

    /// What stands beside one order on this symbol.
    pub(crate) fn others(&self, order: &NewOrder, same_id: u32) -> Others {
        let mut others = Others {
            same_id,
            ..Others::default()
        };
        for interest in &self.interests {
            if interest.side == order.side {
                others.same_side += 1;
            } else if let Some(price) = interest.price {
                let best = others.other_side.map_or(price, |best| match interest.side {
                    Side::Buy => best.max(price),
                    Side::Sell => best.min(price),
                });
                others.other_side = Some(best);
            } else {
                others.other_side_market += 1;
            }
        }
        // The order itself is among those of its side.
        others.same_side = others.same_side.saturating_sub(1);
        others
    }
}

/// All symbols of a situation.
#[derive(Debug, Default)]
pub(crate) struct Ledger<'a> {
    places: HashMap<Symbol, u32, FixedState>,
    pub(crate) slots: Vec<Slot<'a>>,
    /// Of each order, its slot.
    pub(crate) of_order: Vec<u32>,
    ids: HashMap<ClientOrderId, u32, FixedState>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(orders: &[NewOrder], situation: &Situation<'a>) -> Self {
        let positions = situation.positions.unwrap_or_default();
        let working = situation.working.unwrap_or_default();
        let most = situation.quotes.len().max(positions.len()) + orders.len();
        let mut ledger = Self {
            places: HashMap::with_capacity_and_hasher(most, FixedState::default()),
            slots: Vec::with_capacity(most),
            of_order: Vec::with_capacity(orders.len()),
            ids: HashMap::with_capacity_and_hasher(
                orders.len() + working.len(),
                FixedState::default(),
            ),
        };
        for position in positions {
            let slot = ledger.slot(position.symbol);
            slot.has_position = true;
            slot.market_px = position.market_px;
            match slot.held.checked_add(position.qty) {
                Some(held) => slot.held = held,
                None => slot.overflow = true,
            }
        }
        for order in orders {
            *ledger.ids.entry(order.client_order_id).or_default() += 1;
            let at = ledger.place(order.symbol);
            ledger.slots[at].trade(order.side, order.qty, order.kind.price());
            ledger.of_order.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        for order in working.iter().filter(|order| order.state.may_trade()) {
            if let Some(id) = order.client_order_id {
                *ledger.ids.entry(id).or_default() += 1;
            }
            let leaves = order.leaves_qty();
            ledger
                .slot(order.symbol)
                .trade(order.side, leaves, order.kind.price());
        }
        for quote in situation.quotes {
            // A quote of what is neither held nor traded says nothing.
            if let Some(&at) = ledger.places.get(&quote.symbol) {
                ledger.slots[at as usize].quote = Some(quote);
            }
        }
        for instrument in situation.instruments {
            if let Some(&at) = ledger.places.get(&instrument.symbol) {
                ledger.slots[at as usize].instrument = Some(instrument);
            }
        }
        for (symbol, volume) in situation.volumes {
            if let Some(&at) = ledger.places.get(symbol) {
                ledger.slots[at as usize].volume = Some(*volume);
            }
        }
        for (symbol, qty) in situation.located {
            if let Some(&at) = ledger.places.get(symbol) {
                ledger.slots[at as usize].located = Some(*qty);
            }
        }
        ledger
    }

    fn place(&mut self, symbol: Symbol) -> usize {
        let next = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let at = *self.places.entry(symbol).or_insert(next);
        if at == next {
            self.slots.push(Slot::default());
        }
        at as usize
    }

    fn slot(&mut self, symbol: Symbol) -> &mut Slot<'a> {
        let at = self.place(symbol);
        &mut self.slots[at]
    }

    /// What is known of a symbol that is held or traded.
    pub(crate) fn get(&self, symbol: Symbol) -> Option<&Slot<'a>> {
        self.places.get(&symbol).map(|&at| &self.slots[at as usize])
    }

    /// How many other orders have an order's id.
    pub(crate) fn same_id(&self, order: &NewOrder) -> u32 {
        let count = self.ids.get(&order.client_order_id).copied();
        count.unwrap_or_default().saturating_sub(1)
    }

    /// Symbols with their slots, in order of appearance.
    pub(crate) fn symbols(&self) -> Vec<Symbol> {
        let mut symbols = vec![None; self.slots.len()];
        for (symbol, &at) in &self.places {
            symbols[at as usize] = Some(*symbol);
        }
        symbols.into_iter().flatten().collect()
    }
}
