//! Covariance estimators. Returns are rows of time and columns of assets; results are row after row, symmetric.

use nalgebra::DMatrix;

use crate::linalg::Matrix;
use crate::stats::error::at_least;
use crate::stats::{Error, Result};

/// An estimated covariance matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    values: Vec<f64>,
    assets: usize,
    shrinkage: Option<f64>,
}

impl Covariance {
    /// A covariance that was estimated elsewhere.
    ///
    /// # Errors
    /// When the values are not a square of finite numbers, not symmetric, or a variance is negative.
    pub fn new(values: Vec<f64>, assets: usize) -> Result<Self> {
        at_least("assets", assets, 1)?;
        crate::stats::error::same_length("a covariance", values.len(), assets * assets)?;
        Matrix::new(&values, assets)?.finite("the covariance")?;
        for row in 0..assets {
            let own = values[row * assets + row];
            if own < 0.0 {
                return Err(Error::Parameter {
                    name: "a variance",
                    found: own,
                    wanted: "variances are zero or positive",
                });
            }
            for column in 0..row {
                let (a, b) = (values[row * assets + column], values[column * assets + row]);
                let scale = (own * values[column * assets + column]).sqrt();
                if (a - b).abs() > 1e-8 * scale.max(a.abs()) {
                    return Err(Error::Parameter {
                        name: "an asymmetric covariance",
                        found: a - b,
                        wanted: "give a symmetric matrix",
                    });
                }
            }
        }
        Ok(Covariance {
            values,
            assets,
            shrinkage: None,
        })
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of assets.
    pub fn assets(&self) -> usize {
        self.assets
    }

    /// One row.
    pub fn row(&self, asset: usize) -> &[f64] {
        &self.values[asset * self.assets..(asset + 1) * self.assets]
    }

    /// Standard deviations.
    pub fn deviations(&self) -> Vec<f64> {
        (0..self.assets)
            .map(|i| self.values[i * self.assets + i].max(0.0).sqrt())
            .collect()
    }

    /// Weight of the target, from 0 to 1, where the estimator shrinks.
    pub fn shrinkage(&self) -> Option<f64> {
        self.shrinkage
    }

    /// Variance of a portfolio.
    pub fn variance(&self, weights: &[f64]) -> f64 {
        crate::linalg::dot(&self.times(weights), weights)
    }

    /// Covariance of each asset with a portfolio.
    pub(crate) fn times(&self, weights: &[f64]) -> Vec<f64> {
        self.values
            .chunks_exact(self.assets)
            .map(|row| crate::linalg::dot(row, weights))
            .collect()
    }
}

/// The sample covariance, divided by n − 1, as pandas.
///
/// # Errors
/// When there are fewer than two rows or a return is not finite.
///
/// ```
/// use nanobook::{covariance, linalg::Matrix};
///
/// let returns = Matrix::new(&[0.01, 0.02, -0.01, 0.00, 0.03, 0.01], 2)?;
/// let found = covariance::sample(returns)?;
/// assert!((found.values()[0] - 0.0004).abs() < 1e-12);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn sample(returns: Matrix<'_>) -> Result<Covariance> {
    let weights = vec![1.0; returns.rows()];
    let rows = returns.rows() as f64;
    weighted(returns, &weights, rows - 1.0)
}

/// The exponentially weighted covariance about weighted means; the newest row weighs 1, each older one `decay` times the
/// next. Corrected for bias by 1 − Σw² / (Σw)², as pandas' `ewm(alpha=1 - decay).cov()` gives in its last block.
///
/// # Errors
/// When the decay is not between 0 and 1, there are fewer than two rows, or a return is not finite.
pub fn exponential(returns: Matrix<'_>, decay: f64) -> Result<Covariance> {
    if !(decay > 0.0 && decay < 1.0) {
        return Err(Error::Parameter {
            name: "decay",
            found: decay,
            wanted: "give a number between 0 and 1",
        });
    }
    let mut weight = 1.0;
    let mut weights: Vec<f64> = (0..returns.rows())
        .map(|_| {
            let now = weight;
            weight *= decay;
            now
        })
        .collect();
    weights.reverse();
    let total: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    weighted(returns, &weights, total - squares / total)
}

