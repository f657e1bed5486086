//! Many parameter sets over one panel of prices.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
};
use arrow_schema::{Field, Schema};
use nanobook::backtest::{
    Config, Outcome, Panel, Preset, Schedule, SweepOptions, sweep as sweep_all,
};
use nanobook::metrics::Basis;
use nanobook_arrow::{PanelFrame, ScheduleFrame, SweepRow, sweep_table};
use nanobook_datasets::Stop;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::config::Settings;
use super::presets;
use super::{Prices, configure, names_for};
use crate::error::Error;
use crate::frame::Frame;
use crate::matrix::Matrix;
use crate::run::interruptible;
use crate::table::Table;

/// What every set has in common.
struct Shared {
    make: Py<PyAny>,
    prices: Prices,
    settings: Py<PyDict>,
    config: Config,
    basis: Basis,
    /// Times of weights that come as arrays.
    times: Option<Vec<i64>>,
}

/// What the function of a sweep gave for a set.
enum Asked {
    Weights(ScheduleFrame),
    Preset(Preset),
}

impl Shared {
    /// The weights of one set, and its settings.
    fn ask(&self, set: &Py<PyAny>) -> PyResult<(Asked, Config)> {
        Python::attach(|py| {
            let answer = self.make.bind(py).call1((set,))?;
            let (weights, config) = match answer.cast::<PyTuple>() {
                Ok(pair) if pair.len() == 2 => {
                    let settings = self.settings.bind(py).copy()?;
                    let own = pair.get_item(1)?;
                    settings.update(own.cast::<PyDict>()?.as_mapping())?;
                    let mut config = Settings(&settings).config(self.prices.frame.symbols())?;
                    config.actions.clone_from(&self.config.actions);
                    (pair.get_item(0)?, config)
                }
                _ => (answer, self.config.clone()),
            };
            if let Some(preset) = presets::read(&weights)? {
                return Ok((Asked::Preset(preset), config));
            }
            if let Some(times) = &self.times {
                return Ok((Asked::Weights(self.array(&weights, times)?), config));
            }
            let table = Table::take(&weights, None)?;
            let names = names_for(&table, &self.prices.names);
            let frame = ScheduleFrame::new(table.schema(), table.batches(), &names);
            Ok((Asked::Weights(frame.map_err(Error::from)?), config))
        })
    }

    /// An array of weights: a row for each time, a column for each symbol of the prices.
    fn array(&self, weights: &Bound<'_, PyAny>, times: &[i64]) -> PyResult<ScheduleFrame> {
        let matrix: Matrix = weights.extract()?;
        let symbols = self.prices.frame.symbols();
        if matrix.rows != times.len() || matrix.columns.len() != symbols.len() {
            let message = format!(
                "the weights are {} by {}, expected {} times by {} symbols",
                matrix.rows,
                matrix.columns.len(),
                times.len(),
                symbols.len()
            );
            return Err(Error::input(message).into());
        }
        let mut rows = vec![0.0; times.len() * symbols.len()];
        for (at, column) in matrix.columns.iter().enumerate() {
            for (row, weight) in column.iter().enumerate() {
                rows[row * symbols.len() + at] = *weight;
            }
        }
        Ok(ScheduleFrame::from_rows(
            times.to_vec(),
            symbols.to_vec(),
            rows,
        ))
    }

    fn one(&self, set: &Py<PyAny>, panel: &Panel<'_>) -> SweepRow {
        let (asked, config) = self.ask(set).map_err(|raised| {
            Python::attach(|py| {
                raised
                    .value(py)
                    .repr()
                    .map_or_else(|_| raised.to_string(), |text| text.to_string())
            })
        })?;
        match asked {
            Asked::Weights(frame) => {
                let schedule = frame.schedule().map_err(|error| error.to_string())?;
                outcome(panel, &schedule, &config, self.basis)
            }
            Asked::Preset(preset) => {
                let weights = preset.weights(panel).map_err(|error| error.to_string())?;
                let schedule = weights.schedule(panel.symbols());
                let schedule = schedule.map_err(|error| error.to_string())?;
                outcome(panel, &schedule, &config, self.basis)
            }
        }
    }
}

/// Runs one set, and gives the numbers of its row.
pub(super) fn outcome(
    panel: &Panel<'_>,
    schedule: &Schedule<'_>,
    config: &Config,
    basis: Basis,
) -> SweepRow {
    let outcome = Outcome::of(panel, schedule, config, basis);
    let outcome = outcome.map_err(|error| error.to_string())?;
    let Some(metrics) = outcome.metrics else {
        return Err("equity was lost, or there are too few rows for metrics".to_owned());
    };
    let further = vec![
        ("final_equity", outcome.summary.equity),
        ("rebalances", outcome.summary.rebalances as f64),
        ("cost", outcome.cost),
        ("turnover_value", outcome.turnover),
        ("exposure", outcome.exposure),
        ("stops_hit", outcome.stops as f64),
    ];
    Ok((metrics, further))
}

