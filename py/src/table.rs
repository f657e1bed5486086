//! Frames from Python: anything with the Arrow `PyCapsule` interface, borrowed.

use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch, RecordBatchReader, StructArray};
use arrow_schema::{DataType, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::capsule;
use crate::error::{Error, Kind};
use crate::frame::Frame;

/// A frame that Python lends: its batches, over the memory of whoever made them.
///
/// A polars `DataFrame` comes as one batch, a pyarrow `Table` as one per chunk. Nothing is copied, and the memory lives
/// as long as a batch of it does.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// No rows, and no columns that would be missed.
    pub(crate) fn nothing() -> Self {
        Self {
            schema: SchemaRef::new(arrow_schema::Schema::empty()),
            batches: Vec::new(),
        }
    }

    /// Takes a frame; of a lazy one only `columns` are collected, when they are named.
    ///
    /// # Errors
    /// `DtypeError` when the object is no frame, and whatever its own methods raise.
    pub(crate) fn take<'py>(
        object: &Bound<'py, PyAny>,
        columns: Option<&[&str]>,
    ) -> PyResult<Self> {
        if let Ok(frame) = object.cast::<Frame>() {
            let frame = frame.get();
            return Ok(Self {
                schema: frame.schema(),
                batches: frame.batches().to_vec(),
            });
        }
        if is_lazy(object)? {
            let chosen = match columns {
                Some(columns) => {
                    object.call_method1("select", (PyList::new(object.py(), columns)?,))?
                }
                None => object.clone(),
            };
            return Self::take(&chosen.call_method0("collect")?, None);
        }
        if object.hasattr("__arrow_c_stream__")? {
            // Reading a stream may run code of any length (DuckDB), and takes half a microsecond a column: other threads
            // go on meanwhile.
            let py = object.py();
            let read = |object: &Bound<'py, PyAny>| {
                let stream = capsule::take_stream(object)?;
                let reader = py.detach(|| RecordBatchStreamReader::try_new(stream));
                reader.map_err(|_| not_a_frame(object))
            };
            let mut reader = read(object)?;
            if let Some(object) = typed(object, &reader.schema())? {
                reader = read(&object)?;
            }
            let schema = reader.schema();
            let batches = py.detach(|| reader.collect::<Result<Vec<_>, _>>());
            return Ok(Self {
                schema,
                batches: batches.map_err(Error::Arrow)?,
            });
        }
        if object.hasattr("__arrow_c_array__")? {
            let (_, array) = capsule::take_array(object)?;
            let Some(rows) = array.as_any().downcast_ref::<StructArray>() else {
                return Err(no_frame(&array.data_type().to_string()));
            };
            let batch = RecordBatch::from(rows.clone());
            return Ok(Self {
                schema: batch.schema(),
                batches: vec![batch],
            });
        }
        let name = object.get_type().name()?.to_string();
        Err(no_frame(&name))
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows; a frame without any may have no batch.
    pub(crate) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Number of rows.
    pub(crate) fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The place of a column.
    ///
    /// # Errors
    /// [`Kind::Missing`], with the columns that there are.
    pub(crate) fn index_of(&self, column: &str) -> Result<usize, Error> {
        self.schema.index_of(column).map_err(|_| {
            let names: Vec<&str> = self
                .schema
                .fields()
                .iter()
                .map(|f| f.name().as_str())
                .collect();
            let message = format!(
                "there is no column {column:?}; there are {}",
                names.join(", ")
            );
            Error::column(Kind::Missing, column, message)
        })
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Table {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Self::take(&object, None)
    }
}

/// The doubles of a column of a batch, borrowed; nulls, if any, are in the array's validity.
///
/// # Errors
/// [`Kind::Type`] when the column has another type.
pub(crate) fn doubles(batch: &RecordBatch, column: usize) -> Result<&[f64], Error> {
    let array = batch.column(column);
    match array.data_type() {
        DataType::Float64 => Ok(array.as_primitive::<Float64Type>().values()),
        other => {
            let name = batch.schema_ref().field(column).name().clone();
            let message = format!("column {name:?} is {other}, not Float64; cast it first");
            Err(Error::column(Kind::Type, &name, message))
        }
    }
}

/// A polars frame whose columns all have a type, where some have not. One of nothing but nulls has none, and polars
/// hands it over with a buffer that the interface does not have for it.
///
/// The schema is asked, not polars: that would take a microsecond for each of thousands of columns, and hold the lock.
fn typed<'py>(
    object: &Bound<'py, PyAny>,
    schema: &SchemaRef,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let nulls = schema
        .fields()
        .iter()
        .filter(|field| field.data_type() == &DataType::Null);
    let names: Vec<&String> = nulls.map(|field| field.name()).collect();
    let module = object.get_type().module()?;
    if names.is_empty() || !module.to_cow()?.starts_with("polars") || !object.hasattr("columns")? {
        return Ok(None);
    }
    let integers = object.py().import("polars")?.getattr("Int64")?;
    let types = PyDict::new(object.py());
    for name in names {
        types.set_item(name, &integers)?;
    }
    object.call_method1("cast", (types,)).map(Some)
}

fn is_lazy(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.hasattr("collect")?
        && object.hasattr("collect_schema")?
        && object.hasattr("select")?
        && !object.hasattr("__arrow_c_stream__")?)
}

/// A stream that is no table: a polars `Series`, for one.
fn not_a_frame(object: &Bound<'_, PyAny>) -> PyErr {
    let name = object.get_type().name();
    let name = name.map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let hint = if object.hasattr("to_frame").unwrap_or(false) {
        "; .to_frame() makes one of it"
    } else {
        ""
    };
    no_frame(&format!("{name}{hint}"))
}

fn no_frame(found: &str) -> PyErr {
    let message = format!(
        "a frame is needed (polars, pyarrow, pandas, DuckDB, or anything with __arrow_c_stream__), not {found}"
    );
    Error::new(Kind::Type, message).into()
}
