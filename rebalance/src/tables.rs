//! Plans and journals as Arrow tables and Parquet files.
//!
//! A run is exported as `audit` (the journal, record by record, with its chain of hashes), `orders`, `fills`, `positions`,
//! `accounts` and `risk_checks`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int8Array, RecordBatch, StringViewArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use nanobook::trading::{Account, Fill, Order, Position, RiskCheckRow};
use nanobook_arrow::trading::TradingTable;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::core::{Record, State, Tracked};
use crate::journal::Contents;
use crate::plan::Plan;
use crate::shell::Failure;

/// What can go wrong here.
type Result<T> = std::result::Result<T, Failure>;

/// Digits of a decimal column, and those after the point.
const DECIMAL: (u8, i8) = (38, 9);

/// The tables of a run.
#[derive(Clone, Debug)]
pub struct Export {
    /// The journal, record by record.
    pub audit: RecordBatch,
    /// Our orders as they stood last.
    pub orders: RecordBatch,
    /// Our executions.
    pub fills: RecordBatch,
    /// What was held at the end; empty before.
    pub positions: RecordBatch,
    /// What the account was worth at the end; empty before.
    pub accounts: RecordBatch,
    /// What the risk checks found: all of the plan, and what stopped orders later.
    pub risk_checks: RecordBatch,
}

impl Export {
    /// Of a journal.
    ///
    /// # Errors
    /// When a number has more than 38 digits.
    pub fn new(contents: &Contents, state: &State) -> Result<Self> {
        let account_id = state
            .plan
            .as_ref()
            .map_or("", |plan| plan.account_id.as_str());
        let orders: Vec<Order> = state.orders.iter().map(|o| order(o, account_id)).collect();
        let fills: Vec<Fill> = fills(state);
        let (mut accounts, mut positions, mut checks) = (Vec::new(), Vec::new(), Vec::new());
        for entry in &contents.entries {
            match &entry.record {
                Record::Approved { checks: rows, .. } | Record::Checked { checks: rows } => {
                    checks.extend(rows.iter().cloned());
                }
                Record::Holding {
                    account,
                    positions: held,
                } => {
                    accounts = vec![account.clone()];
                    positions.clone_from(held);
                }
                _ => {}
            }
        }
        Ok(Self {
            audit: audit(contents, state)?,
            orders: Order::batch(&orders)?,
            fills: Fill::batch(&fills)?,
            positions: Position::batch(&positions)?,
            accounts: Account::batch(&accounts)?,
            risk_checks: RiskCheckRow::batch(&checks)?,
        })
    }

    /// The tables by name.
    pub fn tables(&self) -> [(&'static str, &RecordBatch); 6] {
        [
            ("audit", &self.audit),
            ("orders", &self.orders),
            ("fills", &self.fills),
            ("positions", &self.positions),
            ("accounts", &self.accounts),
            ("risk_checks", &self.risk_checks),
        ]
    }

    /// Writes each table to a Parquet file in a folder, and gives their paths.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(folder).map_err(|e| Failure::file("make folder", folder, e))?;
        let mut paths = Vec::new();
        for (name, batch) in self.tables() {
            let path = folder.join(format!("{name}.parquet"));
            write_parquet(&path, batch)?;
            paths.push(path);
        }
        Ok(paths)
    }
}

/// Our executions, oldest first.
fn fills(state: &State) -> Vec<Fill> {
    let all = state.orders.iter().flat_map(|order| order.fills.values());
    let mut fills: Vec<Fill> = all.cloned().collect();
    fills.sort_by(|a, b| (a.ts_event, &a.trade_id).cmp(&(b.ts_event, &b.trade_id)));
    fills
}

/// An order of ours as a row.
pub fn order(tracked: &Tracked, account_id: &str) -> Order {
    let value = tracked
        .fills
        .values()
        .try_fold((0_i128, 0_i128), |(value, qty), fill| {
            Some((
                value.checked_add(fill.qty.exact_notional(fill.price)?)?,
                qty.checked_add(fill.qty.0)?,
            ))
        });
    let mean = value
        .filter(|(_, qty)| *qty > 0)
        .and_then(|(value, qty)| i64::try_from((2 * value + qty).div_euclid(2 * qty)).ok());
    Order {
        client_order_id: Some(tracked.order.client_order_id),
        order_id: tracked.order_id,
        account_id: account_id.to_owned(),
        symbol: tracked.order.symbol,
        side: tracked.order.side,
        kind: tracked.order.kind,
        tif: tracked.order.tif,
        qty: tracked.order.qty,
        filled_qty: tracked.filled(),
        avg_px: mean.map(nanobook::Price),
        state: tracked.state,
        reject_code: None,
        reject_text: None,
        ts_event: tracked.fills.values().map(|fill| fill.ts_event).max(),
    }
}

