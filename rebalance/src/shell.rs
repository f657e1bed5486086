//! The production shell: it gives the core a clock, a disk, a broker and signals.
//!
//! | module | what |
//! |---|---|
//! | [`venue`] | a broker on a thread of its own |
//! | [`folder`] | what is kept of an account: its lock, its kill switch, its journals |
//! | [`day`] | the day so far, from the journals |
//! | [`prepare`] | from targets and what the venue says to a plan that the risk checks have seen |
//! | [`verdict`] | the risk checks of a plan whose sells are over before its buys begin |
//! | [`mod@drive`] | the loop: commands of the core are done, what happens is told to it |
//! | [`log`] | structured logs |

pub mod day;
pub mod drive;
pub mod folder;
pub mod log;
pub mod prepare;
pub mod venue;
pub mod verdict;

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::plan::PlanError;
use crate::targets::TargetError;

/// Why the command could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Targets that can't be.
    #[error(transparent)]
    Targets(#[from] TargetError),
    /// A configuration that can't be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Settings that contradict each other.
    #[error("{detail}")]
    Setting {
        /// What is wrong, and what to do.
        detail: String,
    },
    /// No plan can be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A journal, or a plan that can't be carried out.
    #[error(transparent)]
    Journal(#[from] crate::Error),
    /// A broker.
    #[error(transparent)]
    Broker(#[from] nanobook_broker::Error),
    /// A question that was not answered. Nothing was sent because of it.
    #[error("the venue did not say {what}: {detail}")]
    Venue {
        /// What was asked.
        what: &'static str,
        /// What came instead.
        detail: String,
    },
    /// A table could not be written.
    #[error(transparent)]
    Table(#[from] nanobook_arrow::Error),
    /// A file or a folder.
    #[error("{}: {action}: {source}", path.display())]
    File {
        /// What was done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process works with the account.
    #[error("another process works with this account ({}); wait for it, or end it with `rebalancer kill`", path.display())]
    Busy {
        /// Its lock.
        path: PathBuf,
    },
    /// The kill switch is on.
    #[error("the kill switch is on ({}); `rebalancer kill --reset` turns it off", path.display())]
    KillSwitch {
        /// Its file.
        path: PathBuf,
    },
    /// A run was not ended.
    #[error("run {run} was not ended; `rebalancer recover` goes on with it")]
    Unfinished {
        /// The run.
        run: String,
    },
    /// The risk checks refused the orders.
    #[error("the risk checks refused the plan: {failed} failed; nothing was sent")]
    Risk {
        /// How many hard checks failed.
        failed: usize,
    },
    /// Nobody said yes.
    #[error("not confirmed; nothing was sent")]
    NotConfirmed,
    /// Nobody can be asked.
    #[error("there is no terminal to confirm at; add --yes{}", if *.live { " and --account with the account's id" } else { "" })]
    NoTerminal {
        /// Whether the money is real.
        live: bool,
    },
    /// There is no run.
    #[error("there is no run yet in {}", path.display())]
    NoRun {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A signal came before anything was sent.
    #[error("interrupted; nothing was sent")]
    Interrupted,
}

impl Failure {
    pub(crate) fn file(
        action: &'static str,
        path: &std::path::Path,
        source: std::io::Error,
    ) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// The exit code that says what happened.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Targets(_) | Self::Config(_) | Self::Setting { .. } | Self::Plan(_) => {
                code::WRONG
            }
            Self::Risk { .. } => code::RISK,
            Self::NotConfirmed | Self::NoTerminal { .. } => code::NOT_CONFIRMED,
            Self::Unfinished { .. } => code::REVIEW,
            Self::KillSwitch { .. } => code::KILLED,
            Self::Busy { .. } | Self::Journal(crate::Error::Locked { .. }) => code::BUSY,
            Self::Interrupted => code::INTERRUPTED,
            _ => code::FAILED,
        }
    }
}

/// Exit codes.
pub mod code {
    /// Done, or there was nothing to do.
    pub const DONE: u8 = 0;
    /// A file, a folder or a venue failed.
    pub const FAILED: u8 = 1;
    /// Arguments, configuration or targets can't be.
    pub const WRONG: u8 = 2;
    /// The risk checks refused; nothing was sent.
    pub const RISK: u8 = 3;
    /// Nobody confirmed; nothing was sent.
    pub const NOT_CONFIRMED: u8 = 4;
    /// The run has ended and something is left, which is listed; nothing is working.
    pub const RESIDUAL: u8 = 5;
    /// Something could not be found out, or a run was not ended: look, then recover.
    pub const REVIEW: u8 = 6;
    /// The kill switch was pulled.
    pub const KILLED: u8 = 7;
    /// Another process works with the account.
    pub const BUSY: u8 = 8;
    /// Positions moved before the first order; nothing was sent. Plan again.
    pub const STALE: u8 = 9;
    /// A check of the journal or of the account found something.
    pub const DIFFERS: u8 = 10;
    /// Interrupted by a signal; nothing of ours is working unless the message says so.
    pub const INTERRUPTED: u8 = 130;
}
