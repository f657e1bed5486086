//! `bbo`: the best bid and ask.

use std::ops::Range;

use arrow_array::RecordBatch;
use nanobook::rows::{Bbo, Header, PriceLevel};
use nanobook::{Price, Qty};

use crate::error::Result;
use crate::options::TableOptions;
use crate::slots::Slots;
use crate::table::{Projection, Table, table};

table! {
    Bbo, "bbo", version 1, Header,
    {
        bid_px: Option<Price> = |row| row.bid.map(|level| level.price),
        bid_qty: Option<Qty> = |row| row.bid.map(|level| level.qty),
        bid_count: Option<u32> = |row| row.bid.map(|level| level.count),
        ask_px: Option<Price> = |row| row.ask.map(|level| level.price),
        ask_qty: Option<Qty> = |row| row.ask.map(|level| level.qty),
        ask_count: Option<u32> = |row| row.ask.map(|level| level.count),
    }
    |columns| {
        let bids = columns.levels("bid", "")?;
        let asks = columns.levels("ask", "")?;
    }
    |row, header| Self { header, bid: bids[row], ask: asks[row] }
}

/// The levels of a side that are there.
#[derive(Clone, Debug, Default)]
pub(crate) struct BestLevels {
    pub(crate) prices: Vec<i64>,
    pub(crate) qtys: Vec<u64>,
    pub(crate) counts: Vec<u32>,
}

impl BestLevels {
    /// Adds a level if it is there, and says whether it is.
    #[inline]
    fn push(&mut self, level: Option<PriceLevel>) -> u8 {
        let Some(level) = level else {
            return 0;
        };
        self.prices.push(level.price.0);
        self.qtys.push(level.qty.0);
        self.counts.push(level.count);
        1
    }

    fn clear(&mut self) {
        self.prices.clear();
        self.qtys.clear();
        self.counts.clear();
    }

    fn level(&self, at: usize) -> PriceLevel {
        PriceLevel {
            price: Price(self.prices[at]),
            qty: Qty(self.qtys[at]),
            count: self.counts[at],
        }
    }
}

/// Rows of the `bbo` table, column by column: three fifths of their size as rows, and as their encoder wants them.
#[derive(Clone, Debug, Default)]
pub(crate) struct BboRows {
    pub(crate) times: Vec<i64>,
    pub(crate) seqs: Vec<u64>,
    pub(crate) slots: Slots,
    /// For each row which sides it has, the bid in the lowest bit.
    pub(crate) valid: Vec<u8>,
    /// Bids and asks.
    pub(crate) sides: [BestLevels; 2],
}

impl BboRows {
    #[inline]
    pub(crate) fn push(&mut self, row: &Bbo) {
        self.times.push(row.header.ts_event.0);
        self.seqs.push(row.header.seq);
        self.slots.push(&row.header);
        let [bids, asks] = &mut self.sides;
        self.valid
            .push(bids.push(row.bid) | asks.push(row.ask) << 1);
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.seqs.clear();
        self.slots.clear();
        self.valid.clear();
        self.sides.iter_mut().for_each(BestLevels::clear);
    }

    /// A range of the rows as a batch.
    pub(crate) fn batch(
        &self,
        range: Range<usize>,
        options: &TableOptions,
        columns: &Projection,
    ) -> Result<RecordBatch> {
        Bbo::project(&self.rows(range), options, columns)
    }

    /// A range of the rows.
    fn rows(&self, range: Range<usize>) -> Vec<Bbo> {
        let has = |row: usize, side: usize| self.valid[row] >> side & 1 == 1;
        let mut next = [0, 1].map(|side| (0..range.start).filter(|&row| has(row, side)).count());
        let row = |row: usize| {
            let [bid, ask] = [0, 1].map(|side| {
                let at = next[side];
                next[side] += usize::from(has(row, side));
                has(row, side).then(|| self.sides[side].level(at))
            });
            let header = self.slots.header(row, &self.times, &self.seqs);
            Bbo { header, bid, ask }
        };
        range.map(row).collect()
    }
}
