//! What happens to the books: which kind of message comes next, and at which price orders rest.

mod admin;
mod auction;
mod orders;

use super::book::{BID, Book, Side};
use super::listing::{Listing, Listings};
use super::rng::Rng;
use super::tape::Tape;
use crate::{Alpha4, Int2, Time48};

/// Kinds of book message, in the order of [`MIX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Add,
    Delete,
    Replace,
    Execute,
    Cancel,
    AddAttributed,
    Trade,
    ExecuteWithPrice,
}

const KINDS: [Kind; 8] = [
    Kind::Add,
    Kind::Delete,
    Kind::Replace,
    Kind::Execute,
    Kind::Cancel,
    Kind::AddAttributed,
    Kind::Trade,
    Kind::ExecuteWithPrice,
];

/// Part of the day, for the mix of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the open: books fill.
    Early,
    /// Market hours.
    Regular,
    /// After the close: books empty.
    Late,
}

/// Messages of each kind in 10,000, by phase. Over a day (10 % early, 87 % regular, 3 % late, less
/// the administrative messages) they come to 43.9 % `A`, 40.1 % `D`, 8.2 % `U`, 3.2 % `E`, 1.5 % `X`.
const MIX: [[usize; 8]; 3] = [
    [5_200, 3_400, 900, 100, 250, 120, 20, 10],
    [4_432, 4_089, 831, 357, 142, 89, 54, 6],
    [2_900, 6_000, 700, 150, 120, 70, 50, 10],
];

/// Share of messages about the same stock as the one before.
const SAME: (u32, u32) = (43, 100);
/// How many turns are drawn at once.
const AHEAD: usize = 64;

/// Share of adds within ten ticks of the touch.
const NEAR: (u32, u32) = (74, 100);

/// The books and the state from which messages about them are made.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) listings: Listings,
    pub(super) books: Vec<Book>,
    pub(super) tape: Tape,
    pub(super) rng: Rng,
    /// Market participants.
    pub(super) mpids: Vec<Alpha4>,
    /// Index of the stock that messages are about now.
    stock: u16,
    /// The stocks of the messages to come, last first.
    turns: Vec<u16>,
    /// Kinds by phase, each as often as the mix says.
    wheel: [Vec<Kind>; 3],
    /// Messages of each kind still owed (impossible when drawn), or sent ahead if negative.
    owed: [i64; 8],
    /// Order references count up in four interleaved streams, each in steps of four.
    references: [u64; 4],
    match_number: u64,
    /// The latest matches, for broken trades.
    matches: [(u16, u64); 64],
}

impl Flow {
    pub(super) fn new(symbols: u16, mut rng: Rng, tape: Tape) -> Self {
        let listings = Listings::new(symbols, &mut rng);
        let books = listings
            .all
            .iter()
            .map(|listing| Book::new(listing.reference));
        let mpids = (0..200).map(|_| {
            Alpha4::from_bytes(std::array::from_fn(|_| rng.pick(b"BCDFGHJKLMNPQRSTVWXYZ")))
        });
        Self {
            books: books.collect(),
            mpids: mpids.collect(),
            stock: 0,
            turns: Vec::with_capacity(AHEAD),
            wheel: MIX.map(|mix| {
                let kinds = KINDS.into_iter().zip(mix);
                kinds
                    .flat_map(|(kind, n)| std::iter::repeat_n(kind, n))
                    .collect()
            }),
            owed: [0; 8],
            // Streams start apart by a few thousand, as if the night had brought orders.
            references: [0, 1, 2, 3].map(|stream| stream + 4 * u64::from(rng.below(3_000))),
            match_number: 10_000 + u64::from(rng.below(10_000)),
            matches: [(0, 0); 64],
            listings,
            tape,
            rng,
        }
    }

    /// Turns to a stock: what is written from now on is about it.
    #[inline]
    pub(super) fn turn_to(&mut self, stock: u16) {
        self.stock = stock;
    }

    /// Turns to the stock of the next book message; true if it is that of the last one.
    #[inline]
    pub(super) fn turn(&mut self) -> bool {
        if self.turns.is_empty() {
            self.draw_turns();
        }
        let stock = self.turns.pop().unwrap_or(self.stock);
        let stays = stock == self.stock;
        self.stock = stock;
        stays
    }

    /// Draws the stocks of the next few messages, and looks into their books all at once, so that
    /// the memory they lie in is fetched side by side rather than one after the other.
    fn draw_turns(&mut self) {
        let mut stock = self.stock;
        let mut seen = 0;
        for _ in 0..AHEAD {
            if !self.rng.chance(SAME.0, SAME.1) {
                stock = self.listings.draw(&mut self.rng);
                seen ^= self.books[usize::from(stock)].glance();
            }
            self.turns.push(stock);
        }
        std::hint::black_box(seen);
        self.turns.reverse();
    }

