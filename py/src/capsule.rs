//! Where memory crosses between Python and Rust, and the only unsafe code.
//!
//! The Arrow `PyCapsule` interface hands over C structs that carry their own release callback; taking one moves it out
//! of its capsule, so that it is released exactly once. The buffer protocol pins memory as long as the view is held.
//! Large results ask the system for large pages.

#![expect(unsafe_code, reason = "C structs and pointers arrive from Python")]

use std::ffi::CStr;
use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, ArrayRef, RecordBatchReader, make_array};
use arrow_buffer::Buffer;
use arrow_schema::Field;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::error::Error;

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// The stream of an object that has `__arrow_c_stream__`.
pub(crate) fn take_stream(object: &Bound<'_, PyAny>) -> PyResult<FFI_ArrowArrayStream> {
    let capsule = object.call_method0("__arrow_c_stream__")?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast();
    // SAFETY: a capsule of this name holds a valid `ArrowArrayStream` as long as it lives, which is until the end of
    // this function; the struct is moved out and a released one is left, and one that was released before is an error
    // of its reader.
    Ok(unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) })
}

/// The array of an object that has `__arrow_c_array__`, with its field.
pub(crate) fn take_array(object: &Bound<'_, PyAny>) -> PyResult<(Field, ArrayRef)> {
    let pair = object.call_method0("__arrow_c_array__")?;
    let pair = pair.cast::<PyTuple>()?;
    let (schema, array) = (pair.get_item(0)?, pair.get_item(1)?);
    let schema = schema.cast::<PyCapsule>()?.pointer_checked(Some(SCHEMA))?;
    let array = array.cast::<PyCapsule>()?.pointer_checked(Some(ARRAY))?;
    // SAFETY: capsules of these names hold valid `ArrowSchema` and `ArrowArray` structs as long as the pair lives.
    // The schema is only read. The array is moved out, which leaves a released one behind.
    let (schema, array) = unsafe {
        let schema: NonNull<FFI_ArrowSchema> = schema.cast();
        (
            schema.as_ref(),
            FFI_ArrowArray::from_raw(array.cast().as_ptr()),
        )
    };
    if array.is_released() {
        return Err(PyValueError::new_err("this array was taken already"));
    }
    let field = Field::try_from(schema).map_err(Error::Arrow)?;
    // SAFETY: array and schema come from one producer, which promises that they belong together.
    let data = unsafe { from_ffi(array, schema) }.map_err(Error::Arrow)?;
    Ok((field, make_array(data)))
}

/// A stream for others to take.
pub(crate) fn give_stream(
    py: Python<'_>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// A schema for others to take: of one field, or of a struct with the fields of a table.
pub(crate) fn give_schema(
    py: Python<'_>,
    schema: FFI_ArrowSchema,
) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// An array for others to take, with its field.
pub(crate) fn give_array<'py>(
    py: Python<'py>,
    field: &Field,
    array: &dyn Array,
) -> PyResult<Bound<'py, PyTuple>> {
    let schema = FFI_ArrowSchema::try_from(field).map_err(Error::Arrow)?;
    let array = FFI_ArrowArray::new(&array.to_data());
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    PyTuple::new(py, [give_schema(py, schema)?.into_any(), array.into_any()])
}

/// Doubles that Python lends, as an Arrow buffer: `len` of them from the `start`-th on.
///
/// The memory must be contiguous there, which the caller checks.
pub(crate) fn borrow_doubles(buffer: &Arc<PyBuffer<f64>>, start: usize, len: usize) -> Buffer {
    assert!(
        start + len <= buffer.item_count(),
        "{start}+{len} of {} doubles",
        buffer.item_count()
    );
    let base: NonNull<f64> = match NonNull::new(buffer.buf_ptr().cast()) {
        Some(base) => base,
        None => return Buffer::default(),
    };
    // SAFETY: the view has `item_count` contiguous doubles from `base` on (checked by the caller and above), pinned
    // until the view is dropped, and the buffer keeps the view alive. That nobody writes meanwhile is the caller's
    // part of the protocol, as with every numeric library.
    unsafe {
        Buffer::from_custom_allocation(
            base.add(start).cast(),
            len * size_of::<f64>(),
            Arc::new(AssertUnwindSafe(Arc::clone(buffer))),
        )
    }
}

/// Room for `len` doubles. A large one asks for large pages, as `NumPy` does for its own: the first touch of 8 MB is then a
/// few page faults instead of two thousand.
pub(crate) fn room_for_doubles(len: usize) -> Vec<f64> {
    let mut values = Vec::with_capacity(len);
    advise_large_pages(&mut values);
    values
}

#[cfg(target_os = "linux")]
fn advise_large_pages(values: &mut Vec<f64>) {
    use rustix::mm::{Advice, madvise};

    /// What `NumPy` calls large.
    const LARGE: usize = 1 << 22;
    const PAGE: usize = 4096;
    let bytes = values.capacity() * size_of::<f64>();
    if bytes < LARGE {
        return;
    }
    let spare = values.spare_capacity_mut();
    let before = spare.as_ptr().addr().wrapping_neg() % PAGE;
    let len = (bytes - before) / PAGE * PAGE;
    // SAFETY: the range lies in memory that the vector owns, and the advice changes how it is backed and nothing that
    // can be seen in it. `before` is less than a page, and there are many.
    let advised = unsafe {
        madvise(
            spare.as_mut_ptr().byte_add(before).cast(),
            len,
            Advice::LinuxHugepage,
        )
    };
    // A kernel without large pages refuses, and nothing is lost.
    let _ = advised;
}

#[cfg(not(target_os = "linux"))]
fn advise_large_pages(_: &mut Vec<f64>) {}
