//! `depth`: the best levels of both sides.

use arrow_array::RecordBatch;
use arrow_schema::Field;
use nanobook::rows::{Depth, Header, PriceLevel};
use nanobook::{Price, Qty};

use crate::column::{Column, LevelColumns};
use crate::error::{Error, Result};
use crate::options::TableOptions;
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
        }
    }
}

/// Rows of the `depth` table with their levels in one buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct DepthRows {
    headers: Vec<Header>,
    /// For each row, where its bids begin, where its asks begin, and where they end, in `levels`.
    spans: Vec<[u32; 3]>,
    levels: Vec<PriceLevel>,
}

impl DepthRows {
    /// Adds a row, with as many of its levels as the table has.
    pub(crate) fn push(&mut self, row: &Depth<'_>, max_levels: usize) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a row group has fewer levels"
        )]
        let end = |levels: &Vec<PriceLevel>| levels.len() as u32;
        let start = end(&self.levels);
        let bids = &row.bids[..row.bids.len().min(max_levels)];
        self.levels.extend_from_slice(bids);
        let middle = end(&self.levels);
        let asks = &row.asks[..row.asks.len().min(max_levels)];
        self.levels.extend_from_slice(asks);
        self.spans.push([start, middle, end(&self.levels)]);
        self.headers.push(row.header);
    }

    pub(crate) fn len(&self) -> usize {
        self.headers.len()
    }

    /// The header of a row, its bids and its asks.
    #[inline]
    pub(crate) fn row(&self, row: usize) -> (&Header, [&[PriceLevel]; 2]) {
        let [start, middle, end] = self.spans[row].map(|place| place as usize);
        let sides = [&self.levels[start..middle], &self.levels[middle..end]];
        (&self.headers[row], sides)
    }

    pub(crate) fn clear(&mut self) {
        self.headers.clear();
        self.spans.clear();
        self.levels.clear();
    }

    /// A range of the rows as a batch.
    pub(crate) fn batch(
        &self,
        range: std::ops::Range<usize>,
        options: &TableOptions,
        columns: &Projection,
    ) -> Result<RecordBatch> {
        let headers = self.headers[range.clone()].iter().copied();
        let rows = range.len();
        let mut arrays = Arrays::new(columns);
        Header::push::<DepthRow>(headers, options, &mut arrays)?;
        for (place, columns) in self.columns(range, options).into_iter().enumerate() {
            arrays.push_some(|| {
                columns.arrays(options).map_err(|mismatch| {
                    let (rank, side) = (place / 2, ["bid", "ask"][place % 2]);
                    let [px, ..] = level_names(side, rank);
                    mismatch.at(DepthRow::NAME, &px, Price::data_type(options))
                })
            })?;
        }
        arrays.batch(&DepthRow::schema(options), rows)
    }

    /// The levels of a range of the rows: the best bid, the best ask, the second best bid and so on.
    ///
    /// Row after row, so that memory is read from one end to the other.
    fn columns(&self, range: std::ops::Range<usize>, options: &TableOptions) -> Vec<LevelColumns> {
        let new = |_| LevelColumns::new(range.len());
        let mut columns: Vec<LevelColumns> = (0..2 * options.levels).map(new).collect();
        for (row, &[start, middle, end]) in self.spans[range.clone()].iter().enumerate() {
            let bids = &self.levels[start as usize..middle as usize];
            let asks = &self.levels[middle as usize..end as usize];
            for (side, levels) in [bids, asks].into_iter().enumerate() {
                let columns = columns.iter_mut().skip(side).step_by(2);
                columns
                    .zip(levels)
                    .for_each(|(columns, level)| columns.set(row, level));
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
        all.batch(0..all.len(), options, columns)
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
