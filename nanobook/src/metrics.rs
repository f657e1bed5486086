//! What a series of returns was worth.
//!
//! Every number has one convention: that of empyrical where it has the number, else that of quantstats, which agree where
//! both have it but for what is said at the field. Returns are simple, of equal periods; a standard deviation divides by
//! one less than their number; a risk-free return is that of one period. What can't be said is NaN: a ratio whose
//! denominator is zero, a deviation of one return.
//!
//! | function | what |
//! |---|---|
//! | [`Metrics::of`] | all numbers of one series |
//! | [`Relative::to`] | the same beside a benchmark |
//! | [`drawdowns`], [`drawdown_series`] | falls from a peak, and when they were made good |
//! | [`rolling_sharpe`], [`rolling_volatility`], [`rolling_beta`], [`rolling_max_drawdown`] | over a moving window |
//! | [`monthly`], [`yearly`] | compounded by calendar |

mod drawdown;
mod periods;
mod relative;
mod rolling;

pub use drawdown::{Drawdown, drawdown_series, drawdowns};
pub use periods::{PeriodReturn, monthly, yearly};
pub use relative::Relative;
pub use rolling::{rolling_beta, rolling_max_drawdown, rolling_sharpe, rolling_volatility};

/// Why metrics were not computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// No returns.
    #[error("there are no returns")]
    Empty,
    /// A return that is no number.
    #[error("return {row} is {value}; drop it or say what it is")]
    NotFinite {
        /// Its place, from zero.
        row: usize,
        /// What it is.
        value: f64,
    },
    /// A parameter that can't be.
    #[error("{name} is {value}; it is finite and above zero")]
    BadParameter {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
    },
    /// Two series that should go together.
    #[error("there are {returns} returns and {other} of {what}")]
    Lengths {
        /// What the other series is.
        what: &'static str,
        /// Returns.
        returns: usize,
        /// Values of the other series.
        other: usize,
    },
}

/// How returns are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Basis {
    /// Periods in a year: 252 for trading days.
    pub periods_per_year: f64,
    /// The risk-free return of one period, which Sharpe, Sortino and Omega subtract.
    pub risk_free: f64,
}

impl Default for Basis {
    fn default() -> Self {
        Self {
            periods_per_year: 252.0,
            risk_free: 0.0,
        }
    }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The numbers of one series of returns.
        ///
        /// # Examples
        /// ```
        /// use nanobook::metrics::{Basis, Metrics};
        /// let metrics = Metrics::of(&[0.01, -0.02, 0.03, 0.0], Basis::default())?;
        /// assert!((metrics.max_drawdown - 0.02).abs() < 1e-15);
        /// assert!((metrics.total_return - (1.01 * 0.98 * 1.03 - 1.0)).abs() < 1e-15);
        /// # Ok::<(), nanobook::metrics::MetricsError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Metrics {
            /// How many returns.
            pub periods: usize,
            $($(#[$doc])* pub $name: f64,)*
        }

        impl Metrics {
            /// The names of the numbers, in order.
            pub const NAMES: &[&str] = &[$(stringify!($name),)*];

            /// The numbers, in the order of [`Metrics::NAMES`].
            pub fn values(&self) -> Vec<f64> {
                vec![$(self.$name,)*]
            }
        }
    };
}

metrics! {
    /// All returns compounded.
    total_return,
    /// The same for a year: `(1 + total)^(periods per year / n) - 1`; −1 when everything is lost.
    annual_return,
    /// Standard deviation, times the root of periods per year.
    volatility,
    /// Mean excess return over its standard deviation, times the root of periods per year.
    sharpe,
    /// Mean excess return over the root of the mean square of negative excess returns, all periods counted, times the
    /// root of periods per year.
    sortino,
    /// Annual return over the largest drawdown.
    calmar,
    /// The largest fall from a peak, the start counted as one, as a positive fraction.
    max_drawdown,
    /// The most periods from a peak until it was reached again, or the end.
    max_drawdown_periods,
    /// The 5 % quantile of returns, between two of them linearly: negative for a loss. quantstats takes a normal
    /// distribution's by default.
    value_at_risk,
    /// The mean of the worst 5 % of returns, as many as `floor(0.05 (n − 1)) + 1`.
    conditional_value_at_risk,
    /// Excess returns above zero over those below, both summed.
    omega,
    /// Root of the sum of squared drawdowns over `n − 1`, as quantstats has it.
    ulcer_index,
    /// The 95 % quantile over the 5 % quantile, without signs.
    tail_ratio,
    /// Skewness, without bias for a normal sample, as pandas has it.
    skew,
    /// Excess kurtosis, likewise.
    kurtosis,
    /// Returns above zero among those that are not zero, as quantstats counts.
    win_rate,
    /// The sum of gains over the sum of losses.
    profit_factor,
    /// The mean gain over the mean loss.
    payoff,
    /// `win rate − (1 − win rate) / payoff`.
    kelly,
    /// The largest return.
    best,
    /// The smallest return.
    worst,
    /// Root of the mean square of negative excess returns, times the root of periods per year.
    downside_risk,
    /// R² of a line through the logarithm of compounded returns.
    stability,
    /// The sum of returns, without its sign, over the largest drawdown, as quantstats has it.
    recovery_factor,
}

