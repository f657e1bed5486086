//! Values as numbers that sort as they do, and as a file has them.

use std::collections::HashMap;

use ::parquet::data_type::ByteArray;
use ::parquet::file::statistics::{Statistics, ValueStatistics};
use nanobook::Price;

const SIGN: u64 = 1 << 63;

pub(super) fn key_of_i64(value: i64) -> u64 {
    value.cast_unsigned() ^ SIGN
}

fn i64_of_key(key: u64) -> i64 {
    (key ^ SIGN).cast_signed()
}

pub(super) fn key_of_f64(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn f64_of_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

/// The double of a price in units of 1e-9.
fn price_of_key(key: u64) -> f64 {
    Price(i64_of_key(key)).as_f64()
}

/// The first bytes of a text, first byte first, and its length.
///
/// A view holds a text of at most twelve bytes itself, after its length.
pub(super) fn key_of_view(view: u128) -> u128 {
    let text = (view >> 32 << 32).swap_bytes();
    text << 32 | view & LENGTH
}

/// Bytes of a text that its view and its key hold.
pub(super) const INLINE: u128 = 12;

/// The bits of a view and of a key that are the length of the text.
pub(super) const LENGTH: u128 = 0xFFFF_FFFF;

/// A column of text.
#[derive(Default)]
pub(super) struct Text {
    /// Texts that are longer than a key, of which no two begin alike.
    long: HashMap<u128, Box<[u8]>>,
}

impl Text {
    /// The key of a text; `None` when it is long and another begins alike.
    pub(super) fn key_of(&mut self, text: &[u8]) -> Option<u128> {
        if text.len() as u128 > INLINE {
            return self.key_of_long(text);
        }
        Some(Self::key_of_short(text))
    }

    /// The key of a text of at most twelve bytes.
    pub(super) fn key_of_short(text: &[u8]) -> u128 {
        let mut bytes = [0; 16];
        bytes[..text.len()].copy_from_slice(text);
        u128::from_be_bytes(bytes) | text.len() as u128
    }

    /// The key of a text that its view does not hold; `None` when another begins alike.
    pub(super) fn key_of_long(&mut self, text: &[u8]) -> Option<u128> {
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
pub(super) trait Kind<K> {
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

    /// Bytes of a text.
    fn length(&self, _key: K) -> Option<i64> {
        None
    }
}

/// A column of numbers.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Boolean,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Double,
    /// Prices in units of 1e-9, written as doubles.
    ///
    /// Only distinct values are converted. Bounds are those of the doubles, as [`Kind::declared`] gives them.
    Price,
}

impl Number {
    pub(super) fn is_64_bits(self) -> bool {
        matches!(self, Self::Int64 | Self::UInt64)
    }

    /// The bits of a 64-bit number, as Parquet's differences take them.
    pub(super) fn to_i64(self, key: u64) -> i64 {
        match self {
            Self::Int64 => i64_of_key(key),
            _ => key.cast_signed(),
        }
    }
}

impl Kind<u64> for Number {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the column's values have 32 bits"
    )]
    fn plain(&self, key: u64, out: &mut Vec<u8>) {
        match self {
            Self::Boolean => out.push(key as u8),
            Self::Int32 => out.extend_from_slice(&(i64_of_key(key) as i32).to_le_bytes()),
            Self::UInt32 => out.extend_from_slice(&(key as u32).to_le_bytes()),
            Self::Int64 => out.extend_from_slice(&i64_of_key(key).to_le_bytes()),
            Self::UInt64 => out.extend_from_slice(&key.to_le_bytes()),
            Self::Double => out.extend_from_slice(&f64_of_key(key).to_le_bytes()),
            Self::Price => out.extend_from_slice(&price_of_key(key).to_le_bytes()),
        }
    }

    fn bound(&self, key: u64, out: &mut Vec<u8>) {
        match self {
            Self::Price => Self::Double.plain(key, out),
            _ => self.plain(key, out),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the column's values have 32 bits"
    )]
    fn statistics(&self, min: u64, max: u64, nulls: u64) -> Statistics {
        let nulls = Some(nulls);
        match self {
            Self::Boolean => {
                Statistics::boolean(Some(min != 0), Some(max != 0), None, nulls, false)
            }
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
            Self::Double | Self::Price => {
                let value = |key| Some(f64_of_key(key));
                let statistics = ValueStatistics::new(value(min), value(max), None, nulls, false);
                statistics.with_nan_count(Some(0)).into()
            }
        }
    }

    /// Zero has two signs, which are equal: a bound that is zero stands for both.
    fn declared(&self, (min, max): (u64, u64)) -> (u64, u64) {
        let (min, max) = match self {
            Self::Double => (min, max),
            Self::Price => (key_of_f64(price_of_key(min)), key_of_f64(price_of_key(max))),
            _ => return (min, max),
        };
        let (plus, minus) = (key_of_f64(0.0), key_of_f64(-0.0));
        (
            if min == plus { minus } else { min },
            if max == minus { plus } else { max },
        )
    }

    fn is_float(&self) -> bool {
        matches!(self, Self::Double | Self::Price)
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
    fn length(&self, key: u128) -> Option<i64> {
        i64::try_from(key & LENGTH).ok()
    }
}
