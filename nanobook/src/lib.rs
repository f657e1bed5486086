//! Market-data vocabulary, order book and matching engine.
//!
//! Rows are plain Rust values here; their columns live in `nanobook-arrow`. This crate knows no Arrow, no files, no
//! sockets and no clock, and starts no thread that it was not asked for.
//!
//! | module | what |
//! |---|---|
//! | [`book`] | the passive order book: by order id, first in first out at a price |
//! | [`matching`] | the matching engine: orders, stops, auctions, event log |
//! | [`indicators`] | technical indicators as TA-Lib defines them, in batch, as a stream and over panels |
//! | [`stats`] | rank tests, information coefficients, Sharpe ratios that were tried often, bootstrap, regression |
//! | [`cv`] | splits that keep the future out of the past |
//! | `covariance`, `optimize` | estimators and optimal portfolios (feature `optimize`) |
//! | [`volatility`] | GARCH models by maximum likelihood, realized volatility |
//! | [`rows`] | one type for each market-data table |
//! | `portfolio` | positions, costs, and the rule that turns weights into orders (feature `portfolio`) |
//! | `backtest` | weights over prices: equity, holdings, fills (feature `portfolio`) |
//! | `metrics` | what a series of returns was worth (feature `portfolio`) |
//! | [`trading`] | orders, fills, positions, accounts and quotes of a broker |

#[cfg(feature = "portfolio")]
pub mod backtest;
pub mod book;
#[cfg(feature = "optimize")]
pub mod covariance;
pub mod cv;
mod event;
mod exchange;
pub mod indicators;
pub mod linalg;
pub mod matching;
#[cfg(feature = "portfolio")]
pub mod metrics;
mod multi;
#[cfg(feature = "optimize")]
pub mod optimize;
mod order;
#[cfg(feature = "portfolio")]
pub mod portfolio;
mod prefetch;
pub mod rows;
mod side;
mod sink;
pub mod stats;
mod symbol;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trading;
mod types;
pub mod volatility;

pub use event::{BookDelta, Fault, Resting};
pub use exchange::{CancelResult, Exchange, ModifyResult, SubmitResult};
pub use multi::{MultiEvent, MultiExchange};
pub use order::{
    Ack, Order, OrderKind, OrderRequest, OrderStatus, Owner, Reject, StpPolicy, TimeInForce, Trail,
};
pub use prefetch::prefetch;
pub use side::Side;
pub use sink::Sink;
pub use symbol::{MAX_SYMBOL_LEN, Symbol, SymbolError};
pub use types::{InstrumentId, Money, OrderId, Price, Qty, Timestamp, TradeId, UNITS_PER_CURRENCY};
