//! From rows to row groups: the [`Sink`] that builds tables.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use nanobook::rows::{
    Bar, Bbo, Depth, DirectListing, Imbalance, Ipo, Luld, Mbo, Mwcb, Participant, RegSho, Rpii,
    Status, StockDirectory, SystemEvent, Trade, TradeBreak,
};
use nanobook::{InstrumentId, Sink};

use crate::breaks::Breaks;
use crate::error::Result;
use crate::options::{PriceType, TableOptions};
use crate::table::{Projection, Table};
use crate::tables::{BboRows, DepthRows, MboRows, TableId, TableSet};

/// Rows of a row group, unless its table is wide.
pub const ROWS_PER_GROUP: usize = 131_072;

/// Values of a row group of a wide table: as many as a table of 32 columns has.
const VALUES_PER_GROUP: usize = 32 * ROWS_PER_GROUP;

/// Rows that become arrays at a time while a group is encoded, so that they stay in the cache.
pub(crate) const ROWS_PER_BATCH: usize = 4096;

/// The same for `depth`, whose rows are some 500 bytes.
const ROWS_PER_DEPTH_BATCH: usize = 1024;

/// What a [`Recorder`] builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecorderOptions {
    /// The tables to build.
    pub tables: TableSet,
    /// How their columns look.
    pub table_options: TableOptions,
    /// Rows of a row group; `None` for [`ROWS_PER_GROUP`], and fewer for a wide `depth`.
    pub rows_per_group: Option<usize>,
}

impl Default for RecorderOptions {
    /// All tables but `mbo` and `depth`, the two large ones.
    fn default() -> Self {
        let tables = TableSet::ALL.without(TableId::Mbo).without(TableId::Depth);
        Self {
            tables,
            table_options: TableOptions::default(),
            rows_per_group: None,
        }
    }
}

impl RecorderOptions {
    /// Rows of a row group of a table.
    pub fn rows_of(&self, table: TableId) -> usize {
        if let Some(rows) = self.rows_per_group {
            return rows.max(1);
        }
        if table != TableId::Depth {
            return ROWS_PER_GROUP;
        }
        let columns = 4 + 6 * self.table_options.levels;
        let rows = (VALUES_PER_GROUP / columns).clamp(ROWS_PER_BATCH, ROWS_PER_GROUP);
        rows / ROWS_PER_BATCH * ROWS_PER_BATCH
    }
}

/// Rows as batches that follow each other.
type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// Rows that can be handed over and turned into arrays by another thread.
trait Rows: Default + Send + Sync + 'static {
    fn len(&self) -> usize;
    fn clear(&mut self);
    /// Batches of so many rows.
    fn batches(&self, step: usize, options: TableOptions, columns: Projection) -> Batches<'_>;
}

impl<T: Table + Send + Sync + 'static> Rows for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn batches(&self, step: usize, options: TableOptions, columns: Projection) -> Batches<'_> {
        let batch = move |rows: &[T]| T::project(rows, &options, &columns);
        Box::new(self.chunks(step).map(batch))
    }
}

/// Rows to which one is added as it is pushed.
trait Add<T> {
    fn add(&mut self, row: &T);
}

impl<T: Copy> Add<T> for Vec<T> {
    #[inline]
    fn add(&mut self, row: &T) {
        self.push(*row);
    }
}

macro_rules! columns {
    ($($row:ty: $rows:ty),*) => {$(
        impl Rows for $rows {
            fn len(&self) -> usize {
                self.len()
            }

            fn clear(&mut self) {
                self.clear();
            }

            fn batches(
                &self,
                step: usize,
                options: TableOptions,
                columns: Projection,
            ) -> Batches<'_> {
                let starts = (0..self.len()).step_by(step);
                Box::new(starts.map(move |start| {
                    let range = start..self.len().min(start + step);
                    self.batch(range, &options, &columns)
                }))
            }
        }

        impl Add<$row> for $rows {
            #[inline]
            fn add(&mut self, row: &$row) {
                self.push(row);
            }
        }
    )*};
}

