//! Parquet files.

mod chunk;
mod order;
mod reader;
mod settings;
mod void;

pub use order::Order;
pub use reader::{Reader, read_rows};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowSchemaConverter;
use ::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves,
};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::SchemaDescPtr;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use self::order::{Bounds, join};
use crate::error::{Error, Result};
use crate::file::AtomicFile;
use crate::recorder::RowGroup;
use crate::table::TABLE_KEY;
use crate::writer::{BatchWriter, KeyValues, Summary, check_schema};

/// Encodes row groups: a pure function, to be called from as many threads as one likes.
#[derive(Clone)]
pub struct Encoder {
    factory: Arc<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
    columns: SchemaDescPtr,
    order: Order,
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
    /// When a price does not fit its column.
    pub fn encode_group(&self, group: &RowGroup) -> Result<EncodedGroup> {
        self.encode_batches(group.batches(), group.index())
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
        let mut rows = 0;
        let mut bounds = None;
        let mut all = Vec::new();
        for batch in batches {
            let batch = batch?;
            check_schema(&self.schema, &batch)?;
            rows += batch.num_rows() as u64;
            bounds = join(self.order.columns()[0], bounds, self.order.bounds(&batch)?)?;
            all.push(batch);
        }
        // One column after the other: then its dictionary is the only one that the cache must hold.
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        let writers = self.factory.create_column_writers(index)?;
        for (at, mut writer) in writers.into_iter().enumerate() {
            let field = self.schema.field(at);
            let pieces: Vec<&ArrayRef> = all.iter().map(|batch| batch.column(at)).collect();
            if let Some(plan) = settings::plan(field) {
                let column = self.columns.column(at);
                let compression = settings::compression(Some(plan));
                if let Some(chunk) = chunk::encode(&column, &pieces, plan, compression)? {
                    columns.push(Column::Own(chunk));
                    continue;
                }
            }
            for piece in pieces {
                for leaf in compute_leaves(field, piece)? {
                    writer.write(&leaf)?;
                }
            }
            columns.push(Column::Crate(writer.close()?));
        }
        Ok(EncodedGroup {
            index,
            rows,
            bounds,
            columns,
        })
    }
}

/// Appends encoded row groups to a file.
pub struct Writer {
    file: SerializedFileWriter<AtomicFile>,
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
        let file = AtomicFile::create(path)?;
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
        self.file.inner().path().to_path_buf()
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
        let path = self.file.inner().path().to_path_buf();
        let file = self
            .file
            .into_inner()
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
