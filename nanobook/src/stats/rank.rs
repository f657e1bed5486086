#![allow(clippy::float_cmp, reason = "ties are values that are equal")]
#![allow(clippy::many_single_char_names, reason = "as in the formulas")]

use super::error::{at_least, finite, same_length};
use super::special::{normal_cdf, student_two_sided};
use super::{Error, Result};

/// A coefficient and the probability of one at least as far from zero when there is no association.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// From −1 to 1.
    pub coefficient: f64,
    /// Two-sided.
    pub p_value: f64,
}

/// Pearson's correlation; the p-value is Student's t with n − 2 degrees of freedom, as scipy's `pearsonr`.
///
/// Pairs on a line have coefficient ±1 and p-value 0, also where rounding would leave 1 − 10⁻¹⁶; scipy then says that the
/// p-value is up to 10⁻⁸.
///
/// # Errors
/// When there are fewer than three pairs, a value is not finite, or a series is constant.
///
/// ```
/// let r = nanobook::stats::pearson(&[1.0, 2.0, 3.0, 4.0], &[2.0, 4.0, 5.0, 9.0])?;
/// assert!((r.coefficient - 0.964_763).abs() < 1e-6);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn pearson(x: &[f64], y: &[f64]) -> Result<Correlation> {
    check(x, y)?;
    from_values(x, y)
}

/// Spearman's rank correlation, ties with their average rank; the p-value is Student's t with n − 2 degrees of freedom,
/// as scipy's `spearmanr`.
///
/// # Errors
/// When there are fewer than three pairs, a value is not finite, or a series is constant.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Correlation> {
    check(x, y)?;
    from_values(&ranks(x), &ranks(y))
}

/// Kendall's tau-b, as scipy's `kendalltau`: the exact p-value without ties for up to 33 pairs (and where at most one
/// pair disagrees), else the normal approximation with ties in its variance.
///
/// # Errors
/// When there are fewer than three pairs, a value is not finite, or a series is constant.
pub fn kendall(x: &[f64], y: &[f64]) -> Result<Correlation> {
    check(x, y)?;
    for (column, series) in [x, y].into_iter().enumerate() {
        not_constant(series, column)?;
    }
    let n = x.len();
    let mut order: Vec<usize> = (0..n).collect();
    // Added to zero, both zeros are the same: a tie.
    let zeroed = |value: f64| value + 0.0;
    order.sort_unstable_by(|&a, &b| {
        let by_x = zeroed(x[a]).total_cmp(&zeroed(x[b]));
        by_x.then(zeroed(y[a]).total_cmp(&zeroed(y[b])))
    });
    let sorted: Vec<f64> = order.iter().map(|&i| y[i]).collect();
    let joint = runs(
        order
            .windows(2)
            .map(|w| x[w[0]] == x[w[1]] && y[w[0]] == y[w[1]]),
    );
    let x_runs = runs(order.windows(2).map(|w| x[w[0]] == x[w[1]]));
    let mut in_order = sorted.clone();
    let discordant = inversions(&mut in_order);
    let y_runs = runs(in_order.windows(2).map(|w| w[0] == w[1]));
    let pairs = |runs: &[f64]| runs.iter().map(|t| t * (t - 1.0) / 2.0).sum::<f64>();
    let (x_ties, y_ties, both) = (pairs(&x_runs), pairs(&y_runs), pairs(&joint));
    let count = n as f64;
    let total = count * (count - 1.0) / 2.0;
    let balance = total - x_ties - y_ties + both - 2.0 * discordant;
    let tau = (balance / (total - x_ties).sqrt() / (total - y_ties).sqrt()).clamp(-1.0, 1.0);
    let fewer = discordant.min(total - discordant);
    let p_value = if x_ties == 0.0 && y_ties == 0.0 && (n <= 33 || fewer <= 1.0) {
        exact(n, fewer, total)
    } else {
        let cubic = |runs: &[f64]| runs.iter().map(|t| t * (t - 1.0) * (t - 2.0)).sum::<f64>();
        let wide = |runs: &[f64]| {
            runs.iter()
                .map(|t| t * (t - 1.0) * (2.0 * t + 5.0))
                .sum::<f64>()
        };
        let m = count * (count - 1.0);
        let variance = (m * (2.0 * count + 5.0) - wide(&x_runs) - wide(&y_runs)) / 18.0
            + 2.0 * x_ties * y_ties / m
            + cubic(&x_runs) * cubic(&y_runs) / (9.0 * m * (count - 2.0));
        2.0 * normal_cdf(-(balance / variance.sqrt()).abs())
    };
    Ok(Correlation {
        coefficient: tau,
        p_value,
    })
}

