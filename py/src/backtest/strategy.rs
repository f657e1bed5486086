//! A Python function that is asked for weights at each row.

use std::sync::Arc;

use arrow_array::Float64Array;
use nanobook::backtest::{
    Config, Decision, EquityCurve, Field, Strategy, TargetRows, View as RustView, run_strategy,
};
use nanobook::metrics::Basis;
use nanobook_arrow::{PanelFrame, ScheduleFrame};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::{Inputs, Run, field};
use crate::column::Column;
use crate::error::Error;
use crate::matrix::Vector;

/// What a strategy sees: prices up to its row, and the account then.
#[pyclass(module = "nanobook", frozen)]
pub(super) struct View {
    prices: Arc<PanelFrame>,
    row: usize,
    cash: f64,
    equity: f64,
    qty: Vec<f64>,
    marks: Vec<f64>,
}

fn column(name: &str, values: Vec<f64>) -> Column {
    let array = Arc::new(Float64Array::from(values));
    let data_type = arrow_schema::DataType::Float64;
    Column::new(
        Arc::new(arrow_schema::Field::new(name, data_type, false)),
        array,
    )
}

#[pymethods]
impl View {
    #[getter]
    fn row(&self) -> usize {
        self.row
    }

    /// The time of the row, ns since the epoch.
    #[getter]
    fn ts(&self) -> i64 {
        self.prices.times()[self.row]
    }

    #[getter]
    fn cash(&self) -> f64 {
        self.cash
    }

    #[getter]
    fn equity(&self) -> f64 {
        self.equity
    }

    #[getter]
    fn symbols<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.prices.symbols())
    }

    #[getter]
    fn qty(&self) -> Column {
        column("qty", self.qty.clone())
    }

    #[getter]
    fn marks(&self) -> Column {
        column("mark", self.marks.clone())
    }

    #[getter]
    fn weights(&self) -> Column {
        let held = self.qty.iter().zip(&self.marks);
        let weight = |(qty, mark): (&f64, &f64)| {
            if *qty == 0.0 {
                0.0
            } else {
                qty * mark / self.equity
            }
        };
        column("weight", held.map(weight).collect())
    }

    /// The last `rows` rows of a kind of price up to this one, oldest first, as one array of rows and symbols.
    #[pyo3(signature = (rows, name="close"))]
    fn prices<'py>(&self, py: Python<'py>, rows: usize, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let field: Field =
            field(name).ok_or_else(|| Error::input(format!("{name:?} is no kind of price")))?;
        let matrix = self.prices.matrix(field).ok_or_else(|| {
            Error::column(
                crate::error::Kind::Missing,
                name,
                format!("there are no {name} prices"),
            )
        })?;
        let end = self.row + 1;
        let values = matrix.rows_to_vec(end.saturating_sub(rows)..end);
        let flat = Bound::new(py, column(name, values))?;
        let numpy = py.import("numpy")?;
        let array = numpy.call_method1("asarray", (flat,))?;
        array.call_method1("reshape", (-1, matrix.symbols()))
    }
}

/// Calls back into Python.
struct Callback {
    decide: Py<PyAny>,
    prices: Arc<PanelFrame>,
    raised: Option<PyErr>,
}

impl Callback {
    fn ask(&self, view: &RustView<'_>, weights: &mut [f64]) -> PyResult<Decision> {
        Python::attach(|py| {
            py.check_signals()?;
            let seen = View {
                prices: Arc::clone(&self.prices),
                row: view.row(),
                cash: view.cash(),
                equity: view.equity(),
                qty: view.qty().to_vec(),
                marks: view.marks().to_vec(),
            };
            let answer = self.decide.bind(py).call1((seen,))?;
            if answer.is_none() {
                return Ok(Decision::Hold);
            }
            if let Ok(by_name) = answer.cast::<PyDict>() {
                for (symbol, weight) in by_name {
                    let symbol: String = symbol.extract()?;
                    let symbols = self.prices.symbols();
                    let Some(at) = symbols.iter().position(|name| *name == symbol) else {
                        return Err(at_row(
                            view,
                            &format!("names {symbol}, which has no prices"),
                        ));
                    };
                    weights[at] = weight.extract()?;
                }
                return Ok(Decision::Rebalance);
            }
            let Vector(values) = answer.extract::<Vector>()?;
            if values.len() != weights.len() {
                let message = format!(
                    "gave {} weights for {} symbols",
                    values.len(),
                    weights.len()
                );
                return Err(at_row(view, &message));
            }
            weights.copy_from_slice(&values);
            Ok(Decision::Rebalance)
        })
    }
}

fn at_row(view: &RustView<'_>, message: &str) -> PyErr {
    Error::input(format!("the strategy {message} in row {}", view.row())).into()
}

impl Strategy for Callback {
    fn decide(&mut self, view: &RustView<'_>, weights: &mut [f64]) -> Result<Decision, String> {
        self.ask(view, weights).map_err(|raised| {
            let message = raised.to_string();
            self.raised = Some(raised);
            message
        })
    }
}

/// Runs, and keeps the weights that were decided, so that tables can be made later without asking again.
pub(super) fn run(
    py: Python<'_>,
    decide: Py<PyAny>,
    prices: &Arc<PanelFrame>,
    config: Config,
    basis: Basis,
) -> PyResult<Run> {
    let mut callback = Callback {
        decide,
        prices: Arc::clone(prices),
        raised: None,
    };
    let mut curve = EquityCurve::with_capacity(prices.times().len());
    let mut targets = TargetRows::default();
    let done = py.detach(|| {
        let panel = prices.panel()?;
        let sink = (&mut curve, &mut targets);
        Ok::<_, Error>(run_strategy(&panel, &mut callback, &config, sink)?)
    });
    if let Some(raised) = callback.raised {
        return Err(raised);
    }
    let summary = done?;
    // The rows in which weights were decided, so that they wait again.
    let (times, delay) = (prices.times(), config.delay());
    let times = targets.row.iter().map(|row| times[*row as usize - delay]);
    let (times, symbols) = (times.collect(), prices.symbols().to_vec());
    let weights = ScheduleFrame::from_rows(times, symbols, targets.weights);
    let again = Config {
        on_null: nanobook::backtest::OnNull::Hold,
        ..config
    };
    let inputs = Inputs {
        prices: Arc::clone(prices),
        weights,
        config: again,
        basis,
    };
    Ok(Run::new(inputs, summary, curve)?)
}