    #[inline]
    pub(super) fn book(&self) -> &Book {
        &self.books[usize::from(self.stock)]
    }

    #[inline]
    pub(super) fn book_mut(&mut self) -> &mut Book {
        &mut self.books[usize::from(self.stock)]
    }

    #[inline]
    pub(super) fn listing(&self) -> &Listing {
        &self.listings.all[usize::from(self.stock)]
    }

    /// Locate number, tracking number and time of a message about the current stock.
    #[inline]
    pub(super) fn head(&self) -> (Int2, Int2, Time48) {
        (
            Int2::new(self.stock + 1),
            Int2::new(2 * (self.stock % 4)),
            Time48::new(self.tape.now),
        )
    }

    /// Writes what happens next to the current stock: one message, or a sweep of a few.
    pub(super) fn step(&mut self, phase: Phase) {
        let kind = self.choose(phase);
        let is_done = match kind {
            Kind::Add => self.add(false),
            Kind::AddAttributed => self.add(true),
            Kind::Delete => self.delete(),
            Kind::Replace => self.replace(),
            Kind::Execute => self.execute(),
            Kind::Cancel => self.cancel(),
            Kind::Trade => self.trade(),
            Kind::ExecuteWithPrice => self.execute_with_price(),
        };
        if is_done.is_none() {
            self.owed[kind as usize] += 1;
            self.add(false);
        }
    }

    /// Draws a kind; pays a debt of another kind in place of an add when this book allows it.
    fn choose(&mut self, phase: Phase) -> Kind {
        let wheel = &self.wheel[phase as usize];
        let mut kind = self.rng.pick(wheel);
        while self.owed[kind as usize] < 0 {
            self.owed[kind as usize] += 1;
            kind = self.rng.pick(wheel);
        }
        if kind == Kind::Add && self.book().live() > 2 {
            let owed = KINDS[1..]
                .iter()
                .find(|&&kind| self.owed[kind as usize] > 0);
            if let Some(&owed) = owed {
                self.owed[owed as usize] -= 1;
                kind = owed;
            }
        }
        kind
    }

    fn next_reference(&mut self) -> u64 {
        let stream = &mut self.references[usize::from(self.stock) % 4];
        // Orders that are never displayed use up numbers too.
        *stream += if self.rng.chance(15, 16) { 4 } else { 8 };
        *stream
    }

    fn next_match(&mut self) -> u64 {
        self.match_number += 1 + u64::from(self.rng.below(3));
        let place = usize::try_from(self.match_number % 64).unwrap_or_default();
        self.matches[place] = (self.stock, self.match_number);
        self.match_number
    }

    /// A recent match to break: index of the stock, match number.
    pub(super) fn recent_match(&mut self) -> Option<(u16, u64)> {
        let recent = self.rng.pick(&self.matches);
        Some(recent).filter(|&(_, number)| number != 0)
    }

    /// A price for an order that rests: near the touch in most cases, and never crossing it.
    fn resting_price(&mut self, side: Side) -> Option<u32> {
        let rng = &mut self.rng;
        let book = &self.books[usize::from(self.stock)];
        let listing = &self.listings.all[usize::from(self.stock)];
        let tick = listing.tick;
        // All in ticks, counted so that larger is better for this side.
        let sign = if side == BID { 1 } else { -1 };
        let up = |price: u32| sign * i64::from(price / tick);
        let own = book.best(side).map(up);
        let limit = book.best(1 - side).map(|price| up(price) - 1);
        let usual = i64::from(listing.spread);
        let touch = match (own, limit) {
            (Some(own), _) => own,
            (None, Some(limit)) => limit + 1 - usual,
            (None, None) => up(book.anchor) - i64::from(rng.below(listing.spread + 1)),
        };
        let room = limit.map_or(0, |limit| limit - touch);
        let is_wide = room >= usual;
        let better = if room > 0 && rng.chance(if is_wide { 30 } else { 4 }, 100) {
            let most = if is_wide { room } else { room.min(2) };
            1 + i64::from(rng.below(u32::try_from(most).unwrap_or(1)))
        } else {
            0
        };
        let worse = if better > 0 {
            0
        } else if rng.chance(NEAR.0, NEAR.1) {
            i64::from(rng.below(10).min(rng.below(10)))
        } else {
            10 + i64::from(rng.tail(9))
        };
        let best = limit.map_or(touch + better, |limit| limit.min(touch + better));
        let ticks = sign * (best - worse);
        let price = u32::try_from(ticks).unwrap_or(0).saturating_mul(tick);
        let price = price.clamp(listing.floor, listing.cap);
        // The clamp moves a price across only when a side has run into its bound.
        let is_free = limit.is_none_or(|limit| up(price) <= limit);
        is_free.then_some(price)
    }
}
