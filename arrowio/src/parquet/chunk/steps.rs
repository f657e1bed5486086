//! Rows that mostly repeat an earlier row of the same instrument: those of `depth`.
//!
//! A message changes a few values of one book. [`Steps`] goes over the rows of a group once, compares each with the row
//! before of that instrument, and keeps the values that differ, column by column. A column then looks into its
//! dictionary for these only; other rows have the place that their instrument had before. No array is made on the way,
//! so an encoder holds the values that differ instead of all of them. The places, and so the bytes, are those of a look
//! for every value: one that is equal to an earlier one is not new.
//!
//! Measured on five million messages, ten levels: 11 % less processor time of the whole replay, 35 MB less memory. For
//! `bbo` it costs 5 %: a look takes two nanoseconds there, and the comparison as much.

use ::parquet::basic::Type;
use ::parquet::errors::Result;
use ::parquet::schema::types::ColumnDescPtr;
use nanobook::Symbol;
use nanobook::rows::{Header, PriceLevel};

use super::dictionary::{Dictionary, Key};
use super::kind::{Number, Text, key_of_i64};
use super::output::{Bounds, PageFacts};
use super::{Chunk, Coded, ROWS_PER_PAGE, Scratch, Values, gather};

/// The columns that every row starts with: time, ordinal, instrument and symbol.
pub(in crate::parquet) const HEADER: usize = 4;

/// Columns of a level: price, quantity and count.
const PER_LEVEL: usize = 3;

/// Rows that have a bit each in one word; a page has a whole number of them.
const PER_WORD: usize = u64::BITS as usize;

const _: () = assert!(ROWS_PER_PAGE.is_multiple_of(PER_WORD));

/// As many instruments as a session can have.
const INSTRUMENTS: usize = 1 << 16;

/// The best levels of both sides, bids first.
type Sides<'a> = [&'a [PriceLevel]; 2];

/// The rows of a group, each as what differs from the one before it of the same instrument.
///
/// It can be used for one group after the other, so that its memory is asked for once.
#[derive(Default)]
pub(in crate::parquet) struct Steps {
    times: Vec<i64>,
    seqs: Vec<u64>,
    /// For each row which of the instruments it is about, counted as they come.
    slots: Vec<u16>,
    /// The instruments.
    firsts: Vec<(u32, Option<Symbol>)>,
    /// Rows that are the first of their instrument in a page.
    fresh: Vec<u32>,
    /// How many levels each row has, of each side.
    counts: [Vec<u8>; 2],
    /// For each column of a level the values that differ, as keys.
    values: Vec<Vec<u64>>,
    /// For each column of a level one bit for each row, set where the value differs.
    changed: Vec<Vec<u64>>,
    /// In rows that are the first of their instrument, for columns that belong to it.
    first: Vec<u64>,
    /// One bit for each row, set where the level is there whose columns are encoded.
    valid: Vec<u8>,
    /// For each instrument one more than its last row.
    last: Vec<u32>,
    /// For each row the place of its value in the dictionary of a column, null or not.
    places: Vec<u32>,
    /// For each instrument the place of its value so far.
    current: Option<Box<[u32; INSTRUMENTS]>>,
    /// The places of the values of a page that differ.
    new: Vec<u32>,
}

