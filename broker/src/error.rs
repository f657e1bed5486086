//! What can go wrong with a venue.

use std::path::PathBuf;

use crate::Venue;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a venue's answer is not known. None of these means that there is nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no connection; call `connect`.
    #[error("not connected to {venue}")]
    NotConnected {
        /// The venue.
        venue: Venue,
    },
    /// The connection broke, or could not be made.
    #[error("connection to {venue}: {detail}")]
    Connection {
        /// The venue.
        venue: Venue,
        /// What the system says.
        detail: String,
    },
    /// No answer in time.
    #[error("{venue} did not answer {what} within {after_ms} ms")]
    Timeout {
        /// The venue.
        venue: Venue,
        /// What was asked.
        what: &'static str,
        /// How long was waited.
        after_ms: u64,
    },
    /// The venue answered with an error.
    #[error("{venue} answered {what} with error {code}: {text}")]
    Refused {
        /// The venue.
        venue: Venue,
        /// What was asked.
        what: &'static str,
        /// Its code.
        code: i32,
        /// Its words.
        text: String,
    },
    /// The venue asks for a pause.
    #[error("{venue} asks for a pause of {wait_ms} ms{}", if *.banned { " (banned)" } else { "" })]
    Paused {
        /// The venue.
        venue: Venue,
        /// For how long.
        wait_ms: u64,
        /// Whether it has shut us out for not pausing before.
        banned: bool,
    },
    /// An answer that is not what the venue documents.
    #[error("{venue} answered {what} with something else: {detail}")]
    Protocol {
        /// The venue.
        venue: Venue,
        /// What was asked.
        what: &'static str,
        /// What was found.
        detail: String,
    },
    /// The venue has no such thing.
    #[error("{what} is not to be had at {venue}")]
    Unsupported {
        /// The venue.
        venue: Venue,
        /// What was asked for.
        what: &'static str,
    },
    /// Another account than the one that was meant.
    #[error("the account is {found}, and {expected} was meant")]
    WrongAccount {
        /// The one that was meant.
        expected: String,
        /// What the venue says.
        found: String,
    },
    /// A live account where a paper one was meant, or the other way round.
    #[error("the account {account_id} is {}, and the other was meant", if *.is_paper { "paper" } else { "live" })]
    WrongMode {
        /// The account.
        account_id: String,
        /// Whether it is paper.
        is_paper: bool,
    },
    /// A setting that can't be.
    #[error("{setting}: {detail}")]
    Config {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it, and what to do.
        detail: String,
    },
    /// A file.
    #[error("{}: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

impl Error {
    /// Whether the connection is gone, so that `connect` is the next step.
    pub const fn is_connection_lost(&self) -> bool {
        matches!(self, Self::NotConnected { .. } | Self::Connection { .. })
    }
}
