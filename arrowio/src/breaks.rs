//! Trades that a later message voids.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use nanobook::TradeId;
use nanobook::rows::{Trade, TradeBreak};

use crate::error::Result;
use crate::table::Columns;

/// Which trades later messages voided.
///
/// A trade is void when a break names its id later in the session. Rows that a [`Recorder`](crate::Recorder) still
/// holds are marked before it hands them on; those that it has handed on are marked in the finished file by
/// [`Writer::void_trades`](crate::parquet::Writer::void_trades).
#[derive(Clone, Debug, Default)]
pub struct Breaks {
    by_id: HashMap<TradeId, Break>,
}

#[derive(Clone, Copy, Debug)]
struct Break {
    /// The last break's ordinal.
    seq: u64,
    /// Groups of trades that had been handed on by then, in which the trade may stand unmarked.
    groups: usize,
    /// Whether a trade was found.
    found: bool,
}

impl Breaks {
    /// Remembers a break, said when so many groups of trades had been handed on.
    pub(crate) fn add(&mut self, row: &TradeBreak, groups: usize) {
        let seq = row.header.seq;
        let entry = self.by_id.entry(row.match_id).or_insert(Break {
            seq,
            groups,
            found: false,
        });
        entry.seq = seq;
        entry.groups = groups;
    }

    /// Number of trades that breaks name.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nothing was voided.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Number of breaks whose trade has not been found (yet).
    pub fn unknown(&self) -> usize {
        self.by_id.values().filter(|entry| !entry.found).count()
    }

    /// Whether a trade is void.
    pub(crate) fn voids(&mut self, match_id: TradeId, seq: u64) -> bool {
        match self.by_id.get_mut(&match_id) {
            Some(entry) if entry.seq > seq => {
                entry.found = true;
                true
            }
            _ => false,
        }
    }

    /// Marks the trades that are void.
    pub(crate) fn mark(&mut self, trades: &mut [Trade]) {
        if self.by_id.is_empty() {
            return;
        }
        for trade in trades {
            trade.broken |= self.voids(trade.match_id, trade.header.seq);
        }
    }

    /// The ids that may stand unmarked in a group that was handed on.
    pub(crate) fn unmarked(&self, group: usize) -> impl Iterator<Item = TradeId> {
        let late = move |(_, entry): &(_, &Break)| entry.groups > group;
        self.by_id.iter().filter(late).map(|(&id, _)| id)
    }

    /// Marks the trades of a batch that are void; `None` when it was right as it is.
    ///
    /// The batch may be a projection, as long as it has `seq`, `match_id` and `broken`.
    ///
    /// # Errors
    /// When it does not have them.
    pub fn mark_batch(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let columns = Columns::of::<Trade>(batch)?;
        let seqs = columns.read::<u64>("seq")?;
        let ids = columns.read::<TradeId>("match_id")?;
        let mut broken = columns.read::<bool>("broken")?;
        let mut changed = false;
        for ((seq, id), broken) in seqs.into_iter().zip(ids).zip(&mut broken) {
            if self.voids(id, seq) && !*broken {
                *broken = true;
                changed = true;
            }
        }
        if !changed {
            return Ok(None);
        }
        let at = batch.schema_ref().index_of("broken")?;
        let mut arrays = batch.columns().to_vec();
        arrays[at] = Arc::new(BooleanArray::from(broken));
        Ok(Some(RecordBatch::try_new(batch.schema(), arrays)?))
    }
}
