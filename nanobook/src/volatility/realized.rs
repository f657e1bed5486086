use std::f64::consts::LN_2;

use crate::stats::error::same_length;
use crate::stats::{Error, Result};

/// Opening, highest, lowest and closing prices, one value a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bars<'a> {
    /// First price of the row; may be empty for the estimators that do not look at it.
    pub open: &'a [f64],
    /// Highest price; may be empty for close-to-close.
    pub high: &'a [f64],
    /// Lowest price; may be empty for close-to-close.
    pub low: &'a [f64],
    /// Last price.
    pub close: &'a [f64],
}

/// How volatility is estimated from a window of bars. Logarithms throughout; `n` is the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimator {
    /// Sample deviation (n − 1) of `n` changes of the close.
    CloseToClose,
    /// `√(Σ ln²(H/L) / (4 n ln 2))` (Parkinson 1980).
    Parkinson,
    /// `√(Σ [½ ln²(H/L) − (2 ln 2 − 1) ln²(C/O)] / n)` (Garman and Klass 1980).
    GarmanKlass,
    /// `√(Σ [ln(H/C) ln(H/O) + ln(L/C) ln(L/O)] / n)` (Rogers and Satchell 1991).
    RogersSatchell,
    /// `√(V_overnight + k V_open-close + (1 − k) V_Rogers-Satchell)`, sample variances, k = 0.34 / (1.34 + (n+1)/(n−1))
    /// (Yang and Zhang 2000).
    YangZhang,
}

/// Volatility of a moving window of `window` rows, a period's; NaN while the window is not full or holds a NaN.
///
/// Close-to-close and Yang-Zhang look at the close before the window and start a row later.
///
/// # Errors
/// When the inputs differ in length, the window is shorter than two rows (one for Parkinson, Garman-Klass and
/// Rogers-Satchell), or a price is not positive.
///
/// ```
/// use nanobook::volatility::{Bars, Estimator, realized};
///
/// let bars = Bars { open: &[], high: &[11.0, 12.0], low: &[10.0, 10.0], close: &[10.5, 11.0] };
/// let found = realized(bars, Estimator::Parkinson, 2)?;
/// assert!(found[0].is_nan() && (found[1] - 0.087_366).abs() < 1e-6);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn realized(bars: Bars<'_>, estimator: Estimator, window: usize) -> Result<Vec<f64>> {
    let rows = bars.close.len();
    let ranges = estimator != Estimator::CloseToClose;
    let opens = !matches!(estimator, Estimator::CloseToClose | Estimator::Parkinson);
    for (name, prices, needed) in [
        ("open", bars.open, opens),
        ("high", bars.high, ranges),
        ("low", bars.low, ranges),
        ("close", bars.close, true),
    ] {
        if !needed {
            continue;
        }
        same_length(name, prices.len(), rows)?;
        if let Some(row) = prices.iter().position(|p| *p <= 0.0 || p.is_infinite()) {
            return Err(Error::Parameter {
                name,
                found: prices[row],
                wanted: "prices are positive numbers, or NaN where there is none",
            });
        }
    }
    let varies = matches!(estimator, Estimator::CloseToClose | Estimator::YangZhang);
    if window < if varies { 2 } else { 1 } {
        return Err(Error::Parameter {
            name: "window",
            found: window as f64,
            wanted: "give at least two rows, one for estimators from the range",
        });
    }
    let ln = |a: &[f64], b: &[f64], row: usize| (a[row] / b[row]).ln();
    let gap = |row: usize, now: &[f64]| {
        if row == 0 {
            f64::NAN
        } else {
            (now[row] / bars.close[row - 1]).ln()
        }
    };
    let range_term = |row: usize| match estimator {
        Estimator::Parkinson => ln(bars.high, bars.low, row).powi(2) / (4.0 * LN_2),
        Estimator::GarmanKlass => {
            0.5 * ln(bars.high, bars.low, row).powi(2)
                - (2.0 * LN_2 - 1.0) * ln(bars.close, bars.open, row).powi(2)
        }
        _ => {
            ln(bars.high, bars.close, row) * ln(bars.high, bars.open, row)
                + ln(bars.low, bars.close, row) * ln(bars.low, bars.open, row)
        }
    };
    let term: Vec<f64> = match estimator {
        Estimator::CloseToClose => (0..rows).map(|row| gap(row, bars.close)).collect(),
        _ => (0..rows).map(range_term).collect(),
    };
    let (overnight, within): (Vec<f64>, Vec<f64>) = if estimator == Estimator::YangZhang {
        (0..rows)
            .map(|row| (gap(row, bars.open), ln(bars.close, bars.open, row)))
            .unzip()
    } else {
        (Vec::new(), Vec::new())
    };
    let n = window as f64;
    let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
    Ok((0..rows)
        .map(|row| {
            let Some(first) = (row + 1).checked_sub(window) else {
                return f64::NAN;
            };
            let terms = &term[first..=row];
            match estimator {
                Estimator::CloseToClose => variance(terms).sqrt(),
                Estimator::YangZhang => {
                    let range = terms.iter().sum::<f64>() / n;
                    (variance(&overnight[first..=row])
                        + k * variance(&within[first..=row])
                        + (1.0 - k) * range)
                        .sqrt()
                }
                // Rounding may leave a little less than nothing.
                _ => {
                    (terms.iter().sum::<f64>() / n).max(0.0).sqrt()
                        + terms.iter().sum::<f64>() * 0.0
                }
            }
        })
        .collect())
}

/// Sample variance.
fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0)
}
