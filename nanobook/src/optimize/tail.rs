use super::Solution;
use super::constraints::Constraints;
use super::heuristic::{conditional_drawdown, conditional_value_at_risk};
use super::program::{Found, Program, tidy};
use crate::linalg::{Matrix, dot};
use crate::stats::error::at_least;
use crate::stats::{Error, Result};

/// The portfolio of least conditional value at risk: mean loss of the worst 1 − `confidence` of rows, where a row counts
/// in part if need be (Rockafellar and Uryasev). The objective is that, plus the cost of turnover where there is one.
///
/// # Errors
/// When shapes differ, a return is not finite, the confidence is not between 0 and 1, or the constraints contradict each
/// other.
///
/// ```
/// use nanobook::{linalg::Matrix, optimize::{Constraints, min_cvar}};
///
/// let returns = Matrix::new(&[0.01, -0.01, -0.02, 0.01, 0.03, -0.03, 0.00, 0.01], 2)?;
/// let found = min_cvar(returns, 0.75, &Constraints::long_only(2))?;
/// assert!(found.converged && (found.objective - 0.03 / 9.0).abs() < 1e-6);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn min_cvar(returns: Matrix<'_>, confidence: f64, limits: &Constraints) -> Result<Solution> {
    let n = returns.columns();
    check(returns, confidence, limits)?;
    let rows = returns.rows();
    let share = (1.0 - confidence) * rows as f64;
    let unit = unit_of(returns.values());
    // A row matters where its loss is above the value at risk; the others are checked afterwards.
    let equal: Vec<f64> = losses(returns, &vec![1.0 / n as f64; n]);
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_unstable_by(|&a, &b| equal[b].total_cmp(&equal[a]));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the rows"
    )]
    let mut count = ((2.0 * share) as usize + 2 * n).min(rows);
    let mut active = vec![false; rows];
    let mut iterations = 0;
    loop {
        order.iter().take(count).for_each(|&row| active[row] = true);
        let chosen: Vec<usize> = (0..rows).filter(|&row| active[row]).collect();
        let found = tail_program(returns, &chosen, share, unit, limits)?;
        iterations += found.iterations;
        let mut weights = found.x[..n].to_vec();
        let value_at_risk = found.x[n] / unit;
        let loss = losses(returns, &weights);
        let above = |row: &usize| !active[*row] && loss[*row] > value_at_risk + 1e-10 / unit;
        let missing = (0..rows).filter(above).count();
        if missing == 0 {
            // Fewer rows are a relaxation: what it reaches at best is a lower bound for all rows.
            let relaxed = dual_objective(&found, share, &weights, unit, limits);
            tidy(&mut weights, limits);
            let objective = conditional_value_at_risk(&losses(returns, &weights), confidence)
                + limits.cost(&weights);
            let gap = (objective - relaxed).max(0.0) + found.gap / unit;
            return Ok(Solution::new(weights, objective, gap, 1.0 / unit).after(iterations));
        }
        order = (0..rows).filter(|row| !active[*row]).collect();
        order.sort_unstable_by(|&a, &b| loss[b].total_cmp(&loss[a]));
        count = missing + n / 4;
    }
}

fn tail_program(
    returns: Matrix<'_>,
    rows: &[usize],
    share: f64,
    unit: f64,
    limits: &Constraints,
) -> Result<Found> {
    let n = returns.columns();
    let assets: Vec<usize> = (0..n).collect();
    let mut program = Program::default();
    for _ in 0..n {
        program.variable(0.0);
    }
    let value_at_risk = program.variable(1.0);
    for &row in rows {
        let excess = program.variable(1.0 / share);
        program.most.push((vec![(excess, -1.0)], 0.0));
        let mut entries: Vec<(usize, f64)> = returns
            .row(row)
            .iter()
            .enumerate()
            .map(|(k, r)| (k, -r * unit))
            .collect();
        entries.push((value_at_risk, -1.0));
        entries.push((excess, -1.0));
        program.most.push((entries, 0.0));
    }
    program.constrain(limits, &assets, None, unit);
    program.solve("the CVaR program")
}

