//! Parquet files.
//!
//! A [`Writer`] makes a file, its [`Encoder`] row groups for it. [`Reader`] and [`read_rows`] read files back.
//!
//! # Columns on disk
//!
//! Measured on a synthetic day of 8,900 symbols with heavy-tailed activity, row groups of 262,144 rows, in bytes and
//! nanoseconds for a value, with the Parquet crate's own encoders; what is used is bold.
//!
//! | column | dictionary, zstd 1 | differences | differences, zstd 1 | plain, zstd 1 |
//! |---|---|---|---|---|
//! | `ts_event` | 3.84, 41 ns | **2.27, 5 ns** | 2.21, 7 ns | 2.84, 26 ns |
//! | `seq` | 2.01, 35 ns | **0.27, 5 ns** | 0.21, 8 ns | 1.03, 20 ns |
//! | `order_id` | 3.35, 42 ns | **2.91, 5 ns** | 2.89, 8 ns | 2.61, 27 ns |
//! | `match_id` (`mbo`: mostly null) | 0.15, 5 ns | **0.13, 3 ns** | 0.07, 3 ns | 0.11, 4 ns |
//! | `instrument_id` | **1.70, 11 ns** | 1.82, 5 ns | 1.82, 7 ns | 1.50, 15 ns |
//! | `symbol` | **1.66, 25 ns** | | | 2.43, 40 ns |
//! | `bid_px` | **1.85, 13 ns** | | | 2.73, 29 ns |
//! | `bid_qty` | **1.09, 11 ns** | 1.53, 5 ns | 1.49, 6 ns | 1.15, 19 ns |
//! | `bid_count` | **0.24, 9 ns** | 0.49, 5 ns | 0.41, 7 ns | 0.48, 11 ns |
//! | `action` | **0.26, 27 ns** | | | 0.85, 34 ns |
//!
//! Byte stream split and zstd 3 are larger or slower for every column. In all, a `bbo` row takes 12.2 bytes and an
//! `mbo` row 13.0. Differences and dictionaries are then encoded by a module of our own, a third faster.
//!
//! Every column has statistics for each row group and page, so a reader skips what a filter on `ts_event` excludes; the
//! rows' order is declared, and checked when they are written. A file sorted by symbol ([`Order::Symbol`]) is a quarter
//! smaller and lets a reader skip other symbols, for a time window that costs more.
//!
//! # Text
//!
//! Text is dictionary-encoded; what a reader makes of it follows the Arrow schema in the file. Five million `bbo` rows,
//! 8,900 symbols, as each type, with Polars 2.1, DuckDB 2.0 and pyarrow 26:
//!
//! | | `Utf8View` | `Dictionary(UInt32, Utf8)` | `Utf8` |
//! |---|---|---|---|
//! | Polars reads it as | String | Categorical | String |
//! | Polars: column in memory | 17 MB | 19 MB | 17 MB |
//! | Polars: scan with `symbol == …` / by symbol | 71 / 103 ms | 72 / 114 ms | as `Utf8View` |
//! | Polars: join with text | 80 ms | types don't match | as `Utf8View` |
//! | DuckDB: scan with `symbol = …` / by symbol | 35 / 34 ms | 23 / 39 ms | as `Utf8View` |
//! | pyarrow: column in memory | 76 MB | 21 MB | 36 MB |
//! | pyarrow: filter with `symbol == …` | no such kernel | 61 ms | 45 ms |
//! | pyarrow: group by symbol | 152 ms | dictionaries differ | 99 ms |
//!
//! A file therefore declares `Utf8`, in which all of them do everything; [`Reader`] gives `Utf8View` all the same.

mod chunk;
mod order;
mod reader;
mod settings;
mod void;

pub use order::Order;
pub use reader::{Reader, read_rows};

