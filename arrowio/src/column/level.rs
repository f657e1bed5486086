//! The three columns of one price level.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array, UInt64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use nanobook::rows::PriceLevel;

use super::price;
use crate::error::Mismatch;
use crate::options::TableOptions;

/// Price, quantity and count of one level of some rows, which are there or null together.
pub(crate) struct LevelColumns {
    prices: Vec<i64>,
    qtys: Vec<u64>,
    counts: Vec<u32>,
    valid: Vec<bool>,
}

impl LevelColumns {
    /// Columns of so many rows, all null.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            prices: vec![0; rows],
            qtys: vec![0; rows],
            counts: vec![0; rows],
            valid: vec![false; rows],
        }
    }

    /// Gives a row its level.
    #[inline]
    pub(crate) fn set(&mut self, row: usize, level: &PriceLevel) {
        self.prices[row] = level.price.0;
        self.qtys[row] = level.qty.0;
        self.counts[row] = level.count;
        self.valid[row] = true;
    }

    /// The columns `px`, `qty` and `count`.
    pub(crate) fn arrays(self, options: &TableOptions) -> Result<[ArrayRef; 3], Mismatch> {
        let all = self.valid.iter().all(|&valid| valid);
        let nulls = (!all).then(|| NullBuffer::new(BooleanBuffer::from(self.valid)));
        Ok([
            price::array(self.prices, nulls.clone(), options)?,
            Arc::new(UInt64Array::new(self.qtys.into(), nulls.clone())),
            Arc::new(UInt32Array::new(self.counts.into(), nulls)),
        ])
    }
}
