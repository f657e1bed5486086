use super::error::at_least;
use super::rank::{pearson, spearman};
use super::regression::newey_west_mean;
use super::{Correlation, Error, Result};
use crate::linalg::Matrix;

/// How a signal is compared with what followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By ranks: the usual information coefficient.
    Spearman,
    /// By values.
    Pearson,
}

/// The information coefficient of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// None when fewer than three names have both values, or one side is constant.
    pub correlation: Option<Correlation>,
    /// Names that had both values.
    pub pairs: usize,
}

/// The information coefficient of every row: the correlation over names of a signal with the return that followed.
/// A name whose signal or return is NaN is left out of that row.
///
/// # Errors
/// When the shapes differ or a value is infinite.
pub fn information_coefficients(
    signal: Matrix<'_>,
    forward: Matrix<'_>,
    method: Method,
) -> Result<Vec<Coefficient>> {
    same_shape(signal, forward)?;
    let (mut x, mut y) = (Vec::new(), Vec::new());
    (0..signal.rows())
        .map(|row| {
            gather(signal.row(row), forward.row(row), &mut x, &mut y);
            let correlation = match method {
                Method::Spearman => spearman(&x, &y),
                Method::Pearson => pearson(&x, &y),
            };
            match correlation {
                Ok(correlation) => Ok(Some(correlation)),
                Err(Error::TooFew { .. } | Error::Constant { .. }) => Ok(None),
                Err(Error::NotFinite { name, row: at, .. }) => Err(Error::NotFinite {
                    name,
                    row,
                    column: at,
                }),
                Err(error) => Err(error),
            }
            .map(|correlation| Coefficient {
                correlation,
                pairs: x.len(),
            })
        })
        .collect()
}

/// What a series of information coefficients says at one horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    /// Rows between signal and the end of the return.
    pub horizon: usize,
    /// Mean coefficient.
    pub mean: f64,
    /// Sample deviation of the coefficients.
    pub deviation: f64,
    /// Mean over deviation: the information ratio of the coefficient.
    pub ratio: f64,
    /// t-value of the mean with Newey-West errors of horizon − 1 lags, because returns of neighbouring rows overlap.
    pub t_value: f64,
    /// Rows with a coefficient.
    pub rows: usize,
}

/// How the coefficient decays: for each horizon `h`, the signal at a row against the return of the prices from that row
/// to `h` rows later.
///
/// # Errors
/// When the shapes differ, a horizon is zero, or fewer than two rows have a coefficient.
pub fn decay(
    signal: Matrix<'_>,
    prices: Matrix<'_>,
    horizons: &[usize],
    method: Method,
) -> Result<Vec<Decay>> {
    same_shape(signal, prices)?;
    let columns = prices.columns();
    horizons
        .iter()
        .map(|&horizon| {
            if horizon == 0 {
                return Err(Error::Parameter {
                    name: "horizon",
                    found: 0.0,
                    wanted: "give at least one row",
                });
            }
            let rows = prices.rows().saturating_sub(horizon);
            at_least("prices", rows, 2)?;
            let (now, later) = (prices.values(), &prices.values()[horizon * columns..]);
            let forward: Vec<f64> = later.iter().zip(now).map(|(l, n)| l / n - 1.0).collect();
            let series: Vec<f64> = information_coefficients(
                Matrix::new(&signal.values()[..rows * columns], columns)?,
                Matrix::new(&forward, columns)?,
                method,
            )?
            .into_iter()
            .filter_map(|c| c.correlation.map(|c| c.coefficient))
            .collect();
            at_least("rows with a coefficient", series.len(), 2)?;
            let n = series.len() as f64;
            let mean = series.iter().sum::<f64>() / n;
            let variance = series.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
            Ok(Decay {
                horizon,
                mean,
                deviation: variance.sqrt(),
                ratio: mean / variance.sqrt(),
                t_value: newey_west_mean(&series, horizon - 1)
                    .map_or(f64::NAN, |mean| mean.t_value),
                rows: series.len(),
            })
        })
        .collect()
}

/// Returns by quantile of a signal in one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles {
    /// Mean return of each group, the lowest signals first; NaN for a row with fewer names than groups.
    pub means: Vec<f64>,
    /// Mean of the highest group minus mean of the lowest.
    pub spread: f64,
    /// Names that had both values.
    pub pairs: usize,
}

/// The mean return of each group of names sorted by signal, row by row.
///
/// Names are ranked in order (ties by position) and cut at the quantiles of the ranks, as pandas'
/// `qcut(signal.rank(method="first"), groups)` does. A name whose signal or return is NaN is left out.
///
/// # Errors
/// When the shapes differ or there are fewer than two groups.
pub fn quantile_returns(
    signal: Matrix<'_>,
    forward: Matrix<'_>,
    groups: usize,
) -> Result<Vec<Quantiles>> {
    same_shape(signal, forward)?;
    if groups < 2 {
        return Err(Error::Parameter {
            name: "groups",
            found: groups as f64,
            wanted: "give at least two groups",
        });
    }
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let rows = (0..signal.rows()).map(|row| {
        gather(signal.row(row), forward.row(row), &mut x, &mut y);
        let n = x.len();
        if n < groups {
            return Quantiles {
                means: vec![f64::NAN; groups],
                spread: f64::NAN,
                pairs: n,
            };
        }
        let mut order: Vec<usize> = (0..n).collect();
        // Added to zero, both zeros are the same.
        order.sort_by(|&a, &b| (x[a] + 0.0).total_cmp(&(x[b] + 0.0)));
        let mut sums = vec![(0.0, 0.0); groups];
        for (rank, &i) in order.iter().enumerate() {
            // The group whose upper edge, at the quantile of the ranks, is the first at or above this rank.
            let group = (rank * groups).div_ceil((n - 1).max(1)).saturating_sub(1);
            sums[group].0 += y[i];
            sums[group].1 += 1.0;
        }
        let means: Vec<f64> = sums.iter().map(|(sum, count)| sum / count).collect();
        Quantiles {
            spread: means[groups - 1] - means[0],
            means,
            pairs: n,
        }
    });
    Ok(rows.collect())
}

fn same_shape(a: Matrix<'_>, b: Matrix<'_>) -> Result<()> {
    super::error::same_length("a row of the second matrix", b.columns(), a.columns())?;
    super::error::same_length("the second matrix", b.values().len(), a.values().len())
}

fn gather(signal: &[f64], forward: &[f64], x: &mut Vec<f64>, y: &mut Vec<f64>) {
    x.clear();
    y.clear();
    for (&s, &f) in signal.iter().zip(forward) {
        if !s.is_nan() && !f.is_nan() {
            x.push(s);
            y.push(f);
        }
    }
}
