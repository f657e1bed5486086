use std::f64::consts::E;

use super::error::{at_least, finite};
use super::special::{normal_cdf, normal_quantile};
use super::{Error, Result};

/// What the published Sharpe-ratio statistics need to know of a return series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharpeMoments {
    /// Mean over sample deviation (n − 1), a period's, not annualized.
    pub sharpe: f64,
    /// Population skewness.
    pub skew: f64,
    /// Population kurtosis; 3 for a normal distribution.
    pub kurtosis: f64,
    /// Number of returns.
    pub rows: usize,
}

impl SharpeMoments {
    /// Of a series of returns.
    ///
    /// # Errors
    /// When there are fewer than three returns, one is not finite, or they are constant.
    pub fn of(returns: &[f64]) -> Result<Self> {
        at_least("returns", returns.len(), 3)?;
        finite("returns", returns)?;
        let n = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / n;
        let moment = |k: i32| returns.iter().map(|r| (r - mean).powi(k)).sum::<f64>() / n;
        let variance = moment(2);
        if variance <= mean * mean * 1e-30
            || returns.iter().all(|r| r.to_bits() == returns[0].to_bits())
        {
            return Err(Error::Constant {
                name: "returns",
                column: 0,
            });
        }
        Ok(SharpeMoments {
            sharpe: mean / (variance * n / (n - 1.0)).sqrt(),
            skew: moment(3) / variance.powf(1.5),
            kurtosis: moment(4) / (variance * variance),
            rows: returns.len(),
        })
    }

    /// One minus skew times Sharpe plus a quarter of excess kurtosis + 2 times its square: n − 1 times the variance of
    /// the estimate.
    fn spread(&self) -> f64 {
        1.0 - self.skew * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe * self.sharpe
    }

    /// The probability that the true Sharpe ratio is above `benchmark` (a period's): Bailey and López de Prado, "The
    /// Sharpe Ratio Efficient Frontier" (2012).
    ///
    /// ```
    /// use nanobook::stats::SharpeMoments;
    ///
    /// let moments = SharpeMoments { sharpe: 0.0607, skew: -0.027, kurtosis: 13.46, rows: 1577 };
    /// assert!((moments.probabilistic(0.0) - 0.99166).abs() < 1e-4);
    /// ```
    pub fn probabilistic(&self, benchmark: f64) -> f64 {
        let n = self.rows as f64;
        normal_cdf((self.sharpe - benchmark) * ((n - 1.0) / self.spread()).sqrt())
    }

    /// The probability that the true Sharpe ratio is above what the best of `trials` would show by luck: Bailey and
    /// López de Prado, "The Deflated Sharpe Ratio" (2014). `variance` is that of the trials' Sharpe ratios, a period's.
    ///
    /// # Errors
    /// When there is no trial, or the variance is negative.
    pub fn deflated(&self, trials: usize, variance: f64) -> Result<f64> {
        Ok(self.probabilistic(expected_best_sharpe(trials, variance)?))
    }

    /// How many returns are needed before the Sharpe ratio is above `benchmark` with probability `confidence`: the
    /// minimum track record length (Bailey and López de Prado 2012). Infinite when the ratio is not above the benchmark.
    ///
    /// # Errors
    /// When the confidence is not between 0 and 1.
    pub fn minimum_track_record(&self, benchmark: f64, confidence: f64) -> Result<f64> {
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(Error::Parameter {
                name: "confidence",
                found: confidence,
                wanted: "give a probability between 0 and 1",
            });
        }
        if self.sharpe <= benchmark {
            return Ok(f64::INFINITY);
        }
        let distance = normal_quantile(confidence) / (self.sharpe - benchmark);
        Ok(1.0 + self.spread() * distance * distance)
    }
}

/// The Sharpe ratio that the best of `trials` without skill is expected to show; `variance` is that of the trials' ratios.
///
/// # Errors
/// When there is no trial, or the variance is negative.
pub fn expected_best_sharpe(trials: usize, variance: f64) -> Result<f64> {
    const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;
    if trials == 0 || !(variance >= 0.0 && variance.is_finite()) {
        return Err(Error::Parameter {
            name: if trials == 0 { "trials" } else { "variance" },
            found: if trials == 0 { 0.0 } else { variance },
            wanted: "give at least one trial, and a variance of zero or more",
        });
    }
    if trials == 1 {
        // The best of one is that one: nothing was selected.
        return Ok(0.0);
    }
    let n = trials as f64;
    let best = (1.0 - EULER_MASCHERONI) * normal_quantile(1.0 - 1.0 / n)
        + EULER_MASCHERONI * normal_quantile(1.0 - 1.0 / (n * E));
    Ok(variance.sqrt() * best)
}
