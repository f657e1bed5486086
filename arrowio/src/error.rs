//! What can go wrong between rows, batches and files.

use std::fmt;
use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a table could not be built, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system said no.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// What was being done, such as `create` or `rename`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A Parquet file could not be written or read.
    #[error("parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// An Arrow batch or IPC file could not be built, written or read.
    #[error("arrow: {0}")]
    Arrow(#[from] ArrowError),
    /// Something went wrong with a file.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Box<Error>,
    },
    /// A name that is no table's.
    #[error("there is no table {name:?}; the tables are {known}")]
    UnknownTable {
        /// The name.
        name: String,
        /// All names, with commas.
        known: String,
    },
    /// A name that is no price type's.
    #[error("there is no price type {name:?}; the price types are float, decimal, fixed")]
    UnknownPriceType {
        /// The name.
        name: String,
    },
    /// A file or batch holds another table than the one asked for.
    #[error("expected table {expected}, found {found}")]
    WrongTable {
        /// The table asked for.
        expected: &'static str,
        /// The table that its metadata names.
        found: String,
    },
    /// A file or batch was written by a version of the table that this library does not know.
    #[error("table {table}: expected version {expected}, found {found}")]
    WrongVersion {
        /// The table.
        table: &'static str,
        /// The version that this library reads and writes.
        expected: u32,
        /// The version that the metadata names.
        found: String,
    },
    /// A column is missing.
    #[error("table {table}: column {column} is missing; found {found}")]
    MissingColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The columns that are there, with commas.
        found: String,
    },
    /// A column has another type than the table's.
    #[error("table {table}: column {column}: expected {expected}, found {found}")]
    WrongType {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The types that would do.
        expected: &'static str,
        /// The type that is there.
        found: String,
    },
    /// A value can't stand in a column.
    #[error("table {table}: column {column}, row {row}: expected {expected}, found {found}")]
    BadValue {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The row within the batch, from 0.
        row: usize,
        /// What would do.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A batch does not have the schema of the file it goes to.
    #[error("expected a batch with the columns ({expected}), found ({found})")]
    WrongSchema {
        /// The file's columns with their types.
        expected: String,
        /// The batch's.
        found: String,
    },
    /// A stream has no footer for metadata that is known at its end.
    #[error("an arrow stream has no footer for metadata; write a file, or put it into the schema")]
    NoFooter,
    /// Encoded row groups must be appended in order.
    #[error("expected row group {expected} next, found {found}; append them in order")]
    OutOfOrder {
        /// The index that comes next.
        expected: usize,
        /// The index that was given.
        found: usize,
    },
    /// Rows of a file must be in the order that it declares.
    #[error(
        "column {column} falls from {before} to {after}; rows must be pushed in the order of the file"
    )]
    NotSorted {
        /// The column that the file is sorted by.
        column: &'static str,
        /// A value.
        before: String,
        /// The next one, which is smaller.
        after: String,
    },
}

impl Error {
    /// This error, said of a file.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        match self {
            Self::File { .. } | Self::Io { .. } => self,
            source => Self::File {
                path: path.to_path_buf(),
                source: Box::new(source),
            },
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}

/// What is wrong with one column, before the table and the column's name are known.
#[derive(Debug)]
pub(crate) enum Mismatch {
    /// It has another type.
    Type { expected: &'static str },
    /// One of its values will not do.
    Value {
        row: usize,
        expected: &'static str,
        found: String,
    },
}

impl Mismatch {
    pub(crate) fn value(row: usize, expected: &'static str, found: impl fmt::Display) -> Self {
        Self::Value {
            row,
            expected,
            found: found.to_string(),
        }
    }

    /// A null where there must be none.
    pub(crate) fn null(row: usize) -> Self {
        Self::value(row, "a value", "null")
    }

    pub(crate) fn at(
        self,
        table: &'static str,
        column: &str,
        found_type: impl fmt::Display,
    ) -> Error {
        let column = column.to_owned();
        match self {
            Self::Type { expected } => Error::WrongType {
                table,
                column,
                expected,
                found: found_type.to_string(),
            },
            Self::Value {
                row,
                expected,
                found,
            } => Error::BadValue {
                table,
                column,
                row,
                expected,
                found,
            },
        }
    }
}
