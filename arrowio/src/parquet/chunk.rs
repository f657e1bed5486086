//! A column of a row group, encoded in one pass.
//!
//! The Parquet crate's own encoder hashes every value with a keyed hash, keeps its place in the dictionary as eight bytes,
//! and treats text as bytes on the heap. Our columns are numbers and text of a few bytes, which is a number too: the
//! dictionary here is a table of numbers. The pages, the page index and the metadata are those of the crate, which
//! also appends the result to the file.
//!
//! Not every column is for this: with too many distinct values for a dictionary, with long texts that begin alike,
//! with NaN, or with nothing but nulls, [`encode`] says `None`, and the crate's encoder has it.

pub(super) mod bbo;
mod delta;
pub(super) mod depth;
mod dictionary;
mod direct;
mod hybrid;
mod kind;
pub(super) mod mbo;
mod output;

use ::parquet::basic::{Compression, Encoding, Type};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::Result;
use ::parquet::file::writer::SerializedRowGroupWriter;
use ::parquet::schema::types::ColumnDescPtr;
use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float64Type, Int8Type, Int64Type, TimestampNanosecondType,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;

use self::depth::Levels;
use self::dictionary::{Dictionary, Key};
use self::kind::{INLINE, Kind, LENGTH, Number, Text, key_of_f64, key_of_i64, key_of_view};
use self::output::{Bounds, Output, PageFacts, PageScratch, too_large};

/// Rows of a page, a multiple of eight so that a page begins with a whole byte of the validity bitmap.
const ROWS_PER_PAGE: usize = 20_480;

/// An encoded column of a row group.
pub(super) struct Chunk {
    bytes: Bytes,
    close: ColumnCloseResult,
}

impl Chunk {
    /// Appends the column to its row group.
    pub(super) fn append<W: std::io::Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        group.append_column(&self.bytes, self.close)
    }
}

/// How the values of a column are written, unless they are one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Each distinct value once, and then their places: for values that come again.
    Dictionary,
    /// Differences of neighbours: for 64-bit numbers that rise slowly.
    Delta,
}

/// Encodes a column that comes in pieces, unless it is better encoded otherwise.
pub(super) fn encode(
    column: &ColumnDescPtr,
    pieces: &[&ArrayRef],
    plan: Plan,
    scratch: &mut Scratch,
) -> Result<Option<Chunk>> {
    let Some(first) = pieces.first() else {
        return Ok(None);
    };
    let target = Target {
        column,
        pieces,
        plan,
        scratch,
    };
    match first.data_type() {
        DataType::Float64 => {
            let nan = |piece: &&ArrayRef| {
                let values = piece.as_primitive::<Float64Type>().values();
                values.iter().any(|value| value.is_nan())
            };
            if pieces.iter().any(nan) {
                return Ok(None);
            }
            target.numbers::<Float64Type>(Number::Double, key_of_f64)
        }
        DataType::Int64 if column.physical_type() == Type::DOUBLE => {
            target.numbers::<Int64Type>(Number::Price, key_of_i64)
        }
        DataType::Int64 => target.numbers::<Int64Type>(Number::Int64, key_of_i64),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            target.numbers::<TimestampNanosecondType>(Number::Int64, key_of_i64)
        }
        #[expect(clippy::cast_possible_truncation, reason = "eighteen digits fit")]
        DataType::Decimal128(..) if column.physical_type() == Type::INT64 => {
            target.numbers::<Decimal128Type>(Number::Int64, |v| key_of_i64(v as i64))
        }
        DataType::UInt64 => target.numbers::<UInt64Type>(Number::UInt64, |v| v),
        DataType::UInt32 => target.numbers::<UInt32Type>(Number::UInt32, u64::from),
        DataType::UInt16 => target.numbers::<UInt16Type>(Number::UInt32, u64::from),
        DataType::Int8 => target.numbers::<Int8Type>(Number::Int32, |v| key_of_i64(v.into())),
        DataType::Utf8View => target.text(),
        DataType::Boolean => target.booleans(),
        _ => Ok(None),
    }
}