/// Ranks from 1, equal values sharing the average of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == value {
            end += 1;
        }
        let rank = (start + 1 + end) as f64 / 2.0;
        for &i in &order[start..end] {
            ranks[i] = rank;
        }
        start = end;
    }
    ranks
}

fn check(x: &[f64], y: &[f64]) -> Result<()> {
    same_length("y", y.len(), x.len())?;
    at_least("a series", x.len(), 3)?;
    finite("x", x)?;
    finite("y", y)
}

fn not_constant(series: &[f64], column: usize) -> Result<()> {
    if series.iter().all(|&v| v == series[0]) {
        let name = if column == 0 { "x" } else { "y" };
        return Err(Error::Constant { name, column: 0 });
    }
    Ok(())
}

/// How far rounding can keep the coefficient of pairs on a line from one.
const ROUNDING: f64 = 1e-15;

fn from_values(x: &[f64], y: &[f64]) -> Result<Correlation> {
    for (column, series) in [x, y].into_iter().enumerate() {
        not_constant(series, column)?;
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (&x, &y) in x.iter().zip(y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    if xx == 0.0 || yy == 0.0 {
        let name = if xx == 0.0 { "x" } else { "y" };
        return Err(Error::Constant { name, column: 0 });
    }
    let r = (xy / xx.sqrt() / yy.sqrt()).clamp(-1.0, 1.0);
    // What is short of one by rounding is one: of three pairs the p-value would be the root of the rounding error.
    let r = if 1.0 - r.abs() <= ROUNDING {
        r.signum()
    } else {
        r
    };
    let freedom = n - 2.0;
    let t = r * (freedom / ((1.0 - r) * (1.0 + r))).sqrt();
    Ok(Correlation {
        coefficient: r,
        p_value: student_two_sided(t, freedom),
    })
}

/// Lengths of runs of two or more, from whether each neighbour is equal.
fn runs(equal: impl Iterator<Item = bool>) -> Vec<f64> {
    let mut found = Vec::new();
    let mut length = 1.0;
    for equal in equal {
        if equal {
            length += 1.0;
        } else if length > 1.0 {
            found.push(std::mem::replace(&mut length, 1.0));
        }
    }
    if length > 1.0 {
        found.push(length);
    }
    found
}

/// Counts pairs in the wrong order while sorting (Knight 1966).
fn inversions(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n < 2 {
        return 0.0;
    }
    let middle = n / 2;
    let mut count = inversions(&mut values[..middle]) + inversions(&mut values[middle..]);
    let left = values[..middle].to_vec();
    let right = values[middle..].to_vec();
    let (mut i, mut j) = (0, 0);
    for slot in values.iter_mut() {
        if j >= right.len() || (i < left.len() && left[i] <= right[j]) {
            *slot = left[i];
            i += 1;
        } else {
            count += (left.len() - i) as f64;
            *slot = right[j];
            j += 1;
        }
    }
    count
}

/// Twice the share of permutations with at most `fewer` discordant pairs.
fn exact(n: usize, fewer: f64, total: f64) -> f64 {
    if 2.0 * fewer >= total {
        return 1.0;
    }
    // Bounded: at most 33·32/4 for short series, 1 for long ones.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small count"
    )]
    let most = fewer as usize;
    let mut share = vec![0.0; most + 1];
    share[0] = 1.0;
    for length in 2..=n {
        let mut next = vec![0.0; most + 1];
        for (k, slot) in next.iter_mut().enumerate() {
            *slot = share[(k + 1).saturating_sub(length)..=k]
                .iter()
                .sum::<f64>()
                / length as f64;
        }
        share = next;
    }
    (2.0 * share.iter().sum::<f64>()).min(1.0)
}
