//! Quantities with fractions.

use std::fmt;
use std::str::FromStr;

use super::decimal::{self, DecimalError};
use crate::{Price, Side};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A quantity in units of 1e-9 of a share, contract or coin; of a position, below zero when it is short.
///
/// # Examples
/// ```
/// use nanobook::trading::Units;
/// let held: Units = "0.72927".parse()?;
/// assert_eq!(held.floor_to("0.0001".parse()?).to_string(), "0.7292");
/// # Ok::<(), nanobook::trading::DecimalError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Units(pub i128);

impl Units {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A whole number of shares, contracts or coins.
    pub const fn whole(count: i64) -> Self {
        Self(count as i128 * decimal::ONE)
    }

    /// Whether there is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This quantity plus `other`, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// This quantity less `other`, or `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// What an order of this quantity does to a position: plus for a buy, minus for a sell.
    #[must_use]
    pub const fn signed(self, side: Side) -> Self {
        Self(self.0 * side.sign() as i128)
    }

    /// The largest multiple of `step` that is not farther from zero; all of it when `step` is not above zero.
    #[must_use]
    pub const fn floor_to(self, step: Self) -> Self {
        if step.0 <= 0 {
            return self;
        }
        Self(self.0 - self.0 % step.0)
    }

    /// Price times quantity in units of 1e-18 of the currency, exact; `None` on overflow.
    pub const fn exact_notional(self, price: Price) -> Option<i128> {
        self.0.checked_mul(price.0 as i128)
    }

    /// The nearest double, in shares, contracts or coins.
    pub fn as_f64(self) -> f64 {
        if self.0 % decimal::ONE == 0 {
            (self.0 / decimal::ONE) as f64
        } else {
            self.0 as f64 / 1e9
        }
    }
}

impl FromStr for Units {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        decimal::parse(text).map(Self)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::Plain(self.0).fmt(f)
    }
}

impl fmt::Debug for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Units({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_to_a_step_goes_toward_zero() {
        let units = |text: &str| text.parse::<Units>().unwrap();
        assert_eq!(units("7.9").floor_to(Units::whole(1)), Units::whole(7));
        assert_eq!(units("-7.9").floor_to(Units::whole(1)), Units::whole(-7));
        assert_eq!(units("7.9").floor_to(Units::ZERO), units("7.9"));
    }

    #[test]
    fn a_notional_is_exact_or_none() {
        assert_eq!(Units(3).exact_notional(Price(7)), Some(21));
        assert_eq!(Units(i128::MAX).exact_notional(Price(2)), None);
    }
}
