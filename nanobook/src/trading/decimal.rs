//! Decimal text to integers in units of 1e-9 and back, without a double in between.

use std::fmt;

use crate::{Money, Price};

/// Decimals that prices, quantities and money have.
pub const SCALE: u32 = 9;

/// Units of 1e-9 in one.
pub const ONE: i128 = 1_000_000_000;

/// Why a text is not a decimal of nine places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// Not digits with at most one point, sign and exponent.
    #[error("not a decimal number")]
    Malformed,
    /// More than nine decimals that are not zero.
    #[error("more than nine decimals")]
    TooFine,
    /// Beyond the range of the type.
    #[error("too large")]
    TooLarge,
    /// Infinite or not a number.
    #[error("not a finite number")]
    NotFinite,
}

/// Units of 1e-9 of a decimal text: sign, digits, a point, an exponent. Nothing is rounded.
///
/// # Errors
/// When it is not a number, has more than nine decimals that are not zero, or does not fit.
///
/// # Examples
/// ```
/// use nanobook::trading::{DecimalError, decimal};
/// assert_eq!(decimal::parse("0.00001000"), Ok(10_000));
/// assert_eq!(decimal::parse("-1e3"), Ok(-1_000_000_000_000));
/// assert_eq!(decimal::parse("0.1234567891"), Err(DecimalError::TooFine));
/// ```
pub fn parse(text: &str) -> Result<i128, DecimalError> {
    let (negative, text) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().map_err(|_| DecimalError::Malformed)?;
            (digits, exponent)
        }
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::Malformed);
    }
    // Both texts have at most isize::MAX bytes; an exponent has 32 bits.
    let shift = i64::from(SCALE) + i64::from(exponent)
        - i64::try_from(fraction.len()).map_err(|_| DecimalError::TooFine)?;
    let mut units: i128 = 0;
    let push = |units: i128, digit: u8| {
        units
            .checked_mul(10)
            .and_then(|u| u.checked_add(i128::from(digit)))
            .ok_or(DecimalError::TooLarge)
    };
    let digits: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|b| b - b'0')
        .collect();
    // Digits beyond the ninth decimal must be zeros.
    let cut = usize::try_from(-shift).unwrap_or(0).min(digits.len());
    let (kept, beyond) = digits.split_at(digits.len() - cut);
    if beyond.iter().any(|&digit| digit != 0) {
        return Err(DecimalError::TooFine);
    }
    for &digit in kept {
        units = push(units, digit)?;
    }
    if units != 0 {
        for _ in 0..shift.max(0) {
            units = push(units, 0)?;
        }
    }
    Ok(if negative { -units } else { units })
}

/// Units of 1e-9 of the shortest decimal text that reads back as this double, which is what whoever wrote it meant:
/// 0.1 is a tenth.
///
/// # Errors
/// As [`parse`], and when it is infinite or not a number.
pub fn from_f64(value: f64) -> Result<i128, DecimalError> {
    if value.is_finite() {
        parse(&format!("{value}"))
    } else {
        Err(DecimalError::NotFinite)
    }
}

/// Units of 1e-9 nearest to a double, for values that were computed, such as average prices.
///
/// # Errors
/// When it is infinite, not a number, or does not fit.
pub fn nearest(value: f64) -> Result<i128, DecimalError> {
    if value.is_finite() {
        parse(&format!("{value:.9}"))
    } else {
        Err(DecimalError::NotFinite)
    }
}

/// A price of a decimal text.
///
/// # Errors
/// As [`parse`], and when it is beyond the range of a [`Price`].
pub fn price(text: &str) -> Result<Price, DecimalError> {
    let units = parse(text)?;
    i64::try_from(units)
        .map(Price)
        .map_err(|_| DecimalError::TooLarge)
}

/// Money of a decimal text.
///
/// # Errors
/// As [`parse`].
pub fn money(text: &str) -> Result<Money, DecimalError> {
    parse(text).map(Money)
}

/// Prints units of 1e-9 as a decimal without trailing zeros.
///
/// # Examples
/// ```
/// use nanobook::trading::decimal;
/// assert_eq!(decimal::Plain(-1_500_000_000).to_string(), "-1.5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain(pub i128);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Money(self.0), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_venues_are_exact() {
        assert_eq!(parse("16800.27000000"), Ok(16_800_270_000_000));
        assert_eq!(parse("0.00000001"), Ok(10));
        assert_eq!(parse("92141578.00000000"), Ok(92_141_578_000_000_000));
        assert_eq!(parse("9000000000000.5"), Ok(9_000_000_000_000_500_000_000));
        assert_eq!(parse("1e-9"), Ok(1));
        assert_eq!(parse("1.5E2"), Ok(150_000_000_000));
        assert_eq!(parse("0e999999999"), Ok(0));
        assert_eq!(parse(".5"), Ok(500_000_000));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", ".", "1.2.3", "1,5", "0x1", "nan", " 1", "1e", "--1",
        ] {
            assert_eq!(parse(text), Err(DecimalError::Malformed), "{text:?}");
        }
        assert_eq!(parse("1e-10"), Err(DecimalError::TooFine));
        assert_eq!(parse("1e40"), Err(DecimalError::TooLarge));
        assert_eq!(price("9223372036.854775808"), Err(DecimalError::TooLarge));
        assert_eq!(from_f64(f64::NAN), Err(DecimalError::NotFinite));
    }

    #[test]
    fn a_double_is_its_shortest_text() {
        assert_eq!(from_f64(0.1), Ok(100_000_000));
        assert_eq!(from_f64(0.1 + 0.2), Err(DecimalError::TooFine));
        assert_eq!(nearest(0.1 + 0.2), Ok(300_000_000));
    }
}
