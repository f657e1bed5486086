//! What a venue can do.

use nanobook::trading::TimeInForce;

/// A venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Venue {
    /// A paper account in a file.
    Paper,
    /// Interactive Brokers.
    Ibkr,
    /// Binance spot.
    Binance,
}

impl Venue {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Ibkr => "ibkr",
            Self::Binance => "binance",
        }
    }
}

impl std::fmt::Display for Venue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a venue can do; what it can't is denied before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own"
)]
pub struct Capabilities {
    /// The venue.
    pub venue: Venue,
    /// Whether quantities may have fractions, as far as lots allow.
    pub fractional: bool,
    /// Whether positions may be below zero.
    pub short: bool,
    /// Whether market orders are taken.
    pub market_orders: bool,
    /// How long orders may live.
    pub tifs: &'static [TimeInForce],
    /// Whether a second open order with the same client order id is refused. Where it is not, only we keep them apart.
    pub unique_ids: bool,
    /// Whether fees are taken from what was bought.
    pub fee_in_asset: bool,
    /// Whether the venue has hours, so that an instrument can be closed.
    pub hours: bool,
    /// Whether the venue works out what an order would do to margin ([`Broker::margin`](crate::Broker::margin)).
    pub margin: bool,
    /// How long after it was accepted an order may be missing from answers, in nanoseconds. An answer that does not
    /// name an order proves nothing before that.
    pub visibility_lag_ns: i64,
}
