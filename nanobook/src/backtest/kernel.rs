//! The loop over rows.
//!
//! Two ways through a row give the same numbers. The careful one looks at every symbol on its own and knows every rule.
//! The fast one takes rows in which nothing but weights and prices matter: between rows of weights it adds up columns as
//! they lie, and a row of weights is one pass over prices, weights and shares, without a branch. A row that the fast way
//! can't answer (no cash left in a way it does not know, a weight that is no number) is given to the careful one, which
//! answers or says what is wrong.

mod careful;

use super::config::{ActionKind, Config};
use super::error::{Error, Result};
use super::fast::{Sums, cover, dot, rebalance, value_of};
use super::panel::{Field, Panel, Window};
use super::record::{Event, EventKind, Held, Rebalanced, Row, Sink};
use super::schedule::{Cursor, Limits, Schedule, Unused};
use super::stops::Watcher;
use super::strategy::{Deciding, Strategy};
use super::venue::Venue;
use crate::portfolio::{Overdraft, Plan, Unmet};

/// Most rows that the fast way adds up at once.
const SEGMENT: usize = 512;

/// What a backtest comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Rows of prices.
    pub rows: usize,
    /// Rows in which weights applied.
    pub rebalances: usize,
    /// Equity at the end.
    pub equity: f64,
    /// Rows of weights that never applied.
    pub unused: Unused,
}

/// Runs weights over prices and gives what happens to a sink.
///
/// # Errors
/// When a setting can't be, weights name a symbol without prices, or a row of weights breaks a limit; the message says
/// which. What the sink got up to there stays with it.
///
/// # Examples
/// ```
/// use nanobook::backtest::{run, Config, EquityCurve, Matrix, Panel, Schedule};
///
/// let symbols = ["A".to_owned(), "B".to_owned()];
/// let panel = Panel::new(&[1, 2, 3], &symbols, Matrix::from_rows(&[10.0, 20.0, 11.0, 20.0, 11.0, 19.0], 2)?)?;
/// let weights = Schedule::new(&[1, 3], &symbols, Matrix::from_rows(&[0.5, 0.5, 0.0, 1.0], 2)?)?;
/// let mut curve = EquityCurve::default();
/// let summary = run(&panel, &weights, &Config { cash: 100.0, ..Config::default() }, &mut curve)?;
/// assert_eq!(curve.equity, [100.0, 105.0, 102.5]);
/// assert_eq!(summary.rebalances, 2);
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
pub fn run<S: Sink>(
    panel: &Panel<'_>,
    schedule: &Schedule<'_>,
    config: &Config,
    sink: S,
) -> Result<Summary> {
    run_on(panel, schedule, config, None, sink)
}

/// The same, with orders filled by a venue instead of a price column, when there is one.
///
/// # Errors
/// As [`run`].
pub fn run_on<S: Sink>(
    panel: &Panel<'_>,
    schedule: &Schedule<'_>,
    config: &Config,
    venue: Option<&mut dyn Venue>,
    sink: S,
) -> Result<Summary> {
    let (mut cursor, unused) = Cursor::new(schedule, panel, config.delay())?;
    let mut kernel = Kernel::new(panel, config, venue, sink)?;
    kernel.weight_times = schedule.times();
    let mut row = 0;
    while row < panel.rows() {
        let due = cursor.next_row().unwrap_or(panel.rows());
        if kernel.is_simple && due > row {
            kernel.drift(row..due)?;
            row = due;
            continue;
        }
        if due > row {
            kernel.step(row, None)?;
        } else {
            let ahead = cursor.run_length();
            let (weights, from) = cursor.take();
            kernel.ahead = ahead;
            kernel.rebalances += 1;
            if !kernel.is_simple || !kernel.leap(row, weights)? {
                kernel.step(row, Some((weights, from)))?;
            }
        }
        row += 1;
    }
    Ok(Summary {
        unused,
        ..kernel.summary()
    })
}

