//! What a backtest says as it goes, and columns that collect it.

use super::stops::StopKind;
use crate::portfolio::{CostModel, OrderCost, Unmet};

/// The account at the end of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// The row of the prices.
    pub row: usize,
    /// Cash and what is held, at the marks.
    pub equity: f64,
    /// Cash.
    pub cash: f64,
    /// The sum of the absolute values of what is held.
    pub gross: f64,
    /// The sum of the values of what is held; short positions count below zero.
    pub net: f64,
    /// The value of all fills at their prices, buys and sales alike; cash paid out for ended names is none.
    pub turnover: f64,
    /// Commission, slippage, half-spread, impact and borrowing of the row.
    pub cost: f64,
    /// Commissions.
    pub commission: f64,
    /// Slippage.
    pub slippage: f64,
    /// Half-spreads.
    pub spread: f64,
    /// Impact.
    pub impact: f64,
    /// Paid on short positions.
    pub borrow: f64,
    /// Earned on cash, negative when paid.
    pub interest: f64,
    /// Dividends received, less those paid.
    pub dividends: f64,
    /// The part of the buys that cash was enough for; 1 when it was enough, or nothing was bought.
    pub scaled: f64,
    /// Names that are held without a price in this row, at their last one.
    pub stale: u32,
}

/// Why there was a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FillReason {
    /// Weights.
    Rebalance,
    /// A stop.
    Stop(StopKind),
    /// The name's prices ended, or were missing for too long.
    Delisted,
}

impl FillReason {
    /// Its name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rebalance => "rebalance",
            Self::Stop(kind) => match kind {
                StopKind::Fixed => "stop_fixed",
                StopKind::Trailing => "stop_trailing",
                StopKind::Atr => "stop_atr",
                StopKind::MeanAbsChange => "stop_mean_abs_change",
            },
            Self::Delisted => "delisted",
        }
    }
}

/// Shares that changed hands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    /// The row of the prices in which it is booked.
    pub row: usize,
    /// The symbol's place in the panel.
    pub symbol: usize,
    /// Shares, negative for a sale.
    pub qty: f64,
    /// The price paid or received: slippage, spread and impact are in it.
    pub price: f64,
    /// What it cost; only the commission is not in the price.
    pub cost: OrderCost,
    /// Why.
    pub reason: FillReason,
}

/// A stop that closed a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopEvent {
    /// The row of the prices.
    pub row: usize,
    /// The symbol's place in the panel.
    pub symbol: usize,
    /// Which level was hit.
    pub kind: StopKind,
    /// The level.
    pub level: f64,
    /// The price that reached it.
    pub trigger: f64,
    /// The price of the fill, with slippage.
    pub exit_price: f64,
    /// The shares of the order, negative for a sale.
    pub qty: f64,
}

/// Something that the numbers alone would not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// The row of the prices.
    pub row: usize,
    /// The symbol's place in the panel; `None` for the whole account.
    pub symbol: Option<usize>,
    /// What.
    pub kind: EventKind,
    /// What was asked for: shares of an order (NaN when that can't be said), or a ratio, or an amount for each share.
    pub wanted: f64,
    /// What came of it: shares of the order, shares after a split, or an amount of money.
    pub done: f64,
}

/// What happened beside fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An order was not sent, or not all of it.
    Unmet(Unmet),
    /// A book had not enough on the other side.
    Unfilled,
    /// A weight came while a stop keeps the name flat.
    Blocked,
    /// A position was closed at its last price.
    Delisted,
    /// A dividend was paid: `wanted` for each share, `done` in all.
    Dividend,
    /// A split: `wanted` shares for one, `done` shares held after it.
    Split,
    /// Weights came and there is no equity to invest.
    NoEquity,
}

impl EventKind {
    /// Its name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unmet(why) => why.as_str(),
            Self::Unfilled => "unfilled",
            Self::Blocked => "blocked",
            Self::Delisted => "delisted",
            Self::Dividend => "dividend",
            Self::Split => "split",
            Self::NoEquity => "no_equity",
        }
    }
}

/// What is held at the end of a row.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// The row of the prices.
    pub row: usize,
    /// Shares of each symbol.
    pub qty: &'a [f64],
    /// The last known price of each symbol; NaN before the first.
    pub mark: &'a [f64],
    /// The rows since each symbol had a price, zero when it has one now; empty when none is missing anywhere.
    pub stale: &'a [usize],
    /// Equity.
    pub equity: f64,
}