/// Memory that is used for one column after the other.
pub(super) struct Scratch {
    numbers: Dictionary<u64>,
    texts: Dictionary<u128>,
    places: Vec<u32>,
    natives: Vec<i64>,
    pages: PageScratch,
    levels: Levels,
}

impl Scratch {
    /// Memory for an encoder that compresses the pages of dictionaries so.
    pub(super) fn new(compression: Compression) -> Result<Self> {
        Ok(Self {
            numbers: Dictionary::default(),
            texts: Dictionary::default(),
            places: Vec::new(),
            natives: Vec::new(),
            pages: PageScratch::new(compression)?,
            levels: Levels::default(),
        })
    }
}

/// A column and how it is to be written.
struct Target<'a> {
    column: &'a ColumnDescPtr,
    pieces: &'a [&'a ArrayRef],
    plan: Plan,
    scratch: &'a mut Scratch,
}

impl Target<'_> {
    fn numbers<T: ArrowPrimitiveType>(
        self,
        kind: Number,
        key: impl Fn(T::Native) -> u64,
    ) -> Result<Option<Chunk>> {
        let arrays = self.pieces.iter().map(|piece| piece.as_primitive::<T>());
        let rows = arrays.map(|array| (&array.values()[..], array.nulls()));
        let key = |native: &T::Native| key(*native);
        let Scratch {
            numbers: dictionary,
            places,
            natives,
            pages,
            ..
        } = self.scratch;
        if self.plan == Plan::Delta && kind.is_64_bits() {
            let mut values = Values::new(natives);
            for (rows, nulls) in rows {
                values.push(rows, nulls, key, |key| kind.to_i64(key));
            }
            return values.coded().write_differences(self.column, kind, pages);
        }
        dictionary.clear();
        let mut values = Values::new(places);
        for (rows, nulls) in rows {
            values.push(rows, nulls, key, |key| dictionary.number(key));
        }
        let coded = values.coded();
        coded.write_places(self.column, dictionary, &kind, pages)
    }

    fn booleans(self) -> Result<Option<Chunk>> {
        let mut memory = Vec::new();
        let mut values = Values::new(&mut memory);
        for piece in self.pieces {
            let array = piece.as_boolean();
            let rows: Vec<bool> = array.values().iter().collect();
            let key = |value: &bool| u64::from(*value);
            values.push(&rows, array.nulls(), key, |key| key != 0);
        }
        let coded = values.coded();
        coded.write_bits(self.column, &mut self.scratch.pages)
    }

    fn text(self) -> Result<Option<Chunk>> {
        let mut kind = Text::default();
        let dictionary = &mut self.scratch.texts;
        dictionary.clear();
        let mut values = Values::new(&mut self.scratch.places);
        for piece in self.pieces {
            let array = piece.as_string_view();
            let views: &[u128] = array.views();
            let is_long = |view: &u128| view & LENGTH > INLINE;
            if !views.iter().any(is_long) {
                let number = |key| dictionary.number(key);
                values.push(views, array.nulls(), |view| key_of_view(*view), number);
                continue;
            }
            let mut keys = Vec::with_capacity(views.len());
            for (row, view) in views.iter().enumerate() {
                keys.push(if is_long(view) && array.is_valid(row) {
                    match kind.key_of_long(array.value(row).as_bytes()) {
                        Some(key) => key,
                        None => return Ok(None),
                    }
                } else {
                    key_of_view(*view)
                });
            }
            let number = |key| dictionary.number(key);
            values.push(&keys, array.nulls(), |key| *key, number);
        }
        let mut coded = values.coded();
        coded.count_text(dictionary, &kind);
        coded.write_places(self.column, dictionary, &kind, &mut self.scratch.pages)
    }
}

