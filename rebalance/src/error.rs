//! What can go wrong.

use std::path::PathBuf;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a run can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The journal could not be written.
    #[error("the journal can't be written: {0}")]
    Write(#[source] std::io::Error),
    /// Another process has the journal.
    #[error("{}: another process writes it; wait for it to end", path.display())]
    Locked {
        /// The journal.
        path: PathBuf,
    },
    /// The file is no journal.
    #[error("this is no journal: {detail}")]
    NoJournal {
        /// What was found.
        detail: String,
    },
    /// A record is not as it was written.
    #[error("journal damaged at byte {offset}, record {seq}: {detail}")]
    Damaged {
        /// Where its frame begins.
        offset: u64,
        /// Its number.
        seq: u64,
        /// What is wrong.
        detail: String,
    },
    /// A record that can't come here.
    #[error("journal record {seq}: {detail}")]
    Replay {
        /// Its number.
        seq: u64,
        /// What is wrong.
        detail: String,
    },
    /// A plan that can't be.
    #[error("plan, leg {leg}: {detail}")]
    Plan {
        /// The leg's place, from zero.
        leg: usize,
        /// What is wrong.
        detail: String,
    },
}
