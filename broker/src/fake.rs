//! Venues on loopback that stand in for the real ones in tests: real sockets, the venues' own dialects, and faults on
//! demand. Clients by others talk to them unchanged.

pub mod binance;
mod http;
pub mod tws;
