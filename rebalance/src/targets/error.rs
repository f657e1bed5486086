//! What can be wrong with targets.

use std::fmt;

use nanobook::Timestamp;

/// A place in a file of targets, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A row of a table.
    Row(u64),
    /// A line of a text, its header being the first.
    Line(u64),
    /// A member of a list.
    Entry(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(at) => write!(f, "row {at}"),
            Self::Line(at) => write!(f, "line {at}"),
            Self::Entry(at) => write!(f, "target {at}"),
        }
    }
}

/// What is wrong with targets, where, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetError {
    /// The file.
    pub file: String,
    /// Where in it; `None` when it is about the file.
    pub place: Option<Place>,
    /// The symbol; `None` when it is about no symbol.
    pub symbol: Option<String>,
    /// What is wrong.
    pub problem: Box<Problem>,
}

impl TargetError {
    pub(crate) fn new(file: &str, problem: Problem) -> Self {
        Self {
            file: file.to_owned(),
            place: None,
            symbol: None,
            problem: Box::new(problem),
        }
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(super) fn maybe_at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    pub(crate) fn of(mut self, symbol: &str) -> Self {
        self.symbol = (!symbol.is_empty()).then(|| symbol.to_owned());
        self
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = self.place {
            write!(f, ", {place}")?;
        }
        if let Some(symbol) = &self.symbol {
            write!(f, ", {symbol}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for TargetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

/// What is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file can't be read.
    #[error("it can't be read: {detail}")]
    Read {
        /// What the system or the format says.
        detail: String,
    },
    /// There are no targets.
    #[error("there are no targets in it; to sell everything, name the symbols with weight 0")]
    Empty,
    /// A column that must be there is not.
    #[error("there is no column {column:?} (found: {found}); {remedy}")]
    NoColumn {
        /// The column.
        column: &'static str,
        /// The columns that are there.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A column that nobody knows: a typing error in a bound must not be no bound.
    #[error(
        "column {column:?} is not known; leave it out, or name it one of as_of, symbol, weight, min_weight, max_weight, \
         restrict, account_id"
    )]
    UnknownColumn {
        /// The column.
        column: String,
    },
    /// A column that stands there twice.
    #[error("column {column:?} stands there twice; leave one out")]
    TwiceColumn {
        /// The column.
        column: String,
    },
    /// A column of another type.
    #[error(
        "column {column:?} holds {found} where {expected} is asked for; cast it before it is written"
    )]
    Type {
        /// The column.
        column: String,
        /// What would do.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A cell that is something else.
    #[error("column {column:?} is {found:?} where {expected} is asked for")]
    Cell {
        /// The column.
        column: String,
        /// What would do.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A row of a text with more or fewer cells than its header.
    #[error(
        "it has {found} cells and the header has {expected}; is a comma inside a value not quoted?"
    )]
    Width {
        /// Of the header.
        expected: usize,
        /// Of the row.
        found: usize,
    },
    /// A text that is no symbol.
    #[error("{found:?} is no symbol: {detail}")]
    Symbol {
        /// What is there.
        found: String,
        /// Why.
        detail: String,
    },
    /// A weight that is missing.
    #[error("the weight is missing; write 0 to exit, or leave the symbol out")]
    NullWeight,
    /// A weight that is no finite number.
    #[error("the weight is {value}; write 0 to exit, or find out what made it so")]
    NotFinite {
        /// What is there.
        value: f64,
    },
    /// A symbol that stands there twice.
    #[error("the symbol stands in {first} already; leave one of them out, or add them up")]
    Duplicate {
        /// Where it stood first.
        first: Place,
    },
    /// Bounds that don't hold the weight.
    #[error(
        "the weight {weight} is not between its bounds {low} and {high}; the bounds are those within which nothing is done"
    )]
    Bounds {
        /// The lower bound.
        low: f64,
        /// The weight.
        weight: f64,
        /// The upper bound.
        high: f64,
    },
    /// A word in `restrict` that is none.
    #[error("restrict is {found:?}; write none, buy_only, sell_only or no_trade")]
    Restriction {
        /// What is there.
        found: String,
    },
    /// Some rows name an account and some don't.
    #[error("the row names no account_id and others do; name it in every row or in none")]
    NoAccount,
    /// A row without a time.
    #[error("as_of is missing; say when the weights were made")]
    NullTime,
    /// The file does not say when it was made.
    #[error(
        "it does not say when it was made, so it may be an old one; add a column as_of, or set targets.max_age_h = 0 to take any"
    )]
    NoTime,
    /// Too old.
    #[error(
        "as_of is {}, {} ago, and {} is the limit; write it anew, or raise targets.max_age_h",
        show_time(*.as_of), show_age(*.age_s), show_age(*.max_age_s)
    )]
    Stale {
        /// When it was made.
        as_of: Timestamp,
        /// How long ago.
        age_s: u64,
        /// How long it may be.
        max_age_s: u64,
    },
    /// From the future.
    #[error("as_of is {}, which is not yet; is it in another unit, or our clock wrong?", show_time(*.as_of))]
    Future {
        /// When it claims to be made.
        as_of: Timestamp,
    },
    /// Weights add up to too much; place and symbol are those of the largest.
    #[error(
        "the absolute weights add up to {sum}, and {limit} is the limit (here is the largest); {}",
        if *.sum > 20.0 * *.limit { "are they percents? divide by 100" }
        else { "lower them, or raise targets.max_weight_sum" }
    )]
    Sum {
        /// What they add up to.
        sum: f64,
        /// The limit.
        limit: f64,
    },
    /// A short position where there may be none.
    #[error(
        "the weight is {weight}, and the account does not short; set plan.short = true if it may"
    )]
    Short {
        /// The weight.
        weight: f64,
    },
    /// The venue does not know the symbol.
    #[error(
        "the venue does not know this symbol{}; write it as the venue does, or leave it out",
        if *.others > 0 { format!(" and {others} others") } else { String::new() }
    )]
    Unknown {
        /// How many others it does not know either.
        others: usize,
    },
    /// JSON that is no list of targets.
    #[error("{detail}")]
    Json {
        /// What is wrong.
        detail: String,
    },
}

/// A time, for people.
pub(crate) fn show_time(time: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(time.0)) {
        Ok(time) => format!("{time:.0}"),
        Err(_) => time.0.to_string(),
    }
}

fn show_age(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
