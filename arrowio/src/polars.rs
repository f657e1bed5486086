//! Frames of Rust Polars to batches and back, over the same memory.
//!
//! Values are never copied: numbers, times and the bytes of text keep their addresses both ways. The bits that say what is
//! null, and columns of booleans, keep theirs on the way here; on the way to Polars they are copied, a bit for each row.
//! Text of Polars whose views don't stand at a multiple of sixteen bytes is the one other copy, of its views.
//!
//! It needs the feature `polars`, and takes the frames of `polars` 0.55: its `DataFrame` is the one of `polars-core`.
//!
//! ```
//! use nanobook_arrow::{FrameNames, PanelFrame, polars};
//! use polars_core::prelude::{Column, DataFrame};
//!
//! let frame = DataFrame::new_infer_height(vec![
//!     Column::new("ts".into(), [0_i64, 86_400_000_000_000]).cast(&polars_core::prelude::DataType::Datetime(
//!         polars_core::prelude::TimeUnit::Nanoseconds,
//!         None,
//!     ))?,
//!     Column::new("A".into(), [10.0, 11.0]),
//! ])?;
//! let (schema, batches) = polars::batches(&frame)?;
//! let prices = PanelFrame::new(&schema, &batches, &FrameNames::default(), &[])?;
//! assert_eq!(prices.panel()?.close().get(1, 0), 11.0);
//! assert_eq!(polars::frame(&schema, &batches)?, frame);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, PrimitiveArray, RecordBatch, RecordBatchOptions, StringViewArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use polars_arrow::array::{self as theirs, Array as _};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, Field as TheirField, TimeUnit as TheirTimeUnit};
use polars_arrow::types::NativeType;
use polars_buffer::Buffer as TheirBuffer;
use polars_core::error::PolarsError;
use polars_core::prelude::{Column, CompatLevel, DataFrame, Series};

/// Why a frame did not cross.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolarsEdgeError {
    /// A column of a type that the other side has no twin of.
    #[error(
        "column {column:?} is {found}; what crosses are numbers of up to 64 bits, booleans, text, dates, datetimes and durations"
    )]
    Type {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// Arrow did not take it.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// Polars did not take it.
    #[error(transparent)]
    Polars(#[from] PolarsError),
}

type Result<T> = std::result::Result<T, PolarsEdgeError>;

/// The batches of a frame, one for each of its chunks, and their schema.
///
/// # Errors
/// When a column is of a type that does not cross; the message names it.
pub fn batches(frame: &DataFrame) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let mut frame = frame.clone();
    frame.align_chunks_par();
    let mut all = Vec::new();
    for batch in frame.iter_chunks(CompatLevel::newest(), false) {
        let mut fields = Vec::with_capacity(batch.width());
        let mut arrays = Vec::with_capacity(batch.width());
        for (field, array) in batch.schema().iter_values().zip(batch.arrays()) {
            let array = ours(field, array.as_ref())?;
            fields.push(Field::new(
                field.name.as_str(),
                array.data_type().clone(),
                true,
            ));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.height()));
        let schema = Arc::new(Schema::new(fields));
        all.push(RecordBatch::try_new_with_options(schema, arrays, &options)?);
    }
    let schema = all
        .first()
        .map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    Ok((schema, all))
}

/// A frame of batches of one schema, one chunk for each.
///
/// # Errors
/// When a column is of a type that does not cross; the message names it.
pub fn frame(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<DataFrame> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let chunks = batches
            .iter()
            .map(|batch| their_array(field, batch.column(at)));
        let mut chunks = chunks.collect::<Result<Vec<_>>>()?;
        if chunks.is_empty() {
            let empty = arrow_array::new_empty_array(field.data_type());
            chunks.push(their_array(field, &empty)?);
        }
        let dtype = chunks[0].dtype().clone();
        let their_field = TheirField::new(field.name().as_str().into(), dtype, true);
        columns.push(Column::from(Series::try_from((&their_field, chunks))?));
    }
    Ok(DataFrame::new_infer_height(columns)?)
}

/// Memory of Polars as memory of Arrow.
struct Owner<T: NativeType>(TheirBuffer<T>);

impl<T: NativeType> AsRef<[u8]> for Owner<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(self.0.as_slice())
    }
}

fn buffer<T: NativeType>(values: TheirBuffer<T>) -> Buffer {
    bytes::Bytes::from_owner(Owner(values)).into()
}

