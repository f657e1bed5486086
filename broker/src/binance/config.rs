//! Where and as whom.

use std::collections::BTreeSet;
use std::net::IpAddr;

use nanobook::Symbol;
use reqwest::Url;

use super::sign::Signer;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    is_live: bool,
}

impl Endpoint {
    /// The venue's test network, with play money.
    ///
    /// # Panics
    /// Never: the address is a constant.
    pub fn testnet() -> Self {
        Self {
            url: Url::parse("https://testnet.binance.vision").expect("an address"),
            is_live: false,
        }
    }

    /// The venue, with real money. Nothing else gets there: not a default, and not an address in a file.
    ///
    /// # Panics
    /// Never: the address is a constant.
    pub fn live() -> Self {
        Self {
            url: Url::parse("https://api.binance.com").expect("an address"),
            is_live: true,
        }
    }

    /// A server of one's choice that is not the live one: `https`, or anything on this machine.
    ///
    /// # Errors
    /// When it is no address, is not encrypted though it is not on this machine, or is the live venue.
    ///
    /// # Examples
    /// ```
    /// use nanobook_broker::binance::Endpoint;
    /// assert!(Endpoint::at("http://127.0.0.1:8080").is_ok());
    /// assert!(Endpoint::at("http://example.com").is_err());
    /// assert!(Endpoint::at("https://api.binance.com").is_err());
    /// ```
    pub fn at(url: &str) -> Result<Self> {
        let bad = |detail: &str| Error::Config {
            setting: "base_url",
            detail: format!("{url:?} {detail}"),
        };
        let url = Url::parse(url).map_err(|_| bad("is no address"))?;
        let endpoint = Self {
            url,
            is_live: false,
        };
        if endpoint.url.scheme() != "https" && !endpoint.is_loopback() {
            return Err(bad("is not encrypted; use https"));
        }
        let host = endpoint.url.host_str().unwrap_or_default();
        if host.ends_with("binance.com") || host.ends_with("binance.us") {
            return Err(bad("is the live venue; ask for it by name"));
        }
        if !endpoint.url.username().is_empty() || endpoint.url.password().is_some() {
            return Err(bad("holds a password"));
        }
        Ok(endpoint)
    }

    /// Whether the money is real.
    pub const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    pub(super) fn url(&self, path: &str) -> Result<Url> {
        self.url.join(path).map_err(|_| Error::Config {
            setting: "base_url",
            detail: format!("{path:?} can't be added to it"),
        })
    }
}

/// Where and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which server.
    pub endpoint: Endpoint,
    /// The API key.
    pub key: Secret,
    /// What signs requests.
    pub signer: Signer,
    /// The account, when it must be a certain one: the `uid` of the venue.
    pub account_id: Option<String>,
    /// The asset that counts as cash.
    pub cash_asset: Symbol,
    /// The assets that are looked at besides cash; `None` for all. Others are left alone, and are not in equity.
    pub assets: Option<BTreeSet<Symbol>>,
    /// Whether the filters of the account are asked for before its first order of an instrument (`myFilters`, 40 of
    /// weight). Nothing else tells of `MAX_ASSET`; a server that does not have the question needs `false`.
    pub own_filters: bool,
    /// How late a request may reach the venue, in milliseconds; 5,000 unless given, 60,000 at most.
    pub recv_window_ms: u32,
    /// How long to wait for an answer, in milliseconds.
    pub timeout_ms: u64,
    /// How often an order is looked for when its outcome is not known.
    pub look_again: u32,
    /// How long to wait before each look, in milliseconds.
    pub look_pause_ms: u64,
}

impl Config {
    /// The test network, unless another endpoint is given.
    ///
    /// # Panics
    /// Never: the asset is a constant.
    pub fn new(key: Secret, signer: Signer) -> Self {
        Self {
            endpoint: Endpoint::testnet(),
            key,
            signer,
            account_id: None,
            cash_asset: "USDT".parse().expect("four letters"),
            assets: None,
            own_filters: true,
            recv_window_ms: 5_000,
            timeout_ms: 10_000,
            look_again: 3,
            look_pause_ms: 250,
        }
    }
}
