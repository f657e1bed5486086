//! The columns of `depth`, encoded from its rows as the recorder keeps them: by what differs from an earlier row.
//!
//! A message changes a few levels of one book, and rows hold those only. A column looks into its dictionary for them;
//! other rows have the place that their instrument had before. Price, quantity and count of a level are found in one
//! pass, since they change together. The places, and so the bytes, are those of a look for every value: one that is
//! equal to an earlier one is not new.

use ::parquet::basic::Type;
use ::parquet::errors::Result;
use ::parquet::schema::types::ColumnDescPtr;

use super::dictionary::Dictionary;
use super::direct::Direct;
use super::kind::{Number, key_of_i64};
use super::output::{Bounds, PageFacts};
use super::{Chunk, Coded, ROWS_PER_PAGE, Scratch, gather};
use crate::slots::Slots;
use crate::tables::{DepthRows, HEADER, LevelSteps};

/// Columns of a level: price, quantity and count.
const PER_LEVEL: usize = 3;

/// Rows that have a bit each in one word; a page has a whole number of them.
const PER_WORD: usize = u64::BITS as usize;

const _: () = assert!(ROWS_PER_PAGE.is_multiple_of(PER_WORD));

/// How many columns rows have.
pub(in crate::parquet) fn columns(rows: &DepthRows) -> usize {
    HEADER + rows.levels.len() * PER_LEVEL
}

/// Encodes a column of rows, unless it is better encoded otherwise; those of a level in their order.
pub(in crate::parquet) fn encode(
    column: &ColumnDescPtr,
    at: usize,
    rows: &DepthRows,
    scratch: &mut Scratch,
) -> Result<Option<Chunk>> {
    let Some(at) = at.checked_sub(HEADER) else {
        let direct = Direct { column, scratch };
        return direct.header(at, (&rows.times, &rows.seqs), &rows.slots);
    };
    let (place, what) = (at / PER_LEVEL, at % PER_LEVEL);
    if what == 0 {
        scratch.levels.find(place, rows);
    }
    let Triple {
        dictionary,
        places,
        pages,
    } = &mut scratch.levels.triples[what];
    let kind = match what {
        0 if column.physical_type() == Type::DOUBLE => Number::Price,
        0 => Number::Int64,
        1 => Number::UInt64,
        _ => Number::UInt32,
    };
    let coded = Coded {
        values: places,
        valid: (!scratch.levels.all).then_some(&scratch.levels.valid),
        pages: std::mem::take(pages),
    };
    coded.write_places(column, dictionary, &kind, &mut scratch.pages)
}

/// One column of the level that is encoded.
#[derive(Default)]
struct Triple {
    dictionary: Dictionary<u64>,
    /// Of the values that are there.
    places: Vec<u32>,
    pages: Vec<PageFacts<u64>>,
}

/// What is found of a level, and memory for it.
#[derive(Default)]
pub(super) struct Levels {
    triples: [Triple; PER_LEVEL],
    /// One bit for each row, set where the level is there, in whole words.
    valid: Vec<u8>,
    /// Whether it is there in every row.
    all: bool,
    /// Rows that are the first of their instrument in a page.
    fresh: Vec<u32>,
    /// For each slot the three places so far, 32 bits each.
    current: Vec<u128>,
    /// The places of what differs in a page.
    new: Vec<u128>,
    /// How many values are there before each word of rows.
    before: Vec<u32>,
}

