//! A series beside a benchmark.

use super::{Basis, MetricsError, check, check_finite, deviation, ratio};

/// What a series was worth beside a benchmark, as empyrical defines it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relative {
    /// The part of the mean excess return that beta does not explain, compounded over a year.
    pub alpha: f64,
    /// Covariance of excess returns over the benchmark's variance.
    pub beta: f64,
    /// Mean of the differences over their standard deviation, of one period.
    pub information_ratio: f64,
    /// Standard deviation of the differences, times the root of periods per year.
    pub tracking_error: f64,
    /// Correlation of the returns.
    pub correlation: f64,
    /// Mean return, of one period, over the benchmark's where that rises, compounded to a year both.
    pub up_capture: f64,
    /// The same where it falls.
    pub down_capture: f64,
}

impl Relative {
    /// The names of the numbers, in order.
    pub const NAMES: &[&str] = &[
        "alpha",
        "beta",
        "information_ratio",
        "tracking_error",
        "correlation",
        "up_capture",
        "down_capture",
    ];

    /// The numbers, in the order of [`Relative::NAMES`].
    pub fn values(&self) -> Vec<f64> {
        vec![
            self.alpha,
            self.beta,
            self.information_ratio,
            self.tracking_error,
            self.correlation,
            self.up_capture,
            self.down_capture,
        ]
    }

    /// A series of returns beside that of a benchmark over the same periods.
    ///
    /// # Errors
    /// When they differ in number, there are none, or one is not finite.
    pub fn to(benchmark: &[f64], returns: &[f64], basis: Basis) -> Result<Self, MetricsError> {
        check(returns, basis)?;
        check_finite(benchmark)?;
        if benchmark.len() != returns.len() {
            return Err(MetricsError::Lengths {
                what: "the benchmark",
                returns: returns.len(),
                other: benchmark.len(),
            });
        }
        let n = returns.len() as f64;
        let (year, free) = (basis.periods_per_year, basis.risk_free);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
        let (own, other) = (mean(returns), mean(benchmark));
        let (mut both, mut own_square, mut other_square) = (0.0, 0.0, 0.0);
        for (a, b) in returns.iter().zip(benchmark) {
            both += (a - own) * (b - other);
            own_square += (a - own) * (a - own);
            other_square += (b - other) * (b - other);
        }
        let beta = ratio(both, other_square);
        let left = (own - free) - beta * (other - free);
        let difference: Vec<f64> = returns.iter().zip(benchmark).map(|(a, b)| a - b).collect();
        let spread = deviation(&difference);
        Ok(Self {
            alpha: (1.0 + left).powf(year) - 1.0,
            beta,
            information_ratio: ratio(mean(&difference), spread),
            tracking_error: spread * year.sqrt(),
            correlation: ratio(both, (own_square * other_square).sqrt()),
            up_capture: capture(benchmark, returns, year, |ret| ret > 0.0),
            down_capture: capture(benchmark, returns, year, |ret| ret < 0.0),
        })
    }
}

/// Annual return over the benchmark's, of the periods in which the benchmark goes one way.
fn capture(benchmark: &[f64], returns: &[f64], year: f64, way: impl Fn(f64) -> bool) -> f64 {
    let (mut own, mut other, mut count) = (1.0, 1.0, 0.0);
    for (ret, bench) in returns.iter().zip(benchmark).filter(|(_, b)| way(**b)) {
        own *= 1.0 + ret;
        other *= 1.0 + bench;
        count += 1.0;
    }
    if count == 0.0 {
        return f64::NAN;
    }
    let annual = |value: f64| f64::powf(value, year / count) - 1.0;
    ratio(annual(own), annual(other))
}
