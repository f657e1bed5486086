//! Reading Parquet files back.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::settings::shown;
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
    /// `None` after damage that the decoder can't go on from.
    batches: Option<ParquetRecordBatchReader>,
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
        let metadata = load(&file)?;
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_batch_size(ROWS_PER_BATCH)
            .build()?;
        Ok(Self {
            path: path.to_path_buf(),
            metadata,
            batches: Some(batches),
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

/// The metadata of a file, with text as this library shows it.
fn load(file: &File) -> Result<ArrowReaderMetadata> {
    let metadata = ArrowReaderMetadata::load(file, ArrowReaderOptions::new())?;
    as_shown(Arc::clone(metadata.metadata()), metadata.schema())
}

/// Metadata that makes readers give text as this library shows it.
pub(super) fn as_shown(
    metadata: Arc<ParquetMetaData>,
    declared: &Schema,
) -> Result<ArrowReaderMetadata> {
    let shown = Arc::new(shown(declared));
    let options = ArrowReaderOptions::new().with_schema(shown);
    Ok(ArrowReaderMetadata::try_new(metadata, options)?)
}

impl Iterator for Reader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        // The decoder panics on some damaged pages.
        let batches = self.batches.as_mut()?;
        let batch = catch_unwind(AssertUnwindSafe(|| batches.next()));
        let result = match batch {
            Ok(None) => return None,
            Ok(Some(batch)) => batch.map_err(Error::from),
            Err(_) => {
                self.batches = None;
                Err(ParquetError::General("a page is damaged".to_owned()).into())
            }
        };
        Some(result.map_err(|e| e.in_file(&self.path)))
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
