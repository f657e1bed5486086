//! How the columns of the tables look.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The type of price columns.
///
/// # Examples
/// ```
/// use nanobook_arrow::PriceType;
/// assert_eq!("decimal".parse::<PriceType>()?, PriceType::Decimal);
/// # Ok::<(), nanobook_arrow::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PriceType {
    /// `Float64` in units of the currency: the nearest double, which for prices of four decimals is the double that
    /// their text parses to.
    #[default]
    Float,
    /// `Decimal128(18, 9)`: exact. A price of a billion or more does not fit and is an error.
    Decimal,
    /// `Int64` in units of 1e-9, with the scale in the field's metadata (`nanobook:scale`): exact.
    Fixed,
}

impl PriceType {
    /// Its name, as the command line and the file metadata write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Fixed => "fixed",
        }
    }
}

impl fmt::Display for PriceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PriceType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [Self::Float, Self::Decimal, Self::Fixed]
            .into_iter()
            .find(|t| t.as_str() == name)
            .ok_or_else(|| Error::UnknownPriceType {
                name: name.to_owned(),
            })
    }
}

/// The most levels that a `depth` table may have on each side.
pub const MAX_LEVELS: usize = 100;

/// How the columns of the tables look.
///
/// # Examples
/// ```
/// use nanobook_arrow::{PriceType, TableOptions};
/// let options = TableOptions {
///     price_type: PriceType::Decimal,
///     ..TableOptions::default()
/// };
/// assert_eq!(options.levels, 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableOptions {
    /// The type of price columns.
    pub price_type: PriceType,
    /// Levels of each side in the `depth` table, 1 to [`MAX_LEVELS`].
    pub levels: usize,
}

impl Default for TableOptions {
    /// Prices as doubles, ten levels.
    fn default() -> Self {
        Self {
            price_type: PriceType::Float,
            levels: 10,
        }
    }
}
