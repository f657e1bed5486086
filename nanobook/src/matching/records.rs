//! What the engine knows of every order: dense by id, because ids have no gaps.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::{Order, OrderId, OrderKind, OrderRequest, OrderStatus, Owner, Price, Qty, Side};
use crate::{TimeInForce, matching::stop::Stop};

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// Where an order is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Being matched or resting.
    Live,
    /// A stop that waits.
    Pending,
    /// A stop that has become another order.
    Triggered,
    /// Its last open quantity traded.
    Filled,
    /// Its last open quantity was taken away.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Limit,
    Market,
    Stop,
}

/// What matching and a cancel need of an order: two fit a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Record {
    pub(super) open: u64,
    /// What has traded is not kept: so a trade only writes here, and does not wait for the line to come.
    pub(super) cancelled: u64,
    /// Live: in the book. Stop: in the stop pool.
    pub(super) slot: u32,
    /// Live: its price level in the book.
    pub(super) level: u32,
    owner: u32,
    has_owner: bool,
    pub(super) side: Side,
    pub(super) state: State,
}

const _: () = assert!(size_of::<Record>() == 32);

/// The rest of an order. Most of it stays as it was asked.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Terms {
    pub(super) qty: u64,
    pub(super) price: Price,
    /// Of a stop its child, of a child its stop; 0 for neither.
    pub(super) related: u64,
    pub(super) instrument: u32,
    kind: Kind,
    pub(super) tif: TimeInForce,
    pub(super) post_only: bool,
}

const _: () = assert!(size_of::<Terms>() == 32);

impl Record {
    #[inline]
    pub(super) fn owner(&self) -> Option<Owner> {
        self.has_owner.then_some(Owner(self.owner))
    }

    /// Takes away all that is open.
    #[inline]
    pub(super) fn cancel(&mut self) {
        self.take_away(self.open);
        self.state = State::Cancelled;
    }

    /// Takes a part of what is open away.
    #[inline]
    pub(super) fn take_away(&mut self, qty: u64) {
        self.open -= qty;
        self.cancelled += qty;
    }

    /// What has traded.
    #[inline]
    pub(super) fn filled(&self, terms: &Terms) -> u64 {
        terms.qty - self.cancelled - self.open
    }

    pub(super) fn status(&self, terms: &Terms) -> OrderStatus {
        match self.state {
            State::Live if self.filled(terms) == 0 => OrderStatus::New,
            State::Live => OrderStatus::PartiallyFilled,
            State::Pending => OrderStatus::Pending,
            State::Triggered => OrderStatus::Triggered,
            State::Filled => OrderStatus::Filled,
            State::Cancelled => OrderStatus::Cancelled,
        }
    }
}

/// The records of all orders since the last that was forgotten, and of older ones that live.
#[derive(Clone, Debug)]
pub(super) struct Records {
    /// Length a power of two; an id's place is its low bits.
    ring: Vec<Record>,
    /// As long as the ring.
    terms: Vec<Terms>,
    /// The oldest id of the ring.
    base: u64,
    next: u64,
    /// Orders older than the ring that still live.
    old: HashMap<u64, (Record, Terms), FixedState>,
    /// Orders of `old` that this command closed.
    expired: Vec<u64>,
    keep: Option<u64>,
    stops: Vec<Stop>,
    free_stops: Vec<u32>,
}

/// Fills the unused part of the ring.
const BLANK: Record = Record {
    open: 0,
    cancelled: 0,
    slot: NONE,
    level: NONE,
    owner: 0,
    has_owner: false,
    side: Side::Buy,
    state: State::Cancelled,
};

/// Goes with [`BLANK`].
const NO_TERMS: Terms = Terms {
    qty: 0,
    price: Price(0),
    related: 0,
    instrument: 0,
    kind: Kind::Limit,
    tif: TimeInForce::GTC,
    post_only: false,
};

impl Records {
    pub(super) fn new(keep: Option<u64>) -> Self {
        Self {
            ring: vec![BLANK; 16],
            terms: vec![NO_TERMS; 16],
            base: 1,
            next: 1,
            old: HashMap::default(),
            expired: Vec::new(),
            keep,
            stops: Vec::new(),
            free_stops: Vec::new(),
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only the low bits are wanted"
    )]
    fn place(&self, id: u64) -> usize {
        id as usize & (self.ring.len() - 1)
    }

    #[inline]
    fn in_ring(&self, id: u64) -> bool {
        id.wrapping_sub(self.base) < self.next - self.base
    }

    #[inline]
    pub(super) fn get(&self, id: OrderId) -> Option<&Record> {
        if self.in_ring(id.0) {
            Some(&self.ring[self.place(id.0)])
        } else {
            self.old(id).map(|(record, _)| record)
        }
    }

    /// The terms of an order.
    #[inline]
    pub(super) fn terms(&self, id: OrderId) -> Option<&Terms> {
        if self.in_ring(id.0) {
            Some(&self.terms[self.place(id.0)])
        } else {
            self.old(id).map(|(_, terms)| terms)
        }
    }

