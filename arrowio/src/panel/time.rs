//! The time column.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, SchemaRef, TimeUnit};

use super::{FrameError, Result, column_names, index_of};

/// The place of the time column: the one that is named, or the only one of a time's type.
pub(super) fn column(what: &'static str, schema: &SchemaRef, name: Option<&str>) -> Result<usize> {
    if let Some(name) = name {
        return index_of(what, schema, name);
    }
    let all: Vec<usize> = (0..schema.fields().len()).collect();
    let is_time = |at: &usize| {
        matches!(
            schema.field(*at).data_type(),
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _)
        )
    };
    let times: Vec<usize> = all.iter().copied().filter(is_time).collect();
    match times[..] {
        [at] => Ok(at),
        [] => Err(FrameError::NoneOf {
            what,
            kind: "dates or times",
            found: with_types(schema),
        }),
        _ => Err(FrameError::Ambiguous {
            what,
            kind: "dates or times",
            columns: column_names(schema, &times),
        }),
    }
}

/// The columns with their types, some of them: dates that were read as text are seen by it.
fn with_types(schema: &SchemaRef) -> String {
    const SHOWN: usize = 6;
    let told = |field: &arrow_schema::FieldRef| format!("{} ({})", field.name(), field.data_type());
    let columns: Vec<String> = schema.fields().iter().take(SHOWN).map(told).collect();
    let more = if schema.fields().len() > SHOWN {
        ", …"
    } else {
        ""
    };
    columns.join(", ") + more
}

/// Appends the times of an array, as ns since the epoch; those without a zone are UTC.
pub(super) fn append(
    what: &'static str,
    name: &str,
    array: &ArrayRef,
    times: &mut Vec<i64>,
) -> Result<()> {
    const SECOND: i64 = 1_000_000_000;
    let start = times.len();
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        let at = nulls.iter().position(|valid| !valid).unwrap_or(0);
        return Err(FrameError::Null {
            what,
            column: name.to_owned(),
            row: start + at,
        });
    }
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            scale::<TimestampNanosecondType>(array, 1, times)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            scale::<TimestampMicrosecondType>(array, 1_000, times)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            scale::<TimestampMillisecondType>(array, 1_000_000, times)
        }
        DataType::Timestamp(TimeUnit::Second, _) => {
            scale::<TimestampSecondType>(array, SECOND, times)
        }
        DataType::Date32 => scale::<Date32Type>(array, 86_400 * SECOND, times),
        DataType::Date64 => scale::<Date64Type>(array, 1_000_000, times),
        // Only a column that was named gets here: nanoseconds.
        DataType::Int64 => scale::<Int64Type>(array, 1, times),
        found => {
            return Err(FrameError::Type {
                what,
                column: name.to_owned(),
                expected: "a date or a time",
                found: found.to_string(),
            });
        }
    }
    .map_err(|(at, value)| FrameError::TimeRange {
        what,
        column: name.to_owned(),
        row: start + at,
        value,
    })
}

/// Appends values times a factor; the place and the value of the first that does not fit.
fn scale<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    factor: i64,
    times: &mut Vec<i64>,
) -> std::result::Result<(), (usize, i64)>
where
    T::Native: Into<i64>,
{
    let values = array.as_primitive::<T>().values();
    times.reserve(values.len());
    for (at, &value) in values.iter().enumerate() {
        let value: i64 = value.into();
        times.push(value.checked_mul(factor).ok_or((at, value))?);
    }
    Ok(())
}

/// A time as text, for messages.
pub(super) fn text(ns: i64) -> String {
    let times = arrow_array::TimestampNanosecondArray::from(vec![ns]);
    let text = times.value_as_datetime(0).map(|time| time.to_string());
    text.unwrap_or_else(|| ns.to_string())
}
