//! Long frames: one row for each time and symbol, put in place.
//!
//! Nothing is sorted and nothing is hashed where it can be guessed: a symbol mostly follows the one that it followed
//! before, and a time is mostly that of the row before or the next one. A guess is checked by one comparison.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StringViewArray};
use arrow_schema::{DataType, SchemaRef};

use super::{FrameError, Grid, Result, Values, doubles, index, index_of, time};

/// No symbol yet.
const NONE: u32 = u32::MAX;

/// What is read of a long frame.
pub(super) struct Long<'a> {
    pub(super) what: &'static str,
    pub(super) batches: &'a [RecordBatch],
    pub(super) schema: &'a SchemaRef,
    pub(super) time: usize,
    pub(super) symbol: usize,
    pub(super) columns: &'a [&'a str],
    /// The value of what has no row.
    pub(super) absent: f64,
}

pub(super) fn read(long: &Long<'_>) -> Result<Grid> {
    let Long { what, schema, .. } = *long;
    let columns = long.columns.iter();
    let columns: Vec<usize> = columns
        .map(|name| index_of(what, schema, name).map_err(|error| of_long(error, long)))
        .collect::<Result<_>>()?;
    let count = long.batches.iter().map(RecordBatch::num_rows).sum();
    let mut stamps = Vec::with_capacity(count);
    let mut codes: Vec<u32> = Vec::with_capacity(count);
    let mut symbols = Symbols::default();
    for batch in long.batches {
        let name = schema.field(long.time).name();
        time::append(what, name, batch.column(long.time), &mut stamps)?;
        let name = schema.field(long.symbol).name();
        symbols.append(what, name, batch.column(long.symbol), &mut codes)?;
    }
    let times = distinct(&stamps);
    let width = symbols.names.len();
    to_places(what, &stamps, &times, &mut codes, &symbols.names)?;
    drop(stamps);
    let mut values = Vec::with_capacity(columns.len());
    for at in columns {
        let mut rows = vec![long.absent; times.len() * width];
        let mut start = 0;
        for batch in long.batches {
            let name = schema.field(at).name();
            let array = doubles(what, name, batch.column(at))?;
            let places = &codes[start..start + batch.num_rows()];
            if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
                for (row, (&place, &value)) in places.iter().zip(array.values()).enumerate() {
                    rows[index(place)] = if nulls.is_valid(row) { value } else { f64::NAN };
                }
            } else {
                for (&place, &value) in places.iter().zip(array.values()) {
                    rows[index(place)] = value;
                }
            }
            start += batch.num_rows();
        }
        values.push(Values::Rows(rows));
    }
    Ok(Grid {
        times,
        symbols: symbols.names,
        values,
    })
}

/// Says of a column that is missing why it is looked for.
fn of_long(error: FrameError, long: &Long<'_>) -> FrameError {
    match error {
        FrameError::NoColumn {
            what,
            column,
            found,
        } => FrameError::NoColumnOfLong {
            what,
            column,
            found,
            text: long.schema.field(long.symbol).name().clone(),
        },
        other => other,
    }
}

/// The distinct times, in order.
fn distinct(stamps: &[i64]) -> Vec<i64> {
    if stamps.is_sorted() {
        let mut times = stamps
            .chunk_by(|a, b| a == b)
            .map(|run| run[0])
            .collect::<Vec<_>>();
        times.shrink_to_fit();
        return times;
    }
    // By symbol: a run of rising times adds to what is there. Most runs bring nothing new.
    let mut times: Vec<i64> = Vec::new();
    let mut fresh: Vec<i64> = Vec::new();
    for run in stamps.chunk_by(|a, b| a < b) {
        let mut at = 0;
        for &time in run {
            while at < times.len() && times[at] < time {
                at += 1;
            }
            if times.get(at) != Some(&time) {
                fresh.push(time);
            }
        }
        if !fresh.is_empty() {
            times.append(&mut fresh);
            times.sort_unstable();
            times.dedup();
        }
    }
    times
}

/// Makes of the code of each row's symbol the place of the row.
fn to_places(
    what: &'static str,
    stamps: &[i64],
    times: &[i64],
    codes: &mut [u32],
    names: &[String],
) -> Result<()> {
    let width = names.len();
    let mut next = vec![0_usize; width];
    let mut row = 0;
    if u32::try_from(times.len() * width).is_err() {
        return Err(FrameError::TooLarge {
            what,
            rows: times.len(),
            symbols: width,
        });
    }
    for (at, (&stamp, slot)) in stamps.iter().zip(codes).enumerate() {
        if times[row] != stamp {
            row = match times.get(row + 1) {
                Some(time) if *time == stamp => row + 1,
                // Every stamp is among the times.
                _ => times.partition_point(|time| *time < stamp),
            };
        }
        let code = index(*slot);
        if row < next[code] {
            let problem = if row + 1 == next[code] {
                "stands there twice"
            } else {
                "comes after a later one; sort the rows by time"
            };
            return Err(FrameError::Order {
                what,
                row: at,
                symbol: names[code].clone(),
                time: time::text(stamp),
                problem,
            });
        }
        next[code] = row + 1;
        #[expect(clippy::cast_possible_truncation, reason = "the largest place fits")]
        {
            *slot = (row * width + code) as u32;
        }
    }
    Ok(())
}

