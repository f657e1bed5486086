//! What every file of batches has.

use std::path::PathBuf;

use arrow_array::RecordBatch;

use crate::error::Result;

/// What the metadata of a file says besides its schema: names such as `nanobook:source` with their values.
pub type KeyValues = Vec<(String, String)>;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Takes batches of one schema, in order, into a file that is there whole or not at all.
pub trait BatchWriter {
    /// Adds a batch.
    ///
    /// # Errors
    /// When the batch has another schema than the file, or the file can't be written.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// When the file can't be written; then there is no file.
    fn finish(self, metadata: KeyValues) -> Result<Summary>;
}
