//! Tables in order of symbol: an external merge sort in bounded memory.
//!
//! Rows come in order of `seq` and leave in order of `(symbol, seq)`, those without a symbol last. Each batch that comes
//! is sorted by symbol, which any thread may do ([`SortedBatch::new`]), and spilled ([`Sorter::push`]). At the end all
//! batches are merged ([`Sorter::finish`]) into row groups that are cut between symbols where that is possible, so that
//! their statistics say which of them hold a symbol.
//!
//! Memory is bounded by the batches that are being sorted and, while merging, by a thousand rows of each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringViewArray, UInt32Array};
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take;

use crate::error::{Error, Result};
use crate::file::AtomicFile;
use crate::table::TABLE_KEY;
use crate::tables::TableId;
use crate::writer::check_fields;

/// Rows of a spilled batch: what the merge holds of each run at a time.
const ROWS_PER_SPILL: usize = 1024;

/// A symbol as the sort sees it; none comes last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Symbol(Box<str>),
    None,
}

impl Key {
    fn of(symbols: &StringViewArray, row: usize) -> Self {
        if symbols.is_valid(row) {
            Self::Symbol(symbols.value(row).into())
        } else {
            Self::None
        }
    }
}

/// A batch whose rows stand in order of symbol, and as they came within a symbol.
#[derive(Debug)]
pub struct SortedBatch {
    batch: RecordBatch,
    /// The symbols with their numbers of rows, in order.
    runs: Vec<(Key, usize)>,
}

impl SortedBatch {
    /// Sorts a batch.
    ///
    /// # Errors
    /// When it has no columns `instrument_id` and `symbol` of the types that the tables give them.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        let symbols = symbols_of(batch)?;
        let mut slots = Slots::new(symbols, ids_of(batch)?);
        let slot_of_row: Vec<u32> = (0..batch.num_rows()).map(|row| slots.find(row)).collect();

        // A counting sort: where each symbol begins, then every row to the next place of its symbol.
        let mut order: Vec<usize> = (0..slots.keys.len()).collect();
        order.sort_by(|&a, &b| slots.keys[a].cmp(&slots.keys[b]));
        let mut next = vec![0; order.len()];
        let mut start = 0;
        for &slot in &order {
            next[slot] = start;
            start += slots.rows[slot];
        }
        let mut rows = vec![0_u32; batch.num_rows()];
        for (row, &slot) in (0..).zip(&slot_of_row) {
            rows[next[slot as usize]] = row;
            next[slot as usize] += 1;
        }

        let rows = UInt32Array::from(rows);
        let columns = batch.columns().iter().map(|column| taken(column, &rows));
        let batch = RecordBatch::try_new(batch.schema(), columns.collect::<Result<_>>()?)?;
        let run = |slot: usize| (slots.keys[slot].clone(), slots.rows[slot]);
        let runs = order.into_iter().map(run).collect();
        Ok(Self { batch, runs })
    }
}

/// The rows of a column that are named, without the long texts of others.
fn taken(column: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef> {
    let column = take(column, rows, None)?;
    Ok(match column.as_string_view_opt() {
        Some(texts) if !texts.data_buffers().is_empty() => Arc::new(texts.gc()),
        _ => column,
    })
}

fn wrong_type(column: &str, expected: &'static str, batch: &RecordBatch) -> Error {
    let schema = batch.schema_ref();
    let found = schema.column_with_name(column);
    let table = schema.metadata().get(TABLE_KEY);
    let table = table.and_then(|name| name.parse().ok());
    Error::WrongType {
        table: table.map_or("without a name", TableId::as_str),
        column: column.to_owned(),
        expected,
        found: found.map_or_else(|| "none".to_owned(), |(_, f)| f.data_type().to_string()),
    }
}

fn symbols_of(batch: &RecordBatch) -> Result<&StringViewArray> {
    let column = batch.column_by_name("symbol");
    column
        .and_then(|column| column.as_string_view_opt())
        .ok_or_else(|| wrong_type("symbol", "Utf8View", batch))
}

fn ids_of(batch: &RecordBatch) -> Result<&UInt32Array> {
    let column = batch.column_by_name("instrument_id");
    column
        .and_then(|column| column.as_primitive_opt::<UInt32Type>())
        .ok_or_else(|| wrong_type("instrument_id", "UInt32", batch))
}

/// The distinct symbols of a batch, found by instrument without looking at text.
struct Slots<'a> {
    symbols: &'a StringViewArray,
    ids: &'a UInt32Array,
    /// For each instrument id below [`DENSE`], its slot and a row of it; the symbol of an id may change.
    by_id: Vec<Option<(u32, usize)>>,
    by_key: HashMap<Key, u32>,
    keys: Vec<Key>,
    rows: Vec<usize>,
}

