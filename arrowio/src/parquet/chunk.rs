//! A column of a row group, encoded in one pass.
//!
//! The Parquet crate's own encoder hashes every value with a keyed hash, keeps its place in the dictionary as eight bytes,
//! and treats text as bytes on the heap. Our columns are numbers and text of a few bytes, which is a number too: the
//! dictionary here is a table of numbers. The pages, the page index and the metadata are those of the crate, which
//! also appends the result to the file.
//!
//! Not every column is for this: with too many distinct values for a dictionary, with long texts that begin alike,
//! with NaN, or with nothing but nulls, [`encode`] says `None`, and the crate's encoder has it.

mod delta;
mod dictionary;
mod hybrid;
mod kind;
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
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;

use self::dictionary::{Dictionary, Key};
use self::kind::{INLINE, Kind, LENGTH, Number, Text, key_of_f64, key_of_i64, key_of_view};
use self::output::{Output, PageFacts, too_large};

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

/// How the values of a column are written.
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
    compression: Compression,
) -> Result<Option<Chunk>> {
    let Some(first) = pieces.first() else {
        return Ok(None);
    };
    let target = Target {
        column,
        pieces,
        plan,
        compression,
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
        _ => Ok(None),
    }
}

/// A column and how it is to be written.
#[derive(Clone, Copy)]
struct Target<'a> {
    column: &'a ColumnDescPtr,
    pieces: &'a [&'a ArrayRef],
    plan: Plan,
    compression: Compression,
}

impl Target<'_> {
    fn numbers<T: ArrowPrimitiveType>(
        self,
        kind: Number,
        key: impl Fn(T::Native) -> u64,
    ) -> Result<Option<Chunk>> {
        let arrays = self.pieces.iter().map(|piece| piece.as_primitive::<T>());
        let rows = arrays.map(|array| (&array.values()[..], array.nulls()));
        if self.plan == Plan::Delta && kind.is_64_bits() {
            let mut values = Values::new(self);
            for (rows, nulls) in rows {
                values.push(rows, nulls, |native| key(*native), |key| kind.to_i64(key));
            }
            return self.write_delta(values, kind);
        }
        let mut values = Values::new(self);
        let mut dictionary = Dictionary::new();
        for (rows, nulls) in rows {
            values.push(
                rows,
                nulls,
                |native| key(*native),
                |key| dictionary.number(key),
            );
        }
        self.write(values, &dictionary, &kind)
    }

    fn text(self) -> Result<Option<Chunk>> {
        let mut kind = Text::default();
        let mut values = Values::new(self);
        let mut dictionary = Dictionary::new();
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
            values.push(
                &keys,
                array.nulls(),
                |key| *key,
                |key| dictionary.number(key),
            );
        }
        values.count_text(&dictionary);
        self.write(values, &dictionary, &kind)
    }

    /// Writes the dictionary page and the pages of places in it.
    fn write<K: Key>(
        self,
        values: Values<K, u32>,
        dictionary: &Dictionary<K>,
        kind: &impl Kind<K>,
    ) -> Result<Option<Chunk>> {
        let keys = match dictionary.keys() {
            Some(keys) if pays(keys.len(), values.coded.len()) => keys,
            _ => return Ok(None),
        };
        let mut out = Output::new(self.column, self.compression, Encoding::RLE_DICTIONARY)?;
        let mut plain = Vec::with_capacity(keys.len() * 8);
        for &key in keys {
            kind.plain(key, &mut plain);
        }
        out.dictionary(&plain, keys.len())?;
        let chunk = values.write(out, kind, |numbers, page| {
            // Early pages know few values, and so have small numbers.
            let largest = numbers.iter().copied().max().unwrap_or_default();
            let width = u32::BITS - largest.leading_zeros();
            page.push(width.to_le_bytes()[0]);
            hybrid::encode(numbers, width, page);
        })?;
        Ok(Some(chunk))
    }

    /// Writes pages of differences.
    fn write_delta(self, values: Values<u64, i64>, kind: Number) -> Result<Option<Chunk>> {
        if values.coded.is_empty() {
            return Ok(None);
        }
        let out = Output::new(self.column, self.compression, Encoding::DELTA_BINARY_PACKED)?;
        let chunk = values.write(out, &kind, delta::encode)?;
        Ok(Some(chunk))
    }
}

/// Whether a dictionary is smaller than the values, of which it has so many distinct ones.
///
/// A place takes up to a quarter of a number's bytes, and Zstandard makes up for some of either.
fn pays(distinct: usize, values: usize) -> bool {
    const FEW: usize = 1000;
    distinct > 0 && (values <= FEW || distinct <= values / 4 * 3)
}

/// The values of a column, as its pages are to have them.
struct Values<K, V> {
    /// One for each row that is not null.
    coded: Vec<V>,
    /// For each row, in a column that may be null.
    valid: Option<BooleanBufferBuilder>,
    pages: Vec<PageFacts<K>>,
}

impl<K: Key, V> Values<K, V> {
    fn new(target: Target<'_>) -> Self {
        let rows = target.pieces.iter().copied().map(Array::len).sum();
        let nullable = target.column.max_def_level() > 0;
        Self {
            coded: Vec::with_capacity(rows),
            valid: nullable.then(|| BooleanBufferBuilder::new(rows)),
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
        if let Some(valid) = &mut self.valid {
            match nulls {
                Some(nulls) => valid.append_buffer(nulls.inner()),
                None => valid.append_n(rows.len(), true),
            }
        }
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
            match nulls.map(|nulls| nulls.slice(start, rows.len())) {
                None => {
                    page.add(rows.iter().map(&key));
                    self.coded.extend(rows.iter().map(|row| value(key(row))));
                }
                Some(nulls) => {
                    let valid = || nulls.valid_indices().map(|row| key(&rows[row]));
                    page.add(valid());
                    self.coded.extend(valid().map(&mut value));
                }
            }
            start = end;
        }
    }

    /// Writes the data pages, whose values `encode` writes.
    fn write(
        mut self,
        mut out: Output<'_>,
        kind: &impl Kind<K>,
        encode: impl Fn(&[V], &mut Vec<u8>),
    ) -> Result<Chunk> {
        let valid = self.valid.as_mut().map(BooleanBufferBuilder::finish);
        let valid = valid.as_ref().map(BooleanBuffer::values);
        let mut bytes = Vec::new();
        let (mut row, mut value) = (0, 0);
        for page in &self.pages {
            bytes.clear();
            if let Some(valid) = valid {
                bytes.extend_from_slice(&[0; 4]);
                hybrid::encode_bits(&valid[row / 8..], page.rows, &mut bytes);
                let length = u32::try_from(bytes.len() - 4).map_err(too_large)?;
                bytes[..4].copy_from_slice(&length.to_le_bytes());
            }
            encode(&self.coded[value..value + page.values], &mut bytes);
            out.data(&bytes, page, kind)?;
            row += page.rows;
            value += page.values;
        }
        out.finish(&self.pages, kind)
    }
}

impl Values<u128, u32> {
    /// Counts the bytes of text of each page.
    fn count_text(&mut self, dictionary: &Dictionary<u128>) {
        let keys = dictionary.keys().unwrap_or_default();
        let mut numbers = self.coded.iter();
        for page in &mut self.pages {
            let numbers = numbers.by_ref().take(page.values);
            let length = |&number: &u32| keys.get(number as usize).map_or(0, |key| key & LENGTH);
            page.text = i64::try_from(numbers.map(length).sum::<u128>()).ok();
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "any number will do")]
mod tests;
