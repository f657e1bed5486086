//! The messages of a block, applied one book after the other by one thread or more.
//!
//! Books do not know of each other, so any thread may take any run. Threads fetch pieces of some runs until none is
//! left: one that gets no core costs the others nothing. What a thread keeps is in a [`Shard`] of its own, where marks
//! of the block find it; the order in which books were applied is not seen in what is pushed.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a block has at most 2^20 messages, and a session at most 2^16 instruments"
)]

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use nanobook::book::Outcome;
use nanobook::rows::{PriceLevel, SomeLevels};
use nanobook::{BookDelta, Price, Qty, Resting, Side};

use super::block::{Block, QUOTE, Task, is_about_an_order};
use super::depth::{self, DepthStep, Ranks};
use super::intervals::{Bars, DepthSamples};
use super::marks::Mark;
use super::report::Faults;
use super::{Config, Instrument, Quote, Replay, translate};
use crate::message::Message;

/// Fewest operations of a book in a block for which its memory is asked for beforehand.
const WARM: usize = 4;

/// How many messages are asked for at a time, before a book takes them.
const TOUCH: usize = 256;

/// Fewest operations of a block for which a thread is worth its start.
pub(super) const SHARED: usize = 1 << 14;

/// Pieces of a block for each thread: the last one that is done keeps the others waiting for no more than its piece.
const PIECES: usize = 32;

/// Most shards, so that no [`At`] is that of a message that is pushed by itself.
const MAX_SHARDS: usize = 64;

/// Where something is that a shard keeps, in 4 bytes, of which the upper one is the shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(NonZeroU32);

impl At {
    const INDEX_BITS: u32 = 24;

    #[inline]
    fn new(shard: usize, index: usize) -> Self {
        let at = (shard as u32) << Self::INDEX_BITS | index as u32;
        // One more than the index, which has room for it, so it is never zero.
        Self(NonZeroU32::MIN.saturating_add(at))
    }

    /// Undoes the conversion.
    #[inline]
    pub(super) fn of(mark: u32) -> Option<Self> {
        NonZeroU32::new(mark).map(Self)
    }

    #[inline]
    pub(super) fn shard(self) -> usize {
        ((self.0.get() - 1) >> Self::INDEX_BITS) as usize
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        ((self.0.get() - 1) & ((1 << Self::INDEX_BITS) - 1)) as usize
    }
}

impl From<At> for u32 {
    fn from(at: At) -> Self {
        at.0.get()
    }
}

/// What a book message did that is to be pushed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    /// The order that the message names, as it was before.
    pub(super) resting: Option<Resting>,
    /// The quote after it, if it changed.
    pub(super) quote: Option<At>,
    /// What it changed of the depth, if anything.
    pub(super) depth: Option<At>,
}

const _: () = assert!(size_of::<Change>() == 32);

/// A quote in a cache line of its own.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct QuoteLine(Quote);

const _: () = assert!(size_of::<QuoteLine>() == 64);

/// What one thread keeps of the books that it applied; memory that is used again for the next block.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// Its place among the shards.
    number: usize,
    marks: Vec<Mark>,
    changes: Vec<Change>,
    quotes: Vec<QuoteLine>,
    steps: Vec<DepthStep>,
    /// What the steps changed.
    levels: Vec<PriceLevel>,
    faults: Faults,
    crossings: u64,
    bars: Option<Bars>,
    samples: Option<DepthSamples>,
}

impl Shard {
    /// As many shards as threads.
    pub(super) fn all(threads: usize, config: &Config) -> Vec<Self> {
        let wanted = &config.wanted;
        let shard = |number| Self {
            number,
            bars: wanted.bars(),
            samples: wanted.samples(),
            ..Self::default()
        };
        (0..threads.clamp(1, MAX_SHARDS)).map(shard).collect()
    }

    fn clear(&mut self) {
        self.marks.clear();
        self.changes.clear();
        self.quotes.clear();
        self.steps.clear();
        self.levels.clear();
    }

    /// Whether nothing was changed that is pushed.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// The messages for which there is something to push, in the order of books.
    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    #[inline]
    pub(super) fn change(&self, at: At) -> &Change {
        &self.changes[at.index()]
    }

