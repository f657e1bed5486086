//! One side of a book: its prices in order, each with its level.
//!
//! # Near and far
//! Levels near the best stand in a window of 64 ticks. A bit for each tick says whether a level is there and a place for
//! each tick which one, so that finding a level takes a multiplication, opening one sets a bit, closing one clears it,
//! and the next best is at the lowest bit: nothing is searched and nothing moves. The window follows the best upwards at
//! once, and downwards when the best is a quarter of the window below the top.
//!
//! All other levels are far: in an array in order, the best at the end, searched by halves. Each is worse than every
//! near one. A price between ticks is far too, and then so is all that is worse: it ends the window.
//!
//! The tick is what prices show: the greatest common divisor of the gaps between the best of them, looked at again when
//! two, four, eight and so on levels did not fit the window.

#![expect(
    clippy::cast_possible_truncation,
    reason = "steps that are places of the window are less than 64"
)]

use super::tick::Tick;
use super::{NONE, ask_lines};
use crate::{Price, Side};

/// Ticks of the window: as many as a word has bits.
const WINDOW: u64 = 64;

/// The window follows the best when that is so many steps below the top.
const SLACK: u64 = WINDOW / 4;

/// How many levels, from the best on, show the tick.
const SAMPLE: usize = 16;

/// The tick is looked at after so many levels that did not fit the window, then after twice as many, and so on.
const MIN_WAIT: u32 = 2;

/// The tick is looked at after so many levels at the latest.
const MAX_WAIT: u32 = 1 << 10;

/// Order of a price on its side: the better, the larger.
#[inline]
pub(super) fn key(side: Side, price: Price) -> i64 {
    // The complement reverses the order and, unlike negation, can't overflow.
    price.0 ^ -i64::from(side == Side::Sell)
}

/// The price of a key.
#[inline]
fn price(side: Side, key: i64) -> Price {
    Price(key ^ -i64::from(side == Side::Sell))
}

/// A far level.
#[derive(Clone, Copy, Debug)]
struct Rung {
    key: i64,
    handle: u32,
}

/// Prices of a side, each with the handle of its level.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// The near levels: bit `n` is set when there is one `n` steps below the top.
    taken: u64,
    /// Key of the upper end of the window, no worse than the best.
    top: i64,
    /// Fewer steps than these below the top is near: those of the window, or those to the best far level. Zero when there
    /// is no level, and the window is nowhere.
    reach: u64,
    tick: Tick,
    /// The far levels, the best at the end.
    far: Vec<Rung>,
    /// The price of the best level, as it is asked for: known without a look at the window.
    best_price: Option<Price>,
    /// The handle of the best level, [`NONE`] without one, for the same reason.
    best: u32,
    side: Side,
    /// How many more levels may be far before the tick is looked at.
    patience: u32,
    /// What patience was at first.
    wait: u32,
    /// The handles of the near levels, by steps below the top.
    near: [u32; WINDOW as usize],
}

