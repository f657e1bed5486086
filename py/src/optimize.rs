//! Bindings of `nanobook::covariance` and `nanobook::optimize`.

use nanobook::covariance::{self, Covariance};
use nanobook::linalg;
use nanobook::optimize::{self, Constraints, Group, Solution, Turnover};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::column::Column;
use crate::error::Error;
use crate::frame::Frame;
use crate::matrix::{Matrix, Vector};
use crate::ta::{column_of, frame_of};

/// Row after row.
pub(crate) fn rows_of(matrix: &Matrix) -> Vec<f64> {
    let mut values = Vec::with_capacity(matrix.rows * matrix.columns.len());
    for row in 0..matrix.rows {
        values.extend(matrix.columns.iter().map(|column| column[row]));
    }
    values
}

pub(crate) fn names_of(matrix: &Matrix) -> Vec<String> {
    let numbered = || (0..matrix.columns.len()).map(|at| at.to_string()).collect();
    matrix.names.clone().unwrap_or_else(numbered)
}

fn estimate(returns: &Matrix, estimator: &str, decay: f64) -> Result<Covariance, Error> {
    let values = rows_of(returns);
    let rows = linalg::Matrix::new(&values, returns.columns.len())?;
    Ok(match estimator {
        "sample" => covariance::sample(rows)?,
        "exponential" => covariance::exponential(rows, decay)?,
        "ledoit_wolf" => covariance::ledoit_wolf(rows)?,
        "denoised" => covariance::denoised(rows)?,
        _ => {
            return Err(Error::input(format!(
                "estimator is {estimator:?}, not one of sample, exponential, ledoit_wolf, denoised"
            )));
        }
    })
}

/// Rows and columns.
#[pyfunction]
fn shape_of(matrix: Matrix) -> (usize, usize) {
    (matrix.rows, matrix.columns.len())
}

/// The mean of each column.
#[pyfunction]
fn means_of(returns: Matrix) -> Vec<f64> {
    let rows = returns.rows as f64;
    returns
        .columns
        .iter()
        .map(|column| column.iter().sum::<f64>() / rows)
        .collect()
}

/// A covariance as a frame, with the shrinkage where there is one.
#[pyfunction]
fn covariance_of(
    py: Python<'_>,
    returns: Matrix,
    estimator: &str,
    decay: f64,
) -> PyResult<(Frame, Option<f64>)> {
    let found = py.detach(|| estimate(&returns, estimator, decay))?;
    let n = found.assets();
    let columns = (0..n).map(|i| found.row(i).to_vec()).collect();
    Ok((
        frame_of("covariance", &names_of(&returns), columns)?,
        found.shrinkage(),
    ))
}

/// Limits as Python gives them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Limits {
    lower: Vector,
    upper: Vector,
    groups: Vec<(Vec<usize>, f64, f64)>,
    leverage: Option<f64>,
    turnover: Option<(Vector, f64)>,
}

impl From<Limits> for Constraints {
    fn from(limits: Limits) -> Self {
        Self {
            lower: limits.lower.0.to_vec(),
            upper: limits.upper.0.to_vec(),
            groups: limits
                .groups
                .into_iter()
                .map(|(members, lower, upper)| Group {
                    members,
                    lower,
                    upper,
                })
                .collect(),
            leverage: limits.leverage,
            turnover: limits.turnover.map(|(current, penalty)| Turnover {
                current: current.0.to_vec(),
                penalty,
            }),
        }
    }
}

/// Weights and how good they are.
#[pyclass(module = "nanobook.optimize", name = "Solution", frozen)]
struct PySolution {
    names: Vec<String>,
    found: Solution,
}

#[pymethods]
impl PySolution {
    /// One weight for each asset.
    #[getter]
    fn weights(&self) -> Column {
        column_of("weight", self.found.weights.clone())
    }

    /// Names of the assets, the columns of the frame; positions for an array.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// What was minimized or maximized, at the weights.
    #[getter]
    fn objective(&self) -> f64 {
        self.found.objective
    }

    /// How far the objective can be from the best possible one.
    #[getter]
    fn gap(&self) -> f64 {
        self.found.gap
    }

    /// Whether the gap is below a millionth of the objective, or a billionth of the size of the problem.
    #[getter]
    fn converged(&self) -> bool {
        self.found.converged
    }

    /// Iterations of the solver.
    #[getter]
    fn iterations(&self) -> usize {
        self.found.iterations
    }

