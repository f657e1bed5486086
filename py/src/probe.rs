//! Where memory is, so that tests can see that it was not copied. Not part of the package's promise.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use crate::matrix::{Matrix, Vector, check_finite};
use crate::table::{Table, doubles};

/// The address of the values of each column in each batch, as the bindings see them.
#[pyfunction]
fn addresses<'py>(py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let table = Table::take(data, None)?;
    let all = PyDict::new(py);
    for field in table.schema().fields() {
        let at = table.index_of(field.name())?;
        let of_batch = |batch: &arrow_array::RecordBatch| {
            let data = batch.column(at).to_data();
            let width = data.data_type().primitive_width().unwrap_or(0);
            data.buffers()[0].as_ptr().addr() + data.offset() * width
        };
        let places: Vec<usize> = table.batches().iter().map(of_batch).collect();
        all.set_item(field.name(), places)?;
    }
    Ok(all)
}

/// The sum of each column of doubles, and the number of rows.
#[pyfunction]
fn sums(data: &Bound<'_, PyAny>, columns: Vec<String>) -> PyResult<(Vec<f64>, usize)> {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let table = Table::take(data, Some(&names))?;
    let mut sums = Vec::new();
    for name in names {
        let at = table.index_of(name)?;
        let mut sum = 0.0;
        for batch in table.batches() {
            sum += doubles(batch, at)?.iter().sum::<f64>();
        }
        sums.push(sum);
    }
    Ok((sums, table.num_rows()))
}

/// Addresses and sums of columns, and their names.
type Columns = (Vec<usize>, Vec<f64>, Option<Vec<String>>);

/// The address and the sum of each column of a matrix, and its names.
#[pyfunction]
fn matrix(data: Matrix) -> PyResult<Columns> {
    check_finite(&data)?;
    let slices = data.slices();
    let addresses = slices.iter().map(|column| column.as_ptr().addr()).collect();
    let sums = slices
        .iter()
        .map(|column| column.iter().take(data.rows).sum())
        .collect();
    Ok((addresses, sums, data.names))
}

/// The address and the length of a vector.
#[pyfunction]
fn vector(data: Vector) -> (usize, usize) {
    (data.0.as_ptr().addr(), data.0.len())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(addresses, module)?)?;
    module.add_function(wrap_pyfunction!(sums, module)?)?;
    module.add_function(wrap_pyfunction!(matrix, module)?)?;
    module.add_function(wrap_pyfunction!(vector, module)?)
}
