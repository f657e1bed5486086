//! The resting orders of a book: pooled records, linked into the queue of their level, found by id.

use super::index::{Index, Place};
use super::{NONE, ask_lines};
use crate::{OrderId, Qty};

/// An order, 32 bytes: two fit a cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) id: u64,
    /// What rests of it.
    pub(super) qty: u64,
    /// Handle of its level.
    pub(super) level: u32,
    /// The order before it in the queue.
    pub(super) prev: u32,
    /// The order behind it in the queue; of a free record, the next free one.
    pub(super) next: u32,
}

const _: () = assert!(size_of::<Order>() == 32);

/// The orders of a book; a slot is stable while the order rests.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    pool: Vec<Order>,
    /// A bit for each record, set when its order has left and is still linked: a gap. Empty until there is one.
    gaps: Vec<u64>,
    free: u32,
    index: Index,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            pool: Vec::new(),
            gaps: Vec::new(),
            free: NONE,
            index: Index::default(),
        }
    }
}

impl Orders {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> &Order {
        &self.pool[slot as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Order {
        &mut self.pool[slot as usize]
    }

    /// The slot of an id, and where it is indexed.
    #[inline]
    pub(super) fn find(&self, id: OrderId) -> Option<(u32, Place)> {
        self.index.find(id.0, |slot| self.pool[slot as usize].id)
    }

    /// A queue from the order at `head` to its end, without gaps.
    #[inline]
    pub(super) fn queue(&self, head: u32) -> impl Iterator<Item = &Order> {
        let following = |slot: &u32| Some(self.get(*slot).next).filter(|next| *next != NONE);
        let linked = std::iter::successors((head != NONE).then_some(head), following);
        linked
            .filter(|slot| !self.is_gap(*slot))
            .map(|slot| self.get(slot))
    }

    /// Whether the order of a linked record has left.
    #[inline]
    pub(super) fn is_gap(&self, slot: u32) -> bool {
        let (word, bit) = bit_of(slot);
        self.gaps.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Lets an order leave that stays linked. Its record is not touched: the bits of a whole book fit into the fastest
    /// cache, its records don't.
    #[inline]
    pub(super) fn make_gap(&mut self, slot: u32) {
        let (word, bit) = bit_of(slot);
        if word >= self.gaps.len() {
            self.make_room_for_gaps();
        }
        self.gaps[word] |= bit;
    }

    /// Frees the record of a gap.
    #[inline]
    pub(super) fn close_gap(&mut self, slot: u32) -> Order {
        let (word, bit) = bit_of(slot);
        self.gaps[word] &= !bit;
        self.unlink(slot)
    }

    /// Makes bits for as many records as there is room for.
    #[cold]
    fn make_room_for_gaps(&mut self) {
        self.gaps.resize(self.pool.capacity() / 64 + 1, 0);
    }

    /// A new order behind `prev`, which only its slot finds until it is indexed.
    #[inline]
    pub(super) fn link(&mut self, id: OrderId, qty: Qty, level: u32, prev: u32) -> u32 {
        let order = Order {
            id: id.0,
            qty: qty.0,
            level,
            prev,
            next: NONE,
        };
        let slot = if self.free == NONE {
            let slot = u32::try_from(self.pool.len())
                .ok()
                .filter(|slot| *slot != NONE);
            self.pool.push(order);
            slot.expect("4 billion orders of 32 bytes do not fit in memory")
        } else {
            let slot = self.free;
            self.free = self.pool[slot as usize].next;
            self.pool[slot as usize] = order;
            slot
        };
        // Without a branch, which could not be foreseen: the first of a queue writes to itself.
        let before = if prev == NONE { slot } else { prev };
        self.pool[before as usize].next = slot;
        self.pool[slot as usize].next = NONE;
        slot
    }

    /// The slot of an id and where it is indexed, or the place for [`Orders::index`] to put it.
    #[inline]
    pub(super) fn find_or_place(&mut self, id: OrderId) -> Result<(u32, Place), Place> {
        let id_of = |slot: u32| self.pool[slot as usize].id;
        self.index.find_or_place(id.0, id_of)
    }

    /// Lets an id find its slot.
    #[inline]
    pub(super) fn index(&mut self, id: OrderId, place: Place, slot: u32) {
        self.index.fill(id.0, place, slot);
    }

    /// Undoes [`Orders::index`].
    #[inline]
    pub(super) fn unindex(&mut self, id: OrderId, place: Place) {
        self.index.remove(id.0, place);
    }

    /// Takes an order out of its queue and frees its record.
    #[inline]
    pub(super) fn unlink(&mut self, slot: u32) -> Order {
        let order = self.pool[slot as usize];
        // As in `link`: at an end of the queue it writes to itself.
        let or_self = |other: u32| (if other == NONE { slot } else { other }) as usize;
        self.pool[or_self(order.prev)].next = order.next;
        self.pool[or_self(order.next)].prev = order.prev;
        self.pool[slot as usize].next = self.free;
        self.free = slot;
        order
    }

    /// As [`Orders::unlink`], for the first order of a queue: says which is the next.
    #[inline]
    pub(super) fn unlink_first(&mut self, slot: u32) -> u32 {
        let next = self.pool[slot as usize].next;
        let second = if next == NONE { slot } else { next };
        self.pool[second as usize].prev = NONE;
        self.pool[slot as usize].next = self.free;
        self.free = slot;
        next
    }

    pub(super) fn reserve(&mut self, orders: usize) {
        self.pool.reserve(orders.saturating_sub(self.pool.len()));
        self.make_room_for_gaps();
    }

    /// See [`OrderBook::warm`](super::OrderBook::warm).
    pub(super) fn warm(&self) -> usize {
        ask_lines(&self.pool) + self.index.warm()
    }

    /// Number of records, used or free.
    #[cfg(test)]
    pub(super) fn records(&self) -> usize {
        self.pool.len()
    }

    pub(super) fn clear(&mut self) {
        self.pool.clear();
        self.gaps.clear();
        self.free = NONE;
        self.index.clear();
    }
}

/// Where the bit of a record is: its word, and the word's bit.
#[inline]
fn bit_of(slot: u32) -> (usize, u64) {
    (slot as usize / 64, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use crate::book::OrderBook;
    use crate::{OrderId, Price, Qty, Side};

    #[test]
    fn an_order_that_ends_makes_room_for_the_next() {
        let mut book = OrderBook::new();
        book.reserve(640);
        let (records, bits) = (book.orders.pool.capacity(), 64 * book.orders.gaps.len());
        assert!((640..1_000).contains(&records) && (records..1_100).contains(&bits));
        for id in 1..1_000 {
            let mut enter = |price| book.enter(OrderId(id), Side::Buy, Price(price), Qty(1));
            let slots = [1, 1, 2].map(|price| enter(price).unwrap());
            for slot in slots {
                book.leave(slot);
            }
        }
        assert_eq!(book.orders.pool.len(), 3);
    }
}
