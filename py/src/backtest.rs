//! Bindings of `nanobook::backtest` and `nanobook::metrics`: weights and prices in, tables out.

mod config;
mod numbers;
mod presets;
mod strategy;
mod sweep;

use std::sync::{Arc, OnceLock};

use nanobook::backtest::{
    Config, EquityCurve, EventRows, Field, FillRows, HoldingRows, Schedule, Sink, Summary,
    TargetRows, run,
};
use nanobook::metrics::{Basis, Metrics, Relative, drawdown_series, drawdowns, monthly, yearly};
use nanobook::portfolio::PortfolioError;
use nanobook_arrow::{
    FrameError, FrameNames, Labels, PanelFrame, ScheduleFrame, metrics_table, periods_table,
    read_actions,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use self::config::Settings;
use crate::error::{Error, Kind, Place};
use crate::frame::Frame;
use crate::matrix::Vector;
use crate::table::Table;

const FIELDS: [Field; 6] = [
    Field::Close,
    Field::Open,
    Field::High,
    Field::Low,
    Field::Vwap,
    Field::Volume,
];

/// The field of a name.
fn field(name: &str) -> Option<Field> {
    FIELDS.into_iter().find(|field| field.as_str() == name)
}

/// Names of columns, from what stands for what.
fn names(columns: Option<&Bound<'_, PyDict>>) -> PyResult<FrameNames> {
    let mut names = FrameNames::default();
    let Some(columns) = columns else {
        return Ok(names);
    };
    for (what, name) in columns {
        let (what, name): (String, String) = (what.extract()?, name.extract()?);
        match what.as_str() {
            "time" => names.time = Some(name),
            "symbol" => names.symbol = Some(name),
            "weight" => names.weight = Some(name),
            other => {
                let Some(field) = field(other) else {
                    let message = format!(
                        "columns names {other:?}; it can name time, symbol, weight, close, open, high, low, vwap, volume"
                    );
                    return Err(Error::input(message).into());
                };
                names.fields.push((field, name));
            }
        }
    }
    Ok(names)
}

/// Names for a frame of weights: one that lacks the time or symbol column which the prices have takes its own.
fn names_for(table: &Table, names: &FrameNames) -> FrameNames {
    let there = |name: &Option<String>| {
        name.clone()
            .filter(|name| table.schema().index_of(name).is_ok())
    };
    FrameNames {
        time: there(&names.time),
        symbol: there(&names.symbol),
        ..names.clone()
    }
}

/// Prices, once taken, for as many backtests as wanted.
#[pyclass(module = "nanobook", frozen)]
#[derive(Clone)]
struct Prices {
    frame: Arc<PanelFrame>,
    names: FrameNames,
}

#[pymethods]
impl Prices {
    #[new]
    #[pyo3(signature = (prices, *, fields, more=None, columns=None))]
    fn py_new(
        py: Python<'_>,
        prices: Table,
        fields: Vec<String>,
        more: Option<&Bound<'_, PyDict>>,
        columns: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let names = names(columns)?;
        let fields: Vec<Field> = fields.iter().filter_map(|name| field(name)).collect();
        let mut further = Vec::new();
        for (name, table) in more.into_iter().flatten() {
            let name: String = name.extract()?;
            let Some(field) = field(&name) else {
                return Err(Error::input(format!("{name:?} is no kind of price")).into());
            };
            further.push((field, Table::take(&table, None)?));
        }
        let own = names.clone();
        let frame = py.detach(move || {
            let mut frame = PanelFrame::new(prices.schema(), prices.batches(), &own, &fields)?;
            for (field, table) in further {
                let names = names_for(&table, &own);
                frame.add(field, table.schema(), table.batches(), &names)?;
            }
            Ok::<_, FrameError>(frame)
        });
        Ok(Self {
            frame: Arc::new(frame.map_err(Error::from)?),
            names,
        })
    }

    #[getter]
    fn symbols(&self) -> Vec<String> {
        self.frame.symbols().to_vec()
    }

    /// Times, ns since the epoch.
    #[getter]
    fn times(&self) -> Vec<i64> {
        self.frame.times().to_vec()
    }
}

/// Everything that a result can be made from again.
struct Inputs {
    prices: Arc<PanelFrame>,
    weights: ScheduleFrame,
    config: Config,
    basis: Basis,
}

impl Inputs {
    /// Runs once more, for what the sink wants.
    fn run<S: Sink>(&self, sink: S) -> Result<Summary, FrameError> {
        let panel = self.prices.panel()?;
        let schedule: Schedule<'_> = self.weights.schedule()?;
        Ok(run(&panel, &schedule, &self.config, sink)?)
    }
}

/// What a backtest has found. Tables are made when they are asked for.
#[pyclass(module = "nanobook", frozen)]
struct Run {
    inputs: Inputs,
    labels: Labels,
    summary: Summary,
    equity: Vec<f64>,
    totals: Vec<(&'static str, f64)>,
    curve: Frame,
    holdings: OnceLock<Frame>,
    fills: OnceLock<Frame>,
    events: OnceLock<(Frame, Frame)>,
}

impl Run {
    fn new(inputs: Inputs, summary: Summary, curve: EquityCurve) -> Result<Self, Error> {
        let labels = Labels::new(inputs.prices.times(), inputs.prices.symbols());
        let equity = curve.equity.clone();
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        let rows = equity.len() as f64;
        let years = rows / inputs.basis.periods_per_year;
        let gross = curve
            .gross
            .iter()
            .zip(&equity)
            .map(|(gross, equity)| gross / equity);
        let totals = vec![
            ("exposure", gross.sum::<f64>() / rows),
            (
                "turnover",
                sum(&curve.turnover) / (sum(&equity) / rows) / years,
            ),
            ("cost", sum(&curve.cost)),
            ("commission", sum(&curve.commission)),
            ("slippage", sum(&curve.slippage)),
            ("spread", sum(&curve.spread)),
            ("impact", sum(&curve.impact)),
            ("borrow", sum(&curve.borrow)),
            ("interest", sum(&curve.interest)),
            ("dividends", sum(&curve.dividends)),
        ];
        let curve = labels.equity(curve).map_err(Error::Arrow)?.into();
        Ok(Self {
            inputs,
            labels,
            summary,
            equity,
            totals,
            curve,
            holdings: OnceLock::new(),
            fills: OnceLock::new(),
            events: OnceLock::new(),
        })
    }

    fn returns(&self) -> Vec<f64> {
        let pairs = self.equity.windows(2);
        pairs.map(|pair| pair[1] / pair[0] - 1.0).collect()
    }

    /// The most entries that so many rows can have. Memory is only asked for; what is not written to costs nothing.
    fn entries(&self, rows: usize) -> usize {
        rows * self.inputs.prices.symbols().len()
    }

    fn events(&self, py: Python<'_>) -> Result<&(Frame, Frame), Error> {
        if let Some(frames) = self.events.get() {
            return Ok(frames);
        }
        let mut rows = EventRows::default();
        py.detach(|| self.inputs.run(&mut rows))?;
        let stops = self.labels.stop_events(&rows.stops).map_err(Error::Arrow)?;
        let events = self.labels.events(&rows.events).map_err(Error::Arrow)?;
        Ok(self.events.get_or_init(|| (stops.into(), events.into())))
    }
}

#[pymethods]
impl Run {
    #[getter]
    fn equity(&self) -> Frame {
        self.curve.clone()
    }

    #[getter]
    fn holdings(&self, py: Python<'_>) -> PyResult<Frame> {
        if let Some(frame) = self.holdings.get() {
            return Ok(frame.clone());
        }
        let batch = py.detach(|| {
            let mut rows = HoldingRows::with_capacity(self.entries(self.summary.rows));
            self.inputs.run(&mut rows)?;
            self.labels.holdings(rows).map_err(Error::Arrow)
        })?;
        Ok(self.holdings.get_or_init(|| batch.into()).clone())
    }

    #[getter]
    fn fills(&self, py: Python<'_>) -> PyResult<Frame> {
        if let Some(frame) = self.fills.get() {
            return Ok(frame.clone());
        }
        let batch = py.detach(|| {
            let mut rows = FillRows::with_capacity(self.entries(self.summary.rebalances));
            self.inputs.run(&mut rows)?;
            self.labels.fills(rows).map_err(Error::Arrow)
        })?;
        Ok(self.fills.get_or_init(|| batch.into()).clone())
    }

    #[getter]
    fn stop_events(&self, py: Python<'_>) -> PyResult<Frame> {
        Ok(Self::events(self, py)?.0.clone())
    }

    #[getter(events)]
    fn other_events(&self, py: Python<'_>) -> PyResult<Frame> {
        Ok(Self::events(self, py)?.1.clone())
    }

    #[getter]
    fn targets(&self, py: Python<'_>) -> PyResult<Frame> {
        let batch = py.detach(|| {
            let mut rows = TargetRows::default();
            self.inputs.run(&mut rows)?;
            self.labels.targets(&rows).map_err(Error::Arrow)
        })?;
        Ok(batch.into())
    }

    /// What is held at the end and what was gained, from the fills and splits of the run.
    #[getter]
    fn positions(&self, py: Python<'_>) -> PyResult<Frame> {
        let portfolio = py.detach(|| numbers::portfolio(&self.inputs))?;
        let batch = Labels::positions(portfolio.positions()).map_err(Error::Arrow)?;
        Ok(batch.into())
    }

    #[getter]
    fn drawdowns(&self) -> PyResult<Frame> {
        let falls = drawdowns(&self.equity);
        Ok(self.labels.drawdowns(&falls).map_err(Error::Arrow)?.into())
    }

    /// Numbers of the whole run by name, in order; beside a benchmark's returns when they are given.
    #[pyo3(signature = (benchmark=None))]
    fn numbers(
        &self,
        py: Python<'_>,
        benchmark: Option<Vector>,
    ) -> PyResult<Vec<(&'static str, f64)>> {
        let returns = self.returns();
        let basis = self.inputs.basis;
        let mut all = if returns.is_empty() {
            Metrics::NAMES
                .iter()
                .map(|name| (*name, f64::NAN))
                .collect()
        } else {
            let metrics = Metrics::of(&returns, basis).map_err(Error::from)?;
            Metrics::NAMES
                .iter()
                .copied()
                .zip(metrics.values())
                .collect::<Vec<_>>()
        };
        all.extend(self.totals.iter().copied());
        let stops = if self.inputs.config.stops.is_none() {
            0
        } else {
            Self::events(self, py)?.0.num_rows()
        };
        all.push(("stops_hit", stops as f64));
        if let Some(Vector(benchmark)) = benchmark {
            let relative = Relative::to(&benchmark, &returns, basis).map_err(Error::from)?;
            all.extend(Relative::NAMES.iter().copied().zip(relative.values()));
        }
        Ok(all)
    }

    #[pyo3(signature = (benchmark=None))]
    fn metrics(&self, py: Python<'_>, benchmark: Option<Vector>) -> PyResult<Frame> {
        let numbers = self.numbers(py, benchmark)?;
        Ok(metrics_table(&numbers).map_err(Error::Arrow)?.into())
    }

    fn monthly(&self) -> PyResult<Frame> {
        let times = &self.inputs.prices.times()[1..];
        let periods = monthly(times, &self.returns()).map_err(Error::from)?;
        Ok(periods_table(&periods).map_err(Error::Arrow)?.into())
    }

    fn yearly(&self) -> PyResult<Frame> {
        let times = &self.inputs.prices.times()[1..];
        let periods = yearly(times, &self.returns()).map_err(Error::from)?;
        Ok(periods_table(&periods).map_err(Error::Arrow)?.into())
    }

    /// Returns of all rows but the first, which has none.
    #[getter(returns)]
    fn py_returns(&self) -> PyResult<Frame> {
        numbers::dated(
            "returns",
            "ret",
            &self.inputs.prices.times()[1..],
            self.returns(),
        )
    }

    #[getter]
    fn drawdown(&self) -> PyResult<Frame> {
        let below = drawdown_series(&self.equity);
        numbers::dated("drawdown", "drawdown", self.inputs.prices.times(), below)
    }

    #[getter]
    fn symbols(&self) -> Vec<String> {
        self.inputs.prices.symbols().to_vec()
    }

    /// Rows, rebalances, last equity, weights that came too late, weights that others took the place of.
    #[getter]
    fn summary(&self) -> (usize, usize, f64, (usize, usize)) {
        let Summary {
            rows,
            rebalances,
            equity,
            unused,
        } = self.summary;
        (rows, rebalances, equity, (unused.late, unused.superseded))
    }

    #[getter]
    fn periods_per_year(&self) -> f64 {
        self.inputs.basis.periods_per_year
    }
}

/// Settings and, where a frame of them is given, corporate actions.
fn configure(
    prices: &Prices,
    settings: &Bound<'_, PyDict>,
    actions: Option<&Table>,
) -> PyResult<(Config, Basis)> {
    let symbols = prices.frame.symbols();
    let mut config = Settings(settings).config(symbols)?;
    if let Some(actions) = actions {
        let names = names_for(actions, &prices.names);
        let read = read_actions(actions.schema(), actions.batches(), &names, symbols);
        config.actions = read.map_err(Error::from)?;
    }
    Ok((config, Settings(settings).basis()?))
}

#[pyfunction]
#[pyo3(name = "run", signature = (weights, prices, settings, actions=None))]
fn py_run(
    py: Python<'_>,
    weights: Table,
    prices: &Prices,
    settings: &Bound<'_, PyDict>,
    actions: Option<Table>,
) -> PyResult<Run> {
    let (config, basis) = configure(prices, settings, actions.as_ref())?;
    let prices = prices.clone();
    let done = py.detach(move || {
        let names = names_for(&weights, &prices.names);
        let inputs = Inputs {
            weights: ScheduleFrame::new(weights.schema(), weights.batches(), &names)?,
            prices: prices.frame,
            config,
            basis,
        };
        let mut curve = EquityCurve::with_capacity(inputs.prices.times().len());
        let summary = inputs.run(&mut curve)?;
        Run::new(inputs, summary, curve)
    });
    Ok(done?)
}

/// Asks a Python function for weights, row by row.
#[pyfunction]
#[pyo3(signature = (decide, prices, settings, actions=None))]
fn run_strategy(
    py: Python<'_>,
    decide: Py<PyAny>,
    prices: &Prices,
    settings: &Bound<'_, PyDict>,
    actions: Option<Table>,
) -> PyResult<Run> {
    let (config, basis) = configure(prices, settings, actions.as_ref())?;
    strategy::run(py, decide, &prices.frame, config, basis)
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        let message = error.to_string();
        let (kind, place) = match &error {
            FrameError::Backtest(error) => return at(error),
            FrameError::NoColumn { column, .. } | FrameError::NoColumnOfLong { column, .. } => {
                (Kind::Missing, (None, Some(column), None))
            }
            FrameError::NoSymbol { symbol, .. } => (Kind::Missing, (None, None, Some(symbol))),
            FrameError::NoneOf { .. } => (Kind::Missing, (None, None, None)),
            FrameError::Type { column, .. } => (Kind::Type, (None, Some(column), None)),
            FrameError::Null { column, row, .. } | FrameError::TimeRange { column, row, .. } => {
                (Kind::Input, (Some(*row), Some(column), None))
            }
            FrameError::Order { row, symbol, .. } => {
                (Kind::Input, (Some(*row), None, Some(symbol)))
            }
            FrameError::OtherTimes { row, .. } | FrameError::Kind { row, .. } => {
                (Kind::Input, (Some(*row), None, None))
            }
            _ => (Kind::Input, (None, None, None)),
        };
        let (row, column, symbol) = place;
        let (column, symbol) = (column.cloned(), symbol.cloned());
        Self::At {
            kind,
            message,
            place: Place {
                row,
                column,
                symbol,
            },
        }
    }
}

/// An error of the backtest, with its place.
fn at(error: &nanobook::backtest::Error) -> Error {
    use nanobook::backtest::Error as Backtest;
    let message = error.to_string();
    let mut kind = Kind::Input;
    let (row, column, symbol) = match error {
        Backtest::NotSorted { row, .. }
        | Backtest::DuplicateTime { row, .. }
        | Backtest::Strategy { row, .. } => (Some(*row), None, None),
        Backtest::BadPrice {
            row,
            column,
            symbol,
            ..
        } => (Some(*row), Some((*column).to_owned()), Some(symbol.clone())),
        Backtest::BadWeight { row, symbol, .. }
        | Backtest::NullWeight { row, symbol, .. }
        | Backtest::Short { row, symbol, .. }
        | Backtest::Gross { row, symbol, .. } => {
            (Some(*row), Some("weight".to_owned()), Some(symbol.clone()))
        }
        Backtest::NoPriceYet { row, symbol, .. } | Backtest::Overflow { row, symbol, .. } => {
            (Some(*row), None, Some(symbol.clone()))
        }
        Backtest::UnknownSymbol { row, symbol, .. } => {
            kind = Kind::Missing;
            (Some(*row), None, Some(symbol.clone()))
        }
        Backtest::DuplicateSymbol { symbol, .. }
        | Backtest::BadAction { symbol, .. }
        | Backtest::BadSettingOf { symbol, .. } => (None, None, Some(symbol.clone())),
        Backtest::NeedsColumn { column, .. } => {
            kind = Kind::Missing;
            (None, Some((*column).to_owned()), None)
        }
        _ => (None, None, None),
    };
    Error::At {
        kind,
        message,
        place: Place {
            row,
            column,
            symbol,
        },
    }
}

impl From<nanobook::backtest::Error> for Error {
    fn from(error: nanobook::backtest::Error) -> Self {
        at(&error)
    }
}

impl From<nanobook::metrics::MetricsError> for Error {
    fn from(error: nanobook::metrics::MetricsError) -> Self {
        Self::input(error.to_string())
    }
}

impl From<PortfolioError> for Error {
    fn from(error: PortfolioError) -> Self {
        Self::input(error.to_string())
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Prices>()?;
    module.add_class::<Run>()?;
    module.add_class::<strategy::View>()?;
    module.add_function(wrap_pyfunction!(py_run, module)?)?;
    module.add_function(wrap_pyfunction!(run_strategy, module)?)?;
    module.add_function(wrap_pyfunction!(sweep::sweep, module)?)?;
    module.add_function(wrap_pyfunction!(sweep::parameters, module)?)?;
    module.add_function(wrap_pyfunction!(presets::preset_weights, module)?)?;
    module.add_function(wrap_pyfunction!(presets::py_sweep_presets, module)?)?;
    numbers::register(module)
}