impl Steps {
    /// Takes rows, of which `row` gives header and levels, in place of those before; `None` when they, or their
    /// instruments, are too many.
    ///
    /// Gives the number of columns that it knows.
    pub(in crate::parquet) fn take<'a>(
        &mut self,
        rows: usize,
        levels: usize,
        row: impl Fn(usize) -> (&'a Header, Sides<'a>),
    ) -> Option<usize> {
        let end = u32::try_from(rows).ok()?;
        self.reset(rows, levels);
        for (at, ordinal) in (0..rows).zip(0..end) {
            let (header, sides) = row(at);
            self.times.push(header.ts_event.0);
            self.seqs.push(header.seq);
            let known = self.find(header, ordinal, &row);
            let slot = if let Some(known) = known {
                self.slots[known as usize]
            } else {
                let slot = u16::try_from(self.firsts.len()).ok()?;
                self.firsts.push((header.instrument_id.0, header.symbol));
                self.first[at / PER_WORD] |= 1 << (at % PER_WORD);
                slot
            };
            self.slots.push(slot);
            match known {
                Some(known) if known as usize / ROWS_PER_PAGE == at / ROWS_PER_PAGE => {}
                _ => self.fresh.push(ordinal),
            }
            let old = known.map_or([&[][..]; 2], |known| row(known as usize).1);
            self.compare(at, old, sides);
        }
        Some(HEADER + 2 * levels * PER_LEVEL)
    }

    fn reset(&mut self, rows: usize, levels: usize) {
        self.times.clear();
        self.seqs.clear();
        self.slots.clear();
        self.firsts.clear();
        self.fresh.clear();
        self.counts.iter_mut().for_each(Vec::clear);
        let columns = 2 * levels * PER_LEVEL;
        self.values.iter_mut().for_each(Vec::clear);
        self.values.resize_with(columns, Vec::default);
        self.changed.resize_with(columns, Vec::default);
        for bits in self.changed.iter_mut().chain([&mut self.first]) {
            bits.clear();
            bits.resize(rows.div_ceil(PER_WORD), 0);
        }
        // What is in it is written before it is read.
        self.places.resize(rows, 0);
        self.last.clear();
        self.last.resize(INSTRUMENTS, 0);
    }

    /// The last row of the same instrument and symbol.
    #[inline]
    fn find<'a>(
        &mut self,
        header: &Header,
        ordinal: u32,
        row: impl Fn(usize) -> (&'a Header, Sides<'a>),
    ) -> Option<u32> {
        let last = self.last.get_mut(header.instrument_id.0 as usize);
        let last = last.map_or(0, |last| std::mem::replace(last, ordinal + 1));
        let known = last.checked_sub(1);
        known.filter(|known| row(*known as usize).0.symbol == header.symbol)
    }

    /// Notes the values of a row that differ from those before.
    #[inline]
    fn compare(&mut self, at: usize, old: Sides<'_>, new: Sides<'_>) {
        let (word, bit) = (at / PER_WORD, 1 << (at % PER_WORD));
        for (side, (old, new)) in old.into_iter().zip(new).enumerate() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a table has at most a hundred levels"
            )]
            self.counts[side].push(new.len() as u8);
            for (rank, level) in new.iter().enumerate() {
                let (price, qty, count) = match old.get(rank) {
                    Some(old) => (
                        old.price != level.price,
                        old.qty != level.qty,
                        old.count != level.count,
                    ),
                    None => (true, true, true),
                };
                if !(price | qty | count) {
                    continue;
                }
                let first = PER_LEVEL * (2 * rank + side);
                let mut note = |what: usize, differs: bool, key: u64| {
                    if differs {
                        self.values[first + what].push(key);
                        self.changed[first + what][word] |= bit;
                    }
                };
                note(0, price, key_of_i64(level.price.0));
                note(1, qty, level.qty.0);
                note(2, count, u64::from(level.count));
            }
        }
    }

    /// The rows' times and ordinals.
    pub(in crate::parquet) fn order(&self) -> (&[i64], &[u64]) {
        (&self.times, &self.seqs)
    }

    /// Finds which rows have a level, and says whether all do.
    fn find_valid(&mut self, side: usize, rank: u8) -> bool {
        /// A one in each byte.
        const ONES: u64 = 0x0101_0101_0101_0101;
        self.valid.clear();
        let mut all = true;
        let (groups, rest) = self.counts[side].as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let end = (!rest.is_empty()).then_some(&last);
        for counts in groups.iter().chain(end) {
            // Counts are at most a hundred: the sum has the highest bit when a count is above the rank.
            let sums = u64::from_le_bytes(*counts) + ONES * u64::from(127 - rank);
            let bits = gather(sums >> 7 & ONES);
            self.valid.push(bits);
            all &= bits == u8::MAX;
        }
        all || self.counts[side].iter().all(|&count| count > rank)
    }

    /// Finds the place of each row's value, and what the pages hold, for a column whose values differ from those before
    /// in `changed` rows, of which `keys` are the values; all rows count, or those that are valid.
    fn code<K: Key>(
        &mut self,
        dictionary: &mut Dictionary<K>,
        mut keys: &[K],
        changed: &[u64],
        all: bool,
    ) -> Vec<PageFacts<K>> {
        let Self {
            slots,
            fresh,
            valid,
            places,
            new,
            current,
            ..
        } = self;
        let rows = slots.len();
        let current = current.get_or_insert_with(|| {
            let blank = vec![0; INSTRUMENTS].into_boxed_slice();
            blank.try_into().expect("it has this length")
        });
        dictionary.clear();
        let mut pages = Vec::with_capacity(rows.div_ceil(ROWS_PER_PAGE));
        let mut fresh = fresh.iter().map(|&row| row as usize).peekable();
        let words = changed.chunks(ROWS_PER_PAGE / PER_WORD);
        for (start, words) in (0..rows).step_by(ROWS_PER_PAGE).zip(words) {
            let end = rows.min(start + ROWS_PER_PAGE);
            let mut page = PageFacts {
                rows: end - start,
                values: end - start,
                ..PageFacts::default()
            };
            let mut bounds = Bounds::of(&page);
            let count: u32 = words.iter().map(|word| word.count_ones()).sum();
            let (of_page, others) = keys.split_at(count as usize);
            keys = others;
            new.clear();
            new.extend(of_page.iter().map(|&key| {
                bounds.add(key);
                dictionary.number(key)
            }));
            // So that there is one to look at behind the last.
            new.push(0);
            let mut next = 0;
            for (first, &word) in (start..end).step_by(PER_WORD).zip(words) {
                let mut bits = word;
                let rows = first..end.min(first + PER_WORD);
                for (place, &slot) in places[rows.clone()].iter_mut().zip(&slots[rows]) {
                    // Without a branch: which values differ can't be foreseen.
                    let current = &mut current[usize::from(slot)];
                    let differs = bits & 1 == 1;
                    *current = std::hint::select_unpredictable(differs, new[next], *current);
                    *place = *current;
                    next += usize::from(differs);
                    bits >>= 1;
                }
            }
            // What a page repeats from an earlier one.
            let known = dictionary.keys().unwrap_or_default();
            while let Some(row) = fresh.next_if(|&row| row < end) {
                if (all || valid[row / 8] >> (row % 8) & 1 == 1)
                    && let Some(&key) = known.get(places[row] as usize)
                {
                    bounds.add(key);
                }
            }
            page.bounds = bounds.found();
            pages.push(page);
        }
        pages
    }
}