/// Ledoit and Wolf's (2004) shrinkage to a multiple of the identity, of the covariance divided by n, as scikit-learn's
/// `LedoitWolf`.
///
/// # Errors
/// When there are fewer than two rows or a return is not finite.
pub fn ledoit_wolf(returns: Matrix<'_>) -> Result<Covariance> {
    let rows = returns.rows() as f64;
    let mut found = weighted(returns, &vec![1.0; returns.rows()], rows)?;
    let n = found.assets;
    let p = n as f64;
    let centered = centered(returns, &vec![1.0; returns.rows()]);
    let mean = (0..n).map(|i| found.values[i * n + i]).sum::<f64>() / p;
    let squares: f64 = found.values.iter().map(|v| v * v).sum();
    let fourth: f64 = centered
        .chunks_exact(n)
        .map(|row| {
            let size = crate::linalg::dot(row, row);
            size * size
        })
        .sum();
    let noise = (fourth / rows - squares) / (p * rows);
    let spread = squares / p - mean * mean;
    let shrinkage = if spread <= 0.0 {
        0.0
    } else {
        noise.min(spread).max(0.0) / spread
    };
    for (i, value) in found.values.iter_mut().enumerate() {
        *value *= 1.0 - shrinkage;
        if i % (n + 1) == 0 {
            *value += shrinkage * mean;
        }
    }
    found.shrinkage = Some(shrinkage);
    Ok(found)
}

/// The sample covariance with eigenvalues of its correlation below the edge of pure noise, (1 + √(assets / rows))², made
/// equal to their mean (Laloux, Cizeau, Potters and Bouchaud 2000), the correlation scaled back to ones on its diagonal.
///
/// # Errors
/// When there are fewer than two rows, a return is not finite, or an asset does not vary.
pub fn denoised(returns: Matrix<'_>) -> Result<Covariance> {
    let sample = sample(returns)?;
    let n = sample.assets;
    let deviations = sample.deviations();
    if let Some(column) = deviations.iter().position(|d| *d <= 0.0) {
        return Err(Error::Constant {
            name: "returns",
            column,
        });
    }
    let correlation = DMatrix::from_fn(n, n, |i, j| {
        sample.values[i * n + j] / (deviations[i] * deviations[j])
    });
    let eigen = correlation.symmetric_eigen();
    let edge = (1.0 + (n as f64 / returns.rows() as f64).sqrt()).powi(2);
    let noise: Vec<f64> = eigen
        .eigenvalues
        .iter()
        .copied()
        .filter(|v| *v <= edge)
        .collect();
    let level = noise.iter().sum::<f64>() / noise.len().max(1) as f64;
    let scaled = DMatrix::from_fn(n, n, |i, j| {
        let value = eigen.eigenvalues[j];
        eigen.eigenvectors[(i, j)] * (if value <= edge { level } else { value }).max(0.0).sqrt()
    });
    let cleaned = &scaled * scaled.transpose();
    let values = (0..n * n)
        .map(|at| {
            let (i, j) = (at / n, at % n);
            if i == j {
                return sample.values[at];
            }
            let (low, high) = (i.min(j), i.max(j));
            let scale = (cleaned[(i, i)] * cleaned[(j, j)]).sqrt();
            cleaned[(low, high)] / scale * deviations[i] * deviations[j]
        })
        .collect();
    Ok(Covariance {
        values,
        assets: n,
        shrinkage: None,
    })
}

/// Returns minus their weighted means, row after row.
fn centered(returns: Matrix<'_>, weights: &[f64]) -> Vec<f64> {
    let n = returns.columns();
    let total: f64 = weights.iter().sum();
    let mut means = vec![0.0; n];
    for (row, weight) in weights.iter().enumerate() {
        for (mean, value) in means.iter_mut().zip(returns.row(row)) {
            *mean += weight * value / total;
        }
    }
    returns
        .values()
        .chunks_exact(n)
        .flat_map(|row| {
            row.iter()
                .zip(&means)
                .map(|(value, mean)| value - mean)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn weighted(returns: Matrix<'_>, weights: &[f64], divisor: f64) -> Result<Covariance> {
    at_least("returns", returns.rows(), 2)?;
    returns.finite("returns")?;
    let n = returns.columns();
    let rows = returns.rows();
    let mut centered = centered(returns, weights);
    for (row, weight) in centered.chunks_exact_mut(n).zip(weights) {
        for value in row {
            *value *= weight.sqrt();
        }
    }
    // Columns are contiguous as nalgebra reads this: assets × rows.
    let data = DMatrix::from_vec(n, rows, centered);
    let product = &data * data.transpose();
    let mut values = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let value = product[(i, j)] / divisor;
            values[i * n + j] = value;
            values[j * n + i] = value;
        }
    }
    Ok(Covariance {
        values,
        assets: n,
        shrinkage: None,
    })
}
