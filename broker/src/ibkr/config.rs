//! Where and as whom.

use std::net::{SocketAddr, ToSocketAddrs};

use nanobook::Symbol;

use crate::error::{Error, Result};

/// In which hours orders are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TradingHours {
    /// In regular hours; at other times an order is denied.
    #[default]
    Regular,
    /// In extended hours too, for limit orders; market orders in regular hours.
    Extended,
    /// At any time: the gateway holds orders until they may trade.
    Any,
}

/// Where and as whom.
///
/// # Examples
/// ```
/// use nanobook_broker::ibkr::Config;
/// let config = Config::new("DU1234567");
/// assert!(config.paper);
/// assert_eq!(config.address, "127.0.0.1:4002");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The gateway, on this machine: port 4002 is IB Gateway for paper accounts, 4001 for live ones, 7497 and 7496 are
    /// those of TWS.
    pub address: String,
    /// Our number among the gateway's clients; orders belong to the number that placed them.
    pub client_id: i32,
    /// The account; the gateway must have it. Empty for the only account behind the login.
    pub account_id: String,
    /// Whether it must be a paper account. Live must be asked for.
    pub paper: bool,
    /// The account's currency, and that of instruments.
    pub currency: Symbol,
    /// Whether the account may hold fractions of a share.
    pub fractional: bool,
    /// Whether positions may be below zero.
    pub short: bool,
    /// In which hours orders are sent.
    pub hours: TradingHours,
    /// How long to wait for an answer, in milliseconds.
    pub timeout_ms: u64,
    /// Messages a second; the venue cuts connections beyond 50.
    pub messages_per_second: u32,
}

impl Config {
    /// A paper account behind IB Gateway.
    ///
    /// # Panics
    /// Never: the currency is a constant.
    pub fn new(account_id: &str) -> Self {
        Self {
            address: "127.0.0.1:4002".to_owned(),
            client_id: 17,
            account_id: account_id.to_owned(),
            paper: true,
            currency: "USD".parse().expect("three letters"),
            fractional: false,
            short: false,
            hours: TradingHours::Regular,
            timeout_ms: 10_000,
            messages_per_second: 45,
        }
    }

    /// The address, if it is on this machine.
    pub(super) fn checked(&self) -> Result<SocketAddr> {
        let bad = |detail: &str| Error::Config {
            setting: "address",
            detail: format!("{:?} {detail}", self.address),
        };
        let mut found = self
            .address
            .to_socket_addrs()
            .map_err(|_| bad("is no address"))?;
        let address = found.next().ok_or_else(|| bad("is no address"))?;
        if address.ip().is_loopback() {
            Ok(address)
        } else {
            Err(bad(
                "is not on this machine, and the connection is not encrypted; use a tunnel",
            ))
        }
    }
}
