//! What a paper account is like.

use nanobook::portfolio::CostModel;
use nanobook::trading::{Instrument, InstrumentState, Units};
use nanobook::{Money, Price, Symbol, Timestamp};

/// Whose time it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Time {
    /// The computer's.
    #[default]
    Wall,
    /// As told by [`PaperBroker::advance`](super::PaperBroker::advance), from this time on.
    Stepped(Timestamp),
}

/// When the market is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hours {
    /// Always.
    #[default]
    Always,
    /// From a time up to another, in order of time; a day order ends with the session it was sent in.
    Sessions(Vec<(Timestamp, Timestamp)>),
}

/// What a paper account is like.
///
/// # Examples
/// ```
/// use nanobook::Money;
/// use nanobook::portfolio::CostModel;
/// use nanobook_broker::paper::Config;
///
/// let config = Config {
///     cash: Money(100_000_000_000_000),
///     costs: CostModel::bps(5.0),
///     ..Config::default()
/// };
/// assert!(!config.short);
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name.
    pub account_id: String,
    /// Its currency.
    pub currency: Symbol,
    /// What it starts with.
    pub cash: Money,
    /// Commissions come out of cash. Slippage and half-spread move the market's prices away from ours.
    pub costs: CostModel,
    /// How long an order or a cancel takes to the market, in nanoseconds.
    pub latency_ns: i64,
    /// The part of a quoted quantity that can be had; 1 is all of it.
    pub depth: f64,
    /// Whether positions may be below zero.
    pub short: bool,
    /// What can be spent, as a multiple of equity. 1 is a cash account.
    pub leverage: f64,
    /// When the market is open.
    pub hours: Hours,
    /// The rules of instruments that are not listed; `None` refuses those.
    pub default_rules: Option<(Price, Units)>,
    /// Instruments with rules of their own.
    pub instruments: Vec<Instrument>,
    /// Whose time it is.
    pub time: Time,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            account_id: "PAPER".to_owned(),
            currency: "USD".parse().expect("three letters"),
            cash: Money(1_000_000_000_000_000),
            costs: CostModel::default(),
            latency_ns: 0,
            depth: 1.0,
            short: false,
            leverage: 1.0,
            hours: Hours::Always,
            default_rules: Some((Price(10_000_000), Units::whole(1))),
            instruments: Vec::new(),
            time: Time::Wall,
        }
    }
}

impl Config {
    /// The rules of an instrument; `None` when it is not to be had.
    pub(super) fn instrument(&self, symbol: Symbol) -> Option<Instrument> {
        let listed = self.instruments.iter().find(|i| i.symbol == symbol);
        listed.copied().or_else(|| {
            let (tick, lot) = self.default_rules?;
            Some(Instrument {
                symbol,
                currency: self.currency,
                base: None,
                tick,
                lot,
                min_qty: None,
                max_qty: None,
                min_price: None,
                max_price: None,
                min_notional: None,
                max_notional: None,
                state: InstrumentState::Trading,
            })
        })
    }

    /// The session that a time is in, as its end; `None` when the market is closed.
    pub(super) fn session_end(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.hours {
            Hours::Always => Some(Timestamp(i64::MAX)),
            Hours::Sessions(sessions) => {
                let inside = |(open, close): &&(Timestamp, Timestamp)| *open <= now && now < *close;
                sessions.iter().find(inside).map(|(_, close)| *close)
            }
        }
    }
}
