//! One block: threaded by instrument, applied instrument by instrument, pushed in file order.

use nanobook::rows::{
    Action, Bbo, Depth, Header, MarketHeader, Mbo, PriceLevel, Trade, TradeBreak, TradeKind,
};
use nanobook::{OrderId, Price, Qty, Resting, Side, Sink, Timestamp, TradeId};

use super::translate::{self, STOCK_AT, Translator};
use super::{Instrument, Quote, Replay, intervals, quote};
use crate::message::Message;
use crate::{LENGTH, Result};

/// Most messages of a block. Measured over 4 Ki to 1 Mi: fewer leave too few messages per book,
/// more push the block itself out of the second-level cache.
const BLOCK: usize = 1 << 15;

/// Nothing to push for a message.
const SILENT: u32 = 0;
/// The message is pushed by itself, without anything from a book.
const DIRECT: u32 = u32::MAX;

/// The messages of one instrument in a block.
#[derive(Clone, Copy, Debug)]
struct Chain {
    head: u32,
    tail: u32,
}

/// No message of the block.
const UNTOUCHED: Chain = Chain { head: u32::MAX, tail: u32::MAX };

/// What a book message did that is to be pushed.
#[derive(Clone, Copy, Debug)]
struct Change {
    resting: Option<Resting>,
    /// Index of the quote after it, if it changed.
    quote: Option<u32>,
    /// Index of the depth after it, if it changed.
    depth: Option<u32>,
}

/// Where the levels of a depth row are.
#[derive(Clone, Copy, Debug)]
struct DepthSpan {
    start: u32,
    bids: u32,
    asks: u32,
}

/// Working memory of a block, reused for the next.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Where each message starts, from `base`.
    starts: Vec<u32>,
    base: usize,
    /// The instrument's next message in the block.
    next: Vec<u32>,
    /// [`SILENT`], [`DIRECT`], or one more than the index of the message's change.
    marks: Vec<u32>,
    /// By instrument.
    chains: Vec<Chain>,
    /// Instruments with a chain.
    touched: Vec<u32>,
    changes: Vec<Change>,
    quotes: Vec<Quote>,
    depths: Vec<DepthSpan>,
    levels: Vec<PriceLevel>,
    latest_ns: u64,
}

impl Block {
    fn reset(&mut self, base: usize) {
        self.base = base;
        self.starts.clear();
        self.next.clear();
        self.marks.clear();
        self.changes.clear();
        self.quotes.clear();
        self.depths.clear();
        self.levels.clear();
    }

    /// Notes a message; `mark` says whether it is pushed by itself.
    #[inline]
    fn note(&mut self, start: usize, mark: u32) {
        self.starts.push(u32::try_from(start - self.base).expect("a block is below 4 GiB"));
        self.next.push(0);
        self.marks.push(mark);
    }

    /// Threads the message noted last into an instrument's chain.
    #[inline]
    fn thread(&mut self, handle: u32) {
        let ordinal = (self.starts.len() - 1) as u32;
        let chain = &mut self.chains[handle as usize];
        if chain.head == u32::MAX {
            *chain = Chain { head: ordinal, tail: ordinal };
            self.touched.push(handle);
        } else {
            self.next[chain.tail as usize] = ordinal;
            chain.tail = ordinal;
        }
    }
}

impl Replay {
    /// Notes and threads messages until the block is full, the data ends, or an instrument gets
    /// another name; says whether there may be more.
    pub(super) fn gather(&mut self, frames: &mut crate::Frames<'_>) -> Result<bool> {
        self.block.reset(frames.offset());
        while self.block.starts.len() < BLOCK {
            let Some(frame) = frames.next() else {
                return Ok(false);
            };
            let (start, message) = frame?;
            let tag = message.first().copied().unwrap_or(0);
            let length = usize::from(LENGTH[usize::from(tag)]);
            if length != message.len() || length == 0 {
                self.report.messages.add(tag);
                self.skip(tag, length);
                self.block.note(start, SILENT);
                continue;
            }
            let locate = usize::from(u16::from_be_bytes([message[1], message[2]]));
            let mut slot = self.slots[locate];
            let stock_at = usize::from(STOCK_AT[usize::from(tag)]);
            if stock_at != 0 && (!slot.named || tag == b'R') {
                let symbol = translate::symbol(&message[stock_at..stock_at + 8]);
                if slot.handle != NO_HANDLE && self.symbols[locate] != symbol {
                    // A name holds for the whole block, so the block ends before it changes.
                    if !self.block.starts.is_empty() {
                        frames.rewind(start);
                        return Ok(true);
                    }
                }
                slot = self.name(locate, symbol);
            } else if slot.handle == NO_HANDLE && stock_at == 0 && is_about_an_order(tag) {
                slot = self.name(locate, None);
            }
            self.report.messages.add(tag);
            self.note_time(message);
            let is_order = is_about_an_order(tag);
            let mark = if is_order || (stock_at != 0 || tag == b'B') && !slot.shown {
                SILENT
            } else {
                DIRECT
            };
            self.block.note(start, mark);
            if slot.kept && (is_order || self.bars.is_some() && matches!(tag, b'P' | b'Q')) {
                self.block.thread(slot.handle);
            }
        }
        Ok(true)
    }