/// Runs a strategy that is asked for weights at each row, and sees nothing of later rows.
///
/// # Errors
/// As [`run`], and when the strategy fails.
pub fn run_strategy<S: Sink>(
    panel: &Panel<'_>,
    strategy: &mut dyn Strategy,
    config: &Config,
    sink: S,
) -> Result<Summary> {
    let mut kernel = Kernel::new(panel, config, None, sink)?;
    kernel.weight_times = panel.times();
    let mut deciding = Deciding::new(strategy, panel, config.delay());
    for row in 0..panel.rows() {
        if deciding.is_at_once() {
            kernel.look(row);
            deciding.ask(row, &kernel.state, panel)?;
        }
        match deciding.due(row) {
            Some((weights, from)) => {
                kernel.rebalances += 1;
                kernel.step(row, Some((weights, from)))?;
            }
            None => kernel.step(row, None)?,
        }
        if !deciding.is_at_once() {
            deciding.ask(row, &kernel.state, panel)?;
        }
    }
    Ok(kernel.summary())
}

/// Cash and positions.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) cash: f64,
    pub(crate) qty: Vec<f64>,
    /// The last known price of each symbol; NaN before the first.
    pub(crate) mark: Vec<f64>,
}

struct Kernel<'k, 'v, 'a, S> {
    panel: &'k Panel<'a>,
    config: &'k Config,
    sink: S,
    venue: Option<&'v mut dyn Venue>,
    /// Whether rows in which nothing but weights and prices matter are the rule.
    is_simple: bool,
    weight_times: &'k [i64],
    limits: Limits,
    state: State,
    /// The shares before a fast row, and what is held, for columns.
    before: Vec<f64>,
    held: Vec<(usize, f64)>,
    net: Vec<f64>,
    short: Vec<f64>,
    close: Window<'k, 'a>,
    fill: Option<Window<'k, 'a>>,
    bars: Option<[Window<'k, 'a>; 3]>,
    volume: Option<Window<'k, 'a>>,
    /// How many further rows will be asked for.
    ahead: usize,
    /// Rows since a symbol had a price; empty when none is missing.
    stale: Vec<usize>,
    watcher: Option<Watcher<'k>>,
    entered_now: Vec<bool>,
    actions: Vec<(usize, usize, ActionKind)>,
    next_action: usize,
    plan: Plan,
    weights: Vec<f64>,
    row: Row,
    rebalances: usize,
}

impl<'k, 'v, 'a, S: Sink> Kernel<'k, 'v, 'a, S> {
    fn new(
        panel: &'k Panel<'a>,
        config: &'k Config,
        venue: Option<&'v mut dyn Venue>,
        sink: S,
    ) -> Result<Self> {
        config.check(panel)?;
        let symbols = panel.symbols().len();
        let window = |field: Field| panel.field(field).map(Window::new);
        let field = config.fill.field();
        let has_range = panel.field(Field::High).is_some() && panel.field(Field::Low).is_some();
        let stops = &config.stops;
        let watcher = (!stops.is_none()).then(|| Watcher::new(stops, symbols, has_range));
        let needs_bars = watcher.is_some() && has_range;
        let missing = |panel: &Panel<'_>| panel.has_gaps(Field::Close) || panel.has_gaps(field);
        let gaps = missing(panel);
        let actions = actions_by_row(panel, config);
        let is_simple = venue.is_none()
            && watcher.is_none()
            && actions.is_empty()
            && !gaps
            && !config.accrues();
        Ok(Self {
            panel,
            config,
            sink,
            venue,
            is_simple,
            weight_times: &[],
            limits: Limits {
                on_null: config.on_null,
                long_only: config.long_only,
                gross: config.gross_limit,
            },
            state: State {
                cash: config.cash,
                qty: vec![0.0; symbols],
                mark: vec![f64::NAN; symbols],
            },
            before: vec![0.0; symbols],
            held: Vec::new(),
            net: Vec::new(),
            short: Vec::new(),
            close: Window::new(panel.close()),
            fill: if field == Field::Close {
                None
            } else {
                window(field)
            },
            bars: match (window(Field::Open), window(Field::High), window(Field::Low)) {
                (Some(open), Some(high), Some(low)) if needs_bars => Some([open, high, low]),
                (None, Some(high), Some(low)) if needs_bars => {
                    // Only the range needs highs and lows then; the close stands in for an open that nobody watches.
                    window(Field::Close).map(|close| [close, high, low])
                }
                _ => None,
            },
            volume: window(Field::Volume).filter(|_| {
                config.rule.max_participation.is_some() || config.costs.impact_bps > 0.0
            }),
            ahead: super::panel::BLOCK,
            stale: if gaps { vec![0; symbols] } else { Vec::new() },
            entered_now: vec![false; if watcher.is_some() { symbols } else { 0 }],
            watcher,
            actions,
            next_action: 0,
            plan: Plan::default(),
            weights: Vec::with_capacity(symbols),
            row: Row::default(),
            rebalances: 0,
        })
    }

