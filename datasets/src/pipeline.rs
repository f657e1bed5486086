//! One raw file to the tables of one day.
//!
//! With one thread everything happens in turn, but that what is no file is read on another one, since it may be silent
//! for ever. With more, the file is read, unpacked and digested on a thread of its own, the calling one applies the books
//! with the help of as many as were asked for (alone when rows are wide) and pushes their rows while another looks
//! through the next block, and full row groups are encoded and appended by as many workers. A row group's bytes depend
//! on its rows alone and groups are appended in order, so the files are the same for any number of threads.

use std::sync::atomic::{AtomicBool, Ordering};

use nanobook::Sink;
use nanobook_arrow::{Recorder, RecorderOptions, TableId, TableOptions, parquet};
use nanobook_itch::Framing;
use nanobook_itch::replay::{Config, Replay, Run, Wanted};

use crate::dataset::Staging;
use crate::feed::{Ahead, Block, Feed, FeedEnd, FeedOptions, Piece};
use crate::files::Files;
use crate::options::ReplayOptions;
use crate::progress::Progress;
use crate::report::SessionReport;
use crate::session::SessionDate;
use crate::source::Source;
use crate::{Error, Result};

/// Bytes of a block: half a million messages, which is where a message costs least.
const BLOCK_BYTES: usize = 16 << 20;

/// Bytes of a block when every message may bring a row of many levels.
const DEEP_BLOCK_BYTES: usize = 2 << 20;

/// Stops a replay from another thread, such as the one that gets Ctrl-C.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// One that has not been asked for.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks for the end.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Replays a source and pushes its rows into a sink on this thread.
///
/// Of the options those about reading count: framing, missing ends, threads, progress.
///
/// # Errors
/// When the source can't be read, unpacked or cut into messages, holds none, or `stop` is asked for.
pub fn replay_into(
    source: Source,
    config: Config,
    options: &ReplayOptions,
    stop: &Stop,
    sink: &mut impl Sink,
) -> Result<SessionReport> {
    play(source, config, options, &|_| stop.is_asked(), sink)
}

/// [`replay_into`], stopped by a question that is asked with the latest time of day seen.
pub(crate) fn play(
    source: Source,
    config: Config,
    options: &ReplayOptions,
    stop: &dyn Fn(Option<u64>) -> bool,
    sink: &mut impl Sink,
) -> Result<SessionReport> {
    let progress = Progress::new(&source, options.progress);
    let deep = config.wanted.depth > 0 && config.wanted.every_ns.is_none();
    let feed = FeedOptions {
        framing: options.framing,
        allow_truncated: options.allow_truncated,
        block_bytes: if deep { DEEP_BLOCK_BYTES } else { BLOCK_BYTES },
    };
    let player = |framing| Player {
        // Encoding rows of many levels keeps the other core busy: sharing the books gains nothing then.
        replay: Replay::new(config).threads(if deep { 1 } else { options.threads }),
        framing,
        stop,
        progress,
        sink,
    };
    // What is no file may be silent for ever, and then somebody must look whether to stop.
    if options.threads > 1 || source.size().is_none() {
        let ahead = Ahead::start(source, feed)?;
        let framing = loop {
            match ahead.next() {
                Some(Piece::Framing(framing)) => break framing,
                Some(Piece::End(Err(error))) => return Err(error),
                Some(Piece::Block(_) | Piece::End(Ok(_))) => {
                    unreachable!("the framing comes first")
                }
                None if stop(None) => return Err(Error::Interrupted),
                None => {}
            }
        };
        let mut player = player(framing);
        let end = player.run_ahead(&ahead);
        return player.finish(end);
    }
    let feed = Feed::new(source, feed)?;
    let mut player = player(feed.framing());
    let end = feed.run(|block| player.take(&block).then_some(block.bytes));
    player.finish(end)
}

/// Feeds blocks to the books.
struct Player<'a, S> {
    replay: Replay,
    framing: Framing,
    stop: &'a dyn Fn(Option<u64>) -> bool,
    progress: Progress,
    sink: &'a mut S,
}

