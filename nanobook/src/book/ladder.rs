//! One side of a book: its prices in order, the best at the end.

use super::NONE;
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
        self.rungs.iter().rev().map(|rung| rung.handle)
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
        if self.rungs.len() - rank > SCAN {
            self.rungs.insert(rank, rung);
        } else {
            // Few rungs are better: moving them one by one is less than the call that moves any number of bytes. The new
            // one is written last: a rung that was just written in two parts can't be read in one without a wait.
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
        if self.rungs.len() - rank > SCAN {
            self.rungs.remove(rank);
        } else {
            for at in rank + 1..self.rungs.len() {
                self.rungs[at - 1] = self.rungs[at];
            }
            self.rungs.pop();
        }
        self.note_best();
    }

    #[inline]
    fn note_best(&mut self) {
        let last = self.rungs.last();
        self.best_price = last.map(|rung| price(self.side, rung.key));
        self.best = last.map_or(NONE, |rung| rung.handle);
    }

    /// Reads every cache line.
    pub(super) fn warm(&self) {
        for line in self.rungs.chunks(4) {
            std::hint::black_box(line[0].handle);
        }
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