    fn summary(&self) -> Summary {
        Summary {
            rows: self.panel.rows(),
            rebalances: self.rebalances,
            equity: self.row.equity,
            unused: Unused::default(),
        }
    }

    /// Rows without weights, fast: nothing trades, values follow prices.
    fn drift(&mut self, rows: std::ops::Range<usize>) -> Result<()> {
        if S::HOLDINGS {
            self.ahead = super::panel::BLOCK.min(rows.len());
            return rows.into_iter().try_for_each(|row| self.mark_row(row));
        }
        self.held.clear();
        let qty = self.state.qty.iter().enumerate();
        self.held.extend(
            qty.filter(|(_, qty)| **qty != 0.0)
                .map(|(at, qty)| (at, *qty)),
        );
        let has_shorts = self.held.iter().any(|(_, qty)| *qty < 0.0);
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + SEGMENT);
            self.net.clear();
            self.net.resize(end - start, 0.0);
            let close = self.panel.close();
            close.add_values(start..end, &self.held, &mut self.net);
            if has_shorts {
                let shorts: Vec<_> = self
                    .held
                    .iter()
                    .filter(|(_, qty)| *qty < 0.0)
                    .copied()
                    .collect();
                self.short.clear();
                self.short.resize(end - start, 0.0);
                close.add_values(start..end, &shorts, &mut self.short);
            }
            for at in 0..end - start {
                let net = self.net[at];
                let short = if has_shorts { self.short[at] } else { 0.0 };
                let row = Row {
                    row: start + at,
                    net,
                    gross: net - 2.0 * short,
                    scaled: 1.0,
                    ..Row::default()
                };
                self.finish(row)?;
            }
            start = end;
        }
        Ok(())
    }

    /// The end of a row in which every symbol has a price and nothing happened after the fills.
    fn finish(&mut self, row: Row) -> Result<()> {
        self.row = Row {
            cash: self.state.cash,
            equity: self.state.cash + row.net,
            ..row
        };
        self.emit()
    }

    fn emit(&mut self) -> Result<()> {
        let row = &self.row;
        if !row.equity.is_finite() {
            return Err(self.overflow());
        }
        if S::HOLDINGS {
            self.sink.held(&Held {
                row: row.row,
                qty: &self.state.qty,
                mark: &self.state.mark,
                stale: &self.stale,
                equity: row.equity,
            });
        }
        self.sink.row(row);
        Ok(())
    }

    /// What to say of equity that is no number.
    #[cold]
    fn overflow(&self) -> Error {
        let Row { row, equity, .. } = self.row;
        let (panel, state) = (self.panel, &self.state);
        let size = |symbol: &usize| {
            let (qty, price) = (state.qty[*symbol], panel.close().get(row, *symbol));
            if qty == 0.0 {
                return 0.0;
            }
            let value = qty
                * if price.is_nan() {
                    state.mark[*symbol]
                } else {
                    price
                };
            if value.is_nan() {
                f64::INFINITY
            } else {
                value.abs()
            }
        };
        let all = 0..state.qty.len();
        let largest = all.max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(0);
        Error::Overflow {
            symbol: panel.symbols()[largest].clone(),
            row,
            time: panel.times()[row],
            equity,
        }
    }

    fn mark_row(&mut self, row: usize) -> Result<()> {
        let prices = self.close.row(row, self.ahead);
        self.state.mark.copy_from_slice(prices);
        let (net, gross) = value_of(&self.state.qty, prices);
        self.finish(Row {
            row,
            net,
            gross,
            scaled: 1.0,
            ..Row::default()
        })
    }

    /// A row of weights, fast. `false`, and nothing has changed, when it takes the careful way.
    fn leap(&mut self, row: usize, weights: &[f64]) -> Result<bool> {
        let (config, costs) = (self.config, &self.config.costs);
        let linear = costs.is_linear() && costs.commission_per_share == 0.0;
        if !linear || !config.rule.is_plain() {
            return Ok(false);
        }
        let prices = match &mut self.fill {
            Some(fill) => fill.row(row, self.ahead),
            None => self.close.row(row, self.ahead),
        };
        let equity = self.state.cash + dot(&self.state.qty, prices);
        if equity.is_nan() || equity <= 0.0 {
            return Ok(false);
        }
        let Sums {
            buys,
            sales,
            net,
            gross,
        } = rebalance(weights, prices, &self.state.qty, equity, &mut self.before);
        let (commission, worse) = (costs.commission_bps / 1e4, costs.worse());
        let spent = buys * (1.0 + worse) * (1.0 + commission);
        let earned = sales * (1.0 - worse) * (1.0 - commission);
        let too_much = config
            .gross_limit
            .is_some_and(|limit| gross > limit * equity);
        let too_short = config.long_only && net < gross;
        if !gross.is_finite() || too_much || too_short {
            return Ok(false);
        }
        let have = self.state.cash + earned;
        let mut part = 1.0;
        let short_of_cash = have - spent < -1e-12 * equity && spent > 0.0;
        if short_of_cash && config.rule.overdraft == Overdraft::Scale {
            part = (have / spent).max(0.0);
            if S::EVENTS {
                let shares = (&self.state.qty[..], &self.before[..]);
                tell_scaled(&mut self.sink, row, shares, prices, (part, 1e-12 * equity));
            }
            cover(&self.state.qty, &mut self.before, part);
        }
        // `before` holds the new shares up to here.
        std::mem::swap(&mut self.before, &mut self.state.qty);
        let value = buys * part + sales;
        self.state.cash += earned - spent * part;
        self.sink.target(row, weights);
        if S::FILLS {
            self.sink.fills(&Rebalanced {
                row,
                before: &self.before,
                after: &self.state.qty,
                price: prices,
                costs,
                least: 1e-12 * equity,
            });
        }
        let turnover = buys * part * (1.0 + worse) + sales * (1.0 - worse);
        let (slippage, spread) = (
            costs.slippage_bps / 1e4 * value,
            costs.half_spread_bps / 1e4 * value,
        );
        let commission = commission * turnover;
        let (net, gross) = if self.fill.is_some() || part < 1.0 {
            value_of(&self.state.qty, self.close.row(row, self.ahead))
        } else {
            (net, gross)
        };
        if S::HOLDINGS {
            self.state
                .mark
                .copy_from_slice(self.close.row(row, self.ahead));
        }
        self.finish(Row {
            row,
            net,
            gross,
            turnover,
            cost: commission + slippage + spread,
            commission,
            slippage,
            spread,
            scaled: part,
            ..Row::default()
        })?;
        Ok(true)
    }
}