/// Sums of a series in one pass each.
struct Moments {
    mean: f64,
    /// Sums of the second, third and fourth powers of deviations from the mean.
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let (mut second, mut third, mut fourth) = (0.0, 0.0, 0.0);
        for value in values {
            let off = value - mean;
            let square = off * off;
            second += square;
            third += square * off;
            fourth += square * square;
        }
        Self {
            mean,
            second,
            third,
            fourth,
        }
    }
}

/// A quotient, NaN rather than infinite.
pub(crate) fn ratio(above: f64, below: f64) -> f64 {
    if below == 0.0 {
        f64::NAN
    } else {
        above / below
    }
}

/// Standard deviation, dividing by one less than the number; NaN for fewer than two.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    (Moments::of(values).second / (values.len() - 1) as f64).sqrt()
}

/// The value below which `part` of the values lie, linearly between two; reorders them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the values"
)]
fn quantile(values: &mut [f64], part: f64) -> f64 {
    let place = part * (values.len() - 1) as f64;
    let (below, rest) = (place.floor(), place - place.floor());
    let (_, low, above) = values.select_nth_unstable_by(below as usize, f64::total_cmp);
    let low = *low;
    if rest == 0.0 || above.is_empty() {
        return low;
    }
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    // From the nearer end, as NumPy does.
    if rest < 0.5 {
        low + (high - low) * rest
    } else {
        high - (high - low) * (1.0 - rest)
    }
}

pub(crate) fn check(returns: &[f64], basis: Basis) -> Result<(), MetricsError> {
    if returns.is_empty() {
        return Err(MetricsError::Empty);
    }
    let name = "periods_per_year";
    let value = basis.periods_per_year;
    if !(value.is_finite() && value > 0.0) {
        return Err(MetricsError::BadParameter { name, value });
    }
    if !basis.risk_free.is_finite() {
        let (name, value) = ("risk_free", basis.risk_free);
        return Err(MetricsError::BadParameter { name, value });
    }
    check_finite(returns)
}

pub(crate) fn check_finite(returns: &[f64]) -> Result<(), MetricsError> {
    match returns.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(MetricsError::NotFinite {
            row,
            value: returns[row],
        }),
        None => Ok(()),
    }
}

impl Metrics {
    /// The numbers of a series of returns.
    ///
    /// # Errors
    /// When there are none, one is not finite, or the basis can't be.
    pub fn of(returns: &[f64], basis: Basis) -> Result<Self, MetricsError> {
        check(returns, basis)?;
        let n = returns.len();
        let count = n as f64;
        let (year, free) = (basis.periods_per_year, basis.risk_free);
        let root = year.sqrt();
        let moments = Moments::of(returns);
        let sd = if n < 2 {
            f64::NAN
        } else {
            (moments.second / (count - 1.0)).sqrt()
        };
        let excess = moments.mean - free;
        let sums = Sums::of(returns, free);
        let downside = (sums.downside_squares / count).sqrt();
        let path = Path::of(returns);
        let annual_return = if path.end <= 0.0 {
            -1.0
        } else {
            path.end.powf(year / count) - 1.0
        };
        let win_rate = ratio(sums.wins, sums.wins + sums.losses);
        let payoff = ratio(ratio(sums.gain, sums.wins), ratio(sums.loss, sums.losses));
        let mut sorted = returns.to_vec();
        let value_at_risk = quantile(&mut sorted, 0.05);
        let upper = quantile(&mut sorted, 0.95);
        let lower = quantile(&mut sorted, 0.05);
        let conditional_value_at_risk = mean_of_worst(&mut sorted);
        Ok(Self {
            periods: n,
            total_return: path.end - 1.0,
            annual_return,
            volatility: sd * root,
            sharpe: ratio(excess, sd) * root,
            sortino: ratio(excess, downside) * root,
            calmar: ratio(annual_return, path.max_drawdown),
            max_drawdown: path.max_drawdown,
            max_drawdown_periods: path.longest as f64,
            value_at_risk,
            conditional_value_at_risk,
            omega: ratio(sums.above, sums.below),
            ulcer_index: (path.squares / (count - 1.0)).sqrt(),
            tail_ratio: ratio(upper.abs(), lower.abs()),
            skew: skew(&moments, count),
            kurtosis: kurtosis(&moments, count),
            win_rate,
            profit_factor: ratio(sums.gain, sums.loss),
            payoff,
            kelly: win_rate - ratio(1.0 - win_rate, payoff),
            best: returns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            worst: returns.iter().copied().fold(f64::INFINITY, f64::min),
            downside_risk: downside * root,
            stability: stability(returns),
            recovery_factor: ratio((moments.mean * count).abs(), path.max_drawdown),
        })
    }
}