/// What the relaxed program reached.
fn dual_objective(
    found: &Found,
    share: f64,
    weights: &[f64],
    unit: f64,
    limits: &Constraints,
) -> f64 {
    let n = weights.len();
    let rows = found.x.len() - n - 1;
    let turned = if limits.turnover.is_some() { n } else { 0 };
    let sizes = if limits.leverage.is_some() && limits.lower.iter().any(|low| *low < 0.0) {
        n
    } else {
        0
    };
    let excess: f64 = found.x[n + 1..n + 1 + rows - turned - sizes].iter().sum();
    (found.x[n] + excess / share) / unit + limits.cost(weights)
}

/// The portfolio of least conditional drawdown at risk: mean of the worst 1 − `confidence` of drawdowns of the sum of
/// returns (uncompounded, from a start of zero, which counts as a peak). The objective is that, plus the cost of turnover.
///
/// # Errors
/// As [`min_cvar`].
pub fn min_cdar(returns: Matrix<'_>, confidence: f64, limits: &Constraints) -> Result<Solution> {
    let n = returns.columns();
    check(returns, confidence, limits)?;
    let rows = returns.rows();
    let share = (1.0 - confidence) * rows as f64;
    let unit = unit_of(returns.values());
    let assets: Vec<usize> = (0..n).collect();
    let mut program = Program::default();
    for _ in 0..n {
        program.variable(0.0);
    }
    let threshold = program.variable(1.0);
    let mut before = None;
    for row in 0..rows {
        // The drawdown is zero or more, and at least the one before minus this row's return.
        let drawdown = program.variable(0.0);
        let excess = program.variable(1.0 / share);
        program.most.push((vec![(drawdown, -1.0)], 0.0));
        program.most.push((vec![(excess, -1.0)], 0.0));
        program.most.push((
            vec![(drawdown, 1.0), (threshold, -1.0), (excess, -1.0)],
            0.0,
        ));
        let mut entries: Vec<(usize, f64)> = returns
            .row(row)
            .iter()
            .enumerate()
            .map(|(k, r)| (k, -r * unit))
            .collect();
        entries.push((drawdown, -1.0));
        if let Some(before) = before {
            entries.push((before, 1.0));
        }
        program.most.push((entries, 0.0));
        before = Some(drawdown);
    }
    program.constrain(limits, &assets, None, unit);
    let found = program.solve("the CDaR program")?;
    let mut weights = found.x[..n].to_vec();
    tidy(&mut weights, limits);
    let series: Vec<f64> = losses(returns, &weights).iter().map(|l| -l).collect();
    let objective = conditional_drawdown(&series, confidence) + limits.cost(&weights);
    let gap = found.gap / unit;
    Ok(Solution::new(weights, objective, gap, 1.0 / unit).after(found.iterations))
}

fn losses(returns: Matrix<'_>, weights: &[f64]) -> Vec<f64> {
    (0..returns.rows())
        .map(|row| -dot(returns.row(row), weights))
        .collect()
}

/// One over the typical size of a return.
fn unit_of(values: &[f64]) -> f64 {
    let mean = values.iter().map(|v| v.abs()).sum::<f64>() / values.len() as f64;
    if mean > 0.0 { 1.0 / mean } else { 1.0 }
}

fn check(returns: Matrix<'_>, confidence: f64, limits: &Constraints) -> Result<()> {
    at_least("returns", returns.rows(), 2)?;
    returns.finite("returns")?;
    limits.check(returns.columns())?;
    confident(confidence)
}

pub(super) fn confident(confidence: f64) -> Result<()> {
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        name: "confidence",
        found: confidence,
        wanted: "give a probability between 0 and 1, 0.95 is usual",
    })
}
