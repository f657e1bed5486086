//! An engine that is obviously right: one list of every order there ever was, everything else found by looking at all
//! of them.
//!
//! Written from the rules of [`matching`](super), not from [`Engine`](super::Engine), and used only in tests.

#![expect(
    clippy::missing_panics_doc,
    clippy::similar_names,
    clippy::unwrap_used,
    reason = "a twin that is only used in tests may stop at what can't be"
)]

use super::digest::Digest;
use super::{
    Applied, CancelReason, Config, DIGEST_VERSION, Event, MAX_PRICE, Output, Phase, Trade, Uncross,
};
use crate::book::{BookOrder, QueuePosition};
use crate::rows::PriceLevel;
use crate::{
    Ack, Order, OrderId, OrderKind, OrderRequest, OrderStatus, Price, Qty, Reject, Side, StpPolicy,
    TimeInForce, TradeId, Trail,
};

/// An order and what only the engine knows of it.
#[derive(Clone, Debug)]
struct Entry {
    order: Order,
    /// When it came to rest, counted; `None` while it does not rest.
    arrival: Option<u64>,
    /// The best print since a trailing stop was submitted.
    mark: Option<Price>,
    /// Whether a stop has triggered and waits for its turn.
    due: bool,
}

/// A matching engine for one instrument.
#[derive(Clone, Debug)]
pub struct NaiveEngine {
    config: Config,
    phase: Phase,
    /// The order of id `n` is at `n − 1`.
    entries: Vec<Entry>,
    arrivals: u64,
    /// Every price that traded.
    prints: Vec<Price>,
    trades: u64,
    /// Stops that have triggered, first triggered first, with the print.
    due: Vec<(OrderId, Price)>,
    /// Closed orders below this id are forgotten.
    floor: u64,
}

