//! Messages to rows: one order book per stock locate, driven by the feed.
//!
//! [`Replay::block`] takes a run of whole frames and pushes the rows that they cause into a
//! [`Sink`], each kind of row in file order. What comes out does not depend on how a file is cut
//! into blocks.
//!
//! # What the hot path touches
//! A book message in file order misses the cache several times: its order, its level and the best
//! prices belong to one of thousands of books, 50 MB in all, and each miss costs 100 to 400 ns.
//! So a block of messages is first noted in file order (4 bytes each), those that books take are sorted by instrument
//! (8 bytes again, by counting; one line per instrument is being written, half a megabyte in all, which the second-level
//! cache holds), and then every instrument's run is applied in one go to a book that is asked for beforehand, as are
//! the messages of the run, so that their lines arrive together, while the run before is applied. What the messages
//! changed is kept in the order of books, brought into file order by counting (8 bytes for each message with something to
//! push) and pushed at the end of the block. With 500,000 messages a block a book takes some 60 operations while it is in
//! the cache. Nothing is allocated per message once buffers and books have grown.
//!
//! Measured on a synthetic day of 20 million messages: 430 ns a message in file order, 49 ns so. What did no better:
//! messages cut down to 32-byte operations and those sorted instead of 8 bytes (as long, and 24 to 80 MB more memory);
//! operations in chunks of 16 by instrument, without the sort between (98 ns: their lines come one by one); reading the
//! memory of the next run through instead of asking for it (55 ns); a mark beside each message for what it changed (8 ns
//! more, as its store misses the cache); blocks of 8 MB (5 % more) and of 32 MB; huge pages.
//!
//! Order messages of a known instrument, nearly all, are gathered without a branch on their type, which no processor can
//! foresee; a book then has one such branch for each. A block in which no book changed anything that is wanted is pushed
//! by its few other messages alone. With several threads, runs of instruments are shared between them
//! ([`Replay::threads`]), and while rows are pushed by the calling one, another gathers and sorts the next block
//! ([`Replay::run`]).

mod apply;
mod block;
mod depth;
mod emit;
mod gather;
mod intervals;
mod marks;
mod report;
mod run;
mod translate;

use std::collections::BTreeSet;
use std::sync::Arc;

use nanobook::book::OrderBook;
use nanobook::rows::{Header, PriceLevel};
use nanobook::{InstrumentId, Sink, Symbol, Timestamp};

use self::intervals::{Bars, DepthSamples};
pub use self::report::{Faults, Report, TimeOfDay, TypeCounts};
pub use self::run::Run;
pub use self::translate::delta;
use crate::{Framing, Result};

/// Most levels that depth rows can have.
pub const MAX_DEPTH: usize = 100;

/// Which rows of the book are wanted; rows of other messages always come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// One row per order message.
    pub mbo: bool,
    /// One row per change of the best prices.
    pub bbo: bool,
    /// One row per print.
    pub trades: bool,
    /// Rows of so many levels, at most [`MAX_DEPTH`]; 0 for none.
    pub depth: usize,
    /// Depth at the end of every such interval in which it changed, instead of at every change.
    pub every_ns: Option<u64>,
    /// Bars of such intervals, from midnight on.
    pub bars_ns: Option<u64>,
}

impl Wanted {
    /// Whether any row of the book is wanted at every message that changes it.
    fn any(&self) -> bool {
        self.mbo || self.bbo || self.trades || self.depth > 0
    }

    /// No bars yet, if they are wanted.
    fn bars(&self) -> Option<Bars> {
        self.bars_ns.map(Bars::new)
    }

    /// No samples yet, if they are wanted.
    fn samples(&self) -> Option<DepthSamples> {
        let every_ns = self.every_ns.filter(|_| self.depth > 0);
        every_ns.map(DepthSamples::new)
    }
}

/// What to replay.
#[derive(Clone, Debug)]
pub struct Config {
    /// Midnight in New York at the start of the session: the zero of ITCH times.
    pub midnight: Timestamp,
    /// Which rows of the book are wanted.
    pub wanted: Wanted,
    /// Only rows of these instruments; `None` for all. An instrument that the directory renames to one of them in the
    /// middle of the session has a book from there on.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// Only rows from this time of day on, in ns since midnight; the directory and the breaks of trades come whole.
    pub from_ns: u64,
    /// Only rows before this time of day, in ns since midnight.
    pub to_ns: u64,
}