/// Whether a dictionary is smaller than the values, of which it has so many distinct ones.
///
/// A place takes up to a quarter of a number's bytes, and Zstandard makes up for some of either.
fn pays(distinct: usize, values: usize) -> bool {
    const FEW: usize = 1000;
    distinct > 0 && (values <= FEW || distinct <= values / 4 * 3)
}

/// The lowest bits of eight bytes, whose others are 0, as one byte; the first byte's is the lowest.
fn gather(ones: u64) -> u8 {
    ones.wrapping_mul(0x0102_0408_1020_4080).to_be_bytes()[0]
}

/// The values of a column, as they come in pieces.
struct Values<'a, K, V> {
    /// One for each row that is not null.
    coded: &'a mut Vec<V>,
    /// Rows so far.
    rows: usize,
    /// For each row, once one is null.
    valid: Option<BooleanBufferBuilder>,
    pages: Vec<PageFacts<K>>,
}

impl<'a, K: Key, V> Values<'a, K, V> {
    fn new(memory: &'a mut Vec<V>) -> Self {
        memory.clear();
        Self {
            coded: memory,
            rows: 0,
            valid: None,
            pages: Vec::new(),
        }
    }

    /// Adds rows, cut into pages.
    fn push<N>(
        &mut self,
        rows: &[N],
        nulls: Option<&NullBuffer>,
        key: impl Fn(&N) -> K,
        mut value: impl FnMut(K) -> V,
    ) {
        self.push_validity(rows.len(), nulls);
        let mut start = 0;
        while start < rows.len() {
            let is_full = |page: &PageFacts<K>| page.rows == ROWS_PER_PAGE;
            if self.pages.last().is_none_or(is_full) {
                self.pages.push(PageFacts::default());
            }
            let Some(page) = self.pages.last_mut() else {
                return;
            };
            let end = rows.len().min(start + ROWS_PER_PAGE - page.rows);
            let rows = &rows[start..end];
            page.rows += rows.len();
            // Values and bounds in one loop: the bounds cost nothing while the dictionary waits for memory.
            let before = self.coded.len();
            let mut bounds = Bounds::of(page);
            let mut code = |row: &N| {
                let key = key(row);
                bounds.add(key);
                value(key)
            };
            match nulls.map(|nulls| nulls.slice(start, rows.len())) {
                None => self.coded.extend(rows.iter().map(code)),
                Some(nulls) => {
                    let valid = nulls.valid_indices().map(|row| code(&rows[row]));
                    self.coded.extend(valid);
                }
            }
            page.values += self.coded.len() - before;
            page.bounds = bounds.found();
            start = end;
        }
    }

    fn push_validity(&mut self, rows: usize, nulls: Option<&NullBuffer>) {
        if nulls.is_some() && self.valid.is_none() {
            let mut valid = BooleanBufferBuilder::new(self.rows + rows);
            valid.append_n(self.rows, true);
            self.valid = Some(valid);
        }
        match (&mut self.valid, nulls) {
            (Some(valid), Some(nulls)) => valid.append_buffer(nulls.inner()),
            (Some(valid), None) => valid.append_n(rows, true),
            (None, _) => {}
        }
        self.rows += rows;
    }

    /// All of them.
    fn coded(&mut self) -> Coded<'_, K, V> {
        Coded {
            values: self.coded,
            valid: self.valid.as_ref().map(BooleanBufferBuilder::as_slice),
            pages: std::mem::take(&mut self.pages),
        }
    }
}

/// The values of a column, as its pages are to have them.
struct Coded<'a, K, V> {
    /// One for each row that is not null.
    values: &'a [V],
    /// One bit for each row, set where it is not null, unless none is.
    valid: Option<&'a [u8]>,
    pages: Vec<PageFacts<K>>,
}

