//! What can go wrong with a file, with the place in it.

use std::io;
use std::path::{Path, PathBuf};

use nanobook_itch::replay::TimeOfDay;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file could not be replayed or a dataset not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system said no.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// What was being done, such as `open`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The compressed file is damaged or cut.
    #[error(
        "{}: the {compression} data is damaged or cut after {offset} unpacked bytes: {source}{}",
        path.display(), last_good(*.last_ns)
    )]
    Compressed {
        /// The file.
        path: PathBuf,
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// Bytes that could be unpacked.
        offset: u64,
        /// What the decoder said.
        source: io::Error,
        /// Time of day of the last message before it.
        last_ns: Option<u64>,
    },
    /// The feed ends in a message or can't be cut into messages.
    #[error("{}: {source}{}", path.display(), last_good(*.last_ns))]
    Feed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the byte offset in the unpacked feed.
        source: nanobook_itch::Error,
        /// Time of day of the last message before it.
        last_ns: Option<u64>,
    },
    /// The file holds no message at all.
    #[error("{}: there is no message in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A table could not be built or written.
    #[error(transparent)]
    Table(#[from] nanobook_arrow::Error),
    /// The name of a file does not tell the day of its session.
    #[error(
        "{name}: the name does not tell the session's date; name it like 01302020.NASDAQ_ITCH50.gz or give --date"
    )]
    NoDate {
        /// The name.
        name: String,
    },
    /// A text that is no date.
    #[error("{text:?} is no date of the form 2020-01-30")]
    BadDate {
        /// The text.
        text: String,
    },
    /// Two files of one call are of the same day.
    #[error("{first} and {second} are both of {date}: replay them into different folders")]
    SameDate {
        /// One file.
        first: String,
        /// The other file.
        second: String,
        /// Their day.
        date: String,
    },
    /// A manifest that this program did not write.
    #[error("{}: this is no manifest of nanobook: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A folder that holds no dataset.
    #[error("{}: there is no dataset here (no folder `manifest`)", path.display())]
    NoDataset {
        /// The folder.
        path: PathBuf,
    },
    /// The user stopped it; nothing unfinished was left behind.
    #[error("interrupted; what was not finished is not there")]
    Interrupted,
}

impl Error {
    /// With the time of day of the last message before the error.
    pub(crate) fn after(mut self, ns: Option<u64>) -> Self {
        if let Self::Compressed { last_ns, .. } | Self::Feed { last_ns, .. } = &mut self {
            *last_ns = ns;
        }
        self
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}

fn last_good(ns: Option<u64>) -> String {
    ns.map(|ns| format!("; the last whole message is of {}", TimeOfDay(ns)))
        .unwrap_or_default()
}
