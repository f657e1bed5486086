//! Columns: how one Rust value becomes an Arrow field, an Arrow array, and a value again.
//!
//! A [`Column`] gives its field and its array from one place, so that a schema and its data can't disagree. It is
//! implemented for the values that rows are made of, and for `Option` of each, whose `None` is null.
//!
//! | value | Arrow type |
//! |---|---|
//! | [`Timestamp`] | `Timestamp(ns, "UTC")` |
//! | [`Nanos`] | `Duration(ns)` |
//! | [`Price`] | [`PriceType`](crate::PriceType) |
//! | [`Qty`], [`OrderId`], [`TradeId`], `u64` | `UInt64` |
//! | [`InstrumentId`], `u32` | `UInt32` |
//! | `u16` | `UInt16` |
//! | [`Side`] | `Int8`: +1 buy, −1 sell |
//! | `bool` | `Boolean` |
//! | `f64` | `Float64` |
//! | [`Symbol`], [`Code`], [`Action`], [`TradeKind`], [`StatusKind`] | `Utf8View` |

mod level;
mod price;
mod scalar;
mod text;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field};
use nanobook::rows::{Action, Code, StatusKind, TradeKind};
use nanobook::{InstrumentId, OrderId, Price, Qty, Side, Symbol, Timestamp, TradeId};

pub(crate) use level::LevelColumns;
pub(crate) use scalar::Nanos;
pub(crate) use text::ACTIONS;

use crate::error::Mismatch;
use crate::options::TableOptions;

/// A value that can stand in a column.
pub(crate) trait Column: Copy {
    /// Whether the column may hold nulls.
    const NULLABLE: bool;

    /// The type of the column.
    fn data_type(options: &TableOptions) -> DataType;

    /// The field of the column.
    fn field(name: &str, options: &TableOptions) -> Field {
        Field::new(name, Self::data_type(options), Self::NULLABLE)
    }

    /// The values as an array of that type.
    fn array(
        values: impl ExactSizeIterator<Item = Self> + Clone,
        options: &TableOptions,
    ) -> Result<ArrayRef, Mismatch>;

    /// The values of an array, which may come from another writer than ours.
    fn values(array: &dyn Array, field: &Field) -> Result<Vec<Self>, Mismatch>;
}

/// The values, with zero for a null, and which are none; no bitmap when all are valid.
fn split<T, N: Default>(
    values: impl ExactSizeIterator<Item = Option<T>> + Clone,
    native: impl Fn(T) -> N,
) -> (Vec<N>, Option<NullBuffer>) {
    let mut valid = 0;
    let or_zero = |value: Option<T>| {
        valid += usize::from(value.is_some());
        value.map_or_else(N::default, &native)
    };
    let out: Vec<N> = values.clone().map(or_zero).collect();
    let nulls = (valid < out.len()).then(|| validity(values));
    (out, nulls)
}

/// Which values are there.
fn validity<T>(values: impl ExactSizeIterator<Item = Option<T>>) -> NullBuffer {
    NullBuffer::new(bits(values.map(|value| value.is_some())))
}

/// The values of a column that has no nulls.
fn required<T>(values: Vec<Option<T>>) -> Result<Vec<T>, Mismatch> {
    let value = |(row, value): (usize, Option<T>)| value.ok_or_else(|| Mismatch::null(row));
    values.into_iter().enumerate().map(value).collect()
}

impl Column for bool {
    const NULLABLE: bool = false;

    fn data_type(_: &TableOptions) -> DataType {
        DataType::Boolean
    }

    fn array(
        values: impl ExactSizeIterator<Item = Self> + Clone,
        _: &TableOptions,
    ) -> Result<ArrayRef, Mismatch> {
        Ok(Arc::new(BooleanArray::new(bits(values), None)))
    }

    fn values(array: &dyn Array, field: &Field) -> Result<Vec<Self>, Mismatch> {
        required(Option::<bool>::values(array, field)?)
    }
}

impl Column for Option<bool> {
    const NULLABLE: bool = true;

    fn data_type(_: &TableOptions) -> DataType {
        DataType::Boolean
    }

    fn array(
        values: impl ExactSizeIterator<Item = Self> + Clone,
        _: &TableOptions,
    ) -> Result<ArrayRef, Mismatch> {
        let nulls = Some(validity(values.clone())).filter(|nulls| nulls.null_count() > 0);
        let bits = bits(values.map(Option::unwrap_or_default));
        Ok(Arc::new(BooleanArray::new(bits, nulls)))
    }

    fn values(array: &dyn Array, _: &Field) -> Result<Vec<Self>, Mismatch> {
        let array = array
            .as_any()
            .downcast_ref::<BooleanArray>()
            .ok_or(Mismatch::Type {
                expected: "Boolean",
            })?;
        Ok(array.iter().collect())
    }
}

fn bits(values: impl ExactSizeIterator<Item = bool>) -> BooleanBuffer {
    let mut values = values;
    let len = values.len();
    BooleanBuffer::collect_bool(len, |_| values.next().unwrap_or_default())
}
