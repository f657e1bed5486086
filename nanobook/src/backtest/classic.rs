//! The classic bridge: lists of weights and prices by period, cents, whole shares.

use std::collections::BTreeMap;

use super::config::{Config, OnMissing};
use super::error::{Error, Result};
use super::kernel::run;
use super::panel::{Matrix, Panel};
use super::record::{EquityCurve, EventRows, HoldingRows, StopEvent};
use super::schedule::{Schedule, some_names};
use super::stops::Stops;
use crate::metrics::{Basis, Metrics};
use crate::portfolio::{CostModel, Overdraft, PerSymbol, Rule};

/// Settings of the classic bridge.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Classic, backtest_weights};
///
/// let weights = [vec![("AAPL", 0.5)], vec![("AAPL", 0.5)], vec![]];
/// let prices = [vec![("AAPL", 15_000)], vec![("AAPL", 16_500)], vec![("AAPL", 16_500)]];
/// let result = backtest_weights(&weights, &prices, &Classic { initial_cash: 1_000_000, ..Classic::default() })?;
/// // 33 shares for 4,950.00 gain 495.00; two are sold to bring them back to half.
/// assert_eq!(result.equity_curve, [1_000_000, 1_000_000, 1_049_500, 1_049_500]);
/// assert_eq!(result.final_cash, 1_049_500);
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Classic {
    /// Cash at the start, in cents.
    pub initial_cash: i64,
    /// Cost of each side, in basis points of the traded value.
    pub cost_bps: f64,
    /// Periods in a year.
    pub periods_per_year: f64,
    /// The risk-free return of one period.
    pub risk_free: f64,
    /// Stops, watched at the close. With them a period whose weights are those of the period before is no rebalance: a
    /// stopped name stays flat until its weights change.
    pub stops: Stops,
}

impl Default for Classic {
    fn default() -> Self {
        Self {
            initial_cash: 100_000_000,
            cost_bps: 0.0,
            periods_per_year: 252.0,
            risk_free: 0.0,
            stops: Stops::default(),
        }
    }
}

/// What the classic bridge gives.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassicResult {
    /// One for each period; the first is the cost of the first rebalance alone.
    pub returns: Vec<f64>,
    /// Equity in cents: the cash at the start, then one for each period.
    pub equity_curve: Vec<i64>,
    /// Cash at the end, in cents.
    pub final_cash: i64,
    /// Metrics of the returns but the first; `None` when there are none.
    pub metrics: Option<Metrics>,
    /// The weights held at the end of each period, by symbol.
    pub holdings: Vec<Vec<(String, f64)>>,
    /// The return of each symbol in each period, by symbol; NaN without a price now or before.
    pub symbol_returns: Vec<Vec<(String, f64)>>,
    /// Stops that were hit; prices in cents.
    pub stop_events: Vec<(String, StopEvent)>,
}

/// Runs weights over prices, period by period.
///
/// Weights of a period are its whole target: a symbol that they lack is closed. Shares are whole, prices are in cents, and
/// cash may go below zero by the costs of a portfolio that is fully invested, as it always could. The kernel is that of
/// [`run`], so a name without a price keeps its last one.
///
/// # Errors
/// When the lists differ in length, are empty, or hold what [`run`] refuses; never an empty result.
pub fn backtest_weights<N: AsRef<str>>(
    weights: &[Vec<(N, f64)>],
    prices: &[Vec<(N, i64)>],
    settings: &Classic,
) -> Result<ClassicResult> {
    let periods = prices.len();
    if weights.len() != periods {
        return Err(Error::Shape {
            what: "weights",
            column: "periods".into(),
            symbols: 1,
            expected: periods,
            found: weights.len(),
        });
    }
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (symbol, _) in prices.iter().flatten() {
        places.insert(symbol.as_ref(), 0);
    }
    for (at, place) in places.values_mut().enumerate() {
        *place = at;
    }
    let symbols: Vec<String> = places.keys().map(|symbol| (*symbol).to_owned()).collect();
    let width = symbols.len();
    let mut close = vec![f64::NAN; periods * width];
    for (row, prices) in prices.iter().enumerate() {
        for (symbol, cents) in prices {
            close[row * width + places[symbol.as_ref()]] = *cents as f64;
        }
    }
    let times: Vec<i64> = (0..).take(periods).collect();
    let (mut due, mut targets) = (Vec::new(), Vec::new());
    for (row, weights) in weights.iter().enumerate() {
        let mut target = vec![0.0; width];
        for (symbol, weight) in weights {
            let Some(&place) = places.get(symbol.as_ref()) else {
                return Err(Error::UnknownSymbol {
                    symbol: symbol.as_ref().to_owned(),
                    row,
                    known: some_names(&symbols),
                });
            };
            target[place] = *weight;
        }
        let is_same = targets.len() >= width && target == targets[targets.len() - width..];
        if settings.stops.is_none() || !is_same {
            due.push(times[row]);
            targets.extend(target);
        }
    }
    let panel = Panel::new(&times, &symbols, Matrix::from_rows(&close, width)?)?;
    let schedule = Schedule::new(&due, &symbols, Matrix::from_rows(&targets, width)?)?;
    let config = Config {
        cash: settings.initial_cash as f64,
        costs: CostModel::bps(settings.cost_bps),
        rule: Rule {
            lot: PerSymbol::All(1.0),
            overdraft: Overdraft::Allow,
            ..Rule::default()
        },
        stops: settings.stops.clone(),
        on_missing: OnMissing::Error,
        periods_per_year: settings.periods_per_year,
        ..Config::default()
    };
    let (mut curve, mut held, mut events) = (
        EquityCurve::default(),
        HoldingRows::default(),
        EventRows::default(),
    );
    run(
        &panel,
        &schedule,
        &config,
        (&mut curve, (&mut held, &mut events)),
    )?;
    let cost = curve.equity.first().map(|first| first / config.cash - 1.0);
    let returns: Vec<f64> = cost.into_iter().chain(curve.returns()).collect();
    let basis = Basis {
        periods_per_year: settings.periods_per_year,
        risk_free: settings.risk_free,
    };
    let change = |row: usize, at: usize| {
        let before = if row == 0 {
            f64::NAN
        } else {
            close[(row - 1) * width + at]
        };
        (symbols[at].clone(), close[row * width + at] / before - 1.0)
    };
    let symbol_returns = (0..periods).map(|row| (0..width).map(|at| change(row, at)).collect());
    let named = |stop: StopEvent| (symbols[stop.symbol].clone(), stop);
    Ok(ClassicResult {
        metrics: Metrics::of(&returns[1..], basis).ok(),
        returns,
        equity_curve: std::iter::once(settings.initial_cash)
            .chain(curve.equity.iter().map(|equity| cents(*equity)))
            .collect(),
        final_cash: cents(curve.cash[periods - 1]),
        holdings: by_period(&held, &symbols, periods),
        symbol_returns: symbol_returns.collect(),
        stop_events: events.stops.into_iter().map(named).collect(),
    })
}

/// The weights held in each period.
fn by_period(held: &HoldingRows, symbols: &[String], periods: usize) -> Vec<Vec<(String, f64)>> {
    let mut holdings = vec![Vec::new(); periods];
    for (at, &row) in held.row.iter().enumerate() {
        let symbol = symbols[held.symbol[at] as usize].clone();
        holdings[row as usize].push((symbol, held.weight[at]));
    }
    holdings
}

/// Whole cents, nearest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "money beyond 64 bits of cents is cut to them"
)]
fn cents(value: f64) -> i64 {
    value.round() as i64
}
