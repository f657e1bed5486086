//! Portfolios that really are optimal, and heuristics under their own names.
//!
//! | function | what is smallest (or largest) | solved as |
//! |---|---|---|
//! | [`min_variance`] | wᵀΣw | quadratic program |
//! | [`mean_variance`] | ½ λ wᵀΣw − μᵀw | quadratic program |
//! | [`max_sharpe`] | (μᵀw − r) / √(wᵀΣw) | quadratic program in w / (μᵀw − r) (Cornuéjols and Tütüncü 2007) |
//! | [`max_diversification`] | σᵀw / √(wᵀΣw) (Choueifaty and Coignard 2008) | the same with σ for μ |
//! | [`risk_parity`] | ½ xᵀΣx − Σ b ln x (Spinu 2013) | cyclical descent (Griveau-Billion, Richard and Roncalli 2013) |
//! | [`min_cvar`] | mean of the worst 1 − β of losses | linear program (Rockafellar and Uryasev 2000) |
//! | [`min_cdar`] | mean of the worst 1 − β of drawdowns | linear program (Chekhlov, Uryasev and Zabarankin 2005) |
//! | [`inverse_volatility`] [`inverse_cvar`] [`inverse_cdar`] | heuristics: weights in proportion to 1 / risk | |
//! | [`hierarchical_risk_parity`] | heuristic (López de Prado 2016) | |
//!
//! Programs are solved by the interior-point solver `clarabel`. Large quadratic and `CVaR` programs are solved on the assets
//! or scenarios that matter, and then checked against all: a [`Solution`] says by how much its objective can still be
//! improved, whatever the solver said.
//!
//! Nothing is guessed: constraints that contradict each other, a singular matrix where an inverse is needed, or a return
//! that is not a number is an [`Error`](crate::stats::Error).

mod constraints;
mod heuristic;
mod parity;
mod program;
mod quadratic;
mod tail;

pub use constraints::{Constraints, Group, Turnover};
pub use heuristic::{
    conditional_drawdown, conditional_value_at_risk, hierarchical_risk_parity, inverse_cdar,
    inverse_cvar, inverse_volatility,
};
pub use parity::risk_parity;
pub use quadratic::{max_diversification, max_sharpe, mean_variance, min_variance};
pub use tail::{min_cdar, min_cvar};

/// Weights and how good they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// One for each asset.
    pub weights: Vec<f64>,
    /// What was minimized or maximized, at these weights.
    pub objective: f64,
    /// How far the objective can be from the best possible one, at most.
    pub gap: f64,
    /// Whether the gap is below a millionth of the objective, or below a billionth of the size of the problem, which
    /// counts where the best objective is zero.
    pub converged: bool,
    /// Iterations of the solver.
    pub iterations: usize,
}

impl Solution {
    /// `size` is that of the objective of a portfolio with nothing special about it.
    fn new(weights: Vec<f64>, objective: f64, gap: f64, size: f64) -> Self {
        Solution {
            weights,
            objective,
            gap,
            converged: gap <= (1e-6 * objective.abs()).max(1e-9 * size),
            iterations: 0,
        }
    }

    fn after(self, iterations: usize) -> Self {
        Solution { iterations, ..self }
    }
}
