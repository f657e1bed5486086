//! Writes every table in every price type, and what a reader should find in `expected.json` beside them.
//!
//! `cargo run -p nanobook-arrow --example write_all -- FOLDER`, then `python arrowio/tests/readers.py FOLDER`.

#[path = "../tests/common/mod.rs"]
#[macro_use]
mod common;

use std::error::Error;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationNanosecondType, Float64Type, Int8Type, Int64Type,
    TimestampNanosecondType, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use common::{PRICE_TYPES, Sample, rows};
use nanobook_arrow::{BatchWriter, TableOptions, ipc, parquet};
use serde_json::{Map, Value, json};

/// Rows of each table.
const ROWS: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give a folder")?);
    let mut expected = Map::new();
    for price_type in PRICE_TYPES {
        let options = TableOptions {
            price_type,
            levels: 3,
        };
        let folder = folder.join(price_type.as_str());
        let mut tables = Map::new();
        for_every_table!(write(&folder, options, &mut tables));
        expected.insert(price_type.to_string(), Value::Object(tables));
    }
    std::fs::write(
        folder.join("expected.json"),
        serde_json::to_string(&Value::Object(expected))?,
    )?;
    Ok(())
}

fn write<T: Sample>(folder: &Path, options: TableOptions, tables: &mut Map<String, Value>) {
    let table = try_write::<T>(folder, options)
        .unwrap_or_else(|error| panic!("table {}: {error}", T::NAME));
    tables.insert(T::NAME.to_owned(), table);
}

/// Writes a table as a dataset of one day and as IPC; gives its columns with their types and values.
fn try_write<T: Sample>(folder: &Path, options: TableOptions) -> Result<Value, Box<dyn Error>> {
    let batch = T::batch(&rows::<T>(11, ROWS, options), &options)?;
    let path = folder
        .join(T::NAME)
        .join("date=2020-01-30")
        .join("part-0.parquet");
    let mut writer = parquet::Writer::create_in_order(&path, &batch.schema(), parquet::Order::Seq)?;
    writer.write(&batch.slice(0, ROWS / 2))?;
    writer.write(&batch.slice(ROWS / 2, ROWS - ROWS / 2))?;
    writer.finish(vec![("nanobook:source".into(), "made up".into())])?;
    let path = folder.join(format!("{}.arrow", T::NAME));
    let mut writer = ipc::Writer::create(&path, &batch.schema(), ipc::Format::File)?;
    writer.write(&batch)?;
    writer.finish(Vec::new())?;

    let schema = batch.schema();
    let columns = schema.fields().iter().enumerate().map(|(at, field)| {
        json!({
            "name": field.name(),
            "type": field.data_type().to_string(),
            "values": (0..ROWS).map(|row| value(&batch, at, row)).collect::<Vec<_>>(),
        })
    });
    Ok(Value::Array(columns.collect()))
}

/// A value as JSON: whole numbers, and decimals in units of their last digit, as text.
fn value(batch: &RecordBatch, column: usize, row: usize) -> Value {
    let array = batch.column(column);
    if array.is_null(row) {
        return Value::Null;
    }
    macro_rules! number {
        ($arrow:ty) => {
            json!(array.as_primitive::<$arrow>().value(row).to_string())
        };
    }
    match array.data_type() {
        DataType::Timestamp(..) => number!(TimestampNanosecondType),
        DataType::Duration(_) => number!(DurationNanosecondType),
        DataType::Decimal128(..) => number!(Decimal128Type),
        DataType::Int8 => number!(Int8Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Utf8View => json!(array.as_string_view().value(row)),
        other => panic!("no table has a column of type {other}"),
    }
}
