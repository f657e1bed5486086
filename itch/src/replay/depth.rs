//! The best levels of books: which of them a message changes, and those that were pushed last.
//!
//! A message touches one price or two. What stood there is found by price in the levels last seen, and what stands there
//! now in the book; the levels behind move by one, and a level that comes into sight is read from the book. So of a
//! book's levels one or two are read, not all, and from here to the file a row is what differs from the one before:
//! some four levels of twenty. Books are applied one after the other and rows pushed in file order, so whoever pushes
//! has a second set of levels for each book ([`Pushed`]), which takes over what each row changes.

use nanobook::book::{OrderBook, Outcome};
use nanobook::rows::{Depth, DepthChange, Header, PriceLevel, SomeLevels};
use nanobook::{BookDelta, Fault, Price, Qty, Resting, Side, prefetch};

use super::Instrument;

/// Some ranks of a side that follow each other: the first, and one more than the last.
///
/// Two bytes, which a function returns in a register: two numbers of 8 bytes that are written one by one and read as one
/// of 16 cost the wait for both.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ranks {
    start: u8,
    end: u8,
}

impl Ranks {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a side has at most a hundred levels"
    )]
    #[inline]
    fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u8,
            end: end as u8,
        }
    }

    #[inline]
    fn range(self) -> std::ops::Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }

    /// The fewest that follow each other and hold these and others.
    #[inline]
    fn and(self, others: Self) -> Self {
        match (self.start < self.end, others.start < others.end) {
            (_, false) => self,
            (false, true) => others,
            (true, true) => Self {
                start: self.start.min(others.start),
                end: self.end.max(others.end),
            },
        }
    }
}

/// Brings the best `levels` up to date after a delta. What changed, of bids and of asks; `None` when all is as it was.
#[inline]
pub(super) fn refresh(
    instrument: &mut Instrument,
    levels: usize,
    delta: &BookDelta,
    outcome: &Outcome,
) -> Option<[Ranks; 2]> {
    let resting = outcome.resting;
    let (side, entered) = match (*delta, resting) {
        (BookDelta::Add { side, price, .. }, _)
        | (BookDelta::Replace { price, .. }, Some(Resting { side, .. })) => (side, Some(price)),
        (_, Some(Resting { side, .. })) => (side, None),
        (_, None) => return None,
    };
    // An add onto a live id removes another order, on whichever side, and a replace a third one.
    if matches!(
        outcome.fault,
        Some(Fault::DuplicateOrder | Fault::QtyOverflow)
    ) {
        return refresh_whole(instrument, levels);
    }
    let left = resting.map(|resting| resting.price);
    let Instrument { book, depth, .. } = instrument;
    // The side is known where its code stands, so that what is chosen by it is not chosen again and again.
    match side {
        Side::Buy => {
            let ranks = refresh_side(&mut depth[0], levels, book, Side::Buy, [left, entered])?;
            Some([ranks, Ranks::default()])
        }
        Side::Sell => {
            let ranks = refresh_side(&mut depth[1], levels, book, Side::Sell, [left, entered])?;
            Some([Ranks::default(), ranks])
        }
    }
}

/// Brings a side up to date of which no more than two prices changed.
#[expect(
    clippy::inline_always,
    reason = "once for each side, which is a constant in it"
)]
#[inline(always)]
fn refresh_side(
    seen: &mut Vec<PriceLevel>,
    levels: usize,
    book: &OrderBook,
    side: Side,
    prices: [Option<Price>; 2],
) -> Option<Ranks> {
    let known = seen.len();
    let mut changed = None;
    for price in prices.into_iter().flatten() {
        let ranks = look(seen, levels, book, side, price);
        changed = match (changed, ranks) {
            (Some(changed), Some(ranks)) => Some(Ranks::and(changed, ranks)),
            (changed, ranks) => changed.or(ranks),
        };
    }
    let left = seen.len();
    if left < levels {
        seen.extend(book.levels_from(side, left).take(levels - left));
    }
    // Behind a level that went all have moved up, and there may be others or fewer.
    if seen.len() != known || left < known {
        let ranks = Ranks::new(left, seen.len());
        changed = Some(changed.map_or(ranks, |changed| changed.and(ranks)));
    }
    changed.map(|ranks| Ranks::new(ranks.start.into(), usize::from(ranks.end).min(seen.len())))
}