    #[inline]
    pub(super) fn quote(&self, at: At) -> &Quote {
        &self.quotes[at.index()].0
    }

    /// A step, and the bids and asks that it changed.
    #[inline]
    pub(super) fn step(&self, at: At) -> (&DepthStep, [SomeLevels<'_>; 2]) {
        let step = &self.steps[at.index()];
        (step, step.levels(&self.levels))
    }

    /// Keeps what a message changed.
    #[inline]
    fn keep(&mut self, ordinal: u32, change: Change) {
        self.changes.push(change);
        let what = At::new(self.number, self.changes.len() - 1).into();
        self.marks.push(Mark { ordinal, what });
    }

    /// Keeps that a message changed the quote and nothing else that is pushed.
    #[inline]
    fn keep_only_quote(&mut self, ordinal: u32, quote: At) {
        let what = u32::from(quote) | QUOTE;
        self.marks.push(Mark { ordinal, what });
    }

    /// Keeps a quote of which one side is another one now. What it was is read before that is written down: just written
    /// in parts, it could not be read whole without a wait.
    #[inline]
    fn keep_quote(&mut self, before: &Quote, side: Side, now: Option<PriceLevel>) -> At {
        self.quotes.push(QuoteLine(*before));
        if let Some(QuoteLine(quote)) = self.quotes.last_mut() {
            quote[place_of(side)] = now;
        }
        At::new(self.number, self.quotes.len() - 1)
    }

    #[inline]
    fn keep_step(&mut self, instrument: &mut Instrument, changed: [Ranks; 2]) -> At {
        let is_ahead = std::mem::take(&mut instrument.is_ahead);
        let changed = (!is_ahead).then_some(changed);
        let step = DepthStep::new(&instrument.depth, changed, &mut self.levels);
        self.steps.push(step);
        At::new(self.number, self.steps.len() - 1)
    }
}

/// Books that lie one after the other, with the tasks of each.
struct Piece<'a> {
    /// Handle of the first instrument.
    first: u32,
    instruments: &'a mut [Instrument],
    /// Where the run of each ends in the tasks of the block.
    ends: &'a [u32],
    /// Where the run of the first starts.
    start: usize,
}

/// The books of a block that nobody has taken yet.
struct Rest<'a> {
    all: Piece<'a>,
    /// Tasks of a piece, about.
    tasks: usize,
}

impl<'a> Iterator for Rest<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let Piece {
            first,
            instruments,
            ends,
            start,
        } = &mut self.all;
        let full = (*start + self.tasks) as u32;
        let len = (ends.partition_point(|end| *end < full) + 1).min(ends.len());
        let end = *ends[..len].last()?;
        let (mine, others) = std::mem::take(instruments).split_at_mut(len);
        let piece = Piece {
            first: *first,
            instruments: mine,
            ends: &ends[..len],
            start: *start,
        };
        *self = Self {
            all: Piece {
                first: *first + len as u32,
                instruments: others,
                ends: &ends[len..],
                start: end as usize,
            },
            tasks: self.tasks,
        };
        Some(piece)
    }
}

