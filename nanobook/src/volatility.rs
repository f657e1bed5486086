//! Volatility: GARCH models by maximum likelihood, exponential weighting, and estimators from bars.
//!
//! | what | where | agrees with |
//! |---|---|---|
//! | GARCH(p,q), GJR, EGARCH; normal or Student's t | [`Model::fit`], [`Fit::forecast`] | `arch` |
//! | next period's volatility in one call | [`garch_forecast`] | `arch` |
//! | fixed decay | [`ewma_variance`] | `arch`'s `EWMAVariance` |
//! | close-to-close, Parkinson, Garman-Klass, Rogers-Satchell, Yang-Zhang | [`realized`] | R's TTR |
//!
//! Volatilities are a period's, not annualized: multiply by the root of the periods in a year.

mod ewma;
mod fit;
mod forecast;
mod likelihood;
mod model;
mod realized;

pub use ewma::{ewma_variance, garch_ewma_forecast};
pub use fit::Fit;
pub use forecast::{Forecast, Step};
pub use model::{Distribution, Mean, Model, Variance};
pub use realized::{Bars, Estimator, realized};

use crate::stats::Result;

/// Next period's volatility by a GARCH(p,q) with normal errors, fitted by maximum likelihood: the square root of the
/// one-step variance forecast. The last return counts once.
///
/// # Errors
/// As [`Model::fit`].
///
/// ```
/// use nanobook::volatility::{Mean, garch_forecast};
///
/// let returns: Vec<f64> = (0..500).map(|i| f64::from(i * 7_919 % 1_009) / 504.0 - 1.0).collect();
/// let sigma = garch_forecast(&returns, 1, 1, Mean::Zero)?;
/// assert!(sigma > 0.4 && sigma < 0.8);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn garch_forecast(returns: &[f64], p: usize, q: usize, mean: Mean) -> Result<f64> {
    let model = Model {
        mean,
        variance: Variance::Garch { p, q },
        distribution: Distribution::Normal,
    };
    let forecast = model.fit(returns)?.forecast(1, 0)?;
    Ok(forecast.steps[0].variance.sqrt())
}
