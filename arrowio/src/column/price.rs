//! Columns of prices, in the three types that [`PriceType`] names.

use std::sync::Arc;

use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};

use super::{Column, Price, required, split};
use crate::error::Mismatch;
use crate::options::{PriceType, TableOptions};

/// Digits of a decimal price.
const PRECISION: u8 = 18;

/// Decimals of a price: its unit is 1e-9 of the currency.
const SCALE: i8 = 9;

/// One more than the largest price, in units, that eighteen digits hold.
const LIMIT: u64 = 1_000_000_000_000_000_000;

/// The field metadata that says how many decimals an integer price has.
pub(crate) const SCALE_KEY: &str = "nanobook:scale";

const EXPECTED: &str = "Float64, Decimal128(18, 9), or Int64 with metadata nanobook:scale = 9";

fn price_type(options: &TableOptions) -> DataType {
    match options.price_type {
        PriceType::Float => DataType::Float64,
        PriceType::Decimal => DataType::Decimal128(PRECISION, SCALE),
        PriceType::Fixed => DataType::Int64,
    }
}

fn price_field(name: &str, nullable: bool, options: &TableOptions) -> Field {
    let field = Field::new(name, price_type(options), nullable);
    match options.price_type {
        PriceType::Float | PriceType::Decimal => field,
        PriceType::Fixed => field.with_metadata([(SCALE_KEY, SCALE.to_string())]),
    }
}

/// The array of prices in units of 1e-9; what stands under a null is 0.
pub(super) fn array(
    units: Vec<i64>,
    nulls: Option<NullBuffer>,
    options: &TableOptions,
) -> Result<ArrayRef, Mismatch> {
    Ok(match options.price_type {
        PriceType::Float => {
            let values: Vec<f64> = units.into_iter().map(|raw| Price(raw).as_f64()).collect();
            Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), nulls))
        }
        PriceType::Decimal => {
            if let Some(row) = units.iter().position(|raw| raw.unsigned_abs() >= LIMIT) {
                let expected = "a price below 1e9 (Decimal128(18, 9)); use float or fixed prices";
                return Err(Mismatch::value(row, expected, Price(units[row])));
            }
            let values: Vec<i128> = units.into_iter().map(i128::from).collect();
            let array = PrimitiveArray::<Decimal128Type>::new(values.into(), nulls);
            Arc::new(array.with_data_type(DataType::Decimal128(PRECISION, SCALE)))
        }
        PriceType::Fixed => Arc::new(PrimitiveArray::<Int64Type>::new(units.into(), nulls)),
    })
}

/// The price whose double this is.
///
/// A price of four decimals comes back exactly below 2^31 or so; one of nine decimals only while a double has that
/// many digits.
fn from_f64(value: f64) -> Option<Price> {
    /// The double nearest to 2^63.
    const END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be within i64")]
    let units = |scaled: f64| (scaled.abs() < END).then_some(scaled as i64);
    let wire = units((value * 1e4).round())
        .and_then(|raw| raw.checked_mul(100_000))
        .map(Price);
    match wire {
        Some(price) if price.as_f64().to_bits() == value.to_bits() => Some(price),
        _ => units((value * 1e9).round()).map(Price),
    }
}

fn values(array: &dyn Array, field: &Field) -> Result<Vec<Option<Price>>, Mismatch> {
    fn downcast<T: arrow_array::types::ArrowPrimitiveType>(
        array: &dyn Array,
    ) -> Result<&PrimitiveArray<T>, Mismatch> {
        array
            .as_any()
            .downcast_ref()
            .ok_or(Mismatch::Type { expected: EXPECTED })
    }
    match array.data_type() {
        DataType::Float64 => downcast::<Float64Type>(array)?
            .iter()
            .enumerate()
            .map(
                |(row, value)| match value.map(|value| (value, from_f64(value))) {
                    None => Ok(None),
                    Some((_, Some(price))) => Ok(Some(price)),
                    Some((value, None)) => Err(Mismatch::value(row, "a price", value)),
                },
            )
            .collect(),
        DataType::Decimal128(_, SCALE) => downcast::<Decimal128Type>(array)?
            .iter()
            .enumerate()
            .map(|(row, value)| match value.map(i64::try_from) {
                None => Ok(None),
                Some(Ok(raw)) => Ok(Some(Price(raw))),
                Some(Err(_)) => Err(Mismatch::value(row, "a price", "a larger decimal")),
            })
            .collect(),
        DataType::Int64 if field.metadata().get(SCALE_KEY).map(String::as_str) == Some("9") => {
            Ok(downcast::<Int64Type>(array)?
                .iter()
                .map(|raw| raw.map(Price))
                .collect())
        }
        _ => Err(Mismatch::Type { expected: EXPECTED }),
    }
}

impl Column for Price {
    const NULLABLE: bool = false;

    fn data_type(options: &TableOptions) -> DataType {
        price_type(options)
    }

    fn field(name: &str, options: &TableOptions) -> Field {
        price_field(name, false, options)
    }

    fn array(
        values: impl ExactSizeIterator<Item = Self> + Clone,
        options: &TableOptions,
    ) -> Result<ArrayRef, Mismatch> {
        array(values.map(|price| price.0).collect(), None, options)
    }

    fn values(array: &dyn Array, field: &Field) -> Result<Vec<Self>, Mismatch> {
        required(values(array, field)?)
    }
}

impl Column for Option<Price> {
    const NULLABLE: bool = true;

    fn data_type(options: &TableOptions) -> DataType {
        price_type(options)
    }

    fn field(name: &str, options: &TableOptions) -> Field {
        price_field(name, true, options)
    }

    fn array(
        values: impl ExactSizeIterator<Item = Self> + Clone,
        options: &TableOptions,
    ) -> Result<ArrayRef, Mismatch> {
        let (units, nulls) = split(values, |price| price.0);
        array(units, nulls, options)
    }

    fn values(array: &dyn Array, field: &Field) -> Result<Vec<Self>, Mismatch> {
        values(array, field)
    }
}
