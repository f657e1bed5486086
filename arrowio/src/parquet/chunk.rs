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

use std::collections::HashMap;
use std::sync::Arc;

use ::parquet::basic::{BoundaryOrder, Compression, Encoding, EncodingMask, PageType};
use ::parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use ::parquet::file::statistics::{Statistics, ValueStatistics};
use ::parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
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

const SIGN: u64 = 1 << 63;

fn key_of_i64(value: i64) -> u64 {
    value.cast_unsigned() ^ SIGN
}

fn i64_of_key(key: u64) -> i64 {
    (key ^ SIGN).cast_signed()
}

fn key_of_f64(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn f64_of_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

/// The first bytes of a text, first byte first, and its length.
///
/// A view holds a text of at most twelve bytes itself, after its length.
fn key_of_view(view: u128) -> u128 {
    let text = (view >> 32 << 32).swap_bytes();
    text << 32 | view & LENGTH
}

/// Bytes of a text that its view and its key hold.
const INLINE: u128 = 12;

/// The bits of a view and of a key that are the length of the text.
const LENGTH: u128 = 0xFFFF_FFFF;

/// A column of text.
#[derive(Default)]
struct Text {
    /// Texts that are longer than a key, of which no two begin alike.
    long: HashMap<u128, Box<[u8]>>,
}

impl Text {
    /// The key of a text that its view does not hold; `None` when another begins alike.
    fn key_of_long(&mut self, text: &[u8]) -> Option<u128> {
        let mut bytes = [0; 16];
        bytes[..12].copy_from_slice(text.get(..12)?);
        let begin = u128::from_be_bytes(bytes);
        let known = self.long.entry(begin).or_insert_with(|| text.into());
        (known.as_ref() == text).then_some(begin | text.len() as u128)
    }

    /// Adds the text of a key.
    fn put(&self, key: u128, out: &mut Vec<u8>) {
        match self.long.get(&(key & !LENGTH)) {
            Some(text) if key & LENGTH > INLINE => out.extend_from_slice(text),
            _ => out.extend_from_slice(&key.to_be_bytes()[..(key & 0xF) as usize]),
        }
    }
}

/// The physical side of a column: what a key is in the file.
trait Kind<K> {
    /// Adds a value as the dictionary page has it.
    fn plain(&self, key: K, out: &mut Vec<u8>);

    /// Adds a value as the page index has it.
    fn bound(&self, key: K, out: &mut Vec<u8>);

    fn statistics(&self, min: K, max: K, nulls: u64) -> Statistics;

    /// The bounds as a file gives them.
    fn declared(&self, bounds: (K, K)) -> (K, K) {
        bounds
    }

    /// Whether the page index counts NaN.
    fn is_float(&self) -> bool;
}

/// A column of numbers.
enum Number {
    Int32,
    UInt32,
    Int64,
    UInt64,
    Double,
}

impl Kind<u64> for Number {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the column's values have 32 bits"
    )]
    fn plain(&self, key: u64, out: &mut Vec<u8>) {
        match self {
            Self::Int32 => out.extend_from_slice(&(i64_of_key(key) as i32).to_le_bytes()),
            Self::UInt32 => out.extend_from_slice(&(key as u32).to_le_bytes()),
            Self::Int64 => out.extend_from_slice(&i64_of_key(key).to_le_bytes()),
            Self::UInt64 => out.extend_from_slice(&key.to_le_bytes()),
            Self::Double => out.extend_from_slice(&f64_of_key(key).to_le_bytes()),
        }
    }

    fn bound(&self, key: u64, out: &mut Vec<u8>) {
        self.plain(key, out);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the column's values have 32 bits"
    )]
    fn statistics(&self, min: u64, max: u64, nulls: u64) -> Statistics {
        let nulls = Some(nulls);
        match self {
            Self::Int32 => {
                let value = |key| Some(i64_of_key(key) as i32);
                Statistics::int32(value(min), value(max), None, nulls, false)
            }
            Self::UInt32 => {
                let value = |key: u64| Some((key as u32).cast_signed());
                Statistics::int32(value(min), value(max), None, nulls, false)
            }
            Self::Int64 => {
                let value = |key| Some(i64_of_key(key));
                Statistics::int64(value(min), value(max), None, nulls, false)
            }
            Self::UInt64 => {
                let value = |key: u64| Some(key.cast_signed());
                Statistics::int64(value(min), value(max), None, nulls, false)
            }
            Self::Double => {
                let value = |key| Some(f64_of_key(key));
                let statistics = ValueStatistics::new(value(min), value(max), None, nulls, false);
                statistics.with_nan_count(Some(0)).into()
            }
        }
    }

    /// Zero has two signs, which are equal: a bound that is zero stands for both.
    fn declared(&self, (min, max): (u64, u64)) -> (u64, u64) {
        let (plus, minus) = (key_of_f64(0.0), key_of_f64(-0.0));
        match self {
            Self::Double => (
                if min == plus { minus } else { min },
                if max == minus { plus } else { max },
            ),
            _ => (min, max),
        }
    }

    fn is_float(&self) -> bool {
        matches!(self, Self::Double)
    }
}