columns!(Mbo: MboRows, Bbo: BboRows);

impl Rows for DepthRows {
    fn len(&self) -> usize {
        self.len()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn batches(&self, step: usize, options: TableOptions, columns: Projection) -> Batches<'_> {
        let mut whole = self.whole();
        let starts = (0..self.len()).step_by(step);
        Box::new(starts.map(move |_| whole.batch(step, &options, &columns)))
    }
}

/// Buffers that have been used, to be filled again: a new one would cost a page fault for every 4 KiB.
type Pool<R> = Arc<Mutex<Vec<R>>>;

/// Rows that go back to their pool when they are dropped.
struct Pooled<R: Rows> {
    rows: R,
    pool: Pool<R>,
}

impl<R: Rows> Drop for Pooled<R> {
    fn drop(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        self.pool
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rows);
    }
}

/// [`Pooled`] without its type.
trait GroupRows: Send + Sync {
    fn len(&self) -> usize;
    fn rows(&self) -> &dyn Any;
    /// Batches of so many rows.
    fn batches(&self, step: usize, options: TableOptions, columns: Projection) -> Batches<'_>;
}

impl<R: Rows> GroupRows for Pooled<R> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn rows(&self) -> &dyn Any {
        &self.rows
    }

    fn batches(&self, step: usize, options: TableOptions, columns: Projection) -> Batches<'_> {
        self.rows.batches(step, options, columns)
    }
}

/// The rows of one row group of a table, on their way from the [`Recorder`] to a file.
///
/// They are still rows: whoever encodes them turns them into arrays, so that the thread with the books does not.
/// Dropping the group lets the recorder use its memory again.
pub struct RowGroup {
    table: TableId,
    index: usize,
    options: TableOptions,
    rows: Box<dyn GroupRows>,
}

impl RowGroup {
    /// The table.
    pub fn table(&self) -> TableId {
        self.table
    }

    /// The ordinal of the group in its table, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Number of rows, at least 1.
    pub fn num_rows(&self) -> usize {
        self.rows.len()
    }

    /// All rows as one batch.
    ///
    /// # Errors
    /// When a price does not fit the price type.
    pub fn batch(&self) -> Result<RecordBatch> {
        let batches = self.batches().collect::<Result<Vec<_>>>()?;
        let schema = self.schema();
        Ok(concat_batches(&schema, &batches)?)
    }

    /// Some columns of all rows as one batch; the others cost nothing.
    ///
    /// # Errors
    /// When the table has no such column, or a price does not fit the price type.
    pub fn project(&self, columns: &Projection) -> Result<RecordBatch> {
        let all = self.rows.len().max(1);
        match self.rows.batches(all, self.options, columns.clone()).next() {
            Some(batch) => batch,
            None => Ok(RecordBatch::new_empty(columns.schema(&self.schema())?)),
        }
    }

    /// The rows as batches of a few thousand.
    ///
    /// Each is an error when a price does not fit the price type.
    pub fn batches(&self) -> impl Iterator<Item = Result<RecordBatch>> {
        self.batches_as(self.options, Projection::all())
    }

    /// Some columns as batches of a few thousand rows.
    pub(crate) fn batches_of(
        &self,
        columns: Projection,
    ) -> impl Iterator<Item = Result<RecordBatch>> {
        self.batches_as(self.options, columns)
    }

    /// Some columns as batches that fit the cache, which is what encoding them wants, with prices in units of 1e-9
    /// where the table has doubles.
    pub(crate) fn pieces(&self, columns: Projection) -> impl Iterator<Item = Result<RecordBatch>> {
        let price_type = match self.options.price_type {
            PriceType::Float => PriceType::Fixed,
            exact => exact,
        };
        let options = TableOptions {
            price_type,
            ..self.options
        };
        self.batches_as(options, columns)
    }

