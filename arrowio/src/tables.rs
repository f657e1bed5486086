//! The tables: which there are, and one module for each.

mod bars;
mod bbo;
mod depth;
mod direct_listing;
mod imbalance;
mod instruments;
mod ipo;
mod luld;
mod mbo;
mod mwcb;
mod participants;
mod reg_sho;
mod rpii;
mod status;
mod system_events;
mod trades;

pub(crate) use bbo::BboRows;
pub use depth::DepthRow;
pub(crate) use depth::{DepthRows, LevelSteps};
pub(crate) use mbo::{MboRows, Sparse};

use std::fmt;
use std::str::FromStr;

use arrow_schema::SchemaRef;
use nanobook::rows::{
    Bar, Bbo, DirectListing, Imbalance, Ipo, Luld, Mbo, Mwcb, Participant, RegSho, Rpii, Status,
    StockDirectory, SystemEvent, Trade,
};

use crate::error::{Error, Result};
use crate::options::TableOptions;
use crate::table::Table;

/// The columns that every row starts with: time, ordinal, instrument and symbol.
pub(crate) const HEADER: usize = 4;

macro_rules! registry {
    ($($(#[$doc:meta])* $id:ident: $row:ty,)*) => {
        /// A market-data table.
        ///
        /// # Examples
        /// ```
        /// use nanobook_arrow::{TableId, TableOptions};
        /// let table: TableId = "bbo".parse()?;
        /// assert_eq!(table.schema(&TableOptions::default()).fields().len(), 10);
        /// # Ok::<(), nanobook_arrow::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum TableId {
            $($(#[$doc])* $id,)*
        }

        impl TableId {
            /// All tables.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// Its name, which is also its folder's.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => <$row as Table>::NAME,)*
                }
            }

            /// Its version, which the metadata of its files gives.
            pub const fn version(self) -> u32 {
                match self {
                    $(Self::$id => <$row as Table>::VERSION,)*
                }
            }

            /// Its columns, with its name and version as metadata.
            pub fn schema(self, options: &TableOptions) -> SchemaRef {
                match self {
                    $(Self::$id => <$row as Table>::schema(options),)*
                }
            }
        }
    };
}

registry! {
    /// Order messages.
    Mbo: Mbo,
    /// The best bid and ask.
    Bbo: Bbo,
    /// The best levels of both sides.
    Depth: DepthRow,
    /// Public prints.
    Trades: Trade,
    /// Open, high, low, close, volume and closing quote of intervals.
    Bars: Bar,
    /// Net order imbalance before auctions.
    Imbalance: Imbalance,
    /// Halts and resumptions.
    Status: Status,
    /// The stock directory.
    Instruments: StockDirectory,
    /// Short-sale price tests.
    RegSho: RegSho,
    /// Limit-up limit-down auction collars.
    Luld: Luld,
    /// Market-wide circuit breakers.
    Mwcb: Mwcb,
    /// Quoting periods of new issues.
    Ipo: Ipo,
    /// Market participants' positions.
    Participants: Participant,
    /// Retail price improvement indicators.
    Rpii: Rpii,
    /// Direct listings with capital raise.
    DirectListing: DirectListing,
    /// Phases of the day.
    SystemEvents: SystemEvent,
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TableId {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|table| table.as_str() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|table| table.as_str()).collect();
            Error::UnknownTable {
                name: name.to_owned(),
                known: names.join(", "),
            }
        })
    }
}

/// A set of tables.
///
/// # Examples
/// ```
/// use nanobook_arrow::{TableId, TableSet};
/// let tables: TableSet = "bbo,trades".parse()?;
/// assert!(tables.contains(TableId::Bbo));
/// assert_eq!(tables.iter().count(), 2);
/// assert_eq!("all".parse::<TableSet>()?, TableSet::ALL);
/// # Ok::<(), nanobook_arrow::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TableSet(u32);

const _: () = assert!(TableId::ALL.len() < 32);

impl TableSet {
    /// No table.
    pub const EMPTY: Self = Self(0);

    /// Every table.
    pub const ALL: Self = Self((1 << TableId::ALL.len()) - 1);

    /// This set with a table added.
    #[must_use]
    pub const fn with(self, table: TableId) -> Self {
        Self(self.0 | 1 << table as u32)
    }

    /// This set with a table taken away.
    #[must_use]
    pub const fn without(self, table: TableId) -> Self {
        Self(self.0 & !(1 << table as u32))
    }

    /// Whether a table is in the set.
    pub const fn contains(self, table: TableId) -> bool {
        self.0 & (1 << table as u32) != 0
    }

    /// Whether no table is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The tables of the set, in the order of [`TableId::ALL`].
    pub fn iter(self) -> impl Iterator<Item = TableId> {
        let all = TableId::ALL.iter().copied();
        all.filter(move |table| self.contains(*table))
    }
}

impl FromIterator<TableId> for TableSet {
    fn from_iter<I: IntoIterator<Item = TableId>>(tables: I) -> Self {
        tables.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for TableSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for TableSet {
    /// The names with commas, as they parse.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(TableId::as_str).collect();
        f.pad(&names.join(","))
    }
}

impl FromStr for TableSet {
    type Err = Error;

    /// From names with commas between them, or `all`.
    fn from_str(names: &str) -> Result<Self> {
        match names.trim() {
            "all" => Ok(Self::ALL),
            names => names.split(',').map(|name| name.trim().parse()).collect(),
        }
    }
}
