//! Bindings of `nanobook_datasets` and `nanobook_itch`: raw files.

mod batches;
mod options;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::{ArrayRef, RecordBatch, StringViewArray, UInt64Array};
use nanobook_arrow::{MAX_LEVELS, Summary, TableId};
use nanobook_datasets::{
    SessionReport, Source, catalog as list, cli, replay, replay_into, sample, synthesize,
};
use nanobook_itch::replay::Config;
use nanobook_itch::synth;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use self::batches::Batches;
pub(crate) use self::options::Options;
use self::options::Window;
use crate::error::Error;
use crate::frame::Frame;
use crate::run::{interruptible, watched};

/// The name that stands for the day that is built in.
const SAMPLE: &str = "nanobook:sample";

/// Opens a path, `-` or the sample.
pub(crate) fn open(path: &Path) -> nanobook_datasets::Result<Source> {
    if path == Path::new(SAMPLE) {
        sample()
    } else {
        Source::open(path)
    }
}

/// A report as JSON and as text, and whether anything was odd.
type Report = (String, String, bool);

fn report(seen: &SessionReport) -> Report {
    let text = format!("{}\n{seen}", seen.origin.name);
    (seen.to_json().to_string(), text, seen.has_faults())
}

/// The report of a replay of all books.
#[pyfunction]
fn verify_itch(py: Python<'_>, path: PathBuf, options: Options) -> PyResult<Report> {
    let options = options.replay()?;
    let report = interruptible(py, move |stop| {
        let source = open(&path)?.without_digest();
        // Times of day are all that is told, so the day does not matter.
        let config = Config::new(nanobook::Timestamp(0));
        replay_into(source, config, &options, stop, &mut ())
    })?;
    Ok(self::report(&report.map_err(Error::Datasets)?))
}

/// What is in a file: its description as text, counts as JSON, and the messages of each symbol.
#[pyfunction]
fn inspect_itch(
    py: Python<'_>,
    path: PathBuf,
    options: Options,
) -> PyResult<(String, String, Frame)> {
    let options = options.replay()?;
    let seen = interruptible(py, move |stop| {
        nanobook_datasets::inspect(open(&path)?, &options, stop)
    })?;
    let seen = seen.map_err(Error::Datasets)?;
    let symbols: StringViewArray = seen.symbols.iter().map(|(name, _)| Some(name)).collect();
    let counts: UInt64Array = seen.symbols.iter().map(|(_, count)| *count).collect();
    let columns: [(&str, ArrayRef); 2] = [
        ("symbol", Arc::new(symbols)),
        ("messages", Arc::new(counts)),
    ];
    let batch = RecordBatch::try_from_iter(columns).map_err(Error::Arrow)?;
    let counts = options::inspection_json(&seen).to_string();
    Ok((seen.to_string(), counts, batch.into()))
}

/// Writes the tables of one day as Parquet and says what was written: report, day, and table, rows, bytes, path of each
/// file. `tick` is called now and then with the bytes read and the size of the file.
#[pyfunction]
fn replay_itch(
    py: Python<'_>,
    path: PathBuf,
    out: PathBuf,
    options: Options,
    tick: Option<Py<PyAny>>,
) -> PyResult<(Report, String, Frame)> {
    let date = options.date(&path)?;
    let options = options.replay()?;
    let opened = Arc::new(OnceLock::new());
    let theirs = Arc::clone(&opened);
    let day = watched(
        py,
        move |stop| {
            let source = open(&path)?;
            let _ = theirs.set((source.position(), source.size()));
            replay(source, date, &out, &options, stop)
        },
        |py| match (&tick, opened.get()) {
            (Some(tick), Some((position, size))) => {
                let read = position.load(std::sync::atomic::Ordering::Relaxed);
                tick.call1(py, (read, *size)).map(drop)
            }
            _ => Ok(()),
        },
    )?;
    let day = day.map_err(Error::Datasets)?;
    let names: StringViewArray = day
        .tables
        .iter()
        .map(|(table, _)| Some(table.as_str()))
        .collect();
    let number = |of: fn(&Summary) -> u64| -> ArrayRef {
        Arc::new(
            day.tables
                .iter()
                .map(|(_, summary)| of(summary))
                .collect::<UInt64Array>(),
        )
    };
    let paths: StringViewArray = day
        .tables
        .iter()
        .map(|(_, summary)| Some(summary.path.to_string_lossy()))
        .collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("table", Arc::new(names)),
        ("rows", number(|summary| summary.rows)),
        ("bytes", number(|summary| summary.bytes)),
        ("path", Arc::new(paths)),
    ];
    let files = RecordBatch::try_from_iter(columns).map_err(Error::Arrow)?;
    Ok((report(&day.report), day.date.to_string(), files.into()))
}

