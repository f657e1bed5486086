//! Reading Parquet files back.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::error::{Error, Result};
use crate::table::{Table, check};
use crate::writer::KeyValues;

/// Rows of a batch that is read.
const ROWS_PER_BATCH: usize = 65_536;

/// The batches of a Parquet file, with what its metadata says.
///
/// # Examples
/// ```no_run
/// for batch in nanobook_arrow::parquet::Reader::open("bbo.parquet".as_ref())? {
///     println!("{} rows", batch?.num_rows());
/// }
/// # Ok::<(), nanobook_arrow::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    batches: ParquetRecordBatchReader,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// When it can't be opened or is not Parquet.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
        Self::new(path, file).map_err(|e| e.in_file(path))
    }

    fn new(path: &Path, file: File) -> Result<Self> {
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_batch_size(ROWS_PER_BATCH)
            .build()?;
        Ok(Self {
            path: path.to_path_buf(),
            metadata,
            batches,
        })
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.metadata.schema().clone()
    }

    /// Number of rows in the file.
    pub fn num_rows(&self) -> u64 {
        let rows = self.metadata.metadata().file_metadata().num_rows();
        u64::try_from(rows).unwrap_or_default()
    }

    /// The file's metadata, without the encoded Arrow schema.
    pub fn metadata(&self) -> KeyValues {
        let pairs = self.metadata.metadata().file_metadata();
        let pairs = pairs.key_value_metadata().into_iter().flatten();
        let ours = pairs.filter(|pair| pair.key != ::parquet::arrow::ARROW_SCHEMA_META_KEY);
        ours.map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
            .collect()
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.map_err(|e| Error::from(e).in_file(&self.path)))
    }
}

/// All rows of a file.
///
/// # Errors
/// When it can't be read, or does not hold the table.
pub fn read_rows<T: Table>(path: &Path) -> Result<Vec<T>> {
    let reader = Reader::open(path)?;
    check::<T>(&reader.schema()).map_err(|e| e.in_file(path))?;
    let mut rows = Vec::new();
    for batch in reader {
        rows.extend(T::rows(&batch?).map_err(|e| e.in_file(path))?);
    }
    Ok(rows)
}
