//! One block: gathered in file order, applied one book after the other, kept for pushing in file
//! order again.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a block has at most 2^20 messages in 4 GiB, and a session at most 2^16 instruments"
)]

use std::hint::black_box;

use nanobook::book::Outcome;
use nanobook::rows::PriceLevel;
use nanobook::{BookDelta, Price, Qty, Resting, Symbol};

use super::intervals::{Bars, DepthSamples};
use super::op::Op;
use super::translate::{self, STOCK_AT};
use super::{Config, Instrument, NO_HANDLE, Quote, Replay, Report, Slot, depth, quote};
use crate::message::Message;
use crate::{Frames, LENGTH, OrderMessage};

/// Most messages of a block, however long the data is: its working memory stays below 200 MB.
const BLOCK: usize = 1 << 20;

/// Most bytes of a block before its last message, so that starts fit 32 bits.
const SPAN: usize = 1 << 31;

/// Fewest operations of a book in a block for which its memory is read through beforehand.
const WARM: usize = 8;

/// Nothing to push for a message.
const SILENT: u32 = 0;
/// The message is pushed by itself, without anything from a book.
const DIRECT: u32 = u32::MAX;

/// How many messages are fetched at a time.
pub(super) const AHEAD: usize = 64;

/// What a book message did that is to be pushed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    /// The order that the message names, as it was before.
    pub(super) resting: Option<Resting>,
    /// Index of the quote after it, if it changed.
    pub(super) quote: Option<u32>,
    /// Index of the depth after it, if it changed.
    pub(super) depth: Option<u32>,
}

/// Where the levels of a depth row are.
#[derive(Clone, Copy, Debug)]
struct DepthSpan {
    start: usize,
    bids: usize,
    asks: usize,
}

/// A message of a block.
#[derive(Clone, Copy, Debug)]
struct Note {
    /// Where it starts, from the base of the block.
    start: u32,
    /// [`SILENT`], [`DIRECT`], or one more than the index of its change.
    mark: u32,
}

/// Working memory of a block, reused for the next.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The messages in file order.
    notes: Vec<Note>,
    base: usize,
    /// Places of the messages that are pushed by themselves.
    direct: Vec<u32>,
    /// What books take, in file order.
    ops: Vec<Op>,
    /// The same by instrument, and in file order within one.
    sorted: Vec<Op>,
    /// By instrument: number of its operations, then the end of its run in `sorted`.
    runs: Vec<u32>,
    changes: Vec<Change>,
    quotes: Vec<Quote>,
    depths: Vec<DepthSpan>,
    levels: Vec<PriceLevel>,
    /// Messages whose time is before that of an earlier one, and that time.
    late: Vec<(u32, u64)>,
}

impl Block {
    fn reset(&mut self, base: usize) {
        self.base = base;
        self.notes.clear();
        self.direct.clear();
        self.ops.clear();
        self.changes.clear();
        self.quotes.clear();
        self.depths.clear();
        self.levels.clear();
        self.late.clear();
    }

    /// Number of messages.
    pub(super) fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether no book has changed anything that is pushed.
    #[inline]
    pub(super) fn is_direct(&self) -> bool {
        self.changes.is_empty()
    }

    /// Places of the messages that are pushed by themselves.
    #[inline]
    pub(super) fn direct(&self) -> &[u32] {
        &self.direct
    }

