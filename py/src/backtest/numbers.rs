//! Portfolios, and metrics of plain series.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{Field, Schema};
use nanobook::backtest::{Event, EventKind, Fill, Sink};
use nanobook::metrics::{
    Basis, Metrics, Relative, drawdown_series, rolling_beta, rolling_max_drawdown, rolling_sharpe,
    rolling_volatility,
};
use nanobook::portfolio::{Portfolio, Position};
use nanobook_arrow::{Labels, TABLE_KEY, metrics_table};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::Inputs;
use crate::column::Column;
use crate::error::Error;
use crate::frame::Frame;
use crate::matrix::Vector;

/// A frame of times and one column of doubles.
pub(super) fn dated(table: &str, name: &str, times: &[i64], values: Vec<f64>) -> PyResult<Frame> {
    let ts = TimestampNanosecondArray::from(times.to_vec()).with_timezone("UTC");
    let arrays: Vec<ArrayRef> = vec![Arc::new(ts), Arc::new(Float64Array::from(values))];
    let fields = vec![
        Field::new("ts", arrays[0].data_type().clone(), false),
        Field::new(name, arrays[1].data_type().clone(), false),
    ];
    let schema = Schema::new_with_metadata(fields, [(TABLE_KEY.to_owned(), table.to_owned())]);
    let batch = RecordBatch::try_new(Arc::new(schema), arrays).map_err(Error::Arrow)?;
    Ok(batch.into())
}

/// Fills, splits and dividends of a run, booked anew.
struct Books<'a> {
    symbols: &'a [String],
    portfolio: Portfolio,
    marks: Vec<f64>,
    failed: Option<Error>,
}

impl Sink for Books<'_> {
    const FILLS: bool = true;
    const HOLDINGS: bool = true;

    fn fill(&mut self, fill: &Fill) {
        let symbol = &self.symbols[fill.symbol];
        let booked = self
            .portfolio
            .fill(symbol, fill.qty, fill.price, fill.cost.commission);
        if let Err(error) = booked {
            self.failed = Some(error.into());
        }
    }

    fn event(&mut self, event: &Event) {
        let Some(symbol) = event.symbol else { return };
        let symbol = &self.symbols[symbol];
        match event.kind {
            EventKind::Split => self.portfolio.split(symbol, event.wanted),
            EventKind::Dividend => self.portfolio.dividend(symbol, event.wanted),
            _ => {}
        }
    }

    fn held(&mut self, held: &nanobook::backtest::Held<'_>) {
        self.marks.clear();
        self.marks.extend_from_slice(held.mark);
    }
}

/// The portfolio at the end of a run.
pub(super) fn portfolio(inputs: &Inputs) -> Result<Portfolio, Error> {
    let symbols = inputs.prices.symbols();
    let mut books = Books {
        symbols,
        portfolio: Portfolio::new(inputs.config.cash),
        marks: Vec::new(),
        failed: None,
    };
    inputs.run(&mut books)?;
    if let Some(error) = books.failed {
        return Err(error);
    }
    for (symbol, &mark) in symbols.iter().zip(&books.marks) {
        if mark > 0.0 {
            books.portfolio.mark(symbol, mark)?;
        }
    }
    Ok(books.portfolio)
}

/// Cash and positions, from fills and marks.
#[pyclass(module = "nanobook", name = "Portfolio")]
pub(super) struct PyPortfolio(Portfolio);

#[pymethods]
impl PyPortfolio {
    #[new]
    fn py_new(cash: f64) -> Self {
        Self(Portfolio::new(cash))
    }

    #[getter]
    fn cash(&self) -> f64 {
        self.0.cash()
    }

    #[getter]
    fn fees(&self) -> f64 {
        self.0.fees()
    }

    #[getter]
    fn realized(&self) -> f64 {
        self.0.realized()
    }

    #[getter]
    fn equity(&self) -> PyResult<f64> {
        Ok(self.0.equity().map_err(Error::from)?)
    }

    #[getter]
    fn weights(&self) -> PyResult<std::collections::BTreeMap<String, f64>> {
        let weights = self.0.weights().map_err(Error::from)?;
        Ok(weights
            .into_iter()
            .map(|(s, w)| (s.to_owned(), w))
            .collect())
    }

    #[getter]
    fn positions(&self) -> PyResult<Frame> {
        let batch = Labels::positions(self.0.positions()).map_err(Error::Arrow)?;
        Ok(batch.into())
    }

    fn qty(&self, symbol: &str) -> f64 {
        self.0
            .position(symbol)
            .map_or(0.0, |position: &Position| position.qty)
    }

