//! Strategies that are known by name: weights from closes, for one backtest or for thousands of one sweep.
//!
//! Every preset sets weights in some rows, from closes up to and with that row, so weights trade at the close that they
//! were made from unless the configuration says otherwise. A name without a price in the row, or without one that the
//! signal needs, gets no weight. Ties go to the symbol that comes first in the alphabet: the order of columns does not
//! matter.

use super::calendar::{NANOS_PER_DAY, date};
use super::error::{Error, Result};
use super::panel::{Matrix, Panel};
use super::schedule::Schedule;

/// Rows that are ranked at once.
const BLOCK: usize = 64;

/// Prices that differ by less, as a part, are the same but for rounding; so are returns that deviate by less.
const ROUNDING: f64 = 1e-12;

/// Rows in which weights are set.
///
/// The last row of a week, month, quarter or year is known by the next row being in another one, as a calendar of trading
/// days would tell before; the last row of all prices is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rebalance {
    /// Every so many rows, counted from the first of the prices.
    Rows(usize),
    /// The last row of each week, which ends on Sunday, UTC.
    Week,
    /// The last row of each month.
    Month,
    /// The last row of each quarter.
    Quarter,
    /// The last row of each year.
    Year,
}

/// What decides the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Equal weights for the names that rose most from `lookback` rows ago until `skip` rows ago (Jegadeesh and Titman
    /// 1993; twelve months without the last are 252 and 21 rows of days). Fewer names than `k` share the whole.
    MomentumTopK {
        /// Rows back to the first price, above `skip`.
        lookback: usize,
        /// Rows back to the second; 0 for the row itself.
        skip: usize,
        /// How many names, above zero.
        k: usize,
    },
    /// An equal part for each name with prices, invested while the mean of the last `fast` closes is above that of the
    /// last `slow`; the other parts stay cash. Means that differ by rounding don't count as crossed.
    MovingAverageCross {
        /// Rows of the fast mean, above zero.
        fast: usize,
        /// Rows of the slow mean, more than `fast`.
        slow: usize,
    },
    /// Weights in proportion to one over the sample deviation of the last `lookback` returns; a name whose price did not
    /// move gets none.
    InverseVolatility {
        /// Returns, at least two.
        lookback: usize,
    },
}

/// A signal, when it is asked, and how much it invests.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Matrix, Panel, Preset, Rebalance, Signal};
///
/// let symbols = ["A".to_owned(), "B".to_owned(), "C".to_owned()];
/// let prices = [1.0, 1.0, 1.0, 1.1, 1.2, 0.9, 1.3, 1.2, 1.0, 1.3, 1.1, 1.5];
/// let panel = Panel::new(&[1, 2, 3, 4], &symbols, Matrix::from_rows(&prices, 3)?)?;
/// let preset = Preset {
///     signal: Signal::MomentumTopK { lookback: 1, skip: 0, k: 1 },
///     rebalance: Rebalance::Rows(1),
///     ..Preset::default()
/// };
/// let weights = preset.weights(&panel)?;
/// assert_eq!(weights.rows, [1, 2, 3]);
/// assert_eq!(weights.weights, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// What decides the weights.
    pub signal: Signal,
    /// Rows in which they are set.
    pub rebalance: Rebalance,
    /// No row before this one is asked, so that sets of a sweep can begin together; 0 for as soon as there are enough.
    pub start: usize,
    /// What the weights sum to when all is invested.
    pub gross: f64,
}

impl Default for Preset {
    fn default() -> Self {
        Self {
            signal: Signal::MomentumTopK {
                lookback: 252,
                skip: 21,
                k: 10,
            },
            rebalance: Rebalance::Month,
            start: 0,
            gross: 1.0,
        }
    }
}

/// Weights that a preset has set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PresetWeights {
    /// The rows of the prices.
    pub rows: Vec<usize>,
    /// Their times, ns since the epoch.
    pub times: Vec<i64>,
    /// A weight for each symbol of the prices, row after row.
    pub weights: Vec<f64>,
}

impl PresetWeights {
    /// The schedule of these weights, for prices with these symbols.
    ///
    /// # Errors
    /// When there are not as many weights as symbols for each row.
    pub fn schedule<'a>(&'a self, symbols: &'a [String]) -> Result<Schedule<'a>> {
        let weights = Matrix::from_rows(&self.weights, symbols.len())?;
        Schedule::new(&self.times, symbols, weights)
    }
}