use std::io::{BufWriter, IntoInnerError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::parquet::arrow::ArrowSchemaConverter;
use ::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use self::chunk::Scratch;
use self::order::{Bounds, join};
use crate::error::{Error, Result};
use crate::file::AtomicFile;
use crate::options::PriceType;
use crate::recorder::RowGroup;
use crate::table::{Projection, TABLE_KEY};
use crate::tables::{BboRows, DepthRows, MboRows};
use crate::writer::{BatchWriter, KeyValues, Summary, check_fields};

/// Encodes row groups of one file: a pure function, to be called from as many threads as one likes.
///
/// A clone is cheap.
#[derive(Clone)]
pub struct Encoder {
    factory: Arc<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
    columns: SchemaDescPtr,
    order: Order,
    scratch: Arc<ScratchPool>,
}

/// A row group in its final form, to be appended to its file.
pub struct EncodedGroup {
    index: usize,
    rows: u64,
    bounds: Option<Bounds>,
    columns: Vec<Column>,
}

/// An encoded column of a row group: by the Parquet crate, or by [`chunk`].
enum Column {
    Crate(ArrowColumnChunk),
    Own(chunk::Chunk),
}

impl Encoder {
    /// Encodes a row group.
    ///
    /// # Errors
    /// When the group is of another table or has other options than the file, or a price does not fit its column.
    pub fn encode_group(&self, group: &RowGroup) -> Result<EncodedGroup> {
        check_fields(&self.schema, &group.schema())?;
        let mut scratch = self.scratch.take()?;
        let all = self.schema.fields().len();
        let direct = Direct::of(group);
        let known = direct.columns();
        let rest = Projection::of((known..all).collect());
        let pieces = if known < all {
            group.pieces(rest).collect::<Result<Vec<_>>>()?
        } else {
            Vec::new()
        };
        let bounds = match direct.order() {
            Some((times, seqs)) => self.order.bounds_of(times, seqs)?,
            None => self.bounds(&pieces)?,
        };
        let mut columns = Vec::with_capacity(all);
        let mut crates = CrateWriters::new(&self.factory, group.index());
        for at in 0..all {
            let declared = || {
                group
                    .batches_of(Projection::of(vec![at]))
                    .map(first_column)
                    .collect()
            };
            if at >= known {
                let arrays = pieces
                    .iter()
                    .map(|piece| piece.column(at - known))
                    .collect::<Vec<_>>();
                columns.push(self.encode_column(
                    at,
                    &mut crates,
                    &arrays,
                    declared,
                    &mut scratch,
                )?);
                continue;
            }
            if let Some(chunk) = direct.encode(&self.columns.column(at), at, &mut scratch)? {
                columns.push(Column::Own(chunk));
                continue;
            }
            let arrays = group.pieces(Projection::of(vec![at])).map(first_column);
            let arrays = arrays.collect::<Result<Vec<_>>>()?;
            let arrays = arrays.iter().collect::<Vec<_>>();
            columns.push(self.encode_column(at, &mut crates, &arrays, declared, &mut scratch)?);
        }
        self.scratch.put(scratch);
        Ok(EncodedGroup {
            index: group.index(),
            rows: group.num_rows() as u64,
            bounds,
            columns,
        })
    }

    /// Encodes one batch as the row group of that ordinal.
    ///
    /// # Errors
    /// When the batch does not have the schema of the file.
    pub fn encode(&self, batch: &RecordBatch, index: usize) -> Result<EncodedGroup> {
        self.encode_batches([Ok(batch.clone())], index)
    }

    /// Encodes some batches together as the row group of that ordinal.
    ///
    /// # Errors
    /// The first error among the batches, or when one does not have the schema of the file.
    pub fn encode_batches(
        &self,
        batches: impl IntoIterator<Item = Result<RecordBatch>>,
        index: usize,
    ) -> Result<EncodedGroup> {
        let batches = batches.into_iter().collect::<Result<Vec<_>>>()?;
        for batch in &batches {
            check_fields(&self.schema, batch.schema_ref())?;
        }
        let bounds = self.bounds(&batches)?;
        let mut scratch = self.scratch.take()?;
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        let mut crates = CrateWriters::new(&self.factory, index);
        for at in 0..self.schema.fields().len() {
            let arrays: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(at)).collect();
            let declared = || Ok(arrays.iter().copied().cloned().collect());
            columns.push(self.encode_column(at, &mut crates, &arrays, declared, &mut scratch)?);
        }
        self.scratch.put(scratch);
        Ok(EncodedGroup {
            index,
            rows: batches.iter().map(|batch| batch.num_rows() as u64).sum(),
            bounds,
            columns,
        })
    }

    /// The bounds of batches that follow each other.
    fn bounds(&self, batches: &[RecordBatch]) -> Result<Option<Bounds>> {
        let column = self.order.columns()[0];
        batches.iter().try_fold(None, |bounds, batch| {
            join(column, bounds, self.order.bounds(batch)?)
        })
    }

    /// Encodes a column whose prices may be in units of 1e-9 where the file has doubles; `declared` gives it as the
    /// file has it, for when [`chunk`] leaves it to the Parquet crate.
    fn encode_column(
        &self,
        at: usize,
        crates: &mut CrateWriters<'_>,
        arrays: &[&ArrayRef],
        declared: impl FnOnce() -> Result<Vec<ArrayRef>>,
        scratch: &mut Scratch,
    ) -> Result<Column> {
        let field = self.schema.field(at);
        let plan = settings::plan(field);
        if let Some(chunk) = chunk::encode(&self.columns.column(at), arrays, plan, scratch)? {
            return Ok(Column::Own(chunk));
        }
        let mut writer = crates.take(at)?;
        for array in declared()? {
            for leaf in compute_leaves(field, &array)? {
                writer.write(&leaf)?;
            }
        }
        Ok(Column::Crate(writer.close()?))
    }
}