impl Ladder {
    pub(super) fn new(side: Side) -> Self {
        Self {
            taken: 0,
            top: 0,
            reach: 0,
            tick: Tick::new(1),
            far: Vec::new(),
            best_price: None,
            best: NONE,
            side,
            patience: MIN_WAIT,
            wait: MIN_WAIT,
            near: [NONE; WINDOW as usize],
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
        let (mut taken, mut rank) = (self.taken, rank);
        while rank > 0 && taken != 0 {
            taken &= taken - 1;
            rank -= 1;
        }
        let end = self.far.len().saturating_sub(rank);
        let mut far = self.far[..end].iter().rev();
        std::iter::from_fn(move || {
            if taken == 0 {
                return far.next().map(|rung| rung.handle);
            }
            let steps = taken.trailing_zeros();
            taken &= taken - 1;
            Some(self.near[steps as usize])
        })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.taken.count_ones() as usize + self.far.len()
    }

    /// The level at a key.
    #[inline]
    pub(super) fn find(&self, key: i64) -> Option<u32> {
        match self.find_near(key) {
            Ok(handle) => Some(handle),
            Err(steps) => self.find_far(steps, key),
        }
    }

    /// The level at a key if it is near, or how many steps below the top the key is.
    #[inline]
    pub(super) fn find_near(&self, key: i64) -> Result<u32, u64> {
        let steps = self.steps(key);
        if steps < WINDOW && self.taken >> steps & 1 != 0 {
            Ok(self.near[steps as usize])
        } else {
            Err(steps)
        }
    }

    /// The level at a key that [`Ladder::find_near`] did not find.
    #[inline]
    pub(super) fn find_far(&self, steps: u64, key: i64) -> Option<u32> {
        if steps < self.reach {
            return None;
        }
        let rung = self.far.get(self.rank(key))?;
        (rung.key == key).then_some(rung.handle)
    }

    /// Puts a level where there is none, as many steps below the top as [`Ladder::find_near`] said.
    #[inline]
    pub(super) fn insert(&mut self, steps: u64, key: i64, handle: u32) {
        if steps >= self.reach {
            self.insert_beyond(key, handle);
            return;
        }
        self.put(steps, handle);
        if self.is_best(steps) {
            self.best = handle;
            self.best_price = Some(price(self.side, key));
        }
    }

    /// Takes the level of a key away.
    #[inline]
    pub(super) fn remove(&mut self, key: i64) {
        let steps = self.steps(key);
        if steps >= self.reach {
            self.remove_far(key);
            return;
        }
        debug_assert!(self.taken >> steps & 1 != 0);
        self.taken &= !(1 << steps);
        if self.is_best(steps) {
            let next = u64::from(self.taken.trailing_zeros());
            if next >= SLACK {
                self.sink(next);
            }
            self.note_best();
        }
    }

    /// See [`OrderBook::warm`](super::OrderBook::warm).
    pub(super) fn warm(&self) -> usize {
        let near = if self.taken == 0 { &[] } else { &self.near[..] };
        ask_lines(near) + ask_lines(&self.far)
    }

    pub(super) fn clear(&mut self) {
        self.far.clear();
        self.taken = 0;
        self.reach = 0;
        self.note_best();
    }

    /// How many steps a key is below the top; at least as many as the window has when it is above or between ticks.
    #[inline]
    fn steps(&self, key: i64) -> u64 {
        let gap = self.top.wrapping_sub(key).cast_unsigned();
        let steps = self.tick.steps(gap);
        if key > self.top { u64::MAX } else { steps }
    }

    /// The key so many steps below the top, of a window's worth at most.
    #[inline]
    fn key_at(&self, steps: u64) -> i64 {
        self.top
            .wrapping_sub_unsigned(steps.wrapping_mul(self.tick.size()))
    }

    /// Number of far levels whose key is smaller.
    #[inline]
    fn rank(&self, key: i64) -> usize {
        self.far.partition_point(|rung| rung.key < key)
    }

    /// Whether no near level is fewer steps below the top.
    #[inline]
    fn is_best(&self, steps: u64) -> bool {
        self.taken & ((1 << steps) - 1) == 0
    }

    #[inline]
    fn put(&mut self, steps: u64, handle: u32) {
        self.near[steps as usize] = handle;
        self.taken |= 1 << steps;
    }

    #[inline]
    fn note_best(&mut self) {
        if self.taken == 0 {
            self.best = NONE;
            self.best_price = None;
        } else {
            let steps = u64::from(self.taken.trailing_zeros());
            self.best = self.near[steps as usize];
            self.best_price = Some(price(self.side, self.key_at(steps)));
        }
    }

    /// [`Ladder::insert`] out of reach.
    #[inline(never)]
    fn insert_beyond(&mut self, key: i64, handle: u32) {
        let rung = Rung { key, handle };
        if self.taken == 0 {
            self.restart(rung);
        } else if key > self.top {
            self.raise(rung);
        } else {
            let rank = self.rank(key);
            if rank < self.far.len() {
                self.far.insert(rank, rung);
            } else {
                self.end_window(rung);
            }
            self.lose_patience();
        }
        self.note_best();
    }

    /// Puts a level that is better than all others when none is near.
    fn restart(&mut self, rung: Rung) {
        self.top = rung.key;
        self.put(0, rung.handle);
        self.note_reach();
    }

    /// Puts a level above the top.
    fn raise(&mut self, rung: Rung) {
        let up = self.tick.steps(self.top.abs_diff(rung.key));
        if up < WINDOW {
            self.spill(WINDOW - up);
            self.taken <<= up;
            self.near.copy_within(..(WINDOW - up) as usize, up as usize);
            self.top = rung.key;
            self.put(0, rung.handle);
            self.note_reach();
        } else {
            self.spill(0);
            self.restart(rung);
            self.lose_patience();
        }
    }

    /// Puts a level below the top that is better than all far ones and does not fit the window, which ends there.
    fn end_window(&mut self, rung: Rung) {
        self.spill(self.tick.span(self.top.abs_diff(rung.key), WINDOW));
        if self.taken == 0 {
            self.restart(rung);
        } else {
            self.far.push(rung);
            self.note_reach();
        }
    }

    #[inline(never)]
    fn remove_far(&mut self, key: i64) {
        let rank = self.rank(key);
        debug_assert_eq!(self.far[rank].key, key);
        self.far.remove(rank);
        if rank == self.far.len() {
            self.pull();
        }
    }

    /// Lets the window follow the best so many steps down, or as far as it takes when none is near.
    #[inline(never)]
    fn sink(&mut self, steps: u64) {
        if steps < WINDOW {
            self.top = self.key_at(steps);
            self.taken >>= steps;
            self.near.copy_within(steps as usize.., 0);
            self.pull();
        } else {
            self.pull_from_best();
        }
    }

    /// Makes levels far that are near and at least so many steps below the top.
    fn spill(&mut self, steps: u64) {
        if steps >= WINDOW {
            return;
        }
        let mut out = self.taken >> steps << steps;
        self.taken ^= out;
        while out != 0 {
            let steps = u64::from(out.ilog2());
            out ^= 1 << steps;
            let (key, handle) = (self.key_at(steps), self.near[steps as usize]);
            self.far.push(Rung { key, handle });
        }
    }

    /// Makes levels near, the best first, as long as they fit the window.
    fn pull(&mut self) {
        while let Some(rung) = self.far.last().copied() {
            let steps = self.steps(rung.key);
            if steps >= WINDOW {
                break;
            }
            self.put(steps, rung.handle);
            self.far.pop();
        }
        self.note_reach();
    }

    /// Moves the window to the best of all levels, when none is near.
    fn pull_from_best(&mut self) {
        if let Some(rung) = self.far.last() {
            self.top = rung.key;
            self.pull();
        } else {
            self.reach = 0;
        }
    }

    fn note_reach(&mut self) {
        self.reach = match self.far.last() {
            Some(rung) => self.tick.span(self.top.abs_diff(rung.key), WINDOW),
            None => WINDOW,
        };
    }

    /// Notes that a level did not fit the window.
    fn lose_patience(&mut self) {
        self.patience -= 1;
        if self.patience == 0 {
            self.wait = (2 * self.wait).min(MAX_WAIT);
            self.patience = self.wait;
            self.learn_tick();
        }
    }

    #[cold]
    fn learn_tick(&mut self) {
        self.spill(0);
        let keys = self.far.iter().rev().map(|rung| rung.key);
        let gaps = keys.clone().zip(keys.skip(1)).take(SAMPLE - 1);
        let tick = Tick::of(gaps.map(|(better, worse)| better.abs_diff(worse)));
        self.tick = tick.unwrap_or(self.tick);
        self.pull_from_best();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A ladder and what it should hold.
    struct Pair {
        ladder: Ladder,
        twin: BTreeMap<i64, u32>,
    }

    impl Pair {
        fn new(side: Side) -> Self {
            Self {
                ladder: Ladder::new(side),
                twin: BTreeMap::new(),
            }
        }

        fn add(&mut self, key: i64, handle: u32) {
            let steps = self.ladder.find_near(key).unwrap_err();
            assert_eq!(self.ladder.find_far(steps, key), None);
            self.ladder.insert(steps, key, handle);
            self.twin.insert(key, handle);
            self.check();
        }

        fn remove(&mut self, key: i64) {
            self.ladder.remove(key);
            self.twin.remove(&key).unwrap();
            assert_eq!(self.ladder.find(key), None);
            self.check();
        }

        fn check(&self) {
            let ladder = &self.ladder;
            let best = self.twin.last_key_value();
            assert_eq!(ladder.best(), best.map(|(_, handle)| *handle));
            let best_price = best.map(|(key, _)| price(ladder.side, *key));
            assert_eq!(ladder.best_price(), best_price);
            assert!(ladder.best_first().eq(self.twin.values().rev().copied()));
            assert_eq!(ladder.len(), self.twin.len());
            // Near levels are better than far ones, and nothing that fits the window is far.
            assert!(ladder.far.is_sorted_by(|a, b| a.key < b.key));
            if let Some(end) = ladder.far.last() {
                let worst = 63 - u64::from(ladder.taken.leading_zeros());
                assert!(ladder.key_at(worst) > end.key && ladder.steps(end.key) >= WINDOW);
                assert!(worst < ladder.reach && ladder.key_at(ladder.reach - 1) > end.key);
            }
            assert_eq!(ladder.taken == 0, self.twin.is_empty());
        }

        fn near(&self) -> u32 {
            self.ladder.taken.count_ones()
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, n: i64) -> i64 {
            self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            (self.0 >> 2).cast_signed() % n
        }

        /// Mostly small.
        fn rank(&mut self, n: usize) -> usize {
            let n = i64::try_from(n).unwrap();
            let rank = self.below(n).min(self.below(n)) * self.below(3).min(1);
            usize::try_from(rank).unwrap()
        }
    }

    /// At most so many levels come and go at keys that are drawn.
    fn walk(side: Side, most: usize, mut draw: impl FnMut(&mut Random) -> i64) {
        let mut random = Random(most as u64);
        let mut pair = Pair::new(side);
        for handle in 0..4_000 {
            let key = draw(&mut random);
            if let Some(found) = pair.twin.get(&key) {
                assert_eq!(pair.ladder.find(key), Some(*found));
                pair.remove(key);
            } else {
                pair.add(key, handle);
            }
            while pair.twin.len() > most {
                let rank = random.rank(pair.twin.len());
                let rest = pair.ladder.best_first_from(rank);
                assert!(rest.eq(pair.twin.values().rev().skip(rank).copied()));
                let key = *pair.twin.keys().rev().nth(rank).unwrap();
                pair.remove(key);
            }
        }
        assert!(pair.ladder.best_first_from(most + 1).next().is_none());
    }

    #[test]
    fn ladders_of_any_prices_are_as_sorted_maps() {
        let grids = [
            (1, 50),
            (1, 1_000),
            (100, 30),
            (100, 300),
            (10_000_000, 100),
            (1 << 56, 120),
        ];
        for side in [Side::Buy, Side::Sell] {
            for most in [1, 5, 40, 200] {
                for (tick, ticks) in grids {
                    walk(side, most, |random| random.below(ticks) * tick);
                    // A few between ticks.
                    walk(side, most, |random| {
                        let off = (random.below(20) == 0).then(|| random.below(tick));
                        random.below(ticks) * tick + off.unwrap_or(0)
                    });
                    // Around a price that drifts.
                    let mut top = 0;
                    walk(side, most, |random| {
                        top += random.below(5) - 2;
                        (top / 4 - random.below(ticks / 2)) * tick
                    });
                }
                walk(side, most, |random| {
                    let end = [i64::MIN, i64::MAX, 0, -1][random.rank(4)];
                    end.wrapping_add(random.below(3) - 1)
                });
                walk(side, most, |random| random.below(1 << 61) << 3);
            }
        }
    }

    #[test]
    fn the_tick_is_learned_and_then_all_fits_the_window() {
        let mut pair = Pair::new(Side::Buy);
        for n in 0..40 {
            // 100.00, 99.99, 100.01, ... in ten-thousandths: three of them show the tick.
            let away = if n % 2 == 0 { n / 2 } else { -n / 2 - 1 };
            pair.add(1_000_000 + 100 * away, 1);
            if n >= 2 {
                assert_eq!(
                    (pair.ladder.tick.size(), pair.ladder.far.len()),
                    (100, 0),
                    "at {n}"
                );
            }
        }
        // One between two ticks ends the window, and does no longer when it leaves.
        pair.add(1_000_050, 2);
        assert_eq!(pair.near(), 19);
        pair.remove(1_000_050);
        assert_eq!(pair.near(), 40);
        // Where prices have another tick by now, it is learned anew.
        for n in 0..100 {
            pair.add(2_000_000 + n, 3);
        }
        assert_eq!((pair.ladder.tick.size(), pair.near()), (1, 64));
    }

    #[test]
    fn the_window_follows_the_best() {
        let mut pair = Pair::new(Side::Sell);
        for key in 0..100 {
            pair.add(key, 1);
        }
        assert_eq!(
            (pair.ladder.top, pair.near(), pair.ladder.reach),
            (99, 64, 64)
        );
        for key in (85..100).rev() {
            pair.remove(key);
            assert_eq!(pair.ladder.top, 99);
        }
        pair.remove(84);
        assert_eq!((pair.ladder.top, pair.near()), (83, 64));
        pair.add(84, 1);
        assert_eq!((pair.ladder.top, pair.near()), (84, 64));
        // The next one is out of reach of the window, which starts anew and then grows with what is below.
        pair.add(84 + 64, 1);
        assert_eq!((pair.ladder.top, pair.near()), (148, 1));
        pair.remove(148);
        assert_eq!((pair.ladder.top, pair.near()), (84, 64));
    }

    #[test]
    fn the_tick_is_looked_at_ever_less_often() {
        let mut pair = Pair::new(Side::Buy);
        pair.add(i64::MAX, 0);
        let mut looks = Vec::new();
        for n in 1..4_000 {
            let wait = pair.ladder.wait;
            pair.add(-n * 1_000, 1);
            if pair.ladder.wait != wait || pair.ladder.patience == MAX_WAIT {
                looks.push(n);
            }
        }
        assert_eq!(
            looks,
            [2, 6, 14, 30, 62, 126, 254, 510, 1_022, 2_046, 3_070]
        );
    }

    #[test]
    fn a_cleared_ladder_starts_anew() {
        let mut pair = Pair::new(Side::Buy);
        for _ in 0..2 {
            assert_eq!(pair.ladder.warm(), 0);
            for key in 0..100 {
                pair.add(key, 1);
            }
            // 36 far levels, four to a line.
            assert_eq!(pair.ladder.warm(), 4 + 9);
            pair.ladder.clear();
            pair.twin.clear();
            pair.check();
        }
    }
}
