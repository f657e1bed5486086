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
//! | [`targets`] | weights of a file: Parquet, Arrow IPC, CSV or JSON |
//! | [`config`] | the configuration |
//! | [`mod@plan`] | targets, positions and quotes become orders, by the rule of the backtest |
//! | [`show`] | a plan as a table, a question and a picture |
//! | [`tables`] | plans and journals as Arrow and Parquet |
//! | [`shell`] | the core with a real clock, disk, broker and signals |
//! | [`prices`], [`sample`] | the market of a paper account |
//! | [`cli`] | the command `rebalancer` |
//! | `sim` | venues, network, disk and faults by a seed, and what must hold on every tick (feature `simulation`) |

pub mod cli;
pub mod config;
pub mod core;
mod error;
pub mod journal;
pub mod plan;
pub mod prices;
pub mod sample;
pub mod shell;
pub mod show;
#[cfg(feature = "simulation")]
pub mod sim;
pub mod tables;
pub mod targets;

pub use error::{Error, Result};