impl Kind<u128> for Text {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the key keeps a length of 32 bits"
    )]
    fn plain(&self, key: u128, out: &mut Vec<u8>) {
        out.extend_from_slice(&(key as u32).to_le_bytes());
        self.put(key, out);
    }

    fn bound(&self, key: u128, out: &mut Vec<u8>) {
        self.put(key, out);
    }

    fn statistics(&self, min: u128, max: u128, nulls: u64) -> Statistics {
        let value = |key| {
            let mut bytes = Vec::new();
            self.put(key, &mut bytes);
            Some(ByteArray::from(bytes))
        };
        Statistics::byte_array(value(min), value(max), None, Some(nulls), false)
    }

    fn is_float(&self) -> bool {
        false
    }
}

/// What the page index says of a page.
struct PageFacts<K> {
    rows: usize,
    /// Rows that are not null.
    values: usize,
    /// The smallest and largest value; `None` when all are null.
    bounds: Option<(K, K)>,
    /// Bytes of text.
    text: Option<i64>,
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
            values.push(array.len(), array.nulls(), |row| key(natives[row]), |_| 0);
        }
        values.unless_overflown()
    }
}

impl Values<u128> {
    /// `None` also when two long texts begin alike.
    fn of_text(column: &ColumnDescPtr, pieces: &[&ArrayRef]) -> Option<(Self, Text)> {
        let mut values = Self::new(column, pieces);
        let mut kind = Text::default();
        let mut alike = false;
        for piece in pieces {
            let array = piece.as_string_view();
            let views: &[u128] = array.views();
            let key = |row: usize| {
                let view = views[row];
                if view & LENGTH <= INLINE {
                    return key_of_view(view);
                }
                let key = kind.key_of_long(array.value(row).as_bytes());
                alike |= key.is_none();
                key.unwrap_or_default()
            };
            let length = |key: u128| (key & LENGTH) as i64;
            values.push(array.len(), array.nulls(), key, length);
        }
        for page in &mut values.pages {
            page.text.get_or_insert(0);
        }
        let values = values.unless_overflown().filter(|_| !alike)?;
        Some((values, kind))
    }
}

impl<K: Key> Values<K> {
    fn new(column: &ColumnDescPtr, pieces: &[&ArrayRef]) -> Self {
        let rows = pieces.iter().map(Array::len).sum();
        let nullable = column.max_def_level() > 0;
        Self {
            dictionary: Dictionary::new(),
            numbers: Vec::with_capacity(rows),
            valid: nullable.then(|| BooleanBufferBuilder::new(rows)),
            pages: Vec::new(),
        }
    }

    /// Adds rows, cut into pages.
    fn push(
        &mut self,
        rows: usize,
        nulls: Option<&NullBuffer>,
        mut key: impl FnMut(usize) -> K,
        text: impl Fn(K) -> i64,
    ) {
        if let Some(valid) = &mut self.valid {
            match nulls {
                Some(nulls) => valid.append_buffer(nulls.inner()),
                None => valid.append_n(rows, true),
            }
        }
        let mut start = 0;
        while start < rows {
            if self
                .pages
                .last()
                .is_none_or(|page| page.rows == ROWS_PER_PAGE)
            {
                self.pages.push(PageFacts {
                    rows: 0,
                    values: 0,
                    bounds: None,
                    text: None,
                });
            }
            let Some(page) = self.pages.last_mut() else {
                return;
            };
            let end = rows.min(start + ROWS_PER_PAGE - page.rows);
            let before = self.numbers.len();
            let mut length = 0;
            let mut bounds = page.bounds;
            let mut add = |row: usize| {
                let key = key(row);
                let (min, max) = bounds.unwrap_or((key, key));
                bounds = Some((min.min(key), max.max(key)));
                length += text(key);
                self.numbers.push(self.dictionary.number(key));
            };
            match nulls {
                None => (start..end).for_each(&mut add),
                Some(nulls) => {
                    let nulls = nulls.slice(start, end - start);
                    nulls.valid_indices().for_each(|row| add(start + row));
                }
            }
            page.bounds = bounds;
            page.rows += end - start;
            page.values += self.numbers.len() - before;
            if length > 0 {
                *page.text.get_or_insert(0) += length;
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

        let width = usize::BITS - (distinct - 1).leading_zeros();
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
            page_bytes.push(u8::try_from(width).map_err(too_large)?);
            let numbers = &self.numbers[value..value + page.values];
            hybrid::encode(numbers, width, &mut page_bytes);
            out.data(&page_bytes, page, kind)?;
            row += page.rows;
            value += page.values;
        }
        out.finish(&self.pages, kind)
    }
}

fn too_large(_: std::num::TryFromIntError) -> ParquetError {
    ParquetError::General("a page is too large".to_owned())
}

/// The pages of a column, and what its metadata says of them.
struct Output<'a> {
    column: &'a ColumnDescPtr,
    compression: Compression,
    compressor: zstd::bulk::Compressor<'static>,
    sink: TrackedWrite<Vec<u8>>,
    columns: ColumnIndexBuilder,
    offsets: OffsetIndexBuilder,
    uncompressed: usize,
    data_page_offset: Option<u64>,
}

