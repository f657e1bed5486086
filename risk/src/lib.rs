//! Pre-trade risk checks that fail closed.
//!
//! A call judges orders against limits: each order alone, all of them together, and the whole account after them, in
//! the worst case over every order that may still trade. Every check gives one row for each subject, with the limit,
//! what was observed and the outcome. What is not known fails. Everything is exact: prices times quantities are
//! integers in units of 1e-18, and ratios are compared by their products.
//!
//! ```
//! use nanobook::trading::{Account, DataType, Instrument, InstrumentState, NewOrder, Quote, TimeInForce, Units};
//! use nanobook::{Money, OrderKind, Price, Side, Timestamp};
//! use nanobook_risk::{Check, Limits, RiskEngine, Session, Situation};
//!
//! let usd = |amount: i64| Price(amount * 1_000_000_000);
//! let (aapl, dollar) = ("AAPL".parse()?, "USD".parse()?);
//! let order = NewOrder {
//!     client_order_id: "demo-0".parse()?,
//!     symbol: aapl,
//!     side: Side::Buy,
//!     qty: Units::whole(600),
//!     kind: OrderKind::Limit { price: usd(200) },
//!     tif: TimeInForce::Day,
//! };
//! let account = Account {
//!     account_id: "DU1".into(),
//!     currency: dollar,
//!     equity: Some(Money(1_000_000_000_000_000)),
//!     cash: Money(1_000_000_000_000_000),
//!     buying_power: Some(Money(1_000_000_000_000_000)),
//!     is_paper: true,
//!     ts_event: None,
//! };
//! let quote = Quote {
//!     symbol: aapl,
//!     bid_px: Some(usd(199)),
//!     bid_qty: None,
//!     ask_px: Some(usd(200)),
//!     ask_qty: None,
//!     last_px: None,
//!     data_type: Some(DataType::Live),
//!     ts_event: Timestamp(0),
//! };
//! let instrument = Instrument {
//!     symbol: aapl,
//!     currency: dollar,
//!     base: None,
//!     tick: Price(10_000_000),
//!     lot: Units::whole(1),
//!     min_qty: None,
//!     max_qty: None,
//!     min_price: None,
//!     max_price: None,
//!     min_notional: None,
//!     max_notional: None,
//!     state: InstrumentState::Trading,
//! };
//! let situation = Situation {
//!     account: Some(&account),
//!     positions: Some(&[]),
//!     working: Some(&[]),
//!     quotes: &[quote],
//!     instruments: &[instrument],
//!     session: Session {
//!         kill_switch: Some(false),
//!         halted: Some(false),
//!         reduce_only: Some(false),
//!         market_open: Some(true),
//!         account_id: Some("DU1"),
//!         paper: Some(true),
//!         unexplained: Some(0),
//!         ..Session::UNKNOWN
//!     },
//!     ..Situation::new(Timestamp(1_000_000_000))
//! };
//! let engine = RiskEngine::new(Limits::from_toml("max_weight = 0.1")?);
//! let report = engine.check(&[order], &situation);
//! // 600 shares at 199.50 are 11.97 % of a million.
//! let breach = report.breaches().next().unwrap();
//! assert_eq!(breach.check, Check::MaxWeight);
//! assert_eq!(breach.finding.observed, Some(119_700_000));
//! assert!(!report.passed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod checks;
mod code;
mod engine;
mod error;
mod exact;
mod ledger;
mod limits;
mod report;
mod situation;

pub use code::{Check, Level, Unit};
pub use engine::RiskEngine;
pub use error::{Error, Result};
pub use exact::Exact;
pub use limits::{Decimal, Group, Limits, Rule, Severity, Shorting};
pub use report::{Finding, Input, Outcome, Reason, Report, RiskCheck, Subject};
pub use situation::{Day, Proceeds, Session, Situation, Targets};
