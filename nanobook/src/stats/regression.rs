#![allow(
    clippy::too_many_lines,
    reason = "the steps of one calculation, in order"
)]

use super::error::{at_least, finite, same_length};
use super::special::{normal_cdf, student_two_sided};
use super::{Error, Result};
use crate::linalg::{Matrix, dot};

/// How the errors of the coefficients are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// Equal variance, no correlation; p-values by Student's t.
    Plain,
    /// Newey and West (1987) with Bartlett weights up to this many lags, no small-sample correction; p-values by the normal
    /// distribution. As statsmodels' `cov_type="HAC"`.
    NeweyWest(usize),
}

/// A least-squares fit. Vectors have the intercept first, then a value for each factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// Intercept and slopes.
    pub coefficients: Vec<f64>,
    /// Their standard errors.
    pub errors: Vec<f64>,
    /// Coefficient over error.
    pub t_values: Vec<f64>,
    /// Two-sided.
    pub p_values: Vec<f64>,
    /// Share of the variance explained.
    pub r_squared: f64,
    /// The same with degrees of freedom taken into account.
    pub adjusted_r_squared: f64,
    /// What the factors leave unexplained.
    pub residuals: Vec<f64>,
}

/// A mean with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanTest {
    /// The mean.
    pub mean: f64,
    /// Its Newey-West standard error.
    pub error: f64,
    /// Mean over error.
    pub t_value: f64,
    /// Two-sided, by the normal distribution.
    pub p_value: f64,
}

/// The usual number of lags, ⌊4 (n / 100)^(2/9)⌋ (Newey and West 1994).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number"
)]
pub fn newey_west_lags(rows: usize) -> usize {
    (4.0 * (rows as f64 / 100.0).powf(2.0 / 9.0)).floor() as usize
}

/// The mean of a correlated series, with Newey-West errors.
///
/// # Errors
/// When there are fewer than two values or no more than lags, one is not finite, or they are constant.
pub fn newey_west_mean(values: &[f64], lags: usize) -> Result<MeanTest> {
    let fit = regress(values, &[], values.len(), Errors::NeweyWest(lags))?;
    if fit.errors[0] == 0.0 {
        return Err(Error::Constant {
            name: "the series",
            column: 0,
        });
    }
    Ok(MeanTest {
        mean: fit.coefficients[0],
        error: fit.errors[0],
        t_value: fit.t_values[0],
        p_value: fit.p_values[0],
    })
}

/// Regresses returns on factors (one column each) and an intercept.
///
/// # Errors
/// When lengths differ, there are not more rows than coefficients and lags, a value is not finite, or a factor is a
/// combination of others.
///
/// ```
/// use nanobook::linalg::Matrix;
/// use nanobook::stats::{Errors, factor_regression};
///
/// let market = [0.01, -0.02, 0.03, 0.00, 0.015];
/// let returns: Vec<f64> = market.iter().map(|m| 0.001 + 1.5 * m).collect();
/// let fit = factor_regression(&returns, Matrix::new(&market, 1)?, Errors::Plain)?;
/// assert!((fit.coefficients[0] - 0.001).abs() < 1e-12);
/// assert!((fit.coefficients[1] - 1.5).abs() < 1e-12);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn factor_regression(
    returns: &[f64],
    factors: Matrix<'_>,
    errors: Errors,
) -> Result<Regression> {
    same_length("factors", factors.rows(), returns.len())?;
    factors.finite("factors")?;
    let columns: Vec<Vec<f64>> = (0..factors.columns()).map(|c| factors.column(c)).collect();
    regress(returns, &columns, returns.len(), errors)
}

