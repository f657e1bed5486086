//! What can be wrong with limits.

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What is wrong with a file of limits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not TOML, an unknown key, or a value of another kind; the message says where.
    #[error("limits: {0}")]
    Parse(#[from] toml::de::Error),
    /// A file that can't be read.
    #[error("limits: {path}: {source}")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
