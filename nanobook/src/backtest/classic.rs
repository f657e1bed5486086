//! The classic bridge: lists of weights and prices by period, cents, whole shares.

use std::collections::BTreeMap;

use super::columns::HoldingRows;
use super::config::{Config, OnMissing};
use super::error::{Error, Result};
use super::kernel::run;
use super::panel::{Matrix, Panel};
use super::record::{EquityCurve, EventRows, StopEvent};
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
    /// Stops, watched at the close after the period has traded: a stopped name is sold there, and bought again by the
    /// next period whose weights name it.
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
    /// The return of each symbol that a period prices, by symbol; NaN without a price in the period before.
    pub symbol_returns: Vec<Vec<(String, f64)>>,
    /// Stops that were hit, by symbol; their rows are periods, their prices cents.
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
    let close = closes(prices, &places)?;
    let targets = targets(weights, &places, &symbols)?;
    // The kernel looks at stops in rows that have no weights, and here every period has some: with stops a period is two
    // rows of one price, the second one for the stops.
    let rows = if settings.stops.is_none() { 1 } else { 2 };
    let times: Vec<i64> = (0..).take(periods * rows).collect();
    let due: Vec<i64> = times.iter().copied().step_by(rows).collect();
    let each: Vec<f64> = close
        .chunks_exact(width.max(1))
        .flat_map(|row| std::iter::repeat_n(row, rows).flatten().copied())
        .collect();
    let panel = Panel::new(&times, &symbols, Matrix::from_rows(&each, width)?)?;
    let schedule = Schedule::new(&due, &symbols, Matrix::from_rows(&targets, width)?)?;
    let config = Config {
        cash: settings.initial_cash as f64,
        costs: CostModel::bps(settings.cost_bps),
        rule: Rule {
            lot: PerSymbol::All(1.0),
            overdraft: Overdraft::Allow,
            ..Rule::default()
        },
        stops: repeated(&settings.stops, rows),
        on_missing: OnMissing::Error,
        periods_per_year: settings.periods_per_year,
        ..Config::default()
    };
    let (mut curve, mut held, mut events) = (
        EquityCurve::default(),
        HoldingRows::default(),
        EventRows::default(),
    );
    let sink = (&mut curve, (&mut held, &mut events));
    run(&panel, &schedule, &config, sink).map_err(|error| in_periods(error, rows))?;
    let equity: Vec<f64> = std::iter::once(config.cash)
        .chain(curve.equity.iter().copied().skip(rows - 1).step_by(rows))
        .collect();
    let returns: Vec<f64> = equity
        .windows(2)
        .map(|pair| pair[1] / pair[0] - 1.0)
        .collect();
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
    let close = &close;
    let named_in = |row: usize| (0..width).filter(move |at| !close[row * width + at].is_nan());
    let symbol_returns = (0..periods).map(|row| named_in(row).map(|at| change(row, at)).collect());
    let named = |stop: StopEvent| {
        let row = stop.row / rows;
        (symbols[stop.symbol].clone(), StopEvent { row, ..stop })
    };
    let mut holdings = vec![Vec::new(); periods];
    for ((row, symbol), weight) in held.places.iter().zip(&held.weight) {
        if row % rows == rows - 1 {
            let symbol = symbols[symbol].clone();
            holdings[row / rows].push((symbol, *weight));
        }
    }
    Ok(ClassicResult {
        metrics: Metrics::of(&returns[1..], basis).ok(),
        returns,
        equity_curve: equity.iter().map(|equity| cents(*equity)).collect(),
        final_cash: cents(curve.cash[periods * rows - 1]),
        holdings,
        symbol_returns: symbol_returns.collect(),
        stop_events: events.stops.into_iter().map(named).collect(),
    })
}

/// The place of each symbol among the columns.
type Places<'a> = BTreeMap<&'a str, usize>;

/// Prices of all periods, row after row; NaN where there is none.
fn closes<N: AsRef<str>>(prices: &[Vec<(N, i64)>], places: &Places<'_>) -> Result<Vec<f64>> {
    let width = places.len();
    let mut close = vec![f64::NAN; prices.len() * width];
    for (period, prices) in prices.iter().enumerate() {
        for (symbol, cents) in prices {
            let symbol = symbol.as_ref();
            let price = &mut close[period * width + places[symbol]];
            if !price.is_nan() {
                return Err(twice("prices", symbol));
            }
            *price = *cents as f64;
            if *cents <= 0 {
                return Err(Error::BadPrice {
                    column: "close",
                    symbol: symbol.to_owned(),
                    row: period,
                    time: 0,
                    price: *price,
                });
            }
        }
    }
    Ok(close)
}

/// Weights of all periods, row after row; zero where a period does not name a symbol.
fn targets<N: AsRef<str>>(
    weights: &[Vec<(N, f64)>],
    places: &Places<'_>,
    symbols: &[String],
) -> Result<Vec<f64>> {
    let width = places.len();
    let mut targets = vec![0.0; weights.len() * width];
    let mut named = vec![usize::MAX; width];
    for (period, weights) in weights.iter().enumerate() {
        for (symbol, weight) in weights {
            let symbol = symbol.as_ref();
            let Some(&place) = places.get(symbol) else {
                return Err(Error::UnknownSymbol {
                    symbol: symbol.to_owned(),
                    row: period,
                    known: some_names(symbols),
                });
            };
            if std::mem::replace(&mut named[place], period) == period {
                return Err(twice("weights", symbol));
            }
            targets[period * width + place] = *weight;
        }
    }
    Ok(targets)
}

fn twice(what: &'static str, symbol: &str) -> Error {
    let symbol = symbol.to_owned();
    Error::DuplicateSymbol { what, symbol }
}

/// Stops over periods of so many rows: of the changes of price only one in as many is not zero.
fn repeated(stops: &Stops, rows: usize) -> Stops {
    let atr = match &stops.atr {
        PerSymbol::All(value) => PerSymbol::All(value * rows as f64),
        PerSymbol::Each(values) => {
            PerSymbol::Each(values.iter().map(|value| value * rows as f64).collect())
        }
    };
    Stops {
        atr,
        atr_period: stops.atr_period * rows,
        ..stops.clone()
    }
}

/// The error with its row of prices as a period.
fn in_periods(error: Error, rows: usize) -> Error {
    match error {
        Error::NoPriceYet {
            symbol,
            weight,
            row,
            time,
        } => Error::NoPriceYet {
            symbol,
            weight,
            row: row / rows,
            time,
        },
        other => other,
    }
}

/// Whole cents, nearest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "money beyond 64 bits of cents is cut to them"
)]
fn cents(value: f64) -> i64 {
    value.round() as i64
}
