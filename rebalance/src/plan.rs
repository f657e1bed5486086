//! Targets, positions and quotes become orders: the rule of the backtest, and then what a venue asks for.
//!
//! [`nanobook::portfolio::Rule`] sizes everything at once from equity at the middles of the quotes, as a backtest does at
//! its prices. What follows only takes away: restrictions, lots, the venue's bounds, and buys down to the cash that there
//! is when every order fills at its limit. What is left out is said of each symbol.

mod build;
mod order;

use std::fmt;

use nanobook::portfolio::CostModel;
use nanobook::trading::{Account, Instrument, NewOrder, Position, Quote, TimeInForce, Units};
use nanobook::{Money, OrderKind, Price, Side, Symbol, Timestamp};

use crate::config::{Config, PlanConfig};
use crate::targets::Targets;

pub use order::Draft;

/// What a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The targets of the account.
    pub targets: &'a Targets,
    /// The account.
    pub account: &'a Account,
    /// All of its positions.
    pub positions: &'a [Position],
    /// Quotes of what is held and of what is to be held.
    pub quotes: &'a [Quote],
    /// The venue's rules of the same.
    pub instruments: &'a [Instrument],
    /// Our clock.
    pub now: Timestamp,
}

/// How a plan is made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings of the configuration.
    pub plan: PlanConfig,
    /// What trading costs.
    pub costs: CostModel,
    /// What is set aside for the fee of an order, in basis points of its value.
    pub fee_bps: u32,
    /// What is set aside for it at least.
    pub min_fee: Money,
    /// How far beyond the quote a limit may be, in basis points.
    pub collar_bps: f64,
    /// The oldest quote that is traded on, in nanoseconds; `None` for any.
    pub max_quote_age_ns: Option<i64>,
    /// The smallest quantity that the account trades, where that is more than the venue's lot.
    pub least_lot: Units,
}

impl Settings {
    /// Those of a configuration, for a venue that trades whole shares unless fractions are asked for.
    pub fn new(config: &Config, whole_shares: WholeShares) -> Self {
        let age = config.risk.max_quote_age_s.map(|rule| rule.limit.0);
        let least_lot = match whole_shares {
            WholeShares::Yes if !config.plan.fractional => Units::whole(1),
            _ => Units::ZERO,
        };
        Self {
            plan: config.plan.clone(),
            costs: config.costs.model(),
            fee_bps: config.costs.fee_bps(),
            min_fee: config.costs.min_fee(),
            collar_bps: config.execution.collar_bps,
            // A limit is in units of 1e-9 s.
            max_quote_age_ns: age.map(|age| i64::try_from(age).unwrap_or(i64::MAX)),
            least_lot,
        }
    }
}

/// Whether a venue's instruments are shares, which come whole unless fractions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WholeShares {
    /// They are.
    Yes,
    /// They are coins, which have lots of their own.
    No,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A position without any price.
    #[error(
        "{symbol} is held and has no price, so the account's equity is not known; give it a price, or wait for its quote"
    )]
    NoPrice {
        /// The position.
        symbol: Symbol,
    },
    /// Nothing to divide.
    #[error("equity is {equity}; weights are parts of an equity above zero")]
    NoEquity {
        /// What there is.
        equity: f64,
    },
    /// The account is in another currency than an instrument.
    #[error(
        "{symbol} trades in {found} and the account is in {expected}; currencies are not exchanged here"
    )]
    Currency {
        /// The instrument.
        symbol: Symbol,
        /// Its currency.
        found: Symbol,
        /// The account's.
        expected: Symbol,
    },
    /// A number beyond what can be counted.
    #[error(
        "{symbol}: the order would be {qty} shares, which can't be counted; is the price {price} right?"
    )]
    TooLarge {
        /// The symbol.
        symbol: Symbol,
        /// Its quantity.
        qty: f64,
        /// Its price.
        price: f64,
    },
    /// A setting that the rule refuses.
    #[error("plan.{name} = {value} can't be")]
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: f64,
    },
}

