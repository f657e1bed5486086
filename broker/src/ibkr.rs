//! Interactive Brokers, through TWS or IB Gateway on this machine.
//!
//! What the gateway tells can be late, twice, or not at all, so an order is known by our id, which it carries as its
//! reference, and by its permanent id; never by the order id alone, which can start again after a restart. Executions
//! are asked for and not only listened to. Server versions 213 to 226 are spoken; the crate `ibapi` is pinned, and its
//! types stay in here.
//!
//! Before an order leaves, its price is compared with the ticks of its price's band, and the gateway's clock with the
//! instrument's hours, in their time zone; what breaks them is denied with nothing sent. What an order would do to margin
//! can be asked before ([`Broker::margin`](crate::Broker::margin)).
//!
//! The gateway's port is not encrypted, so only an address on this machine is taken; a gateway elsewhere is reached
//! through a tunnel.

mod broker;
mod config;
mod convert;
mod rules;

pub use broker::IbkrBroker;
pub use config::{Config, TradingHours};
pub use rules::{Hours, Rules, Ticks};
