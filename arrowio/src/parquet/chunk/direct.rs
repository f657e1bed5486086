//! Columns whose values lie side by side already: each is encoded in one pass, without an array.

use ::parquet::errors::Result;
use ::parquet::schema::types::ColumnDescPtr;
use nanobook::Symbol;

use super::dictionary::{Dictionary, Key};
use super::kind::{Kind, Number, Text, key_of_i64};
use super::output::{Bounds, PageFacts};
use super::{Chunk, Coded, ROWS_PER_PAGE, Scratch, gather};
use crate::slots::Slots;

/// The values of a column.
#[derive(Clone, Copy)]
pub(super) struct Source<'a, T> {
    rows: usize,
    /// Those that are there.
    values: &'a [T],
    /// One bit for each row, set where its value is there, unless all are; bits behind the last row are 0.
    valid: Option<&'a [u8]>,
}

impl<'a, T: Copy> Source<'a, T> {
    /// Values that are all there.
    pub(super) fn all(values: &'a [T]) -> Self {
        Self {
            rows: values.len(),
            values,
            valid: None,
        }
    }

    /// Values that are there in the rows whose bits are set, or in all.
    pub(super) fn some(rows: usize, values: &'a [T], valid: Option<&'a [u8]>) -> Self {
        Self {
            rows,
            values,
            valid,
        }
    }

    /// What each page holds, of whose values `look` takes note.
    fn pages<K: Key>(&self, mut look: impl FnMut(&[T], &mut PageFacts<K>)) -> Vec<PageFacts<K>> {
        let mut rest = self.values;
        let pages = (0..self.rows).step_by(ROWS_PER_PAGE).map(|first| {
            let last = self.rows.min(first + ROWS_PER_PAGE);
            let count = self.valid.map_or(last - first, |valid| {
                let bytes = &valid[first / 8..last.div_ceil(8)];
                bytes.iter().map(|byte| byte.count_ones() as usize).sum()
            });
            let (values, others) = rest.split_at(count);
            rest = others;
            let mut page = PageFacts {
                rows: last - first,
                values: count,
                ..PageFacts::default()
            };
            look(values, &mut page);
            page
        });
        pages.collect()
    }

    /// Looks each value up, and finds the bounds on the way: they cost nothing while the dictionary waits for memory.
    fn look_up<K: Key>(
        &self,
        key: impl Fn(T) -> K,
        dictionary: &mut Dictionary<K>,
        places: &mut Vec<u32>,
    ) -> Vec<PageFacts<K>> {
        dictionary.clear();
        places.clear();
        self.pages(|values, page| {
            let mut bounds = Bounds::of(page);
            places.extend(values.iter().map(|&value| {
                let key = key(value);
                bounds.add(key);
                dictionary.number(key)
            }));
            page.bounds = bounds.found();
        })
    }

    /// The same for values that are one of `keys`, which `index` says: without a hash for each.
    fn look_up_indexed<K: Key>(
        &self,
        index: impl Fn(T) -> usize,
        (keys, kind): (&[K], &impl Kind<K>),
        dictionary: &mut Dictionary<K>,
        places: &mut Vec<u32>,
    ) -> Vec<PageFacts<K>> {
        const UNKNOWN: u32 = u32::MAX;
        dictionary.clear();
        places.clear();
        let mut known = vec![UNKNOWN; keys.len()];
        let mut counts = vec![0_u32; keys.len()];
        self.pages(|values, page| {
            counts.fill(0);
            places.extend(values.iter().map(|&value| {
                let index = index(value);
                counts[index] += 1;
                let place = &mut known[index];
                if *place == UNKNOWN {
                    *place = dictionary.number(keys[index]);
                }
                *place
            }));
            let mut bounds = Bounds::of(page);
            let used = keys.iter().zip(&counts).filter(|(_, count)| **count > 0);
            for (&key, &count) in used {
                bounds.add(key);
                if let Some(length) = kind.length(key) {
                    *page.text.get_or_insert(0) += length * i64::from(count);
                }
            }
            page.bounds = bounds.found();
        })
    }

    /// The values as they are written.
    fn coded<'b, K, V>(&self, values: &'b [V], pages: Vec<PageFacts<K>>) -> Coded<'b, K, V>
    where
        'a: 'b,
    {
        Coded {
            values,
            valid: self.valid,
            pages,
        }
    }
}

/// A column that is encoded, unless it is better encoded otherwise.
pub(super) struct Direct<'a> {
    pub(super) column: &'a ColumnDescPtr,
    pub(super) scratch: &'a mut Scratch,
}