/// Why a symbol is not traded, or not as far as its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Note {
    /// It is within its band or its bounds.
    WithinBand,
    /// It is where it should be, to the lot.
    OnTarget,
    /// It is on the list of what is not touched.
    Untouchable,
    /// The file says no trade.
    NoTrade,
    /// It is not in the targets, and such positions stay.
    Kept,
    /// It is not in the targets, and such positions are sold.
    Unlisted,
    /// A sell, where only buys are wanted.
    BuyOnly,
    /// A buy, where only sells are wanted.
    SellOnly,
    /// There is no quote.
    NoQuote,
    /// The quote is older than it may be.
    StaleQuote,
    /// The quote lacks a side.
    OneSided,
    /// The bid is not below the ask.
    Crossed,
    /// The instrument does not trade now.
    Halted,
    /// The venue does not know it.
    Unknown,
    /// The order would be smaller than the configuration or the venue takes.
    TooSmall,
    /// The order is as large as the venue takes, and less than wanted.
    TooLarge,
    /// Turnover is limited.
    Turnover,
    /// Cash is limited: at its limit price the order would cost more than there is.
    Cash,
    /// A part of the position is less than a lot, or can't be sold now.
    Remainder,
}

impl Note {
    /// A few words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WithinBand => "within band",
            Self::OnTarget => "on target",
            Self::Untouchable => "not touched",
            Self::NoTrade => "no trade",
            Self::Kept => "kept",
            Self::Unlisted => "not in targets",
            Self::BuyOnly => "buy only",
            Self::SellOnly => "sell only",
            Self::NoQuote => "no quote",
            Self::StaleQuote => "stale quote",
            Self::OneSided => "one-sided quote",
            Self::Crossed => "crossed quote",
            Self::Halted => "halted",
            Self::Unknown => "unknown to venue",
            Self::TooSmall => "too small",
            Self::TooLarge => "cut to venue's most",
            Self::Turnover => "cut to turnover",
            Self::Cash => "cut to cash",
            Self::Remainder => "remainder stays",
        }
    }

    /// Whether it means that the target is not reached though it was wanted.
    pub const fn is_unmet(self) -> bool {
        !matches!(
            self,
            Self::WithinBand
                | Self::OnTarget
                | Self::Untouchable
                | Self::NoTrade
                | Self::Kept
                | Self::Unlisted
        )
    }
}

impl Note {
    /// Whether it may be otherwise the next time, without other targets: a quote that was missing, a limit of this run.
    pub const fn passes(self) -> bool {
        matches!(
            self,
            Self::NoQuote
                | Self::StaleQuote
                | Self::OneSided
                | Self::Crossed
                | Self::Halted
                | Self::Unknown
                | Self::TooLarge
                | Self::Turnover
        )
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A symbol of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The symbol.
    pub symbol: Symbol,
    /// What is held.
    pub qty: Units,
    /// The price it is valued at; `None` when nothing is held and there is none.
    pub mark: Option<f64>,
    /// Its part of equity now.
    pub now: f64,
    /// Its part of equity by the targets; `None` when it is left as it is.
    pub target: Option<f64>,
    /// The order, if there is one.
    pub order: Option<Draft>,
    /// What it is expected to cost: commission, and half of the spread.
    pub cost: f64,
    /// Its part of equity after the order.
    pub after: f64,
    /// Cash after this order and those before it, each at its limit; `None` without an order.
    pub cash_after: Option<f64>,
    /// Value of all positions over equity after this order and those before it; `None` without an order.
    pub leverage_after: Option<f64>,
    /// What there is to say.
    pub note: Option<Note>,
}

impl Row {
    /// How far its weight is from its target; `None` without a target.
    pub fn drift(&self) -> Option<f64> {
        self.target.map(|target| self.now - target)
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The account.
    pub account_id: String,
    /// Its currency.
    pub currency: Symbol,
    /// Equity at the middles of the quotes.
    pub equity: f64,
    /// Cash now.
    pub cash: Money,
    /// Cash after all orders, each at its limit.
    pub cash_after: f64,
    /// Value of all positions over equity, now.
    pub leverage: f64,
    /// The same after all orders.
    pub leverage_after: f64,
    /// All symbols: sells, buys, and then what is not traded; the largest first.
    pub rows: Vec<Row>,
    /// The part of the buys that cash was enough for; 1 for all.
    pub scaled: f64,
    /// What people should know, in sentences.
    pub remarks: Vec<String>,
}

impl Plan {
    /// The orders, sells first, the largest first.
    pub fn orders(&self) -> impl Iterator<Item = &Draft> {
        self.rows.iter().filter_map(|row| row.order.as_ref())
    }

    /// The orders of a side.
    pub fn of_side(&self, side: Side) -> impl Iterator<Item = &Draft> {
        self.orders().filter(move |order| order.side == side)
    }

