//! Weights become orders, safely, whatever happens.
//!
//! The [`core`] is a state machine without clock, files and sockets: events go in, commands come out. What it decides
//! is a record of the [`journal`], synced before anything is sent; what it knows is the journal replayed. The same core
//! runs in the command, against the paper broker and in the fault simulation (feature `simulation`).
//!
//! | module | what |
//! |---|---|
//! | [`core`] | the approved plan, the state machine, its records and its outcome |
//! | [`journal`] | records on disk: framed, checksummed, chained, synced, one writer |
//! | `sim` | venues, network, disk and faults by a seed, and what must hold on every tick (feature `simulation`) |

pub mod core;
mod error;
pub mod journal;
#[cfg(feature = "simulation")]
pub mod sim;

pub use error::{Error, Result};
