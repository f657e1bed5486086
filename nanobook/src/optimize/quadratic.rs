use super::Solution;
use super::constraints::Constraints;
use super::program::{Found, Program, tidy};
use crate::covariance::Covariance;
use crate::linalg::dot;
use crate::stats::error::{finite, same_length};
use crate::stats::{Error, Result};

/// The portfolio of least variance. The objective is its variance, plus the cost of turnover where there is one.
///
/// # Errors
/// When shapes differ or the constraints contradict each other. A singular covariance is no error: the optimum is found,
/// though it need not be the only one.
///
/// ```
/// use nanobook::covariance::Covariance;
/// use nanobook::optimize::{Constraints, min_variance};
///
/// // Without correlation, weights are in proportion to 1 / variance.
/// let covariance = Covariance::new(vec![0.04, 0.0, 0.0, 0.01], 2)?;
/// let found = min_variance(&covariance, &Constraints::long_only(2))?;
/// assert!((found.weights[0] - 0.2).abs() < 1e-6 && found.converged);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn min_variance(covariance: &Covariance, limits: &Constraints) -> Result<Solution> {
    let n = covariance.assets();
    // Twice the half: the objective is the variance itself.
    let (weights, gap, iterations) = solve(covariance, 2.0, &vec![0.0; n], limits)?;
    let objective = covariance.variance(&weights) + limits.cost(&weights);
    let size = scale_of(covariance);
    Ok(Solution::new(weights, objective, gap, size).after(iterations))
}

/// The portfolio of least ½ λ wᵀΣw − μᵀw. The objective is that, plus the cost of turnover where there is one.
///
/// # Errors
/// As [`min_variance`], and when the risk aversion is negative.
pub fn mean_variance(
    means: &[f64],
    covariance: &Covariance,
    risk_aversion: f64,
    limits: &Constraints,
) -> Result<Solution> {
    same_length("means", means.len(), covariance.assets())?;
    finite("means", means)?;
    if !(risk_aversion >= 0.0 && risk_aversion.is_finite()) {
        return Err(Error::Parameter {
            name: "risk_aversion",
            found: risk_aversion,
            wanted: "give zero or a positive number",
        });
    }
    let linear: Vec<f64> = means.iter().map(|m| -m).collect();
    let (weights, gap, iterations) = solve(covariance, risk_aversion, &linear, limits)?;
    let objective = 0.5 * risk_aversion * covariance.variance(&weights) - dot(means, &weights)
        + limits.cost(&weights);
    let size = size_of(covariance, risk_aversion, means);
    Ok(Solution::new(weights, objective, gap, size).after(iterations))
}

/// The portfolio of largest Sharpe ratio (μᵀw − r) / √(wᵀΣw). The objective is that ratio, a period's.
///
/// # Errors
/// As [`min_variance`]; also when no portfolio earns more than `risk_free` (the ratio is then not quasi-concave, and a
/// least-variance portfolio is not what was asked for), when one without risk does (the ratio has no bound), and with a
/// turnover penalty, because the problem would not be convex.
pub fn max_sharpe(
    means: &[f64],
    covariance: &Covariance,
    risk_free: f64,
    limits: &Constraints,
) -> Result<Solution> {
    same_length("means", means.len(), covariance.assets())?;
    finite("means", means)?;
    if !risk_free.is_finite() {
        return Err(Error::Parameter {
            name: "risk_free",
            found: risk_free,
            wanted: "give a finite number",
        });
    }
    let excess: Vec<f64> = means.iter().map(|m| m - risk_free).collect();
    ratio(&excess, covariance, limits)
}

/// The portfolio of largest diversification ratio σᵀw / √(wᵀΣw). The objective is that ratio.
///
/// # Errors
/// As [`max_sharpe`], and when no asset varies.
pub fn max_diversification(covariance: &Covariance, limits: &Constraints) -> Result<Solution> {
    ratio(&covariance.deviations(), covariance, limits)
}

