//! What a replay saw: counts, faults and the state at the end.

use std::fmt;

use nanobook::Fault;

use crate::{LENGTH, TAGS};

/// Messages counted by their type byte.
#[derive(Clone, PartialEq, Eq)]
pub struct TypeCounts([u64; 256]);

impl fmt::Debug for TypeCounts {
    /// The types that occurred.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(tag, count)| (char::from(tag), count)))
            .finish()
    }
}

impl Default for TypeCounts {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl TypeCounts {
    /// Counts one message.
    #[inline]
    pub fn add(&mut self, tag: u8) {
        self.0[usize::from(tag)] += 1;
    }

    /// Counts others too.
    fn add_all(&mut self, others: &Self) {
        for (count, other) in self.0.iter_mut().zip(&others.0) {
            *count += other;
        }
    }

    /// Messages of a type.
    pub fn get(&self, tag: u8) -> u64 {
        self.0[usize::from(tag)]
    }

    /// All messages.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Types that occurred, in the order of the specification and then the unknown ones.
    pub fn iter(&self) -> impl Iterator<Item = (u8, u64)> {
        let unknown = (0..=u8::MAX).filter(|tag| !TAGS.contains(tag));
        let all = TAGS.into_iter().chain(unknown);
        all.map(|tag| (tag, self.get(tag)))
            .filter(|(_, count)| *count > 0)
    }
}

/// Order messages that made no sense, counted by what was wrong; [`Fault`] says what the book does then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// They name an order that is not in the book of their stock locate.
    pub unknown_order: u64,
    /// They add an order that rests already.
    pub duplicate_order: u64,
    /// They take more than what rests.
    pub oversized: u64,
    /// Their quantity is zero.
    pub zero_qty: u64,
    /// Their price is zero.
    pub zero_price: u64,
    /// They would carry a level's total past 2^64.
    pub qty_overflow: u64,
    /// They add an order whose side is neither `B` nor `S`; nothing is added.
    pub bad_side: u64,
    /// A code or level of a message about the session can't be shown; the column is null. (A symbol, MPID or cross type
    /// that can't be shown is null too, and not counted: its message says the rest.)
    pub bad_text: u64,
    /// Their time is before that of an earlier message.
    pub time_reversal: u64,
}

impl Faults {
    /// Counts a fault of the book.
    #[inline]
    pub(super) fn add(&mut self, fault: Fault) {
        match fault {
            Fault::UnknownOrder => self.unknown_order += 1,
            Fault::DuplicateOrder => self.duplicate_order += 1,
            Fault::Oversized => self.oversized += 1,
            Fault::ZeroQty => self.zero_qty += 1,
            Fault::ZeroPrice => self.zero_price += 1,
            Fault::QtyOverflow => self.qty_overflow += 1,
        }
    }

    /// Counts others too.
    pub(super) fn add_all(&mut self, others: &Self) {
        self.unknown_order += others.unknown_order;
        self.duplicate_order += others.duplicate_order;
        self.oversized += others.oversized;
        self.zero_qty += others.zero_qty;
        self.zero_price += others.zero_price;
        self.qty_overflow += others.qty_overflow;
        self.bad_side += others.bad_side;
        self.bad_text += others.bad_text;
        self.time_reversal += others.time_reversal;
    }

    /// Each fault by its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("unknown_order", self.unknown_order),
            ("duplicate_order", self.duplicate_order),
            ("oversized", self.oversized),
            ("zero_qty", self.zero_qty),
            ("zero_price", self.zero_price),
            ("qty_overflow", self.qty_overflow),
            ("bad_side", self.bad_side),
            ("bad_text", self.bad_text),
            ("time_reversal", self.time_reversal),
        ]
        .into_iter()
    }
}

/// What a replay saw, up to now or to the end.
///
/// Counts by type are of the whole file; faults and books are of the instruments that the replay keeps (all of them
/// unless symbols were chosen).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages by type, skipped ones included.
    pub messages: TypeCounts,
    /// Of those, skipped because the type is known and the length is not that of the type.
    pub wrong_length: TypeCounts,
    /// Of those, skipped because the type is unknown.
    pub unknown_type: TypeCounts,
    /// Order messages that made no sense.
    pub faults: Faults,
    /// Time of the first message, in ns since midnight; `None` when there is none.
    pub first_ns: Option<u64>,
    /// Latest time of a message, in ns since midnight; `None` when there is none.
    pub last_ns: Option<u64>,
    /// The last system event.
    pub last_system_event: Option<u8>,
    /// Instruments with a book or a directory entry.
    pub instruments: u64,
    /// Times that a book became crossed or locked.
    pub crossings: u64,
    /// Books that are crossed or locked now.
    pub crossed_books: u64,
    /// Orders that rest now.
    pub live_orders: u64,
}

impl Report {
    /// Counts a message that can't be decoded.
    #[cold]
    pub(super) fn skip(&mut self, tag: u8) {
        if LENGTH[usize::from(tag)] == 0 {
            self.unknown_type.add(tag);
        } else {
            self.wrong_length.add(tag);
        }
    }

    /// Keeps the time of a message; returns the latest time when that is later.
    #[inline]
    pub(super) fn note_time(&mut self, ns: u64) -> Option<u64> {
        match self.last_ns {
            Some(last) if ns < last => {
                self.faults.time_reversal += 1;
                return Some(last);
            }
            Some(_) => self.last_ns = Some(ns),
            None => (self.first_ns, self.last_ns) = (Some(ns), Some(ns)),
        }
        None
    }

    /// Adds what was seen of the messages that follow.
    pub(super) fn add_later(&mut self, later: &Self) {
        self.messages.add_all(&later.messages);
        self.wrong_length.add_all(&later.wrong_length);
        self.unknown_type.add_all(&later.unknown_type);
        self.faults.add_all(&later.faults);
        self.first_ns = self.first_ns.or(later.first_ns);
        self.last_ns = later.last_ns;
    }

    /// Whether anything was odd: a skipped message or a fault of the order flow.
    pub fn has_faults(&self) -> bool {
        self.skipped() > 0 || self.faults.iter().any(|(_, count)| count > 0)
    }

    /// Messages that were skipped.
    pub fn skipped(&self) -> u64 {
        self.wrong_length.total() + self.unknown_type.total()
    }
}

/// A time of day as `hh:mm:ss.nnnnnnnnn`.
#[derive(Clone, Copy, Debug)]
pub struct TimeOfDay(pub u64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, ns) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{ns:09}", seconds % 60)
    }
}
