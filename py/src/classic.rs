//! Binding of the classic bridge, `nanobook::backtest::backtest_weights`.

use nanobook::backtest::{Classic, StopKind, Stops, backtest_weights as run};
use nanobook::portfolio::PerSymbol;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyModule};

use crate::error::Error;

type Weights = Vec<Vec<(String, f64)>>;

/// Parts of a stop: fixed, trailing, multiples of the average change, and its periods.
type Levels = (f64, f64, f64, usize);

/// What the classic package calls a level.
const fn reason(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Atr | StopKind::MeanAbsChange => "atr",
        other => other.as_str(),
    }
}

/// The classic dictionary but for `metrics`; `basis` is periods in a year and the risk-free return of one.
#[pyfunction]
fn backtest_weights(
    py: Python<'_>,
    weights: Weights,
    prices: Vec<Vec<(String, i64)>>,
    initial_cash: i64,
    cost_bps: f64,
    basis: (f64, f64),
    stops: Levels,
) -> PyResult<Bound<'_, PyDict>> {
    let (fixed, trailing, atr, atr_period) = stops;
    let settings = Classic {
        initial_cash,
        cost_bps,
        periods_per_year: basis.0,
        risk_free: basis.1,
        stops: Stops {
            fixed: PerSymbol::All(fixed),
            trailing: PerSymbol::All(trailing),
            atr: PerSymbol::All(atr),
            atr_period,
            ..Stops::default()
        },
    };
    let found = py.detach(|| run(&weights, &prices, &settings));
    let found = found.map_err(Error::from)?;
    let all = PyDict::new(py);
    all.set_item("returns", found.returns)?;
    all.set_item("equity_curve", found.equity_curve)?;
    all.set_item("final_cash", found.final_cash)?;
    all.set_item("holdings", found.holdings)?;
    all.set_item("symbol_returns", found.symbol_returns)?;
    let events = PyList::empty(py);
    for (symbol, stop) in found.stop_events {
        let event = PyDict::new(py);
        event.set_item("period_index", stop.row)?;
        event.set_item("symbol", symbol)?;
        event.set_item("trigger_price", whole(stop.level))?;
        event.set_item("exit_price", whole(stop.exit_price))?;
        event.set_item("reason", reason(stop.kind))?;
        events.append(event)?;
    }
    all.set_item("stop_events", events)?;
    Ok(all)
}

/// Whole cents, nearest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a price beyond 64 bits of cents is cut to them"
)]
fn whole(cents: f64) -> i64 {
    cents.round() as i64
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(backtest_weights, module)?)
}