impl Direct<'_> {
    /// A column of what every row starts with.
    pub(super) fn header(
        self,
        at: usize,
        (times, seqs): (&[i64], &[u64]),
        slots: &Slots,
    ) -> Result<Option<Chunk>> {
        let firsts = slots.firsts().iter();
        let of_rows = Source::all(slots.of_rows());
        let index = |slot: u32| slot as usize;
        match at {
            0 => self.differences(Source::all(times), Number::Int64),
            1 => self.differences(Source::all(seqs), Number::UInt64),
            2 => {
                let ids: Vec<u64> = firsts.map(|(id, _)| u64::from(*id)).collect();
                self.indexed_numbers(of_rows, Number::UInt32, &ids, index)
            }
            _ => {
                let symbols = firsts.map(|(_, symbol)| symbol.as_ref().map(Symbol::as_str));
                self.indexed_texts(of_rows, symbols, index)
            }
        }
    }

    /// 64-bit numbers that rise slowly.
    pub(super) fn differences<T: bytemuck::Pod>(
        self,
        source: Source<'_, T>,
        kind: Number,
    ) -> Result<Option<Chunk>> {
        let values: &[i64] = bytemuck::cast_slice(source.values);
        let source = Source {
            rows: source.rows,
            values,
            valid: source.valid,
        };
        let pages = source.pages(|values, page| {
            page.bounds = match kind {
                Number::Int64 => bounds(values, key_of_i64),
                _ => bounds(values, i64::cast_unsigned),
            };
        });
        let coded = source.coded(values, pages);
        coded.write_differences(self.column, kind, &mut self.scratch.pages)
    }

    /// Numbers that come again.
    pub(super) fn numbers<T: Copy>(
        self,
        source: Source<'_, T>,
        kind: Number,
        key: impl Fn(T) -> u64,
    ) -> Result<Option<Chunk>> {
        let Scratch {
            numbers: dictionary,
            places,
            pages: output,
            ..
        } = self.scratch;
        let pages = source.look_up(key, dictionary, places);
        let coded = source.coded(places, pages);
        coded.write_places(self.column, dictionary, &kind, output)
    }

    /// Numbers that are one of a few.
    pub(super) fn indexed_numbers<T: Copy>(
        self,
        source: Source<'_, T>,
        kind: Number,
        keys: &[u64],
        index: impl Fn(T) -> usize,
    ) -> Result<Option<Chunk>> {
        let Scratch {
            numbers: dictionary,
            places,
            pages: output,
            ..
        } = self.scratch;
        let pages = source.look_up_indexed(index, (keys, &kind), dictionary, places);
        let coded = source.coded(places, pages);
        coded.write_places(self.column, dictionary, &kind, output)
    }

    /// Texts that are one of a few, each once.
    pub(super) fn indexed_texts<'t, T: Copy>(
        self,
        source: Source<'_, T>,
        texts: impl Iterator<Item = Option<&'t str>>,
        index: impl Fn(T) -> usize,
    ) -> Result<Option<Chunk>> {
        let Scratch {
            texts: dictionary,
            places,
            pages: output,
            ..
        } = self.scratch;
        let mut kind = Text::default();
        let keys = texts.map(|text| kind.key_of(text?.as_bytes()));
        let Some(keys) = keys.collect::<Option<Vec<u128>>>() else {
            return Ok(None);
        };
        let pages = source.look_up_indexed(index, (&keys, &kind), dictionary, places);
        let coded = source.coded(places, pages);
        coded.write_places(self.column, dictionary, &kind, output)
    }

    /// Texts that are short enough to be their own key.
    pub(super) fn short_texts<T: Copy>(
        self,
        source: Source<'_, T>,
        key: impl Fn(T) -> u128,
    ) -> Result<Option<Chunk>> {
        let Scratch {
            texts: dictionary,
            places,
            pages: output,
            ..
        } = self.scratch;
        let kind = Text::default();
        let pages = source.look_up(key, dictionary, places);
        let mut coded = source.coded(places, pages);
        coded.count_text(dictionary, &kind);
        coded.write_places(self.column, dictionary, &kind, output)
    }

    /// Values that are true or false.
    pub(super) fn booleans(self, source: Source<'_, bool>) -> Result<Option<Chunk>> {
        let pages = source.pages(|values, page| page.bounds = bounds(values, u64::from));
        let coded = source.coded(source.values, pages);
        coded.write_bits(self.column, &mut self.scratch.pages)
    }
}

/// The bounds of some values, by their keys.
fn bounds<T: Copy, K: Key>(values: &[T], key: impl Fn(T) -> K) -> Option<(K, K)> {
    let mut bounds = Bounds::default();
    for &value in values {
        bounds.add(key(value));
    }
    bounds.found()
}

/// One bit for each row: the one of that ordinal in its byte.
pub(super) fn bits(rows: &[u8], ordinal: usize) -> Vec<u8> {
    /// A one in each byte.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (groups, rest) = rows.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let end = (!rest.is_empty()).then_some(&last);
    let bytes = groups.iter().chain(end);
    bytes
        .map(|bytes| gather(u64::from_le_bytes(*bytes) >> ordinal & ONES))
        .collect()
}
