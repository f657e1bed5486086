//! A table of a raw file that comes batch by batch, while the replay goes on behind it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat;
use nanobook_datasets::{ReplayOptions, SessionDate, Source, Stop, StreamOptions, stream};
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;

use super::lock;
use crate::error::Error;
use crate::frame::Frame;

/// Batches that wait for Python: with the one that is being made and the one that is being looked at, all that is in
/// memory.
const WAITING: usize = 2;

/// How often Python is asked whether somebody pressed Ctrl-C.
const CHECK: Duration = Duration::from_millis(50);

type Item = Result<RecordBatch, nanobook_datasets::Error>;

/// An iterator over frames of one table.
#[pyclass(module = "nanobook", frozen)]
#[derive(Debug)]
pub(crate) struct Batches {
    receiver: Mutex<Option<Receiver<Item>>>,
    stop: Arc<Stop>,
}

impl Batches {
    /// Starts the replay on a thread of its own.
    pub(super) fn start(
        source: Source,
        date: SessionDate,
        options: ReplayOptions,
        wanted: StreamOptions,
    ) -> Result<Self, Error> {
        let source = source.without_digest();
        let (sender, receiver) = sync_channel::<Item>(WAITING);
        let stop = Arc::new(Stop::new());
        let theirs = Arc::clone(&stop);
        let work = move || {
            let take = |batch| sender.send(Ok(batch)).is_ok();
            if let Err(error) = stream(source, date, &options, &wanted, &theirs, take) {
                // Nobody listens any more when it was stopped.
                let _ = sender.send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("nanobook-itch".to_owned());
        thread
            .spawn(work)
            .map_err(|error| Error::input(error.to_string()))?;
        Ok(Self {
            receiver: Mutex::new(Some(receiver)),
            stop,
        })
    }
}

#[pymethods]
impl Batches {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Frame> {
        loop {
            let item = py.detach(|| match &*lock(&self.receiver) {
                Some(receiver) => receiver.recv_timeout(CHECK),
                None => Err(RecvTimeoutError::Disconnected),
            });
            match item {
                Ok(Ok(batch)) => return Ok(batch.into()),
                Ok(Err(error)) => {
                    self.close();
                    return Err(Error::Datasets(error).into());
                }
                Err(RecvTimeoutError::Disconnected) => return Err(PyStopIteration::new_err(())),
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(raised) = py.check_signals() {
                        self.close();
                        return Err(raised);
                    }
                }
            }
        }
    }

    /// Ends the replay; it ends by itself when nothing refers to the iterator any more.
    fn close(&self) {
        self.stop.ask();
        drop(lock(&self.receiver).take());
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.stop.ask();
    }
}

/// One batch of many: column by column, so that no more than one column is there twice.
pub(super) fn join(
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<RecordBatch, ArrowError> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); schema.fields().len()];
    for batch in batches {
        for (part, column) in parts.iter_mut().zip(batch.columns()) {
            part.push(Arc::clone(column));
        }
    }
    let join = |(part, field): (Vec<ArrayRef>, &arrow_schema::FieldRef)| match &part[..] {
        [] => Ok(new_empty_array(field.data_type())),
        [one] => Ok(Arc::clone(one)),
        many => concat(&many.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
    };
    let columns = parts.into_iter().zip(schema.fields()).map(join);
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
