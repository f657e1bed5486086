//! Values of trading tables, one at a time: there are few.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int8Type, Int32Type, TimestampNanosecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};

use crate::error::{Error, Mismatch, Result};

/// Digits and decimals of every number.
const DECIMAL: DataType = DataType::Decimal128(38, 9);

/// One more than the largest number of 38 digits.
const LIMIT: i128 = 100_000_000_000_000_000_000_000_000_000_000_000_000;

/// A column of a trading table.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct TradingColumn {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    /// The tag of the field in FIX 4.4; zero for none.
    pub(crate) fix_tag: u32,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Decimal,
    Time,
    Side,
    U64,
    U32,
    I32,
    Flag,
}

/// A value; `None` is null.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Cell {
    Text(Option<String>),
    Decimal(Option<i128>),
    Time(Option<i64>),
    Side(Option<i8>),
    U64(Option<u64>),
    U32(Option<u32>),
    I32(Option<i32>),
    Flag(Option<bool>),
}

impl Kind {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Decimal => DECIMAL,
            Self::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            Self::Side => DataType::Int8,
            Self::U64 => DataType::UInt64,
            Self::U32 => DataType::UInt32,
            Self::I32 => DataType::Int32,
            Self::Flag => DataType::Boolean,
        }
    }

    /// The values as an array.
    pub(crate) fn array<'a>(
        self,
        cells: impl Iterator<Item = &'a Cell>,
    ) -> std::result::Result<ArrayRef, Mismatch> {
        macro_rules! collect {
            ($kind:ident) => {
                cells.map(|cell| match cell {
                    Cell::$kind(value) => *value,
                    _ => None,
                })
            };
        }
        Ok(match self {
            Self::Text => {
                let mut texts = StringViewBuilder::new();
                for cell in cells {
                    match cell {
                        Cell::Text(text) => texts.append_option(text.as_deref()),
                        _ => texts.append_null(),
                    }
                }
                Arc::new(texts.finish())
            }
            Self::Decimal => {
                let values: Vec<Option<i128>> = collect!(Decimal).collect();
                let large = |value: &Option<i128>| {
                    value.is_some_and(|v| v.checked_abs().is_none_or(|v| v >= LIMIT))
                };
                if let Some(row) = values.iter().position(large) {
                    let found = values[row].unwrap_or_default();
                    return Err(Mismatch::value(row, "a number of 38 digits", found));
                }
                let array: PrimitiveArray<Decimal128Type> = values.into_iter().collect();
                Arc::new(array.with_data_type(DECIMAL))
            }
            Self::Time => {
                let array: PrimitiveArray<TimestampNanosecondType> = collect!(Time).collect();
                Arc::new(array.with_data_type(self.data_type()))
            }
            Self::Side => Arc::new(collect!(Side).collect::<PrimitiveArray<Int8Type>>()),
            Self::U64 => Arc::new(collect!(U64).collect::<PrimitiveArray<UInt64Type>>()),
            Self::U32 => Arc::new(collect!(U32).collect::<PrimitiveArray<UInt32Type>>()),
            Self::I32 => Arc::new(collect!(I32).collect::<PrimitiveArray<Int32Type>>()),
            Self::Flag => Arc::new(collect!(Flag).collect::<BooleanArray>()),
        })
    }

    /// The values of an array of this type, or of text of another width.
    pub(crate) fn cells(self, array: &dyn Array) -> std::result::Result<Vec<Cell>, Mismatch> {
        let text = |value: Option<&str>| Cell::Text(value.map(str::to_owned));
        if self == Self::Text {
            return match array.data_type() {
                DataType::Utf8View => Ok(array.as_string_view().iter().map(text).collect()),
                DataType::Utf8 => Ok(array.as_string::<i32>().iter().map(text).collect()),
                DataType::LargeUtf8 => Ok(array.as_string::<i64>().iter().map(text).collect()),
                _ => Err(Mismatch::Type {
                    expected: "Utf8View, Utf8 or LargeUtf8",
                }),
            };
        }
        if *array.data_type() != self.data_type() {
            return Err(Mismatch::Type {
                expected: match self {
                    Self::Decimal => "Decimal128(38, 9)",
                    Self::Time => "Timestamp(ns, \"UTC\")",
                    Self::Side => "Int8",
                    Self::U64 => "UInt64",
                    Self::U32 => "UInt32",
                    Self::I32 => "Int32",
                    Self::Flag | Self::Text => "Boolean",
                },
            });
        }
        Ok(match self {
            Self::Decimal => array
                .as_primitive::<Decimal128Type>()
                .iter()
                .map(Cell::Decimal)
                .collect(),
            Self::Time => array
                .as_primitive::<TimestampNanosecondType>()
                .iter()
                .map(Cell::Time)
                .collect(),
            Self::Side => array
                .as_primitive::<Int8Type>()
                .iter()
                .map(Cell::Side)
                .collect(),
            Self::U64 => array
                .as_primitive::<UInt64Type>()
                .iter()
                .map(Cell::U64)
                .collect(),
            Self::U32 => array
                .as_primitive::<UInt32Type>()
                .iter()
                .map(Cell::U32)
                .collect(),
            Self::I32 => array
                .as_primitive::<Int32Type>()
                .iter()
                .map(Cell::I32)
                .collect(),
            Self::Flag | Self::Text => array.as_boolean().iter().map(Cell::Flag).collect(),
        })
    }
}

