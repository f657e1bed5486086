//! Bindings of `nanobook::stats`.

use nanobook::linalg;
use nanobook::stats::{self, Errors, Method, Resampling, SharpeMoments};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::column::Column;
use crate::error::Error;
use crate::frame::Frame;
use crate::matrix::{Matrix, Vector};
use crate::optimize::{names_of, rows_of};
use crate::ta::{column_of, frame_of};

/// Coefficient and p-value.
#[pyfunction]
fn correlation(py: Python<'_>, kind: &str, x: Vector, y: Vector) -> PyResult<(f64, f64)> {
    let test = match kind {
        "pearson" => stats::pearson,
        "spearman" => stats::spearman,
        "kendall" => stats::kendall,
        _ => return Err(Error::input(format!("there is no correlation {kind:?}")).into()),
    };
    let found = py.detach(|| test(&x.0, &y.0)).map_err(Error::from)?;
    Ok((found.coefficient, found.p_value))
}

fn method_of(method: &str) -> Result<Method, Error> {
    match method {
        "spearman" => Ok(Method::Spearman),
        "pearson" => Ok(Method::Pearson),
        _ => Err(Error::input(format!(
            "method is {method:?}, not one of spearman, pearson"
        ))),
    }
}

#[pyfunction]
fn information_coefficients(
    py: Python<'_>,
    signal: Matrix,
    forward: Matrix,
    method: &str,
) -> PyResult<Frame> {
    let method = method_of(method)?;
    let columns = py.detach(|| -> Result<Vec<Vec<f64>>, Error> {
        let (s, f) = (rows_of(&signal), rows_of(&forward));
        let found = stats::information_coefficients(
            linalg::Matrix::new(&s, signal.columns.len())?,
            linalg::Matrix::new(&f, forward.columns.len())?,
            method,
        )?;
        Ok(vec![
            found
                .iter()
                .map(|c| c.correlation.map_or(f64::NAN, |c| c.coefficient))
                .collect(),
            found
                .iter()
                .map(|c| c.correlation.map_or(f64::NAN, |c| c.p_value))
                .collect(),
            found.iter().map(|c| c.pairs as f64).collect(),
        ])
    })?;
    Ok(frame_of(
        "information_coefficients",
        &["ic", "p_value", "pairs"].map(String::from),
        columns,
    )?)
}

#[pyfunction]
fn decay(
    py: Python<'_>,
    signal: Matrix,
    prices: Matrix,
    horizons: Vec<usize>,
    method: &str,
) -> PyResult<Frame> {
    let method = method_of(method)?;
    let columns = py.detach(|| -> Result<Vec<Vec<f64>>, Error> {
        let (s, p) = (rows_of(&signal), rows_of(&prices));
        let found = stats::decay(
            linalg::Matrix::new(&s, signal.columns.len())?,
            linalg::Matrix::new(&p, prices.columns.len())?,
            &horizons,
            method,
        )?;
        Ok(vec![
            found.iter().map(|d| d.horizon as f64).collect(),
            found.iter().map(|d| d.mean).collect(),
            found.iter().map(|d| d.deviation).collect(),
            found.iter().map(|d| d.ratio).collect(),
            found.iter().map(|d| d.t_value).collect(),
            found.iter().map(|d| d.rows as f64).collect(),
        ])
    })?;
    let names = ["horizon", "mean", "deviation", "ratio", "t_value", "rows"].map(String::from);
    Ok(frame_of("decay", &names, columns)?)
}

#[pyfunction]
fn quantile_returns(
    py: Python<'_>,
    signal: Matrix,
    forward: Matrix,
    groups: usize,
) -> PyResult<Frame> {
    let columns = py.detach(|| -> Result<Vec<Vec<f64>>, Error> {
        let (s, f) = (rows_of(&signal), rows_of(&forward));
        let found = stats::quantile_returns(
            linalg::Matrix::new(&s, signal.columns.len())?,
            linalg::Matrix::new(&f, forward.columns.len())?,
            groups,
        )?;
        let mut columns: Vec<Vec<f64>> = (0..groups)
            .map(|g| found.iter().map(|q| q.means[g]).collect())
            .collect();
        columns.push(found.iter().map(|q| q.spread).collect());
        Ok(columns)
    })?;
    let mut names: Vec<String> = (1..=groups).map(|g| format!("q{g}")).collect();
    names.push("spread".into());
    Ok(frame_of("quantile_returns", &names, columns)?)
}

/// Sharpe ratio, skew, kurtosis, rows.
#[pyfunction]
fn sharpe_moments(returns: Vector) -> PyResult<(f64, f64, f64, usize)> {
    let m = SharpeMoments::of(&returns.0).map_err(Error::from)?;
    Ok((m.sharpe, m.skew, m.kurtosis, m.rows))
}

#[pyfunction]
fn probabilistic_sharpe(returns: Vector, benchmark: f64) -> PyResult<f64> {
    Ok(SharpeMoments::of(&returns.0)
        .map_err(Error::from)?
        .probabilistic(benchmark))
}

#[pyfunction]
fn deflated_sharpe(returns: Vector, trials: usize, variance: f64) -> PyResult<f64> {
    let moments = SharpeMoments::of(&returns.0).map_err(Error::from)?;
    Ok(moments.deflated(trials, variance).map_err(Error::from)?)
}