    /// Fetches those of the [`AHEAD`] messages from `first` on for which there is something to push.
    ///
    /// Changes lie in the order in which books were applied, so in file order nearly each is a miss of the cache. Taken
    /// many at a time the misses overlap; one by one, between the rows that they cause, they do not.
    #[inline]
    pub(super) fn fetch<'a>(
        &self,
        first: usize,
        into: &'a mut [(u32, Change); AHEAD],
    ) -> &'a [(u32, Change)] {
        let mut found = 0;
        for (ordinal, note) in (first as u32..).zip(self.notes[first..].iter().take(AHEAD)) {
            // Without a branch: whether a message is silent can't be foreseen.
            into[found].0 = ordinal;
            found += usize::from(note.mark != SILENT);
        }
        let into = &mut into[..found];
        for (ordinal, change) in &mut *into {
            let mark = self.notes[*ordinal as usize].mark;
            // That of a direct message is the index of no change.
            let index = mark as usize - 1;
            *change = self.changes.get(index).copied().unwrap_or_default();
        }
        for (_, change) in &*into {
            if let Some(quote) = change.quote {
                black_box(self.quote(quote)[0].is_some());
            }
            if let Some(depth) = change.depth {
                let (bids, asks) = self.depth(depth);
                for levels in [bids, asks] {
                    black_box(
                        levels
                            .iter()
                            .step_by(2)
                            .map(|level| level.count)
                            .sum::<u32>(),
                    );
                }
            }
        }
        into
    }

    #[inline]
    pub(super) fn quote(&self, index: u32) -> &Quote {
        &self.quotes[index as usize]
    }

    /// Bids and asks of a depth row.
    #[inline]
    pub(super) fn depth(&self, index: u32) -> (&[PriceLevel], &[PriceLevel]) {
        let span = self.depths[index as usize];
        self.levels[span.start..][..span.bids + span.asks].split_at(span.bids)
    }

    /// A message of known type and right length, as `gather` found it.
    #[inline]
    pub(super) fn message<'a>(&self, data: &'a [u8], ordinal: usize) -> Option<Message<'a>> {
        let bytes = data.get(self.base + self.notes[ordinal].start as usize..)?;
        Message::parse(bytes.get(..usize::from(LENGTH[usize::from(bytes[0])]))?).ok()
    }

    #[inline]
    fn keep(&mut self, ordinal: u32, change: Change) {
        self.changes.push(change);
        self.notes[ordinal as usize].mark = self.changes.len() as u32;
    }

    #[inline]
    fn keep_quote(&mut self, quote: Quote) -> u32 {
        self.quotes.push(quote);
        (self.quotes.len() - 1) as u32
    }

    fn keep_depth(&mut self, [bids, asks]: &[Vec<PriceLevel>; 2]) -> u32 {
        let start = self.levels.len();
        self.levels.extend_from_slice(bids);
        self.levels.extend_from_slice(asks);
        self.depths.push(DepthSpan {
            start,
            bids: bids.len(),
            asks: asks.len(),
        });
        (self.depths.len() - 1) as u32
    }

    /// Adds an instrument.
    pub(super) fn add_instrument(&mut self) {
        self.runs.push(0);
    }

    /// Notes a message and whether it is pushed by itself.
    #[inline]
    fn note(&mut self, start: usize, mark: u32) {
        let start = (start - self.base) as u32;
        self.notes.push(Note { start, mark });
    }

    /// Place of the message that was noted last.
    #[inline]
    fn last(&self) -> u32 {
        self.notes.len() as u32 - 1
    }

    /// Notes that the message that was noted last is of an earlier time than one before it.
    #[cold]
    fn note_late(&mut self, clock_ns: u64) {
        self.late.push((self.last(), clock_ns));
    }

    /// The latest time up to a message: its own, unless it is late.
    #[inline]
    fn clock(&self, ordinal: u32, ns: u64) -> u64 {
        if self.late.is_empty() {
            return ns;
        }
        match self.late.binary_search_by_key(&ordinal, |(late, _)| *late) {
            Ok(at) => self.late[at].1,
            Err(_) => ns,
        }
    }

    /// Notes that an instrument's book takes the message that was noted last.
    #[inline]
    fn hand_over(&mut self, handle: u32, op: impl FnOnce(u32, u16) -> Op) {
        self.ops.push(op(self.last(), handle as u16));
        self.runs[handle as usize] += 1;
    }

    /// Sorts the operations by instrument; counting keeps those of one in file order.
    fn sort(&mut self) {
        let mut end = 0;
        for run in &mut self.runs {
            (*run, end) = (end, end + *run);
        }
        self.sorted.resize(self.ops.len(), Op::default());
        for op in &self.ops {
            let place = &mut self.runs[usize::from(op.handle)];
            self.sorted[*place as usize] = *op;
            *place += 1;
        }
    }
}

