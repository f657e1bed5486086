//! Columns of numbers and times.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, DurationNanosecondType, Float64Type, Int8Type, TimestampNanosecondType,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::{DataType, Field, TimeUnit};

use super::{Column, InstrumentId, OrderId, Qty, Side, Timestamp, TradeId, required, split};
use crate::error::Mismatch;
use crate::options::TableOptions;

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nanos(pub(crate) i64);

/// A value that is one number in Arrow.
trait Scalar: Copy {
    type Arrow: ArrowPrimitiveType;

    /// What the column holds, for error messages.
    const EXPECTED: &'static str;

    fn scalar_type() -> DataType {
        Self::Arrow::DATA_TYPE
    }

    fn to_native(self) -> <Self::Arrow as ArrowPrimitiveType>::Native;

    /// `None` when the number is not such a value.
    fn from_native(native: <Self::Arrow as ArrowPrimitiveType>::Native) -> Option<Self>;
}

fn values<T: Scalar>(array: &dyn Array) -> Result<Vec<Option<T>>, Mismatch> {
    let expected = Mismatch::Type {
        expected: T::EXPECTED,
    };
    if *array.data_type() != T::scalar_type() {
        return Err(expected);
    }
    let array = array
        .as_any()
        .downcast_ref::<PrimitiveArray<T::Arrow>>()
        .ok_or(expected)?;
    let value = |(row, native): (usize, Option<_>)| match native {
        None => Ok(None),
        Some(native) => match T::from_native(native) {
            Some(value) => Ok(Some(value)),
            None => Err(Mismatch::value(row, "1 or -1", format!("{native:?}"))),
        },
    };
    array.iter().enumerate().map(value).collect()
}

macro_rules! scalars {
    ($($value:ty, $arrow:ty, $expected:literal, $($data_type:expr)?, $to:expr, $from:expr;)*) => {$(
        impl Scalar for $value {
            type Arrow = $arrow;
            const EXPECTED: &'static str = $expected;
            $(fn scalar_type() -> DataType { $data_type })?

            #[inline]
            fn to_native(self) -> <$arrow as ArrowPrimitiveType>::Native {
                $to(self)
            }

            #[inline]
            fn from_native(native: <$arrow as ArrowPrimitiveType>::Native) -> Option<Self> {
                $from(native)
            }
        }

        impl Column for $value {
            const NULLABLE: bool = false;

            fn data_type(_: &TableOptions) -> DataType {
                <$value as Scalar>::scalar_type()
            }

            fn array(
                values: impl ExactSizeIterator<Item = Self> + Clone,
                options: &TableOptions,
            ) -> Result<ArrayRef, Mismatch> {
                let values: Vec<_> = values.map(Scalar::to_native).collect();
                let array = PrimitiveArray::<$arrow>::new(values.into(), None);
                Ok(Arc::new(array.with_data_type(<Self as Column>::data_type(options))))
            }

            fn values(array: &dyn Array, _: &Field) -> Result<Vec<Self>, Mismatch> {
                required(values::<Self>(array)?)
            }
        }

        impl Column for Option<$value> {
            const NULLABLE: bool = true;

            fn data_type(_: &TableOptions) -> DataType {
                <$value as Scalar>::scalar_type()
            }

            fn array(
                values: impl ExactSizeIterator<Item = Self> + Clone,
                options: &TableOptions,
            ) -> Result<ArrayRef, Mismatch> {
                let (values, nulls) = split(values, Scalar::to_native);
                let array = PrimitiveArray::<$arrow>::new(values.into(), nulls);
                Ok(Arc::new(array.with_data_type(<Self as Column>::data_type(options))))
            }

            fn values(array: &dyn Array, _: &Field) -> Result<Vec<Self>, Mismatch> {
                values::<$value>(array)
            }
        }
    )*};
}

fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

scalars! {
    Timestamp, TimestampNanosecondType, "Timestamp(ns, \"UTC\")", utc(), |t: Self| t.0, |n| Some(Self(n));
    Nanos, DurationNanosecondType, "Duration(ns)", , |t: Self| t.0, |n| Some(Self(n));
    Qty, UInt64Type, "UInt64", , |q: Self| q.0, |n| Some(Self(n));
    OrderId, UInt64Type, "UInt64", , |id: Self| id.0, |n| Some(Self(n));
    TradeId, UInt64Type, "UInt64", , |id: Self| id.0, |n| Some(Self(n));
    InstrumentId, UInt32Type, "UInt32", , |id: Self| id.0, |n| Some(Self(n));
    u64, UInt64Type, "UInt64", , |n| n, Some;
    u32, UInt32Type, "UInt32", , |n| n, Some;
    u16, UInt16Type, "UInt16", , |n| n, Some;
    f64, Float64Type, "Float64", , |n| n, Some;
    Side, Int8Type, "Int8", , Self::sign, side;
}

fn side(sign: i8) -> Option<Side> {
    match sign {
        1 => Some(Side::Buy),
        -1 => Some(Side::Sell),
        _ => None,
    }
}
