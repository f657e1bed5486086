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
    /// There is no connection to a venue: also a `ConnectionError`.
    Connection,
    /// A venue did not answer in time: also a `TimeoutError`.
    NoAnswer,
    /// A venue answered with an error, or is another one than was meant: also a `RuntimeError`.
    Venue,
    /// What a venue does not have: also a `NotImplementedError`.
    Unsupported,
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
            Self::Connection => "ConnectionLostError",
            Self::NoAnswer => "NoAnswerError",
            Self::Venue => "VenueError",
            Self::Unsupported => "UnsupportedError",
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
    /// A venue's answer is not known.
    #[error(transparent)]
    Broker(#[from] nanobook_broker::Error),
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

    /// The same error of a later part of a frame, which begins at a row.
    pub(crate) fn after(self, rows: usize) -> Self {
        match self {
            Self::Table(error) => {
                let message = error.to_string();
                let (kind, mut place) = table_place(&error);
                place.row = place.row.map(|row| row + rows);
                Self::At {
                    kind,
                    message,
                    place,
                }
            }
            Self::At {
                kind,
                message,
                mut place,
            } => {
                place.row = place.row.map(|row| row + rows);
                Self::At {
                    kind,
                    message,
                    place,
                }
            }
            other => other,
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
            Error::Arrow(_) => exception(py, Kind::Input, &message, &Place::default()),
            Error::Table(error) => {
                let (kind, place) = table_place(&error);
                exception(py, kind, &message, &place)
            }
            Error::Broker(error) => exception(py, broker_kind(&error), &message, &Place::default()),
        })
    }
}

/// The class and place of an error about a table.
fn table_place(error: &nanobook_arrow::Error) -> (Kind, Place) {
    use nanobook_arrow::Error as Tables;
    let (kind, column, row) = match error {
        Tables::BadValue { column, row, .. } => (Kind::Input, Some(column), Some(*row)),
        Tables::MissingColumn { column, .. } => (Kind::Missing, Some(column), None),
        Tables::WrongType { column, .. } => (Kind::Type, Some(column), None),
        _ => (Kind::Input, None, None),
    };
    let place = Place {
        row,
        column: column.cloned(),
        symbol: None,
    };
    (kind, place)
}

fn broker_kind(error: &nanobook_broker::Error) -> Kind {
    use nanobook_broker::Error as Broker;
    match error {
        Broker::NotConnected { .. } | Broker::Connection { .. } => Kind::Connection,
        Broker::Timeout { .. } => Kind::NoAnswer,
        Broker::Config { .. } => Kind::Input,
        Broker::File { .. } => Kind::Source,
        Broker::Unsupported { .. } => Kind::Unsupported,
        _ => Kind::Venue,
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
