//! How columns are encoded.

use std::sync::Arc;

use ::parquet::arrow::add_encoded_arrow_schema_to_metadata;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow_schema::{DataType, Field, Fields, Schema};

use super::chunk::Plan;

/// Columns whose values rise slowly: differences of neighbours take fewer bits than places in a dictionary.
const DELTA: &[&str] = &["ts_event", "seq", "order_id", "old_order_id", "match_id"];

/// How a column's values are written.
pub(super) fn plan(field: &Field) -> Plan {
    if DELTA.contains(&field.name().as_str()) {
        Plan::Delta
    } else {
        Plan::Dictionary
    }
}

/// How pages are compressed, but for those of differences.
pub(super) fn compression() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default())
}

/// The settings of a file with this schema, whose rows are sorted by these columns.
pub(super) fn properties(schema: &Schema, sorted_by: &[&str]) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(compression())
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(None)
        .set_key_value_metadata(Some(
            schema
                .metadata()
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
                .collect(),
        ));
    for field in schema.fields() {
        if plan(field) == Plan::Delta {
            let path = ColumnPath::from(field.name().as_str());
            builder = builder
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_compression(path, Compression::UNCOMPRESSED);
        }
    }
    let sorted = sorted_by.iter().map_while(|name| {
        let at = schema.index_of(name).ok()?;
        Some(SortingColumn {
            column_idx: i32::try_from(at).ok()?,
            descending: false,
            nulls_first: false,
        })
    });
    let sorted: Vec<SortingColumn> = sorted.collect();
    builder = builder.set_sorting_columns(Some(sorted).filter(|columns| !columns.is_empty()));
    let mut properties = builder.build();
    add_encoded_arrow_schema_to_metadata(&declared(schema), &mut properties);
    properties
}

/// The schema that a file declares: text is plain `Utf8` there.
///
/// Parquet has one kind of text, and how a reader shows it follows what the writer declares. The documentation of
/// [`parquet`](super) says what readers do with each.
fn declared(schema: &Schema) -> Schema {
    with_text(schema, &DataType::Utf8View, &DataType::Utf8)
}

/// The schema as this library shows it: text is `Utf8View`, in which Polars takes it without a copy.
pub(super) fn shown(schema: &Schema) -> Schema {
    with_text(schema, &DataType::Utf8, &DataType::Utf8View)
}

fn with_text(schema: &Schema, from: &DataType, to: &DataType) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        if field.data_type() == from {
            Arc::new(field.as_ref().clone().with_data_type(to.clone()))
        } else {
            Arc::clone(field)
        }
    });
    Schema::new_with_metadata(fields.collect::<Fields>(), schema.metadata().clone())
}
