//! What every file of batches has.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use crate::error::{Error, Result};

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

/// An error when a batch has other columns than the file that it goes to.
pub(crate) fn check_fields(expected: &SchemaRef, found: &SchemaRef) -> Result<()> {
    if std::sync::Arc::ptr_eq(expected, found) || expected.fields() == found.fields() {
        return Ok(());
    }
    let columns = |schema: &Schema| {
        let column = |field: &arrow_schema::FieldRef| {
            let null = if field.is_nullable() { "?" } else { "" };
            format!("{}: {}{null}", field.name(), field.data_type())
        };
        let columns: Vec<String> = schema.fields().iter().map(column).collect();
        columns.join(", ")
    };
    Err(Error::WrongSchema {
        expected: columns(expected),
        found: columns(found),
    })
}
