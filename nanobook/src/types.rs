//! Prices, quantities, money, times and ids: integers with a unit, and only the arithmetic that means something.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Units of [`Price`] and [`Money`] in one unit of currency.
pub const UNITS_PER_CURRENCY: i64 = 1_000_000_000;

macro_rules! newtype {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
        pub struct $name(pub $inner);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl From<$inner> for $name {
            fn from(raw: $inner) -> Self {
                Self(raw)
            }
        }
    };
}

newtype! {
    /// A price in units of 1e-9 of the currency; may be negative (spreads, some futures).
    ///
    /// Every four-decimal ITCH price is exact. The largest is about 9.2 billion.
    ///
    /// # Examples
    /// ```
    /// use nanobook::Price;
    /// let price = Price::from_ten_thousandths(1_234_500);
    /// assert_eq!(price.to_string(), "123.45");
    /// assert_eq!(price.as_f64(), 123.45);
    /// ```
    Price(i64)
}

newtype! {
    /// A quantity in lots of the instrument (an equity's lot is one share); never negative.
    Qty(u64)
}

newtype! {
    /// An amount of money in units of 1e-9 of the currency: a price times a quantity, exact.
    Money(i128)
}

newtype! {
    /// Nanoseconds since the Unix epoch, UTC.
    Timestamp(i64)
}

newtype! {
    /// The venue's id of an order (ITCH: order reference number), unique in a session.
    OrderId(u64)
}

newtype! {
    /// A trade's id (ITCH: match number), unique in a session.
    TradeId(u64)
}

newtype! {
    /// A dense id of an instrument within a session (ITCH: stock locate).
    InstrumentId(u32)
}

impl Price {
    /// From a wire price in ten-thousandths (ITCH `Price(4)`). Exact for every `u32`.
    pub const fn from_ten_thousandths(raw: u32) -> Self {
        Self(raw as i64 * 100_000)
    }

    /// The nearest double, in units of the currency.
    ///
    /// For a price of at most four decimals below 2^31 this is the double that the decimal text parses to:
    /// both operands of the division are exact, and IEEE division rounds correctly.
    pub fn as_f64(self) -> f64 {
        if self.0 % 100_000 == 0 {
            (self.0 / 100_000) as f64 / 10_000.0
        } else {
            self.0 as f64 / UNITS_PER_CURRENCY as f64
        }
    }

    /// Price times quantity. Cannot overflow.
    pub const fn notional(self, qty: Qty) -> Money {
        Money(self.0 as i128 * qty.0 as i128)
    }

    /// This price plus `other`, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }

    /// This price less `other`, or `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }
}

impl Qty {
    /// Whether nothing is left.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This quantity plus `other`, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }

    /// What is left of this quantity after `other` is taken away, zero when `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Money {
    /// The nearest double, in units of the currency.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / UNITS_PER_CURRENCY as f64
    }
}

/// Writes `raw` units of 1e-9 as a decimal without trailing zeros.
fn write_decimal(f: &mut fmt::Formatter<'_>, raw: i128) -> fmt::Result {
    let units: u128 = UNITS_PER_CURRENCY.unsigned_abs().into();
    let sign = if raw < 0 { "-" } else { "" };
    let (whole, fraction) = (raw.unsigned_abs() / units, raw.unsigned_abs() % units);
    if fraction == 0 {
        write!(f, "{sign}{whole}")
    } else {
        let digits = format!("{fraction:09}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0.into())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0)
    }
}

impl fmt::Display for Qty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_prints_its_decimals_and_no_more() {
        assert_eq!(Price(1_500_000_000).to_string(), "1.5");
        assert_eq!(Price(-1).to_string(), "-0.000000001");
        assert_eq!(Price(i64::MIN).to_string(), "-9223372036.854775808");
        assert_eq!(Price(7_000_000_000).to_string(), "7");
    }

    #[test]
    fn the_double_of_a_wire_price_is_the_double_of_its_text() {
        for raw in (0..2_000_000_000_u32)
            .step_by(99_991)
            .chain([1, 9_999, 10_001, u32::MAX])
        {
            let price = Price::from_ten_thousandths(raw);
            let text = format!("{}.{:04}", raw / 10_000, raw % 10_000);
            assert_eq!(
                price.as_f64().to_bits(),
                text.parse::<f64>().unwrap().to_bits()
            );
        }
    }

    #[test]
    fn a_notional_cannot_overflow() {
        let all = Price(i64::MAX).notional(Qty(u64::MAX));
        assert_eq!(all.0, i128::from(i64::MAX) * i128::from(u64::MAX));
    }

    #[test]
    fn checked_sums_say_none_on_overflow() {
        assert_eq!(Price(i64::MAX).checked_add(Price(1)), None);
        assert_eq!(Price(i64::MIN).checked_sub(Price(1)), None);
        assert_eq!(Qty(u64::MAX).checked_add(Qty(1)), None);
        assert_eq!(Qty(3).saturating_sub(Qty(5)), Qty(0));
    }
}