impl Config {
    /// Everything of a session that starts at `midnight`, but no rows of the book.
    pub fn new(midnight: Timestamp) -> Self {
        Self {
            midnight,
            wanted: Wanted::default(),
            symbols: None,
            from_ns: 0,
            to_ns: u64::MAX,
        }
    }
}

/// The best bid and ask.
type Quote = [Option<PriceLevel>; 2];

/// No instrument yet.
const NO_HANDLE: u32 = u32::MAX;

/// What is looked up for every message by its stock locate, 8 bytes.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Index of the instrument.
    handle: u32,
    /// Whether its symbol is known.
    named: bool,
    /// Whether its book is kept: it is wanted, or may yet turn out to be.
    kept: bool,
    /// Whether its rows are wanted.
    shown: bool,
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            handle: NO_HANDLE,
            named: false,
            kept: true,
            shown: true,
        }
    }
}

const _: () = assert!(size_of::<Slot>() == 8);

/// One instrument of the session.
#[derive(Debug, Default)]
struct Instrument {
    book: OrderBook,
    locate: u16,
    shown: bool,
    crossed: bool,
    /// The quote after its last message.
    quote: Quote,
    /// The best levels that were last seen to change, bids and asks.
    depth: [Vec<PriceLevel>; 2],
    /// Whether they have changed without a step that says so.
    is_ahead: bool,
    bar: intervals::Bar,
    sample: intervals::Sample,
}

/// Replays a session.
///
/// # Examples
/// ```
/// use nanobook::{Side, Sink, Timestamp, rows::Bbo};
/// use nanobook_itch::{AddOrder, Alpha, Framing, Price4};
/// use nanobook_itch::replay::{Config, Replay, Wanted};
///
/// #[derive(Default)]
/// struct Best(Vec<Bbo>);
///
/// impl Sink for Best {
///     fn bbo(&mut self, row: &Bbo) {
///         self.0.push(*row);
///     }
/// }
///
/// let mut session = Vec::new();
/// let add = AddOrder {
///     buy_sell_indicator: b'B',
///     shares: 100.into(),
///     stock: Alpha::new("AAPL")?,
///     price: Price4::new(1_500_000),
///     ..AddOrder::default()
/// };
/// Framing::Length.encode(&add, &mut session);
///
/// let wanted = Wanted { bbo: true, ..Wanted::default() };
/// let mut best = Best::default();
/// let mut replay = Replay::new(Config { wanted, ..Config::new(Timestamp(0)) });
/// replay.block(&session, Framing::Length, &mut best)?;
/// replay.finish(&mut best);
/// assert_eq!(best.0[0].bid.unwrap().price.to_string(), "150");
/// # Ok::<(), nanobook_itch::Error>(())
/// ```
#[derive(Debug)]
pub struct Replay {
    config: Config,
    report: Report,
    /// Messages before the current block.
    seq: u64,
    /// By stock locate, up to the largest so far. Whoever gathers the next block looks at them meanwhile.
    slots: Arc<Vec<Slot>>,
    /// By stock locate, up to the largest so far, what its rows start with but for time and `seq`.
    names: Vec<Header>,
    instruments: Vec<Instrument>,
    block: block::Block,
    /// Memory for a block that is gathered before its turn.
    spare: Option<block::Block>,
    /// What books changed, in file order.
    marks: marks::Marks,
    bars: Option<Bars>,
    samples: Option<DepthSamples>,
    /// Depth as it was pushed last.
    pushed: depth::Pushed,
}

impl Replay {
    /// A replay at the start of its session.
    ///
    /// # Panics
    /// When more than [`MAX_DEPTH`] levels or an interval of zero is wanted.
    pub fn new(config: Config) -> Self {
        let wanted = &config.wanted;
        assert!(
            wanted.depth <= MAX_DEPTH,
            "depth of {} levels is over {MAX_DEPTH}",
            wanted.depth
        );
        assert!(
            wanted.every_ns != Some(0) && wanted.bars_ns != Some(0),
            "an interval of zero"
        );
        Self {
            report: Report::default(),
            seq: 0,
            slots: Arc::default(),
            names: Vec::new(),
            instruments: Vec::new(),
            block: block::Block::new(apply::Shard::all(1, &config)),
            spare: None,
            marks: marks::Marks::default(),
            bars: wanted.bars(),
            samples: wanted.samples(),
            pushed: depth::Pushed::new(wanted.depth),
            config,
        }
    }