/// Sums by sign.
#[derive(Default)]
struct Sums {
    wins: f64,
    losses: f64,
    gain: f64,
    loss: f64,
    above: f64,
    below: f64,
    downside_squares: f64,
}

impl Sums {
    fn of(returns: &[f64], free: f64) -> Self {
        let mut sums = Self::default();
        for &value in returns {
            if value > 0.0 {
                sums.wins += 1.0;
                sums.gain += value;
            } else if value < 0.0 {
                sums.losses += 1.0;
                sums.loss -= value;
            }
            let excess = value - free;
            if excess > 0.0 {
                sums.above += excess;
            } else {
                sums.below -= excess;
                sums.downside_squares += excess * excess;
            }
        }
        sums
    }
}

/// What compounding goes through.
struct Path {
    end: f64,
    max_drawdown: f64,
    /// The sum of squared drawdowns.
    squares: f64,
    longest: usize,
}

impl Path {
    fn of(returns: &[f64]) -> Self {
        let (mut value, mut peak) = (1.0_f64, 1.0_f64);
        let (mut max_drawdown, mut squares) = (0.0_f64, 0.0);
        let (mut under, mut longest) = (0, 0);
        for ret in returns {
            value *= 1.0 + ret;
            if value >= peak {
                peak = value;
                under = 0;
            } else {
                under += 1;
                longest = longest.max(under);
                let drawdown = 1.0 - value / peak;
                max_drawdown = max_drawdown.max(drawdown);
                squares += drawdown * drawdown;
            }
        }
        Self {
            end: value,
            max_drawdown,
            squares,
            longest,
        }
    }
}

/// The mean of the worst 5 %, as empyrical counts them; reorders the values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among the values"
)]
fn mean_of_worst(values: &mut [f64]) -> f64 {
    let last = ((values.len() - 1) as f64 * 0.05) as usize;
    values.select_nth_unstable_by(last, f64::total_cmp);
    values[..=last].iter().sum::<f64>() / (last + 1) as f64
}

/// Adjusted Fisher-Pearson skewness: `n √(n−1) / (n−2) · m3 / m2^1.5`.
fn skew(moments: &Moments, n: f64) -> f64 {
    if n < 3.0 || moments.second == 0.0 {
        return f64::NAN;
    }
    n * (n - 1.0).sqrt() / (n - 2.0) * moments.third / moments.second.powf(1.5)
}

/// Excess kurtosis of a sample without bias for a normal one (Joanes and Gill 1998, G2).
fn kurtosis(moments: &Moments, n: f64) -> f64 {
    if n < 4.0 || moments.second == 0.0 {
        return f64::NAN;
    }
    let fourth = n * (n + 1.0) * (n - 1.0) * moments.fourth
        / ((n - 2.0) * (n - 3.0) * moments.second * moments.second);
    fourth - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
}

/// R² of compounded log returns over time; NaN when a return loses everything.
fn stability(returns: &[f64]) -> f64 {
    let n = returns.len() as f64;
    if returns.len() < 2 || returns.iter().any(|ret| *ret <= -1.0) {
        return f64::NAN;
    }
    let mid = (n - 1.0) / 2.0;
    let mut level = 0.0;
    let levels: Vec<f64> = returns
        .iter()
        .map(|ret| {
            level += ret.ln_1p();
            level
        })
        .collect();
    let moments = Moments::of(&levels);
    let (mut both, mut times) = (0.0, 0.0);
    for (row, level) in levels.iter().enumerate() {
        let off = row as f64 - mid;
        both += off * (level - moments.mean);
        times += off * off;
    }
    ratio(both * both, times * moments.second)
}
