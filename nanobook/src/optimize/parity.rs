use super::Solution;
use crate::covariance::Covariance;
use crate::linalg::dot;
use crate::stats::error::{at_least, same_length};
use crate::stats::{Error, Result};

/// Long-only weights with which every asset carries its share of the variance: `budgets` says the shares, equal ones when
/// it is none. The objective is the volatility.
///
/// The gap is how far the largest share of risk is from its budget. Weights are unique where the covariance is positive
/// definite. Bounds and groups are not accepted: with them equal shares do not exist in general.
///
/// # Errors
/// When a budget is not positive, an asset has no variance, or some portfolio of positive weights has no risk, so that
/// shares of it mean nothing.
///
/// ```
/// use nanobook::{covariance::Covariance, optimize::risk_parity};
///
/// let covariance = Covariance::new(vec![0.04, 0.0, 0.0, 0.01], 2)?;
/// let found = risk_parity(&covariance, None)?;
/// assert!((found.weights[0] - 1.0 / 3.0).abs() < 1e-9);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn risk_parity(covariance: &Covariance, budgets: Option<&[f64]>) -> Result<Solution> {
    const MOST: usize = 10_000;
    let n = covariance.assets();
    at_least("assets", n, 1)?;
    let equal = vec![1.0; n];
    let budgets = budgets.unwrap_or(&equal);
    same_length("budgets", budgets.len(), n)?;
    if let Some(found) = budgets.iter().find(|b| !(**b > 0.0 && b.is_finite())) {
        return Err(Error::Parameter {
            name: "a budget",
            found: *found,
            wanted: "budgets are positive numbers",
        });
    }
    let total: f64 = budgets.iter().sum();
    let budgets: Vec<f64> = budgets.iter().map(|b| b / total).collect();
    let deviations = covariance.deviations();
    // A constant return has a deviation of rounding errors.
    let least = 1e-10 * deviations.iter().fold(0.0, |a: f64, b| a.max(*b));
    if let Some(column) = deviations.iter().position(|d| *d <= least) {
        return Err(Error::Constant {
            name: "an asset",
            column,
        });
    }
    // In units of each asset's own deviation: the matrix is the correlation, its diagonal one.
    let correlation: Vec<f64> = (0..n * n)
        .map(|at| covariance.values()[at] / (deviations[at / n] * deviations[at % n]))
        .collect();
    let mut x: Vec<f64> = budgets.iter().map(|b| b.sqrt()).collect();
    let mut product: Vec<f64> = correlation
        .chunks_exact(n)
        .map(|row| dot(row, &x))
        .collect();
    let start = dot(&x, &product);
    if start <= 1e-14 {
        return Err(without_risk());
    }
    let shrink = 1.0 / start.sqrt();
    x.iter_mut().chain(&mut product).for_each(|v| *v *= shrink);
    let mut error = f64::INFINITY;
    let mut sweeps = 0;
    while sweeps < MOST && error > 1e-12 {
        sweeps += 1;
        for i in 0..n {
            // The best xᵢ while the others stay: x² + s x − b = 0 with s the covariance with the others.
            let others = product[i] - x[i];
            let root = (others * others + 4.0 * budgets[i]).sqrt();
            let next = if others > 0.0 {
                2.0 * budgets[i] / (others + root)
            } else {
                (root - others) / 2.0
            };
            let change = next - x[i];
            if change != 0.0 {
                x[i] = next;
                let row = &correlation[i * n..(i + 1) * n];
                for (p, c) in product.iter_mut().zip(row) {
                    *p += change * c;
                }
            }
        }
        if sweeps % 4 == 0 {
            product = correlation
                .chunks_exact(n)
                .map(|row| dot(row, &x))
                .collect();
        }
        let risk = dot(&x, &product);
        if risk.is_nan() || risk <= 1e-14 || x.iter().any(|v| *v > 1e7) {
            return Err(without_risk());
        }
        error = x
            .iter()
            .zip(&product)
            .zip(&budgets)
            .map(|((x, p), b)| (x * p / risk - b).abs())
            .fold(0.0, f64::max);
    }
    if error > 1e-8 {
        return Err(Error::NotConverged {
            what: "risk parity",
            iterations: sweeps,
            detail: format!("shares of risk are up to {error:e} from their budgets"),
        });
    }
    let mut weights: Vec<f64> = x.iter().zip(&deviations).map(|(x, d)| x / d).collect();
    let sum: f64 = weights.iter().sum();
    for w in &mut weights {
        *w /= sum;
    }
    let objective = covariance.variance(&weights).sqrt();
    Ok(Solution {
        weights,
        objective,
        gap: error,
        converged: error <= 1e-8,
        iterations: sweeps,
    })
}

fn without_risk() -> Error {
    Error::Singular {
        name: "the covariance",
        hint: "a portfolio of positive weights has no risk, so shares of it mean nothing; shrink the covariance",
    }
}