impl Replay {
    /// Notes messages until the block is full, the data ends, or an instrument gets another name;
    /// says whether there may be more.
    pub(super) fn gather(&mut self, frames: &mut Frames<'_>) -> bool {
        self.block.reset(frames.offset());
        while self.block.len() < BLOCK && frames.offset() - self.block.base < SPAN {
            let before = frames.clone();
            if let Some((start, order)) = frames.next_order() {
                let slot = self.slots[usize::from(order.stock_locate)];
                if slot.named {
                    self.gather_order(start, &order, slot);
                    continue;
                }
                *frames = before.clone();
            }
            let Some((start, message)) = frames.next() else {
                return false;
            };
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
            let is_order = is_about_an_order(tag);
            let stock_at = usize::from(STOCK_AT[usize::from(tag)]);
            if stock_at != 0 && (!slot.named || tag == b'R') {
                let symbol = translate::symbol(&message[stock_at..stock_at + 8]);
                // A name holds for the whole block, so the block ends before it changes.
                let renamed = slot.handle != NO_HANDLE && self.symbols[locate] != symbol;
                if renamed && !self.block.notes.is_empty() {
                    *frames = before;
                    return true;
                }
                slot = self.name(locate, symbol);
            } else if slot.handle == NO_HANDLE && (is_order || tag == b'B') {
                slot = self.name(locate, None);
            }
            self.report.messages.add(tag);
            let late = self.note_time(crate::Header::peek(message).map_or(0, crate::Header::ns));
            let hidden = (stock_at != 0 || tag == b'B') && !slot.shown;
            if is_order || hidden {
                self.block.note(start, SILENT);
            } else {
                self.block.note(start, DIRECT);
                self.block.direct.push(self.block.last());
            }
            if let Some(clock_ns) = late {
                self.block.note_late(clock_ns);
            }
            if slot.kept && (is_order || self.bars.is_some() && matches!(tag, b'P' | b'Q')) {
                let op = |ordinal, handle| Op::read(message, ordinal, handle);
                self.block.hand_over(slot.handle, op);
            }
        }
        true
    }

    /// Notes an order message of an instrument that has its name: nearly every message, so without a branch on its type.
    #[inline]
    fn gather_order(&mut self, start: usize, order: &OrderMessage<'_>, slot: Slot) {
        self.report.messages.add(order.message_type);
        let late = self.note_time(order.ns);
        self.block.note(start, SILENT);
        if let Some(clock_ns) = late {
            self.block.note_late(clock_ns);
        }
        if slot.kept {
            let op = |ordinal, handle| Op::of(order, ordinal, handle);
            self.block.hand_over(slot.handle, op);
        }
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

    /// Keeps the time of a message; returns the latest time when that is later.
    #[inline]
    fn note_time(&mut self, ns: u64) -> Option<u64> {
        match self.report.last_ns {
            Some(last) if ns < last => {
                self.report.faults.time_reversal += 1;
                return Some(last);
            }
            Some(_) => self.report.last_ns = Some(ns),
            None => (self.report.first_ns, self.report.last_ns) = (Some(ns), Some(ns)),
        }
        None
    }

    /// Gives a stock locate its name, and a book if it has none yet.
    #[cold]
    fn name(&mut self, locate: usize, symbol: Option<Symbol>) -> Slot {
        let slot = &mut self.slots[locate];
        if slot.handle == NO_HANDLE {
            slot.handle = self.instruments.len() as u32;
            self.instruments.push(Instrument::default());
            self.block.add_instrument();
        }
        let only = self.config.symbols.as_ref();
        slot.named = symbol.is_some();
        slot.shown = only.is_none_or(|only| symbol.is_some_and(|symbol| only.contains(&symbol)));
        // An instrument without a name may yet turn out to be wanted.
        slot.kept = slot.shown || symbol.is_none();
        self.symbols[locate] = symbol;
        let instrument = &mut self.instruments[slot.handle as usize];
        instrument.shown = slot.shown;
        instrument.locate = locate as u16;
        *slot
    }

    /// Applies the messages of the block, one book after the other.
    pub(super) fn apply(&mut self, data: &[u8]) {
        let Self {
            block,
            instruments,
            report,
            bars,
            samples,
            config,
            seq,
            ..
        } = self;
        let first_seq = *seq + 1;
        block.sort();
        let sorted = std::mem::take(&mut block.sorted);
        let mut runs = std::mem::take(&mut block.runs);
        let silent = bars.is_none() && samples.is_none() && !config.wanted.any();
        let mut step = Step {
            data,
            silent,
            first_seq,
            block,
            report,
            bars,
            samples,
            config,
        };
        let mut start = 0;
        for (handle, run) in (0..).zip(&mut runs) {
            let end = std::mem::take(run) as usize;
            let instrument = &mut instruments[handle as usize];
            if end - start >= WARM {
                instrument.book.warm();
            }
            for op in &sorted[start..end] {
                step.take(instrument, handle, op);
            }
            start = end;
        }
        step.block.sorted = sorted;
        step.block.runs = runs;
    }
}

/// Whether a message of this type changes the book.
#[inline]
fn is_about_an_order(tag: u8) -> bool {
    matches!(tag, b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U')
}

/// Applies one operation to one book.
struct Step<'a> {
    data: &'a [u8],
    /// Nothing is wanted of the books but their state.
    silent: bool,
    /// `seq` of the block's first message.
    first_seq: u64,
    block: &'a mut Block,
    report: &'a mut Report,
    bars: &'a mut Option<Bars>,
    samples: &'a mut Option<DepthSamples>,
    config: &'a Config,
}

impl Step<'_> {
    #[inline]
    fn take(&mut self, instrument: &mut Instrument, handle: u32, op: &Op) {
        let timed = self.bars.is_some() || self.samples.is_some();
        let when = if timed {
            self.close_before(instrument, op)
        } else {
            (0, 0)
        };
        let Some(delta) = op.delta() else {
            self.take_other(instrument, handle, when, op);
            return;
        };
        let outcome = instrument.book.apply(delta);
        if let Some(fault) = outcome.fault {
            self.report.faults.add(fault);
        }
        // A book becomes crossed by an add or a replace only, and no longer is so after any delta.
        let rests = matches!(delta, BookDelta::Add { .. } | BookDelta::Replace { .. });
        if rests || instrument.crossed {
            let crossed = instrument.book.is_crossed();
            self.report.crossings += u64::from(crossed && !instrument.crossed);
            instrument.crossed = crossed;
        }
        if !self.silent {
            self.tell(instrument, handle, when, op, &delta, &outcome);
        }
    }

