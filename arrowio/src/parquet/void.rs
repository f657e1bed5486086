//! Marking trades as void in a file of which they are part already.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use ::parquet::file::statistics::Statistics;

use super::Writer;
use super::reader::as_shown;
use crate::breaks::Breaks;
use crate::error::Result;
use crate::recorder::ROWS_PER_BATCH;

impl Writer {
    /// Marks the trades that breaks void in the row groups that were appended, which must be all.
    ///
    /// Breaks are rare: when none is about these row groups, which their statistics and then their ids tell, nothing is
    /// done. Else the file is written once more, in bounded memory: groups without void trades are copied as
    /// they are, and the others become what they would be had the breaks come before the trades.
    ///
    /// # Errors
    /// When the file is not one of trades, or can't be read or written.
    pub fn void_trades(self, breaks: &mut Breaks) -> Result<Self> {
        let path = self.path();
        self.void(breaks).map_err(|e| e.in_file(&path))
    }

    fn void(mut self, breaks: &mut Breaks) -> Result<Self> {
        let Some(match_id) = self.encoder.schema.fields().find("match_id") else {
            return Ok(self);
        };
        let (match_id, _) = match_id;
        let groups = self.file.flushed_row_groups().iter().enumerate();
        let suspects: Vec<usize> = groups
            .filter(|(at, group)| may_hold(group, match_id, breaks, *at))
            .map(|(at, _)| at)
            .collect();
        if suspects.is_empty() {
            return Ok(self);
        }

        // Only a footer makes the file readable, and then nothing can be appended to it any more.
        let metadata = Arc::new(self.file.finish()?);
        let source = Source {
            file: self.file.inner().get_ref().reader()?,
            reading: as_shown(Arc::clone(&metadata), &self.encoder.schema)?,
            metadata,
        };
        let mut wrong = BTreeSet::new();
        for group in suspects {
            for batch in source.read(group, Some(&["seq", "match_id", "broken"]))? {
                if breaks.mark_batch(&batch?)?.is_some() {
                    wrong.insert(group);
                }
            }
        }
        let mut out =
            Self::create_in_order(&self.path(), &self.encoder.schema, self.encoder.order)?;
        for group in 0..source.metadata.num_row_groups() {
            if wrong.contains(&group) {
                let batches = source.read(group, None)?.map(|batch| {
                    let batch = batch?;
                    Ok(breaks.mark_batch(&batch)?.unwrap_or(batch))
                });
                let encoded = out.encoder.encode_batches(batches, group)?;
                out.append(encoded)?;
            } else {
                out.copy(&source, group)?;
            }
        }
        Ok(out)
    }

    /// Appends a row group of another file as it is.
    fn copy(&mut self, source: &Source, group: usize) -> Result<()> {
        let from = source.metadata.row_group(group);
        let pages = source.metadata.page_index_for_row_group(group);
        let mut writer = self.file.next_row_group()?;
        for (at, column) in from.columns().iter().enumerate() {
            let close = ColumnCloseResult {
                bytes_written: u64::try_from(column.compressed_size()).unwrap_or_default(),
                rows_written: u64::try_from(from.num_rows()).unwrap_or_default(),
                metadata: column.clone(),
                bloom_filter: None,
                column_index: pages.column_index(at).cloned(),
                offset_index: pages.offset_index(at).cloned(),
            };
            writer.append_column(&source.file, close)?;
        }
        writer.close()?;
        self.next += 1;
        self.rows += u64::try_from(from.num_rows()).unwrap_or_default();
        Ok(())
    }
}

/// A file that is written and not yet named.
struct Source {
    file: File,
    reading: ArrowReaderMetadata,
    metadata: Arc<ParquetMetaData>,
}

impl Source {
    /// The batches of a row group, of all columns or of some.
    fn read(&self, group: usize, columns: Option<&[&str]>) -> Result<ParquetRecordBatchReader> {
        let metadata = self.reading.clone();
        let mask = match columns {
            Some(names) => {
                ProjectionMask::columns(metadata.parquet_schema(), names.iter().copied())
            }
            None => ProjectionMask::all(),
        };
        let file = self.file.try_clone().map_err(ParquetError::from)?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(ROWS_PER_BATCH)
            .build()?;
        Ok(reader)
    }
}

/// Whether the statistics of a row group leave room for a trade that a later break names.
fn may_hold(group: &RowGroupMetaData, match_id: usize, breaks: &Breaks, at: usize) -> bool {
    let range = match group.column(match_id).statistics() {
        Some(Statistics::Int64(ids)) => ids.min_opt().zip(ids.max_opt()),
        _ => None,
    };
    // The column is unsigned; Parquet keeps its 64 bits in a signed type.
    let range = range.map(|(min, max)| min.cast_unsigned()..=max.cast_unsigned());
    breaks
        .unmarked(at)
        .any(|id| range.as_ref().is_none_or(|range| range.contains(&id.0)))
}
