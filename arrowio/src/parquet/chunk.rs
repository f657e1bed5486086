//! A column of a row group, dictionary-encoded in one pass.
//!
//! The Parquet crate's own encoder hashes every value with a keyed hash, keeps its place as eight bytes, and treats
//! text as bytes on the heap. Our columns are numbers and text of a few bytes, which is a number too: the dictionary
//! here is a table of numbers. The pages, the page index and the metadata are those of the crate, which also appends
//! the result to the file.
//!
//! Not every column is for this: with more distinct values than a dictionary should have, with long texts that begin
//! alike, with NaN, or with nothing but nulls, [`encode`] says `None`, and the crate's encoder has it.

mod dictionary;
mod hybrid;
mod kind;
mod output;

use ::parquet::basic::Compression;
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::Result;
use ::parquet::file::writer::SerializedRowGroupWriter;
use ::parquet::schema::types::ColumnDescPtr;
use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float64Type, Int8Type, Int64Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
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

/// Encodes a column that comes in pieces, unless it is better encoded otherwise.
pub(super) fn encode(
    column: &ColumnDescPtr,
    pieces: &[&ArrayRef],
    compression: Compression,
) -> Result<Option<Chunk>> {
    let Some(first) = pieces.first() else {
        return Ok(None);
    };
    macro_rules! numbers {
        ($arrow:ty, $kind:expr, $key:expr) => {{
            let values = Values::of_numbers::<$arrow>(column, pieces, $key);
            values.map(|values| values.write(column, &$kind, compression))
        }};
    }
    match first.data_type() {
        DataType::Float64 => {
            let nan = |piece: &&ArrayRef| {
                let values = piece.as_primitive::<Float64Type>().values();
                values.iter().any(|value| value.is_nan())
            };
            if pieces.iter().any(nan) {
                return Ok(None);
            }
            numbers!(Float64Type, Number::Double, key_of_f64)
        }
        DataType::Int64 => numbers!(Int64Type, Number::Int64, key_of_i64),
        #[expect(clippy::cast_possible_truncation, reason = "eighteen digits fit")]
        DataType::Decimal128(..) => {
            numbers!(Decimal128Type, Number::Int64, |v| key_of_i64(v as i64))
        }
        DataType::UInt64 => numbers!(UInt64Type, Number::UInt64, |v| v),
        DataType::UInt32 => numbers!(UInt32Type, Number::UInt32, u64::from),
        DataType::UInt16 => numbers!(UInt16Type, Number::UInt32, u64::from),
        DataType::Int8 => numbers!(Int8Type, Number::Int32, |v| key_of_i64(i64::from(v))),
        DataType::Utf8View => {
            let values = Values::of_text(column, pieces);
            values.map(|(values, kind)| values.write(column, &kind, compression))
        }
        _ => None,
    }
    .transpose()
}

/// The values of a column as numbers of a dictionary.
struct Values<K> {
    dictionary: Dictionary<K>,
    /// For each value that is not null.
    numbers: Vec<u32>,
    /// For each row, in a column that may be null.
    valid: Option<BooleanBufferBuilder>,
    pages: Vec<PageFacts<K>>,
}

impl Values<u64> {
    fn of_numbers<T: ArrowPrimitiveType>(
        column: &ColumnDescPtr,
        pieces: &[&ArrayRef],
        key: impl Fn(T::Native) -> u64,
    ) -> Option<Self> {
        let mut values = Self::new(column, pieces);
        for piece in pieces {
            let array = piece.as_primitive::<T>();
            let natives: &[T::Native] = array.values();
            values.push(natives, array.nulls(), |native| key(*native));
        }
        values.unless_overflown()
    }
}

impl Values<u128> {
    /// `None` also when two long texts begin alike.
    fn of_text(column: &ColumnDescPtr, pieces: &[&ArrayRef]) -> Option<(Self, Text)> {
        let mut values = Self::new(column, pieces);
        let mut kind = Text::default();
        for piece in pieces {
            let array = piece.as_string_view();
            let views: &[u128] = array.views();
            let is_long = |view: &u128| view & LENGTH > INLINE;
            if views.iter().any(is_long) {
                let mut keys = Vec::with_capacity(views.len());
                for (row, view) in views.iter().enumerate() {
                    keys.push(if is_long(view) && array.is_valid(row) {
                        kind.key_of_long(array.value(row).as_bytes())?
                    } else {
                        key_of_view(*view)
                    });
                }
                values.push(&keys, array.nulls(), |key| *key);
            } else {
                values.push(views, array.nulls(), |view| key_of_view(*view));
            }
        }
        values.count_text();
        values.unless_overflown().map(|values| (values, kind))
    }