impl Levels {
    /// Finds the places of a level's values, and what its pages hold.
    fn find(&mut self, place: usize, rows: &DepthRows) {
        let count = rows.times.len();
        if place == 0 {
            self.find_fresh(&rows.slots);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a table has at most a hundred levels"
        )]
        self.find_valid(&rows.counts[place % 2], (place / 2) as u8);
        self.current.clear();
        self.current.resize(rows.slots.firsts().len(), 0);
        for triple in &mut self.triples {
            triple.dictionary.clear();
            triple.pages.clear();
            // What is in it is written before it is read.
            triple.places.resize(count, 0);
        }
        let LevelSteps { changed, values } = &rows.levels[place];
        let (mut values, mut fresh, mut filled) = (&values[..], 0, 0);
        let words = changed.chunks(ROWS_PER_PAGE / PER_WORD);
        for (first, words) in (0..count).step_by(ROWS_PER_PAGE).zip(words) {
            let last = count.min(first + ROWS_PER_PAGE);
            let changes: u32 = words.iter().map(|word| word.count_ones()).sum();
            let (of_page, others) = values.split_at(changes as usize);
            values = others;
            let mut bounds: [Bounds<u64>; PER_LEVEL] = Default::default();
            let [prices, qtys, counts] = &mut self.triples;
            self.new.clear();
            self.new.extend(of_page.iter().map(|level| {
                let keys = [
                    key_of_i64(level.price.0),
                    level.qty.0,
                    u64::from(level.count),
                ];
                for (bounds, key) in bounds.iter_mut().zip(keys) {
                    bounds.add(key);
                }
                let [price, qty, count] = keys;
                u128::from(prices.dictionary.number(price))
                    | u128::from(qtys.dictionary.number(qty)) << 32
                    | u128::from(counts.dictionary.number(count)) << 64
            }));
            // So that there is one to look at behind the last.
            self.new.push(0);
            let start = filled;
            filled = self.spread(&rows.slots.of_rows()[first..last], first, words, filled);

            // What a page repeats from an earlier one.
            let end = self.fresh[fresh..].partition_point(|&row| (row as usize) < last);
            for &row in &self.fresh[fresh..fresh + end] {
                let Some(at) = self.place_of(row as usize, first) else {
                    continue;
                };
                for (triple, bounds) in self.triples.iter().zip(&mut bounds) {
                    let known = triple.dictionary.keys().unwrap_or_default();
                    if let Some(&key) = known.get(triple.places[at] as usize) {
                        bounds.add(key);
                    }
                }
            }
            fresh += end;
            for (triple, bounds) in self.triples.iter_mut().zip(bounds) {
                triple.pages.push(PageFacts {
                    rows: last - first,
                    values: filled - start,
                    bounds: bounds.found(),
                    text: None,
                });
            }
        }
        for triple in &mut self.triples {
            triple.places.truncate(filled);
        }
    }

    /// Gives each row of a page that has the level its places, behind those that are filled; says where they end.
    fn spread(&mut self, slots: &[u32], first: usize, words: &[u64], mut filled: usize) -> usize {
        let [prices, qtys, counts] = &mut self.triples;
        let (prices, qtys, counts) = (
            &mut prices.places[..],
            &mut qtys.places[..],
            &mut counts.places[..],
        );
        let valid = self.valid[first / 8..].as_chunks::<8>().0;
        self.before.clear();
        let mut next = 0;
        for ((slots, &word), valid) in slots.chunks(PER_WORD).zip(words).zip(valid) {
            #[expect(clippy::cast_possible_truncation, reason = "a group has fewer rows")]
            self.before.push(filled as u32);
            let (mut changed, mut valid) = (word, u64::from_le_bytes(*valid));
            for &slot in slots {
                // Without a branch: neither which values differ nor which are there can be foreseen.
                let current = &mut self.current[slot as usize];
                let differs = changed & 1 == 1;
                let places = std::hint::select_unpredictable(differs, self.new[next], *current);
                *current = places;
                #[expect(clippy::cast_possible_truncation, reason = "three numbers of 32 bits")]
                {
                    prices[filled] = places as u32;
                    qtys[filled] = (places >> 32) as u32;
                    counts[filled] = (places >> 64) as u32;
                }
                next += usize::from(differs);
                filled += (valid & 1) as usize;
                changed >>= 1;
                valid >>= 1;
            }
        }
        filled
    }

    /// Where the places of a row of the page that was spread last are; `None` when it lacks the level.
    fn place_of(&self, row: usize, first: usize) -> Option<usize> {
        let word = row / PER_WORD;
        let bytes = self.valid[8 * word..].first_chunk::<8>()?;
        let valid = u64::from_le_bytes(*bytes);
        let bit = row % PER_WORD;
        let before = (valid & ((1 << bit) - 1)).count_ones() + self.before[word - first / PER_WORD];
        (valid >> bit & 1 == 1).then_some(before as usize)
    }

    /// Finds the rows that are the first of their instrument in a page.
    fn find_fresh(&mut self, slots: &Slots) {
        self.fresh.clear();
        // The page in which a slot was seen last, from 1.
        let mut seen = vec![0_u32; slots.firsts().len()];
        for (page, (from, slots)) in (1..).zip(
            (0..)
                .step_by(ROWS_PER_PAGE)
                .zip(slots.of_rows().chunks(ROWS_PER_PAGE)),
        ) {
            for (row, &slot) in (from..).zip(slots) {
                let seen = &mut seen[slot as usize];
                if *seen != page {
                    *seen = page;
                    self.fresh.push(row);
                }
            }
        }
    }

    /// Finds which rows have a level: those that have more levels than its rank.
    fn find_valid(&mut self, counts: &[u8], rank: u8) {
        /// A one in each byte.
        const ONES: u64 = 0x0101_0101_0101_0101;
        self.valid.clear();
        let (groups, rest) = counts.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let end = (!rest.is_empty()).then_some(&last);
        self.valid.extend(groups.iter().chain(end).map(|counts| {
            // Counts are at most a hundred: the sum has the highest bit when a count is above the rank.
            let sums = u64::from_le_bytes(*counts) + ONES * u64::from(127 - rank);
            gather(sums >> 7 & ONES)
        }));
        self.all = counts.iter().all(|&count| count > rank);
        self.valid.resize(self.valid.len().next_multiple_of(8), 0);
    }
}