impl Replay {
    /// Applies the messages of the block, one book after the other.
    pub(super) fn apply(&mut self, data: &[u8]) {
        let mut shards = std::mem::take(&mut self.block.shards);
        shards.iter_mut().for_each(Shard::clear);
        let (tasks, ends) = self.block.runs();
        let wanted = &self.config.wanted;
        let ground = Ground {
            data,
            block: &self.block,
            tasks,
            first_seq: self.seq + 1,
            config: &self.config,
            timed: wanted.bars_ns.is_some() || wanted.samples().is_some(),
        };
        let kind = if wanted.bars_ns.is_some() || wanted.depth > 0 {
            ALL
        } else if wanted.any() {
            ROWS
        } else {
            NOTHING
        };
        let threads = if tasks.len() < SHARED {
            1
        } else {
            shards.len()
        };
        let rest = Mutex::new(Rest {
            all: Piece {
                first: 0,
                instruments: &mut self.instruments,
                ends,
                start: 0,
            },
            tasks: match threads {
                // All of them also when a block has none: one by one they would take longer than a small block.
                1 => tasks.len().max(1),
                threads => tasks.len() / (threads * PIECES) + 1,
            },
        });
        let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = |shard: &mut Shard| {
            while let Some(mut piece) = next() {
                let mut step = Step { ground, shard };
                match kind {
                    NOTHING => step.run::<NOTHING>(&mut piece),
                    ROWS => step.run::<ROWS>(&mut piece),
                    _ => step.run::<ALL>(&mut piece),
                }
            }
        };
        match &mut shards[..threads] {
            [alone] => work(alone),
            [] => unreachable!("there is a shard for this thread"),
            [first, others @ ..] => std::thread::scope(|scope| {
                for shard in others {
                    // Without the thread, this one does its work.
                    let _ = helper().spawn_scoped(scope, || work(shard));
                }
                work(first);
            }),
        }
        for shard in &mut shards {
            self.report
                .faults
                .add_all(&std::mem::take(&mut shard.faults));
            self.report.crossings += std::mem::take(&mut shard.crossings);
            if let (Some(bars), Some(others)) = (&mut self.bars, &mut shard.bars) {
                bars.absorb(others);
            }
            if let (Some(samples), Some(others)) = (&mut self.samples, &mut shard.samples) {
                samples.absorb(others);
            }
        }
        self.block.shards = shards;
    }
}

/// A thread that helps the one that replays.
pub(super) fn helper() -> std::thread::Builder {
    std::thread::Builder::new().name("nanobook-books".to_owned())
}

/// What the threads look at and do not change.
#[derive(Clone, Copy)]
struct Ground<'a> {
    data: &'a [u8],
    block: &'a Block,
    tasks: &'a [Task],
    /// `seq` of the block's first message.
    first_seq: u64,
    config: &'a Config,
    /// There are intervals to end.
    timed: bool,
}

/// Nothing is wanted of the books but their state.
const NOTHING: u8 = 0;
/// Rows of orders, trades and quotes are wanted.
const ROWS: u8 = 1;
/// Depth or intervals, too.
const ALL: u8 = 2;

/// What a book did with a message.
#[derive(Clone, Copy)]
struct Done {
    handle: u32,
    when: (u64, u64),
    task: Task,
    delta: BookDelta,
    outcome: Outcome,
}

/// A thread at work.
struct Step<'a> {
    ground: Ground<'a>,
    shard: &'a mut Shard,
}