/// Encodes a column of the rows that the steps hold, unless it is better encoded otherwise.
pub(in crate::parquet) fn encode(
    column: &ColumnDescPtr,
    at: usize,
    scratch: &mut Scratch,
) -> Result<Option<Chunk>> {
    match at {
        0 => {
            let mut values = Values::new(&mut scratch.natives);
            let times = &scratch.steps.times;
            let kind = Number::Int64;
            values.push(
                times,
                None,
                |time| key_of_i64(*time),
                |key| kind.to_i64(key),
            );
            let coded = values.coded();
            coded.write_differences(column, kind, &mut scratch.pages)
        }
        1 => {
            let mut values = Values::new(&mut scratch.natives);
            let kind = Number::UInt64;
            let seqs = &scratch.steps.seqs;
            values.push(seqs, None, |seq| *seq, |key| kind.to_i64(key));
            let coded = values.coded();
            coded.write_differences(column, kind, &mut scratch.pages)
        }
        2 => instruments(column, scratch),
        3 => symbols(column, scratch),
        _ => level(column, at - HEADER, scratch),
    }
}

fn instruments(column: &ColumnDescPtr, scratch: &mut Scratch) -> Result<Option<Chunk>> {
    let Scratch {
        steps,
        numbers: dictionary,
        pages: output,
        ..
    } = scratch;
    let ids: Vec<u64> = steps.firsts.iter().map(|(id, _)| u64::from(*id)).collect();
    let first = std::mem::take(&mut steps.first);
    let pages = steps.code(dictionary, &ids, &first, true);
    steps.first = first;
    let coded = Coded::all(&steps.places, pages);
    coded.write_places(column, dictionary, &Number::UInt32, output)
}

fn symbols(column: &ColumnDescPtr, scratch: &mut Scratch) -> Result<Option<Chunk>> {
    let Scratch {
        steps,
        texts: dictionary,
        pages: output,
        ..
    } = scratch;
    let mut kind = Text::default();
    let symbols = steps.firsts.iter();
    let keys = symbols.map(|(_, symbol)| kind.key_of(symbol.as_ref()?.as_bytes()));
    let Some(keys) = keys.collect::<Option<Vec<u128>>>() else {
        return Ok(None);
    };
    let first = std::mem::take(&mut steps.first);
    let pages = steps.code(dictionary, &keys, &first, true);
    steps.first = first;
    let mut coded = Coded::all(&steps.places, pages);
    coded.count_text(dictionary, &kind);
    coded.write_places(column, dictionary, &kind, output)
}

/// A column of a level, counted from the first.
fn level(column: &ColumnDescPtr, at: usize, scratch: &mut Scratch) -> Result<Option<Chunk>> {
    let Scratch {
        steps,
        numbers: dictionary,
        places: dense,
        pages: output,
        ..
    } = scratch;
    let kind = match at % PER_LEVEL {
        0 if column.physical_type() == Type::DOUBLE => Number::Price,
        0 => Number::Int64,
        1 => Number::UInt64,
        _ => Number::UInt32,
    };
    let place = at / PER_LEVEL;
    let (rank, side) = (place / 2, place % 2);
    let all = steps.find_valid(side, u8::try_from(rank).unwrap_or(u8::MAX));
    let keys = std::mem::take(&mut steps.values[at]);
    let changed = std::mem::take(&mut steps.changed[at]);
    let mut pages = steps.code(dictionary, &keys, &changed, all);
    steps.values[at] = keys;
    steps.changed[at] = changed;
    if all {
        let coded = Coded::all(&steps.places, pages);
        return coded.write_places(column, dictionary, &kind, output);
    }

    // Rows without the level are null, and have no place.
    dense.resize(steps.places.len(), 0);
    let (mut row, mut filled) = (0, 0);
    for page in &mut pages {
        let before = filled;
        let valid = &steps.valid[row / 8..];
        for (places, &valid) in steps.places[row..row + page.rows].chunks(8).zip(valid) {
            if valid == u8::MAX {
                dense[filled..filled + 8].copy_from_slice(places);
                filled += 8;
                continue;
            }
            for (at, &place) in places.iter().enumerate() {
                // Without a branch: whether a level is there can't be foreseen.
                dense[filled] = place;
                filled += usize::from(valid >> at & 1);
            }
        }
        row += page.rows;
        page.values = filled - before;
    }
    dense.truncate(filled);
    let coded = Coded {
        values: dense,
        valid: Some(&steps.valid),
        pages,
    };
    coded.write_places(column, dictionary, &kind, output)
}