/// Says of every buy of a row that only a part of it is sent; what comes to no more than `least` is not sent at all.
fn tell_scaled<S: Sink>(
    sink: &mut S,
    row: usize,
    (before, after): (&[f64], &[f64]),
    prices: &[f64],
    (part, least): (f64, f64),
) {
    for (symbol, ((before, after), price)) in before.iter().zip(after).zip(prices).enumerate() {
        let wanted = after - before;
        if wanted * price > least {
            let sent = part * wanted;
            sink.event(&Event {
                row,
                symbol: Some(symbol),
                kind: EventKind::Unmet(Unmet::Cash),
                wanted,
                done: if sent * price > least { sent } else { 0.0 },
            });
        }
    }
}

/// Actions with the row they fall in, dividends before splits; those after the last row never happen.
fn actions_by_row(panel: &Panel<'_>, config: &Config) -> Vec<(usize, usize, ActionKind)> {
    let times = panel.times();
    let row = |time: i64| times.partition_point(|at| *at < time);
    let mut actions: Vec<_> = config
        .actions
        .iter()
        .map(|action| (row(action.time), action.symbol, action.kind))
        .filter(|(row, _, _)| *row < times.len())
        .collect();
    actions
        .sort_by_key(|(row, symbol, kind)| (*row, matches!(kind, ActionKind::Split(_)), *symbol));
    actions
}