impl Preset {
    /// An error when a parameter can't be.
    ///
    /// # Errors
    /// Names the parameter.
    pub fn check(&self) -> Result<()> {
        let whole = |setting, value: usize, is_good: bool, expected| {
            if is_good {
                return Ok(());
            }
            Err(Error::BadSetting {
                setting,
                value: value as f64,
                expected,
            })
        };
        match self.signal {
            Signal::MomentumTopK { lookback, skip, k } => {
                let expected = "it is above skip, which is not below zero";
                whole("lookback", lookback, lookback > skip, expected)?;
                whole("k", k, k > 0, "it is above zero")?;
            }
            Signal::MovingAverageCross { fast, slow } => {
                whole("fast", fast, fast > 0, "it is above zero")?;
                whole("slow", slow, slow > fast, "it is above fast")?;
            }
            Signal::InverseVolatility { lookback } => {
                whole("lookback", lookback, lookback > 1, "it is at least two")?;
            }
        }
        if let Rebalance::Rows(rows) = self.rebalance {
            whole("rebalance", rows, rows > 0, "it is above zero")?;
        }
        if !(self.gross.is_finite() && self.gross > 0.0) {
            return Err(Error::BadSetting {
                setting: "gross",
                value: self.gross,
                expected: "it is finite and above zero",
            });
        }
        Ok(())
    }

    /// Its weights over some prices.
    ///
    /// # Errors
    /// When a parameter can't be.
    pub fn weights(&self, panel: &Panel<'_>) -> Result<PresetWeights> {
        self.check()?;
        let shared = self.share(panel, usize::MAX);
        Ok(self.weights_of(panel, &shared))
    }

    /// The rows in which weights are set.
    fn rows(&self, times: &[i64]) -> Vec<usize> {
        let needed = match self.signal {
            Signal::MomentumTopK { lookback, .. } | Signal::InverseVolatility { lookback } => {
                lookback
            }
            Signal::MovingAverageCross { slow, .. } => slow.saturating_sub(1),
        };
        let first = needed.max(self.start);
        let period = |row: usize| {
            let (year, month, _) = date(times[row]);
            match self.rebalance {
                Rebalance::Rows(_) => 0,
                // The epoch was a Thursday.
                Rebalance::Week => (times[row].div_euclid(NANOS_PER_DAY) + 3).div_euclid(7),
                Rebalance::Month => year * 12 + i64::from(month),
                Rebalance::Quarter => year * 4 + i64::from(month - 1) / 3,
                Rebalance::Year => year,
            }
        };
        if let Rebalance::Rows(every) = self.rebalance {
            let rows = (0..times.len()).step_by(every.max(1));
            return rows.skip_while(|row| *row < first).collect();
        }
        let ends = (first..times.len().saturating_sub(1)).map(|row| (row, period(row)));
        ends.filter(|(row, this)| period(row + 1) != *this)
            .map(|(row, _)| row)
            .collect()
    }

    /// What sets with the same key have in common; of leaders the first `most` of each row.
    pub(super) fn share(&self, panel: &Panel<'_>, most: usize) -> Shared {
        let rows = self.rows(panel.times());
        let leaders = match self.signal {
            Signal::MomentumTopK { lookback, skip, .. } => {
                Leaders::by_rise(panel, &rows, (lookback, skip), most)
            }
            _ => Leaders::default(),
        };
        Shared { rows, leaders }
    }

    /// The weights, from what sets with the same key have in common.
    pub(super) fn weights_of(&self, panel: &Panel<'_>, shared: &Shared) -> PresetWeights {
        let (rows, symbols) = (&shared.rows, panel.symbols().len());
        let mut weights = vec![0.0; rows.len() * symbols];
        match self.signal {
            Signal::MomentumTopK { k, .. } => {
                for (at, row) in weights.chunks_exact_mut(symbols).enumerate() {
                    let chosen = shared.leaders.of(at, k);
                    let part = self.gross / chosen.len() as f64;
                    for &symbol in chosen {
                        row[symbol as usize] = part;
                    }
                }
            }
            Signal::MovingAverageCross { fast, slow } => {
                cross(panel, rows, (fast, slow), &mut weights);
            }
            Signal::InverseVolatility { lookback } => {
                inverse_volatility(panel, rows, lookback, &mut weights);
            }
        }
        if !matches!(self.signal, Signal::MomentumTopK { .. }) {
            for weight in &mut weights {
                *weight *= self.gross;
            }
        }
        PresetWeights {
            rows: rows.clone(),
            times: rows.iter().map(|row| panel.times()[*row]).collect(),
            weights,
        }
    }

    /// Sets with equal keys share their [`Shared`]. `None` when there is nothing worth sharing.
    #[cfg(feature = "parallel")]
    pub(super) fn key(&self) -> Option<(usize, usize, Rebalance, usize)> {
        match self.signal {
            Signal::MomentumTopK { lookback, skip, .. } => {
                Some((lookback, skip, self.rebalance, self.start))
            }
            _ => None,
        }
    }

