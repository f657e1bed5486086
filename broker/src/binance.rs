//! Binance spot over HTTPS.
//!
//! Requests are signed with HMAC-SHA256 or Ed25519, timed by the venue's clock, and kept within the limits that the
//! venue lists and counts in its headers; a pause that it asks for is kept before anything else is sent. An order is
//! looked for by its id before it is sent, because the venue compares ids with open orders only, and after an answer
//! that does not say what happened. Documentation: <https://developers.binance.com/docs/binance-spot-api-docs>, as of
//! 2026-07-21.
//!
//! All filters are checked before an order leaves ([`filters::check`]): first those that need no question, then those on
//! mean prices, counts and balances, for which no more is asked than the instrument's filters need
//! ([`filters::Rules::needs`]). Between question and order the market goes on, so the venue may still refuse.

mod broker;
mod config;
mod convert;
pub mod filters;
mod listing;
mod rest;
pub(crate) mod sign;

pub use broker::BinanceBroker;
pub use config::{Config, Endpoint};
pub use sign::Signer;