/// Brings the level of a price that changed up to date, unless it is behind the last that was seen; the ranks that
/// changed, if any, without regard to how many there are.
#[expect(clippy::inline_always, reason = "as what calls it")]
#[inline(always)]
fn look(
    seen: &mut Vec<PriceLevel>,
    levels: usize,
    book: &OrderBook,
    side: Side,
    price: Price,
) -> Option<Ranks> {
    let better = |level: &PriceLevel| match side {
        Side::Buy => level.price > price,
        Side::Sell => level.price < price,
    };
    let rank = seen.iter().filter(|level| better(level)).count();
    let old = seen.get_mut(rank)?;
    let behind = match (old.price == price, book.level(side, price)) {
        (true, Some(now)) if *old == now => return None,
        (true, Some(now)) => {
            *old = now;
            rank + 1
        }
        (true, None) => {
            seen.remove(rank);
            levels
        }
        (false, Some(now)) => {
            seen.truncate(levels - 1);
            seen.insert(rank, now);
            levels
        }
        (false, None) => return None,
    };
    Some(Ranks::new(rank, behind))
}

/// Brings both sides up to date after a delta that can have changed any level.
#[cold]
fn refresh_whole(instrument: &mut Instrument, levels: usize) -> Option<[Ranks; 2]> {
    let Instrument { book, depth, .. } = instrument;
    let sides = [Side::Buy, Side::Sell].into_iter();
    let same = (sides.clone().zip(&*depth))
        .all(|(side, seen)| book.levels(side).take(levels).eq(seen.iter().copied()));
    if same {
        return None;
    }
    for (side, seen) in sides.zip(&mut *depth) {
        seen.clear();
        seen.extend(book.levels(side).take(levels));
    }
    Some([0, 1].map(|place| Ranks::new(0, depth[place].len())))
}

/// What a message changed of the best levels, without the levels themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct DepthStep {
    /// Where whoever keeps it has the levels that changed: the bids, and behind them the asks.
    start: u32,
    changed: [Ranks; 2],
    /// How many bids and asks there are now.
    pub(super) counts: [u8; 2],
}

impl DepthStep {
    /// A step of a book whose best levels are these now; those that changed, or all of them, are put behind `kept`.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a block has at most two hundred million levels"
    )]
    pub(super) fn new(
        [bids, asks]: &[Vec<PriceLevel>; 2],
        changed: Option<[Ranks; 2]>,
        kept: &mut Vec<PriceLevel>,
    ) -> Self {
        let start = kept.len() as u32;
        let whole = || [Ranks::new(0, bids.len()), Ranks::new(0, asks.len())];
        let changed = changed.unwrap_or_else(whole);
        kept.extend_from_slice(&bids[changed[0].range()]);
        kept.extend_from_slice(&asks[changed[1].range()]);
        Self {
            start,
            changed,
            counts: [bids, asks].map(|levels| count(levels)),
        }
    }

    /// The levels that changed, bids and asks.
    #[inline]
    pub(super) fn levels<'a>(&self, kept: &'a [PriceLevel]) -> [SomeLevels<'a>; 2] {
        let [bids, asks] = self.changed.map(Ranks::range);
        let levels = &kept[self.start as usize..][..bids.len() + asks.len()];
        let (of_bids, of_asks) = levels.split_at(bids.len());
        [(bids, of_bids), (asks, of_asks)].map(|(ranks, levels)| SomeLevels {
            first: ranks.start,
            levels,
        })
    }
}

/// A book as it was pushed last.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// `seq` of its last row; 0 when there is none, or something changed since that was not pushed.
    seq: u64,
    counts: [u8; 2],
}

