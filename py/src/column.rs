//! One column of a frame, and its way to `NumPy`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, UInt8Array};
use arrow_cast::cast;
use arrow_schema::{DataType, FieldRef, TimeUnit};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::capsule;
use crate::error::Error;
use crate::frame::package;
use crate::show;

/// One column of a frame, immutable, in Arrow memory.
#[pyclass(module = "nanobook", frozen)]
#[derive(Clone, Debug)]
pub(crate) struct Column {
    field: FieldRef,
    array: ArrayRef,
}

impl Column {
    pub(crate) fn new(field: FieldRef, array: ArrayRef) -> Self {
        Self { field, array }
    }

    /// The value of a row as Python's own.
    fn value<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        show::value(py, self.array.as_ref(), row)
    }
}

#[pymethods]
impl Column {
    /// Name of the column.
    #[getter]
    fn name(&self) -> &str {
        self.field.name()
    }

    /// Its type, short, as polars calls it.
    #[getter]
    fn dtype(&self) -> String {
        show::type_name(self.field.data_type())
    }

    /// Number of nulls.
    #[getter]
    fn null_count(&self) -> usize {
        self.array.null_count()
    }

    fn __len__(&self) -> usize {
        self.array.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, row: isize) -> PyResult<Bound<'py, PyAny>> {
        let len = self.array.len();
        let at = if row < 0 {
            row.checked_add_unsigned(len)
        } else {
            Some(row)
        };
        match at
            .and_then(|at| usize::try_from(at).ok())
            .filter(|at| *at < len)
        {
            Some(at) => self.value(py, at),
            None => Err(PyIndexError::new_err(format!("row {row} of {len}"))),
        }
    }

    /// Its values as Python's own; times to the microsecond.
    pub(crate) fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let values = (0..self.array.len()).map(|row| self.value(py, row));
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    /// As a NumPy array: numbers and times without nulls share the memory, read-only.
    ///
    /// Otherwise it is a copy, in which nulls are NaN or NaT, decimals doubles, and text Python strings; with
    /// `allow_copy=False` that is a `ValueError`.
    #[pyo3(signature = (*, allow_copy=true))]
    pub(crate) fn to_numpy<'py>(
        &self,
        py: Python<'py>,
        allow_copy: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(typestr) = typestr(self.array.data_type())
            && self.array.null_count() == 0
        {
            return as_numpy(py, Arc::clone(&self.array), typestr);
        }
        if !allow_copy {
            let message = format!(
                "column {:?} ({}, {} nulls) has no memory that NumPy can share",
                self.field.name(),
                self.dtype(),
                self.array.null_count()
            );
            return Err(PyValueError::new_err(message));
        }
        copy_to_numpy(py, self)
    }

    /// As a polars `Series`, over the same memory.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let args = (slf.get().field.name(), slf);
        package(slf.py(), "polars")?.call_method1("Series", args)
    }

    /// As a pyarrow array, over the same memory.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        package(slf.py(), "pyarrow")?.call_method1("array", (slf,))
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = self.to_numpy(py, copy != Some(false))?;
        let array = match dtype {
            Some(dtype) => {
                let kwargs = PyDict::new(py);
                kwargs.set_item("copy", false)?;
                array.call_method("astype", (dtype,), Some(&kwargs))?
            }
            None => array,
        };
        if copy == Some(true) {
            array.call_method0("copy")
        } else {
            Ok(array)
        }
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema;
        capsule::give_array(py, &self.field, self.array.as_ref())
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(show::column(&self.field, &self.array)?)
    }
}

/// Memory that `NumPy` shares: the array that is made of it keeps it alive.
#[pyclass(module = "nanobook", frozen)]
#[derive(Debug)]
pub(crate) struct Memory {
    array: ArrayRef,
    typestr: &'static str,
}

#[pymethods]
impl Memory {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let data = self.array.to_data();
        let width = data.data_type().primitive_width().unwrap_or(1);
        let address = data.buffers()[0].as_ptr().addr() + data.offset() * width;
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", (self.array.len(),))?;
        interface.set_item("typestr", self.typestr)?;
        interface.set_item("data", (address, true))?;
        Ok(interface)
    }
}

/// What `NumPy` calls a type whose memory it can share.
fn typestr(data_type: &DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::Int8 => "|i1",
        DataType::Int16 => "<i2",
        DataType::Int32 => "<i4",
        DataType::Int64 => "<i8",
        DataType::UInt8 => "|u1",
        DataType::UInt16 => "<u2",
        DataType::UInt32 => "<u4",
        DataType::UInt64 => "<u8",
        DataType::Float32 => "<f4",
        DataType::Float64 => "<f8",
        DataType::Timestamp(TimeUnit::Nanosecond, _) => "<M8[ns]",
        DataType::Timestamp(TimeUnit::Microsecond, _) => "<M8[us]",
        DataType::Timestamp(TimeUnit::Millisecond, _) => "<M8[ms]",
        DataType::Timestamp(TimeUnit::Second, _) => "<M8[s]",
        DataType::Duration(TimeUnit::Nanosecond) => "<m8[ns]",
        _ => return None,
    })
}

fn as_numpy<'py>(
    py: Python<'py>,
    array: ArrayRef,
    typestr: &'static str,
) -> PyResult<Bound<'py, PyAny>> {
    let memory = Bound::new(py, Memory { array, typestr })?;
    py.import("numpy")?.call_method1("asarray", (memory,))
}

/// Nulls become NaN or `NaT`, bits bytes, decimals doubles, and text Python strings.
fn copy_to_numpy<'py>(py: Python<'py>, column: &Column) -> PyResult<Bound<'py, PyAny>> {
    let array = &column.array;
    let data_type = array.data_type();
    match data_type {
        DataType::Boolean if array.null_count() == 0 => {
            let bits: &BooleanArray = array.as_boolean();
            let bytes: UInt8Array = bits
                .values()
                .iter()
                .map(u8::from)
                .collect::<Vec<_>>()
                .into();
            as_numpy(py, Arc::new(bytes), "|b1")
        }
        DataType::Timestamp(..) | DataType::Duration(_) => {
            let name = typestr(data_type).ok_or_else(|| {
                PyTypeError::new_err(format!("NumPy has nothing for {data_type}"))
            })?;
            let ticks = cast(array, &DataType::Int64).map_err(Error::Arrow)?;
            let ticks = ticks.as_primitive::<arrow_array::types::Int64Type>();
            // The smallest integer is NumPy's NaT.
            let filled: Int64Array = ticks
                .iter()
                .map(|v| v.unwrap_or(i64::MIN))
                .collect::<Vec<_>>()
                .into();
            as_numpy(py, Arc::new(filled), name)
        }
        _ if data_type.is_numeric() => {
            let doubles = cast(array, &DataType::Float64).map_err(Error::Arrow)?;
            let doubles = doubles.as_primitive::<Float64Type>();
            let filled: Float64Array = doubles
                .iter()
                .map(|v| v.unwrap_or(f64::NAN))
                .collect::<Vec<_>>()
                .into();
            as_numpy(py, Arc::new(filled), "<f8")
        }
        _ => {
            let kwargs = PyDict::new(py);
            kwargs.set_item("dtype", "object")?;
            py.import("numpy")?
                .call_method("array", (column.to_list(py)?,), Some(&kwargs))
        }
    }
}
