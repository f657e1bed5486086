use super::Mean;
use crate::stats::error::{at_least, finite};
use crate::stats::{Error, Result};

/// Exponentially weighted variance (`RiskMetrics` 1996): `h₊₁ = λ h + (1 − λ) r²`, of returns with mean zero.
///
/// The first value is `arch`'s backcast, the mean of the first 75 squares with weights 0.94ᵏ. Gives the variance for each
/// row known before it, and one more: the forecast for the next row.
///
/// # Errors
/// When there is no return, one is not finite, or the decay is not between 0 and 1.
///
/// ```
/// let variances = nanobook::volatility::ewma_variance(&[0.01, -0.03, 0.02], 0.94)?;
/// assert_eq!(variances.len(), 4);
/// assert!((variances[1] - (0.94 * variances[0] + 0.06 * 0.0001)).abs() < 1e-18);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn ewma_variance(returns: &[f64], decay: f64) -> Result<Vec<f64>> {
    at_least("returns", returns.len(), 1)?;
    finite("returns", returns)?;
    if !(decay > 0.0 && decay < 1.0) {
        return Err(Error::Parameter {
            name: "decay",
            found: decay,
            wanted: "give a number between 0 and 1, 0.94 is usual for daily returns",
        });
    }
    let mut variances = Vec::with_capacity(returns.len() + 1);
    let mut variance = backcast(returns);
    variances.push(variance);
    for r in returns {
        variance = decay * variance + (1.0 - decay) * r * r;
        variances.push(variance);
    }
    Ok(variances)
}

/// Next period's volatility by a GARCH(1,1) whose parameters are fixed, not estimated: α = 0.08, β = 0.90,
/// ω = 0.02 × the sample variance. The classic `garch_forecast` was this; [`garch_forecast`](super::garch_forecast)
/// estimates.
///
/// # Errors
/// When there are fewer than two returns or one is not finite.
pub fn garch_ewma_forecast(returns: &[f64], mean: Mean) -> Result<f64> {
    at_least("returns", returns.len(), 2)?;
    finite("returns", returns)?;
    let n = returns.len() as f64;
    let average = match mean {
        Mean::Zero => 0.0,
        Mean::Constant => returns.iter().sum::<f64>() / n,
    };
    let total: f64 = returns.iter().map(|r| (r - average) * (r - average)).sum();
    let sample = total / n;
    let variance = returns.iter().fold(sample, |variance, r| {
        0.02 * sample + 0.08 * (r - average) * (r - average) + 0.90 * variance
    });
    Ok(variance.sqrt())
}

/// The variance before the first row: `arch`'s convention.
pub(super) fn backcast(residuals: &[f64]) -> f64 {
    let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
    for e in residuals.iter().take(75) {
        sum += weight * e * e;
        weights += weight;
        weight *= 0.94;
    }
    sum / weights
}
