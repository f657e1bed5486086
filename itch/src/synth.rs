//! Seeded synthetic trading days (feature `synth`).
//!
//! A day is a stream of spec-exact messages with the shape of a real one: the same mix of types, a
//! few stocks that are very active and thousands that are not, prices near the touch, orders that
//! mostly live for moments and sometimes for hours, auctions, halts, imbalances, and some broken
//! trades. Books are never crossed and every message refers to what exists. The same [`Config`]
//! gives the same bytes everywhere; memory follows the number of live orders, not the length of the
//! day.
//!
//! | share | of |
//! |---|---|
//! | 43.9 % | `A` |
//! | 40.1 % | `D` |
//! | 8.2 % | `U` |
//! | 3.2 % | `E` |
//! | 1.5 % | `X` |
//! | 0.9 % each | `F`, `I` |
//! | 0.5 % | `P` |
//! | the rest | `C` and the administrative messages |

mod book;
pub mod chaos;
mod flow;
mod listing;
mod plan;
mod rng;
mod tape;

use std::io::{self, Read, Write};

use self::flow::Flow;
use self::plan::{Due, IMBALANCES, SLICES};
use self::rng::Rng;
use self::tape::Tape;
use crate::{Framing, LENGTH, MAX_LENGTH};

/// What day to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Same seed, same day.
    pub seed: u64,
    /// Messages of the day; fewer than [`Config::MIN_MESSAGES`] are raised to it.
    pub messages: u64,
    /// Stocks listed; at most one for 100 messages, and at least one.
    pub symbols: u16,
    /// How messages are framed.
    pub framing: Framing,
}

impl Config {
    /// The shortest day: one stock, its directory, both auctions and a few orders.
    pub const MIN_MESSAGES: u64 = 32;
}

impl Default for Config {
    /// Seed 1, a million messages, 8,907 stocks (as many as a real day had), length framing.
    fn default() -> Self {
        Self {
            seed: 1,
            messages: 1_000_000,
            symbols: 8_907,
            framing: Framing::Length,
        }
    }
}

/// A synthetic day in the making.
///
/// Read it like a file ([`Read`]), write it out ([`Day::write_to`]), or take its messages one by
/// one ([`Day::frames`]).
///
/// # Examples
/// ```
/// use nanobook_itch::synth::{Config, Day};
///
/// let config = Config { messages: 1_000, ..Config::default() };
/// let mut bytes = Vec::new();
/// Day::new(config).write_to(&mut bytes)?;
/// // The first message is the start of messages: 12 bytes, type S, event O.
/// assert_eq!(bytes[..3], *b"\x00\x0cS");
/// assert_eq!(bytes[13], b'O');
/// assert_eq!(Day::new(config).frames().count(), 1_000);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Day {
    flow: Flow,
    /// What is sure to happen, last first.
    acts: Vec<Due>,
    /// Index of the current slice, and how many book messages it still has.
    slice: usize,
    left: u64,
    /// Bytes of the tape already handed out by `Read`.
    taken: usize,
}

/// The tape is handed over in pieces of about this size.
const PIECE: usize = 1 << 18;

impl Day {
    /// Prepares a day; nothing of its length is generated yet.
    pub fn new(config: Config) -> Self {
        let messages = config.messages.max(Config::MIN_MESSAGES);
        let most = u16::try_from(messages / 100).unwrap_or(u16::MAX - 1);
        let symbols = config.symbols.min(most).clamp(1, u16::MAX - 1);
        let mut rng = Rng::new(config.seed);
        let mut acts = plan::acts(messages, symbols, &mut rng);
        acts.reverse();
        let mut tape = Tape::new(config.framing, messages);
        tape.reserved = acts.len() as u64;
        let mut day = Self {
            flow: Flow::new(symbols, rng, tape),
            acts,
            slice: 0,
            left: 0,
            taken: 0,
        };
        day.enter(0);
        day
    }

    /// Writes the whole day and returns how many bytes it has.
    ///
    /// # Errors
    /// What `out` says when it cannot be written to.
    pub fn write_to(mut self, out: &mut impl Write) -> io::Result<u64> {
        let mut written = 0;
        while self.refill() {
            out.write_all(&self.flow.tape.bytes)?;
            written += self.flow.tape.bytes.len() as u64;
            self.taken = self.flow.tape.bytes.len();
        }
        out.flush()?;
        Ok(written)
    }