    /// An order older than the ring.
    #[cold]
    fn old(&self, id: OrderId) -> Option<&(Record, Terms)> {
        self.old.get(&id.0)
    }

    /// An order older than the ring.
    #[cold]
    fn old_mut(&mut self, id: OrderId) -> Option<&mut (Record, Terms)> {
        self.old.get_mut(&id.0)
    }

    /// A record that is known to be there.
    #[inline]
    pub(super) fn live(&self, id: OrderId) -> &Record {
        self.get(id).expect("a live order is never forgotten")
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: OrderId) -> Option<&mut Record> {
        if self.in_ring(id.0) {
            let place = self.place(id.0);
            Some(&mut self.ring[place])
        } else {
            self.old_mut(id).map(|(record, _)| record)
        }
    }

    /// A record that is known to be there.
    #[inline]
    pub(super) fn live_mut(&mut self, id: OrderId) -> &mut Record {
        self.get_mut(id).expect("a live order is never forgotten")
    }

    /// The terms of an order that is known to be there.
    #[inline]
    pub(super) fn live_terms(&self, id: OrderId) -> &Terms {
        self.terms(id).expect("a live order is never forgotten")
    }

    /// The terms of an order that is known to be there.
    pub(super) fn live_terms_mut(&mut self, id: OrderId) -> &mut Terms {
        let terms = if self.in_ring(id.0) {
            let place = self.place(id.0);
            Some(&mut self.terms[place])
        } else {
            self.old_mut(id).map(|(_, terms)| terms)
        };
        terms.expect("a live order is never forgotten")
    }

    /// The next id, for an order as asked.
    pub(super) fn open(
        &mut self,
        instrument: u32,
        request: &OrderRequest,
        parent: Option<OrderId>,
    ) -> OrderId {
        let kind = match request.kind {
            OrderKind::Limit { .. } => Kind::Limit,
            OrderKind::Market => Kind::Market,
            _ => Kind::Stop,
        };
        let price = request.kind.price().unwrap_or_default();
        let id = self.add(instrument, request, (kind, price), request.qty.0);
        if kind == Kind::Stop {
            let slot = self.keep_stop(request.kind);
            let record = self.live_mut(id);
            (record.slot, record.state) = (slot, State::Pending);
        }
        if let Some(parent) = parent {
            self.live_terms_mut(id).related = parent.0;
        }
        id
    }

    /// As [`Records::open`], for a limit order without a parent, of which so much is open. It is filled when that is
    /// nothing.
    #[inline]
    pub(super) fn open_limit(
        &mut self,
        instrument: u32,
        request: &OrderRequest,
        price: Price,
        open: u64,
    ) -> OrderId {
        self.add(instrument, request, (Kind::Limit, price), open)
    }

    /// The next id.
    #[inline]
    fn add(
        &mut self,
        instrument: u32,
        request: &OrderRequest,
        (kind, price): (Kind, Price),
        open: u64,
    ) -> OrderId {
        let id = self.next;
        if self.next - self.base == self.ring.len() as u64 {
            self.grow();
        }
        self.next += 1;
        let place = self.place(id);
        self.ring[place] = Record {
            open,
            cancelled: 0,
            slot: NONE,
            level: NONE,
            owner: request.owner.map_or(0, |owner| owner.0),
            has_owner: request.owner.is_some(),
            side: request.side,
            state: if open == 0 {
                State::Filled
            } else {
                State::Live
            },
        };
        self.terms[place] = Terms {
            qty: request.qty.0,
            price,
            related: 0,
            instrument,
            kind,
            tif: request.tif,
            post_only: request.post_only,
        };
        OrderId(id)
    }

    /// Ends an order.
    #[inline]
    pub(super) fn close(&mut self, id: OrderId, state: State) {
        self.live_mut(id).state = state;
        self.expire(id);
    }

    /// Marks an order that has ended, and is too old to be remembered, to be forgotten.
    #[inline]
    pub(super) fn expire(&mut self, id: OrderId) {
        if id.0 < self.base {
            self.expired.push(id.0);
        }
    }

    pub(super) fn stop(&self, slot: u32) -> &Stop {
        &self.stops[slot as usize]
    }

    pub(super) fn stop_mut(&mut self, slot: u32) -> &mut Stop {
        &mut self.stops[slot as usize]
    }

    /// Forgets what the bound says, at the end of a command.
    #[inline]
    pub(super) fn settle(&mut self) {
        if let Some(keep) = self.keep {
            while self.next - self.base > keep {
                self.evict();
            }
        }
        if !self.expired.is_empty() {
            self.forget_expired();
        }
    }

    /// Forgets every closed order.
    pub(super) fn forget_closed(&mut self) {
        while self.base < self.next {
            self.evict();
        }
    }

    /// The ids of all orders that are known, in ascending order.
    pub(super) fn ids(&self) -> Vec<OrderId> {
        let mut ids: Vec<_> = self.old.keys().copied().map(OrderId).collect();
        ids.sort_unstable();
        ids.extend((self.base..self.next).map(OrderId));
        ids
    }

