//! Strategies that are known by name: their parameters out of Python, their weights as frames or as a sweep.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::{ArrayRef, Float64Array, TimestampNanosecondArray};
use nanobook::backtest::{Preset, Rebalance, Schedule, Signal, SweepOptions, sweep_presets};
use nanobook_arrow::SweepRow;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::sweep::{outcome, table};
use super::{Prices, configure};
use crate::error::Error;
use crate::frame::Frame;
use crate::table::Table;

/// A parameter of a Python object that has it as an attribute.
fn parameter<'py, T>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let value = object.getattr(name)?;
    value.extract::<T>().map_err(|_| {
        let message = format!("{name}={value} is of a kind that can't be, or out of range");
        Error::input(message).into()
    })
}

fn rebalance(object: &Bound<'_, PyAny>) -> PyResult<Rebalance> {
    let value = object.getattr("rebalance")?;
    let Ok(text) = value.cast::<PyString>() else {
        return parameter(object, "rebalance").map(Rebalance::Rows);
    };
    match text.to_string().as_str() {
        "week" => Ok(Rebalance::Week),
        "month" => Ok(Rebalance::Month),
        "quarter" => Ok(Rebalance::Quarter),
        "year" => Ok(Rebalance::Year),
        other => {
            let message = format!(
                "rebalance={other:?} is none of week, month, quarter, year, or a number of rows"
            );
            Err(Error::input(message).into())
        }
    }
}

/// A preset out of an object of `nanobook.strategies`; `None` when it is something else.
pub(super) fn read(object: &Bound<'_, PyAny>) -> PyResult<Option<Preset>> {
    let Ok(kind) = object.getattr("_signal") else {
        return Ok(None);
    };
    let signal = match kind.extract::<String>()?.as_str() {
        "momentum_top_k" => Signal::MomentumTopK {
            lookback: parameter(object, "lookback")?,
            skip: parameter(object, "skip")?,
            k: parameter(object, "k")?,
        },
        "moving_average_cross" => Signal::MovingAverageCross {
            fast: parameter(object, "fast")?,
            slow: parameter(object, "slow")?,
        },
        "inverse_volatility" => Signal::InverseVolatility {
            lookback: parameter(object, "lookback")?,
        },
        _ => return Ok(None),
    };
    Ok(Some(Preset {
        signal,
        rebalance: rebalance(object)?,
        start: parameter(object, "start")?,
        gross: parameter(object, "gross")?,
    }))
}

/// The same, or an error.
fn expect(object: &Bound<'_, PyAny>) -> PyResult<Preset> {
    read(object)?.ok_or_else(|| {
        let message = format!("{object} is no strategy of nanobook.strategies");
        Error::input(message).into()
    })
}

/// The weights of a preset over some prices: a time and a column for each symbol.
#[pyfunction]
pub(super) fn preset_weights(
    py: Python<'_>,
    preset: &Bound<'_, PyAny>,
    prices: &Prices,
) -> PyResult<Frame> {
    let preset = expect(preset)?;
    let frame = Arc::clone(&prices.frame);
    let done = py.detach(move || {
        let panel = frame.panel()?;
        let found = preset.weights(&panel)?;
        let width = panel.symbols().len();
        let ts = TimestampNanosecondArray::from(found.times).with_timezone("UTC");
        let mut columns = vec![("ts", Arc::new(ts) as ArrayRef)];
        for (at, symbol) in panel.symbols().iter().enumerate() {
            let weights = found.weights.iter().skip(at).step_by(width).copied();
            let weights: Float64Array = weights.map(Some).collect();
            columns.push((symbol, Arc::new(weights)));
        }
        Frame::of("weights", columns)
    });
    Ok(done?)
}

/// Runs the presets of all sets; `columns` are the parameters of the table.
#[pyfunction]
#[pyo3(name = "sweep_presets", signature = (presets, columns, prices, settings, *, actions=None, threads=None, progress=None))]
#[expect(clippy::too_many_arguments, reason = "the Python side names them")]
pub(super) fn py_sweep_presets(
    py: Python<'_>,
    presets: Vec<Bound<'_, PyAny>>,
    columns: Table,
    prices: &Prices,
    settings: &Bound<'_, PyDict>,
    actions: Option<Table>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Frame> {
    let (config, basis) = configure(prices, settings, actions.as_ref())?;
    // A set whose parameters can't be read is a row with its error, like one whose parameters can't be.
    let read = presets
        .iter()
        .map(|preset| expect(preset).map_err(|raised| raised.value(py).to_string()));
    let read: Vec<Result<Preset, String>> = read.collect();
    let frame = Arc::clone(&prices.frame);
    let count = read.len();
    let done = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&done);
    let work = move |stop: &nanobook_datasets::Stop| -> Result<Vec<SweepRow>, Error> {
        let panel = frame.panel()?;
        let progress = |count: usize| seen.store(count, Ordering::Relaxed);
        let options = SweepOptions {
            threads,
            progress: Some(&progress),
        };
        let good: Vec<Preset> = read
            .iter()
            .filter_map(|preset| preset.clone().ok())
            .collect();
        let one = |_, schedule: nanobook::backtest::Result<Schedule<'_>>| {
            if stop.is_asked() {
                return Err("not run: interrupted".to_owned());
            }
            let schedule = schedule.map_err(|error| error.to_string())?;
            outcome(&panel, &schedule, &config, basis)
        };
        let mut found = sweep_presets(&panel, &good, &options, one).into_iter();
        let all = read.into_iter().map(|preset| match preset {
            Ok(_) => found.next().unwrap_or_else(|| Err("not run".to_owned())),
            Err(message) => Err(message),
        });
        Ok(all.collect())
    };
    let results = super::sweep::watch(py, progress, (count, &done), work)?;
    table(&columns, &results)
}
