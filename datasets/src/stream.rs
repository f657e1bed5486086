//! One table of a raw file, batch by batch, without a file in between.

use std::cell::Cell;

use arrow_array::RecordBatch;
use nanobook_arrow::{Breaks, Projection, Recorder, RowGroup, TableId, TableSet};

use crate::options::ReplayOptions;
use crate::pipeline::{Stop, play, settings};
use crate::report::SessionReport;
use crate::session::SessionDate;
use crate::source::Source;
use crate::{Error, Result};

/// Which rows and columns of a table are wanted, and how they come.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// The table.
    pub table: TableId,
    /// Its columns.
    pub columns: Projection,
    /// Rows of a batch, at most.
    pub batch_rows: usize,
    /// No more rows than these; the replay ends when it has them.
    pub limit: Option<u64>,
    /// Trades come when the session has ended, so that a late break still marks them; else `broken` says what was
    /// known when the batch was made.
    pub late_breaks: bool,
}

/// What came of a stream.
#[derive(Debug)]
pub enum Streamed {
    /// The whole file was read.
    Whole(Box<SessionReport>),
    /// The taker had enough, or the limit or the end of the window was reached.
    Enough,
}

/// Replays a source and hands on one table as batches; `take` says whether to go on.
///
/// Of `options` all count but `tables` and `sort`. With `to_ns` the replay ends with the block that holds a message of
/// that time or later.
///
/// # Errors
/// As [`replay_into`](crate::replay_into), and when a price does not fit the price type.
pub fn stream(
    source: Source,
    date: SessionDate,
    options: &ReplayOptions,
    stream: &StreamOptions,
    stop: &Stop,
    take: impl FnMut(RecordBatch) -> bool,
) -> Result<Streamed> {
    let options = &ReplayOptions {
        tables: TableSet::EMPTY.with(stream.table),
        ..options.clone()
    };
    let (config, recorder_options) = settings(date, options, Some(stream.batch_rows));
    let late = stream.late_breaks && stream.table == TableId::Trades;
    let ended = Cell::new(stream.limit == Some(0));
    let mut taker = Taker {
        columns: &stream.columns,
        left: stream.limit.unwrap_or(u64::MAX),
        take,
        ended: &ended,
        error: None,
    };
    let mut held = Vec::new();
    let mut recorder = Recorder::new(recorder_options, |group: RowGroup| {
        if late {
            held.push(group);
        } else {
            taker.take(group.project(taker.columns));
        }
    });
    // What comes later is outside the window, but for breaks of the trades in it.
    let to_ns = if late { u64::MAX } else { options.to_ns };
    let stopped = |last_ns: Option<u64>| {
        stop.is_asked() || ended.get() || last_ns.is_some_and(|ns| ns >= to_ns)
    };
    let played = play(source, config, options, &stopped, &mut recorder);
    let mut breaks = recorder.finish().breaks;
    if stop.is_asked() {
        return Err(Error::Interrupted);
    }
    let report = match played {
        Err(Error::Interrupted) => None,
        played => Some(Box::new(played?)),
    };
    for group in held {
        let marked = late_batch(&group, &mut breaks, &stream.columns);
        taker.take(marked);
    }
    match (taker.error, report) {
        (Some(error), _) => Err(error.into()),
        (None, Some(report)) => Ok(Streamed::Whole(report)),
        (None, None) => Ok(Streamed::Enough),
    }
}

/// The wanted columns of trades, marked by what is known at the end of the session.
fn late_batch(
    group: &RowGroup,
    breaks: &mut Breaks,
    columns: &Projection,
) -> nanobook_arrow::Result<RecordBatch> {
    let batch = group.batch()?;
    let batch = breaks.mark_batch(&batch)?.unwrap_or(batch);
    columns.batch(&batch)
}

/// Hands on batches until there are enough.
struct Taker<'a, F> {
    columns: &'a Projection,
    left: u64,
    take: F,
    ended: &'a Cell<bool>,
    error: Option<nanobook_arrow::Error>,
}

impl<F: FnMut(RecordBatch) -> bool> Taker<'_, F> {
    fn take(&mut self, batch: nanobook_arrow::Result<RecordBatch>) {
        if self.ended.get() {
            return;
        }
        let go_on = match batch {
            Ok(batch) => {
                let rows = usize::try_from(self.left)
                    .map_or(batch.num_rows(), |left| left.min(batch.num_rows()));
                self.left -= rows as u64;
                (self.take)(batch.slice(0, rows)) && self.left > 0
            }
            Err(error) => {
                self.error = Some(error);
                false
            }
        };
        self.ended.set(!go_on);
    }
}
