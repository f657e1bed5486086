//! Why a backtest was not run.

use super::calendar::Iso;
use crate::portfolio::PerSymbol;

/// The result of this module's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a backtest was not run. Rows are counted from zero.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No rows.
    #[error("{what} has no rows")]
    NoRows {
        /// Which input.
        what: &'static str,
    },
    /// No symbols.
    #[error("{what} has no symbols")]
    NoSymbols {
        /// Which input.
        what: &'static str,
    },
    /// A column of another length than the times.
    #[error(
        "column {column} of {what} has {found} rows for {symbols} symbols, expected {expected}"
    )]
    Shape {
        /// Which input.
        what: &'static str,
        /// Which column.
        column: String,
        /// How many symbols.
        symbols: usize,
        /// The rows of the time column.
        expected: usize,
        /// The rows of the column.
        found: usize,
    },
    /// A symbol twice.
    #[error("{symbol} stands twice among the symbols of {what}")]
    DuplicateSymbol {
        /// Which input.
        what: &'static str,
        /// The symbol.
        symbol: String,
    },
    /// Times must rise.
    #[error("time of row {row} of {what} is {}, after {} in the row before; sort the rows by time", Iso(*.time), Iso(*.before))]
    NotSorted {
        /// Which input.
        what: &'static str,
        /// The row.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// The time of the row before it.
        before: i64,
    },
    /// A time stands once.
    #[error("row {row} of {what} has the time of the row before it, {}; a time may stand only once", Iso(*.time))]
    DuplicateTime {
        /// Which input.
        what: &'static str,
        /// The row.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
    },
    /// A price is finite and above zero.
    #[error("{column} of {symbol} in row {row} ({}) is {price:?}; a price is finite and above zero, or missing", Iso(*.time))]
    BadPrice {
        /// Which price.
        column: &'static str,
        /// Whose.
        symbol: String,
        /// The row.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// The price.
        price: f64,
    },
    /// A weight is finite.
    #[error("weight of {symbol} in row {row} ({}) is {weight}; a weight is finite", Iso(*.time))]
    BadWeight {
        /// Whose.
        symbol: String,
        /// The row of the weights.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// The weight.
        weight: f64,
    },
    /// A weight is missing and nobody said what that means.
    #[error("weight of {symbol} in row {row} ({}) is null or NaN; say on_null=\"hold\" to keep the position or on_null=\"zero\" to close it", Iso(*.time))]
    NullWeight {
        /// Whose.
        symbol: String,
        /// The row of the weights.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
    },
    /// A weight below zero in a long-only account.
    #[error("weight of {symbol} in row {row} ({}) is {weight} in a long-only account", Iso(*.time))]
    Short {
        /// Whose.
        symbol: String,
        /// The row of the weights.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// The weight.
        weight: f64,
    },
    /// Weights of a row over the limit.
    #[error("gross weight of row {row} ({}) is {gross}, over the limit of {limit}; the largest is {symbol}", Iso(*.time))]
    Gross {
        /// The row of the weights.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// The sum of absolute weights.
        gross: f64,
        /// The most that is allowed.
        limit: f64,
        /// The symbol of the largest weight.
        symbol: String,
    },
    /// A weight on a symbol without prices.
    #[error(
        "{symbol} has weights (first in row {row}) and no prices; the symbols with prices are {known}"
    )]
    UnknownSymbol {
        /// The symbol.
        symbol: String,
        /// A row of the weights that names it.
        row: usize,
        /// Some of the symbols there are.
        known: String,
    },
    /// A weight on a symbol before its first price.
    #[error("{symbol} has weight {weight} in price row {row} ({}) and no price yet; say on_missing=\"renormalize\" to spread it over the others", Iso(*.time))]
    NoPriceYet {
        /// Whose.
        symbol: String,
        /// The row of the prices.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// The weight.
        weight: f64,
    },
    /// Prices that the configuration needs.
    #[error("{setting} needs {column} prices; give them, or change it")]
    NeedsColumn {
        /// The setting.
        setting: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A setting that can't be.
    #[error("{setting} is {value}; {expected}")]
    BadSetting {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A setting of one symbol that can't be.
    #[error("{setting} of {symbol} is {value}; {expected}")]
    BadSettingOf {
        /// The setting.
        setting: &'static str,
        /// Whose.
        symbol: String,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Settings for each symbol that are not one for each.
    #[error("{setting} has {found} values for {expected} symbols")]
    BadLength {
        /// The setting.
        setting: &'static str,
        /// Symbols.
        expected: usize,
        /// Values.
        found: usize,
    },
    /// A corporate action that can't be.
    #[error("{kind} of {symbol} at {} is {value}; it is finite and above zero", Iso(*.time))]
    BadAction {
        /// `dividend` or `split`.
        kind: &'static str,
        /// Whose.
        symbol: String,
        /// Its day, ns since the epoch.
        time: i64,
        /// Per share, or shares for one.
        value: f64,
    },
    /// Numbers left the range of doubles.
    #[error("equity in row {row} ({}) is {equity}; weights, prices or cash are too large, the position in {symbol} most of all", Iso(*.time))]
    Overflow {
        /// The symbol of the largest position.
        symbol: String,
        /// The row of the prices.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// What it came to.
        equity: f64,
    },
    /// The caller's strategy said no.
    #[error("the strategy failed in row {row} ({}): {message}", Iso(*.time))]
    Strategy {
        /// The row of the prices.
        row: usize,
        /// Its time, ns since the epoch.
        time: i64,
        /// What it said.
        message: String,
    },
}

/// An error unless there is one number for all symbols or one for each, from zero to less than `below`.
pub(crate) fn check_each(
    setting: &'static str,
    values: &PerSymbol,
    symbols: &[String],
    below: f64,
    expected: &'static str,
) -> Result<()> {
    let bad = |value: &f64| !(0.0..below).contains(value);
    match values {
        PerSymbol::All(value) if bad(value) => Err(Error::BadSetting {
            setting,
            value: *value,
            expected,
        }),
        PerSymbol::Each(values) if values.len() != symbols.len() => Err(Error::BadLength {
            setting,
            expected: symbols.len(),
            found: values.len(),
        }),
        PerSymbol::Each(values) => match symbols.iter().zip(values).find(|(_, v)| bad(v)) {
            Some((symbol, value)) => Err(Error::BadSettingOf {
                setting,
                symbol: symbol.clone(),
                value: *value,
                expected,
            }),
            None => Ok(()),
        },
        PerSymbol::All(_) => Ok(()),
    }
}