/// The Parquet crate's writers of a row group's columns, made when the first column is left to them: few groups have one,
/// and each writer has buffers, a dictionary and two compressors of its own.
struct CrateWriters<'a> {
    factory: &'a ArrowRowGroupWriterFactory,
    index: usize,
    /// By column; what was taken is none.
    made: Vec<Option<ArrowColumnWriter>>,
}

impl<'a> CrateWriters<'a> {
    fn new(factory: &'a ArrowRowGroupWriterFactory, index: usize) -> Self {
        Self {
            factory,
            index,
            made: Vec::new(),
        }
    }

    /// The writer of a column, which is asked for once.
    fn take(&mut self, at: usize) -> Result<ArrowColumnWriter> {
        if self.made.is_empty() {
            let made = self.factory.create_column_writers(self.index)?;
            self.made = made.into_iter().map(Some).collect();
        }
        Ok(self.made[at].take().expect("each column is encoded once"))
    }
}

/// The rows of a group whose columns need no arrays.
enum Direct<'a> {
    Mbo(&'a MboRows),
    Depth(&'a DepthRows),
    Bbo(&'a BboRows),
    No,
}

impl<'a> Direct<'a> {
    fn of(group: &'a RowGroup) -> Self {
        // That a decimal price has too many digits is found when its array is made.
        if group.options().price_type == PriceType::Decimal {
            return Self::No;
        }
        let mbo = group.rows().map(Self::Mbo);
        let bbo = || group.rows().map(Self::Bbo);
        let depth = || group.rows().map(Self::Depth);
        mbo.or_else(bbo).or_else(depth).unwrap_or(Self::No)
    }

    /// How many columns need no arrays.
    fn columns(&self) -> usize {
        match self {
            Self::Mbo(_) => chunk::mbo::COLUMNS,
            Self::Depth(rows) => chunk::depth::columns(rows),
            Self::Bbo(_) => chunk::bbo::COLUMNS,
            Self::No => 0,
        }
    }

    /// The rows' times and ordinals.
    fn order(&self) -> Option<(&[i64], &[u64])> {
        match self {
            Self::Mbo(rows) => Some((&rows.times, &rows.seqs)),
            Self::Depth(rows) => Some((&rows.times, &rows.seqs)),
            Self::Bbo(rows) => Some((&rows.times, &rows.seqs)),
            Self::No => None,
        }
    }

    /// Encodes a column, unless it is better encoded otherwise.
    fn encode(
        &self,
        column: &ColumnDescPtr,
        at: usize,
        scratch: &mut Scratch,
    ) -> Result<Option<chunk::Chunk>> {
        Ok(match self {
            Self::Mbo(rows) => chunk::mbo::encode(column, at, rows, scratch)?,
            Self::Depth(rows) => chunk::depth::encode(column, at, rows, scratch)?,
            Self::Bbo(rows) => chunk::bbo::encode(column, at, rows, scratch)?,
            Self::No => None,
        })
    }
}

fn first_column(batch: Result<RecordBatch>) -> Result<ArrayRef> {
    Ok(Arc::clone(batch?.column(0)))
}

/// Memory of encoders that are not at work.
#[derive(Default)]
struct ScratchPool(Mutex<Vec<Scratch>>);

impl ScratchPool {
    fn take(&self) -> Result<Scratch> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(scratch) => Ok(scratch),
            None => Ok(Scratch::new(settings::compression())?),
        }
    }

    fn put(&self, scratch: Scratch) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(scratch);
    }
}