    /// Counts the bytes of text of each page.
    fn count_text(&mut self) {
        let keys = self.dictionary.keys().unwrap_or_default();
        let mut numbers = self.numbers.iter();
        for page in &mut self.pages {
            let numbers = numbers.by_ref().take(page.values);
            let length = |&number: &u32| keys.get(number as usize).map_or(0, |key| key & LENGTH);
            page.text = i64::try_from(numbers.map(length).sum::<u128>()).ok();
        }
    }
}

impl<K: Key> Values<K> {
    fn new(column: &ColumnDescPtr, pieces: &[&ArrayRef]) -> Self {
        let rows = pieces.iter().copied().map(Array::len).sum();
        let nullable = column.max_def_level() > 0;
        Self {
            dictionary: Dictionary::new(),
            numbers: Vec::with_capacity(rows),
            valid: nullable.then(|| BooleanBufferBuilder::new(rows)),
            pages: Vec::new(),
        }
    }

    /// Adds rows, cut into pages.
    fn push<N>(&mut self, rows: &[N], nulls: Option<&NullBuffer>, key: impl Fn(&N) -> K) {
        if let Some(valid) = &mut self.valid {
            match nulls {
                Some(nulls) => valid.append_buffer(nulls.inner()),
                None => valid.append_n(rows.len(), true),
            }
        }
        let mut start = 0;
        while start < rows.len() {
            if self
                .pages
                .last()
                .is_none_or(|page| page.rows == ROWS_PER_PAGE)
            {
                self.pages.push(PageFacts::default());
            }
            let Some(page) = self.pages.last_mut() else {
                return;
            };
            let end = rows.len().min(start + ROWS_PER_PAGE - page.rows);
            let rows = &rows[start..end];
            page.rows += rows.len();
            let dictionary = &mut self.dictionary;
            match nulls.map(|nulls| nulls.slice(start, rows.len())) {
                None => {
                    page.add(rows.iter().map(&key));
                    self.numbers
                        .extend(rows.iter().map(|row| dictionary.number(key(row))));
                }
                Some(nulls) => {
                    page.add(nulls.valid_indices().map(|row| key(&rows[row])));
                    let numbers = nulls
                        .valid_indices()
                        .map(|row| dictionary.number(key(&rows[row])));
                    self.numbers.extend(numbers);
                }
            }
            start = end;
        }
    }

    fn unless_overflown(self) -> Option<Self> {
        let distinct = self.dictionary.keys()?;
        (!distinct.is_empty()).then_some(self)
    }

    /// Writes the dictionary page and the data pages.
    fn write(
        mut self,
        column: &ColumnDescPtr,
        kind: &impl Kind<K>,
        compression: Compression,
    ) -> Result<Chunk> {
        let mut out = Output::new(column, compression)?;
        let keys = self.dictionary.keys().unwrap_or_default();
        let distinct = keys.len();
        let mut plain = Vec::with_capacity(distinct * 8);
        for &key in keys {
            kind.plain(key, &mut plain);
        }
        out.dictionary(&plain, distinct)?;

        let valid = self.valid.as_mut().map(BooleanBufferBuilder::finish);
        let valid = valid.as_ref().map(arrow_buffer::BooleanBuffer::values);
        let mut page_bytes = Vec::new();
        let (mut row, mut value) = (0, 0);
        for page in &self.pages {
            page_bytes.clear();
            if let Some(valid) = valid {
                page_bytes.extend_from_slice(&[0; 4]);
                hybrid::encode_bits(&valid[row / 8..], page.rows, &mut page_bytes);
                let length = u32::try_from(page_bytes.len() - 4).map_err(too_large)?;
                page_bytes[..4].copy_from_slice(&length.to_le_bytes());
            }
            // Early pages know few values, and so have small numbers.
            let numbers = &self.numbers[value..value + page.values];
            let largest = numbers.iter().copied().max().unwrap_or_default();
            let width = u32::BITS - largest.leading_zeros();
            page_bytes.push(u8::try_from(width).map_err(too_large)?);
            hybrid::encode(numbers, width, &mut page_bytes);
            out.data(&page_bytes, page, kind)?;
            row += page.rows;
            value += page.values;
        }
        out.finish(&self.pages, kind)
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "any number will do")]
mod tests;
