//! A paper account: our orders rest and trade on the matching engine against the quotes of a market that others make.
//!
//! For each instrument there is an engine. The best bid and ask of the market stand in it as orders of somebody else,
//! renewed with each quote; ours arrive after the latency and trade with them, or rest until the market comes to them.
//! What was taken from a quote is gone until the next one, so a large order fills in parts.
//!
//! Quotes come from a table ([`Recorded`]), from a replayed day ([`Recorded`] is a [`nanobook::Sink`]), or from another
//! broker ([`FromBroker`]). With a file the account survives the process.

mod book;
mod broker;
mod config;
mod quotes;
mod state;
mod sums;

pub use broker::PaperBroker;
pub use config::{Config, Hours, Time};
pub use quotes::{FromBroker, QuoteSource, Recorded};