    fn __repr__(&self) -> String {
        let held = self.found.weights.iter().filter(|w| w.abs() > 1e-6).count();
        format!(
            "Solution(objective={:.6e}, gap={:.1e}, converged={}, held={held} of {})",
            self.found.objective,
            self.found.gap,
            if self.found.converged {
                "True"
            } else {
                "False"
            },
            self.names.len()
        )
    }
}

/// A problem whose risk is a covariance: kind, means where it has any, its number (risk aversion or risk-free rate).
#[pyfunction]
fn by_covariance(
    py: Python<'_>,
    kind: &str,
    covariance: Matrix,
    means: Option<Vector>,
    number: f64,
    limits: Limits,
) -> PyResult<PySolution> {
    let names = names_of(&covariance);
    let limits = Constraints::from(limits);
    let found = py.detach(|| -> Result<Solution, Error> {
        let risk = Covariance::new(rows_of(&covariance), covariance.columns.len())?;
        let means = means.as_ref().map_or(&[][..], |means| &means.0);
        Ok(match kind {
            "min_variance" => optimize::min_variance(&risk, &limits)?,
            "mean_variance" => optimize::mean_variance(means, &risk, number, &limits)?,
            "max_sharpe" => optimize::max_sharpe(means, &risk, number, &limits)?,
            "max_diversification" => optimize::max_diversification(&risk, &limits)?,
            _ => return Err(Error::input(format!("there is no problem {kind:?}"))),
        })
    })?;
    Ok(PySolution { names, found })
}

/// A problem whose risk is a tail of returns.
#[pyfunction]
fn by_returns(
    py: Python<'_>,
    kind: &str,
    returns: Matrix,
    confidence: f64,
    limits: Limits,
) -> PyResult<PySolution> {
    let names = names_of(&returns);
    let limits = Constraints::from(limits);
    let found = py.detach(|| -> Result<Solution, Error> {
        let values = rows_of(&returns);
        let rows = linalg::Matrix::new(&values, returns.columns.len())?;
        Ok(match kind {
            "min_cvar" => optimize::min_cvar(rows, confidence, &limits)?,
            "min_cdar" => optimize::min_cdar(rows, confidence, &limits)?,
            _ => return Err(Error::input(format!("there is no problem {kind:?}"))),
        })
    })?;
    Ok(PySolution { names, found })
}

#[pyfunction]
fn risk_parity(
    py: Python<'_>,
    covariance: Matrix,
    budgets: Option<Vector>,
) -> PyResult<PySolution> {
    let names = names_of(&covariance);
    let found = py.detach(|| -> Result<Solution, Error> {
        let risk = Covariance::new(rows_of(&covariance), covariance.columns.len())?;
        Ok(optimize::risk_parity(
            &risk,
            budgets.as_ref().map(|b| &b.0[..]),
        )?)
    })?;
    Ok(PySolution { names, found })
}

/// Weights by a heuristic: of a covariance, or of returns with a confidence.
#[pyfunction]
fn heuristic(py: Python<'_>, kind: &str, matrix: Matrix, confidence: f64) -> PyResult<Column> {
    let weights = py.detach(|| -> Result<Vec<f64>, Error> {
        let values = rows_of(&matrix);
        let n = matrix.columns.len();
        Ok(match kind {
            "inverse_volatility" => optimize::inverse_volatility(&Covariance::new(values, n)?)?,
            "hierarchical_risk_parity" => {
                optimize::hierarchical_risk_parity(&Covariance::new(values, n)?)?
            }
            "inverse_cvar" => optimize::inverse_cvar(linalg::Matrix::new(&values, n)?, confidence)?,
            "inverse_cdar" => optimize::inverse_cdar(linalg::Matrix::new(&values, n)?, confidence)?,
            _ => return Err(Error::input(format!("there is no heuristic {kind:?}"))),
        })
    })?;
    Ok(column_of("weight", weights))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PySolution>()?;
    module.add_function(wrap_pyfunction!(shape_of, module)?)?;
    module.add_function(wrap_pyfunction!(means_of, module)?)?;
    module.add_function(wrap_pyfunction!(covariance_of, module)?)?;
    module.add_function(wrap_pyfunction!(by_covariance, module)?)?;
    module.add_function(wrap_pyfunction!(by_returns, module)?)?;
    module.add_function(wrap_pyfunction!(risk_parity, module)?)?;
    module.add_function(wrap_pyfunction!(heuristic, module)?)
}
