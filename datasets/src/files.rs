//! The files of one day while they are written.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use nanobook_arrow::parquet::{EncodedGroup, Encoder, Order, Writer};
use nanobook_arrow::sorted::{SortedBatch, Sorter};
use nanobook_arrow::{Breaks, RecorderOptions, RowGroup, TableId};

use crate::dataset::Staging;
use crate::options::{ReplayOptions, Sort};
use crate::{Error, Result};

/// One table's file.
struct TableFile {
    table: TableId,
    encoder: Encoder,
    state: Mutex<State>,
}

/// What is known of a file, and what came before its turn.
struct State {
    writer: Writer,
    next: usize,
    early: BTreeMap<usize, Piece>,
    sorter: Option<Sorter>,
}

/// A row group, done as far as it can be out of order.
enum Piece {
    Encoded(EncodedGroup),
    Sorted(SortedBatch),
}

/// The files of all tables.
pub(crate) struct Files {
    tables: Vec<TableFile>,
    failed: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Files {
    pub(crate) fn create(
        recorder: &RecorderOptions,
        options: &ReplayOptions,
        staging: &Staging,
    ) -> Result<Self> {
        let table = |table: TableId| -> Result<TableFile> {
            let path = staging.file(table);
            let schema = table.schema(&recorder.table_options);
            let order = match options.sort {
                Sort::Symbol => Order::Symbol,
                Sort::Time if table == TableId::Depth && options.every_ns.is_some() => Order::Time,
                Sort::Time => Order::of(table),
            };
            let writer = Writer::create_in_order(&path, &schema, order)?;
            let sorter = match options.sort {
                Sort::Time => None,
                Sort::Symbol => Some(Sorter::create(&path, &schema, recorder.rows_of(table))?),
            };
            let encoder = writer.encoder();
            let state = State {
                writer,
                next: 0,
                early: BTreeMap::new(),
                sorter,
            };
            Ok(TableFile {
                table,
                encoder,
                state: Mutex::new(state),
            })
        };
        Ok(Self {
            tables: recorder.tables.iter().map(table).collect::<Result<_>>()?,
            failed: AtomicBool::new(false),
            error: Mutex::new(None),
        })
    }

    /// Starts workers that take row groups from the channel until it is closed.
    pub(crate) fn spawn<'scope, 'env: 'scope>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        workers: usize,
    ) -> SyncSender<RowGroup> {
        // A row group is 10 to 30 MB of memory; one that waits is enough to keep workers busy.
        let (sender, receiver) = sync_channel::<RowGroup>(1);
        let receiver = std::sync::Arc::new(Mutex::new(receiver));
        for _ in 0..workers {
            let receiver = std::sync::Arc::clone(&receiver);
            scope.spawn(move || {
                give_way();
                while let Some(group) = receive(&receiver) {
                    self.take(&group);
                }
            });
        }
        sender
    }

    /// Encodes a row group and appends it when its turn has come; keeps the first error.
    pub(crate) fn take(&self, group: &RowGroup) {
        if self.has_failed() {
            return;
        }
        if let Err(error) = self.try_take(group) {
            lock(&self.error).get_or_insert(error);
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    fn try_take(&self, group: &RowGroup) -> Result<()> {
        let file = self
            .tables
            .iter()
            .find(|file| file.table == group.table())
            .expect("only tables that were chosen are recorded");
        let sorting = lock(&file.state).sorter.is_some();
        let piece = if sorting {
            Piece::Sorted(SortedBatch::new(&group.batch()?)?)
        } else {
            Piece::Encoded(file.encoder.encode_group(group)?)
        };
        let state = &mut *lock(&file.state);
        state.early.insert(group.index(), piece);
        while let Some(piece) = state.early.remove(&state.next) {
            match (piece, &mut state.sorter) {
                (Piece::Encoded(group), _) => state.writer.append(group)?,
                (Piece::Sorted(batch), Some(sorter)) => sorter.push(batch)?,
                (Piece::Sorted(_), None) => unreachable!("sorted only for a sorter"),
            }
            state.next += 1;
        }
        Ok(())
    }

    /// Whether a row group could not be written.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// The first error.
    pub(crate) fn check(&self) -> Result<()> {
        lock(&self.error).take().map_or(Ok(()), Err)
    }

    /// Merges what was sorted, marks void trades, and hands out the writers, whose files want their metadata.
    pub(crate) fn complete(self, breaks: &mut Breaks) -> Result<Vec<(TableId, Writer)>> {
        let mut writers = Vec::new();
        for TableFile {
            table,
            encoder,
            state,
        } in self.tables
        {
            let State {
                mut writer, sorter, ..
            } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
            match sorter {
                Some(sorter) => {
                    for (index, batch) in sorter.finish()?.enumerate() {
                        let mut batch = batch?;
                        if table == TableId::Trades
                            && let Some(marked) = breaks.mark_batch(&batch)?
                        {
                            batch = marked;
                        }
                        writer.append(encoder.encode(&batch, index)?)?;
                    }
                }
                None if table == TableId::Trades => writer = writer.void_trades(breaks)?,
                None => {}
            }
            writers.push((table, writer));
        }
        Ok(writers)
    }
}

/// Lets the threads with the books go first where there are fewer cores than threads: everything waits for them in the
/// end, and they must not get a third of two cores.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    // To a thread that may not be slowed down, nothing happens.
    let _ = rustix::process::nice(10);
}

fn receive(receiver: &Mutex<Receiver<RowGroup>>) -> Option<RowGroup> {
    lock(receiver).recv().ok()
}

/// A lock that a panic elsewhere does not poison: that panic is on its way already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
