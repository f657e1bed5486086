//! Rows of trading tables from anybody's frames, and back.
//!
//! A column is found by its name and brought to the table's type: numbers of any kind and text to exact decimals
//! (doubles to the nearest 1e-9), times of any unit to nanoseconds in UTC, `"buy"` and `"sell"` to sides.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int8Type};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, StringViewArray, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, SchemaRef};
use nanobook::Symbol;
use nanobook::trading::{NewOrder, Order, Units, decimal};
use nanobook_arrow::trading::TradingTable;

use crate::error::{Error, Kind, Place};
use crate::frame::Frame;
use crate::table::Table;
use crate::words;

/// What stands in a column that a frame does not have.
#[derive(Clone, Copy)]
pub(crate) enum Default {
    Text(&'static str),
    Zero,
}

/// The frame of rows.
pub(crate) fn frame<T: TradingTable>(rows: &[T]) -> Result<Frame, Error> {
    Ok(T::batch(rows)?.into())
}

/// The rows of a frame; a column that may be null may also be missing.
pub(crate) fn rows<T: TradingTable>(
    table: &Table,
    defaults: &[(&str, Default)],
) -> Result<Vec<T>, Error> {
    let mut rows = Vec::new();
    for batch in table.batches() {
        let before = rows.len();
        let found =
            batch_rows(&T::schema(), batch, defaults).and_then(|batch| Ok(T::rows(&batch)?));
        rows.extend(found.map_err(|error| error.after(before))?);
    }
    Ok(rows)
}

fn batch_rows(
    schema: &SchemaRef,
    batch: &RecordBatch,
    defaults: &[(&str, Default)],
) -> Result<RecordBatch, Error> {
    let columns = schema.fields().iter().map(|field| {
        if let Some(array) = batch.column_by_name(field.name()) {
            return convert(array, field);
        }
        let default = defaults.iter().find(|(name, _)| *name == field.name());
        match default {
            Some((_, default)) => Ok(default.array(batch.num_rows())),
            None if field.is_nullable() => Ok(new_null_array(field.data_type(), batch.num_rows())),
            None => Err(missing(field.name(), batch)),
        }
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    // Nulls where there should be none are errors of rows, not of the schema.
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(
        Arc::new(arrow_schema::Schema::new(fields)),
        columns,
        &options,
    )
    .map_err(Error::Arrow)
}

impl Default {
    fn array(self, rows: usize) -> ArrayRef {
        match self {
            Self::Text(text) => Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(
                text, rows,
            ))),
            Self::Zero => decimals(vec![Some(0); rows]),
        }
    }
}

fn decimals(values: Vec<Option<i128>>) -> ArrayRef {
    let array: PrimitiveArray<Decimal128Type> = values.into_iter().collect();
    Arc::new(array.with_data_type(DataType::Decimal128(38, 9)))
}

fn missing(column: &str, batch: &RecordBatch) -> Error {
    let names: Vec<String> = batch
        .schema_ref()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let message = format!(
        "there is no column {column:?}; there are {}",
        names.join(", ")
    );
    Error::column(Kind::Missing, column, message)
}

/// An error about a value.
fn bad(column: &str, row: usize, message: String) -> Error {
    Error::At {
        kind: Kind::Input,
        message,
        place: Place {
            row: Some(row),
            column: Some(column.to_owned()),
            symbol: None,
        },
    }
}

fn convert(array: &ArrayRef, field: &Field) -> Result<ArrayRef, Error> {
    let (name, wanted) = (field.name().as_str(), field.data_type());
    let found = array.data_type();
    let no_way = || {
        let message = format!("column {name:?} is {found}, which does not become {wanted}");
        Error::column(Kind::Type, name, message)
    };
    let to = |wanted: &DataType| cast(array, wanted).map_err(|_| no_way());
    if found == wanted {
        return Ok(Arc::clone(array));
    }
    if *found == DataType::Null {
        return Ok(new_null_array(wanted, array.len()));
    }
    let is_text = |found: &DataType| {
        matches!(
            found,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _)
        )
    };
    match wanted {
        DataType::Decimal128(_, _) if found.is_floating() => {
            let doubles = to(&DataType::Float64)?;
            let doubles = doubles.as_primitive::<Float64Type>();
            each(doubles.iter(), name, |value| {
                decimal::nearest(value).map_err(|error| format!("{value}: {error}"))
            })
        }
        DataType::Decimal128(_, _) if is_text(found) => {
            let texts = to(&DataType::Utf8View)?;
            each(texts.as_string_view().iter(), name, |text| {
                decimal::parse(text).map_err(|error| format!("{text:?}: {error}"))
            })
        }
        DataType::Int8 if is_text(found) => {
            let texts = to(&DataType::Utf8View)?;
            let mut sides: Vec<Option<i8>> = Vec::new();
            for (row, text) in texts.as_string_view().iter().enumerate() {
                let side = text.map(words::side).transpose();
                let side = side.map_err(|error| bad(name, row, error.to_string()))?;
                sides.push(side.map(nanobook::Side::sign));
            }
            Ok(Arc::new(
                sides.into_iter().collect::<PrimitiveArray<Int8Type>>(),
            ))
        }
        _ => {
            let made = to(wanted)?;
            // A cast that does not fit gives null.
            let lost = (0..array.len()).find(|&row| made.is_null(row) && array.is_valid(row));
            match lost {
                Some(row) => Err(bad(
                    name,
                    row,
                    format!("column {name:?} of {found} has a value that is no {wanted}"),
                )),
                None => Ok(made),
            }
        }
    }
}

