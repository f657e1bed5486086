//! `mbo`: order messages.

use std::ops::Range;

use arrow_array::RecordBatch;
use nanobook::rows::{Action, Code, Header, Mbo};
use nanobook::{OrderId, Price, Qty, Side, TradeId};

use crate::error::Result;
use crate::options::TableOptions;
use crate::slots::Slots;
use crate::table::{Projection, Table, table};

table! {
    Mbo, "mbo", version 1, Header,
    {
        action: Action,
        side: Option<Side>,
        price: Option<Price>,
        qty: Option<Qty>,
        order_id: OrderId,
        old_order_id: Option<OrderId>,
        leaves_qty: Option<Qty>,
        match_id: Option<TradeId>,
        printable: Option<bool>,
        mpid: Option<Code>,
    }
}

/// The values of a column that has nulls: those that are there.
#[derive(Clone, Debug)]
pub(crate) struct Sparse<T> {
    values: Vec<T>,
    /// The bit of [`MboRows::valid`] that says where.
    bit: u8,
}

impl<T: Copy> Sparse<T> {
    const fn new(ordinal: u8) -> Self {
        Self {
            values: Vec::new(),
            bit: 1 << ordinal,
        }
    }

    /// Adds a value if it is there, and gives the bit that is then set.
    #[inline]
    fn push(&mut self, value: Option<T>) -> u8 {
        match value {
            Some(value) => {
                self.values.push(value);
                self.bit
            }
            None => 0,
        }
    }

    /// Those that are there.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// Which bit of a row's validity is set when its value is there.
    pub(crate) fn ordinal(&self) -> usize {
        self.bit.trailing_zeros() as usize
    }

    /// The values from a row on, one for each row.
    fn rows<'a>(&'a self, valid: &'a [u8], from: usize) -> impl Iterator<Item = Option<T>> + 'a {
        let is_there = |valid: &u8| valid & self.bit != 0;
        let (before, valid) = valid.split_at(from);
        let skip = before.iter().filter(|valid| is_there(valid)).count();
        let mut values = self.values[skip..].iter();
        let value = move |valid| is_there(valid).then(|| values.next().copied()).flatten();
        valid.iter().map(value)
    }
}

/// Rows of the `mbo` table, column by column: a third of their size as rows, and as their encoder wants them.
#[derive(Clone, Debug)]
pub(crate) struct MboRows {
    pub(crate) times: Vec<i64>,
    pub(crate) seqs: Vec<u64>,
    pub(crate) slots: Slots,
    pub(crate) actions: Vec<Action>,
    pub(crate) order_ids: Vec<u64>,
    /// For each row which of the columns below have a value.
    pub(crate) valid: Vec<u8>,
    pub(crate) sides: Sparse<Side>,
    pub(crate) prices: Sparse<i64>,
    pub(crate) qtys: Sparse<u64>,
    pub(crate) old_order_ids: Sparse<u64>,
    pub(crate) leaves_qtys: Sparse<u64>,
    pub(crate) match_ids: Sparse<u64>,
    pub(crate) printables: Sparse<bool>,
    pub(crate) mpids: Sparse<Code>,
}

impl Default for MboRows {
    fn default() -> Self {
        Self {
            times: Vec::new(),
            seqs: Vec::new(),
            slots: Slots::default(),
            actions: Vec::new(),
            order_ids: Vec::new(),
            valid: Vec::new(),
            sides: Sparse::new(0),
            prices: Sparse::new(1),
            qtys: Sparse::new(2),
            old_order_ids: Sparse::new(3),
            leaves_qtys: Sparse::new(4),
            match_ids: Sparse::new(5),
            printables: Sparse::new(6),
            mpids: Sparse::new(7),
        }
    }
}

impl MboRows {
    #[inline]
    pub(crate) fn push(&mut self, row: &Mbo) {
        self.times.push(row.header.ts_event.0);
        self.seqs.push(row.header.seq);
        self.slots.push(&row.header);
        self.actions.push(row.action);
        self.order_ids.push(row.order_id.0);
        let valid = self.sides.push(row.side)
            | self.prices.push(row.price.map(|price| price.0))
            | self.qtys.push(row.qty.map(|qty| qty.0))
            | self.old_order_ids.push(row.old_order_id.map(|id| id.0))
            | self.leaves_qtys.push(row.leaves_qty.map(|qty| qty.0))
            | self.match_ids.push(row.match_id.map(|id| id.0))
            | self.printables.push(row.printable)
            | self.mpids.push(row.mpid);
        self.valid.push(valid);
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.seqs.clear();
        self.slots.clear();
        self.actions.clear();
        self.order_ids.clear();
        self.valid.clear();
        self.sides.values.clear();
        self.prices.values.clear();
        self.qtys.values.clear();
        self.old_order_ids.values.clear();
        self.leaves_qtys.values.clear();
        self.match_ids.values.clear();
        self.printables.values.clear();
        self.mpids.values.clear();
    }

    /// A range of the rows as a batch.
    pub(crate) fn batch(
        &self,
        range: Range<usize>,
        options: &TableOptions,
        columns: &Projection,
    ) -> Result<RecordBatch> {
        Mbo::project(&self.rows(range), options, columns)
    }

    /// A range of the rows.
    fn rows(&self, range: Range<usize>) -> Vec<Mbo> {
        let from = range.start;
        let mut sides = self.sides.rows(&self.valid, from);
        let mut prices = self.prices.rows(&self.valid, from);
        let mut qtys = self.qtys.rows(&self.valid, from);
        let mut old_order_ids = self.old_order_ids.rows(&self.valid, from);
        let mut leaves_qtys = self.leaves_qtys.rows(&self.valid, from);
        let mut match_ids = self.match_ids.rows(&self.valid, from);
        let mut printables = self.printables.rows(&self.valid, from);
        let mut mpids = self.mpids.rows(&self.valid, from);
        let row = |row: usize| Mbo {
            header: self.slots.header(row, &self.times, &self.seqs),
            action: self.actions[row],
            side: sides.next().flatten(),
            price: prices.next().flatten().map(Price),
            qty: qtys.next().flatten().map(Qty),
            order_id: OrderId(self.order_ids[row]),
            old_order_id: old_order_ids.next().flatten().map(OrderId),
            leaves_qty: leaves_qtys.next().flatten().map(Qty),
            match_id: match_ids.next().flatten().map(TradeId),
            printable: printables.next().flatten(),
            mpid: mpids.next().flatten(),
        };
        range.map(row).collect()
    }
}