impl Step<'_> {
    /// Applies a piece. What an instrument takes is asked for while the one before is at work.
    fn run<const KIND: u8>(&mut self, piece: &mut Piece<'_>) {
        let Ground {
            data, block, tasks, ..
        } = self.ground;
        let (mut start, ends) = (piece.start, piece.ends);
        if let (Some(first), Some(end)) = (piece.instruments.first(), ends.first()) {
            self.ask(first, &tasks[start..*end as usize]);
        }
        for (at, handle) in (0..ends.len()).zip(piece.first..) {
            let end = ends[at] as usize;
            if let Some(next) = piece.instruments.get(at + 1) {
                self.ask(next, &tasks[end..ends[at + 1] as usize]);
            }
            let mut run = tasks[start..end].chunks(TOUCH).peekable();
            while let Some(some) = run.next() {
                if let Some(next) = run.peek() {
                    block.touch(data, next);
                }
                for task in some {
                    self.take::<KIND>(&mut piece.instruments[at], handle, *task);
                }
            }
            start = end;
        }
    }

    /// Asks for the memory of an instrument and for the first of its messages.
    fn ask(&self, instrument: &Instrument, run: &[Task]) {
        if run.len() >= WARM {
            instrument.book.warm();
            for levels in &instrument.depth {
                depth::touch(levels);
            }
        }
        let Ground { data, block, .. } = self.ground;
        block.touch(data, &run[..run.len().min(TOUCH)]);
    }

    #[inline]
    fn take<const KIND: u8>(&mut self, instrument: &mut Instrument, handle: u32, task: Task) {
        let Ground { data, block, .. } = self.ground;
        let when = if KIND == ALL && self.ground.timed {
            self.close_before(instrument, task)
        } else {
            (0, 0)
        };
        // The match on the type must follow the one in `message_of`, so that it is one.
        let Some(delta) =
            (block.message_of(data, task)).and_then(|message| translate::delta(&message))
        else {
            self.take_other(instrument, handle, when, task);
            return;
        };
        let outcome = instrument.book.apply(delta);
        if let Some(fault) = outcome.fault {
            self.shard.faults.add(fault);
        }
        // A book becomes crossed by an add or a replace only, and no longer is so after any delta.
        let rests = matches!(delta, BookDelta::Add { .. } | BookDelta::Replace { .. });
        if rests || instrument.crossed {
            let crossed = instrument.book.is_crossed();
            self.shard.crossings += u64::from(crossed && !instrument.crossed);
            instrument.crossed = crossed;
        }
        if KIND != NOTHING {
            let done = Done {
                handle,
                when,
                task,
                delta,
                outcome,
            };
            self.tell::<KIND>(instrument, &done);
        }
    }

    /// Keeps what a message changed, as far as it is wanted.
    #[expect(
        clippy::inline_always,
        reason = "only then is the match on the delta one with that of whoever made it"
    )]
    #[inline(always)]
    fn tell<const KIND: u8>(&mut self, instrument: &mut Instrument, done: &Done) {
        let wanted = &self.ground.config.wanted;
        let (mut quoted, mut quote, mut depth) = (false, None, None);
        if wanted.bbo || KIND == ALL && self.shard.bars.is_some() {
            (quoted, quote) = self.requote(instrument, done);
        }
        if KIND == ALL {
            depth = self.tell_all(instrument, done, quoted);
        }
        let executed = matches!(done.delta, BookDelta::Execute { .. });
        let told = wanted.mbo || wanted.trades && executed || depth.is_some();
        // In one branch, as nothing of it can be foreseen.
        if instrument.shown & (told | quote.is_some()) {
            let ordinal = done.task.ordinal();
            match quote {
                Some(quote) if !told => self.shard.keep_only_quote(ordinal, quote),
                _ => {
                    let change = Change {
                        resting: done.outcome.resting,
                        quote,
                        depth,
                    };
                    self.shard.keep(ordinal, change);
                }
            }
        }
    }

    /// What a message changed of the depth, if it is pushed, and of its bar.
    fn tell_all(&mut self, instrument: &mut Instrument, done: &Done, quoted: bool) -> Option<At> {
        let levels = self.ground.config.wanted.depth;
        let (handle, when) = (done.handle, done.when);
        let mut depth = None;
        if levels > 0
            && let Some(ranks) = depth::refresh(instrument, levels, &done.delta, &done.outcome)
        {
            match &mut self.shard.samples {
                Some(samples) => samples.changed(instrument, handle, when),
                None if instrument.shown => depth = Some(self.shard.keep_step(instrument, ranks)),
                None => instrument.is_ahead = true,
            }
        }
        if self.shard.bars.is_some() {
            let Ground { data, block, .. } = self.ground;
            let print = (block.message_of(data, done.task))
                .and_then(|message| execution(&message, done.outcome.resting));
            self.feed_bar(instrument, handle, when, print, quoted);
        }
        depth
    }

    /// Whether a message changed a best price or its quantity, and the quote then, if quotes are wanted.
    #[expect(
        clippy::inline_always,
        reason = "only then is the match on the delta one with that of whoever made it"
    )]
    #[inline(always)]
    fn requote(&mut self, instrument: &mut Instrument, done: &Done) -> (bool, Option<At>) {
        // What made no sense may have done anything: an order of the other side may be gone.
        if done.outcome.fault.is_some() {
            return self.requote_both(instrument);
        }
        let (side, price) = match (done.delta, done.outcome.resting) {
            (BookDelta::Add { side, price, .. }, _) => (side, price),
            (BookDelta::Replace { price, .. }, Some(resting)) => {
                (resting.side, better(resting.side, price, resting.price))
            }
            (_, Some(resting)) => (resting.side, resting.price),
            (_, None) => return (false, None),
        };
        // Most orders come and go behind the best price, and then no level is looked at.
        match instrument.book.best_price(side) {
            Some(best) if better(side, price, best) != price => (false, None),
            _ => self.requote_side(instrument, side),
        }
    }

    #[inline(never)]
    fn requote_side(&mut self, instrument: &mut Instrument, side: Side) -> (bool, Option<At>) {
        let now = instrument.book.best(side);
        let quoted = differ(now, instrument.quote[place_of(side)]);
        let is_kept = quoted & self.ground.config.wanted.bbo;
        let kept = is_kept.then(|| self.shard.keep_quote(&instrument.quote, side, now));
        instrument.quote[place_of(side)] = now;
        (quoted, kept)
    }

    #[cold]
    fn requote_both(&mut self, instrument: &mut Instrument) -> (bool, Option<At>) {
        let sides = [Side::Buy, Side::Sell];
        let [bid, ask] = sides.map(|side| self.requote_side(instrument, side));
        (bid.0 || ask.0, ask.1.or(bid.1))
    }

    /// A print away from the book, or an add without a side.
    #[cold]
    fn take_other(
        &mut self,
        instrument: &mut Instrument,
        handle: u32,
        when: (u64, u64),
        task: Task,
    ) {
        let Ground { data, block, .. } = self.ground;
        let Some(message) = block.message_of(data, task) else {
            return;
        };
        if is_about_an_order(message.tag()) {
            self.shard.faults.bad_side += 1;
            if self.ground.config.wanted.mbo && instrument.shown {
                self.shard.keep(task.ordinal(), Change::default());
            }
        } else {
            let print = translate::print(&message).filter(|(_, qty)| !qty.is_zero());
            self.feed_bar(instrument, handle, when, print, false);
        }
    }

    /// Ends the intervals of an instrument that lie before a message, and gives the time of day
    /// and `seq` of that.
    fn close_before(&mut self, instrument: &mut Instrument, task: Task) -> (u64, u64) {
        let Ground { data, block, .. } = self.ground;
        let message = block.message_of(data, task);
        let ns = message.map_or(0, |message| message.header().ns());
        let ns = block.clock(task.ordinal(), ns);
        if let Some(bars) = &mut self.shard.bars {
            bars.close_before(instrument, ns);
        }
        if let Some(samples) = &mut self.shard.samples {
            samples.close_before(instrument, ns);
        }
        (ns, self.ground.first_seq + u64::from(task.ordinal()))
    }

    fn feed_bar(
        &mut self,
        instrument: &mut Instrument,
        handle: u32,
        when: (u64, u64),
        print: Option<(Price, Qty)>,
        quoted: bool,
    ) {
        if let Some(bars) = &mut self.shard.bars
            && (quoted || print.is_some())
        {
            bars.add(instrument, handle, when, print);
        }
    }
}