    #[pyo3(signature = (symbol, qty, price, *, fee=0.0))]
    fn fill(&mut self, symbol: &str, qty: f64, price: f64, fee: f64) -> PyResult<()> {
        Ok(self.0.fill(symbol, qty, price, fee).map_err(Error::from)?)
    }

    fn mark(&mut self, symbol: &str, price: f64) -> PyResult<()> {
        Ok(self.0.mark(symbol, price).map_err(Error::from)?)
    }

    fn split(&mut self, symbol: &str, ratio: f64) {
        self.0.split(symbol, ratio);
    }

    fn dividend(&mut self, symbol: &str, per_share: f64) {
        self.0.dividend(symbol, per_share);
    }
}

/// What a series of returns was worth: `metric, value`, as empyrical and quantstats define them.
///
/// Parameters
/// ----------
/// returns
///     One for each period, as parts of one; the first row of a backtest has none.
/// benchmark
///     As many returns of something else, for alpha, beta and the like.
/// periods_per_year, risk_free
///     Periods in a year; the risk-free return of one.
#[pyfunction]
#[pyo3(signature = (returns, *, benchmark=None, periods_per_year=252.0, risk_free=0.0))]
fn metrics(
    returns: Vector,
    benchmark: Option<Vector>,
    periods_per_year: f64,
    risk_free: f64,
) -> PyResult<Frame> {
    let basis = Basis {
        periods_per_year,
        risk_free,
    };
    let found = Metrics::of(&returns.0, basis).map_err(Error::from)?;
    let mut all: Vec<_> = Metrics::NAMES.iter().copied().zip(found.values()).collect();
    if let Some(Vector(benchmark)) = benchmark {
        let relative = Relative::to(&benchmark, &returns.0, basis).map_err(Error::from)?;
        all.extend(Relative::NAMES.iter().copied().zip(relative.values()));
    }
    Ok(metrics_table(&all).map_err(Error::Arrow)?.into())
}

/// A column of doubles.
fn vector(name: &str, values: Vec<f64>) -> Column {
    let array = Arc::new(Float64Array::from(values));
    let field = Arc::new(Field::new(name, array.data_type().clone(), false));
    Column::new(field, array)
}

/// Sharpe ratio a year over the last `window` returns; NaN before there are as many.
#[pyfunction(name = "rolling_sharpe")]
#[pyo3(signature = (returns, window, *, periods_per_year=252.0, risk_free=0.0))]
fn py_rolling_sharpe(
    returns: Vector,
    window: usize,
    periods_per_year: f64,
    risk_free: f64,
) -> Column {
    let basis = Basis {
        periods_per_year,
        risk_free,
    };
    vector("sharpe", rolling_sharpe(&returns.0, window, basis))
}

/// Volatility a year over the last `window` returns; NaN before there are as many.
#[pyfunction(name = "rolling_volatility")]
#[pyo3(signature = (returns, window, *, periods_per_year=252.0))]
fn py_rolling_volatility(returns: Vector, window: usize, periods_per_year: f64) -> Column {
    let basis = Basis {
        periods_per_year,
        ..Basis::default()
    };
    vector("volatility", rolling_volatility(&returns.0, window, basis))
}

/// Beta against a benchmark over the last `window` returns; NaN before there are as many.
#[pyfunction(name = "rolling_beta")]
fn py_rolling_beta(returns: Vector, benchmark: Vector, window: usize) -> Column {
    vector("beta", rolling_beta(&returns.0, &benchmark.0, window))
}

/// The deepest fall from a peak within the last `window` values of equity.
#[pyfunction(name = "rolling_max_drawdown")]
fn py_rolling_max_drawdown(equity: Vector, window: usize) -> Column {
    vector("max_drawdown", rolling_max_drawdown(&equity.0, window))
}

/// How far each value of equity is below its peak so far: zero or negative.
#[pyfunction(name = "drawdown_series")]
fn py_drawdown_series(equity: Vector) -> Column {
    vector("drawdown", drawdown_series(&equity.0))
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPortfolio>()?;
    module.add_function(wrap_pyfunction!(metrics, module)?)?;
    module.add_function(wrap_pyfunction!(py_rolling_sharpe, module)?)?;
    module.add_function(wrap_pyfunction!(py_rolling_volatility, module)?)?;
    module.add_function(wrap_pyfunction!(py_rolling_beta, module)?)?;
    module.add_function(wrap_pyfunction!(py_rolling_max_drawdown, module)?)?;
    module.add_function(wrap_pyfunction!(py_drawdown_series, module)?)
}