fn metadata(table: &str, version: u32) -> [(&'static str, String); 2] {
    [
        ("nanobook:table", table.to_owned()),
        ("nanobook:version", version.to_string()),
    ]
}

fn batch(table: &str, columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata(table, 1)));
    RecordBatch::try_new(schema, arrays).map_err(|e| Failure::Table(e.into()))
}

fn required(name: &str, array: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, array.data_type().clone(), false), array)
}

fn nullable(name: &str, array: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, array.data_type().clone(), true), array)
}

fn decimals(values: impl IntoIterator<Item = Option<i128>>) -> Result<ArrayRef> {
    let array = Decimal128Array::from_iter(values).with_precision_and_scale(DECIMAL.0, DECIMAL.1);
    Ok(Arc::new(array.map_err(|e| Failure::Table(e.into()))?))
}

fn doubles(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from_iter(values))
}

/// The journal, record by record.
fn audit(contents: &Contents, state: &State) -> Result<RecordBatch> {
    let run_id = state.plan.as_ref().map_or("", |plan| plan.run_id.as_str());
    let entries = &contents.entries;
    let mut kinds = Vec::with_capacity(entries.len());
    let mut ids = Vec::with_capacity(entries.len());
    let mut payloads = Vec::with_capacity(entries.len());
    let json = |e: serde_json::Error| Failure::file("encode", Path::new("audit"), e.into());
    for entry in entries {
        let value = serde_json::to_value(&entry.record).map_err(json)?;
        let kind = match &value {
            serde_json::Value::Object(map) => map.keys().next().cloned(),
            value => value.as_str().map(str::to_owned),
        };
        kinds.push(kind.unwrap_or_default());
        ids.push(client_order_id(&entry.record));
        payloads.push(serde_json::to_string(entry).map_err(json)?);
    }
    let hashes = |values: &mut dyn Iterator<Item = Option<[u8; 32]>>| -> Result<ArrayRef> {
        let mut builder = FixedSizeBinaryBuilder::new(32);
        for value in values {
            match value {
                Some(value) => builder
                    .append_value(value)
                    .map_err(|e| Failure::Table(e.into()))?,
                None => builder.append_null(),
            }
        }
        Ok(Arc::new(builder.finish()))
    };
    let before = std::iter::once(None).chain(contents.hashes.iter().copied().map(Some));
    let times = entries.iter().map(|entry| entry.ts.0);
    let times = TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC");
    let run_ids = entries.iter().map(|_| run_id);
    batch(
        "audit",
        vec![
            required(
                "seq",
                Arc::new(UInt64Array::from_iter_values(entries.iter().map(|e| e.seq))),
            ),
            required("ts", Arc::new(times)),
            required(
                "run_id",
                Arc::new(StringViewArray::from_iter_values(run_ids)),
            ),
            required("kind", Arc::new(StringViewArray::from_iter_values(kinds))),
            nullable("client_order_id", Arc::new(StringViewArray::from_iter(ids))),
            required(
                "payload",
                Arc::new(StringViewArray::from_iter_values(payloads)),
            ),
            nullable("prev_hash", hashes(&mut before.take(entries.len()))?),
            required(
                "hash",
                hashes(&mut contents.hashes.iter().copied().map(Some))?,
            ),
        ],
    )
}

/// The order that a record is about.
fn client_order_id(record: &Record) -> Option<String> {
    let id = match record {
        Record::Intent { order, .. } => Some(order.client_order_id),
        Record::Unsent {
            client_order_id, ..
        }
        | Record::Submitted {
            client_order_id, ..
        }
        | Record::Cancelling { client_order_id }
        | Record::Absent {
            client_order_id, ..
        } => Some(*client_order_id),
        Record::Seen { order } => order.client_order_id,
        Record::Filled { fill } => fill.client_order_id,
        _ => None,
    };
    id.map(|id| id.to_string())
}

