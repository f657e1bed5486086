//! `depth`: the best levels of both sides.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::Field;
use nanobook::rows::{Depth, Header, PriceLevel, SomeLevels};
use nanobook::{Price, Qty};

use crate::column::{Column, LevelColumns};
use crate::error::{Error, Result};
use crate::options::TableOptions;
use crate::slots::Slots;
use crate::table::{Arrays, Columns, HeaderColumns, Projection, Table};

/// The best levels of both sides, best first: a row of the `depth` table that owns its levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepthRow {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// The bids, at most as many as the table has levels.
    pub bids: Vec<PriceLevel>,
    /// The asks, at most as many as the table has levels.
    pub asks: Vec<PriceLevel>,
}

impl DepthRow {
    /// The row as it is pushed into a [`Sink`](nanobook::Sink).
    pub fn as_row(&self) -> Depth<'_> {
        Depth {
            header: self.header,
            bids: &self.bids,
            asks: &self.asks,
            change: None,
        }
    }
}

/// The values that a level takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct LevelSteps {
    /// One bit for each row, set where the level can differ from the row before of the same instrument.
    pub(crate) changed: Vec<u64>,
    /// What it is there.
    pub(crate) values: Vec<PriceLevel>,
}

/// Rows of the `depth` table, each as what differs from the row before of the same instrument.
///
/// A message changes a few levels of one book, so a row takes a fifth of its size, and no more of it is looked at if it
/// says what that is. A row that does not say so is kept whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct DepthRows {
    pub(crate) times: Vec<i64>,
    pub(crate) seqs: Vec<u64>,
    pub(crate) slots: Slots,
    /// How many bids and asks each row has.
    pub(crate) counts: [Vec<u8>; 2],
    /// The best bid, the best ask, the second best bid and so on.
    pub(crate) levels: Vec<LevelSteps>,
    /// For each slot the `seq` of its last row.
    last_seqs: Vec<u64>,
}

const NO_LEVEL: PriceLevel = PriceLevel {
    price: Price(0),
    qty: Qty(0),
    count: 0,
};

/// Rows that have a bit each in one word.
const PER_WORD: usize = u64::BITS as usize;

impl DepthRows {
    /// Adds a row, with as many of its levels as the table has.
    pub(crate) fn push(&mut self, row: &Depth<'_>, max_levels: usize) {
        let at = self.times.len();
        let (word, bit) = (at / PER_WORD, 1 << (at % PER_WORD));
        if bit == 1 {
            self.levels.resize_with(2 * max_levels, LevelSteps::default);
            self.levels
                .iter_mut()
                .for_each(|level| level.changed.push(0));
        }
        self.times.push(row.header.ts_event.0);
        self.seqs.push(row.header.seq);
        let slot = self.slots.push(&row.header);
        let before = self.last_seqs.get(slot).copied();
        let slots = self.slots.firsts().len();
        self.last_seqs.resize(slots, 0);
        self.last_seqs[slot] = row.header.seq;
        let known = row.change.filter(|change| Some(change.since) == before);
        let whole = |levels| SomeLevels { first: 0, levels };
        let changed = match known {
            Some(change) => [change.bids, change.asks],
            None => [whole(row.bids), whole(row.asks)],
        };
        for (side, SomeLevels { first, levels }) in changed.into_iter().enumerate() {
            let steps = self.levels.iter_mut().skip(2 * first + side).step_by(2);
            for (step, level) in steps.zip(levels) {
                step.changed[word] |= bit;
                step.values.push(*level);
            }
        }
        for (counts, levels) in self.counts.iter_mut().zip([row.bids, row.asks]) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a table has at most a hundred levels"
            )]
            counts.push(levels.len().min(max_levels) as u8);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
        self.seqs.clear();
        self.slots.clear();
        self.counts.iter_mut().for_each(Vec::clear);
        for level in &mut self.levels {
            level.changed.clear();
            level.values.clear();
        }
        self.last_seqs.clear();
    }

    /// The rows from the first on, whole.
    pub(crate) fn whole(&self) -> WholeRows<'_> {
        WholeRows {
            rows: self,
            next: 0,
            used: vec![0; self.levels.len()],
            now: vec![NO_LEVEL; self.levels.len() * self.slots.firsts().len()],
        }
    }
}

/// Makes batches of the rows, one after the other.
pub(crate) struct WholeRows<'a> {
    rows: &'a DepthRows,
    next: usize,
    /// How many values of each level were taken.
    used: Vec<usize>,
    /// For each slot its levels after the rows so far.
    now: Vec<PriceLevel>,
}