/// Symbols and their codes, in the order in which they come.
#[derive(Default)]
struct Symbols {
    names: Vec<String>,
    codes: HashMap<String, u32, foldhash::fast::FixedState>,
    /// The symbol that came after each.
    after: Vec<u32>,
    last: Option<u32>,
}

impl Symbols {
    fn append(
        &mut self,
        what: &'static str,
        name: &str,
        array: &ArrayRef,
        codes: &mut Vec<u32>,
    ) -> Result<()> {
        if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
            let at = nulls.iter().position(|valid| !valid).unwrap_or(0);
            return Err(FrameError::Null {
                what,
                column: name.to_owned(),
                row: codes.len() + at,
            });
        }
        match array.data_type() {
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                codes.extend((0..texts.len()).map(|row| self.guess(texts.value(row))));
            }
            DataType::LargeUtf8 => {
                let texts = array.as_string::<i64>();
                codes.extend((0..texts.len()).map(|row| self.guess(texts.value(row))));
            }
            DataType::Utf8View => self.views(array.as_string_view(), codes),
            DataType::Dictionary(keys, _) => match **keys {
                DataType::Int8 => self.dictionary::<Int8Type>(what, name, array, codes)?,
                DataType::Int16 => self.dictionary::<Int16Type>(what, name, array, codes)?,
                DataType::Int32 => self.dictionary::<Int32Type>(what, name, array, codes)?,
                DataType::Int64 => self.dictionary::<Int64Type>(what, name, array, codes)?,
                DataType::UInt8 => self.dictionary::<UInt8Type>(what, name, array, codes)?,
                DataType::UInt16 => self.dictionary::<UInt16Type>(what, name, array, codes)?,
                DataType::UInt32 => self.dictionary::<UInt32Type>(what, name, array, codes)?,
                _ => self.dictionary::<UInt64Type>(what, name, array, codes)?,
            },
            found => {
                return Err(FrameError::Type {
                    what,
                    column: name.to_owned(),
                    expected: "text",
                    found: found.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Short texts lie within their views, so equal views are equal texts.
    fn views(&mut self, array: &StringViewArray, codes: &mut Vec<u32>) {
        const INLINE: u128 = 12;
        // The view of each symbol, where it is short.
        let mut known: Vec<u128> = vec![0; self.names.len()];
        for (row, &view) in array.views().iter().enumerate() {
            let is_short = view & 0xffff_ffff <= INLINE;
            let guess = self.last.map_or(NONE, |last| self.after[index(last)]);
            let code = if is_short && known.get(index(guess)) == Some(&view) && view != 0 {
                self.last = Some(guess);
                guess
            } else {
                let code = self.guess(array.value(row));
                known.resize(self.names.len(), 0);
                if is_short {
                    known[index(code)] = view;
                }
                code
            };
            codes.push(code);
        }
    }

    fn dictionary<K: ArrowDictionaryKeyType>(
        &mut self,
        what: &'static str,
        name: &str,
        array: &ArrayRef,
        codes: &mut Vec<u32>,
    ) -> Result<()> {
        let array = array.as_dictionary::<K>();
        let keys = array.keys().values();
        // Only values that a row has become symbols: an enumeration may have more.
        let mut used = vec![false; array.values().len()];
        keys.iter().for_each(|key| used[index(*key)] = true);
        let texts = arrow_cast::cast(array.values(), &DataType::Utf8View).map_err(|_| {
            FrameError::Type {
                what,
                column: name.to_owned(),
                expected: "text",
                found: array.data_type().to_string(),
            }
        })?;
        let texts = texts.as_string_view();
        let code = |(at, used): (usize, &bool)| {
            if *used {
                self.code(texts.value(at))
            } else {
                NONE
            }
        };
        let map: Vec<u32> = used.iter().enumerate().map(code).collect();
        codes.extend(keys.iter().map(|key| map[index(*key)]));
        Ok(())
    }

    /// The code of a text that likely follows as it did before.
    fn guess(&mut self, text: &str) -> u32 {
        let guess = self.last.map_or(NONE, |last| self.after[index(last)]);
        let code = if self
            .names
            .get(index(guess))
            .is_some_and(|name| name == text)
        {
            guess
        } else {
            self.code(text)
        };
        if let Some(last) = self.last {
            self.after[index(last)] = code;
        }
        self.last = Some(code);
        code
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "as many distinct texts would not fit the memory"
    )]
    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.names.len() as u32;
        self.names.push(text.to_owned());
        self.after.push(NONE);
        self.codes.insert(text.to_owned(), code);
        code
    }
}