/// Bytes that are handed to the system at a time: in the 8 KiB pieces in which the crate copies columns, a table of
/// 1.3 GB takes half a second more.
const BYTES_PER_WRITE: usize = 1 << 16;

/// Appends encoded row groups to a file.
pub struct Writer {
    file: SerializedFileWriter<BufWriter<AtomicFile>>,
    encoder: Encoder,
    next: usize,
    rows: u64,
    bounds: Option<Bounds>,
}

impl Writer {
    /// A writer of batches of this schema, in the order of a [`Recorder`](crate::Recorder).
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self> {
        let table = schema.metadata().get(TABLE_KEY).map(String::as_str);
        let table = table.and_then(|name| name.parse().ok());
        Self::create_in_order(path, schema, table.map_or(Order::Seq, Order::of))
    }

    /// A writer of batches of this schema, in that order.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create_in_order(path: &Path, schema: &SchemaRef, order: Order) -> Result<Self> {
        let file = BufWriter::with_capacity(BYTES_PER_WRITE, AtomicFile::create(path)?);
        let properties = Arc::new(settings::properties(schema, order.columns()));
        let parquet_schema = ArrowSchemaConverter::new().convert(schema)?;
        let root = parquet_schema.root_schema_ptr();
        let file = SerializedFileWriter::new(file, root, properties)?;
        let factory = Arc::new(ArrowRowGroupWriterFactory::new(&file, Arc::clone(schema)));
        let encoder = Encoder {
            factory,
            schema: Arc::clone(schema),
            columns: Arc::new(parquet_schema),
            order,
            scratch: Arc::default(),
        };
        Ok(Self {
            file,
            encoder,
            next: 0,
            rows: 0,
            bounds: None,
        })
    }

    /// The name that the file will have.
    fn path(&self) -> PathBuf {
        self.file.inner().get_ref().path().to_path_buf()
    }

    /// The encoder of this file's row groups.
    pub fn encoder(&self) -> Encoder {
        self.encoder.clone()
    }

    /// Appends a row group.
    ///
    /// # Errors
    /// When it is not the next one, or the file can't be written.
    pub fn append(&mut self, group: EncodedGroup) -> Result<()> {
        let path = self.path();
        self.append_group(group).map_err(|e| e.in_file(&path))
    }

    fn append_group(&mut self, group: EncodedGroup) -> Result<()> {
        if group.index != self.next {
            return Err(Error::OutOfOrder {
                expected: self.next,
                found: group.index,
            });
        }
        let column = self.encoder.order.columns()[0];
        self.bounds = join(column, self.bounds, group.bounds)?;
        let mut writer = self.file.next_row_group()?;
        for column in group.columns {
            match column {
                Column::Crate(column) => column.append_to_row_group(&mut writer)?,
                Column::Own(column) => column.append(&mut writer)?,
            }
        }
        writer.close()?;
        self.next += 1;
        self.rows += group.rows;
        Ok(())
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// When the file can't be written; then there is no file.
    pub fn finish(mut self, metadata: KeyValues) -> Result<Summary> {
        for (key, value) in metadata {
            self.file
                .append_key_value_metadata(KeyValue::new(key, value));
        }
        let path = self.path();
        let file = self
            .file
            .into_inner()
            .and_then(|file| Ok(file.into_inner().map_err(IntoInnerError::into_error)?))
            .map_err(|e| Error::from(e).in_file(&path))?;
        let bytes = file.commit()?;
        Ok(Summary {
            path,
            rows: self.rows,
            bytes,
        })
    }
}

impl BatchWriter for Writer {
    /// Adds a batch as a row group.
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let group = self.encoder.encode(batch, self.next)?;
        self.append(group)
    }

    fn finish(self, metadata: KeyValues) -> Result<Summary> {
        self.finish(metadata)
    }
}
