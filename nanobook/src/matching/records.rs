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

/// One order, one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Record {
    pub(super) qty: u64,
    pub(super) filled: u64,
    pub(super) cancelled: u64,
    pub(super) price: Price,
    /// Of a stop its child, of a child its stop; 0 for neither.
    pub(super) related: u64,
    /// Live: in the book. Stop: in the stop pool.
    pub(super) slot: u32,
    /// Live: its price level in the book.
    pub(super) level: u32,
    owner: u32,
    pub(super) instrument: u32,
    pub(super) side: Side,
    kind: Kind,
    pub(super) tif: TimeInForce,
    pub(super) state: State,
    has_owner: bool,
    pub(super) post_only: bool,
}

const _: () = assert!(size_of::<Record>() == 64);

impl Record {
    #[inline]
    pub(super) fn open(&self) -> u64 {
        self.qty - self.filled - self.cancelled
    }

    #[inline]
    pub(super) fn owner(&self) -> Option<Owner> {
        self.has_owner.then_some(Owner(self.owner))
    }

    /// Takes away all that is open.
    #[inline]
    pub(super) fn cancel(&mut self) {
        self.cancelled += self.open();
        self.state = State::Cancelled;
    }

    #[inline]
    pub(super) fn status(&self) -> OrderStatus {
        match self.state {
            State::Live if self.filled == 0 => OrderStatus::New,
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
    /// The oldest id of the ring.
    base: u64,
    next: u64,
    /// Orders older than the ring that still live.
    old: HashMap<u64, Record, FixedState>,
    /// Orders of `old` that this command closed.
    expired: Vec<u64>,
    keep: Option<u64>,
    stops: Vec<Stop>,
    free_stops: Vec<u32>,
}

/// Fills the unused part of a ring.
const BLANK: Record = Record {
    qty: 0,
    filled: 0,
    cancelled: 0,
    price: Price(0),
    related: 0,
    slot: NONE,
    level: NONE,
    owner: 0,
    instrument: 0,
    side: Side::Buy,
    kind: Kind::Limit,
    tif: TimeInForce::GTC,
    state: State::Cancelled,
    has_owner: false,
    post_only: false,
};

impl Records {
    pub(super) fn new(keep: Option<u64>) -> Self {
        Self {
            ring: vec![BLANK; 16],
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
            self.old.get(&id.0)
        }
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
            self.old.get_mut(&id.0)
        }
    }

    /// A record that is known to be there.
    #[inline]
    pub(super) fn live_mut(&mut self, id: OrderId) -> &mut Record {
        self.get_mut(id).expect("a live order is never forgotten")
    }

    /// The next id, for an order as asked.
    #[inline]
    pub(super) fn open(
        &mut self,
        instrument: u32,
        request: &OrderRequest,
        parent: Option<OrderId>,
    ) -> OrderId {
        let (kind, state, price, slot) = match request.kind {
            OrderKind::Limit { price } => (Kind::Limit, State::Live, price, NONE),
            OrderKind::Market => (Kind::Market, State::Live, Price(0), NONE),
            kind => {
                let price = kind.price().unwrap_or_default();
                (Kind::Stop, State::Pending, price, self.keep_stop(kind))
            }
        };
        let id = self.next;
        if self.next - self.base == self.ring.len() as u64 {
            self.grow();
        }
        self.next += 1;
        let place = self.place(id);
        self.ring[place] = Record {
            qty: request.qty.0,
            filled: 0,
            cancelled: 0,
            price,
            related: parent.map_or(0, |parent| parent.0),
            slot,
            level: NONE,
            owner: request.owner.map_or(0, |owner| owner.0),
            instrument,
            side: request.side,
            kind,
            tif: request.tif,
            state,
            has_owner: request.owner.is_some(),
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
        let record = self.get(id)?;
        let related = (record.related != 0).then_some(OrderId(record.related));
        let (kind, child) = match record.kind {
            Kind::Limit => (
                OrderKind::Limit {
                    price: record.price,
                },
                None,
            ),
            Kind::Market => (OrderKind::Market, None),
            Kind::Stop => (self.stop(record.slot).standing(), related),
        };
        Some(Order {
            id,
            side: record.side,
            kind,
            tif: record.tif,
            post_only: record.post_only,
            owner: record.owner(),
            status: record.status(),
            qty: Qty(record.qty),
            filled: Qty(record.filled),
            open: Qty(record.open()),
            cancelled: Qty(record.cancelled),
            parent: if record.kind == Kind::Stop {
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
        let record = self.ring[self.place(id)];
        self.base += 1;
        match record.state {
            State::Live | State::Pending => {
                self.old.insert(id, record);
            }
            State::Filled | State::Cancelled | State::Triggered => self.drop_stop(&record),
        }
    }

    fn drop_stop(&mut self, record: &Record) {
        if record.kind == Kind::Stop {
            self.free_stops.push(record.slot);
        }
    }

    #[cold]
    fn forget_expired(&mut self) {
        while let Some(id) = self.expired.pop() {
            if let Some(record) = self.old.remove(&id) {
                self.drop_stop(&record);
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let old_mask = self.ring.len() - 1;
        let mut ring = vec![BLANK; 2 * self.ring.len()];
        let mask = ring.len() - 1;
        for id in self.base..self.next {
            let at = usize::try_from(id & mask as u64).expect("masked");
            ring[at] = self.ring[at & old_mask];
        }
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
