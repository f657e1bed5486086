//! Binance spot over HTTPS.
//!
//! Requests are signed with HMAC-SHA256 or Ed25519, timed by the venue's clock, and kept within the limits that the
//! venue lists and counts in its headers; a pause that it asks for is kept before anything else is sent. An order is
//! looked for by its id before it is sent, because the venue compares ids with open orders only, and after an answer
//! that does not say what happened. Documentation: <https://developers.binance.com/docs/binance-spot-api-docs>, as of
//! 2026-07-21.
//!
//! Filters that need no further question are checked before an order leaves ([`filters::check`]); what depends on mean
//! prices, on counts and on balances is refused by the venue, with nothing done.

mod broker;
mod config;
mod convert;
pub mod filters;
mod rest;
pub(crate) mod sign;

pub use broker::BinanceBroker;
pub use config::{Config, Endpoint};
pub use sign::Signer;
