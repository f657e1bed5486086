//! Parquet and Arrow IPC files as sheets.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use nanobook_arrow::{ipc, parquet};

use super::Kind;
use super::error::{Place, Problem, TargetError};
use super::sheet::{Cell, Sheet, time_column};

type Result<T> = std::result::Result<T, TargetError>;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Number,
    Text,
    Time,
    Null,
}

pub(super) fn read(path: &Path, source: &str, kind: Kind) -> Result<Sheet> {
    let bad = |e: nanobook_arrow::Error| {
        // The file is named by us.
        let e = match e {
            nanobook_arrow::Error::File { source, .. } => *source,
            e => e,
        };
        let detail = e.to_string();
        TargetError::new(source, Problem::Read { detail })
    };
    let (schema, batches) = if kind == Kind::Parquet {
        let reader = parquet::Reader::open(path).map_err(bad)?;
        let schema = reader.schema();
        let batches = reader.collect::<std::result::Result<Vec<_>, _>>();
        (schema, batches.map_err(bad)?)
    } else {
        let reader = ipc::Reader::open(path).map_err(bad)?;
        let schema = reader.schema();
        let batches = reader.collect::<std::result::Result<Vec<_>, _>>();
        (schema, batches.map_err(bad)?)
    };
    sheet(source, &schema, &batches)
}

fn sheet(source: &str, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Sheet> {
    let columns: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    let sorts: Vec<Sort> = schema
        .fields()
        .iter()
        .map(|field| sort(source, field.name(), field.data_type()))
        .collect::<Result<_>>()?;
    check_sorts(source, schema, &columns, &sorts)?;
    // A schedule of many rows is not unfolded for the sake of its last.
    let time = time_column(&columns).filter(|at| sorts[*at] == Sort::Time);
    let has_accounts = columns.iter().any(|column| column == "account_id");
    let latest = match time {
        Some(at) if !has_accounts => latest(source, &columns[at], batches, at)?,
        _ => None,
    };
    let mut rows = Vec::new();
    let mut start = 0;
    for batch in batches {
        let arrays = batch.columns().iter().zip(&columns).zip(&sorts);
        let arrays = arrays
            .map(|((array, column), sort)| plain(source, column, array, *sort))
            .collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            if let (Some(at), Some(latest)) = (time, latest)
                && time_of(&arrays[at], row).is_some_and(|time| time < latest)
            {
                continue;
            }
            let cells = arrays.iter().zip(&sorts);
            let cells = cells.map(|(array, sort)| cell(array, *sort, row)).collect();
            rows.push((Place::Row(start + row as u64 + 1), cells));
        }
        start += batch.num_rows() as u64;
    }
    Ok(Sheet { columns, rows })
}

fn sort(source: &str, column: &str, data_type: &DataType) -> Result<Sort> {
    Ok(match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Sort::Text,
        DataType::Dictionary(_, values) => return sort(source, column, values),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => Sort::Time,
        DataType::Null => Sort::Null,
        found if found.is_numeric() => Sort::Number,
        found => {
            return Err(TargetError::new(
                source,
                Problem::Type {
                    column: column.to_owned(),
                    expected: "numbers, text or times",
                    found: found.to_string(),
                },
            ));
        }
    })
}

/// Columns whose type can't be, before any row is looked at.
fn check_sorts(source: &str, schema: &SchemaRef, columns: &[String], sorts: &[Sort]) -> Result<()> {
    if !columns.iter().any(|column| column == "symbol") {
        return Ok(());
    }
    for (at, column) in columns.iter().enumerate() {
        let (expected, wanted): (_, &[Sort]) = match column.as_str() {
            "weight" | "min_weight" | "max_weight" => ("numbers", &[Sort::Number, Sort::Null]),
            "symbol" | "restrict" | "account_id" => ("text", &[Sort::Text, Sort::Null]),
            "as_of" => ("dates or times", &[Sort::Time, Sort::Text, Sort::Null]),
            _ => continue,
        };
        if !wanted.contains(&sorts[at]) {
            return Err(TargetError::new(
                source,
                Problem::Type {
                    column: column.clone(),
                    expected,
                    found: schema.field(at).data_type().to_string(),
                },
            ));
        }
    }
    Ok(())
}

/// An array of the type that its sort is read from.
fn plain(source: &str, column: &str, array: &ArrayRef, sort: Sort) -> Result<ArrayRef> {
    let wanted = match sort {
        Sort::Number => DataType::Float64,
        Sort::Text => DataType::Utf8View,
        Sort::Time => DataType::Timestamp(TimeUnit::Nanosecond, None),
        Sort::Null => return Ok(array.clone()),
    };
    cast(array, &wanted).map_err(|_| {
        let problem = Problem::Type {
            column: column.to_owned(),
            expected: "what fits numbers, text or times in nanoseconds",
            found: array.data_type().to_string(),
        };
        TargetError::new(source, problem)
    })
}

fn time_of(array: &ArrayRef, row: usize) -> Option<i64> {
    let times = array.as_primitive_opt::<TimestampNanosecondType>()?;
    times.is_valid(row).then(|| times.value(row))
}

fn latest(source: &str, column: &str, batches: &[RecordBatch], at: usize) -> Result<Option<i64>> {
    let mut latest = None;
    for batch in batches {
        let array = plain(source, column, batch.column(at), Sort::Time)?;
        latest = (0..array.len())
            .filter_map(|row| time_of(&array, row))
            .max()
            .max(latest);
    }
    Ok(latest)
}

fn cell(array: &ArrayRef, sort: Sort, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    match sort {
        Sort::Number => Cell::Number(array.as_primitive::<Float64Type>().value(row)),
        Sort::Text => Cell::Text(array.as_string_view().value(row).to_owned()),
        Sort::Time => time_of(array, row).map_or(Cell::Null, Cell::Time),
        Sort::Null => Cell::Null,
    }
}