/// Price and quantity of an execution that counts in volume; `None` when it does not, its price is unknown or its
/// quantity zero.
#[inline]
fn execution(message: &Message<'_>, resting: Option<Resting>) -> Option<(Price, Qty)> {
    let (price, shares) = match message {
        Message::OrderExecuted(m) => (resting.map(|resting| resting.price), m.executed_shares),
        Message::OrderExecutedWithPrice(m) if m.printable == b'Y' => {
            (translate::nonzero(m.execution_price), m.executed_shares)
        }
        _ => return None,
    };
    let qty = Qty(shares.get().into());
    price
        .map(|price| (price, qty))
        .filter(|(_, qty)| !qty.is_zero())
}

/// The better of two prices of a side.
#[inline]
fn better(side: Side, a: Price, b: Price) -> Price {
    // Without a branch on the side. The complement reverses the order.
    let flip = i64::from(side.sign()) >> 1;
    Price((a.0 ^ flip).max(b.0 ^ flip) ^ flip)
}

/// Where a side stands in a quote.
#[inline]
fn place_of(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

/// Whether a best price or its quantity differs; the number of orders does not count.
#[inline]
fn differ(a: Option<PriceLevel>, b: Option<PriceLevel>) -> bool {
    // No level has a price or quantity of zero. One comparison, since none of its parts can be foreseen.
    let key =
        |level: Option<PriceLevel>| level.map_or((0, 0), |level| (level.price.0, level.qty.0));
    let (a, b) = (key(a), key(b));
    (a.0 ^ b.0).cast_unsigned() | (a.1 ^ b.1) != 0
}