/// The cells of a row, taken one after the other.
#[doc(hidden)]
pub struct Cells {
    table: &'static str,
    columns: &'static [TradingColumn],
    row: usize,
    next: usize,
    values: Vec<Cell>,
}

impl Cells {
    pub(crate) fn new(
        table: &'static str,
        columns: &'static [TradingColumn],
        row: usize,
        cells: Vec<Cell>,
    ) -> Self {
        Self {
            table,
            columns,
            row,
            next: 0,
            values: cells,
        }
    }

    fn cell(&mut self) -> Cell {
        let cell = self.values.get(self.next).cloned();
        self.next += 1;
        cell.unwrap_or(Cell::Text(None))
    }

    /// What the cell that was taken last can't be.
    #[expect(clippy::needless_pass_by_value, reason = "callers have it to give")]
    pub(crate) fn bad(&self, expected: &'static str, found: impl ToString) -> Error {
        Error::BadValue {
            table: self.table,
            column: self.columns[self.next - 1].name.to_owned(),
            row: self.row,
            expected,
            found: found.to_string(),
        }
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        match self.cell() {
            Cell::Text(value) => value,
            _ => None,
        }
    }

    pub(crate) fn required_text(&mut self) -> Result<String> {
        self.text().ok_or_else(|| self.bad("a text", "null"))
    }

    /// A text that means something.
    pub(crate) fn parsed<T>(
        &mut self,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(text) = self.text() else {
            return Ok(None);
        };
        parse(&text)
            .map(Some)
            .ok_or_else(|| self.bad(expected, format!("{text:?}")))
    }

    /// The same, and null is an error.
    pub(crate) fn required<T>(
        &mut self,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        self.parsed(expected, parse)?
            .ok_or_else(|| self.bad(expected, "null"))
    }

    pub(crate) fn decimal(&mut self) -> Option<i128> {
        match self.cell() {
            Cell::Decimal(value) => value,
            _ => None,
        }
    }

    pub(crate) fn required_decimal(&mut self) -> Result<i128> {
        self.decimal().ok_or_else(|| self.bad("a number", "null"))
    }

    pub(crate) fn price(&mut self) -> Result<Option<nanobook::Price>> {
        let Some(units) = self.decimal() else {
            return Ok(None);
        };
        match i64::try_from(units) {
            Ok(units) => Ok(Some(nanobook::Price(units))),
            Err(_) => Err(self.bad("a price", "a larger number")),
        }
    }

    pub(crate) fn time(&mut self) -> Option<nanobook::Timestamp> {
        match self.cell() {
            Cell::Time(value) => value.map(nanobook::Timestamp),
            _ => None,
        }
    }

    pub(crate) fn required_time(&mut self) -> Result<nanobook::Timestamp> {
        self.time().ok_or_else(|| self.bad("a time", "null"))
    }

    pub(crate) fn side(&mut self) -> Result<nanobook::Side> {
        match self.cell() {
            Cell::Side(Some(1)) => Ok(nanobook::Side::Buy),
            Cell::Side(Some(-1)) => Ok(nanobook::Side::Sell),
            other => Err(self.bad("1 or -1", format!("{other:?}"))),
        }
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        match self.cell() {
            Cell::U64(value) => value,
            _ => None,
        }
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        match self.cell() {
            Cell::U32(value) => value,
            _ => None,
        }
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        match self.cell() {
            Cell::I32(value) => value,
            _ => None,
        }
    }

    pub(crate) fn flag(&mut self) -> Result<bool> {
        match self.cell() {
            Cell::Flag(Some(value)) => Ok(value),
            _ => Err(self.bad("true or false", "null")),
        }
    }
}
