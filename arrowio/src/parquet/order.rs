//! The order of rows that a file declares.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampNanosecondType, UInt64Type};

use crate::error::{Error, Result};
use crate::tables::TableId;

/// The order of a file's rows, which its metadata declares and which is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// By `seq`: rows as they happen.
    Seq,
    /// By `ts_event`: rows of intervals, whose `seq` is that of the last message within.
    Time,
    /// By `symbol` (none last), then `seq`: what [`sorted`](crate::sorted) makes.
    Symbol,
}

impl Order {
    /// The order in which a [`Recorder`](crate::Recorder) hands on the rows of a table.
    pub fn of(table: TableId) -> Self {
        match table {
            TableId::Bars => Self::Time,
            _ => Self::Seq,
        }
    }

    /// The columns that the rows are sorted by.
    pub(super) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Seq => &["seq"],
            Self::Time => &["ts_event"],
            Self::Symbol => &["symbol", "seq"],
        }
    }

    /// The first and last value of the column that the rows are sorted by.
    ///
    /// # Errors
    /// When a value is smaller than the one before.
    pub(super) fn bounds(self, batch: &RecordBatch) -> Result<Option<Bounds>> {
        let (Self::Seq | Self::Time) = self else {
            return Ok(None);
        };
        let column = self.columns()[0];
        let Some(array) = batch.column_by_name(column) else {
            return Ok(None);
        };
        if let Some(seqs) = array.as_primitive_opt::<UInt64Type>() {
            return bounds(column, seqs.values());
        }
        match array.as_primitive_opt::<TimestampNanosecondType>() {
            Some(times) => bounds(column, times.values()),
            None => Ok(None),
        }
    }
}

impl Order {
    /// The first and last value of the column that the rows are sorted by, of rows with these times and ordinals.
    ///
    /// # Errors
    /// When a value is smaller than the one before.
    pub(super) fn bounds_of(self, times: &[i64], seqs: &[u64]) -> Result<Option<Bounds>> {
        match self {
            Self::Seq => bounds(self.columns()[0], seqs),
            Self::Time => bounds(self.columns()[0], times),
            Self::Symbol => Ok(None),
        }
    }
}

/// The smallest and the largest value of a column of a group that is sorted by it.
pub(super) type Bounds = (i128, i128);

fn bounds<T: Copy + PartialOrd + Into<i128>>(
    column: &'static str,
    values: &[T],
) -> Result<Option<Bounds>> {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
        return Ok(None);
    };
    match values.windows(2).find(|pair| pair[0] > pair[1]) {
        Some(pair) => Err(not_sorted(column, pair[0].into(), pair[1].into())),
        None => Ok(Some((first.into(), last.into()))),
    }
}

fn not_sorted(column: &'static str, before: i128, after: i128) -> Error {
    Error::NotSorted {
        column,
        before: before.to_string(),
        after: after.to_string(),
    }
}

/// The bounds of rows with these bounds, followed by rows with those.
pub(super) fn join(
    column: &'static str,
    before: Option<Bounds>,
    after: Option<Bounds>,
) -> Result<Option<Bounds>> {
    match (before, after) {
        (Some((_, last)), Some((first, _))) if last > first => Err(not_sorted(column, last, first)),
        (Some((first, _)), Some((_, last))) => Ok(Some((first, last))),
        (before, after) => Ok(before.or(after)),
    }
}
