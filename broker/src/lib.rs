//! Brokers that tell the truth, or say that they do not know.
//!
//! A [`Broker`] answers in the rows of [`nanobook::trading`]. What became of a request is one of four things
//! ([`Outcome`]): the venue confirmed it, the venue refused it, we never sent it, or nobody knows. A query that failed
//! is an error, and never an empty answer.
//!
//! | module | what |
//! |---|---|
//! | [`paper`] | a paper account on the matching engine, kept in a file |
//! | `binance` | Binance spot over HTTPS (feature `binance`) |
//! | `ibkr` | Interactive Brokers through TWS or IB Gateway (feature `ibkr`) |
//! | `conformance` | what every broker must do, as scenarios (feature `testing`) |
//! | `fake` | venues on loopback for tests (feature `testing`) |
//! | [`secret`] | keys that are wiped, and never printed |

#[cfg(feature = "binance")]
pub mod binance;
mod capabilities;
#[cfg(feature = "testing")]
pub mod conformance;
mod error;
#[cfg(feature = "testing")]
pub mod fake;
#[cfg(feature = "ibkr")]
pub mod ibkr;
mod margin;
mod outcome;
pub mod paper;
pub mod secret;

use nanobook::trading::{
    Account, ClientOrderId, Fill, Instrument, InstrumentState, NewOrder, Order, Position, Quote,
};
use nanobook::{Symbol, Timestamp};

pub use capabilities::{Capabilities, Venue};
pub use error::{Error, Result};
pub use margin::Margin;
pub use outcome::{Denial, Outcome, Refusal};

/// Whom a connection reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The account.
    pub account_id: String,
    /// Whether its money is play money.
    pub is_paper: bool,
    /// The venue's clock less ours, in nanoseconds.
    pub clock_offset_ns: i64,
}

/// Which order is meant. Venues that list orders by instrument need its symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderKey {
    /// Our id.
    pub client_order_id: ClientOrderId,
    /// Its instrument.
    pub symbol: Symbol,
}

impl OrderKey {
    /// The key of an order.
    pub const fn of(order: &NewOrder) -> Self {
        Self {
            client_order_id: order.client_order_id,
            symbol: order.symbol,
        }
    }
}

/// A venue with an account. Every call blocks until the venue has answered or the time is up.
///
/// # Examples
/// ```
/// use nanobook_broker::paper::{Config, PaperBroker};
/// use nanobook_broker::Broker;
///
/// let mut broker = PaperBroker::new(Config::default());
/// let session = broker.connect()?;
/// assert!(session.is_paper);
/// assert!(broker.open_orders()?.is_empty());
/// # Ok::<(), nanobook_broker::Error>(())
/// ```
pub trait Broker {
    /// What the venue can do.
    fn capabilities(&self) -> &Capabilities;

    /// Connects, or connects anew, and checks that account and mode are those that were meant.
    ///
    /// # Errors
    /// When the venue can't be reached, refuses us, or is not the one that was meant.
    fn connect(&mut self) -> Result<Session>;

    /// The venue's time. The cheapest question there is: whether anybody is there.
    ///
    /// # Errors
    /// When the venue did not answer.
    fn clock(&mut self) -> Result<Timestamp>;

    /// What the account is worth.
    ///
    /// # Errors
    /// When the venue did not answer.
    fn account(&mut self) -> Result<Account>;

    /// All positions that are not zero. An empty answer means that the venue said so.
    ///
    /// # Errors
    /// When the venue did not answer, or not to the end.
    fn positions(&mut self) -> Result<Vec<Position>>;

    /// The rules of instruments. What the venue does not know is left out.
    ///
    /// # Errors
    /// When the venue did not answer.
    fn instruments(&mut self, symbols: &[Symbol]) -> Result<Vec<Instrument>>;

    /// Quotes of instruments. What has none is left out; a side that is missing is `None`.
    ///
    /// # Errors
    /// When the venue did not answer.
    fn quotes(&mut self, symbols: &[Symbol]) -> Result<Vec<Quote>>;

    /// Sends an order, once.
    fn submit(&mut self, order: &NewOrder) -> Outcome;

    /// What an order would do to the account's margin, without placing it.
    ///
    /// # Errors
    /// When the venue did not answer, refuses such an order, or does not work it out ([`Capabilities::margin`]).
    fn margin(&mut self, _order: &NewOrder) -> Result<Margin> {
        Err(Error::Unsupported {
            venue: self.capabilities().venue,
            what: "what an order would do to margin",
        })
    }

    /// Asks for an order to be cancelled. Confirmed says how the order stands then: it may have filled before, and where
    /// its state is not final the cancel is on its way.
    fn cancel(&mut self, key: OrderKey) -> Outcome;

    /// The orders that have our id, newest last. None means that the venue knows of none *now*: it may learn of one
    /// later. More than one is what a venue allows that does not compare ids.
    ///
    /// # Errors
    /// When the venue did not answer.
    fn order(&mut self, key: OrderKey) -> Result<Vec<Order>>;

    /// All orders that can still trade, ours and others'. An empty answer means that the venue said so.
    ///
    /// # Errors
    /// When the venue did not answer, or not to the end.
    fn open_orders(&mut self) -> Result<Vec<Order>>;

    /// Executions since a time, oldest first, each once, corrected. Of these instruments at least.
    ///
    /// # Errors
    /// When the venue did not answer, or not to the end.
    fn fills_since(&mut self, symbols: &[Symbol], since: Timestamp) -> Result<Vec<Fill>>;
}

/// Whether a market is open: all of these instruments are in their hours. `None` when there are none, which passes no
/// market-hours gate.
///
/// # Examples
/// ```
/// assert_eq!(nanobook_broker::market_open(&[]), None);
/// ```
pub fn market_open(instruments: &[Instrument]) -> Option<bool> {
    let closed = |instrument: &Instrument| instrument.state == InstrumentState::Closed;
    (!instruments.is_empty()).then(|| !instruments.iter().any(closed))
}

/// The examples of the README, which run as tests: here because they need brokers, risk and replay.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
