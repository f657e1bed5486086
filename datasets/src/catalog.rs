//! What a dataset holds.

use std::path::Path;

use serde_json::Value;

use crate::Result;
use crate::dataset::{Manifest, manifests};

/// One table of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    /// The day, as in the name of its partition.
    pub date: String,
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Name of the file that it was made from.
    pub source: String,
}

/// Lists the tables of a dataset by day and name, as its manifests tell.
///
/// # Errors
/// When there is no dataset, or a manifest can't be read.
pub fn catalog(out: &Path) -> Result<Vec<CatalogEntry>> {
    let mut entries = Vec::new();
    for (date, path) in manifests(out)? {
        for (table, entry) in Manifest::read(&path)?.tables() {
            let number = |key: &str| entry.get(key).and_then(Value::as_u64).unwrap_or(0);
            let text = |key: &str| {
                entry
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or("")
                    .to_owned()
            };
            entries.push(CatalogEntry {
                date: date.clone(),
                table: table.to_owned(),
                rows: number("rows"),
                bytes: number("bytes"),
                source: text("source"),
            });
        }
    }
    Ok(entries)
}