    /// Counts a message that can't be decoded.
    #[cold]
    fn skip(&mut self, tag: u8, length: usize) {
        if length == 0 {
            self.report.unknown_type.add(tag);
        } else {
            self.report.wrong_length.add(tag);
        }
    }

    /// Keeps the time of a message.
    #[inline]
    fn note_time(&mut self, message: &[u8]) {
        let Some(header) = crate::Header::peek(message) else { return };
        let ns = header.ns();
        match self.report.last_ns {
            Some(last) if ns < last => self.report.faults.time_reversal += 1,
            Some(_) => self.report.last_ns = Some(ns),
            None => (self.report.first_ns, self.report.last_ns) = (Some(ns), Some(ns)),
        }
    }

    /// Gives a stock locate its name, and a book if it has none yet.
    #[cold]
    fn name(&mut self, locate: usize, symbol: Option<Symbol>) -> Slot {
        let slot = &mut self.slots[locate];
        if slot.handle == NO_HANDLE {
            slot.handle = self.instruments.len() as u32;
            self.instruments.push(Instrument::default());
            self.block.chains.push(UNTOUCHED);
        }
        let chosen = |symbol| self.config.symbols.as_ref().is_none_or(|only| only.contains(&symbol));
        slot.named = symbol.is_some();
        slot.shown = symbol.map_or(self.config.symbols.is_none(), chosen);
        // An instrument without a name may yet turn out to be wanted.
        slot.kept = slot.shown || symbol.is_none();
        self.symbols[locate] = symbol;
        self.instruments[slot.handle as usize].shown = slot.shown;
        self.instruments[slot.handle as usize].kept = slot.kept;
        *slot
    }

    /// Applies the chain of every instrument of the block to its book.
    pub(super) fn apply(&mut self, data: &[u8]) {
        let Self { block, instruments, report, bars, samples, config, .. } = self;
        let mut step = Step { data, block, report, bars, samples, wanted: &config.wanted };
        for index in 0..step.block.touched.len() {
            let handle = step.block.touched[index];
            let chain = std::mem::replace(&mut step.block.chains[handle as usize], UNTOUCHED);
            let instrument = &mut instruments[handle as usize];
            let mut ordinal = chain.head;
            loop {
                step.take(instrument, handle, ordinal);
                if ordinal == chain.tail {
                    break;
                }
                ordinal = step.block.next[ordinal as usize];
            }
        }
        self.block.touched.clear();
    }
}

/// Whether a message of this type changes the book.
#[inline]
fn is_about_an_order(tag: u8) -> bool {
    matches!(tag, b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U')
}

/// Applies one message to one book.
struct Step<'a> {
    data: &'a [u8],
    block: &'a mut Block,
    report: &'a mut Report,
    bars: &'a mut Option<Bars>,
    samples: &'a mut Option<DepthSamples>,
    wanted: &'a Wanted,
}

impl Step<'_> {
    #[inline]
    fn take(&mut self, instrument: &mut Instrument, handle: u32, ordinal: u32) {
        let Some(message) = self.block.message(self.data, ordinal as usize) else { return };
        let ns = message.header().ns();
        if let Some(bars) = self.bars {
            bars.advance(instrument, ns);
        }
        if let Some(samples) = self.samples {
            samples.advance(instrument, ns);
        }
        let Some(delta) = translate::delta(&message) else {
            if is_about_an_order(message.tag()) {
                self.report.faults.bad_side += 1;
                if self.wanted.mbo && instrument.shown {
                    self.block.mark(ordinal, Change { resting: None, quote: None, depth: None });
                }
            } else if let (Some(bars), Some((price, qty))) = (self.bars.as_mut(), print(&message)) {
                bars.trade(instrument, handle, ns, price, qty);
            }
            return;
        };
        let outcome = instrument.book.apply(delta);
        if let Some(fault) = outcome.fault {
            self.report.faults.add(fault);
        }
        let now = quote(&instrument.book);
        let crossed = is_crossed(&now);
        self.report.crossings += u64::from(crossed && !instrument.crossed);
        instrument.crossed = crossed;
        if !instrument.shown {
            return;
        }
        let quoted = now != instrument.quote;
        instrument.quote = now;
        let mut change = Change { resting: outcome.resting, quote: None, depth: None };
        if quoted && self.wanted.bbo {
            change.quote = Some(self.block.quotes.len() as u32);
            self.block.quotes.push(now);
        }
        if self.wanted.depth > 0 && depth::changed(instrument, self.wanted.depth, &delta, &outcome) {
            match self.samples {
                Some(samples) => samples.changed(instrument, handle, ns),
                None => change.depth = Some(self.block.keep_depth(&instrument.depth)),
            }
        }
        let executed = matches!(delta, BookDelta::Execute { .. });
        if let Some(bars) = self.bars.as_mut() {
            if let (true, Some((price, qty))) = (executed, execution(&message, outcome.resting)) {
                bars.trade(instrument, handle, ns, price, qty);
            }
            if quoted {
                bars.quote(instrument, handle, ns);
            }
        }
        let told = self.wanted.mbo || executed && self.wanted.trades;
        if told || change.quote.is_some() || change.depth.is_some() {
            self.block.mark(ordinal, change);
        }
    }
}

/// Whether the best bid is at or above the best ask.
#[inline]
fn is_crossed(quote: &Quote) -> bool {
    matches!(quote, [Some(bid), Some(ask)] if bid.price >= ask.price)
}