/// Shares of all symbols that were brought to their weights in one row, at costs in proportion to value.
#[derive(Clone, Copy, Debug)]
pub struct Rebalanced<'a> {
    /// The row of the prices.
    pub row: usize,
    /// Shares of each symbol before.
    pub before: &'a [f64],
    /// Shares of each symbol after.
    pub after: &'a [f64],
    /// The price of each symbol in the row.
    pub price: &'a [f64],
    /// What makes it worse, and the commissions.
    pub costs: &'a CostModel,
    /// Changes of no more value are rounding, and no fills.
    pub least: f64,
}

impl Rebalanced<'_> {
    /// The fill of each symbol that has one, in the order of the panel.
    pub fn each(&self, mut take: impl FnMut(&Fill)) {
        let shares = self.before.iter().zip(self.after).zip(self.price);
        for (symbol, ((before, after), &price)) in shares.enumerate() {
            let qty = after - before;
            if qty.abs() * price > self.least {
                let (price, cost) = self.costs.order(qty, price, f64::NAN);
                take(&Fill {
                    row: self.row,
                    symbol,
                    qty,
                    price,
                    cost,
                    reason: FillReason::Rebalance,
                });
            }
        }
    }

    /// Whether every symbol has a fill.
    pub(crate) fn is_of_all(&self) -> bool {
        let shares = self.before.iter().zip(self.after).zip(self.price);
        shares.fold(true, |so_far, ((before, after), price)| {
            so_far & ((after - before).abs() * price > self.least)
        })
    }
}

/// Takes what a backtest says, in order of the rows.
///
/// The constants say what is wanted: what is not is not computed either.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Row, Sink};
///
/// /// Only the last equity.
/// #[derive(Default)]
/// struct Last(f64);
///
/// impl Sink for Last {
///     fn row(&mut self, row: &Row) {
///         self.0 = row.equity;
///     }
/// }
/// ```
pub trait Sink {
    /// Whether fills are wanted.
    const FILLS: bool = false;
    /// Whether what is held at each row is wanted.
    const HOLDINGS: bool = false;
    /// Whether events beside fills and stops are wanted. Where cash runs short in every row there are as many as buys.
    const EVENTS: bool = true;

    /// A row is done. Comes after everything else of the row.
    fn row(&mut self, row: &Row) {
        let _ = row;
    }
    /// Weights apply in a row, one for each symbol of the panel; NaN keeps a position.
    fn target(&mut self, row: usize, weights: &[f64]) {
        let _ = (row, weights);
    }
    /// Shares changed hands.
    fn fill(&mut self, fill: &Fill) {
        let _ = fill;
    }
    /// Shares of many symbols changed hands at once; the same as [`Sink::fill`] for each.
    fn fills(&mut self, fills: &Rebalanced<'_>) {
        fills.each(|fill| self.fill(fill));
    }
    /// What is held at the end of a row.
    fn held(&mut self, held: &Held<'_>) {
        let _ = held;
    }
    /// A stop closed a position; its fill comes too.
    fn stop(&mut self, stop: &StopEvent) {
        let _ = stop;
    }
    /// Something else happened.
    fn event(&mut self, event: &Event) {
        let _ = event;
    }
}

/// Throws everything away.
impl Sink for () {
    const EVENTS: bool = false;
}

/// Both take everything.
impl<A: Sink, B: Sink> Sink for (A, B) {
    const FILLS: bool = A::FILLS || B::FILLS;
    const HOLDINGS: bool = A::HOLDINGS || B::HOLDINGS;
    const EVENTS: bool = A::EVENTS || B::EVENTS;

    #[inline]
    fn row(&mut self, row: &Row) {
        self.0.row(row);
        self.1.row(row);
    }
    #[inline]
    fn target(&mut self, row: usize, weights: &[f64]) {
        self.0.target(row, weights);
        self.1.target(row, weights);
    }
    #[inline]
    fn fill(&mut self, fill: &Fill) {
        self.0.fill(fill);
        self.1.fill(fill);
    }
    #[inline]
    fn fills(&mut self, fills: &Rebalanced<'_>) {
        self.0.fills(fills);
        self.1.fills(fills);
    }
    #[inline]
    fn held(&mut self, held: &Held<'_>) {
        self.0.held(held);
        self.1.held(held);
    }
    #[inline]
    fn stop(&mut self, stop: &StopEvent) {
        self.0.stop(stop);
        self.1.stop(stop);
    }
    #[inline]
    fn event(&mut self, event: &Event) {
        self.0.event(event);
        self.1.event(event);
    }
}