    /// Value of all orders at their limits.
    pub fn notional(&self) -> f64 {
        // The sum of no doubles is minus zero.
        self.orders()
            .map(Draft::notional)
            .fold(0.0, |sum, value| sum + value)
    }

    /// Value of all orders over equity.
    pub fn turnover(&self) -> f64 {
        self.notional() / self.equity
    }

    /// What all orders are expected to cost.
    pub fn cost(&self) -> f64 {
        self.rows
            .iter()
            .map(|row| row.cost)
            .fold(0.0, |sum, value| sum + value)
    }

    /// Symbols that were wanted and are not traded as far as their target.
    pub fn unmet(&self) -> impl Iterator<Item = &Row> {
        let is_unmet = |row: &&Row| row.note.is_some_and(Note::is_unmet);
        self.rows.iter().filter(is_unmet)
    }

    /// Whether the targets are reached once the orders are filled, as far as anything can be done for it.
    pub fn reaches(&self) -> bool {
        !self
            .rows
            .iter()
            .any(|row| row.note.is_some_and(Note::passes))
    }

    /// The orders as the risk checks take them, with ids that are never sent.
    ///
    /// # Panics
    /// Never: the ids are letters, digits and a dash.
    pub fn proposed(&self, tif: TimeInForce) -> Vec<NewOrder> {
        let order = |(at, order): (usize, &Draft)| {
            let id = format!("plan-{at}").parse();
            NewOrder {
                client_order_id: id.expect("letters, digits and a dash"),
                symbol: order.symbol,
                side: order.side,
                qty: order.qty,
                kind: OrderKind::Limit { price: order.limit },
                tif,
            }
        };
        self.orders().enumerate().map(order).collect()
    }
}

/// Makes a plan.
///
/// # Errors
/// When a position has no price, equity is not above zero, or an instrument is in another currency than the account.
///
/// # Examples
/// ```
/// use nanobook::trading::{Account, Instrument, InstrumentState, Quote, Units};
/// use nanobook::{Money, Price, Side, Timestamp};
/// use nanobook_rebalance::config::Config;
/// use nanobook_rebalance::plan::{Inputs, Settings, WholeShares, plan};
/// use nanobook_rebalance::targets;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("weights.csv");
/// std::fs::write(&path, "as_of,symbol,weight\n2026-11-20,SPY,0.5\n")?;
/// let targets = &targets::read(&path)?[0];
/// let usd = |amount: i64| Price(amount * 1_000_000_000);
/// let (spy, dollar) = ("SPY".parse()?, "USD".parse()?);
/// let plan = plan(
///     &Inputs {
///         targets,
///         account: &Account {
///             account_id: "PAPER".into(),
///             currency: dollar,
///             equity: None,
///             cash: Money(100_000_000_000_000),
///             buying_power: None,
///             is_paper: true,
///             ts_event: None,
///         },
///         positions: &[],
///         quotes: &[Quote {
///             symbol: spy,
///             bid_px: Some(usd(499)),
///             bid_qty: None,
///             ask_px: Some(usd(501)),
///             ask_qty: None,
///             last_px: None,
///             data_type: None,
///             ts_event: Timestamp(0),
///         }],
///         instruments: &[Instrument {
///             symbol: spy,
///             currency: dollar,
///             base: None,
///             tick: Price(10_000_000),
///             lot: Units::whole(1),
///             min_qty: None,
///             max_qty: None,
///             min_price: None,
///             max_price: None,
///             min_notional: None,
///             max_notional: None,
///             state: InstrumentState::Trading,
///         }],
///         now: Timestamp(0),
///     },
///     &Settings::new(&Config::default(), WholeShares::Yes),
/// )?;
/// let order = plan.orders().next().unwrap();
/// // Half of 100,000 at the middle of the quote, 500; the limit is 25 basis points above the ask.
/// assert_eq!((order.side, order.qty), (Side::Buy, Units::whole(100)));
/// assert_eq!(order.limit.to_string(), "502.25");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(inputs: &Inputs<'_>, settings: &Settings) -> Result<Plan, PlanError> {
    build::build(inputs, settings)
}

/// The price of an order: beyond the far side of the quote by the collar at most, and on a tick.
pub fn limit_price(quote: &Quote, side: Side, collar_bps: f64, tick: Price) -> Option<Price> {
    order::limit_price(quote, side, collar_bps, tick)
}