fn bits(bits: &Bitmap) -> BooleanBuffer {
    let (bytes, offset, len) = bits.as_buffer();
    BooleanBuffer::new(buffer(bytes), offset, len)
}

fn nulls(validity: Option<&Bitmap>) -> Option<NullBuffer> {
    validity
        .filter(|validity| validity.unset_bits() > 0)
        .map(|validity| NullBuffer::new(bits(validity)))
}

/// An array of Polars as one of Arrow.
fn ours(field: &TheirField, array: &dyn theirs::Array) -> Result<ArrayRef> {
    let unknown = || PolarsEdgeError::Type {
        column: field.name.to_string(),
        found: format!("{:?}", array.dtype()),
    };
    macro_rules! numbers {
        ($native:ty, $ours:ty) => {{
            let array = array
                .as_any()
                .downcast_ref::<theirs::PrimitiveArray<$native>>();
            let array = array.ok_or_else(unknown)?;
            let len = array.len();
            let values = ScalarBuffer::new(buffer(array.values().clone()), 0, len);
            PrimitiveArray::<$ours>::try_new(values, nulls(array.validity()))?
        }};
    }
    macro_rules! array {
        ($native:ty, $ours:ty) => {
            Arc::new(numbers!($native, $ours)) as ArrayRef
        };
    }
    Ok(match array.dtype() {
        ArrowDataType::Float64 => array!(f64, Float64Type),
        ArrowDataType::Float32 => array!(f32, Float32Type),
        ArrowDataType::Int64 => array!(i64, Int64Type),
        ArrowDataType::Int32 => array!(i32, Int32Type),
        ArrowDataType::Int16 => array!(i16, Int16Type),
        ArrowDataType::Int8 => array!(i8, Int8Type),
        ArrowDataType::UInt64 => array!(u64, UInt64Type),
        ArrowDataType::UInt32 => array!(u32, UInt32Type),
        ArrowDataType::UInt16 => array!(u16, UInt16Type),
        ArrowDataType::UInt8 => array!(u8, UInt8Type),
        ArrowDataType::Date32 => array!(i32, Date32Type),
        ArrowDataType::Timestamp(unit, zone) => {
            let zone = zone.as_ref().map(|zone| Arc::<str>::from(zone.as_str()));
            match unit {
                TheirTimeUnit::Nanosecond => {
                    Arc::new(numbers!(i64, TimestampNanosecondType).with_timezone_opt(zone))
                }
                TheirTimeUnit::Microsecond => {
                    Arc::new(numbers!(i64, TimestampMicrosecondType).with_timezone_opt(zone))
                }
                TheirTimeUnit::Millisecond => {
                    Arc::new(numbers!(i64, TimestampMillisecondType).with_timezone_opt(zone))
                }
                TheirTimeUnit::Second => return Err(unknown()),
            }
        }
        ArrowDataType::Duration(TheirTimeUnit::Nanosecond) => array!(i64, DurationNanosecondType),
        ArrowDataType::Duration(TheirTimeUnit::Microsecond) => array!(i64, DurationMicrosecondType),
        ArrowDataType::Duration(TheirTimeUnit::Millisecond) => array!(i64, DurationMillisecondType),
        ArrowDataType::Boolean => {
            let array = array.as_any().downcast_ref::<theirs::BooleanArray>();
            let array = array.ok_or_else(unknown)?;
            Arc::new(BooleanArray::new(
                bits(array.values()),
                nulls(array.validity()),
            ))
        }
        ArrowDataType::Utf8View => {
            let array = array.as_any().downcast_ref::<theirs::Utf8ViewArray>();
            let array = array.ok_or_else(unknown)?;
            let views = buffer(array.views().clone());
            let views: ScalarBuffer<u128> =
                if views.as_ptr().addr().is_multiple_of(align_of::<u128>()) {
                    ScalarBuffer::new(views, 0, array.len())
                } else {
                    array.views().iter().map(|view| view.as_u128()).collect()
                };
            let text = array.data_buffers().iter().cloned().map(buffer);
            let text: Vec<Buffer> = text.collect();
            Arc::new(StringViewArray::try_new(
                views,
                text,
                nulls(array.validity()),
            )?)
        }
        _ => return Err(unknown()),
    })
}

fn their_bits(bits: &BooleanBuffer) -> Bitmap {
    // There is no safe way to hand the bits over; a copy shifts them to the start of a byte.
    match bits.len() {
        0 => Bitmap::new(),
        len => Bitmap::from_u8_slice(bits.sliced(), len),
    }
}

