//! The frames that every function returns.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchIterator, StringViewArray,
    TimestampNanosecondArray, new_empty_array,
};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use nanobook_arrow::TABLE_KEY;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyModule, PySlice, PyString};

use crate::capsule;
use crate::column::{Column, Memory};
use crate::error::{Error, Kind, Place, exception};
use crate::matrix::Vector;
use crate::show;

/// Rows of one table, immutable, in Arrow memory.
///
/// It keeps its memory alive by itself, so it outlives whatever it was made from, and polars, pyarrow and `NumPy` take
/// its columns without copying. Index it by a column's name, a list of names, or a slice of rows.
///
/// Examples
/// --------
/// >>> import nanobook as nb
/// >>> frame = nb.read_itch(nb.SAMPLE, "trades", limit=100)
/// >>> len(frame), frame[10:20].shape[0]
/// (100, 10)
/// >>> frame["qty"].to_numpy(allow_copy=False).dtype
/// dtype('uint64')
#[pyclass(module = "nanobook", frozen)]
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    schema: SchemaRef,
    batches: Arc<[RecordBatch]>,
}

impl Frame {
    /// A frame of batches of one schema. One batch is better than many: its columns reach `NumPy` without a copy.
    pub(crate) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self {
            schema,
            batches: batches.into(),
        }
    }

    /// A frame of a table's name and its columns.
    pub(crate) fn of(table: &str, columns: Vec<(&str, ArrayRef)>) -> Result<Self, Error> {
        let field =
            |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let fields: Vec<Field> = columns.iter().map(field).collect();
        let schema = Schema::new_with_metadata(fields, [(TABLE_KEY, table.to_owned())]);
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), arrays);
        Ok(batch.map_err(Error::Arrow)?.into())
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(crate) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    pub(crate) fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Rows from `start` on, at most `len`, over the same memory.
    fn part(&self, start: usize, len: usize) -> Self {
        let (mut skip, mut left) = (start, len);
        let mut batches = Vec::new();
        for batch in self.batches.iter() {
            let rows = batch.num_rows();
            if skip >= rows {
                skip -= rows;
                continue;
            }
            let take = left.min(rows - skip);
            if take == 0 {
                break;
            }
            batches.push(batch.slice(skip, take));
            skip = 0;
            left -= take;
        }
        Self::new(self.schema(), batches)
    }

    fn index_of(&self, name: &str) -> Result<usize, Error> {
        self.schema.index_of(name).map_err(|_| {
            let message = format!(
                "there is no column {name:?}; there are {}",
                names(&self.schema).join(", ")
            );
            Error::column(Kind::Missing, name, message)
        })
    }

    fn column_at(&self, at: usize) -> Result<Column, Error> {
        let field = Arc::new(self.schema.field(at).clone());
        let array: ArrayRef = match &*self.batches {
            [] => new_empty_array(field.data_type()),
            [batch] => Arc::clone(batch.column(at)),
            many => {
                let parts: Vec<&dyn Array> =
                    many.iter().map(|batch| batch.column(at).as_ref()).collect();
                concat(&parts).map_err(Error::Arrow)?
            }
        };
        Ok(Column::new(field, array))
    }
}

impl From<RecordBatch> for Frame {
    fn from(batch: RecordBatch) -> Self {
        Self::new(batch.schema(), vec![batch])
    }
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.fields().iter().map(|f| f.name().as_str()).collect()
}

#[pymethods]
impl Frame {
    /// Copies nothing of a frame that has Arrow memory.
    #[new]
    fn py_new(data: crate::table::Table) -> Self {
        Self::new(Arc::clone(data.schema()), data.batches().to_vec())
    }

