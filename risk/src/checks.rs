//! Every check as a pure function: what it needs in, a [`Finding`](crate::Finding) out.
//!
//! | module | what |
//! |---|---|
//! | [`order`] | one order: price, quantity, quote, lists, other orders |
//! | [`account`] | positions, exposures and cash after the orders, worst case |
//! | [`batch`] | all orders, the targets they come from, the plan they were approved in |
//! | [`session`] | rates, switches, the day's loss, the account that was meant |
//!
//! Limits are in units of 1e-9 of the check's [`Unit`](crate::Unit). Comparisons are exact; an observed ratio is
//! rounded up.

pub mod account;
pub mod batch;
pub mod order;
pub mod session;