impl<'a> Output<'a> {
    fn new(column: &'a ColumnDescPtr, compression: Compression) -> Result<Self> {
        let level = match compression {
            Compression::ZSTD(level) => level.compression_level(),
            _ => 0,
        };
        Ok(Self {
            column,
            compression,
            compressor: zstd::bulk::Compressor::new(level)?,
            sink: TrackedWrite::new(Vec::new()),
            columns: ColumnIndexBuilder::new(column.physical_type()),
            offsets: OffsetIndexBuilder::new(),
            uncompressed: 0,
            data_page_offset: None,
        })
    }

    fn compress(&mut self, bytes: &[u8]) -> Result<Bytes> {
        Ok(match self.compression {
            Compression::UNCOMPRESSED => Bytes::copy_from_slice(bytes),
            _ => Bytes::from(self.compressor.compress(bytes)?),
        })
    }

    fn put(&mut self, page: Page, uncompressed: usize) -> Result<PageWriteSpec> {
        let mut writer = SerializedPageWriter::new(&mut self.sink);
        let spec = writer.write_page(CompressedPage::new(page, uncompressed))?;
        self.uncompressed += spec.uncompressed_size;
        Ok(spec)
    }

    fn dictionary(&mut self, bytes: &[u8], values: usize) -> Result<()> {
        let page = Page::DictionaryPage {
            buf: self.compress(bytes)?,
            num_values: u32::try_from(values).map_err(too_large)?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.put(page, bytes.len())?;
        Ok(())
    }

    fn data<K: Key>(
        &mut self,
        bytes: &[u8],
        facts: &PageFacts<K>,
        kind: &impl Kind<K>,
    ) -> Result<()> {
        let page = Page::DataPage {
            buf: self.compress(bytes)?,
            num_values: u32::try_from(facts.rows).map_err(too_large)?,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec = self.put(page, bytes.len())?;
        self.data_page_offset.get_or_insert(spec.offset);

        let (mut min, mut max) = (Vec::new(), Vec::new());
        if let Some((low, high)) = facts.bounds.map(|bounds| kind.declared(bounds)) {
            kind.bound(low, &mut min);
            kind.bound(high, &mut max);
        }
        let nulls = signed(facts.rows - facts.values);
        let nans = kind.is_float().then_some(0);
        self.columns
            .append(facts.bounds.is_none(), min, max, nulls, nans);
        self.offsets.append_row_count(signed(facts.rows));
        let size = i32::try_from(spec.compressed_size).map_err(too_large)?;
        self.offsets
            .append_offset_and_size(spec.offset.cast_signed(), size);
        self.offsets
            .append_unencoded_byte_array_data_bytes(facts.text);
        Ok(())
    }

    fn finish<K: Key>(mut self, pages: &[PageFacts<K>], kind: &impl Kind<K>) -> Result<Chunk> {
        let rows: usize = pages.iter().map(|page| page.rows).sum();
        let values: usize = pages.iter().map(|page| page.values).sum();
        self.columns.set_boundary_order(boundary_order(pages));
        let bytes = Bytes::from(self.sink.into_inner()?);

        let stats = |page_type, encoding, count| PageEncodingStats {
            page_type,
            encoding,
            count,
        };
        let count = i32::try_from(pages.len()).map_err(too_large)?;
        let encodings = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY];
        let mut metadata = ColumnChunkMetaData::builder(Arc::clone(self.column))
            .set_compression(self.compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(encodings.iter()))
            .set_page_encoding_stats(vec![
                stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
                stats(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, count),
            ])
            .set_total_compressed_size(signed(bytes.len()))
            .set_total_uncompressed_size(signed(self.uncompressed))
            .set_num_values(signed(rows))
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(self.data_page_offset.unwrap_or_default().cast_signed());
        let bounds = pages.iter().filter_map(|page| page.bounds);
        let bounds = bounds.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        if let Some((min, max)) = bounds.map(|bounds| kind.declared(bounds)) {
            let nulls = (rows - values) as u64;
            metadata = metadata.set_statistics(kind.statistics(min, max, nulls));
        }
        if pages.iter().any(|page| page.text.is_some()) {
            let text = pages.iter().filter_map(|page| page.text).sum();
            metadata = metadata.set_unencoded_byte_array_data_bytes(Some(text));
        }
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: Some(self.columns.build()?),
            offset_index: Some(self.offsets.build()),
        };
        Ok(Chunk { bytes, close })
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whether the pages' bounds rise or fall.
fn boundary_order<K: Key>(pages: &[PageFacts<K>]) -> BoundaryOrder {
    let bounds: Vec<(K, K)> = pages.iter().filter_map(|page| page.bounds).collect();
    if bounds.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1) {
        BoundaryOrder::ASCENDING
    } else if bounds.is_sorted_by(|a, b| a.0 >= b.0 && a.1 >= b.1) {
        BoundaryOrder::DESCENDING
    } else {
        BoundaryOrder::UNORDERED
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "any number will do")]
mod tests;