impl<K: Key, V> Coded<'_, K, V> {
    /// Writes the data pages, whose values `encode` writes.
    fn write(
        self,
        mut out: Output<'_>,
        kind: &impl Kind<K>,
        encode: impl Fn(&[V], &mut Vec<u8>),
    ) -> Result<Chunk> {
        let nullable = out.is_nullable();
        let (mut row, mut value) = (0, 0);
        for page in &self.pages {
            let bytes = out.page();
            // Pages of a column that may be null have levels, even when all rows are valid.
            if nullable {
                bytes.extend_from_slice(&[0; 4]);
                match self.valid {
                    Some(valid) => hybrid::encode_bits(&valid[row / 8..], page.rows, bytes),
                    None => hybrid::encode_ones(page.rows, bytes),
                }
                let length = u32::try_from(bytes.len() - 4).map_err(too_large)?;
                bytes[..4].copy_from_slice(&length.to_le_bytes());
            }
            encode(&self.values[value..value + page.values], bytes);
            out.data(page, kind)?;
            row += page.rows;
            value += page.values;
        }
        out.finish(&self.pages, kind)
    }
}

impl<K: Key> Coded<'_, K, u32> {
    /// Writes the dictionary page and the pages of places in it.
    fn write_places(
        self,
        column: &ColumnDescPtr,
        dictionary: &Dictionary<K>,
        kind: &impl Kind<K>,
        scratch: &mut PageScratch,
    ) -> Result<Option<Chunk>> {
        let keys = match dictionary.keys() {
            Some(keys) if pays(keys.len(), self.values.len()) => keys,
            _ => return Ok(None),
        };
        let mut out = Output::new(column, Encoding::RLE_DICTIONARY, scratch);
        let plain = out.page();
        for &key in keys {
            kind.plain(key, plain);
        }
        out.dictionary(keys.len())?;
        let chunk = self.write(out, kind, |places, page| {
            // Early pages know few values, and so have small numbers.
            let largest = places.iter().copied().max().unwrap_or_default();
            let width = u32::BITS - largest.leading_zeros();
            page.push(width.to_le_bytes()[0]);
            hybrid::encode(places, width, page);
        })?;
        Ok(Some(chunk))
    }
}

impl Coded<'_, u64, i64> {
    /// Writes pages of differences.
    fn write_differences(
        self,
        column: &ColumnDescPtr,
        kind: Number,
        scratch: &mut PageScratch,
    ) -> Result<Option<Chunk>> {
        if self.values.is_empty() {
            return Ok(None);
        }
        let out = Output::new(column, Encoding::DELTA_BINARY_PACKED, scratch);
        let chunk = self.write(out, &kind, delta::encode)?;
        Ok(Some(chunk))
    }
}

impl Coded<'_, u64, bool> {
    /// Writes pages of one bit for each value.
    fn write_bits(
        self,
        column: &ColumnDescPtr,
        scratch: &mut PageScratch,
    ) -> Result<Option<Chunk>> {
        if self.values.is_empty() {
            return Ok(None);
        }
        let out = Output::new(column, Encoding::PLAIN, scratch);
        let chunk = self.write(out, &Number::Boolean, |values, page| {
            page.extend(values.chunks(8).map(|values| {
                let bits = (0..).zip(values);
                bits.fold(0, |bits, (at, &value)| bits | u8::from(value) << at)
            }));
        })?;
        Ok(Some(chunk))
    }
}

impl<K: Key> Coded<'_, K, u32> {
    /// Counts the bytes of text of each page.
    fn count_text(&mut self, dictionary: &Dictionary<K>, kind: &impl Kind<K>) {
        let keys = dictionary.keys().unwrap_or_default();
        let mut places = self.values.iter();
        for page in &mut self.pages {
            let places = places.by_ref().take(page.values);
            let length = |&place: &u32| keys.get(place as usize).and_then(|&key| kind.length(key));
            page.text = places.map(length).sum();
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "any number will do")]
mod tests;
