//! Trading tables: what a broker said and what risk checks found, the same for a paper account, Interactive Brokers and
//! Binance.
//!
//! Few rows, audited and exact: prices, quantities and money are `Decimal128(38, 9)`, times `Timestamp(ns, "UTC")`,
//! texts `Utf8View`, sides `Int8` (+1, −1). What is not known is null. A field that FIX has carries its tag as
//! `fix_tag`.
//!
//! ```
//! use nanobook::trading::{Position, Units};
//! use nanobook_arrow::trading::TradingTable;
//!
//! let row = Position {
//!     account_id: "PAPER".into(),
//!     symbol: "AAPL".parse()?,
//!     qty: Units::whole(-100),
//!     available: None,
//!     avg_px: None,
//!     market_px: None,
//! };
//! let batch = Position::batch(&[row.clone()])?;
//! assert_eq!(batch.schema().field(2).name(), "position_qty");
//! assert_eq!(Position::rows(&batch)?, [row]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cells;
mod rows;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};

use crate::error::{Error, Result};
use crate::table::{TABLE_KEY, VERSION_KEY};

use cells::{Cell, Cells, Kind, TradingColumn};

/// A row type that has a trading table.
pub trait TradingTable: Sized + sealed::Row {
    /// The table's name.
    const NAME: &'static str;

    /// Goes up when a column changes its name, type, meaning or place; not when columns are added at the end.
    const VERSION: u32;

    /// The columns, with the table's name and version as metadata.
    fn schema() -> SchemaRef {
        let field = |column: &TradingColumn| {
            let field = Field::new(column.name, column.kind.data_type(), column.nullable);
            match column.fix_tag {
                0 => field,
                tag => field.with_metadata([("fix_tag", tag.to_string())]),
            }
        };
        let fields: Vec<Field> = Self::columns().iter().map(field).collect();
        let metadata = [
            (TABLE_KEY, Self::NAME.to_owned()),
            (VERSION_KEY, Self::VERSION.to_string()),
        ];
        Arc::new(Schema::new_with_metadata(fields, metadata))
    }

    /// The rows as a batch.
    ///
    /// # Errors
    /// When a number has more than 38 digits.
    fn batch(rows: &[Self]) -> Result<RecordBatch> {
        let cells: Vec<Vec<Cell>> = rows.iter().map(sealed::Row::cells).collect();
        let columns = Self::columns().iter().enumerate();
        let arrays = columns
            .map(|(at, column)| {
                let values = cells.iter().map(|row| &row[at]);
                column
                    .kind
                    .array(values)
                    .map_err(|e| e.at(Self::NAME, column.name, column.kind.data_type()))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(Self::schema(), arrays)?)
    }

    /// The rows of a batch, which may come from another writer and have further columns.
    ///
    /// # Errors
    /// When a column is missing or has another type, or when a value is not what the row can hold.
    fn rows(batch: &RecordBatch) -> Result<Vec<Self>> {
        let mut columns = Vec::new();
        for column in Self::columns() {
            let schema = batch.schema_ref();
            let Some((at, field)) = schema.column_with_name(column.name) else {
                let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
                return Err(Error::MissingColumn {
                    table: Self::NAME,
                    column: column.name.to_owned(),
                    found: names.join(", "),
                });
            };
            let cells = column
                .kind
                .cells(batch.column(at).as_ref())
                .map_err(|e| e.at(Self::NAME, column.name, field.data_type()))?;
            columns.push(cells.into_iter());
        }
        (0..batch.num_rows())
            .map(|row| {
                let cells: Vec<Cell> = columns.iter_mut().filter_map(Iterator::next).collect();
                let mut cells = Cells::new(Self::NAME, Self::columns(), row, cells);
                Self::from_cells(&mut cells)
            })
            .collect()
    }
}

/// What only this crate implements.
mod sealed {
    use super::{Cell, Cells, TradingColumn};
    use crate::error::Result;

    /// A row as cells and back.
    pub trait Row {
        #[doc(hidden)]
        fn columns() -> &'static [TradingColumn];

        #[doc(hidden)]
        fn cells(&self) -> Vec<Cell>;

        #[doc(hidden)]
        fn from_cells(cells: &mut Cells) -> Result<Self>
        where
            Self: Sized;
    }
}