fn each<T>(
    values: impl Iterator<Item = Option<T>>,
    column: &str,
    read: impl Fn(T) -> Result<i128, String>,
) -> Result<ArrayRef, Error> {
    let mut units = Vec::new();
    for (row, value) in values.enumerate() {
        let value = value.map(&read).transpose();
        units.push(value.map_err(|error| {
            bad(
                column,
                row,
                format!("column {column:?}, row {row}: {error}"),
            )
        })?);
    }
    Ok(decimals(units))
}

/// Orders to be sent or checked: `symbol, side, qty` and, where they are not the default, `price` (none: a market
/// order), `tif` (day), `client_order_id` (`order-0`, …), `order_type`, `stop_px`.
pub(crate) fn new_orders(table: &Table) -> Result<Vec<NewOrder>, Error> {
    let mut orders: Vec<NewOrder> = Vec::new();
    for batch in table.batches() {
        let before = orders.len();
        let batch = with_types(batch)?;
        let defaults = [
            ("account_id", Default::Text("")),
            ("tif", Default::Text("day")),
            ("status", Default::Text("planned")),
            ("filled_qty", Default::Zero),
            ("leaves_qty", Default::Zero),
        ];
        let found = batch_rows(&Order::schema(), &batch, &defaults)
            .and_then(|batch| Ok(Order::rows(&batch)?))
            .map_err(|error| error.after(before))?;
        for order in found {
            let client_order_id = match order.client_order_id {
                Some(id) => id,
                None => format!("order-{}", orders.len())
                    .parse()
                    .map_err(|_| Error::input("too many orders"))?,
            };
            orders.push(NewOrder {
                client_order_id,
                symbol: order.symbol,
                side: order.side,
                qty: order.qty,
                kind: order.kind,
                tif: order.tif,
            });
        }
    }
    Ok(orders)
}

/// The same orders with a type where they have none: limit with a price, market without.
fn with_types(batch: &RecordBatch) -> Result<RecordBatch, Error> {
    if batch.column_by_name("order_type").is_some() {
        return Ok(batch.clone());
    }
    let prices = batch.column_by_name("price");
    let is_limit = |row| {
        prices.is_some_and(|prices| prices.is_valid(row) && *prices.data_type() != DataType::Null)
    };
    let types = (0..batch.num_rows()).map(|row| if is_limit(row) { "limit" } else { "market" });
    let types: ArrayRef = Arc::new(StringViewArray::from_iter_values(types));
    let mut fields: Vec<Field> = batch
        .schema_ref()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields.push(Field::new("order_type", DataType::Utf8View, true));
    let mut columns = batch.columns().to_vec();
    columns.push(types);
    RecordBatch::try_new(Arc::new(arrow_schema::Schema::new(fields)), columns).map_err(Error::Arrow)
}

/// Working orders.
pub(crate) fn working(table: &Table) -> Result<Vec<Order>, Error> {
    let defaults = [
        ("account_id", Default::Text("")),
        ("tif", Default::Text("gtc")),
        ("status", Default::Text("accepted")),
        ("filled_qty", Default::Zero),
        ("leaves_qty", Default::Zero),
    ];
    let mut orders = Vec::new();
    for batch in table.batches() {
        let before = orders.len();
        let batch = with_types(batch)?;
        let found = batch_rows(&Order::schema(), &batch, &defaults)
            .and_then(|batch| Ok(Order::rows(&batch)?));
        orders.extend(found.map_err(|error| error.after(before))?);
    }
    Ok(orders)
}

/// Quantities by symbol: `symbol, qty`.
pub(crate) fn quantities(table: &Table) -> Result<Vec<(Symbol, Units)>, Error> {
    let schema: SchemaRef = Arc::new(arrow_schema::Schema::new(vec![
        Field::new("symbol", DataType::Utf8View, false),
        Field::new("qty", DataType::Decimal128(38, 9), false),
    ]));
    let mut all = Vec::new();
    for batch in table.batches() {
        let batch = batch_rows(&schema, batch, &[]).map_err(|error| error.after(all.len()))?;
        let (symbols, qtys) = (batch.column(0).as_string_view(), batch.column(1));
        let qtys = qtys.as_primitive::<Decimal128Type>();
        for (symbol, qty) in symbols.iter().zip(qtys.iter()) {
            let (Some(symbol), Some(qty)) = (symbol, qty) else {
                return Err(bad(
                    "symbol",
                    all.len(),
                    "a symbol or a quantity is null".to_owned(),
                ));
            };
            all.push((words::symbol(symbol)?, Units(qty)));
        }
    }
    Ok(all)
}

/// Weights by symbol: `symbol, weight`.
pub(crate) fn weights(table: &Table) -> Result<Vec<(Symbol, f64)>, Error> {
    let schema: SchemaRef = Arc::new(arrow_schema::Schema::new(vec![
        Field::new("symbol", DataType::Utf8View, false),
        Field::new("weight", DataType::Float64, false),
    ]));
    let mut all = Vec::new();
    for batch in table.batches() {
        let batch = batch_rows(&schema, batch, &[]).map_err(|error| error.after(all.len()))?;
        let symbols = batch.column(0).as_string_view().iter();
        let values = batch.column(1).as_primitive::<Float64Type>().iter();
        for (symbol, weight) in symbols.zip(values) {
            let Some(symbol) = symbol else {
                return Err(bad("symbol", all.len(), "a symbol is null".to_owned()));
            };
            // A null weight is not a number, which a check finds.
            all.push((words::symbol(symbol)?, weight.unwrap_or(f64::NAN)));
        }
    }
    Ok(all)
}