impl NaiveEngine {
    /// An engine without orders.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            phase: Phase::Continuous,
            entries: Vec::new(),
            arrivals: 0,
            prints: Vec::new(),
            trades: 0,
            due: Vec::new(),
            floor: 0,
        }
    }

    /// Does what an event says.
    ///
    /// # Errors
    /// A [`Reject`] when it makes no sense; nothing has changed then.
    pub fn apply(&mut self, event: Event, out: &mut Vec<Output>) -> Result<Applied, Reject> {
        let applied = match event {
            Event::Submit(request) => Applied::Order(self.submit(request, out)?),
            Event::Cancel { id } => {
                let open = self.active(id)?.open;
                self.lose(id, open, CancelReason::Requested, out);
                Applied::Qty(open)
            }
            Event::Reduce { id, qty } => {
                if qty == Qty(0) {
                    return Err(Reject::ZeroQty);
                }
                let open = self.active(id)?.open;
                self.lose(id, qty.min(open), CancelReason::Reduced, out);
                Applied::Order(self.ack(id))
            }
            Event::Replace { id, price, qty } => Applied::Order(self.replace(id, price, qty, out)?),
            Event::MassCancel { owner } => {
                let ids: Vec<Order> = self.entries.iter().map(|e| e.order).collect();
                let mut count = 0;
                for order in ids {
                    if order.owner == Some(owner) && order.status.is_active() {
                        self.lose(order.id, order.open, CancelReason::MassCancel, out);
                        count += 1;
                    }
                }
                Applied::Count(count)
            }
            Event::BeginAuction => {
                if self.phase == Phase::Auction {
                    return Err(Reject::AlreadyInAuction);
                }
                self.phase = Phase::Auction;
                Applied::Done
            }
            Event::Uncross { reference } => Applied::Uncross(self.uncross(reference, out)?),
            Event::Resume => {
                self.release(out);
                Applied::Done
            }
            Event::SetStpPolicy(policy) => {
                self.config.stp = policy;
                Applied::Done
            }
            Event::ForgetClosed => {
                self.floor = self.next_id();
                Applied::Done
            }
        };
        if let Some(keep) = self.config.keep_closed {
            self.floor = self.floor.max(self.next_id().saturating_sub(keep));
        }
        Ok(applied)
    }

    /// An order by its id.
    pub fn order(&self, id: OrderId) -> Option<Order> {
        let order = self.entries.iter().find(|e| e.order.id == id)?.order;
        (order.status.is_active() || id.0 >= self.floor).then_some(order)
    }

    /// How orders meet now.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The price of the last trade.
    pub fn last_price(&self) -> Option<Price> {
        self.prints.last().copied()
    }

    /// Number of orders that are remembered.
    pub fn known_orders(&self) -> u64 {
        self.known().len() as u64
    }

    /// All resting orders of a side: best price first, and at a price in order of the queue.
    pub fn orders(&self, side: Side) -> Vec<BookOrder> {
        let mut resting: Vec<_> = self
            .entries
            .iter()
            .filter(|e| e.order.side == side && e.arrival.is_some())
            .map(|e| (limit(&e.order), e.arrival, e.order))
            .collect();
        resting.sort_by_key(|(price, arrival, _)| match side {
            Side::Buy => (-i128::from(price.0), *arrival),
            Side::Sell => (i128::from(price.0), *arrival),
        });
        resting
            .into_iter()
            .map(|(price, _, order)| BookOrder {
                id: order.id,
                side,
                price,
                qty: order.open,
            })
            .collect()
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> Vec<PriceLevel> {
        let mut levels: Vec<PriceLevel> = Vec::new();
        for order in self.orders(side) {
            match levels.last_mut() {
                Some(level) if level.price == order.price => {
                    level.qty.0 += order.qty.0;
                    level.count += 1;
                }
                _ => levels.push(PriceLevel {
                    price: order.price,
                    qty: order.qty,
                    count: 1,
                }),
            }
        }
        levels
    }

    /// What stands before a resting order at its price.
    pub fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        let order = self.order(id)?;
        let all = self.orders(order.side);
        let mine = all.iter().find(|other| other.id == id)?;
        let queue = all.iter().filter(|other| other.price == mine.price);
        let ahead: Vec<_> = queue.take_while(|other| other.id != id).collect();
        Some(QueuePosition {
            orders_ahead: u32::try_from(ahead.len()).unwrap_or(u32::MAX),
            qty_ahead: Qty(ahead.iter().map(|other| other.qty.0).sum()),
        })
    }

    /// The state as one number, by the rule of [`Engine::digest`](super::Engine::digest).
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        digest.word(DIGEST_VERSION);
        digest.policy(self.config.stp);
        digest.option(self.config.keep_closed);
        digest.word(self.config.cascade_limit.get().into());
        digest.signed(self.config.min_price.0);
        digest.word(self.next_id());
        digest.word(self.trades);
        let known = self.known();
        digest.word(known.len() as u64);
        for entry in &known {
            digest.order(&entry.order);
        }
        for entry in known {
            if entry.order.status == OrderStatus::Pending && entry.order.kind.trail().is_some() {
                digest.price(entry.mark);
            }
        }
        digest.phase(self.phase);
        digest.price(self.last_price());
        for side in [Side::Buy, Side::Sell] {
            let orders = self.orders(side);
            digest.word(orders.len() as u64);
            for order in orders {
                digest.word(order.id.0);
            }
        }
        let waiting = self.waiting();
        digest.word(waiting.len() as u64);
        for (id, price) in waiting {
            digest.word(id.0);
            digest.signed(price.0);
        }
        let changes = self.changes();
        let held = changes.len().min(1_024);
        digest.word(held as u64);
        for change in changes.iter().rev().take(held) {
            digest.word(*change);
        }
        digest.finish()
    }

    /// What an auction would trade now.
    pub fn indicative(&self, reference: Option<Price>) -> Option<Uncross> {
        let (bids, asks) = (self.orders(Side::Buy), self.orders(Side::Sell));
        let (high, low) = (bids.first()?.price, asks.first()?.price);
        let reference = reference.or(self.last_price());
        let mut best: Option<(u128, u128, u128, Price, Uncross)> = None;
        let limits = bids.iter().chain(&asks).map(|order| order.price);
        for price in limits.chain(reference).filter(|p| *p >= low && *p <= high) {
            let sum = |orders: &[BookOrder], ok: &dyn Fn(Price) -> bool| -> u128 {
                let accepting = orders.iter().filter(|order| ok(order.price));
                accepting.map(|order| u128::from(order.qty.0)).sum()
            };
            let buy = sum(&bids, &|limit| limit >= price);
            let sell = sum(&asks, &|limit| limit <= price);
            let (volume, left) = (buy.min(sell), buy.abs_diff(sell));
            let away = reference.map_or(0, |r| i128::from(r.0).abs_diff(price.0.into()));
            let better = match best {
                None => true,
                Some((v, l, a, p, _)) => {
                    volume > v
                        || (volume == v && left < l)
                        || (volume == v && left == l && away < a)
                        || (volume == v && left == l && away == a && price < p)
                }
            };
            if better {
                let most = u128::from(u64::MAX);
                let clip = |qty: u128| Qty(u64::try_from(qty.min(most)).unwrap());
                let surplus_side = match buy {
                    _ if buy > sell => Some(Side::Buy),
                    _ if sell > buy => Some(Side::Sell),
                    _ => None,
                };
                let uncross = Uncross {
                    price,
                    qty: clip(volume),
                    surplus: clip(left),
                    surplus_side,
                };
                best = Some((volume, left, away, price, uncross));
            }
        }
        best.map(|(.., uncross)| uncross)
    }

    fn submit(&mut self, request: OrderRequest, out: &mut Vec<Output>) -> Result<Ack, Reject> {
        if request.qty == Qty(0) {
            return Err(Reject::ZeroQty);
        }
        for price in [request.kind.price(), request.kind.stop()] {
            self.check_price(price)?;
        }
        let trail = request.kind.trail();
        let sane = match trail {
            None => true,
            Some(Trail::Fixed(by)) => by >= Price(1) && by <= MAX_PRICE,
            Some(Trail::Percentage { ppm }) => ppm != 0,
            Some(Trail::MeanAbsChange {
                multiplier_ppm,
                period,
            }) => multiplier_ppm != 0 && period != 0 && period <= 1_024,
        };
        if !sane {
            return Err(Reject::TrailOutOfRange);
        }
        let can_rest = request.kind.price().is_some() && request.tif == TimeInForce::GTC;
        if request.post_only && !can_rest {
            return Err(Reject::PostOnlyMustRest);
        }
        let stop = request.kind.stop();
        if stop.is_none() && !can_rest && self.phase == Phase::Auction {
            return Err(Reject::InAuction);
        }
        let id = self.new_order(&request, None);
        match stop {
            None => self.enter(id, out),
            Some(stop) if trail.is_none() => {
                if let Some(last) = self.last_price()
                    && reached(request.side, last, stop)
                {
                    self.entry(id).due = true;
                    self.due.push((id, last));
                }
            }
            Some(_) => {}
        }
        self.release(out);
        Ok(self.ack(id))
    }

    fn replace(
        &mut self,
        id: OrderId,
        price: Price,
        qty: Qty,
        out: &mut Vec<Output>,
    ) -> Result<Ack, Reject> {
        if qty == Qty(0) {
            return Err(Reject::ZeroQty);
        }
        self.check_price(Some(price))?;
        let order = self.active(id)?;
        if order.status == OrderStatus::Pending {
            return Err(Reject::StopOrder);
        }
        let total = u128::from(order.filled.0) + u128::from(qty.0);
        let total = Qty(u64::try_from(total).map_err(|_| Reject::QtyOverflow)?);
        let keeps_place = price == limit(&order) && qty <= order.open;
        let gone = if keeps_place {
            order.open.0 - qty.0
        } else {
            order.open.0
        };
        if gone > 0 {
            out.push(Output::Cancelled {
                id,
                qty: Qty(gone),
                reason: CancelReason::Replaced,
            });
        }
        let entry = self.entry(id);
        entry.order.kind = OrderKind::Limit { price };
        entry.order.qty = total;
        entry.order.open = qty;
        entry.order.cancelled = Qty(0);
        if !keeps_place {
            entry.arrival = None;
            self.enter(id, out);
        }
        self.release(out);
        Ok(self.ack(id))
    }

    fn uncross(
        &mut self,
        reference: Option<Price>,
        out: &mut Vec<Output>,
    ) -> Result<Option<Uncross>, Reject> {
        if self.phase != Phase::Auction {
            return Err(Reject::NotInAuction);
        }
        self.check_price(reference)?;
        let uncross = self.indicative(reference);
        if let Some(Uncross { price, .. }) = uncross {
            loop {
                let (bids, asks) = (self.orders(Side::Buy), self.orders(Side::Sell));
                let bid = bids.first().filter(|bid| bid.price >= price);
                let ask = asks.first().filter(|ask| ask.price <= price);
                let (Some(bid), Some(ask)) = (bid, ask) else {
                    break;
                };
                let qty = bid.qty.min(ask.qty);
                self.trade(price, qty, bid.id, ask.id, None, out);
            }
        }
        self.phase = Phase::Continuous;
        self.release(out);
        Ok(uncross)
    }

    /// An order comes to the market.
    fn enter(&mut self, id: OrderId, out: &mut Vec<Output>) {
        let order = self.entry(id).order;
        if self.phase == Phase::Continuous {
            if order.post_only && self.first_acceptable(id).is_some() {
                return self.lose(id, order.open, CancelReason::PostOnly, out);
            }
            if order.tif == TimeInForce::FOK {
                let mut trial = self.clone();
                trial.sweep(id, &mut Vec::new());
                if trial.entry(id).order.filled != order.qty {
                    return self.lose(id, order.open, CancelReason::FillOrKill, out);
                }
            }
            self.sweep(id, out);
        }
        let Order {
            open, kind, tif, ..
        } = self.entry(id).order;
        if open == Qty(0) {
            return;
        }
        match kind {
            OrderKind::Limit { price } if tif == TimeInForce::GTC => {
                let queue = self.orders(order.side);
                let there = queue.iter().filter(|other| other.price == price);
                let there: u128 = there.map(|other| u128::from(other.qty.0)).sum();
                if there + u128::from(open.0) > u128::from(u64::MAX) {
                    return self.lose(id, open, CancelReason::LevelOverflow, out);
                }
                self.arrivals += 1;
                self.entry(id).arrival = Some(self.arrivals);
                out.push(Output::Rested {
                    id,
                    side: order.side,
                    price,
                    qty: open,
                });
            }
            _ => self.lose(id, open, CancelReason::NoLiquidity, out),
        }
    }

    fn sweep(&mut self, id: OrderId, out: &mut Vec<Output>) {
        while self.entry(id).order.open > Qty(0) {
            let Some(resting) = self.first_acceptable(id) else {
                return;
            };
            let order = self.entry(id).order;
            let owner = self.entry(resting.id).order.owner;
            let smaller = order.open.min(resting.qty);
            let same = order.owner.is_some() && order.owner == owner;
            let policy = if same {
                self.config.stp
            } else {
                StpPolicy::Off
            };
            let reason = CancelReason::SelfTrade;
            match policy {
                StpPolicy::Off => {
                    let (buy, sell) = match order.side {
                        Side::Buy => (id, resting.id),
                        Side::Sell => (resting.id, id),
                    };
                    self.trade(resting.price, smaller, buy, sell, Some(order.side), out);
                }
                StpPolicy::CancelNewest => self.lose(id, order.open, reason, out),
                StpPolicy::CancelOldest => self.lose(resting.id, resting.qty, reason, out),
                StpPolicy::CancelBoth => {
                    self.lose(resting.id, resting.qty, reason, out);
                    self.lose(id, order.open, reason, out);
                }
                StpPolicy::Decrement => {
                    self.lose(resting.id, smaller, reason, out);
                    self.lose(id, smaller, reason, out);
                }
            }
        }
    }

    /// The resting order that an order would meet next.
    fn first_acceptable(&mut self, id: OrderId) -> Option<BookOrder> {
        let order = self.entry(id).order;
        let best = *self.orders(!order.side).first()?;
        let accepts = match (order.kind.price(), order.side) {
            (None, _) => true,
            (Some(price), Side::Buy) => best.price <= price,
            (Some(price), Side::Sell) => best.price >= price,
        };
        accepts.then_some(best)
    }

    fn trade(
        &mut self,
        price: Price,
        qty: Qty,
        buy: OrderId,
        sell: OrderId,
        side: Option<Side>,
        out: &mut Vec<Output>,
    ) {
        for id in [buy, sell] {
            let entry = self.entry(id);
            entry.order.filled.0 += qty.0;
            entry.order.open.0 -= qty.0;
            entry.order.status = OrderStatus::PartiallyFilled;
            if entry.order.open == Qty(0) {
                entry.order.status = OrderStatus::Filled;
                entry.arrival = None;
            }
        }
        self.trades += 1;
        out.push(Output::Trade(Trade {
            id: TradeId(self.trades),
            price,
            qty,
            buy_order_id: buy,
            sell_order_id: sell,
            side,
        }));
        self.print(price);
    }

    fn print(&mut self, price: Price) {
        self.prints.push(price);
        let changes = self.changes();
        for at in 0..self.entries.len() {
            let entry = &mut self.entries[at];
            if entry.order.status != OrderStatus::Pending || entry.due {
                continue;
            }
            if entry.order.kind.trail().is_some() {
                trail_after(entry, price, &changes);
            }
            let stop = entry.order.kind.stop().unwrap();
            if reached(entry.order.side, price, stop) {
                entry.due = true;
                self.due.push((entry.order.id, price));
            }
        }
    }

    fn release(&mut self, out: &mut Vec<Output>) {
        if self.phase == Phase::Auction {
            return;
        }
        let mut done = 0;
        loop {
            self.due = self.waiting();
            if self.due.is_empty() {
                return;
            }
            if done == self.config.cascade_limit.get() {
                out.push(Output::CascadeStopped {
                    waiting: u32::try_from(self.due.len()).unwrap(),
                });
                return;
            }
            done += 1;
            let (id, price) = self.due.remove(0);
            let stop = self.entry(id).order;
            let request = OrderRequest {
                side: stop.side,
                kind: match stop.kind.price() {
                    Some(price) => OrderKind::Limit { price },
                    None => OrderKind::Market,
                },
                qty: stop.open,
                tif: stop.tif,
                post_only: stop.post_only,
                owner: stop.owner,
            };
            let child = self.new_order(&request, Some(id));
            let entry = self.entry(id);
            entry.order.status = OrderStatus::Triggered;
            entry.order.child = Some(child);
            entry.order.cancelled.0 += stop.open.0;
            entry.order.open = Qty(0);
            out.push(Output::Triggered { id, child, price });
            self.enter(child, out);
        }
    }

    /// An order loses quantity without trading it.
    fn lose(&mut self, id: OrderId, qty: Qty, reason: CancelReason, out: &mut Vec<Output>) {
        out.push(Output::Cancelled { id, qty, reason });
        let entry = self.entry(id);
        entry.order.cancelled.0 += qty.0;
        entry.order.open.0 -= qty.0;
        if entry.order.open == Qty(0) {
            entry.order.status = OrderStatus::Cancelled;
            entry.arrival = None;
        }
    }

    fn new_order(&mut self, request: &OrderRequest, parent: Option<OrderId>) -> OrderId {
        let id = OrderId(self.next_id());
        self.entries.push(Entry {
            order: Order {
                id,
                side: request.side,
                kind: request.kind,
                tif: request.tif,
                post_only: request.post_only,
                owner: request.owner,
                status: match request.kind.stop() {
                    Some(_) => OrderStatus::Pending,
                    None => OrderStatus::New,
                },
                qty: request.qty,
                filled: Qty(0),
                open: request.qty,
                cancelled: Qty(0),
                parent,
                child: None,
            },
            arrival: None,
            mark: None,
            due: false,
        });
        id
    }

    fn active(&self, id: OrderId) -> Result<Order, Reject> {
        let order = self.order(id).ok_or(Reject::UnknownOrder)?;
        if order.status.is_active() {
            Ok(order)
        } else {
            Err(Reject::NotActive)
        }
    }

    fn entry(&mut self, id: OrderId) -> &mut Entry {
        self.entries.iter_mut().find(|e| e.order.id == id).unwrap()
    }

    fn ack(&mut self, id: OrderId) -> Ack {
        let order = self.entry(id).order;
        Ack {
            id,
            status: order.status,
            filled: order.filled,
            open: order.open,
        }
    }

    /// Stops that have triggered and are not cancelled.
    fn waiting(&self) -> Vec<(OrderId, Price)> {
        let pending = |id| {
            let entry = self.entries.iter().find(|e| e.order.id == id);
            entry.is_some_and(|e| e.order.status == OrderStatus::Pending)
        };
        self.due
            .iter()
            .copied()
            .filter(|(id, _)| pending(*id))
            .collect()
    }

    fn known(&self) -> Vec<&Entry> {
        let known = |e: &&Entry| e.order.status.is_active() || e.order.id.0 >= self.floor;
        self.entries.iter().filter(known).collect()
    }

    fn changes(&self) -> Vec<u64> {
        let change = |pair: &[Price]| pair[0].0.abs_diff(pair[1].0);
        self.prints.windows(2).map(change).collect()
    }

    fn check_price(&self, price: Option<Price>) -> Result<(), Reject> {
        match price {
            Some(p) if p < self.config.min_price || p > MAX_PRICE || p.0 < -MAX_PRICE.0 => {
                Err(Reject::PriceOutOfRange)
            }
            _ => Ok(()),
        }
    }

    fn next_id(&self) -> u64 {
        self.entries.len() as u64 + 1
    }
}