impl<S: Sink> Player<'_, S> {
    /// Replays a block and says whether to go on.
    fn take(&mut self, block: &Block) -> bool {
        // Blocks hold whole frames only: what can't be cut is the feed's error.
        let _ = self.replay.block(&block.bytes, self.framing, self.sink);
        self.progress.update(self.replay.messages());
        !self.is_stopped()
    }

    fn is_stopped(&self) -> bool {
        (self.stop)(self.replay.last_ns())
    }

    fn run_ahead(&mut self, feed: &Ahead) -> Result<FeedEnd> {
        // What comes behind a block is looked through by another thread while that block's rows are pushed.
        let mut next: Option<Run<Vec<u8>>> = None;
        loop {
            let mut run = match next.take() {
                Some(run) => run,
                None => match feed.next() {
                    Some(Piece::Block(block)) => Run::new(block.bytes, self.framing),
                    Some(Piece::End(end)) => return end,
                    Some(Piece::Framing(_)) => unreachable!("the framing comes once"),
                    None if self.is_stopped() => return Err(Error::Interrupted),
                    None => {
                        self.progress.update(self.replay.messages());
                        continue;
                    }
                },
            };
            let framing = self.framing;
            let place = &mut next;
            let behind = move || -> Option<&mut Run<Vec<u8>>> {
                let place = place;
                Some(place.insert(Run::new(feed.next_block()?.bytes, framing)))
            };
            // Blocks hold whole frames only: what can't be cut is the feed's error.
            let _ = self.replay.run(&mut run, behind, self.sink);
            self.progress.update(self.replay.messages());
            if self.is_stopped() {
                return Err(Error::Interrupted);
            }
            feed.give_back(run.into_inner());
        }
    }

    fn finish(self, end: Result<FeedEnd>) -> Result<SessionReport> {
        self.progress.finish();
        if self.is_stopped() {
            return Err(Error::Interrupted);
        }
        let end = end.map_err(|e| e.after(self.replay.report().last_ns))?;
        if self.replay.messages() == 0 {
            return Err(Error::Empty { path: end.path });
        }
        let report = self.replay.finish(self.sink);
        Ok(SessionReport {
            origin: end.origin,
            framing: self.framing,
            report,
            unknown_breaks: None,
            tail: end.tail,
            trailing_bytes: end.trailing_bytes,
        })
    }
}

/// What of the books the tables need.
fn wanted(options: &ReplayOptions) -> Wanted {
    let has = |table| options.tables.contains(table);
    Wanted {
        mbo: has(TableId::Mbo),
        bbo: has(TableId::Bbo),
        trades: has(TableId::Trades),
        depth: if has(TableId::Depth) {
            options.depth
        } else {
            0
        },
        every_ns: options.every_ns,
        bars_ns: has(TableId::Bars).then_some(options.bars_ns),
    }
}

/// What the books and the recorder are told.
pub(crate) fn settings(
    date: SessionDate,
    options: &ReplayOptions,
    rows_per_group: Option<usize>,
) -> (Config, RecorderOptions) {
    let config = Config {
        midnight: date.midnight(),
        wanted: wanted(options),
        symbols: options.symbols.clone(),
        from_ns: options.from_ns,
        to_ns: options.to_ns,
    };
    let recorder_options = RecorderOptions {
        tables: options.tables,
        table_options: TableOptions {
            price_type: options.price_type,
            levels: options.depth,
        },
        rows_per_group,
    };
    (config, recorder_options)
}

/// Replays a source into the Parquet files of one day, which the caller ends and puts in place.
pub(crate) fn replay_day(
    source: Source,
    date: SessionDate,
    options: &ReplayOptions,
    stop: &Stop,
    staging: &Staging,
) -> Result<(SessionReport, Vec<(TableId, parquet::Writer)>)> {
    let (config, recorder_options) = settings(date, options, None);
    let files = Files::create(&recorder_options, options, staging)?;
    let (report, recorded) = std::thread::scope(|scope| {
        let groups = (options.threads > 1).then(|| files.spawn(scope, options.threads));
        let mut recorder = Recorder::new(recorder_options, |group| match &groups {
            // A closed channel means that a worker failed; its error is told at the end.
            Some(groups) => drop(groups.send(group)),
            None => files.take(&group),
        });
        let stopped = |_| stop.is_asked() || files.has_failed();
        let report = play(source, config, options, &stopped, &mut recorder);
        (report, recorder.finish())
    });
    files.check()?;
    let mut report = report?;
    let mut breaks = recorded.breaks;
    let writers = files.complete(&mut breaks)?;
    // A window leaves out trades that breaks may name.
    let whole = (options.from_ns, options.to_ns) == (0, u64::MAX);
    if whole && options.tables.contains(TableId::Trades) {
        report.unknown_breaks = Some(breaks.unknown() as u64);
    }
    Ok((report, writers))
}