/// Writes a synthetic day and says how many bytes it has unpacked.
#[pyfunction]
fn synth_itch(
    py: Python<'_>,
    path: PathBuf,
    messages: u64,
    symbols: u16,
    seed: u64,
) -> PyResult<u64> {
    let config = synth::Config {
        seed,
        messages,
        symbols,
        ..synth::Config::default()
    };
    let bytes = interruptible(py, move |stop| synthesize(config, &path, stop))?;
    Ok(bytes.map_err(Error::Datasets)?)
}

/// Starts a replay whose rows of one table come batch by batch.
#[pyfunction]
fn batches_itch(
    py: Python<'_>,
    path: PathBuf,
    options: Options,
    window: Window,
) -> PyResult<Batches> {
    let date = options.date(&path)?;
    let stream = window.stream(&options)?;
    let options = options.replay()?;
    // What can't be opened is an error here and not at the first batch; what is no file may not even tell its first bytes.
    let source = interruptible(py, move |_| open(&path))?;
    let source = source.map_err(Error::Datasets)?;
    Ok(Batches::start(source, date, options, stream)?)
}

/// All rows of one table, each column in one piece, and the report unless the replay ended early.
#[pyfunction]
fn read_itch(py: Python<'_>, path: PathBuf, options: Options, window: Window) -> PyResult<Frame> {
    let date = options.date(&path)?;
    let stream = window.stream(&options)?;
    let options = options.replay()?;
    let schema = stream
        .columns
        .schema(&options::schema(&options, stream.table));
    let schema = schema.map_err(Error::Table)?;
    let batch = interruptible(py, move |stop| {
        let mut batches = Vec::new();
        let take = |batch| {
            batches.push(batch);
            true
        };
        nanobook_datasets::stream(open(&path)?, date, &options, &stream, stop, take)?;
        batches::join(&schema, batches).map_err(Error::Arrow)
    })?;
    Ok(batch?.into())
}

/// A frame without rows, for its columns.
#[pyfunction]
fn empty_itch(options: Options, table: &str) -> PyResult<Frame> {
    let table: TableId = table.parse().map_err(Error::Table)?;
    let schema = options::schema(&options.replay()?, table);
    Ok(RecordBatch::new_empty(schema).into())
}

/// Midnight in New York of a session, in ns since the epoch.
#[pyfunction]
fn midnight(path: PathBuf, options: Options) -> PyResult<i64> {
    Ok(options.date(&path)?.midnight().0)
}

/// What a dataset holds: date, table, rows, bytes, source.
#[pyfunction]
fn catalog(folder: PathBuf) -> PyResult<Frame> {
    let entries = list(&folder).map_err(Error::Datasets)?;
    let text = |of: fn(&nanobook_datasets::CatalogEntry) -> &str| -> ArrayRef {
        Arc::new(
            entries
                .iter()
                .map(|entry| Some(of(entry)))
                .collect::<StringViewArray>(),
        )
    };
    let number = |of: fn(&nanobook_datasets::CatalogEntry) -> u64| -> ArrayRef {
        Arc::new(entries.iter().map(of).collect::<UInt64Array>())
    };
    let columns = [
        ("date", text(|entry| &entry.date)),
        ("table", text(|entry| &entry.table)),
        ("rows", number(|entry| entry.rows)),
        ("bytes", number(|entry| entry.bytes)),
        ("source", text(|entry| &entry.source)),
    ];
    let batch = RecordBatch::try_from_iter(columns).map_err(Error::Arrow)?;
    Ok(batch.into())
}

/// The command `nanobook`, for a process that does nothing else: it takes over Ctrl-C.
#[pyfunction]
fn run_command(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| cli::run_with(arguments.into_iter().map(Into::into)))
}

/// Removes the hidden folders that work which was interrupted has not yet taken away, before the process ends.
#[pyfunction]
fn remove_unfinished(py: Python<'_>) {
    py.detach(nanobook_datasets::remove_unfinished);
}

/// A lock that a panic elsewhere does not poison.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SAMPLE", SAMPLE)?;
    module.add("MAX_LEVELS", MAX_LEVELS)?;
    let tables: Vec<&str> = TableId::ALL.iter().map(|table| table.as_str()).collect();
    module.add("TABLES", pyo3::types::PyTuple::new(module.py(), tables)?)?;
    module.add_class::<Batches>()?;
    module.add_function(wrap_pyfunction!(verify_itch, module)?)?;
    module.add_function(wrap_pyfunction!(inspect_itch, module)?)?;
    module.add_function(wrap_pyfunction!(replay_itch, module)?)?;
    module.add_function(wrap_pyfunction!(synth_itch, module)?)?;
    module.add_function(wrap_pyfunction!(batches_itch, module)?)?;
    module.add_function(wrap_pyfunction!(read_itch, module)?)?;
    module.add_function(wrap_pyfunction!(empty_itch, module)?)?;
    module.add_function(wrap_pyfunction!(midnight, module)?)?;
    module.add_function(wrap_pyfunction!(catalog, module)?)?;
    module.add_function(wrap_pyfunction!(remove_unfinished, module)?)?;
    module.add_function(wrap_pyfunction!(run_command, module)?)
}