fn limit(order: &Order) -> Price {
    order.kind.price().unwrap()
}

fn reached(side: Side, print: Price, stop: Price) -> bool {
    if side == Side::Buy {
        print >= stop
    } else {
        print <= stop
    }
}

/// Moves a trailing stop after a print.
fn trail_after(entry: &mut Entry, price: Price, changes: &[u64]) {
    let side = entry.order.side;
    let mark = match (entry.mark, side) {
        (None, _) => price,
        (Some(mark), Side::Sell) => mark.max(price),
        (Some(mark), Side::Buy) => mark.min(price),
    };
    entry.mark = Some(mark);
    let away: i128 = match entry.order.kind.trail().unwrap() {
        Trail::Fixed(by) => by.0.into(),
        Trail::Percentage { ppm } => {
            let doubled = 2 * i128::from(mark.0).abs() * i128::from(ppm);
            (doubled + 1_000_000) / 2_000_000
        }
        Trail::MeanAbsChange {
            multiplier_ppm,
            period,
        } => {
            let last: Vec<_> = changes.iter().rev().take(period.into()).collect();
            let sum: i128 = last.iter().map(|change| i128::from(**change)).sum();
            let n = i128::try_from(last.len()).unwrap();
            if n == 0 {
                0
            } else {
                i128::from(multiplier_ppm) * sum / (n * 1_000_000)
            }
        }
    };
    if away == 0 {
        return;
    }
    let most = i128::from(MAX_PRICE.0);
    let now = i128::from(entry.order.kind.stop().unwrap().0);
    let moved = if side == Side::Sell {
        (i128::from(mark.0) - away).max(-most).max(now)
    } else {
        (i128::from(mark.0) + away).min(most).min(now)
    };
    match &mut entry.order.kind {
        OrderKind::TrailingStopMarket { stop, .. } | OrderKind::TrailingStopLimit { stop, .. } => {
            *stop = Price(i64::try_from(moved).unwrap());
        }
        _ => {}
    }
}
