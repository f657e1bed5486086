//! Matrices and vectors of doubles from Python: `NumPy` arrays or frames, borrowed where their memory allows it.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_cast::cast;
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::capsule;
use crate::error::{Error, Kind, Place};
use crate::table::Table;

/// Columns of doubles of one length. A null is NaN.
///
/// Borrowed: `Float64` columns without nulls of a frame in one batch, and columns of a `NumPy` array in Fortran order.
/// Copied: what has to be cast, transposed (C order), joined from several batches, or filled with NaN.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    /// Names of the columns, when it was a frame.
    pub(crate) names: Option<Vec<String>>,
    /// The columns.
    pub(crate) columns: Vec<ScalarBuffer<f64>>,
    /// Length of each.
    pub(crate) rows: usize,
}

/// One column of doubles: a one-dimensional array, a series, or a frame of one column.
#[derive(Clone, Debug)]
pub(crate) struct Vector(pub(crate) ScalarBuffer<f64>);

impl Matrix {
    fn of_table(table: &Table) -> Result<Self, Error> {
        let batch = match table.batches() {
            [batch] => batch.clone(),
            many => concat_batches(table.schema(), many).map_err(Error::Arrow)?,
        };
        // A column of times is the index of the rows and not a number among others.
        let numbers = |at: &usize| !batch.column(*at).data_type().is_temporal();
        let chosen: Vec<usize> = (0..batch.num_columns()).filter(numbers).collect();
        let names = chosen
            .iter()
            .map(|at| batch.schema_ref().field(*at).name().clone());
        Ok(Self {
            names: Some(names.collect()),
            columns: chosen
                .iter()
                .map(|at| doubles(&batch, *at))
                .collect::<Result<_, _>>()?,
            rows: batch.num_rows(),
        })
    }

    fn of_array(array: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = array.py();
        let numpy = py.import("numpy")?;
        let array = numpy.call_method1("asfortranarray", (array, "float64"));
        let array = array.map_err(|error| no_numbers(py, error))?;
        let buffer = Arc::new(PyBuffer::<f64>::get(&array)?);
        let (rows, width) = match *buffer.shape() {
            [rows] => (rows, 1),
            [rows, width] => (rows, width),
            _ => {
                let message = format!(
                    "a vector or a matrix is needed, not {} dimensions",
                    buffer.dimensions()
                );
                return Err(Error::input(message).into());
            }
        };
        assert!(
            buffer.is_fortran_contiguous(),
            "asfortranarray gives Fortran order"
        );
        let column = |at: usize| capsule::borrow_doubles(&buffer, at * rows, rows).into();
        Ok(Self {
            names: None,
            columns: (0..width).map(column).collect(),
            rows,
        })
    }

    /// The columns as slices.
    pub(crate) fn slices(&self) -> Vec<&[f64]> {
        self.columns.iter().map(|column| &**column).collect()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Matrix {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if is_array(&object)? {
            Self::of_array(&object)
        } else {
            Ok(Self::of_table(&Table::take(&object, None)?)?)
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Vector {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        // A series has a plain array or a stream of them, or is an array to NumPy.
        let matrix = match Matrix::extract(object) {
            Ok(matrix) => matrix,
            Err(_) if object.hasattr("__arrow_c_array__")? => {
                let (field, array) = capsule::take_array(&object)?;
                return Ok(Self(numbers(&array, field.name())?));
            }
            Err(_) if object.hasattr("__array__")? => Matrix::of_array(&object)?,
            Err(error) => return Err(error),
        };
        match <[_; 1]>::try_from(matrix.columns) {
            Ok([column]) => Ok(Self(column)),
            Err(columns) => {
                let message = format!("one column is needed, not {}", columns.len());
                Err(Error::input(message).into())
            }
        }
    }
}

/// What `NumPy` says of values that are no numbers, or of rows of several lengths, as an error of ours.
fn no_numbers(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyTypeError>(py) {
        let message = format!("numbers are needed: {}", error.value(py));
        return Error::new(Kind::Type, message).into();
    }
    error
}

/// Whether it is `NumPy`'s, or a plain sequence that `NumPy` makes an array of.
fn is_array(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_frame = object.hasattr("__arrow_c_stream__")? || object.hasattr("__arrow_c_array__")?;
    Ok(!is_frame && (object.hasattr("__array_interface__")? || object.hasattr("__len__")?))
}

/// A column as doubles, borrowed when it is `Float64` without nulls.
fn doubles(batch: &RecordBatch, at: usize) -> Result<ScalarBuffer<f64>, Error> {
    numbers(batch.column(at), batch.schema_ref().field(at).name())
}

/// An array as doubles, likewise.
fn numbers(array: &dyn Array, name: &str) -> Result<ScalarBuffer<f64>, Error> {
    if !array.data_type().is_numeric() {
        let message = format!("column {name:?} is {}, not a number", array.data_type());
        return Err(Error::column(Kind::Type, name, message));
    }
    let array = cast(array, &DataType::Float64).map_err(Error::Arrow)?;
    let values = array.as_primitive::<Float64Type>();
    if values.null_count() == 0 {
        return Ok(values.values().clone());
    }
    Ok(values
        .iter()
        .map(|value| value.unwrap_or(f64::NAN))
        .collect())
}

/// An error at the first value that is not finite.
pub(crate) fn check_finite(matrix: &Matrix) -> Result<(), Error> {
    for (at, column) in matrix.columns.iter().enumerate() {
        if let Some(row) = column.iter().position(|value| !value.is_finite()) {
            let name = match &matrix.names {
                Some(names) => names[at].clone(),
                None => at.to_string(),
            };
            return Err(Error::At {
                kind: Kind::Input,
                message: format!(
                    "column {name:?}, row {row}: {} is not a finite number",
                    column[row]
                ),
                place: Place {
                    row: Some(row),
                    column: Some(name),
                    symbol: None,
                },
            });
        }
    }
    Ok(())
}