fn all(
    shared: &Shared,
    sets: &[Py<PyAny>],
    threads: Option<usize>,
    done: &AtomicUsize,
    stop: &Stop,
) -> Result<Vec<SweepRow>, Error> {
    let frame: &PanelFrame = &shared.prices.frame;
    let panel = frame.panel()?;
    let progress = |count: usize| done.store(count, Ordering::Relaxed);
    let options = SweepOptions {
        threads,
        progress: Some(&progress),
    };
    Ok(sweep_all(sets, &options, |set| {
        if stop.is_asked() {
            return Err("not run: interrupted".to_owned());
        }
        shared.one(set, &panel)
    }))
}

/// Runs every set; `columns` are the parameters of the table. `progress` is called now and then with how many are done.
#[pyfunction]
#[pyo3(signature = (make, sets, columns, prices, settings, *, actions=None, times=None, threads=None, progress=None))]
#[expect(clippy::too_many_arguments, reason = "the Python side names them")]
pub(super) fn sweep(
    py: Python<'_>,
    make: Py<PyAny>,
    sets: Vec<Py<PyAny>>,
    columns: Table,
    prices: &Prices,
    settings: &Bound<'_, PyDict>,
    actions: Option<Table>,
    times: Option<Vec<i64>>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let (config, basis) = configure(prices, settings, actions.as_ref())?;
    let shared = Shared {
        make,
        prices: prices.clone(),
        settings: settings.clone().unbind(),
        config,
        basis,
        times,
    };
    let count = sets.len();
    let done = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&done);
    let work = move |stop: &Stop| all(&shared, &sets, threads, &seen, stop);
    let results = watch(py, progress, (count, &done), work)?;
    table(&columns, &results)
}

/// Does the work of a sweep, telling `progress` now and then how many of how many sets are done.
pub(super) fn watch(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    (count, done): (usize, &AtomicUsize),
    work: impl FnOnce(&Stop) -> Result<Vec<SweepRow>, Error> + Send + 'static,
) -> PyResult<Vec<SweepRow>> {
    let results = match progress {
        None => interruptible(py, work)?,
        Some(progress) => {
            let results = crate::run::watched(py, work, |py| {
                progress.call1(py, (done.load(Ordering::Relaxed), count))?;
                Ok(())
            })?;
            progress.call1(py, (count, count))?;
            results
        }
    }?;
    Ok(results)
}

/// The table of a sweep: its parameters, then what came of each set.
pub(super) fn table(columns: &Table, results: &[SweepRow]) -> PyResult<Frame> {
    let batch: RecordBatch = match columns.batches() {
        [batch] => batch.clone(),
        many => {
            arrow_select::concat::concat_batches(columns.schema(), many).map_err(Error::Arrow)?
        }
    };
    let names = columns
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone());
    let parameters = names.zip(batch.columns().iter().cloned()).collect();
    Ok(sweep_table(parameters, results)
        .map_err(Error::Arrow)?
        .into())
}

/// Columns of parameters: whole numbers, numbers, or text.
#[pyfunction]
pub(super) fn parameters(names: Vec<String>, columns: Vec<Vec<Py<PyAny>>>) -> PyResult<Frame> {
    let array = |values: &Vec<Py<PyAny>>| -> PyResult<ArrayRef> {
        Python::attach(|py| {
            let values = values.iter().map(|value| value.bind(py));
            if let Ok(whole) = values
                .clone()
                .map(PyAnyMethods::extract::<Option<i64>>)
                .collect::<PyResult<Vec<_>>>()
            {
                return Ok(Arc::new(Int64Array::from(whole)) as ArrayRef);
            }
            if let Ok(numbers) = values
                .clone()
                .map(PyAnyMethods::extract::<Option<f64>>)
                .collect::<PyResult<Vec<_>>>()
            {
                return Ok(Arc::new(Float64Array::from(numbers)));
            }
            let texts = values
                .map(|v| Ok(v.str()?.to_string()))
                .collect::<PyResult<Vec<_>>>()?;
            Ok(Arc::new(
                texts.iter().map(Some).collect::<StringViewArray>(),
            ))
        })
    };
    let arrays = columns.iter().map(array).collect::<PyResult<Vec<_>>>()?;
    let fields = names.iter().zip(&arrays);
    let fields: Vec<Field> = fields
        .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
        .collect();
    let options =
        RecordBatchOptions::new().with_row_count(Some(columns.first().map_or(0, Vec::len)));
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options);
    Ok(batch.map_err(Error::Arrow)?.into())
}