fn ratio(reward: &[f64], covariance: &Covariance, limits: &Constraints) -> Result<Solution> {
    let n = covariance.assets();
    limits.check(n)?;
    if limits.turnover.is_some() {
        return Err(Error::Parameter {
            name: "turnover",
            found: limits.turnover.as_ref().map_or(0.0, |t| t.penalty),
            wanted: "a ratio with a turnover penalty is not convex: use mean_variance",
        });
    }
    let none = || Error::Infeasible {
        detail: "no portfolio within the constraints earns more than the risk-free rate".into(),
    };
    let scale = reward.iter().fold(0.0f64, |m, r| m.max(r.abs()));
    if reward.iter().all(|r| *r <= 0.0) && limits.lower.iter().all(|low| *low >= 0.0)
        || scale == 0.0
    {
        return Err(none());
    }
    let unit = scale_of(covariance);
    let find = |assets: &[usize]| -> Result<Found> {
        let mut program = Program::default();
        for _ in assets {
            program.variable(0.0);
        }
        program.quadratic = triangle(covariance, assets, 1.0 / unit);
        let sum = program.variable(0.0);
        program.most.push((vec![(sum, -1.0)], 0.0));
        program.equal.push((
            assets
                .iter()
                .enumerate()
                .map(|(k, &a)| (k, reward[a] / scale))
                .collect(),
            1.0,
        ));
        program.constrain(limits, assets, Some(sum), unit);
        program.solve("the ratio")
    };
    // The first row is the reward, the second the sum; rows of groups follow the nonnegative scale.
    let price = |found: &Found, weights: &[f64]| -> Vec<f64> {
        let z = &found.multipliers;
        let mut costs: Vec<f64> = covariance.times(weights).iter().map(|v| v / unit).collect();
        for (cost, reward) in costs.iter_mut().zip(reward) {
            *cost += z[0] * reward / scale + z[1];
        }
        add_groups(&mut costs, limits, &z[3..]);
        costs
    };
    let found =
        working_set(covariance, limits, reward, find, price).map_err(|error| match error {
            Error::Infeasible { .. } => none(),
            other => other,
        })?;
    let total = found.total;
    if total.is_nan() || total <= 1e-12 {
        return Err(none());
    }
    let mut weights: Vec<f64> = found.weights.iter().map(|y| y / total).collect();
    tidy(&mut weights, limits);
    let risk = covariance.variance(&weights).max(0.0).sqrt();
    let earned = dot(reward, &weights);
    let objective = earned / risk;
    // The program's objective is ½ scale² / (unit ratio²), and its dual bounds the ratio from above, or not at all.
    let reached = 0.5 * (scale / objective).powi(2) / unit;
    if risk <= 1e-9 * unit.sqrt() || reached <= found.gap {
        return Err(Error::Unbounded {
            hint: "a portfolio without risk earns more than the risk-free rate; is the covariance singular?",
        });
    }
    let bound = scale / (2.0 * unit * (reached - found.gap)).sqrt();
    // A ratio that is reached is above zero, and no other size is needed.
    let gap = (bound - objective).max(0.0);
    Ok(Solution::new(weights, objective, gap, 0.0).after(found.iterations))
}

/// Least ½ a wᵀΣw + qᵀw within limits, and how far it can be from least.
fn solve(
    covariance: &Covariance,
    a: f64,
    linear: &[f64],
    limits: &Constraints,
) -> Result<(Vec<f64>, f64, usize)> {
    let n = covariance.assets();
    limits.check(n)?;
    // The objective is brought to the size of one, so that the solver's tolerances mean something.
    let size = size_of(covariance, a, linear);
    let unit = if size > 0.0 { 1.0 / size } else { 1.0 };
    let find = |assets: &[usize]| -> Result<Found> {
        let mut program = Program::default();
        for &asset in assets {
            program.variable(linear[asset] * unit);
        }
        program.quadratic = triangle(covariance, assets, a * unit);
        program.constrain(limits, assets, None, unit);
        program.solve("the quadratic program")
    };
    let price = |found: &Found, weights: &[f64]| -> Vec<f64> {
        let z = &found.multipliers;
        let mut costs: Vec<f64> = covariance
            .times(weights)
            .iter()
            .zip(linear)
            .map(|(v, q)| (a * v + q) * unit + z[0])
            .collect();
        add_groups(&mut costs, limits, &z[1..]);
        costs
    };
    let order: Vec<f64> = linear.iter().map(|q| -q).collect();
    let found = working_set(covariance, limits, &order, find, price)?;
    let mut weights = found.weights;
    tidy(&mut weights, limits);
    Ok((weights, found.gap / unit, found.iterations))
}

/// What a search over working sets found.
struct Best {
    weights: Vec<f64>,
    /// Sum of the weights.
    total: f64,
    gap: f64,
    iterations: usize,
}

