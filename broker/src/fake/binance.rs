//! A Binance spot server: signatures, clock, weights, filters, balances, orders, executions, and faults.
//!
//! What it answers follows the venue's documentation of 2026-07-21; where it behaves in a way that surprises, the rule
//! says where that is documented.

mod filters;
mod server;
mod venue;

pub use server::BinanceServer;
pub use venue::{Fault, Key};