/// A plan, row by row: prices, quantities and money as decimals, weights as doubles. Columns are null where a symbol has no
/// order, no price or no target.
///
/// # Errors
/// When a number has more than 38 digits.
pub fn plan(plan: &Plan) -> Result<RecordBatch> {
    let rows = &plan.rows;
    let orders = || rows.iter().map(|row| row.order.as_ref());
    let symbols = rows.iter().map(|row| row.symbol.as_str().to_owned());
    let notes = rows
        .iter()
        .map(|row| row.note.map(|note| note.as_str().to_owned()));
    let sides = orders().map(|order| order.map(|order| order.side.sign()));
    let with_order = |value: fn(&crate::plan::Row) -> f64| {
        let of = move |row: &crate::plan::Row| row.order.map(|_| value(row));
        doubles(rows.iter().map(of).collect::<Vec<_>>())
    };
    batch(
        "plan",
        vec![
            required(
                "symbol",
                Arc::new(StringViewArray::from_iter_values(symbols)),
            ),
            required(
                "position_qty",
                decimals(rows.iter().map(|row| Some(row.qty.0)))?,
            ),
            nullable("mark_px", doubles(rows.iter().map(|row| row.mark))),
            required("weight_now", doubles(rows.iter().map(|row| Some(row.now)))),
            nullable("weight_target", doubles(rows.iter().map(|row| row.target))),
            nullable("drift", doubles(rows.iter().map(crate::plan::Row::drift))),
            nullable("side", Arc::new(sides.collect::<Int8Array>())),
            nullable(
                "qty",
                decimals(orders().map(|order| order.map(|order| order.qty.0)))?,
            ),
            nullable(
                "limit_px",
                decimals(orders().map(|order| order.map(|order| order.limit.0.into())))?,
            ),
            nullable(
                "notional",
                doubles(orders().map(|order| order.map(crate::plan::Draft::notional))),
            ),
            nullable("cost", with_order(|row| row.cost)),
            required(
                "weight_after",
                doubles(rows.iter().map(|row| Some(row.after))),
            ),
            nullable("cash_after", doubles(rows.iter().map(|row| row.cash_after))),
            nullable(
                "leverage_after",
                doubles(rows.iter().map(|row| row.leverage_after)),
            ),
            nullable("note", Arc::new(notes.collect::<StringViewArray>())),
        ],
    )
}

/// Writes a batch to a Parquet file that is there whole or not at all. Text is declared as `Utf8`, which every reader
/// takes.
///
/// # Errors
/// When the file can't be written.
pub fn write_parquet(path: &Path, batch: &RecordBatch) -> Result<()> {
    let (schema, columns) = plain(batch)?;
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(table)?;
    let level = ZstdLevel::try_new(1).map_err(|e| Failure::Table(e.into()))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .build();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let next = path.with_file_name(format!(".{name}.tmp"));
    let write = || -> Result<()> {
        let file = File::create(&next).map_err(|e| Failure::file("create", &next, e))?;
        let parquet = |e: parquet::errors::ParquetError| {
            Failure::Table(nanobook_arrow::Error::from(e).in_file(path))
        };
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(parquet)?;
        writer.write(&batch).map_err(parquet)?;
        let file = writer.into_inner().map_err(parquet)?;
        file.sync_all()
            .map_err(|e| Failure::file("sync", &next, e))?;
        fs::rename(&next, path).map_err(|e| Failure::file("rename to", path, e))
    };
    let result = write();
    if result.is_err() {
        let _ = fs::remove_file(&next);
    }
    result
}

fn table(error: arrow_schema::ArrowError) -> Failure {
    Failure::Table(error.into())
}

/// The same with text as `Utf8`.
fn plain(batch: &RecordBatch) -> Result<(SchemaRef, Vec<ArrayRef>)> {
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if field.data_type() == &DataType::Utf8View {
            columns.push(cast(column, &DataType::Utf8).map_err(table)?);
            fields.push(field.as_ref().clone().with_data_type(DataType::Utf8));
        } else {
            columns.push(column.clone());
            fields.push(field.as_ref().clone());
        }
    }
    let metadata = batch.schema_ref().metadata().clone();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    Ok((schema, columns))
}

/// Targets as a Parquet file of the columns `as_of, symbol, weight`.
///
/// # Errors
/// When the file can't be written.
pub fn write_targets(path: &Path, targets: &crate::targets::Targets) -> Result<()> {
    let rows = &targets.rows;
    let as_of = targets.as_of.map_or(0, |time| time.0);
    let times = TimestampNanosecondArray::from_iter_values(rows.iter().map(|_| as_of));
    let symbols = rows.iter().map(|row| row.symbol.as_str().to_owned());
    let batch = batch(
        "targets",
        vec![
            required("as_of", Arc::new(times.with_timezone("UTC"))),
            required(
                "symbol",
                Arc::new(StringViewArray::from_iter_values(symbols)),
            ),
            required("weight", doubles(rows.iter().map(|row| Some(row.weight)))),
        ],
    )?;
    write_parquet(path, &batch)
}
