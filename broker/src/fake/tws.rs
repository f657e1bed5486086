//! A TWS gateway: the handshake, the protobuf dialect of server version 226, accounts, orders, executions, and faults.
//!
//! Field numbers are those that Interactive Brokers' own client uses; that client runs against this gateway in
//! `broker/tests`. Behaviour is what users of the real gateway reported; each fault says what.

mod clock;
mod desk;
mod fault;
mod gateway;
mod listing;
mod wire;

pub use fault::Fault;
pub use gateway::TwsGateway;
