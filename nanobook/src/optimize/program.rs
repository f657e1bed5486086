//! Programs in the form of the solver, built row by row.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT,
};

use super::constraints::Constraints;
use crate::stats::{Error, Result};

/// A row: coefficients by variable, and the right side.
type Row = (Vec<(usize, f64)>, f64);

/// Minimize ½ xᵀPx + qᵀx with rows that are equal to, or at most, their right sides.
#[derive(Default)]
pub(super) struct Program {
    /// Upper triangle by column; empty for a linear program.
    pub(super) quadratic: Vec<Vec<(usize, f64)>>,
    pub(super) linear: Vec<f64>,
    pub(super) equal: Vec<Row>,
    pub(super) most: Vec<Row>,
}

/// What the solver found.
pub(super) struct Found {
    pub(super) x: Vec<f64>,
    /// Multipliers of the rows, equalities first: at an optimum Px + q + Aᵀz = 0.
    pub(super) multipliers: Vec<f64>,
    pub(super) iterations: usize,
    /// Primal minus dual objective.
    pub(super) gap: f64,
}

impl Program {
    /// A new variable with a linear cost.
    pub(super) fn variable(&mut self, cost: f64) -> usize {
        self.linear.push(cost);
        self.linear.len() - 1
    }

    /// Group limits, leverage and turnover of the first `assets` variables; with `scale`, of weights times that variable,
    /// and the bounds with them. Rows of groups come first.
    pub(super) fn constrain(
        &mut self,
        limits: &Constraints,
        assets: &[usize],
        scale: Option<usize>,
        unit: f64,
    ) {
        // A constant becomes a multiple of the scale.
        let side = |constant: f64, mut row: Vec<(usize, f64)>| -> Row {
            match scale {
                Some(variable) => {
                    row.push((variable, -constant));
                    (row, 0.0)
                }
                None => (row, constant),
            }
        };
        let all: Vec<(usize, f64)> = (0..assets.len()).map(|k| (k, 1.0)).collect();
        self.equal.push(side(1.0, all));
        for group in &limits.groups {
            let members = |sign: f64| -> Vec<(usize, f64)> {
                let inside = assets
                    .iter()
                    .enumerate()
                    .filter(|(_, asset)| group.members.contains(asset));
                inside.map(|(k, _)| (k, sign)).collect()
            };
            if group.upper < f64::INFINITY {
                self.most.push(side(group.upper, members(1.0)));
            }
            if group.lower > f64::NEG_INFINITY {
                self.most.push(side(-group.lower, members(-1.0)));
            }
        }
        for (k, &asset) in assets.iter().enumerate() {
            self.most.push(side(-limits.lower[asset], vec![(k, -1.0)]));
            // An upper bound that the others imply already costs the solver a row.
            if limits.upper[asset] < 1.0 || limits.lower.iter().any(|low| *low < 0.0) {
                self.most.push(side(limits.upper[asset], vec![(k, 1.0)]));
            }
        }
        if let Some(leverage) = limits
            .leverage
            .filter(|_| limits.lower.iter().any(|low| *low < 0.0))
        {
            let sizes: Vec<usize> = assets.iter().map(|_| self.variable(0.0)).collect();
            for (k, &size) in sizes.iter().enumerate() {
                self.most.push((vec![(k, 1.0), (size, -1.0)], 0.0));
                self.most.push((vec![(k, -1.0), (size, -1.0)], 0.0));
            }
            self.most
                .push(side(leverage, sizes.iter().map(|&s| (s, 1.0)).collect()));
        }
        if let Some(turnover) = &limits.turnover {
            for (k, &asset) in assets.iter().enumerate() {
                let moved = self.variable(turnover.penalty * unit);
                let current = turnover.current[asset];
                self.most.push((vec![(k, 1.0), (moved, -1.0)], current));
                self.most.push((vec![(k, -1.0), (moved, -1.0)], -current));
            }
        }
    }

    /// Solves it.
    pub(super) fn solve(mut self, what: &'static str) -> Result<Found> {
        let n = self.linear.len();
        self.quadratic.resize(n, Vec::new());
        let quadratic = columns(n, &self.quadratic);
        let (zeros, rest) = (self.equal.len(), self.most.len());
        let mut by_column = vec![Vec::new(); n];
        let mut right = Vec::with_capacity(zeros + rest);
        for (at, (row, side)) in self.equal.into_iter().chain(self.most).enumerate() {
            for (variable, value) in row {
                if value != 0.0 {
                    by_column[variable].push((at, value));
                }
            }
            right.push(side);
        }
        let matrix = columns(zeros + rest, &by_column);
        let settings = DefaultSettingsBuilder::default()
            .verbose(false)
            .max_iter(200)
            .tol_gap_abs(1e-10)
            .tol_gap_rel(1e-10)
            .tol_feas(1e-10)
            .build()
            .expect("these settings are valid");
        let cones = [ZeroConeT(zeros), NonnegativeConeT(rest)];
        let refused = |detail: String| Error::NotConverged {
            what,
            iterations: 0,
            detail,
        };
        let mut solver =
            DefaultSolver::new(&quadratic, &self.linear, &matrix, &right, &cones, settings)
                .map_err(|error| refused(error.to_string()))?;
        solver.solve();
        let solution = &solver.solution;
        let iterations = solution.iterations as usize;
        match solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => {}
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => {
                return Err(Error::Infeasible {
                    detail: "the solver has a proof that bounds, groups and the sum of one contradict each other".into(),
                });
            }
            SolverStatus::DualInfeasible | SolverStatus::AlmostDualInfeasible => {
                return Err(Error::Unbounded {
                    hint: "bound the weights",
                });
            }
            // Stopped by rounding close to the optimum: the gap below says how close.
            SolverStatus::InsufficientProgress if solution.obj_val.is_finite() => {}
            status => {
                return Err(Error::NotConverged {
                    what,
                    iterations,
                    detail: format!("the solver says {status:?}"),
                });
            }
        }
        Ok(Found {
            x: solution.x.clone(),
            multipliers: solution.z.clone(),
            iterations,
            gap: (solution.obj_val - solution.obj_val_dual).abs(),
        })
    }
}

fn columns(rows: usize, columns: &[Vec<(usize, f64)>]) -> CscMatrix<f64> {
    let mut starts = vec![0];
    let (mut at, mut values) = (Vec::new(), Vec::new());
    for column in columns {
        at.extend(column.iter().map(|entry| entry.0));
        values.extend(column.iter().map(|entry| entry.1));
        starts.push(at.len());
    }
    CscMatrix::new(rows, columns.len(), starts, at, values)
}

/// Puts weights within their bounds, where an interior point leaves rounding, and their sum back to one.
pub(super) fn tidy(weights: &mut [f64], limits: &Constraints) {
    for _ in 0..3 {
        for ((w, &low), &high) in weights.iter_mut().zip(&limits.lower).zip(&limits.upper) {
            if *w < low + 1e-9 {
                *w = low;
            }
            *w = w.min(high);
        }
        let missing = 1.0 - weights.iter().sum::<f64>();
        let room: f64 = weights
            .iter()
            .zip(limits.lower.iter().zip(&limits.upper))
            .map(|(w, (l, u))| (w - l).min(u - w))
            .sum();
        if missing == 0.0 || room <= 0.0 {
            break;
        }
        for (w, (l, u)) in weights
            .iter_mut()
            .zip(limits.lower.iter().zip(&limits.upper))
        {
            *w += missing * (*w - l).min(u - *w) / room;
        }
    }
}