fn regress(y: &[f64], factors: &[Vec<f64>], n: usize, errors: Errors) -> Result<Regression> {
    let k = factors.len() + 1;
    let lags = match errors {
        Errors::Plain => 0,
        Errors::NeweyWest(lags) => lags,
    };
    at_least("returns", n, (k + 1).max(lags + 1))?;
    finite("returns", y)?;
    let mut basis: Vec<Vec<f64>> = vec![vec![1.0; n]];
    basis.extend(factors.iter().cloned());
    // Gram and Schmidt with a second pass: X = QR, then R is inverted.
    let mut upper = vec![0.0; k * k];
    for j in 0..k {
        let size = dot(&basis[j], &basis[j]).sqrt();
        for _ in 0..2 {
            for i in 0..j {
                let (before, rest) = basis.split_at_mut(j);
                let share = dot(&before[i], &rest[0]);
                upper[i * k + j] += share;
                for (x, q) in rest[0].iter_mut().zip(&before[i]) {
                    *x -= share * q;
                }
            }
        }
        let left = dot(&basis[j], &basis[j]).sqrt();
        if left.is_nan() || left <= size * 1e-12 {
            return Err(Error::Singular {
                name: "the factor matrix",
                hint: "a factor is constant or a combination of the others, leave it out",
            });
        }
        upper[j * k + j] = left;
        for x in &mut basis[j] {
            *x /= left;
        }
    }
    let mut inverse = vec![0.0; k * k];
    for j in 0..k {
        inverse[j * k + j] = 1.0 / upper[j * k + j];
        for i in (0..j).rev() {
            let sum: f64 = (i + 1..=j)
                .map(|m| upper[i * k + m] * inverse[m * k + j])
                .sum();
            inverse[i * k + j] = -sum / upper[i * k + i];
        }
    }
    let projection: Vec<f64> = basis.iter().map(|q| dot(q, y)).collect();
    let coefficients: Vec<f64> = (0..k)
        .map(|i| dot(&inverse[i * k..(i + 1) * k], &projection))
        .collect();
    let mut residuals = y.to_vec();
    for (q, &share) in basis.iter().zip(&projection) {
        for (r, q) in residuals.iter_mut().zip(q) {
            *r -= share * q;
        }
    }
    let squares = dot(&residuals, &residuals);
    let freedom = (n - k) as f64;
    // The covariance of Qᵀy, carried back through R⁻¹.
    let mut middle = vec![0.0; k * k];
    match errors {
        Errors::Plain => (0..k).for_each(|i| middle[i * k + i] = squares / freedom),
        Errors::NeweyWest(lags) => {
            let scores: Vec<Vec<f64>> = basis
                .iter()
                .map(|q| q.iter().zip(&residuals).map(|(q, r)| q * r).collect())
                .collect();
            for i in 0..k {
                for j in 0..k {
                    let mut sum = dot(&scores[i], &scores[j]);
                    for lag in 1..=lags {
                        let weight = 1.0 - lag as f64 / (lags as f64 + 1.0);
                        sum += weight
                            * (dot(&scores[i][lag..], &scores[j][..n - lag])
                                + dot(&scores[j][lag..], &scores[i][..n - lag]));
                    }
                    middle[i * k + j] = sum;
                }
            }
        }
    }
    let errors_found: Vec<f64> = (0..k)
        .map(|i| {
            let row = &inverse[i * k..(i + 1) * k];
            let variance: f64 = (0..k)
                .map(|a| row[a] * dot(&middle[a * k..(a + 1) * k], row))
                .sum();
            variance.max(0.0).sqrt()
        })
        .collect();
    let t_values: Vec<f64> = coefficients
        .iter()
        .zip(&errors_found)
        .map(|(c, e)| c / e)
        .collect();
    let p_values = t_values
        .iter()
        .map(|t| match errors {
            Errors::Plain => student_two_sided(*t, freedom),
            Errors::NeweyWest(_) => 2.0 * normal_cdf(-t.abs()),
        })
        .collect();
    let mean = y.iter().sum::<f64>() / n as f64;
    let total: f64 = y.iter().map(|v| (v - mean) * (v - mean)).sum();
    let r_squared = 1.0 - squares / total;
    Ok(Regression {
        coefficients,
        errors: errors_found,
        t_values,
        p_values,
        r_squared,
        adjusted_r_squared: 1.0 - (1.0 - r_squared) * (n as f64 - 1.0) / freedom,
        residuals,
    })
}
