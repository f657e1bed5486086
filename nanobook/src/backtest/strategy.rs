//! Weights computed bar by bar.

use std::collections::VecDeque;

use super::error::{Error, Result};
use super::kernel::State;
use super::panel::{Field, Panel};

/// What a strategy sees at a row: prices up to it, and the account.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    row: usize,
    panel: &'v Panel<'v>,
    state: &'v State,
}

impl<'v> View<'v> {
    /// The row, from zero.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Its time, ns since the epoch.
    pub fn time(&self) -> i64 {
        self.panel.times()[self.row]
    }

    /// The symbols.
    pub fn symbols(&self) -> &'v [String] {
        self.panel.symbols()
    }

    /// A price of this row or an earlier one; NaN when it is missing, `None` for a later row or a kind that the panel
    /// lacks.
    pub fn price(&self, field: Field, row: usize, symbol: usize) -> Option<f64> {
        let values = self.panel.field(field).filter(|_| row <= self.row)?;
        Some(values.get(row, symbol))
    }

    /// The closes of this row and up to `rows - 1` before it, oldest first, row after row.
    pub fn closes(&self, rows: usize) -> Vec<f64> {
        let start = (self.row + 1).saturating_sub(rows);
        self.panel.close().rows_to_vec(start..self.row + 1)
    }

    /// Cash.
    pub fn cash(&self) -> f64 {
        self.state.cash
    }

    /// Shares of each symbol.
    pub fn qty(&self) -> &'v [f64] {
        &self.state.qty
    }

    /// The last known price of each symbol; NaN before the first.
    pub fn marks(&self) -> &'v [f64] {
        &self.state.mark
    }

    /// Cash and what is held, at the marks.
    pub fn equity(&self) -> f64 {
        let held = self.state.qty.iter().zip(&self.state.mark);
        let values = held
            .filter(|(qty, _)| **qty != 0.0)
            .map(|(qty, mark)| qty * mark);
        self.state.cash + values.sum::<f64>()
    }
}

/// Computes weights bar by bar.
///
/// # Examples
/// ```
/// use nanobook::backtest::{run_strategy, Config, Decision, EquityCurve, Matrix, Panel, Strategy, View};
///
/// /// Everything in the name that has risen most since the start, chosen every second row.
/// struct Leader;
///
/// impl Strategy for Leader {
///     fn decide(&mut self, view: &View<'_>, weights: &mut [f64]) -> Result<Decision, String> {
///         if view.row() % 2 == 1 {
///             return Ok(Decision::Hold);
///         }
///         let closes = view.closes(view.row() + 1);
///         let symbols = weights.len();
///         let risen = |symbol: usize| closes[closes.len() - symbols + symbol] / closes[symbol];
///         let best = (0..symbols).max_by(|a, b| risen(*a).total_cmp(&risen(*b))).ok_or("no symbols")?;
///         weights[best] = 1.0;
///         Ok(Decision::Rebalance)
///     }
/// }
///
/// let symbols = ["A".to_owned(), "B".to_owned()];
/// let close = Matrix::from_rows(&[1.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 4.0], 2)?;
/// let panel = Panel::new(&[1, 2, 3, 4], &symbols, close)?;
/// let mut curve = EquityCurve::default();
/// run_strategy(&panel, &mut Leader, &Config::default(), &mut curve)?;
/// assert_eq!(curve.equity.last(), Some(&4_000_000.0));
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
pub trait Strategy {
    /// Writes the weights, which come as zeros, or leaves positions alone. A NaN weight is what the configuration says of
    /// null ones.
    ///
    /// # Errors
    /// A message; the backtest ends with it.
    fn decide(&mut self, view: &View<'_>, weights: &mut [f64]) -> Result<Decision, String>;
}

/// What a strategy does in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Hold,
    /// Positions go to the weights.
    Rebalance,
}

/// A strategy and the decisions that have not been traded yet.
pub(crate) struct Deciding<'d> {
    strategy: &'d mut dyn Strategy,
    delay: usize,
    /// The row in which they trade, the row in which they were made, the weights.
    waiting: VecDeque<(usize, usize, Vec<f64>)>,
    spare: Vec<f64>,
    now: Vec<f64>,
    rows: usize,
}

impl<'d> Deciding<'d> {
    pub(crate) fn new(strategy: &'d mut dyn Strategy, panel: &Panel<'_>, delay: usize) -> Self {
        Self {
            strategy,
            delay,
            waiting: VecDeque::new(),
            spare: vec![0.0; panel.symbols().len()],
            now: Vec::new(),
            rows: panel.rows(),
        }
    }

    /// Whether decisions trade in the row in which they are made.
    pub(crate) fn is_at_once(&self) -> bool {
        self.delay == 0
    }

    pub(crate) fn ask(&mut self, row: usize, state: &State, panel: &Panel<'_>) -> Result<()> {
        if row.saturating_add(self.delay) >= self.rows {
            return Ok(());
        }
        let mut weights = std::mem::take(&mut self.spare);
        weights.clear();
        weights.resize(panel.symbols().len(), 0.0);
        let view = View { row, panel, state };
        match self.strategy.decide(&view, &mut weights) {
            Ok(Decision::Hold) => self.spare = weights,
            Ok(Decision::Rebalance) => self.waiting.push_back((row + self.delay, row, weights)),
            Err(message) => {
                return Err(Error::Strategy {
                    row,
                    time: panel.times()[row],
                    message,
                });
            }
        }
        Ok(())
    }

    /// The weights that trade in a row, and the row in which they were decided.
    pub(crate) fn due(&mut self, row: usize) -> Option<(&[f64], usize)> {
        self.waiting.front().filter(|(due, _, _)| *due == row)?;
        let (_, from, weights) = self.waiting.pop_front()?;
        self.spare = std::mem::replace(&mut self.now, weights);
        Some((&self.now, from))
    }
}