/// Instrument ids that get a place in a table: ITCH has no others.
const DENSE: usize = 1 << 16;

impl<'a> Slots<'a> {
    fn new(symbols: &'a StringViewArray, ids: &'a UInt32Array) -> Self {
        Self {
            symbols,
            ids,
            by_id: vec![None; DENSE],
            by_key: HashMap::new(),
            keys: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// The slot of a row's symbol, with one more row.
    fn find(&mut self, row: usize) -> u32 {
        let id = self.ids.value(row) as usize;
        let known = self.by_id.get(id).copied().flatten();
        let slot = match known {
            Some((slot, known)) if same_symbol(self.symbols, row, known) => slot,
            _ => {
                let key = Key::of(self.symbols, row);
                let new = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
                let slot = *self.by_key.entry(key).or_insert_with_key(|key| {
                    self.keys.push(key.clone());
                    self.rows.push(0);
                    new
                });
                if let Some(place) = self.by_id.get_mut(id) {
                    *place = Some((slot, row));
                }
                slot
            }
        };
        self.rows[slot as usize] += 1;
        slot
    }
}

/// Whether two rows of one array have the same symbol.
fn same_symbol(symbols: &StringViewArray, a: usize, b: usize) -> bool {
    /// The longest text that a view holds itself; such views are equal as their texts are.
    const INLINE: u8 = 12;
    match (symbols.is_valid(a), symbols.is_valid(b)) {
        (true, true) => {
            let (a_view, b_view) = (symbols.views()[a], symbols.views()[b]);
            a_view == b_view && a_view.to_le_bytes()[0] <= INLINE
                || symbols.value(a) == symbols.value(b)
        }
        (false, false) => true,
        _ => false,
    }
}

/// Collects sorted batches and merges them.
///
/// # Examples
/// ```
/// use nanobook_arrow::sorted::{SortedBatch, Sorter};
/// use nanobook_arrow::{Table, TableOptions};
/// use nanobook::{InstrumentId, Timestamp, rows::{Header, RegSho}};
///
/// let row = |seq, symbol: &str| RegSho {
///     header: Header {
///         ts_event: Timestamp(0),
///         seq,
///         instrument_id: InstrumentId(0),
///         symbol: symbol.parse().ok(),
///     },
///     reg_sho_action: None,
///     tracking_number: 0,
/// };
/// let batch = RegSho::batch(&[row(0, "MSFT"), row(1, "AAPL"), row(2, "MSFT")], &TableOptions::default())?;
///
/// let folder = tempfile::tempdir()?;
/// let mut sorter = Sorter::create(&folder.path().join("part-0.parquet"), &batch.schema(), 1000)?;
/// sorter.push(SortedBatch::new(&batch)?)?;
/// let groups = sorter.finish()?.collect::<Result<Vec<_>, _>>()?;
/// let seqs: Vec<u64> = RegSho::rows(&groups[0])?.iter().map(|row| row.header.seq).collect();
/// assert_eq!(seqs, [1, 0, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sorter {
    spill: FileWriter<BufWriter<AtomicFile>>,
    schema: SchemaRef,
    rows_per_group: usize,
    /// Spilled batches of each run: first, and one past the last.
    runs: Vec<(usize, usize)>,
    spilled: usize,
    totals: BTreeMap<Key, usize>,
}

impl Sorter {
    /// A sorter that spills next to the file that its rows will go to, and cuts row groups of so many rows.
    ///
    /// The spilled rows go away with the sorter, or with the groups that it finishes into.
    ///
    /// # Errors
    /// When the temporary file can't be made.
    pub fn create(output: &Path, schema: &SchemaRef, rows_per_group: usize) -> Result<Self> {
        let spill = BufWriter::new(AtomicFile::create(output)?);
        let spill = FileWriter::try_new(spill, schema);
        Ok(Self {
            spill: spill.map_err(|e| Error::from(e).in_file(output))?,
            schema: Arc::clone(schema),
            rows_per_group: rows_per_group.max(1),
            runs: Vec::new(),
            spilled: 0,
            totals: BTreeMap::new(),
        })
    }

    /// Takes the next batch; batches must come in order of `seq`.
    ///
    /// # Errors
    /// When it has another schema, or can't be spilled.
    pub fn push(&mut self, sorted: SortedBatch) -> Result<()> {
        check_fields(&self.schema, sorted.batch.schema_ref())?;
        for (key, rows) in sorted.runs {
            *self.totals.entry(key).or_default() += rows;
        }
        let first = self.spilled;
        let rows = sorted.batch.num_rows();
        for start in (0..rows).step_by(ROWS_PER_SPILL) {
            let slice = sorted.batch.slice(start, ROWS_PER_SPILL.min(rows - start));
            let written = self.spill.write(&slice);
            written.map_err(|e| Error::from(e).in_file(self.spill.get_ref().get_ref().path()))?;
            self.spilled += 1;
        }
        self.runs.push((first, self.spilled));
        Ok(())
    }

