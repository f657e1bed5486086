//! Exact arithmetic in units of 1e-18 of a currency: a price times a quantity, each in units of 1e-9, loses nothing.

use std::cmp::Ordering;

use nanobook::trading::Units;
use nanobook::trading::decimal::ONE;
use nanobook::{Money, Price};

/// A sum of prices times quantities, in units of 1e-18, or the news that it did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Exact(pub i128);

impl Exact {
    /// A price times a quantity.
    pub fn notional(price: Price, qty: Units) -> Option<Self> {
        qty.exact_notional(price).map(Self)
    }

    /// An amount of money.
    pub fn money(money: Money) -> Option<Self> {
        money.0.checked_mul(ONE).map(Self)
    }

    /// This plus `other`.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// This less `other`.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Money of this amount, rounded away from zero.
    pub fn to_money(self) -> i128 {
        let (whole, rest) = (self.0 / ONE, self.0 % ONE);
        whole + rest.signum()
    }

    /// A part of this in units of 1e-9, rounded up to a unit of 1e-18. Neither is below zero.
    pub fn part(self, part: i128) -> Option<Self> {
        let product = self.0.checked_mul(part)?;
        Some(Self(product / ONE + i128::from(product % ONE > 0)))
    }
}

/// Product of two 128-bit numbers as 256 bits, high word first.
fn wide(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a_high, a_low) = (a >> 64, a & LOW);
    let (b_high, b_low) = (b >> 64, b & LOW);
    let low = a_low * b_low;
    let cross = a_high * b_low + (low >> 64);
    let other = a_low * b_high + (cross & LOW);
    let high = a_high * b_high + (cross >> 64) + (other >> 64);
    (high, (other << 64) | (low & LOW))
}

/// `part / whole` against `limit`, a ratio in units of 1e-9. Exact for all values; `whole` is above zero, neither of the
/// others below.
pub(crate) fn compare(part: i128, whole: i128, limit: i128) -> Ordering {
    let left = wide(part.unsigned_abs(), ONE.unsigned_abs());
    let right = wide(limit.unsigned_abs(), whole.unsigned_abs());
    left.cmp(&right)
}

/// `part / whole` in units of 1e-9, rounded up, so that what is past a limit never reads as if it were not. `None` when
/// it does not fit, or when `whole` is not above zero.
pub(crate) fn ratio(part: i128, whole: i128) -> Option<i128> {
    if whole <= 0 {
        return None;
    }
    let (quotient, rest) = (part / whole, part % whole);
    // Beyond 1.7e11 of the currency the rest times 1e9 would not fit; nine digits less are enough for it then.
    let fraction = match rest.checked_mul(ONE) {
        Some(product) => product / whole + i128::from(product % whole > 0),
        None => rest / (whole / ONE) + 1,
    };
    quotient.checked_mul(ONE)?.checked_add(fraction)
}

/// [`ratio`] rounded down.
pub(crate) fn ratio_down(part: i128, whole: i128) -> Option<i128> {
    ratio(part.checked_neg()?, whole)?.checked_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_products_are_those_of_the_school() {
        assert_eq!(wide(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(wide(1 << 100, 1 << 100), (1 << 72, 0));
        assert_eq!(wide(3, 5), (0, 15));
    }

    #[test]
    fn a_ratio_at_its_limit_does_not_exceed_it() {
        assert!(compare(1, 10, ONE / 10).is_eq());
        assert!(compare(i128::MAX, i128::MAX - 1, ONE).is_gt());
        assert!(compare(i128::MAX - 1, i128::MAX, ONE).is_lt());
        assert_eq!(ratio(1, 3), Some(333_333_334));
        assert_eq!(ratio(-1, 4), Some(-250_000_000));
        assert_eq!(ratio_down(1, 3), Some(333_333_333));
        assert_eq!(ratio(1, 0), None);
        assert_eq!(ratio(i128::MAX, i128::MAX), Some(ONE));
        assert_eq!(ratio(i128::MAX, 1), None);
    }
}