    /// An order as the outside sees it.
    pub(super) fn view(&self, id: OrderId) -> Option<Order> {
        let (record, terms) = (self.get(id)?, self.terms(id)?);
        let related = (terms.related != 0).then_some(OrderId(terms.related));
        let (kind, child) = match terms.kind {
            Kind::Limit => (OrderKind::Limit { price: terms.price }, None),
            Kind::Market => (OrderKind::Market, None),
            Kind::Stop => (self.stop(record.slot).standing(), related),
        };
        Some(Order {
            id,
            side: record.side,
            kind,
            tif: terms.tif,
            post_only: terms.post_only,
            owner: record.owner(),
            status: record.status(terms),
            qty: Qty(terms.qty),
            filled: Qty(record.filled(terms)),
            open: Qty(record.open),
            cancelled: Qty(record.cancelled),
            parent: if terms.kind == Kind::Stop {
                None
            } else {
                related
            },
            child,
        })
    }

    /// Number of orders that are known.
    pub(super) fn len(&self) -> u64 {
        self.next - self.base + self.old.len() as u64
    }

    /// Grows the ring for this many more orders.
    pub(super) fn reserve(&mut self, orders: usize) {
        let wanted = self.next - self.base + orders as u64;
        while (self.ring.len() as u64) < wanted {
            self.grow();
        }
    }

    #[cold]
    fn keep_stop(&mut self, kind: OrderKind) -> u32 {
        let stop = Stop {
            kind,
            level: kind.stop().unwrap_or_default(),
            mark: None,
        };
        if let Some(slot) = self.free_stops.pop() {
            self.stops[slot as usize] = stop;
            slot
        } else {
            self.stops.push(stop);
            u32::try_from(self.stops.len() - 1).expect("4 billion stops do not fit in memory")
        }
    }

    /// Moves the oldest record out of the ring: away, or to the old ones when it lives.
    fn evict(&mut self) {
        let id = self.base;
        let place = self.place(id);
        let (record, terms) = (self.ring[place], self.terms[place]);
        self.base += 1;
        match record.state {
            State::Live | State::Pending => {
                self.old.insert(id, (record, terms));
            }
            State::Filled | State::Cancelled | State::Triggered => self.drop_stop(&record, &terms),
        }
    }

    fn drop_stop(&mut self, record: &Record, terms: &Terms) {
        if terms.kind == Kind::Stop {
            self.free_stops.push(record.slot);
        }
    }

    #[cold]
    fn forget_expired(&mut self) {
        while let Some(id) = self.expired.pop() {
            if let Some((record, terms)) = self.old.remove(&id) {
                self.drop_stop(&record, &terms);
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let old_mask = self.ring.len() - 1;
        let mut ring = vec![BLANK; 2 * self.ring.len()];
        let mut terms = vec![NO_TERMS; ring.len()];
        let mask = ring.len() - 1;
        for id in self.base..self.next {
            let at = usize::try_from(id & mask as u64).expect("masked");
            ring[at] = self.ring[at & old_mask];
            terms[at] = self.terms[at & old_mask];
        }
        self.terms = terms;
        self.ring = ring;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_reserved_once_and_grows_with_what_is_remembered() {
        let request = OrderRequest::limit(Side::Buy, Price(1), Qty(1));
        let mut records = Records::new(None);
        for _ in 0..10 {
            records.open(0, &request, None);
        }
        records.reserve(118);
        assert_eq!(records.ring.len(), 128);
        for _ in 0..118 {
            records.open(0, &request, None);
        }
        assert_eq!((records.ring.len(), records.len()), (128, 128));
    }

    #[test]
    fn only_what_is_older_than_the_ring_is_marked_when_it_ends() {
        let request = OrderRequest::limit(Side::Buy, Price(1), Qty(1));
        let mut records = Records::new(Some(2));
        let ids = [(); 4].map(|()| records.open(0, &request, None));
        records.settle();
        assert_eq!(records.base, ids[2].0);
        for (id, marked) in ids.into_iter().zip([1, 2, 2, 2]) {
            records.close(id, State::Cancelled);
            assert_eq!(records.expired.len(), marked);
        }
    }

    #[test]
    fn the_place_of_a_forgotten_stop_is_used_again() {
        let stop = OrderRequest::stop_market(Side::Buy, Price(1), Qty(1));
        let mut records = Records::new(Some(2));
        for _ in 0..100 {
            let id = records.open(0, &stop, None);
            records.close(id, State::Cancelled);
            records.settle();
        }
        assert_eq!(records.stops.len(), 3);
        // One that lives past the bound, and closes then.
        let old = records.open(0, &stop, None);
        for _ in 0..5 {
            let id = records.open(0, &stop, None);
            records.close(id, State::Cancelled);
            records.settle();
        }
        assert_eq!(records.len(), 3);
        records.close(old, State::Cancelled);
        records.settle();
        assert_eq!((records.len(), records.get(old).is_none()), (2, true));
        assert_eq!(records.free_stops.len(), records.stops.len() - 2);
    }
}
