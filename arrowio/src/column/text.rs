//! Columns of short text.

use std::hash::{Hash, Hasher};

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::{DataType, Field};
use arrow_select::take::take;

use super::{Action, Code, Column, StatusKind, Symbol, TradeKind, required};
use crate::error::Mismatch;
use crate::options::TableOptions;

const EXPECTED: &str = "Utf8View, Utf8, LargeUtf8, or a dictionary of one of them";

/// A value that is written as short text.
trait Text: Copy + Eq + Hash {
    /// What the text must be, for error messages.
    const EXPECTED: &'static str;

    fn text(&self) -> &str;

    /// `None` when the text is not such a value.
    fn parse(text: &str) -> Option<Self>;
}

/// The texts of the values.
///
/// The rows of a batch name few symbols and fewer words, so the text of each is written once, and then copied to the
/// rows as the sixteen bytes of its view. Where two values fall on one place of the table, one is written again.
fn texts<T: Text>(values: impl ExactSizeIterator<Item = Option<T>>) -> Result<ArrayRef, Mismatch> {
    const PLACES: usize = 1 << 12;
    let mut written: Vec<Option<T>> = Vec::new();
    let mut builder = StringViewBuilder::new();
    // One more than the number of the text that was written last.
    let mut places = vec![0_u32; PLACES];
    let number = |value: Option<T>| {
        let mut hasher = Fold(0);
        value.hash(&mut hasher);
        let place = &mut places[hasher.place(PLACES)];
        if *place == 0 || written[*place as usize - 1] != value {
            written.push(value);
            builder.append_option(value.as_ref().map(Text::text));
            *place = u32::try_from(written.len()).unwrap_or_default();
        }
        *place - 1
    };
    let numbers: Vec<u32> = values.map(number).collect();
    let texts = builder.finish();
    let texts = take(&texts, &UInt32Array::from(numbers), None);
    texts.map_err(|_| Mismatch::Type { expected: EXPECTED })
}

/// A quick hash of a few bytes.
struct Fold(u64);

impl Fold {
    fn add(&mut self, word: u64) {
        /// 2^64 divided by the golden ratio.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        self.0 = (self.0 ^ word).wrapping_mul(GOLDEN).rotate_left(23);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "less than the number of places"
    )]
    fn place(&self, places: usize) -> usize {
        (self.0 as usize) & (places - 1)
    }
}

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder().iter().rev();
        self.add(rest.fold(0, |word, &byte| word << 8 | u64::from(byte)));
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 ^= u64::from(byte);
    }

    fn write_usize(&mut self, number: usize) {
        self.0 ^= number as u64;
    }

    fn write_isize(&mut self, number: isize) {
        self.add(number.cast_unsigned() as u64);
    }
}

/// The values of an array of text, each parsed.
fn values<T: Text>(array: &dyn Array) -> Result<Vec<Option<T>>, Mismatch> {
    fn all<'a, T: Text>(
        texts: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<Vec<Option<T>>, Mismatch> {
        let value = |(row, text): (usize, Option<&str>)| match text {
            None => Ok(None),
            Some(text) => match T::parse(text) {
                Some(value) => Ok(Some(value)),
                None => Err(Mismatch::value(row, T::EXPECTED, format!("{text:?}"))),
            },
        };
        texts.enumerate().map(value).collect()
    }
    match array.data_type() {
        DataType::Utf8View => all(array.as_string_view().iter()),
        DataType::Utf8 => all(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => all(array.as_string::<i64>().iter()),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let distinct = values::<T>(dictionary.values().as_ref())?;
            let keys = dictionary.normalized_keys();
            let value = |row: usize| {
                let key = keys.get(row).filter(|_| array.is_valid(row));
                key.and_then(|&key| distinct.get(key).copied().flatten())
            };
            Ok((0..array.len()).map(value).collect())
        }
        _ => Err(Mismatch::Type { expected: EXPECTED }),
    }
}

macro_rules! texts {
    ($($value:ty, $expected:literal, $text:expr, $parse:expr;)*) => {$(
        impl Text for $value {
            const EXPECTED: &'static str = $expected;

            #[inline]
            fn text(&self) -> &str {
                $text(self)
            }

            fn parse(text: &str) -> Option<Self> {
                $parse(text)
            }
        }

        impl Column for $value {
            const NULLABLE: bool = false;

            fn data_type(_: &TableOptions) -> DataType {
                DataType::Utf8View
            }

            fn array(
                values: impl ExactSizeIterator<Item = Self> + Clone,
                _: &TableOptions,
            ) -> Result<ArrayRef, Mismatch> {
                texts(values.map(Some))
            }

            fn values(array: &dyn Array, _: &Field) -> Result<Vec<Self>, Mismatch> {
                required(values::<Self>(array)?)
            }
        }

        impl Column for Option<$value> {
            const NULLABLE: bool = true;

            fn data_type(_: &TableOptions) -> DataType {
                DataType::Utf8View
            }

            fn array(
                values: impl ExactSizeIterator<Item = Self> + Clone,
                _: &TableOptions,
            ) -> Result<ArrayRef, Mismatch> {
                texts(values)
            }

            fn values(array: &dyn Array, _: &Field) -> Result<Vec<Self>, Mismatch> {
                values::<$value>(array)
            }
        }
    )*};
}

texts! {
    Symbol, "a symbol of 1 to 15 printable ASCII characters", Symbol::as_str, |text: &str| text.parse().ok();
    Code, "a code of 1 to 4 printable ASCII characters", Code::as_str, code;
    Action, "add, execute, reduce, delete or replace", |a: &Action| a.as_str(), |text| find(&ACTIONS, Action::as_str, text);
    TradeKind, "displayed, displayed_at_price, hidden or cross", |k: &TradeKind| k.as_str(), |text| find(&TRADE_KINDS, TradeKind::as_str, text);
    StatusKind, "trading_action or operational_halt", |k: &StatusKind| k.as_str(), |text| find(&STATUS_KINDS, StatusKind::as_str, text);
}

/// All actions, in the order of their numbers.
pub(crate) const ACTIONS: [Action; 5] = [
    Action::Add,
    Action::Execute,
    Action::Reduce,
    Action::Delete,
    Action::Replace,
];

const TRADE_KINDS: [TradeKind; 4] = [
    TradeKind::Displayed,
    TradeKind::DisplayedAtPrice,
    TradeKind::Hidden,
    TradeKind::Cross,
];

const STATUS_KINDS: [StatusKind; 2] = [StatusKind::TradingAction, StatusKind::OperationalHalt];

fn find<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> Option<T> {
    all.iter().copied().find(|&value| name(value) == text)
}

/// The code that this text is, not one that it becomes by trimming.
fn code(text: &str) -> Option<Code> {
    Code::new(text.as_bytes()).filter(|code| code.as_str() == text)
}