    /// Keeps what an operation changed, as far as it is wanted.
    #[inline]
    fn tell(
        &mut self,
        instrument: &mut Instrument,
        handle: u32,
        when: (u64, u64),
        op: &Op,
        delta: &BookDelta,
        outcome: &Outcome,
    ) {
        let wanted = &self.config.wanted;
        let mut change = Change {
            resting: outcome.resting,
            quote: None,
            depth: None,
        };
        let mut quoted = false;
        if wanted.bbo || self.bars.is_some() {
            let now = quote(&instrument.book);
            quoted = differ(&now, &instrument.quote);
            instrument.quote = now;
            if quoted && wanted.bbo {
                change.quote = Some(self.block.keep_quote(now));
            }
        }
        if wanted.depth > 0 && depth::refresh(instrument, wanted.depth, delta, outcome) {
            match self.samples {
                Some(samples) => samples.changed(instrument, handle, when),
                None => change.depth = Some(self.block.keep_depth(&instrument.depth)),
            }
        }
        if self.bars.is_some() {
            let print = op.execution(outcome.resting);
            self.feed_bar(instrument, handle, when, print, quoted);
        }
        let executed = matches!(delta, BookDelta::Execute { .. });
        let told = wanted.mbo || wanted.trades && executed;
        if instrument.shown && (told || change.quote.is_some() || change.depth.is_some()) {
            self.block.keep(op.ordinal, change);
        }
    }

    /// A print away from the book, or an add without a side.
    #[cold]
    fn take_other(&mut self, instrument: &mut Instrument, handle: u32, when: (u64, u64), op: &Op) {
        if is_about_an_order(op.tag) {
            self.report.faults.bad_side += 1;
            if self.config.wanted.mbo && instrument.shown {
                self.block.keep(op.ordinal, Change::default());
            }
        } else {
            self.feed_bar(instrument, handle, when, op.print(), false);
        }
    }

    /// Ends the intervals of an instrument that lie before an operation, and gives the time of day
    /// and `seq` of that.
    fn close_before(&mut self, instrument: &mut Instrument, op: &Op) -> (u64, u64) {
        let message = self.block.message(self.data, op.ordinal as usize);
        let ns = message.map_or(0, |message| message.header().ns());
        let ns = self.block.clock(op.ordinal, ns);
        if let Some(bars) = self.bars {
            bars.close_before(instrument, ns);
        }
        if let Some(samples) = self.samples {
            samples.close_before(instrument, ns);
        }
        (ns, self.first_seq + u64::from(op.ordinal))
    }

    fn feed_bar(
        &mut self,
        instrument: &mut Instrument,
        handle: u32,
        when: (u64, u64),
        print: Option<(Price, Qty)>,
        quoted: bool,
    ) {
        if let Some(bars) = self.bars
            && (quoted || print.is_some())
        {
            bars.add(instrument, handle, when, print);
        }
    }
}

/// Whether a best price or its quantity differs; the number of orders does not count.
#[inline]
fn differ(a: &Quote, b: &Quote) -> bool {
    let key = |level: &Option<PriceLevel>| level.map(|level| (level.price, level.qty));
    key(&a[0]) != key(&b[0]) || key(&a[1]) != key(&b[1])
}
