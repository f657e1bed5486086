//! Tables: one row type, its schema, its batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use nanobook::rows::{Header, MarketHeader, PriceLevel};
use nanobook::{InstrumentId, Price, Qty, Symbol, Timestamp};

use crate::column::Column;
use crate::error::{Error, Result};
use crate::options::TableOptions;

/// The schema metadata that names the table.
pub const TABLE_KEY: &str = "nanobook:table";

/// The schema metadata that gives the version of the table.
pub const VERSION_KEY: &str = "nanobook:version";

/// A row type that has a table.
///
/// # Examples
/// ```
/// use nanobook::{InstrumentId, Timestamp, rows::{Header, RegSho}};
/// use nanobook_arrow::{Table, TableOptions};
///
/// let row = RegSho {
///     header: Header {
///         ts_event: Timestamp(1_580_396_400_000_000_000),
///         seq: 7,
///         instrument_id: InstrumentId(13),
///         symbol: "AAPL".parse().ok(),
///     },
///     reg_sho_action: None,
///     tracking_number: 0,
/// };
/// let batch = RegSho::batch(&[row], &TableOptions::default())?;
/// assert_eq!(batch.schema().field(3).name(), "symbol");
/// assert_eq!(RegSho::rows(&batch)?, [row]);
/// # Ok::<(), nanobook_arrow::Error>(())
/// ```
pub trait Table: Sized {
    /// The table's name, which is also its folder's.
    const NAME: &'static str;

    /// Goes up when a column changes its name, type, meaning or place; not when columns are added at the end.
    const VERSION: u32;

    /// The columns, in order.
    fn fields(options: &TableOptions) -> Vec<Field>;

    /// The columns with the table's name and version as metadata.
    fn schema(options: &TableOptions) -> SchemaRef {
        let metadata = [
            (TABLE_KEY, Self::NAME.to_owned()),
            (VERSION_KEY, Self::VERSION.to_string()),
        ];
        Arc::new(Schema::new_with_metadata(Self::fields(options), metadata))
    }

    /// The rows as a batch.
    ///
    /// # Errors
    /// When a price does not fit the price type.
    fn batch(rows: &[Self], options: &TableOptions) -> Result<RecordBatch> {
        Self::project(rows, options, &Projection::all())
    }

    /// Rows as a batch of some of the columns; the others cost nothing.
    ///
    /// # Errors
    /// When a value does not fit its column.
    fn project(rows: &[Self], options: &TableOptions, columns: &Projection) -> Result<RecordBatch>;

    /// The rows of a batch, which may come from another writer and have further columns.
    ///
    /// # Errors
    /// When a column is missing or has another type, or when a value is not what the row can hold.
    fn rows(batch: &RecordBatch) -> Result<Vec<Self>>;
}

/// Which columns of a table are wanted.
///
/// # Examples
/// ```
/// use nanobook_arrow::{Projection, TableId, TableOptions};
///
/// let schema = TableId::Bbo.schema(&TableOptions::default());
/// let columns = Projection::of(vec![4, 0]);
/// let names: Vec<String> = columns.schema(&schema)?.fields().iter().map(|f| f.name().clone()).collect();
/// assert_eq!(names, ["ts_event", "bid_px"]);
/// # Ok::<(), nanobook_arrow::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection(Option<Vec<usize>>);

impl Projection {
    /// All of them.
    pub const fn all() -> Self {
        Self(None)
    }

    /// Those at some places of the table; they stay in its order.
    pub fn of(mut columns: Vec<usize>) -> Self {
        columns.sort_unstable();
        columns.dedup();
        Self(Some(columns))
    }

    /// The schema of the columns that are wanted, with the metadata of the whole.
    ///
    /// # Errors
    /// When the schema has fewer columns.
    pub fn schema(&self, schema: &SchemaRef) -> Result<SchemaRef> {
        Ok(match &self.0 {
            None => Arc::clone(schema),
            Some(columns) => Arc::new(schema.project(columns)?),
        })
    }

    /// The columns of a batch that are wanted.
    ///
    /// # Errors
    /// When the batch has fewer columns.
    pub fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        Ok(match &self.0 {
            None => batch.clone(),
            Some(columns) => batch.project(columns)?,
        })
    }

    pub(crate) fn contains(&self, column: usize) -> bool {
        match &self.0 {
            None => true,
            Some(columns) => columns.binary_search(&column).is_ok(),
        }
    }
}

/// The arrays of the columns that are wanted, made one after the other.
pub(crate) struct Arrays<'a> {
    columns: &'a Projection,
    next: usize,
    made: Vec<ArrayRef>,
}

impl<'a> Arrays<'a> {
    pub(crate) fn new(columns: &'a Projection) -> Self {
        Self {
            columns,
            next: 0,
            made: Vec::new(),
        }
    }

    /// Makes the next column's array if it is wanted.
    pub(crate) fn push(&mut self, make: impl FnOnce() -> Result<ArrayRef>) -> Result<()> {
        if self.columns.contains(self.next) {
            self.made.push(make()?);
        }
        self.next += 1;
        Ok(())
    }