/// Solves with the assets that seem to matter, then asks every other whether it would rather be held than left at zero,
/// and takes in those that would, until none does: the optimum over all assets, at the cost of a few small programs.
fn working_set(
    covariance: &Covariance,
    limits: &Constraints,
    reward: &[f64],
    find: impl Fn(&[usize]) -> Result<Found>,
    price: impl Fn(&Found, &[f64]) -> Vec<f64>,
) -> Result<Best> {
    const SMALL: usize = 80;
    let n = covariance.assets();
    let simple = limits.turnover.is_none()
        && limits.lower.iter().all(|low| *low == 0.0)
        && limits.groups.iter().all(|g| g.lower <= 0.0);
    let mut assets: Vec<usize> = (0..n).collect();
    if simple && n > SMALL {
        // Those with the least risk beside the market's, and those with the best reward.
        let market = covariance.times(&vec![1.0 / n as f64; n]);
        let deviations = covariance.deviations();
        assets.sort_unstable_by(|&a, &b| {
            (market[a] + deviations[a].powi(2)).total_cmp(&(market[b] + deviations[b].powi(2)))
        });
        assets.truncate(SMALL / 2);
        let mut best: Vec<usize> = (0..n).collect();
        best.sort_unstable_by(|&a, &b| {
            (reward[b] / deviations[b].max(1e-300))
                .total_cmp(&(reward[a] / deviations[a].max(1e-300)))
        });
        assets.extend(best.into_iter().take(SMALL / 2));
        assets.sort_unstable();
        assets.dedup();
        // They must be able to hold everything.
        let mut spare = (0..n)
            .filter(|a| assets.binary_search(a).is_err())
            .collect::<Vec<_>>()
            .into_iter();
        while assets.iter().map(|&a| limits.upper[a]).sum::<f64>() < 1.5 {
            let Some(more) = spare.next() else { break };
            assets.push(more);
        }
    }
    let mut iterations = 0;
    loop {
        let found = match find(&assets) {
            // Too few assets to be feasible: ask with all of them.
            Err(_) if assets.len() < n => {
                assets = (0..n).collect();
                continue;
            }
            other => other?,
        };
        iterations += found.iterations;
        let mut weights = vec![0.0; n];
        for (k, &asset) in assets.iter().enumerate() {
            weights[asset] = found.x[k];
        }
        let total: f64 = weights.iter().sum();
        if assets.len() == n {
            return Ok(Best {
                weights,
                total,
                gap: found.gap,
                iterations,
            });
        }
        let costs = price(&found, &weights);
        let mut inside = vec![false; n];
        for &asset in &assets {
            inside[asset] = true;
        }
        let mut wanting: Vec<usize> = (0..n).filter(|&a| !inside[a] && costs[a] < 0.0).collect();
        // The dual objective falls by no more than what the wanting would give at their most.
        let missed = wanting.iter().map(|&a| -costs[a]).fold(0.0, f64::max) * total.max(1.0);
        if missed <= 1e-9 {
            return Ok(Best {
                weights,
                total,
                gap: found.gap + missed,
                iterations,
            });
        }
        wanting.sort_unstable_by(|&a, &b| costs[a].total_cmp(&costs[b]));
        // Those that were not held make room.
        assets.retain(|&asset| weights[asset] > 1e-7);
        assets.extend(wanting.into_iter().take(SMALL));
        assets.sort_unstable();
    }
}

fn add_groups(costs: &mut [f64], limits: &Constraints, multipliers: &[f64]) {
    let mut at = 0;
    for group in &limits.groups {
        for (bound, sign) in [(group.upper, 1.0), (-group.lower, -1.0)] {
            if bound < f64::INFINITY {
                for &member in &group.members {
                    costs[member] += sign * multipliers[at];
                }
                at += 1;
            }
        }
    }
}

/// The larger one of the risk and the reward of an ordinary asset.
fn size_of(covariance: &Covariance, aversion: f64, linear: &[f64]) -> f64 {
    let largest = linear.iter().fold(0.0f64, |m, q| m.max(q.abs()));
    (aversion * scale_of(covariance)).max(largest)
}

/// Mean variance.
fn scale_of(covariance: &Covariance) -> f64 {
    let n = covariance.assets();
    let mean = (0..n).map(|i| covariance.row(i)[i]).sum::<f64>() / n as f64;
    if mean > 0.0 { mean } else { 1.0 }
}

/// The upper triangle of part of a covariance, by column.
fn triangle(covariance: &Covariance, assets: &[usize], factor: f64) -> Vec<Vec<(usize, f64)>> {
    assets
        .iter()
        .enumerate()
        .map(|(j, &asset)| {
            let row = covariance.row(asset);
            assets[..=j]
                .iter()
                .enumerate()
                .map(|(i, &other)| (i, row[other] * factor))
                .collect()
        })
        .collect()
}
