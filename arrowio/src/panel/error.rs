//! Why a frame is no panel or schedule.

/// Why a frame is no panel or schedule. Rows are counted from zero over all batches.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A column is not there.
    #[error("{what} has no column {column:?}; it has {found}")]
    NoColumn {
        /// Which frame.
        what: &'static str,
        /// The column.
        column: String,
        /// Those that are there.
        found: String,
    },
    /// A column is not there, in a frame that is long because it has text.
    #[error(
        "{what} has no column {column:?}; it has {found}, and is taken for a long frame because column {text:?} is text"
    )]
    NoColumnOfLong {
        /// Which frame.
        what: &'static str,
        /// The column.
        column: String,
        /// Those that are there.
        found: String,
        /// The one of text.
        text: String,
    },
    /// No column of a kind.
    #[error("{what} has no column of {kind}; it has {found}")]
    NoneOf {
        /// Which frame.
        what: &'static str,
        /// Which kind.
        kind: &'static str,
        /// The columns that are there.
        found: String,
    },
    /// Several columns of a kind, and none is named.
    #[error("{what} has several columns of {kind}: {columns}; say which")]
    Ambiguous {
        /// Which frame.
        what: &'static str,
        /// Which kind.
        kind: &'static str,
        /// The columns.
        columns: String,
    },
    /// A column has a type that can't be.
    #[error("column {column:?} of {what} is {found}, expected {expected}")]
    Type {
        /// Which frame.
        what: &'static str,
        /// The column.
        column: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A null where there must be none.
    #[error("column {column:?} of {what} is null in row {row}")]
    Null {
        /// Which frame.
        what: &'static str,
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// A time that nanoseconds can't hold.
    #[error(
        "column {column:?} of {what} in row {row} is {value}, beyond what nanoseconds can hold (1677 to 2262)"
    )]
    TimeRange {
        /// Which frame.
        what: &'static str,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// The value, in the column's unit.
        value: i64,
    },
    /// Rows of a symbol out of order, or twice.
    #[error("row {row} of {what}: time {time} of {symbol} {problem}")]
    Order {
        /// Which frame.
        what: &'static str,
        /// The row.
        row: usize,
        /// Whose.
        symbol: String,
        /// Its time as text.
        time: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// Frames that should have the same times.
    #[error("{what} and prices differ in their times from row {row} on")]
    OtherTimes {
        /// Which frame.
        what: &'static str,
        /// The first row that differs.
        row: usize,
    },
    /// A symbol that only one of two frames has.
    #[error("{what} has no column for {symbol}")]
    NoSymbol {
        /// Which frame.
        what: &'static str,
        /// The symbol.
        symbol: String,
    },
    /// A corporate action of no known kind.
    #[error(
        "column \"kind\" of actions is {found:?} in row {row}; it is \"dividend\" or \"split\""
    )]
    Kind {
        /// The row.
        row: usize,
        /// What it is.
        found: String,
    },
    /// More places than the memory of any machine has.
    #[error("{what} has {rows} times and {symbols} symbols; there is no room for their product")]
    TooLarge {
        /// Which frame.
        what: &'static str,
        /// Times.
        rows: usize,
        /// Symbols.
        symbols: usize,
    },
    /// What the backtest says of it.
    #[error(transparent)]
    Backtest(#[from] nanobook::backtest::Error),
}