/// An array of Arrow as one of Polars.
fn their_array(field: &Field, array: &ArrayRef) -> Result<theirs::ArrayRef> {
    let unknown = || PolarsEdgeError::Type {
        column: field.name().clone(),
        found: array.data_type().to_string(),
    };
    let validity = array.nulls().map(|nulls| their_bits(nulls.inner()));
    macro_rules! array {
        ($ours:ty, $native:ty, $dtype:expr) => {{
            let array = array.as_any().downcast_ref::<PrimitiveArray<$ours>>();
            let array = array.ok_or_else(unknown)?;
            primitive::<$ours, $native>(array, $dtype, validity)?
        }};
    }
    let zone = |zone: &Option<Arc<str>>| zone.as_deref().map(Into::into);
    Ok(match array.data_type() {
        DataType::Float64 => array!(Float64Type, f64, ArrowDataType::Float64),
        DataType::Float32 => array!(Float32Type, f32, ArrowDataType::Float32),
        DataType::Int64 => array!(Int64Type, i64, ArrowDataType::Int64),
        DataType::Int32 => array!(Int32Type, i32, ArrowDataType::Int32),
        DataType::Int16 => array!(Int16Type, i16, ArrowDataType::Int16),
        DataType::Int8 => array!(Int8Type, i8, ArrowDataType::Int8),
        DataType::UInt64 => array!(UInt64Type, u64, ArrowDataType::UInt64),
        DataType::UInt32 => array!(UInt32Type, u32, ArrowDataType::UInt32),
        DataType::UInt16 => array!(UInt16Type, u16, ArrowDataType::UInt16),
        DataType::UInt8 => array!(UInt8Type, u8, ArrowDataType::UInt8),
        DataType::Date32 => array!(Date32Type, i32, ArrowDataType::Date32),
        DataType::Timestamp(TimeUnit::Nanosecond, tz) => {
            let dtype = ArrowDataType::Timestamp(TheirTimeUnit::Nanosecond, zone(tz));
            array!(TimestampNanosecondType, i64, dtype)
        }
        DataType::Timestamp(TimeUnit::Microsecond, tz) => {
            let dtype = ArrowDataType::Timestamp(TheirTimeUnit::Microsecond, zone(tz));
            array!(TimestampMicrosecondType, i64, dtype)
        }
        DataType::Timestamp(TimeUnit::Millisecond, tz) => {
            let dtype = ArrowDataType::Timestamp(TheirTimeUnit::Millisecond, zone(tz));
            array!(TimestampMillisecondType, i64, dtype)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            let dtype = ArrowDataType::Duration(TheirTimeUnit::Nanosecond);
            array!(DurationNanosecondType, i64, dtype)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            let dtype = ArrowDataType::Duration(TheirTimeUnit::Microsecond);
            array!(DurationMicrosecondType, i64, dtype)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            let dtype = ArrowDataType::Duration(TheirTimeUnit::Millisecond);
            array!(DurationMillisecondType, i64, dtype)
        }
        DataType::Boolean => {
            let array = array.as_any().downcast_ref::<BooleanArray>();
            let values = their_bits(array.ok_or_else(unknown)?.values());
            theirs::BooleanArray::try_new(ArrowDataType::Boolean, values, validity)?.boxed()
        }
        DataType::Utf8View => {
            let array = array.as_any().downcast_ref::<StringViewArray>();
            let array = array.ok_or_else(unknown)?;
            let views = TheirBuffer::from_owner(array.views().clone());
            let views = views.try_transmute().map_err(|_| unknown())?;
            let text = array.data_buffers().iter().cloned();
            let text: TheirBuffer<TheirBuffer<u8>> = text.map(TheirBuffer::from_owner).collect();
            let dtype = ArrowDataType::Utf8View;
            theirs::Utf8ViewArray::try_new(dtype, views, text, validity)?.boxed()
        }
        _ => return Err(unknown()),
    })
}

fn primitive<A, T>(
    array: &PrimitiveArray<A>,
    dtype: ArrowDataType,
    validity: Option<Bitmap>,
) -> Result<theirs::ArrayRef>
where
    A: ArrowPrimitiveType<Native = T>,
    T: NativeType + arrow_buffer::ArrowNativeType,
{
    let values = TheirBuffer::from_owner(array.values().clone());
    Ok(theirs::PrimitiveArray::<T>::try_new(dtype, values, validity)?.boxed())
}
