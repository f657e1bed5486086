//! Which side of the book.

use std::fmt;
use std::ops::Not;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Buy or sell. A resting buy stands on the bid; in a trade it is the side of the aggressor.
///
/// The numbers are those of the `side` column: +1, −1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
#[repr(i8)]
pub enum Side {
    /// Buys; rests on the bid.
    Buy = 1,
    /// Sells; rests on the ask.
    Sell = -1,
}

impl Side {
    /// +1 for a buy, −1 for a sell.
    pub const fn sign(self) -> i8 {
        self as i8
    }
}

impl Not for Side {
    type Output = Self;

    /// The opposite side.
    fn not(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}
