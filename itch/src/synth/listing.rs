//! The stocks of a synthetic day: names, prices, and how active each is.

use std::collections::BTreeSet;

use super::rng::Rng;
use crate::Stock8;

/// A stock and what stays the same over the day.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) stock: Stock8,
    /// Price step in units of 0.0001: a cent, or 0.0001 below a dollar.
    pub(super) tick: u32,
    /// Price around which the day starts, in units of 0.0001.
    pub(super) reference: u32,
    /// Usual distance of bid and ask, in ticks.
    pub(super) spread: u32,
    /// Prices stay within these, so that a stock keeps its tick.
    pub(super) floor: u32,
    pub(super) cap: u32,
    pub(super) round_lot: u32,
    pub(super) category: u8,
    pub(super) is_etp: bool,
}

/// All stocks by index (locate number less one), and a table to draw one by activity.
#[derive(Debug, Clone)]
pub(super) struct Listings {
    pub(super) all: Vec<Listing>,
    /// Each stock stands here in proportion to its activity.
    wheel: Vec<u16>,
}

/// Slots of the wheel. The rarest stock has one, that is one message in 65,536.
const WHEEL: u32 = 1 << 16;
/// Activity of the stock of rank r is in proportion to 1 / (r + SOFT).
const SOFT: u64 = 20;

impl Listings {
    pub(super) fn new(count: u16, rng: &mut Rng) -> Self {
        let count = count.max(1);
        let names = names(usize::from(count), rng);
        let ranks = shuffled(count, rng);
        let all = names
            .into_iter()
            .zip(&ranks)
            .map(|(stock, &rank)| Listing::new(stock, rank, count, rng))
            .collect();
        Self {
            all,
            wheel: wheel(&ranks),
        }
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> u16 {
        // The wheel's length is not known to the compiler; one bound check is cheap here.
        self.wheel[rng.below(WHEEL) as usize]
    }

    pub(super) fn len(&self) -> u16 {
        u16::try_from(self.all.len()).expect("the day has at most 65,535 stocks")
    }
}

impl Listing {
    fn new(stock: Stock8, rank: u16, count: u16, rng: &mut Rng) -> Self {
        let is_penny_stock = rng.chance(4, 100);
        // Dollars double from 1 to 1,024, most of them in the middle.
        let dollars = 1 << (rng.below(6) + rng.below(5)).min(10);
        let (tick, reference, floor, cap) = if is_penny_stock {
            (1, 500 + rng.below(9_000), 1, 9_999)
        } else {
            let reference = 10_000 * dollars + 100 * rng.below(100 * dollars);
            let reference = reference.max(10_500);
            (100, reference, 10_000, reference.saturating_mul(8))
        };
        // Active stocks have spreads of one basis point, the rarest of 1.5 percent.
        let bp = 1 + u32::from(rank) * 150 / u32::from(count);
        let spread = (reference / tick * bp / 10_000).max(1);
        Self {
            stock,
            tick,
            reference,
            spread,
            floor,
            cap,
            round_lot: if rng.chance(2, 100) { 10 } else { 100 },
            category: rng.pick(b"QQQGGSSNNNNAPPPZ"),
            is_etp: rng.chance(30, 100),
        }
    }
}

/// `count` names in alphabetical order, as locate numbers are given out.
fn names(count: usize, rng: &mut Rng) -> Vec<Stock8> {
    let mut names = BTreeSet::new();
    while names.len() < count {
        let letters = 1 + rng.below(4).max(rng.below(4)) as usize + usize::from(rng.chance(1, 10));
        let mut bytes = [b' '; 8];
        for byte in &mut bytes[..letters] {
            *byte = rng.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        }
        if rng.chance(3, 100) {
            bytes[letters] = rng.pick(b"+-=#^");
        }
        names.insert(bytes);
    }
    names.into_iter().map(Stock8::from_bytes).collect()
}

fn shuffled(count: u16, rng: &mut Rng) -> Vec<u16> {
    let mut ranks: Vec<u16> = (0..count).collect();
    for i in (1..count).rev() {
        let j = rng.below(u32::from(i) + 1);
        ranks.swap(usize::from(i), j as usize);
    }
    ranks
}

fn wheel(ranks: &[u16]) -> Vec<u16> {
    let weight = |rank: u16| (1 << 40) / (u64::from(rank) + SOFT);
    let total: u64 = ranks.iter().map(|&rank| weight(rank)).sum();
    let mut wheel = Vec::with_capacity(WHEEL as usize);
    let mut sum = 0;
    for (index, &rank) in (0..).zip(ranks) {
        sum += weight(rank);
        // Round up, so that every stock gets a slot as long as there are slots.
        let until =
            usize::try_from((sum * u64::from(WHEEL)).div_ceil(total)).expect("the wheel is small");
        let until = until.max(wheel.len() + 1).min(WHEEL as usize);
        wheel.resize(until, index);
    }
    wheel.resize(WHEEL as usize, 0);
    wheel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted() {
        let listings = Listings::new(9_000, &mut Rng::new(1));
        assert_eq!(listings.len(), 9_000);
        assert!(listings.all.is_sorted_by(|a, b| a.stock < b.stock));
    }

    #[test]
    fn every_stock_is_drawn_and_few_take_most() {
        let listings = Listings::new(8_907, &mut Rng::new(1));
        let mut slots = vec![0_u32; 8_907];
        for &index in &listings.wheel {
            slots[usize::from(index)] += 1;
        }
        assert!(slots.iter().all(|&n| n > 0));
        slots.sort_unstable_by(|a, b| b.cmp(a));
        let busiest: u32 = slots[..891].iter().sum();
        assert!(
            busiest > WHEEL / 2,
            "the busiest tenth has {busiest} of {WHEEL}"
        );
    }

    #[test]
    fn every_stock_keeps_its_tick() {
        for listing in Listings::new(2_000, &mut Rng::new(7)).all {
            assert!(listing.floor < listing.reference && listing.reference < listing.cap);
            assert_eq!(listing.reference % listing.tick, 0);
            assert_eq!(listing.tick == 1, listing.cap < 10_000);
        }
    }
}
