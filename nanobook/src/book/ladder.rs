//! One side of a book: its prices in order, the best at the end.

use super::{NONE, read_lines};
use crate::{Price, Side};

/// How many rungs from the best are compared all at once: most adds are near the touch, and a loop that ended where the
/// price belongs would end where the processor does not expect it.
const SCAN: usize = 8;

/// Order of a price on its side: the better, the larger.
#[inline]
pub(super) fn key(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => price.0,
        // The complement reverses the order and, unlike negation, can't overflow.
        Side::Sell => !price.0,
    }
}

/// The price of a key.
#[inline]
fn price(side: Side, key: i64) -> Price {
    match side {
        Side::Buy => Price(key),
        Side::Sell => Price(!key),
    }
}

#[derive(Clone, Copy, Debug)]
struct Rung {
    key: i64,
    handle: u32,
}

/// Number of rungs whose key is smaller: one behind the last of them, as they are in order.
#[inline]
fn smaller(rungs: &[Rung], key: i64) -> usize {
    let mut rank = 0;
    for (place, rung) in rungs.iter().enumerate() {
        rank = if rung.key < key { place + 1 } else { rank };
    }
    rank
}

/// Prices of a side, each with the handle of its level.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    rungs: Vec<Rung>,
    side: Side,
    /// The price of the last rung, as it is asked for: known without a look at the array.
    best_price: Option<Price>,
    /// The handle of the last rung, [`NONE`] without one, for the same reason.
    best: u32,
}

impl Ladder {
    pub(super) fn new(side: Side) -> Self {
        Self {
            rungs: Vec::new(),
            side,
            best_price: None,
            best: NONE,
        }
    }

    /// The best level.
    #[inline]
    pub(super) fn best(&self) -> Option<u32> {
        (self.best != NONE).then_some(self.best)
    }

    /// The price of the best level.
    #[inline]
    pub(super) fn best_price(&self) -> Option<Price> {
        self.best_price
    }

    /// All levels, best first.
    #[inline]
    pub(super) fn best_first(&self) -> impl Iterator<Item = u32> {
        self.best_first_from(0)
    }

    /// All levels but as many of the best, best first.
    #[inline]
    pub(super) fn best_first_from(&self, rank: usize) -> impl Iterator<Item = u32> {
        let end = self.rungs.len().saturating_sub(rank);
        self.rungs[..end].iter().rev().map(|rung| rung.handle)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rungs.len()
    }

    /// The level at a key, or the rank at which it belongs.
    #[inline]
    pub(super) fn find(&self, key: i64) -> Result<u32, usize> {
        let rank = self.rank(key);
        match self.rungs.get(rank) {
            Some(rung) if rung.key == key => Ok(rung.handle),
            _ => Err(rank),
        }
    }

    /// Puts a level at the rank that [`Ladder::find`] gave.
    #[inline]
    pub(super) fn insert(&mut self, rank: usize, key: i64, handle: u32) {
        let rung = Rung { key, handle };
        if self.is_far(rank) {
            self.rungs.insert(rank, rung);
        } else {
            // The new one is written last: a rung that was just written in two parts can't be read in one without a wait.
            let best = self.rungs.last().copied();
            self.rungs.push(best.unwrap_or(rung));
            for at in (rank + 1..self.rungs.len()).rev() {
                self.rungs[at] = self.rungs[at - 1];
            }
            self.rungs[rank] = rung;
        }
        self.note_best();
    }

    /// Takes the level of a key away.
    #[inline]
    pub(super) fn remove(&mut self, key: i64) {
        let rank = self.rank(key);
        debug_assert_eq!(self.rungs[rank].key, key);
        if self.is_far(rank) {
            self.rungs.remove(rank);
        } else {
            for at in rank + 1..self.rungs.len() {
                self.rungs[at - 1] = self.rungs[at];
            }
            self.rungs.pop();
        }
        self.note_best();
    }

    /// Whether more than a few rungs stand from a rank on. Moving a few one by one is less than the call that moves any
    /// number of bytes.
    #[inline]
    fn is_far(&self, rank: usize) -> bool {
        self.rungs.len() - rank > SCAN
    }

    #[inline]
    fn note_best(&mut self) {
        let last = self.rungs.last();
        self.best_price = last.map(|rung| price(self.side, rung.key));
        self.best = last.map_or(NONE, |rung| rung.handle);
    }

    /// See [`OrderBook::warm`](super::OrderBook::warm).
    pub(super) fn warm(&self) -> usize {
        read_lines(&self.rungs, |rung| rung.handle)
    }

    pub(super) fn clear(&mut self) {
        self.rungs.clear();
        self.note_best();
    }

    /// Number of rungs whose key is smaller.
    #[inline]
    fn rank(&self, key: i64) -> usize {
        let Some((far, near)) = self.rungs.split_last_chunk::<SCAN>() else {
            return smaller(&self.rungs, key);
        };
        match smaller(near, key) {
            0 => far.partition_point(|rung| rung.key < key),
            rank => far.len() + rank,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_in_order_and_few_of_them_are_near() {
        let mut ladder = Ladder::new(Side::Buy);
        assert!(!ladder.is_far(0));
        // From the best to the worst and back again: what moves is anything from none to all.
        for (handle, key) in (0..).zip([50, 10, 30, 20, 40, 45, 5, 60, 55, 15, 25, 35]) {
            let rank = ladder.find(key).unwrap_err();
            ladder.insert(rank, key, handle);
            assert_eq!(ladder.find(key), Ok(handle));
            assert!(ladder.rungs.is_sorted_by_key(|rung| rung.key));
            let last = ladder.rungs.last().unwrap();
            assert_eq!(ladder.best(), Some(last.handle));
            assert_eq!(ladder.best_price(), Some(Price(last.key)));
        }
        let far: Vec<_> = (0..=12).filter(|rank| ladder.is_far(*rank)).collect();
        assert_eq!(far, [0, 1, 2, 3]);
        for key in [5, 60, 30, 15, 55, 50, 10, 20, 25, 45, 35, 40] {
            ladder.remove(key);
            assert!(ladder.find(key).is_err() && ladder.rungs.is_sorted_by_key(|rung| rung.key));
            assert_eq!(ladder.best(), ladder.rungs.last().map(|rung| rung.handle));
        }
        assert_eq!((ladder.len(), ladder.best_price()), (0, None));
    }
}