    /// The same with so many threads that apply books, of which the calling one is the first; at most 64 are used.
    ///
    /// What comes out does not depend on their number.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.block = block::Block::new(apply::Shard::all(threads, &self.config));
        self
    }

    /// Replays a run of whole frames.
    ///
    /// The larger the run, the less a message costs, up to some 16 MiB (half a million messages).
    ///
    /// # Errors
    /// As [`Frames::finish`](crate::Frames::finish), when `data` does not end with a whole frame; the frames before are
    /// replayed. Offsets are from the start of `data`.
    pub fn block(&mut self, data: &[u8], framing: Framing, sink: &mut impl Sink) -> Result<()> {
        self.run(&mut Run::new(data, framing), || None, sink)
    }

    /// As [`Replay::block`], while another thread looks through the run that is given next, if there are threads.
    ///
    /// `next` is asked for that run when this one's rows are about to be pushed; without an answer nothing is lost but
    /// time. The rows are those of this run alone. A run that then does not come next is looked through again.
    ///
    /// # Errors
    /// As [`Replay::block`].
    ///
    /// # Examples
    /// ```
    /// use nanobook::Timestamp;
    /// use nanobook_itch::replay::{Config, Replay, Run};
    /// use nanobook_itch::{Framing, SystemEvent};
    ///
    /// let mut day = [Vec::new(), Vec::new()];
    /// for (bytes, code) in day.iter_mut().zip([b'O', b'C']) {
    ///     let event = SystemEvent { event_code: code, ..SystemEvent::default() };
    ///     Framing::Length.encode(&event, bytes);
    /// }
    /// let [mut morning, mut evening] = day.map(|bytes| Run::new(bytes, Framing::Length));
    ///
    /// let mut replay = Replay::new(Config::new(Timestamp(0))).threads(2);
    /// replay.run(&mut morning, || Some(&mut evening), &mut ())?;
    /// replay.run(&mut evening, || None, &mut ())?;
    /// assert_eq!(replay.finish(&mut ()).last_system_event, Some(b'C'));
    /// # Ok::<(), nanobook_itch::Error>(())
    /// ```
    pub fn run<'a, B: AsRef<[u8]> + 'a>(
        &mut self,
        run: &mut Run<B>,
        next: impl FnOnce() -> Option<&'a mut Run<B>>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let mut gathered = run.gathered.take();
        let mut frames = run.frames();
        let data = frames.data();
        while self.begin(&mut frames, gathered) {
            self.apply(data);
            gathered = self.emit_and_gather(data, Some(frames.clone()), sink);
        }
        self.apply(data);
        let next = next();
        let ahead = next.as_ref().map(|next| next.frames());
        let gathered = self.emit_and_gather(data, ahead, sink);
        if let Some(next) = next {
            next.gathered = gathered;
        }
        frames.finish()
    }

    /// Pushes the rows of intervals that are still open and says what the session was like.
    pub fn finish(mut self, sink: &mut impl Sink) -> Report {
        self.close_intervals(None, sink);
        self.report()
    }

    /// Messages replayed up to now, skipped ones included.
    pub fn messages(&self) -> u64 {
        self.seq
    }

    /// The latest time of day up to now, in ns since midnight.
    pub fn last_ns(&self) -> Option<u64> {
        self.report.last_ns
    }

    /// What the session was like up to now.
    pub fn report(&self) -> Report {
        let mut report = self.report.clone();
        report.instruments = self.instruments.len() as u64;
        report.crossed_books = self
            .instruments
            .iter()
            .filter(|i| i.book.is_crossed())
            .count() as u64;
        report.live_orders = self.instruments.iter().map(|i| i.book.len() as u64).sum();
        report
    }

    /// The book of a stock locate; `None` when the file has not mentioned it.
    pub fn book(&self, locate: u16) -> Option<&OrderBook> {
        let handle = self.slots.get(usize::from(locate))?.handle;
        self.instruments
            .get(handle as usize)
            .map(|instrument| &instrument.book)
    }
}

/// What the rows of a stock locate start with before it has a name, but for time and `seq`.
fn unnamed(locate: u32) -> Header {
    Header {
        ts_event: Timestamp(0),
        seq: 0,
        instrument_id: InstrumentId(locate),
        symbol: None,
    }
}

/// What a row starts with. Made of a header that lies in memory: one that is put together of parts of 4 and 16 bytes and
/// then copied by 8 costs the wait for its parts.
#[inline]
fn header_of(names: &[Header], locate: u16, ts_event: Timestamp, seq: u64) -> Header {
    let mut header = names[usize::from(locate)];
    header.ts_event = ts_event;
    header.seq = seq;
    header
}