impl<S: Sink> Sink for &mut S {
    const FILLS: bool = S::FILLS;
    const HOLDINGS: bool = S::HOLDINGS;
    const EVENTS: bool = S::EVENTS;

    #[inline]
    fn row(&mut self, row: &Row) {
        (**self).row(row);
    }
    #[inline]
    fn target(&mut self, row: usize, weights: &[f64]) {
        (**self).target(row, weights);
    }
    #[inline]
    fn fill(&mut self, fill: &Fill) {
        (**self).fill(fill);
    }
    #[inline]
    fn fills(&mut self, fills: &Rebalanced<'_>) {
        (**self).fills(fills);
    }
    #[inline]
    fn held(&mut self, held: &Held<'_>) {
        (**self).held(held);
    }
    #[inline]
    fn stop(&mut self, stop: &StopEvent) {
        (**self).stop(stop);
    }
    #[inline]
    fn event(&mut self, event: &Event) {
        (**self).event(event);
    }
}

macro_rules! equity_columns {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The account over time, as columns; one entry for each row of the prices.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct EquityCurve {
            $($(#[$doc])* pub $name: Vec<f64>,)*
            /// Held names without a price.
            pub stale: Vec<u32>,
        }

        impl EquityCurve {
            /// Room for so many rows.
            pub fn with_capacity(rows: usize) -> Self {
                Self {
                    $($name: Vec::with_capacity(rows),)*
                    stale: Vec::with_capacity(rows),
                }
            }
        }

        impl Sink for EquityCurve {
            const EVENTS: bool = false;

            #[inline]
            fn row(&mut self, row: &Row) {
                $(self.$name.push(row.$name);)*
                self.stale.push(row.stale);
            }
        }
    };
}

equity_columns! {
    /// See [`Row::equity`].
    equity,
    /// See [`Row::cash`].
    cash,
    /// See [`Row::gross`].
    gross,
    /// See [`Row::net`].
    net,
    /// See [`Row::turnover`].
    turnover,
    /// See [`Row::cost`].
    cost,
    /// See [`Row::commission`].
    commission,
    /// See [`Row::slippage`].
    slippage,
    /// See [`Row::spread`].
    spread,
    /// See [`Row::impact`].
    impact,
    /// See [`Row::borrow`].
    borrow,
    /// See [`Row::interest`].
    interest,
    /// See [`Row::dividends`].
    dividends,
    /// See [`Row::scaled`].
    scaled,
}

impl EquityCurve {
    /// The return of each row over the one before it: one fewer than there are rows, because the first is none. NaN after
    /// a row without equity.
    pub fn returns(&self) -> Vec<f64> {
        let pairs = self.equity.windows(2);
        let ret = |pair: &[f64]| {
            if pair[0] > 0.0 {
                pair[1] / pair[0] - 1.0
            } else {
                f64::NAN
            }
        };
        pairs.map(ret).collect()
    }
}

/// Fills, stops and other events, as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// Fills.
    pub fills: Vec<Fill>,
    /// Stops.
    pub stops: Vec<StopEvent>,
    /// Everything else.
    pub events: Vec<Event>,
}

impl Sink for Journal {
    const FILLS: bool = true;

    #[inline]
    fn fill(&mut self, fill: &Fill) {
        self.fills.push(*fill);
    }
    fn stop(&mut self, stop: &StopEvent) {
        self.stops.push(*stop);
    }
    fn event(&mut self, event: &Event) {
        self.events.push(*event);
    }
}

/// Stops and other events, as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventRows {
    /// Stops.
    pub stops: Vec<StopEvent>,
    /// Everything else.
    pub events: Vec<Event>,
}

impl Sink for EventRows {
    fn stop(&mut self, stop: &StopEvent) {
        self.stops.push(*stop);
    }
    fn event(&mut self, event: &Event) {
        self.events.push(*event);
    }
}