    /// Merges the batches into row groups.
    ///
    /// # Errors
    /// When the spilled rows can't be read back.
    pub fn finish(mut self) -> Result<SortedGroups> {
        let path = self.spill.get_ref().get_ref().path().to_path_buf();
        let open = |this: &mut Self| -> Result<_> {
            this.spill.finish()?;
            let file = this.spill.get_ref().get_ref().reader()?;
            Ok(FileReader::try_new(BufReader::new(file), None)?)
        };
        let mut reader = open(&mut self).map_err(|e| e.in_file(&path))?;
        let sizes = group_sizes(self.totals.values().copied(), self.rows_per_group);
        let mut cursors = Vec::with_capacity(self.runs.len());
        let mut heap = BinaryHeap::new();
        for (run, &(next, end)) in self.runs.iter().enumerate() {
            let batch = RecordBatch::new_empty(Arc::clone(&self.schema));
            let row = 0;
            let mut cursor = Cursor {
                batch,
                row,
                next,
                end,
            };
            if cursor.load(&mut reader)? {
                heap.push(Reverse((cursor.key()?, run)));
            }
            cursors.push(cursor);
        }
        Ok(SortedGroups {
            sizes,
            cursors,
            heap,
            reader,
            schema: self.schema,
            _spill: self.spill,
        })
    }
}

/// Rows of each row group, given the rows of each symbol in order.
///
/// A group ends before a symbol that would overfill it, unless it would be less than a quarter full.
fn group_sizes(symbols: impl Iterator<Item = usize>, limit: usize) -> VecDeque<usize> {
    let mut sizes = VecDeque::new();
    let mut size = 0;
    for mut rows in symbols {
        if size + rows > limit && size >= limit.div_ceil(4) {
            sizes.push_back(size);
            size = 0;
        }
        while size + rows > limit {
            rows -= limit - size;
            sizes.push_back(limit);
            size = 0;
        }
        size += rows;
    }
    if size > 0 {
        sizes.push_back(size);
    }
    sizes
}

type SpillReader = FileReader<BufReader<File>>;

/// Where the merge stands in one run.
struct Cursor {
    batch: RecordBatch,
    row: usize,
    /// Spilled batches that are to come.
    next: usize,
    end: usize,
}

impl Cursor {
    /// Sees to it that there is a row; `false` at the end of the run.
    fn load(&mut self, reader: &mut SpillReader) -> Result<bool> {
        while self.row == self.batch.num_rows() {
            if self.next == self.end {
                return Ok(false);
            }
            reader.set_index(self.next)?;
            let Some(batch) = reader.next() else {
                return Ok(false);
            };
            self.batch = batch?;
            self.row = 0;
            self.next += 1;
        }
        Ok(true)
    }

    fn key(&self) -> Result<Key> {
        Ok(Key::of(symbols_of(&self.batch)?, self.row))
    }

    /// At most so many of the next rows with the symbol of the next, as far as they are loaded.
    fn take(&mut self, most: usize) -> Result<RecordBatch> {
        let symbols = symbols_of(&self.batch)?;
        let end = self.batch.num_rows().min(self.row + most);
        let same = |row: &usize| same_symbol(symbols, self.row, *row);
        let rows = (self.row..end).take_while(same).count();
        let slice = self.batch.slice(self.row, rows);
        self.row += rows;
        Ok(slice)
    }
}

/// The row groups of a table in order of symbol, each as one batch.
pub struct SortedGroups {
    sizes: VecDeque<usize>,
    cursors: Vec<Cursor>,
    /// The next symbol of each run that has rows; of runs with the same symbol the earlier first.
    heap: BinaryHeap<Reverse<(Key, usize)>>,
    reader: SpillReader,
    schema: SchemaRef,
    /// Removes the spilled rows when it is dropped.
    _spill: FileWriter<BufWriter<AtomicFile>>,
}

impl SortedGroups {
    fn group(&mut self, size: usize) -> Result<RecordBatch> {
        let mut pieces = Vec::new();
        let mut missing = size;
        while missing > 0 {
            let Some(Reverse((_, run))) = self.heap.pop() else {
                break;
            };
            let cursor = &mut self.cursors[run];
            let piece = cursor.take(missing)?;
            missing -= piece.num_rows();
            pieces.push(piece);
            if cursor.load(&mut self.reader)? {
                self.heap.push(Reverse((cursor.key()?, run)));
            }
        }
        Ok(concat_batches(&self.schema, &pieces)?)
    }
}

impl Iterator for SortedGroups {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let size = self.sizes.pop_front()?;
        Some(self.group(size))
    }
}

#[cfg(test)]
mod tests;