    /// A frame of columns: numbers (arrays, lists), whole numbers (lists of `int`), or text (lists of `str`); None is
    /// null. Columns named in `times` are whole nanoseconds since 1970 UTC.
    #[staticmethod]
    #[pyo3(signature = (data, *, times=None))]
    fn from_dict(data: &Bound<'_, PyDict>, times: Option<Vec<String>>) -> PyResult<Self> {
        let times = times.unwrap_or_default();
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (name, values) in data {
            let name: String = name.extract()?;
            let is_time = times.contains(&name);
            columns.push((name, array_of(&values, is_time)?));
        }
        let columns = columns
            .iter()
            .map(|(name, array)| (name.as_str(), Arc::clone(array)));
        let schema: Vec<(&str, ArrayRef)> = columns.collect();
        Ok(Self::of("data", schema)?)
    }

    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        names(&self.schema).into_iter().map(str::to_owned).collect()
    }

    /// Types of the columns, short, as polars calls them.
    #[getter]
    fn dtypes(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|f| show::type_name(f.data_type())).collect()
    }

    /// Number of rows and of columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.num_rows(), self.schema.fields().len())
    }

    /// The schema's metadata, such as the name of the table.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (key, value) in self.schema.metadata() {
            all.set_item(key, value)?;
        }
        Ok(all)
    }

    /// Bytes of memory behind the frame.
    #[getter]
    fn nbytes(&self) -> usize {
        self.batches
            .iter()
            .map(RecordBatch::get_array_memory_size)
            .sum()
    }

    fn __len__(&self) -> usize {
        self.num_rows()
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(name) = key.cast::<PyString>() {
            let at = self.index_of(&name.to_cow()?)?;
            return Ok(Bound::new(py, self.column_at(at)?)?.into_any());
        }
        if let Ok(slice) = key.cast::<PySlice>() {
            let rows = isize::try_from(self.num_rows())?;
            let bounds = slice.indices(rows)?;
            if bounds.step != 1 {
                return Err(PyIndexError::new_err("a frame is sliced with step 1"));
            }
            let start = usize::try_from(bounds.start)?;
            return Ok(Bound::new(py, self.part(start, bounds.slicelength))?.into_any());
        }
        if let Ok(names) = key.extract::<Vec<String>>() {
            return Ok(Bound::new(py, self.select(names)?)?.into_any());
        }
        Err(PyTypeError::new_err(
            "a frame is indexed by a column's name, a list of names, or a slice of rows",
        ))
    }

    /// Some of the columns, over the same memory.
    ///
    /// Raises
    /// ------
    /// MissingError
    ///     When there is no such column.
    fn select(&self, columns: Vec<String>) -> PyResult<Self> {
        let at: Vec<usize> = columns
            .iter()
            .map(|name| self.index_of(name))
            .collect::<Result<_, _>>()?;
        let schema = Arc::new(self.schema.project(&at).map_err(Error::Arrow)?);
        let batches = self.batches.iter().map(|batch| batch.project(&at));
        let batches = batches
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::Arrow)?;
        Ok(Self::new(schema, batches))
    }

    /// The first `n` rows, over the same memory.
    #[pyo3(signature = (n=5))]
    fn head(&self, n: usize) -> Self {
        self.part(0, n)
    }

    /// The last `n` rows, over the same memory.
    #[pyo3(signature = (n=5))]
    fn tail(&self, n: usize) -> Self {
        let rows = self.num_rows();
        self.part(rows.saturating_sub(n), n)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface asks for a best effort only; a consumer casts what it wants otherwise.
        let _ = requested_schema;
        let batches: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        let reader = RecordBatchIterator::new(batches, self.schema());
        capsule::give_stream(py, Box::new(reader))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&*self.schema).map_err(Error::Arrow)?;
        capsule::give_schema(py, schema)
    }

    /// As a polars `DataFrame`, over the same memory.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        package(slf.py(), "polars")?.call_method1("DataFrame", (slf,))
    }

    /// As a pyarrow `Table`, over the same memory.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        package(slf.py(), "pyarrow")?.call_method1("table", (slf,))
    }

    /// As a pandas `DataFrame`, a copy.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        package(slf.py(), "pandas")?;
        Self::to_arrow(slf)?.call_method0("to_pandas")
    }

    /// Numbers of all or some columns as a matrix of rows by columns, a copy: memory of columns is not memory of a matrix.
    /// `np.asarray(frame["name"])` shares the memory of one column.
    #[pyo3(signature = (columns=None))]
    fn to_numpy<'py>(
        &self,
        py: Python<'py>,
        columns: Option<Vec<String>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let frame = match columns {
            Some(columns) => self.select(columns)?,
            None => self.clone(),
        };
        let arrays = PyList::empty(py);
        for at in 0..frame.schema.fields().len() {
            arrays.append(frame.column_at(at)?.to_numpy(py, true)?)?;
        }
        let numpy = package(py, "numpy")?;
        if arrays.is_empty() {
            return numpy.call_method1("empty", ((frame.num_rows(), 0),));
        }
        numpy.call_method1("column_stack", (arrays,))
    }

    /// Columns as lists of Python's own values.
    fn to_dict<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let py = slf.py();
        let all = PyDict::new(py);
        for (at, name) in names(&slf.get().schema).into_iter().enumerate() {
            all.set_item(name, slf.get().column_at(at)?.to_list(py)?)?;
        }
        Ok(all)
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(show::text(&self.schema, &self.batches)?)
    }

    fn _repr_html_(&self) -> PyResult<String> {
        Ok(show::html(&self.schema, &self.batches)?)
    }
}

/// An array of Python's values.
fn array_of(values: &Bound<'_, PyAny>, is_time: bool) -> PyResult<ArrayRef> {
    if is_time {
        let ticks: Vec<Option<i64>> = values.extract()?;
        return Ok(Arc::new(
            TimestampNanosecondArray::from(ticks).with_timezone("UTC"),
        ));
    }
    if values.is_instance_of::<PyList>() {
        if let Ok(texts) = values.extract::<Vec<Option<String>>>() {
            return Ok(Arc::new(StringViewArray::from_iter(texts)));
        }
        if let Ok(whole) = values.extract::<Vec<Option<i64>>>() {
            return Ok(Arc::new(Int64Array::from(whole)));
        }
        let doubles: Vec<Option<f64>> = values.extract()?;
        return Ok(Arc::new(Float64Array::from(doubles)));
    }
    let doubles: Vector = values.extract()?;
    Ok(Arc::new(Float64Array::new(doubles.0, None)))
}

/// A package that is not a dependency of ours.
pub(crate) fn package<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(name).map_err(|_| {
        let message = format!("this needs the package {name}: pip install {name}");
        exception(py, Kind::Package, &message, &Place::default())
    })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Frame>()?;
    module.add_class::<Column>()?;
    module.add_class::<Memory>()
}
