//! Bindings of `nanobook::volatility`.

use nanobook::volatility::{self, Bars, Distribution, Estimator, Fit, Mean, Model, Variance};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::column::Column;
use crate::error::Error;
use crate::frame::Frame;
use crate::matrix::Vector;
use crate::ta::{column_of, frame_of};

fn choice<T: Copy>(name: &str, given: &str, choices: &[(&str, T)]) -> Result<T, Error> {
    choices
        .iter()
        .find(|(word, _)| *word == given)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            Error::input(format!(
                "{name} is {given:?}, not one of {}",
                words.join(", ")
            ))
        })
}

fn mean_of(mean: &str) -> Result<Mean, Error> {
    choice(
        "mean",
        mean,
        &[("zero", Mean::Zero), ("constant", Mean::Constant)],
    )
}

/// A fitted volatility model.
#[pyclass(module = "nanobook.volatility", name = "Fit", frozen)]
struct PyFit {
    fit: Fit,
}

#[pymethods]
impl PyFit {
    /// Parameters by name, in the units of the returns.
    #[getter]
    fn parameters(&self) -> Vec<(String, f64)> {
        self.fit
            .model
            .parameter_names()
            .into_iter()
            .zip(self.fit.parameters.iter().copied())
            .collect()
    }

    #[getter]
    fn log_likelihood(&self) -> f64 {
        self.fit.log_likelihood
    }

    #[getter]
    fn aic(&self) -> f64 {
        self.fit.aic()
    }

    #[getter]
    fn bic(&self) -> f64 {
        self.fit.bic()
    }

    #[getter]
    fn variances(&self) -> Column {
        column_of("variance", self.fit.variances.clone())
    }

    #[getter]
    fn residuals(&self) -> Column {
        column_of("residual", self.fit.residuals.clone())
    }

    #[getter]
    fn backcast(&self) -> f64 {
        self.fit.backcast
    }

    #[getter]
    fn converged(&self) -> bool {
        self.fit.converged
    }

    #[getter]
    fn distance(&self) -> f64 {
        self.fit.distance
    }

    #[getter]
    fn iterations(&self) -> usize {
        self.fit.iterations
    }

    /// Means, variances and intervals of the next rows.
    fn forecast(
        &self,
        py: Python<'_>,
        horizon: usize,
        confidence: f64,
        seed: u64,
    ) -> PyResult<Frame> {
        let columns = py.detach(|| -> Result<Vec<Vec<f64>>, Error> {
            let forecast = self.fit.forecast(horizon, seed)?;
            let intervals = forecast.intervals(confidence)?;
            Ok(vec![
                forecast.steps.iter().map(|s| s.mean).collect(),
                forecast.steps.iter().map(|s| s.variance).collect(),
                intervals.iter().map(|i| i.0).collect(),
                intervals.iter().map(|i| i.1).collect(),
            ])
        })?;
        Ok(frame_of(
            "forecast",
            &["mean", "variance", "low", "high"].map(String::from),
            columns,
        )?)
    }
}

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python names them")]
fn fit(
    py: Python<'_>,
    returns: Vector,
    model: &str,
    p: usize,
    o: usize,
    q: usize,
    mean: &str,
    distribution: &str,
) -> PyResult<PyFit> {
    let variance = match model {
        "garch" => Variance::Garch { p, q },
        "gjr" => Variance::Gjr { p, o, q },
        "egarch" => Variance::Egarch { p, o, q },
        _ => {
            return Err(
                Error::input(format!("model is {model:?}, not one of garch, gjr, egarch")).into(),
            );
        }
    };
    let distributions = [
        ("normal", Distribution::Normal),
        ("t", Distribution::StudentT),
    ];
    let model = Model {
        mean: mean_of(mean)?,
        variance,
        distribution: choice("distribution", distribution, &distributions)?,
    };
    Ok(PyFit {
        fit: py.detach(|| model.fit(&returns.0)).map_err(Error::from)?,
    })
}

#[pyfunction]
fn garch_forecast(
    py: Python<'_>,
    returns: Vector,
    p: usize,
    q: usize,
    mean: &str,
) -> PyResult<f64> {
    let mean = mean_of(mean)?;
    Ok(py
        .detach(|| volatility::garch_forecast(&returns.0, p, q, mean))
        .map_err(Error::from)?)
}

#[pyfunction]
fn garch_ewma_forecast(returns: Vector, mean: &str) -> PyResult<f64> {
    let mean = mean_of(mean)?;
    Ok(volatility::garch_ewma_forecast(&returns.0, mean).map_err(Error::from)?)
}

#[pyfunction]
fn ewma_variance(returns: Vector, decay: f64) -> PyResult<Column> {
    Ok(column_of(
        "variance",
        volatility::ewma_variance(&returns.0, decay).map_err(Error::from)?,
    ))
}

#[pyfunction]
fn realized(
    py: Python<'_>,
    open: Option<Vector>,
    high: Option<Vector>,
    low: Option<Vector>,
    close: Vector,
    estimator: &str,
    window: usize,
) -> PyResult<Column> {
    let estimator = choice(
        "estimator",
        estimator,
        &[
            ("close_to_close", Estimator::CloseToClose),
            ("parkinson", Estimator::Parkinson),
            ("garman_klass", Estimator::GarmanKlass),
            ("rogers_satchell", Estimator::RogersSatchell),
            ("yang_zhang", Estimator::YangZhang),
        ],
    )?;
    let found = py.detach(|| {
        let slice = |v: &Option<Vector>| v.as_ref().map_or_else(Vec::new, |v| v.0.to_vec());
        let (open, high, low) = (slice(&open), slice(&high), slice(&low));
        let bars = Bars {
            open: &open,
            high: &high,
            low: &low,
            close: &close.0,
        };
        volatility::realized(bars, estimator, window)
    });
    Ok(column_of("volatility", found.map_err(Error::from)?))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFit>()?;
    module.add_function(wrap_pyfunction!(fit, module)?)?;
    module.add_function(wrap_pyfunction!(garch_forecast, module)?)?;
    module.add_function(wrap_pyfunction!(garch_ewma_forecast, module)?)?;
    module.add_function(wrap_pyfunction!(ewma_variance, module)?)?;
    module.add_function(wrap_pyfunction!(realized, module)?)
}
