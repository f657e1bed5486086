//! From the crates' errors to Python exceptions.
//!
//! The exceptions themselves are written in Python (`nanobook/errors.py`), because each derives from `NanobookError`
//! and from the builtin that a caller expects, which a class made here can't.

use arrow_schema::ArrowError;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;

/// The class of an exception, by its name in `nanobook.errors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An argument or a value of a frame: also a `ValueError`.
    Input,
    /// A column is missing or an order or symbol is unknown: also a `KeyError`.
    Missing,
    /// A column has a type that can't be used: also a `TypeError`.
    Type,
    /// A file or folder: also an `OSError`.
    Source,
    /// A feed is damaged: also a `ValueError`.
    Feed,
    /// A package that the call needs is not there: also an `ImportError`.
    Package,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::Input => "InputError",
            Self::Missing => "MissingError",
            Self::Type => "DtypeError",
            Self::Source => "SourceError",
            Self::Feed => "FeedError",
            Self::Package => "PackageError",
        }
    }
}

/// Where in the input something was wrong; attributes of the exception.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) row: Option<usize>,
    pub(crate) column: Option<String>,
    pub(crate) symbol: Option<String>,
}

/// What can go wrong in a binding. Convert a crate's error with `From` here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Something of ours, with its class and place.
    #[error("{message}")]
    At {
        kind: Kind,
        message: String,
        place: Place,
    },
    /// Arrow could not take or make an array.
    #[error("{0}")]
    Arrow(ArrowError),
    /// A file could not be read or a dataset not written.
    #[error(transparent)]
    Datasets(#[from] nanobook_datasets::Error),
    /// A statistic could not be computed.
    #[error(transparent)]
    Statistics(#[from] nanobook::stats::Error),
    /// A table could not be built.
    #[error(transparent)]
    Table(#[from] nanobook_arrow::Error),
}

impl Error {
    /// A wrong argument or value.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self::At {
            kind,
            message: message.into(),
            place: Place::default(),
        }
    }

    /// An error about a column.
    pub(crate) fn column(kind: Kind, column: &str, message: impl Into<String>) -> Self {
        Self::At {
            kind,
            message: message.into(),
            place: Place {
                column: Some(column.to_owned()),
                ..Place::default()
            },
        }
    }
}

/// Makes an exception of a class of `nanobook.errors`.
pub(crate) fn exception(py: Python<'_>, kind: Kind, message: &str, place: &Place) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let class = py.import("nanobook.errors")?.getattr(kind.class())?;
        let exception = class.call1((message,))?;
        exception.setattr("row", place.row)?;
        exception.setattr("column", place.column.as_deref())?;
        exception.setattr("symbol", place.symbol.as_deref())?;
        Ok(PyErr::from_value(exception))
    };
    // Whoever took the package apart still learns what was wrong.
    make().unwrap_or_else(|_| PyRuntimeError::new_err(message.to_owned()))
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        Python::attach(|py| match error {
            Error::At { kind, place, .. } => exception(py, kind, &message, &place),
            Error::Datasets(error) => from_datasets(py, &error),
            Error::Statistics(error) => exception(py, Kind::Input, &message, &place_of(&error)),
            Error::Arrow(_) | Error::Table(_) => {
                exception(py, Kind::Input, &message, &Place::default())
            }
        })
    }
}

fn place_of(error: &nanobook::stats::Error) -> Place {
    use nanobook::stats::Error as Statistics;
    let (row, column) = match error {
        Statistics::NotFinite { row, column, .. } => (Some(*row), Some(*column)),
        Statistics::Constant { column, .. } => (None, Some(*column)),
        _ => (None, None),
    };
    Place {
        row,
        column: column.map(|at| at.to_string()),
        ..Place::default()
    }
}

fn from_datasets(py: Python<'_>, error: &nanobook_datasets::Error) -> PyErr {
    use nanobook_datasets::Error as Datasets;
    let kind = match error {
        Datasets::Interrupted => return PyKeyboardInterrupt::new_err(()),
        Datasets::Io { .. } | Datasets::NoDataset { .. } => Kind::Source,
        Datasets::Compressed { .. } | Datasets::Feed { .. } | Datasets::Empty { .. } => Kind::Feed,
        _ => Kind::Input,
    };
    exception(py, kind, &error.to_string(), &Place::default())
}