    /// The messages one by one, each with its framing.
    pub fn frames(self) -> DayFrames {
        DayFrames { day: self }
    }

    /// Orders resting now.
    pub fn live_orders(&self) -> usize {
        self.flow
            .books
            .iter()
            .map(|book| book.live() as usize)
            .sum()
    }

    /// Makes the next piece when the last one is used up; false at the end of the day.
    fn refill(&mut self) -> bool {
        if self.taken < self.flow.tape.bytes.len() {
            return true;
        }
        self.flow.tape.bytes.clear();
        self.taken = 0;
        while self.flow.tape.bytes.len() < PIECE && self.step() {}
        !self.flow.tape.bytes.is_empty()
    }

    /// Writes the next message (or sweep of messages); false at the end of the day.
    fn step(&mut self) -> bool {
        let now = self.flow.tape.now;
        if let Some(time) = self.next_book_time()
            && self.acts.last().is_none_or(|due| due.time > time)
        {
            self.book_message(time);
            return true;
        }
        let Some(due) = self.acts.pop() else {
            return false;
        };
        self.flow.tape.now = due.time.max(now);
        self.flow.tape.reserved -= 1;
        self.flow.act(due);
        true
    }

    /// When the next book message is due at the latest; `None` when there are no more.
    fn next_book_time(&mut self) -> Option<u64> {
        // Auctions may have written more than was reserved for them.
        self.left = self.left.min(self.flow.tape.room());
        while self.left == 0 {
            if self.slice + 1 >= SLICES.len() {
                return None;
            }
            self.enter(self.slice + 1);
        }
        Some(self.flow.tape.now.max(SLICES[self.slice].start))
    }

    /// Starts a slice with its share of the messages that are left.
    fn enter(&mut self, slice: usize) {
        self.slice = slice;
        let weight: u64 = SLICES[slice..].iter().map(|slice| slice.weight).sum();
        // A day has far fewer than 2^54 messages.
        self.left = self.flow.tape.room() * SLICES[slice].weight / weight;
    }

    fn book_message(&mut self, earliest: u64) {
        let slice = SLICES[self.slice];
        let is_burst = self.flow.turn();
        let mean = (slice.end - earliest) / self.left;
        let gap = if is_burst {
            // An answer to the message before: from hundreds of ns to a fraction of a ms.
            u64::from(self.flow.rng.tail(18)).min(mean)
        } else {
            // 57 in 100 messages share the time, so each takes up to 2 / 0.57 of the mean.
            self.flow.rng.below_wide(mean.saturating_mul(7) / 2)
        };
        self.flow.tape.now = (earliest + gap).min(slice.end - 1).max(earliest);
        let before = self.flow.tape.written;
        match slice.auction {
            Some(kind) if self.flow.rng.chance(IMBALANCES, 1_000) => self.flow.imbalance(kind),
            _ => self.flow.step(slice.phase),
        }
        self.left = self.left.saturating_sub(self.flow.tape.written - before);
    }
}

impl Read for Day {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.refill() {
            return Ok(0);
        }
        let rest = &self.flow.tape.bytes[self.taken..];
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.taken += n;
        Ok(n)
    }
}

/// The messages of a [`Day`], each with its framing.
#[derive(Debug, Clone)]
pub struct DayFrames {
    day: Day,
}

/// The bytes of one message with its framing.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    bytes: [u8; MAX_LENGTH + 2],
    len: u8,
}

impl Frame {
    /// The bytes, framing included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Iterator for DayFrames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if !self.day.refill() {
            return None;
        }
        let tape = &self.day.flow.tape;
        let rest = &tape.bytes[self.day.taken..];
        let prefix = tape.framing.prefix_len();
        let len = LENGTH[usize::from(rest[prefix])] + if prefix == 0 { 0 } else { 2 };
        let mut bytes = [0; MAX_LENGTH + 2];
        bytes[..usize::from(len)].copy_from_slice(&rest[..usize::from(len)]);
        self.day.taken += usize::from(len);
        Some(Frame { bytes, len })
    }
}
