//! What a backtest is told beside prices and weights.

use super::error::{Error, Result, check_each};
use super::panel::{Field, Panel};
use super::stops::Stops;
use crate::portfolio::{CostModel, Rule};

/// The price at which the orders of a row are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FillAt {
    /// The close of the row: weights known at its close trade there, and earn from then on.
    #[default]
    Close,
    /// The open of the next row, in which the fill is booked.
    NextOpen,
    /// The close of the next row, in which the fill is booked.
    NextClose,
    /// The volume-weighted price of the row itself. Whoever computes weights from the row's close looks ahead with it:
    /// give a `lag` of one.
    Vwap,
}

impl FillAt {
    /// Which prices.
    pub(crate) fn field(self) -> Field {
        match self {
            Self::Close | Self::NextClose => Field::Close,
            Self::NextOpen => Field::Open,
            Self::Vwap => Field::Vwap,
        }
    }

    /// How many rows later.
    pub(crate) fn delay(self) -> usize {
        match self {
            Self::Close | Self::Vwap => 0,
            Self::NextOpen | Self::NextClose => 1,
        }
    }
}

/// What a null or NaN weight means within a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnNull {
    /// It is an error: tools disagree about it.
    #[default]
    Error,
    /// The shares are kept. A row of nothing else is no row.
    Hold,
    /// The position is closed.
    Zero,
}

/// What happens to a weight on a name that has no price yet, or whose prices have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMissing {
    /// Before the first price it is an error; after the last one the weight stays cash, and an event says so.
    #[default]
    Error,
    /// The other weights grow by one factor, so that gross stays what it was.
    Renormalize,
}

/// A split or a cash dividend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Action {
    /// The first time at which prices are without it (ex date), ns since the epoch.
    pub time: i64,
    /// The symbol's place in the panel.
    pub symbol: usize,
    /// What happens.
    pub kind: ActionKind,
}

/// What a corporate action does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ActionKind {
    /// Pays so much for each share held before; a short position pays it.
    Dividend(f64),
    /// Makes so many shares of one.
    Split(f64),
}

impl ActionKind {
    pub(crate) fn name_and_value(self) -> (&'static str, f64) {
        match self {
            Self::Dividend(value) => ("dividend", value),
            Self::Split(value) => ("split", value),
        }
    }
}

/// Settings of a backtest. The default is a cash account of a million, filled at the close, without costs.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Config, FillAt};
/// use nanobook::portfolio::CostModel;
///
/// let config = Config {
///     costs: CostModel::bps(5.0),
///     fill: FillAt::NextOpen,
///     ..Config::default()
/// };
/// assert_eq!(config.cash, 1_000_000.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Cash at the start.
    pub cash: f64,
    /// Where orders are filled.
    pub fill: FillAt,
    /// Rows that weights wait, beside what `fill` waits.
    pub lag: usize,
    /// How weights become orders.
    pub rule: Rule,
    /// What trading and holding cost.
    pub costs: CostModel,
    /// When positions are closed between rows of weights.
    pub stops: Stops,
    /// What a missing weight means.
    pub on_null: OnNull,
    /// What a weight without a price means.
    pub on_missing: OnMissing,
    /// Whether weights below zero are an error.
    pub long_only: bool,
    /// The largest sum of absolute weights of a row; `None` for no limit.
    pub gross_limit: Option<f64>,
    /// A held name without a price for more rows than this is closed at its last one; `None` for never. At the end of its
    /// data it is closed in any case.
    pub stale_after: Option<usize>,
    /// Rows in a year, for interest and borrowing.
    pub periods_per_year: f64,
    /// Splits and cash dividends, in any order; prices must be raw then.
    pub actions: Vec<Action>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cash: 1_000_000.0,
            fill: FillAt::Close,
            lag: 0,
            rule: Rule::default(),
            costs: CostModel::default(),
            stops: Stops::default(),
            on_null: OnNull::Error,
            on_missing: OnMissing::Error,
            long_only: false,
            gross_limit: None,
            stale_after: None,
            periods_per_year: 252.0,
            actions: Vec::new(),
        }
    }
}

impl Config {
    /// Rows from the one at or after the time of weights to the one in which they trade.
    pub fn delay(&self) -> usize {
        self.lag.saturating_add(self.fill.delay())
    }

    /// Whether cash and shorts cost or earn anything with time.
    pub(crate) fn accrues(&self) -> bool {
        self.costs.borrow_bps != 0.0
            || self.costs.cash_bps != 0.0
            || self.costs.financing_bps.is_some_and(|rate| rate != 0.0)
    }

    /// An error when a setting can't be, or needs prices that the panel lacks.
    ///
    /// # Errors
    /// Names the setting.
    pub fn check(&self, panel: &Panel<'_>) -> Result<()> {
        let bad = |setting, value, expected| {
            Err(Error::BadSetting {
                setting,
                value,
                expected,
            })
        };
        if !(self.cash.is_finite() && self.cash > 0.0) {
            return bad("cash", self.cash, "it is finite and above zero");
        }
        if !(self.periods_per_year.is_finite() && self.periods_per_year > 0.0) {
            let expected = "it is finite and above zero";
            return bad("periods_per_year", self.periods_per_year, expected);
        }
        if let Some(limit) = self.gross_limit
            && (limit.is_nan() || limit <= 0.0)
        {
            return bad("gross_limit", limit, "it is above zero");
        }
        if let Some((setting, value)) = self.costs.fault() {
            let expected = "it is finite, and not below zero unless it is a rate of cash; slippage stays below 10,000";
            return bad(setting, value, expected);
        }
        let expected = "it is finite and not below zero";
        check_each(
            "lot",
            &self.rule.lot,
            panel.symbols(),
            f64::INFINITY,
            expected,
        )?;
        if let Some((setting, value)) = self.rule.fault() {
            return bad(setting, value, expected);
        }
        self.stops.check(panel)?;
        let needs = |setting, field: Field| match panel.field(field) {
            Some(_) => Ok(()),
            None => Err(Error::NeedsColumn {
                setting,
                column: field.as_str(),
            }),
        };
        needs("fill", self.fill.field())?;
        if self.rule.max_participation.is_some() {
            needs("max_participation", Field::Volume)?;
        }
        if self.costs.impact_bps > 0.0 {
            needs("impact_bps", Field::Volume)?;
        }
        for action in &self.actions {
            let (kind, value) = action.kind.name_and_value();
            let Some(symbol) = panel.symbols().get(action.symbol) else {
                return Err(Error::BadLength {
                    setting: "actions",
                    expected: panel.symbols().len(),
                    found: action.symbol,
                });
            };
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::BadAction {
                    kind,
                    symbol: symbol.clone(),
                    time: action.time,
                    value,
                });
            }
        }
        Ok(())
    }
}