/// What is in the place of a level that is not there.
const NO_LEVEL: PriceLevel = PriceLevel {
    price: Price(0),
    qty: Qty(0),
    count: 0,
};

/// The best levels of all books as far as rows have been pushed.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    /// By handle of the instrument.
    books: Vec<Last>,
    /// For each book room for all bids and all asks.
    levels: Vec<PriceLevel>,
    /// Levels of a side.
    room: usize,
}

impl Pushed {
    /// Of no book yet, with room for so many levels of a side.
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// Makes room for so many books.
    pub(super) fn grow(&mut self, books: usize) {
        self.books.resize(books, Last::default());
        self.levels.resize(books * 2 * self.room, NO_LEVEL);
    }

    /// Asks for what a step of a book will change, so that it is in the cache then.
    #[inline]
    pub(super) fn touch(&self, handle: usize, step: &DepthStep) {
        prefetch(&self.books[handle]);
        for (place, ranks) in step.changed.into_iter().enumerate() {
            touch(&self.levels[self.start(handle, place)..][ranks.range()]);
        }
    }

    /// Takes over a step of a book for which no row is pushed.
    pub(super) fn pass(&mut self, handle: usize, counts: [u8; 2], changed: [SomeLevels<'_>; 2]) {
        self.take_over(handle, counts, changed);
        self.books[handle].seq = 0;
    }

    /// Takes over a step of a book and makes the row that comes of it.
    #[expect(
        clippy::inline_always,
        reason = "its header was just written, and a copy of it waits for that"
    )]
    #[inline(always)]
    pub(super) fn row<'a>(
        &'a mut self,
        handle: usize,
        header: Header,
        counts: [u8; 2],
        changed: [SomeLevels<'a>; 2],
    ) -> Depth<'a> {
        self.take_over(handle, counts, changed);
        let since = std::mem::replace(&mut self.books[handle].seq, header.seq);
        let of_side =
            |place: usize| &self.levels[self.start(handle, place)..][..counts[place].into()];
        let [bids, asks] = changed;
        Depth {
            header,
            bids: of_side(0),
            asks: of_side(1),
            change: (since != 0).then_some(DepthChange { since, bids, asks }),
        }
    }

    #[inline]
    fn take_over(&mut self, handle: usize, counts: [u8; 2], changed: [SomeLevels<'_>; 2]) {
        for (place, SomeLevels { first, levels }) in changed.into_iter().enumerate() {
            // Nearly always one of them is empty, and a call that copies nothing is still one.
            if !levels.is_empty() {
                let start = self.start(handle, place) + first;
                self.levels[start..][..levels.len()].copy_from_slice(levels);
            }
        }
        self.books[handle].counts = counts;
    }

    /// Those bids and asks that are not as they were pushed last, and others between them.
    pub(super) fn differences<'a>(
        &self,
        handle: usize,
        levels: [&'a [PriceLevel]; 2],
    ) -> [SomeLevels<'a>; 2] {
        [0, 1].map(|place| {
            let known = usize::from(self.books[handle].counts[place]);
            let known = &self.levels[self.start(handle, place)..][..known];
            let levels = levels[place];
            let differs = |rank: &usize| known.get(*rank) != levels.get(*rank);
            let first = (0..levels.len()).find(differs).unwrap_or(levels.len());
            let end = (0..levels.len())
                .rfind(differs)
                .map_or(first, |last| last + 1);
            SomeLevels {
                first,
                levels: &levels[first..end],
            }
        })
    }

    /// Where a side of a book starts in all levels.
    #[inline]
    fn start(&self, handle: usize, place: usize) -> usize {
        (2 * handle + place) * self.room
    }
}

/// How many levels a side has.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a side has at most a hundred levels"
)]
#[inline]
pub(super) fn count(levels: &[PriceLevel]) -> u8 {
    levels.len() as u8
}

/// Asks for every cache line of some levels.
#[inline]
pub(super) fn touch(levels: &[PriceLevel]) {
    levels.iter().step_by(2).for_each(prefetch);
}
