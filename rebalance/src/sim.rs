//! Venues, network, disk and faults by a seed: the whole path of a run on a virtual clock.
//!
//! [`run`] makes an account, a market and a plan of a seed, drives the [`core`](crate::core) as the command does, and
//! injects faults for a while. Then the faults stop, and the run must end. On every tick it is checked that what must
//! never happen has not happened ([`Invariant`]); the first time that it has is reported.
//!
//! Two venues are modelled by the rules in which they differ: Interactive Brokers takes a second order with an id that
//! it knows, trades whole shares and takes fees in cash; Binance refuses the id while the first order is open, trades
//! fractions and takes the fee of a buy from what was bought.
//!
//! A check that no mistake can fail proves nothing. [`Defect`] lists mistakes that are planted in
//! the core, one at a time; each must be caught.
//!
//! ```
//! use nanobook_rebalance::core::Ending;
//! use nanobook_rebalance::sim::{Config, Fault, Model, run};
//!
//! let report = run(&Config::new(Model::Ibkr, &[Fault::AnswerLost], 7));
//! assert_eq!(report.violation, None);
//! assert!(report.ending.is_some());
//! // The same seed gives the same journal, byte by byte.
//! assert_eq!(report.journal, run(&Config::new(Model::Ibkr, &[Fault::AnswerLost], 7)).journal);
//! ```

mod check;
mod fault;
mod network;
mod rng;
mod scenario;
mod venue;
mod world;

pub use check::{Invariant, Violation};
pub use fault::{Fault, Faults};
pub use venue::Model;

use crate::core::{Defect, Ending};

/// What to simulate.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The venue's rules.
    pub model: Model,
    /// What may go wrong.
    pub faults: Faults,
    /// Decides everything else.
    pub seed: u64,
    /// The process dies at this point, counted from the run's start; `None` for where the seed says, if at all.
    pub crash_at: Option<u64>,
    /// A planted mistake.
    pub defect: Option<Defect>,
}

impl Config {
    /// Faults of these kinds, by a seed.
    pub fn new(model: Model, faults: &[Fault], seed: u64) -> Self {
        Self {
            model,
            faults: Faults::of(faults),
            seed,
            crash_at: None,
            defect: None,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// How the run ended; `None` when a violation stopped it.
    pub ending: Option<Ending>,
    /// What must not happen and has; `None` when nothing has.
    pub violation: Option<Violation>,
    /// Points at which a process could have died.
    pub points: u64,
    /// How often each fault was injected, by [`Fault::ALL`].
    pub injected: [u32; Fault::COUNT],
    /// The journal.
    pub journal: Vec<u8>,
}

/// Simulates a run.
pub fn run(config: &Config) -> Report {
    world::World::new(config).run()
}
