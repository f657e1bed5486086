//! One price of one side: the ends of its queue and its totals, pooled.

use super::{NONE, ask_lines};
use crate::rows::PriceLevel;
use crate::{Price, Qty, Side};

/// A level, 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) price: Price,
    pub(super) qty: u64,
    pub(super) count: u32,
    /// First order of the queue; of a free record, the next free one.
    pub(super) head: u32,
    /// Last order of the queue.
    pub(super) tail: u32,
    /// Twice the number of orders of the queue that have left and are still linked, and one for a sell: a flag of its own
    /// would make the record longer.
    gaps_and_side: u32,
}

const _: () = assert!(size_of::<Level>() == 32);

impl Level {
    #[inline]
    pub(super) fn side(&self) -> Side {
        if self.gaps_and_side & 1 == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    /// Orders of the queue that have left and are still linked.
    #[inline]
    pub(super) fn gaps(&self) -> u32 {
        self.gaps_and_side >> 1
    }

    #[inline]
    pub(super) fn has_gaps(&self) -> bool {
        self.gaps() > 0
    }

    #[inline]
    pub(super) fn add_gap(&mut self) {
        self.gaps_and_side += 2;
    }

    #[inline]
    pub(super) fn drop_gap(&mut self) {
        self.gaps_and_side -= 2;
    }

    #[inline]
    pub(super) fn public(&self) -> PriceLevel {
        PriceLevel {
            price: self.price,
            qty: Qty(self.qty),
            count: self.count,
        }
    }
}

/// The level records of a book; a handle is stable while the level lives.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    pool: Vec<Level>,
    free: u32,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            pool: Vec::new(),
            free: NONE,
        }
    }
}

impl Levels {
    #[inline]
    pub(super) fn get(&self, handle: u32) -> &Level {
        &self.pool[handle as usize]
    }

    /// A record, of a live level or not.
    #[inline]
    pub(super) fn try_get(&self, handle: u32) -> Option<&Level> {
        self.pool.get(handle as usize)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: u32) -> &mut Level {
        &mut self.pool[handle as usize]
    }

    /// A new level without orders.
    #[inline]
    pub(super) fn open(&mut self, side: Side, price: Price) -> u32 {
        let level = Level {
            price,
            qty: 0,
            count: 0,
            head: NONE,
            tail: NONE,
            gaps_and_side: u32::from(side == Side::Sell),
        };
        if self.free == NONE {
            let handle = u32::try_from(self.pool.len()).expect("levels are no more than orders");
            self.pool.push(level);
            handle
        } else {
            let handle = self.free;
            self.free = self.pool[handle as usize].head;
            self.pool[handle as usize] = level;
            handle
        }
    }

    /// Frees a record for the next [`Levels::open`].
    #[inline]
    pub(super) fn close(&mut self, handle: u32) {
        self.pool[handle as usize].head = self.free;
        self.free = handle;
    }

    /// See [`OrderBook::warm`](super::OrderBook::warm).
    pub(super) fn warm(&self) -> usize {
        ask_lines(&self.pool)
    }

    pub(super) fn clear(&mut self) {
        self.pool.clear();
        self.free = NONE;
    }
}

#[cfg(test)]
mod tests {
    use crate::book::OrderBook;
    use crate::{OrderId, Price, Qty, Side};

    #[test]
    fn a_level_that_ends_makes_room_for_the_next() {
        let mut book = OrderBook::new();
        for n in 1..1_000 {
            let mut enter = |price| book.enter(OrderId(1), Side::Buy, Price(price), Qty(1));
            for slot in [n, n + 1, n + 2].map(|price| enter(price).unwrap()) {
                book.leave(slot);
            }
        }
        assert_eq!(book.levels.pool.len(), 3);
    }

    #[test]
    fn gaps_are_counted_beside_the_side() {
        let mut book = OrderBook::new();
        for side in [Side::Buy, Side::Sell] {
            let handle = book.levels.open(side, Price(1));
            let level = book.levels.get_mut(handle);
            assert!(!level.has_gaps());
            for gaps in 1..=3 {
                level.add_gap();
                assert_eq!((level.gaps(), level.side()), (gaps, side));
                assert!(level.has_gaps());
            }
            level.drop_gap();
            assert_eq!((level.gaps(), level.side()), (2, side));
        }
    }

    #[test]
    fn a_cleared_book_uses_its_records_again() {
        let mut book = OrderBook::new();
        for _ in 0..3 {
            book.enter(OrderId(1), Side::Buy, Price(1), Qty(1)).unwrap();
            assert_eq!((book.levels.pool.len(), book.orders.records()), (1, 1));
            assert!(book.levels.try_get(0).is_some() && book.levels.try_get(1).is_none());
            book.clear();
        }
    }
}