    /// The rows themselves, if they are of this type.
    pub(crate) fn rows<R: 'static>(&self) -> Option<&R> {
        self.rows.rows().downcast_ref()
    }

    /// How the columns look.
    pub(crate) fn options(&self) -> &TableOptions {
        &self.options
    }

    /// The columns of the batches.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.table.schema(&self.options)
    }

    fn batches_as(
        &self,
        options: TableOptions,
        columns: Projection,
    ) -> impl Iterator<Item = Result<RecordBatch>> {
        let step = match self.table {
            TableId::Depth => ROWS_PER_DEPTH_BATCH,
            _ => ROWS_PER_BATCH,
        };
        self.rows.batches(step, options, columns)
    }
}

impl fmt::Debug for RowGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowGroup")
            .field("table", &self.table)
            .field("index", &self.index)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// The group of one table that is being filled.
struct Slot<R> {
    rows: R,
    /// Rows of a full group.
    limit: usize,
    /// Groups that were handed on.
    groups: usize,
    /// Rows that were handed on.
    total: u64,
    pool: Pool<R>,
}

impl<R: Rows> Slot<R> {
    fn new(limit: usize) -> Self {
        Self {
            rows: R::default(),
            limit,
            groups: 0,
            total: 0,
            pool: Pool::default(),
        }
    }

    /// Takes the rows out as a group.
    fn take(&mut self, table: TableId, options: TableOptions) -> RowGroup {
        let used = self
            .pool
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let rows = std::mem::replace(&mut self.rows, used.unwrap_or_default());
        self.total += rows.len() as u64;
        self.groups += 1;
        let pool = Arc::clone(&self.pool);
        RowGroup {
            table,
            index: self.groups - 1,
            options,
            rows: Box::new(Pooled { rows, pool }),
        }
    }
}

/// What a [`Recorder`] has recorded.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Rows of each table that was selected.
    pub rows: Vec<(TableId, u64)>,
    /// Trades that later messages voided, for [`Writer::void_trades`](crate::parquet::Writer::void_trades).
    pub breaks: Breaks,
}