impl WholeRows<'_> {
    /// The next rows as a batch.
    pub(crate) fn batch(
        &mut self,
        count: usize,
        options: &TableOptions,
        columns: &Projection,
    ) -> Result<RecordBatch> {
        let rows = self.rows;
        let range = self.next..rows.len().min(self.next + count);
        let header = |row: usize| rows.slots.header(row, &rows.times, &rows.seqs);
        let mut arrays = Arrays::new(columns);
        Header::push::<DepthRow>(range.clone().map(header), options, &mut arrays)?;
        for (place, columns) in self.columns(range.clone(), options).into_iter().enumerate() {
            arrays.push_some(|| {
                columns.arrays(options).map_err(|mismatch| {
                    let (rank, side) = (place / 2, ["bid", "ask"][place % 2]);
                    let [px, ..] = level_names(side, rank);
                    mismatch.at(DepthRow::NAME, &px, Price::data_type(options))
                })
            })?;
        }
        self.next = range.end;
        arrays.batch(&DepthRow::schema(options), range.len())
    }

    /// The levels of the next rows: the best bid, the best ask, the second best bid and so on.
    ///
    /// Row after row, so that memory is read from one end to the other.
    fn columns(&mut self, range: Range<usize>, options: &TableOptions) -> Vec<LevelColumns> {
        let new = |_| LevelColumns::new(range.len());
        let mut columns: Vec<LevelColumns> = (0..2 * options.levels).map(new).collect();
        let rows = self.rows;
        for (at, row) in range.enumerate() {
            let slot = rows.slots.of_rows()[row] as usize;
            let now = &mut self.now[slot * rows.levels.len()..];
            for (place, level) in rows.levels.iter().enumerate() {
                if level.changed[row / PER_WORD] >> (row % PER_WORD) & 1 == 1 {
                    now[place] = level.values[self.used[place]];
                    self.used[place] += 1;
                }
                if place / 2 < usize::from(rows.counts[place % 2][row]) {
                    columns[place].set(at, &now[place]);
                }
            }
        }
        columns
    }
}

/// The columns of one level.
fn level_names(side: &str, rank: usize) -> [String; 3] {
    ["px", "qty", "count"].map(|what| format!("{side}_{what}_{rank:02}"))
}

impl Table for DepthRow {
    const NAME: &'static str = "depth";
    const VERSION: u32 = 1;

    fn fields(options: &TableOptions) -> Vec<Field> {
        let mut fields = Header::fields(options);
        for rank in 0..options.levels {
            for side in ["bid", "ask"] {
                let [px, qty, count] = level_names(side, rank);
                fields.push(Option::<Price>::field(&px, options));
                fields.push(Option::<Qty>::field(&qty, options));
                fields.push(Option::<u32>::field(&count, options));
            }
        }
        fields
    }

    fn project(rows: &[Self], options: &TableOptions, columns: &Projection) -> Result<RecordBatch> {
        let mut all = DepthRows::default();
        for row in rows {
            all.push(&row.as_row(), options.levels);
        }
        all.whole().batch(rows.len(), options, columns)
    }

    fn rows(batch: &RecordBatch) -> Result<Vec<Self>> {
        let columns = Columns::of::<Self>(batch)?;
        let headers = Header::read(&columns)?;
        let row = |header| Self {
            header,
            bids: Vec::new(),
            asks: Vec::new(),
        };
        let mut rows: Vec<Self> = headers.into_iter().map(row).collect();
        let levels = (0..).take_while(|rank| {
            batch
                .schema_ref()
                .index_of(&level_names("bid", *rank)[0])
                .is_ok()
        });
        for rank in levels {
            let suffix = format!("_{rank:02}");
            for side in ["bid", "ask"] {
                for (at, level) in columns.levels(side, &suffix)?.into_iter().enumerate() {
                    let Some(level) = level else { continue };
                    let of_side = match side {
                        "bid" => &mut rows[at].bids,
                        _ => &mut rows[at].asks,
                    };
                    if of_side.len() < rank {
                        let [px, ..] = level_names(side, rank);
                        let expected = "null behind a level that is null";
                        return Err(columns.bad_row(&px, at, expected));
                    }
                    of_side.push(level);
                }
            }
        }
        if batch.schema_ref().index_of("bid_px_00").is_err() {
            return Err(Error::MissingColumn {
                table: Self::NAME,
                column: "bid_px_00".to_owned(),
                found: columns.names(),
            });
        }
        Ok(rows)
    }
}
