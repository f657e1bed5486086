use super::tail::confident;
use crate::covariance::Covariance;
use crate::linalg::Matrix;
use crate::stats::error::at_least;
use crate::stats::{Error, Result};

/// Mean of the worst 1 − `confidence` of losses; the row on the edge counts in part (Rockafellar and Uryasev).
pub fn conditional_value_at_risk(losses: &[f64], confidence: f64) -> f64 {
    let mut sorted = losses.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let mut left = (1.0 - confidence) * sorted.len() as f64;
    let share = left;
    let mut sum = 0.0;
    for loss in sorted {
        let part = left.min(1.0);
        sum += part * loss;
        left -= part;
        if left <= 0.0 {
            break;
        }
    }
    sum / share
}

/// Mean of the worst 1 − `confidence` of drawdowns of summed returns, from a start of zero.
pub fn conditional_drawdown(returns: &[f64], confidence: f64) -> f64 {
    let mut drawdown = 0.0f64;
    let drawdowns: Vec<f64> = returns
        .iter()
        .map(|r| {
            drawdown = (drawdown - r).max(0.0);
            drawdown
        })
        .collect();
    conditional_value_at_risk(&drawdowns, confidence)
}

/// Weights in proportion to 1 / deviation: optimal only where correlations are equal.
///
/// # Errors
/// When an asset has no variance.
///
/// ```
/// use nanobook::{covariance::Covariance, optimize::inverse_volatility};
///
/// let weights = inverse_volatility(&Covariance::new(vec![0.04, 0.01, 0.01, 0.01], 2)?)?;
/// assert!((weights[0] - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn inverse_volatility(covariance: &Covariance) -> Result<Vec<f64>> {
    inverse(&covariance.deviations())
}

/// Weights in proportion to 1 / conditional value at risk of each asset by itself.
///
/// # Errors
/// When a return is not finite, the confidence is not between 0 and 1, or an asset's risk is not positive.
pub fn inverse_cvar(returns: Matrix<'_>, confidence: f64) -> Result<Vec<f64>> {
    alone(returns, confidence, |series| {
        let losses: Vec<f64> = series.iter().map(|r| -r).collect();
        conditional_value_at_risk(&losses, confidence)
    })
}

/// Weights in proportion to 1 / conditional drawdown at risk of each asset by itself, of summed returns.
///
/// # Errors
/// As [`inverse_cvar`].
pub fn inverse_cdar(returns: Matrix<'_>, confidence: f64) -> Result<Vec<f64>> {
    alone(returns, confidence, |series| {
        conditional_drawdown(series, confidence)
    })
}

fn alone(returns: Matrix<'_>, confidence: f64, risk: impl Fn(&[f64]) -> f64) -> Result<Vec<f64>> {
    at_least("returns", returns.rows(), 2)?;
    returns.finite("returns")?;
    confident(confidence)?;
    let risks: Vec<f64> = (0..returns.columns())
        .map(|column| risk(&returns.column(column)))
        .collect();
    inverse(&risks)
}

fn inverse(risks: &[f64]) -> Result<Vec<f64>> {
    if let Some(column) = risks.iter().position(|r| r.is_nan() || *r <= 0.0) {
        return Err(Error::Constant {
            name: "the risk of an asset",
            column,
        });
    }
    let total: f64 = risks.iter().map(|r| 1.0 / r).sum();
    Ok(risks.iter().map(|r| 1.0 / r / total).collect())
}

/// Hierarchical risk parity (López de Prado 2016): single linkage on the distance √((1 − ρ) / 2), leaves in the order of
/// the tree, then halves of that list share risk by inverse variance. As `PyPortfolioOpt`'s `HRPOpt` with single linkage.
///
/// # Errors
/// When an asset has no variance.
pub fn hierarchical_risk_parity(covariance: &Covariance) -> Result<Vec<f64>> {
    let n = covariance.assets();
    let deviations = covariance.deviations();
    if let Some(column) = deviations.iter().position(|d| *d <= 0.0) {
        return Err(Error::Constant {
            name: "an asset",
            column,
        });
    }
    let distance = |i: usize, j: usize| {
        let correlation = covariance.row(i)[j] / (deviations[i] * deviations[j]);
        ((1.0 - correlation.clamp(-1.0, 1.0)) / 2.0).max(0.0).sqrt()
    };
    let order = single_linkage(n, distance);
    let mut weights = vec![1.0; n];
    let mut parts = vec![order];
    while let Some(part) = parts.pop() {
        if part.len() < 2 {
            continue;
        }
        let (left, right) = part.split_at(part.len() / 2);
        let (a, b) = (
            cluster_variance(covariance, left),
            cluster_variance(covariance, right),
        );
        let share = 1.0 - a / (a + b);
        for &asset in left {
            weights[asset] *= share;
        }
        for &asset in right {
            weights[asset] *= 1.0 - share;
        }
        parts.push(left.to_vec());
        parts.push(right.to_vec());
    }
    let total: f64 = weights.iter().sum();
    for w in &mut weights {
        *w /= total;
    }
    Ok(weights)
}

/// Variance of the inverse-variance portfolio of some assets.
fn cluster_variance(covariance: &Covariance, assets: &[usize]) -> f64 {
    let inverse: Vec<f64> = assets.iter().map(|&a| 1.0 / covariance.row(a)[a]).collect();
    let total: f64 = inverse.iter().sum();
    let mut variance = 0.0;
    for (&a, x) in assets.iter().zip(&inverse) {
        let row = covariance.row(a);
        variance += x * assets
            .iter()
            .zip(&inverse)
            .map(|(&b, y)| row[b] * y)
            .sum::<f64>();
    }
    variance / (total * total)
}

/// Leaves in the order of the single-linkage tree, as scipy numbers and lists them: merges by ascending distance, the
/// cluster with the smaller number first.
fn single_linkage(n: usize, distance: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    // The minimum spanning tree, by Prim.
    let mut tree = Vec::with_capacity(n.saturating_sub(1));
    let mut nearest = vec![(f64::INFINITY, 0); n];
    let mut inside = vec![false; n];
    let mut at = 0;
    for _ in 1..n {
        inside[at] = true;
        let mut next = None;
        for other in 0..n {
            if inside[other] {
                continue;
            }
            let reach = distance(at, other);
            if reach < nearest[other].0 {
                nearest[other] = (reach, at);
            }
            if next.is_none_or(|best: usize| nearest[other].0 < nearest[best].0) {
                next = Some(other);
            }
        }
        let Some(next) = next else { break };
        tree.push((nearest[next].0, nearest[next].1, next));
        at = next;
    }
    tree.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut cluster: Vec<usize> = (0..n).collect();
    let mut leaves: Vec<Vec<usize>> = (0..n).map(|leaf| vec![leaf]).collect();
    for (_, a, b) in tree {
        let (a, b) = (cluster[a], cluster[b]);
        let (first, second) = (a.min(b), a.max(b));
        let mut joined = std::mem::take(&mut leaves[first]);
        joined.extend(std::mem::take(&mut leaves[second]));
        let number = leaves.len();
        for &leaf in &joined {
            cluster[leaf] = number;
        }
        leaves.push(joined);
    }
    leaves.pop().unwrap_or_default()
}