macro_rules! recorder {
    ($($method:ident($row:ty) in $rows:ty => $id:ident;)*) => {
        /// Collects rows into row groups of the tables that were selected, and hands on each group that is full.
        ///
        /// Rows must be pushed in order of their `seq` (bars in order of their time): files declare that they are
        /// sorted so. Pushing a row copies it and does no more; memory is used again once a group is dropped.
        ///
        /// # Examples
        /// ```
        /// use nanobook::{InstrumentId, Sink, Timestamp, rows::{Bbo, Header}};
        /// use nanobook_arrow::{Recorder, RecorderOptions, TableId};
        ///
        /// let mut batches = Vec::new();
        /// let mut recorder = Recorder::new(RecorderOptions::default(), |group| batches.push(group.batch()));
        /// recorder.bbo(&Bbo {
        ///     header: Header {
        ///         ts_event: Timestamp(0),
        ///         seq: 0,
        ///         instrument_id: InstrumentId(1),
        ///         symbol: None,
        ///     },
        ///     bid: None,
        ///     ask: None,
        /// });
        /// let recorded = recorder.finish();
        /// assert!(recorded.rows.contains(&(TableId::Bbo, 1)));
        /// assert_eq!(batches[0].as_ref().map(|batch| batch.num_rows()).ok(), Some(1));
        /// ```
        pub struct Recorder<D> {
            options: RecorderOptions,
            breaks: Breaks,
            deliver: D,
            depth: Slot<DepthRows>,
            trade: Slot<Vec<Trade>>,
            $($method: Slot<$rows>,)*
        }

        impl<D: FnMut(RowGroup)> Recorder<D> {
            /// A recorder that calls `deliver` with each full group, and with what is left when it finishes.
            pub fn new(options: RecorderOptions, deliver: D) -> Self {
                Self {
                    options,
                    breaks: Breaks::default(),
                    deliver,
                    depth: Slot::new(options.rows_of(TableId::Depth)),
                    trade: Slot::new(options.rows_of(TableId::Trades)),
                    $($method: Slot::new(options.rows_of(TableId::$id)),)*
                }
            }

            /// Hands on all groups that hold rows, and says what was recorded.
            pub fn finish(mut self) -> Recorded {
                let options = self.options.table_options;
                if self.depth.rows.len() > 0 {
                    (self.deliver)(self.depth.take(TableId::Depth, options));
                }
                if !self.trade.rows.is_empty() {
                    self.deliver_trades();
                }
                $(if self.$method.rows.len() > 0 {
                    (self.deliver)(self.$method.take(TableId::$id, options));
                })*
                let total = |table: TableId| match table {
                    TableId::Depth => self.depth.total,
                    TableId::Trades => self.trade.total,
                    $(TableId::$id => self.$method.total,)*
                };
                let rows = self.options.tables.iter().map(|table| (table, total(table)));
                Recorded {
                    rows: rows.collect(),
                    breaks: self.breaks,
                }
            }
        }

        impl<D: FnMut(RowGroup)> Sink for Recorder<D> {
            #[inline]
            fn depth(&mut self, row: &Depth<'_>) {
                if self.options.tables.contains(TableId::Depth) {
                    self.depth.rows.push(row, self.options.table_options.levels);
                    if self.depth.rows.len() == self.depth.limit {
                        (self.deliver)(self.depth.take(TableId::Depth, self.options.table_options));
                    }
                }
            }

            #[inline]
            fn trade(&mut self, row: &Trade) {
                if self.options.tables.contains(TableId::Trades) {
                    self.trade.rows.push(*row);
                    if self.trade.rows.len() == self.trade.limit {
                        self.deliver_trades();
                    }
                }
            }

            fn trade_break(&mut self, row: &TradeBreak) {
                if self.options.tables.contains(TableId::Trades) {
                    self.breaks.add(row, self.trade.groups);
                }
            }

            $(#[inline]
            fn $method(&mut self, row: &$row) {
                if self.options.tables.contains(TableId::$id) {
                    self.$method.rows.add(row);
                    if self.$method.rows.len() == self.$method.limit {
                        (self.deliver)(self.$method.take(TableId::$id, self.options.table_options));
                    }
                }
            })*

            #[inline]
            fn expect(&self, instrument: InstrumentId) {
                let tables = self.options.tables;
                if tables.contains(TableId::Mbo) {
                    self.mbo.rows.slots.touch(instrument);
                }
                if tables.contains(TableId::Bbo) {
                    self.bbo.rows.slots.touch(instrument);
                }
                if tables.contains(TableId::Depth) {
                    self.depth.rows.slots.touch(instrument);
                }
            }
        }
    };
}

recorder! {
    mbo(Mbo) in MboRows => Mbo;
    bbo(Bbo) in BboRows => Bbo;
    bar(Bar) in Vec<Bar> => Bars;
    imbalance(Imbalance) in Vec<Imbalance> => Imbalance;
    status(Status) in Vec<Status> => Status;
    stock_directory(StockDirectory) in Vec<StockDirectory> => Instruments;
    reg_sho(RegSho) in Vec<RegSho> => RegSho;
    luld(Luld) in Vec<Luld> => Luld;
    mwcb(Mwcb) in Vec<Mwcb> => Mwcb;
    ipo(Ipo) in Vec<Ipo> => Ipo;
    participant(Participant) in Vec<Participant> => Participants;
    rpii(Rpii) in Vec<Rpii> => Rpii;
    direct_listing(DirectListing) in Vec<DirectListing> => DirectListing;
    system_event(SystemEvent) in Vec<SystemEvent> => SystemEvents;
}

impl<D: FnMut(RowGroup)> Recorder<D> {
    /// Hands on the group of trades, with those that are void by now marked.
    #[cold]
    fn deliver_trades(&mut self) {
        self.breaks.mark(&mut self.trade.rows);
        let options = self.options.table_options;
        (self.deliver)(self.trade.take(TableId::Trades, options));
    }
}

impl<D> fmt::Debug for Recorder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