    /// How many leaders of a row are wanted.
    #[cfg(feature = "parallel")]
    pub(super) fn leaders(&self) -> usize {
        match self.signal {
            Signal::MomentumTopK { k, .. } => k,
            _ => 0,
        }
    }
}

/// What several presets have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    rows: Vec<usize>,
    leaders: Leaders,
}

/// The names that lead in each row, best first.
#[derive(Debug, Default)]
struct Leaders {
    symbols: Vec<u32>,
    /// Where the names of each row end.
    ends: Vec<usize>,
}

impl Leaders {
    /// The names that rose most, at most `most` of each row.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a panel of more than four billion symbols does not fit the memory"
    )]
    fn by_rise(
        panel: &Panel<'_>,
        rows: &[usize],
        (lookback, skip): (usize, usize),
        most: usize,
    ) -> Self {
        let (close, names) = (panel.close(), panel.symbols());
        let width = names.len();
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by_key(|symbol| &names[*symbol]);
        let mut all = Self {
            symbols: Vec::with_capacity(rows.len() * most.min(width)),
            ends: Vec::with_capacity(rows.len()),
        };
        let mut rises = vec![f64::NAN; BLOCK * width];
        let mut ranked: Vec<(f64, u32)> = Vec::with_capacity(width);
        for rows in rows.chunks(BLOCK) {
            for symbol in 0..width {
                for (at, &row) in rows.iter().enumerate() {
                    let price = |row| close.get(row, symbol);
                    let is_there = !price(row).is_nan();
                    let rise = price(row - skip) / price(row - lookback);
                    rises[at * width + symbol] = if is_there { rise } else { f64::NAN };
                }
            }
            for rises in rises.chunks_exact(width).take(rows.len()) {
                ranked.clear();
                // In order of their names, which then decides between equals.
                let known = order.iter().enumerate();
                let known = known.filter(|(_, symbol)| !rises[**symbol].is_nan());
                ranked.extend(known.map(|(place, symbol)| (rises[*symbol], place as u32)));
                let better =
                    |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
                if ranked.len() > most {
                    ranked.select_nth_unstable_by(most, better);
                    ranked.truncate(most);
                }
                ranked.sort_unstable_by(better);
                let best = ranked
                    .iter()
                    .map(|(_, place)| order[*place as usize] as u32);
                all.symbols.extend(best);
                all.ends.push(all.symbols.len());
            }
        }
        all
    }

    /// The first `k` of a row.
    fn of(&self, at: usize, k: usize) -> &[u32] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        let names = &self.symbols[start..self.ends[at]];
        &names[..names.len().min(k)]
    }
}

/// One over the number of names, for each whose fast mean is above its slow one.
fn cross(panel: &Panel<'_>, rows: &[usize], (fast, slow): (usize, usize), weights: &mut [f64]) {
    let width = panel.symbols().len();
    let mean = |closes: &[f64]| closes.iter().sum::<f64>() / closes.len() as f64;
    let mut closes = Vec::new();
    let mut counts = vec![0.0_f64; rows.len()];
    for symbol in 0..width {
        panel.close().copy_column(symbol, &mut closes);
        for (at, &row) in rows.iter().enumerate() {
            let slow = mean(&closes[row + 1 - slow..=row]);
            if slow.is_nan() {
                continue;
            }
            counts[at] += 1.0;
            let is_above = mean(&closes[row + 1 - fast..=row]) > slow * (1.0 + ROUNDING);
            weights[at * width + symbol] = f64::from(is_above);
        }
    }
    for (row, count) in weights.chunks_exact_mut(width).zip(counts) {
        for weight in row {
            *weight /= count.max(1.0);
        }
    }
}

/// One over the deviation of returns, made to sum to one.
fn inverse_volatility(panel: &Panel<'_>, rows: &[usize], lookback: usize, weights: &mut [f64]) {
    let width = panel.symbols().len();
    let (mut closes, mut returns) = (Vec::new(), Vec::new());
    for symbol in 0..width {
        panel.close().copy_column(symbol, &mut closes);
        returns.clear();
        // The return of a row stands at its place less one.
        returns.extend(closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0));
        for (at, &row) in rows.iter().enumerate() {
            let window = &returns[row - lookback..row];
            let count = lookback as f64;
            let mean = window.iter().sum::<f64>() / count;
            let squares: f64 = window.iter().map(|ret| (ret - mean) * (ret - mean)).sum();
            let deviation = (squares / (count - 1.0)).sqrt();
            if deviation > ROUNDING {
                weights[at * width + symbol] = 1.0 / deviation;
            }
        }
    }
    for row in weights.chunks_exact_mut(width) {
        let sum: f64 = row.iter().sum();
        if sum > 0.0 {
            for weight in row {
                *weight /= sum;
            }
        }
    }
}