#[pyfunction]
fn minimum_track_record(returns: Vector, benchmark: f64, confidence: f64) -> PyResult<f64> {
    let moments = SharpeMoments::of(&returns.0).map_err(Error::from)?;
    Ok(moments
        .minimum_track_record(benchmark, confidence)
        .map_err(Error::from)?)
}

/// Estimate and standard error, low and high, and the draws.
type Bootstrapped = ((f64, f64), (f64, f64), Column);

/// A number of a sample.
type Statistic = Box<dyn Fn(&[f64]) -> f64 + Send>;

/// Estimate, standard error, low and high of a mean or Sharpe ratio, and the draws.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python names them")]
fn bootstrap(
    py: Python<'_>,
    series: Vector,
    statistic: &str,
    resampling: &str,
    block: f64,
    count: usize,
    confidence: f64,
    seed: u64,
) -> PyResult<Bootstrapped> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is checked"
    )]
    let length = block as usize;
    let resampling = match resampling {
        "stationary" => Resampling::Stationary(block),
        "circular" => Resampling::Circular(length),
        "moving" => Resampling::Moving(length),
        _ => {
            let message =
                format!("resampling is {resampling:?}, not one of stationary, circular, moving");
            return Err(Error::input(message).into());
        }
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let deviation = move |v: &[f64]| {
        let m = mean(v);
        (v.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / (v.len() as f64 - 1.0)).sqrt()
    };
    let compute: Statistic = match statistic {
        "mean" => Box::new(mean),
        "deviation" => Box::new(deviation),
        "sharpe" => Box::new(move |v| mean(v) / deviation(v)),
        _ => {
            let message = format!("statistic is {statistic:?}, not one of mean, deviation, sharpe");
            return Err(Error::input(message).into());
        }
    };
    let (found, interval) = py.detach(|| -> Result<_, Error> {
        let found = stats::bootstrap(&series.0, resampling, count, seed, compute)?;
        let interval = found.interval(confidence)?;
        Ok((found, interval))
    })?;
    let error = found.standard_error();
    Ok((
        (found.estimate, error),
        interval,
        column_of("draw", found.draws),
    ))
}

/// Probability, slope, probability of loss, and the logits.
#[pyfunction]
fn overfitting_probability(
    py: Python<'_>,
    returns: Matrix,
    blocks: usize,
) -> PyResult<((f64, f64, f64), Column)> {
    let found = py.detach(|| -> Result<_, Error> {
        let values = rows_of(&returns);
        Ok(stats::overfitting_probability(
            linalg::Matrix::new(&values, returns.columns.len())?,
            blocks,
        )?)
    })?;
    Ok((
        (found.probability, found.slope, found.loss_probability),
        column_of("logit", found.logits),
    ))
}

/// Mean, error, t-value, p-value.
#[pyfunction]
fn newey_west_mean(values: Vector, lags: Option<usize>) -> PyResult<(f64, f64, f64, f64)> {
    let lags = lags.unwrap_or_else(|| stats::newey_west_lags(values.0.len()));
    let found = stats::newey_west_mean(&values.0, lags).map_err(Error::from)?;
    Ok((found.mean, found.error, found.t_value, found.p_value))
}

/// Coefficients as a frame, and R² with and without adjustment, and residuals. Lags are none for plain errors.
#[pyfunction]
fn factor_regression(
    py: Python<'_>,
    returns: Vector,
    factors: Matrix,
    lags: Option<usize>,
) -> PyResult<(Frame, (f64, f64), Column)> {
    let found = py.detach(|| -> Result<_, Error> {
        let values = rows_of(&factors);
        let errors = lags.map_or(Errors::Plain, Errors::NeweyWest);
        Ok(stats::factor_regression(
            &returns.0,
            linalg::Matrix::new(&values, factors.columns.len())?,
            errors,
        )?)
    })?;
    let mut names = vec!["intercept".to_owned()];
    names.extend(names_of(&factors));
    let columns = (0..names.len())
        .map(|k| {
            vec![
                found.coefficients[k],
                found.errors[k],
                found.t_values[k],
                found.p_values[k],
            ]
        })
        .collect();
    let table = frame_of("regression", &names, columns)?;
    Ok((
        table,
        (found.r_squared, found.adjusted_r_squared),
        column_of("residual", found.residuals),
    ))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(correlation, module)?)?;
    module.add_function(wrap_pyfunction!(information_coefficients, module)?)?;
    module.add_function(wrap_pyfunction!(decay, module)?)?;
    module.add_function(wrap_pyfunction!(quantile_returns, module)?)?;
    module.add_function(wrap_pyfunction!(sharpe_moments, module)?)?;
    module.add_function(wrap_pyfunction!(probabilistic_sharpe, module)?)?;
    module.add_function(wrap_pyfunction!(deflated_sharpe, module)?)?;
    module.add_function(wrap_pyfunction!(minimum_track_record, module)?)?;
    module.add_function(wrap_pyfunction!(bootstrap, module)?)?;
    module.add_function(wrap_pyfunction!(overfitting_probability, module)?)?;
    module.add_function(wrap_pyfunction!(newey_west_mean, module)?)?;
    module.add_function(wrap_pyfunction!(factor_regression, module)?)
}
