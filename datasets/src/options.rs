//! What to make of a raw file.

use std::collections::BTreeSet;

use nanobook::Symbol;
use nanobook_arrow::{PriceType, TableSet};
use nanobook_itch::Framing;
use serde_json::{Value, json};

use nanobook_itch::replay::TimeOfDay;

/// The order of the rows in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As they happened.
    #[default]
    Time,
    /// By symbol, and as they happened within one: smaller, and one symbol is read fast.
    Symbol,
}

impl Sort {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Symbol => "symbol",
        }
    }
}

/// Whether to draw a progress bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShowProgress {
    /// No.
    #[default]
    Never,
    /// On standard error, when that is a terminal and the work takes over a second.
    OnTerminal,
}

/// What to make of a raw file.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The tables to write.
    pub tables: TableSet,
    /// Only rows of these symbols; `None` for all.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// Only rows from this time of day on, in ns since midnight.
    pub from_ns: u64,
    /// Only rows before this time of day, in ns since midnight.
    pub to_ns: u64,
    /// Levels of the depth table, 1 to [`nanobook_arrow::MAX_LEVELS`].
    pub depth: usize,
    /// Depth at the end of every such interval, in ns; `None` for every change.
    pub every_ns: Option<u64>,
    /// Interval of the bars, in ns.
    pub bars_ns: u64,
    /// The type of price columns.
    pub price_type: PriceType,
    /// The order of rows.
    pub sort: Sort,
    /// Threads to encode with, besides those that read and keep the books; 1 for no thread but the caller's.
    pub threads: usize,
    /// How messages are framed; `None` finds out.
    pub framing: Option<Framing>,
    /// A file that ends in the middle of a message, or of its compressed data, is no error.
    pub allow_truncated: bool,
    /// Whether to draw a progress bar.
    pub progress: ShowProgress,
}

impl ReplayOptions {
    /// The options that decide which rows there are, as JSON.
    pub(crate) fn filters(&self) -> Value {
        let symbols: Option<Vec<&str>> = self
            .symbols
            .as_ref()
            .map(|all| all.iter().map(Symbol::as_str).collect());
        let time = |ns: u64, open: u64| (ns != open).then(|| TimeOfDay(ns).to_string());
        json!({
            "symbols": symbols,
            "from": time(self.from_ns, 0),
            "to": time(self.to_ns, u64::MAX),
            "depth": self.depth,
            "every_ns": self.every_ns,
            "bars_ns": self.bars_ns,
            "price_type": self.price_type.as_str(),
            "sort": self.sort.as_str(),
        })
    }
}

impl Default for ReplayOptions {
    /// Every table but `mbo` and `depth`, all symbols, the whole day, ten levels, bars of a minute, as many threads
    /// as there are cores.
    fn default() -> Self {
        Self {
            tables: nanobook_arrow::RecorderOptions::default().tables,
            symbols: None,
            from_ns: 0,
            to_ns: u64::MAX,
            depth: 10,
            every_ns: None,
            bars_ns: 60_000_000_000,
            price_type: PriceType::default(),
            sort: Sort::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            framing: None,
            allow_truncated: false,
            progress: ShowProgress::default(),
        }
    }
}