    /// Makes the arrays of the next few columns if one of them is wanted.
    pub(crate) fn push_some<const N: usize>(
        &mut self,
        make: impl FnOnce() -> Result<[ArrayRef; N]>,
    ) -> Result<()> {
        let places = self.next..self.next + N;
        self.next = places.end;
        if places.clone().any(|at| self.columns.contains(at)) {
            for (at, array) in places.zip(make()?) {
                if self.columns.contains(at) {
                    self.made.push(array);
                }
            }
        }
        Ok(())
    }

    /// The batch of `rows` rows.
    pub(crate) fn batch(self, schema: &SchemaRef, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = self.columns.schema(schema)?;
        Ok(RecordBatch::try_new_with_options(
            schema, self.made, &options,
        )?)
    }
}

/// The columns of a batch by name, with errors that say whose they are.
pub(crate) struct Columns<'a> {
    table: &'static str,
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    /// Looks at the columns of a batch as those of a table, unless its metadata says otherwise.
    pub(crate) fn of<T: Table>(batch: &'a RecordBatch) -> Result<Self> {
        check::<T>(batch.schema_ref())?;
        Ok(Self {
            table: T::NAME,
            batch,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The values of a column.
    pub(crate) fn read<C: Column>(&self, name: &str) -> Result<Vec<C>> {
        let schema = self.batch.schema_ref();
        let Some((at, field)) = schema.column_with_name(name) else {
            return Err(Error::MissingColumn {
                table: self.table,
                column: name.to_owned(),
                found: self.names(),
            });
        };
        C::values(self.batch.column(at).as_ref(), field)
            .map_err(|mismatch| mismatch.at(self.table, name, field.data_type()))
    }

    /// The names of all columns, with commas.
    pub(crate) fn names(&self) -> String {
        let fields = self.batch.schema_ref().fields().iter();
        let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
        names.join(", ")
    }

    /// An error about values that do not go together.
    pub(crate) fn bad_row(&self, column: &str, row: usize, expected: &'static str) -> Error {
        Error::BadValue {
            table: self.table,
            column: column.to_owned(),
            row,
            expected,
            found: "only some of them".to_owned(),
        }
    }

    /// A level of one side out of its three columns.
    pub(crate) fn levels(&self, side: &str, suffix: &str) -> Result<Vec<Option<PriceLevel>>> {
        let name = |what: &str| format!("{side}_{what}{suffix}");
        let prices = self.read::<Option<Price>>(&name("px"))?;
        let qtys = self.read::<Option<Qty>>(&name("qty"))?;
        let counts = self.read::<Option<u32>>(&name("count"))?;
        let level = |row: usize| match (prices[row], qtys[row], counts[row]) {
            (None, None, None) => Ok(None),
            (Some(price), Some(qty), Some(count)) => Ok(Some(PriceLevel { price, qty, count })),
            _ => {
                let expected = "price, quantity and count, or three nulls";
                Err(self.bad_row(&name("px"), row, expected))
            }
        };
        (0..self.len()).map(level).collect()
    }
}

/// An error when the metadata names another table or version. A schema without them will do.
pub(crate) fn check<T: Table>(schema: &Schema) -> Result<()> {
    if let Some(found) = schema.metadata().get(TABLE_KEY)
        && found != T::NAME
    {
        return Err(Error::WrongTable {
            expected: T::NAME,
            found: found.clone(),
        });
    }
    if let Some(found) = schema.metadata().get(VERSION_KEY)
        && *found != T::VERSION.to_string()
    {
        return Err(Error::WrongVersion {
            table: T::NAME,
            expected: T::VERSION,
            found: found.clone(),
        });
    }
    Ok(())
}

/// The array of one column of a table.
pub(crate) fn array<T: Table, C: Column>(
    name: &str,
    values: impl ExactSizeIterator<Item = C> + Clone,
    options: &TableOptions,
) -> Result<ArrayRef> {
    C::array(values, options).map_err(|mismatch| mismatch.at(T::NAME, name, C::data_type(options)))
}

/// What rows start with: the columns `ts_event, seq, instrument_id, symbol`.
pub(crate) trait HeaderColumns: Copy {
    fn fields(options: &TableOptions) -> Vec<Field>;

    fn push<T: Table>(
        headers: impl ExactSizeIterator<Item = Self> + Clone,
        options: &TableOptions,
        arrays: &mut Arrays<'_>,
    ) -> Result<()>;

    fn read(columns: &Columns<'_>) -> Result<Vec<Self>>;
}

impl HeaderColumns for Header {
    fn fields(options: &TableOptions) -> Vec<Field> {
        vec![
            Timestamp::field("ts_event", options),
            u64::field("seq", options),
            InstrumentId::field("instrument_id", options),
            Option::<Symbol>::field("symbol", options),
        ]
    }

    fn push<T: Table>(
        headers: impl ExactSizeIterator<Item = Self> + Clone,
        options: &TableOptions,
        arrays: &mut Arrays<'_>,
    ) -> Result<()> {
        let h = || headers.clone();
        arrays.push(|| array::<T, _>("ts_event", h().map(|h| h.ts_event), options))?;
        arrays.push(|| array::<T, _>("seq", h().map(|h| h.seq), options))?;
        arrays.push(|| array::<T, _>("instrument_id", h().map(|h| h.instrument_id), options))?;
        arrays.push(|| array::<T, _>("symbol", h().map(|h| h.symbol), options))?;
        Ok(())
    }

    fn read(columns: &Columns<'_>) -> Result<Vec<Self>> {
        let ts_event = columns.read("ts_event")?;
        let seq = columns.read("seq")?;
        let instrument_id = columns.read("instrument_id")?;
        let symbol = columns.read("symbol")?;
        let header = |row: usize| Self {
            ts_event: ts_event[row],
            seq: seq[row],
            instrument_id: instrument_id[row],
            symbol: symbol[row],
        };
        Ok((0..columns.len()).map(header).collect())
    }
}

impl HeaderColumns for MarketHeader {
    fn fields(options: &TableOptions) -> Vec<Field> {
        vec![
            Timestamp::field("ts_event", options),
            u64::field("seq", options),
            Option::<InstrumentId>::field("instrument_id", options),
            Option::<Symbol>::field("symbol", options),
        ]
    }

    fn push<T: Table>(
        headers: impl ExactSizeIterator<Item = Self> + Clone,
        options: &TableOptions,
        arrays: &mut Arrays<'_>,
    ) -> Result<()> {
        let h = || headers.clone();
        arrays.push(|| array::<T, _>("ts_event", h().map(|h| h.ts_event), options))?;
        arrays.push(|| array::<T, _>("seq", h().map(|h| h.seq), options))?;
        arrays
            .push(|| array::<T, _>("instrument_id", h().map(|_| None::<InstrumentId>), options))?;
        arrays.push(|| array::<T, _>("symbol", h().map(|_| None::<Symbol>), options))?;
        Ok(())
    }

    fn read(columns: &Columns<'_>) -> Result<Vec<Self>> {
        let ts_event = columns.read("ts_event")?;
        let seq = columns.read("seq")?;
        let header = |row: usize| Self {
            ts_event: ts_event[row],
            seq: seq[row],
        };
        Ok((0..columns.len()).map(header).collect())
    }
}

/// Writes a [`Table`] for a row type.
///
/// In the short form a column is a field of the row: `name: type`. In the long form `name: type = |row| value` says
/// how to get it from a row; what follows reads the columns of a batch, and makes a row of it from its ordinal in the
/// batch and its header.
macro_rules! table {
    ($row:ty, $name:literal, version $version:literal, $header:ty, { $($column:ident: $type:ty,)* }) => {
        table! {
            $row, $name, version $version, $header,
            { $($column: $type = |row| row.$column,)* }
            |columns| { $(let $column = columns.read::<$type>(stringify!($column))?;)* }
            |row, header| Self { header, $($column: $column[row],)* }
        }
    };
    (
        $row:ty, $name:literal, version $version:literal, $header:ty,
        { $($column:ident: $type:ty = |$r:ident| $value:expr,)* }
        |$columns:ident| { $(let $read_as:ident = $read:expr;)* }
        |$at:ident, $h:ident| $make:expr
    ) => {
        impl $crate::table::Table for $row {
            const NAME: &'static str = $name;
            const VERSION: u32 = $version;

            fn fields(options: &$crate::options::TableOptions) -> Vec<arrow_schema::Field> {
                let mut fields = <$header as $crate::table::HeaderColumns>::fields(options);
                $(fields.push(<$type as $crate::column::Column>::field(stringify!($column), options));)*
                fields
            }

            fn project(
                rows: &[Self],
                options: &$crate::options::TableOptions,
                columns: &$crate::table::Projection,
            ) -> $crate::error::Result<arrow_array::RecordBatch> {
                let headers = rows.iter().map(|row| row.header);
                let mut arrays = $crate::table::Arrays::new(columns);
                <$header as $crate::table::HeaderColumns>::push::<Self>(headers, options, &mut arrays)?;
                $({
                    let values = rows.iter().map(|$r: &Self| -> $type { $value });
                    arrays.push(|| $crate::table::array::<Self, $type>(stringify!($column), values, options))?;
                })*
                arrays.batch(&Self::schema(options), rows.len())
            }

            fn rows(batch: &arrow_array::RecordBatch) -> $crate::error::Result<Vec<Self>> {
                let $columns = $crate::table::Columns::of::<Self>(batch)?;
                let headers = <$header as $crate::table::HeaderColumns>::read(&$columns)?;
                $(let $read_as = $read;)*
                let make = |($at, $h): (usize, $header)| $make;
                Ok(headers.into_iter().enumerate().map(make).collect())
            }
        }
    };
}
pub(crate) use table;
