//! A sheet of cells, whatever file it came from, and the rows of targets in it.

use super::error::{Place, Problem, TargetError};

type Result<T> = std::result::Result<T, TargetError>;

/// A row of a file, not checked yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raw {
    pub(super) place: Place,
    pub(super) as_of: Option<i64>,
    pub(super) account_id: Option<String>,
    pub(super) symbol: Option<String>,
    pub(super) weight: Option<f64>,
    pub(super) min_weight: Option<f64>,
    pub(super) max_weight: Option<f64>,
    pub(super) restrict: Option<String>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Number(f64),
    Text(String),
    /// Nanoseconds since the epoch.
    Time(i64),
}

/// Names and rows.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(Place, Vec<Cell>)>,
}

/// Names of the time column.
const TIMES: [&str; 5] = ["as_of", "date", "ts", "timestamp", "time"];

/// Whether a column of this name holds times.
pub(super) fn is_time(name: &str) -> bool {
    TIMES.iter().any(|time| name.eq_ignore_ascii_case(time))
}

/// What a column of a long sheet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Time,
    Account,
    Symbol,
    Weight,
    MinWeight,
    MaxWeight,
    Restrict,
}

impl Role {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "symbol" => Self::Symbol,
            "weight" => Self::Weight,
            "min_weight" => Self::MinWeight,
            "max_weight" => Self::MaxWeight,
            "restrict" => Self::Restrict,
            "account_id" => Self::Account,
            name if is_time(name) => Self::Time,
            _ => return None,
        })
    }
}

/// The place of the time column, if there is one.
pub(crate) fn time_column(columns: &[String]) -> Option<usize> {
    columns.iter().position(|column| is_time(column))
}

impl Sheet {
    /// The rows of targets in it, long or wide.
    pub(super) fn targets(self, source: &str) -> Result<Vec<Raw>> {
        for (at, column) in self.columns.iter().enumerate() {
            if self.columns[..at].contains(column) {
                let column = column.clone();
                return Err(TargetError::new(source, Problem::TwiceColumn { column }));
            }
        }
        if self.columns.iter().any(|column| column == "symbol") {
            self.long(source)
        } else {
            self.wide(source)
        }
    }

    fn long(self, source: &str) -> Result<Vec<Raw>> {
        let mut roles = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let role = Role::of(column).ok_or_else(|| {
                let column = column.clone();
                TargetError::new(source, Problem::UnknownColumn { column })
            })?;
            if roles.contains(&role) {
                let column = column.clone();
                return Err(TargetError::new(source, Problem::TwiceColumn { column }));
            }
            roles.push(role);
        }
        if !roles.contains(&Role::Weight) {
            return Err(TargetError::new(
                source,
                Problem::NoColumn {
                    column: "weight",
                    found: self.columns.join(", "),
                    remedy: "name the column of weights so",
                },
            ));
        }
        let mut raws = Vec::with_capacity(self.rows.len());
        for (place, cells) in self.rows {
            let mut raw = Raw {
                place,
                as_of: None,
                account_id: None,
                symbol: None,
                weight: None,
                min_weight: None,
                max_weight: None,
                restrict: None,
            };
            let columns = self.columns.iter().zip(&roles);
            for (cell, (column, role)) in cells.into_iter().zip(columns) {
                let taken = raw.take(*role, cell);
                taken.map_err(|(expected, found)| {
                    let column = column.clone();
                    let problem = Problem::Cell {
                        column,
                        expected,
                        found,
                    };
                    TargetError::new(source, problem).at(place)
                })?;
            }
            if roles.contains(&Role::Time) && raw.as_of.is_none() {
                return Err(TargetError::new(source, Problem::NullTime).at(place));
            }
            raws.push(raw);
        }
        Ok(raws)
    }

    /// A row of a wide sheet is the targets of a time; the last time counts.
    fn wide(mut self, source: &str) -> Result<Vec<Raw>> {
        let time = time_column(&self.columns);
        let Some(last) = self.rows.len().checked_sub(1) else {
            return Err(TargetError::new(source, Problem::Empty));
        };
        let mut at = last;
        let mut as_of = None;
        if let Some(column) = time {
            for (row, (place, cells)) in self.rows.iter().enumerate() {
                let found = read_time(&cells[column]).map_err(|(expected, found)| {
                    let column = self.columns[column].clone();
                    let problem = Problem::Cell {
                        column,
                        expected,
                        found,
                    };
                    TargetError::new(source, problem).at(*place)
                })?;
                let Some(found) = found else {
                    return Err(TargetError::new(source, Problem::NullTime).at(*place));
                };
                if as_of.is_none_or(|best| found >= best) {
                    (as_of, at) = (Some(found), row);
                }
            }
        }
        let (place, cells) = self.rows.swap_remove(at);
        let mut raws = Vec::with_capacity(cells.len());
        for (column, (name, cell)) in self.columns.iter().zip(cells).enumerate() {
            if Some(column) == time {
                continue;
            }
            let weight = match cell {
                Cell::Null => None,
                Cell::Number(weight) => Some(weight),
                Cell::Text(found) => {
                    let problem = if self.columns.len() > 1 && raws.is_empty() {
                        // A long sheet whose symbols have another name, most likely.
                        Problem::NoColumn {
                            column: "symbol",
                            found: self.columns.join(", "),
                            remedy: "name the column of symbols so; in a wide file all columns but the time are numbers",
                        }
                    } else {
                        Problem::Cell {
                            column: name.clone(),
                            expected: "a number",
                            found,
                        }
                    };
                    return Err(TargetError::new(source, problem).at(place));
                }
                Cell::Time(_) => {
                    let problem = Problem::Type {
                        column: name.clone(),
                        expected: "a number",
                        found: "times".to_owned(),
                    };
                    return Err(TargetError::new(source, problem));
                }
            };
            raws.push(Raw {
                place,
                as_of,
                account_id: None,
                symbol: Some(name.clone()),
                weight,
                min_weight: None,
                max_weight: None,
                restrict: None,
            });
        }
        Ok(raws)
    }
}

/// What would do, and what is there.
pub(crate) type Mismatch = (&'static str, String);

impl Raw {
    fn take(&mut self, role: Role, cell: Cell) -> std::result::Result<(), Mismatch> {
        match role {
            Role::Time => self.as_of = read_time(&cell)?,
            Role::Account => self.account_id = read_text(cell)?,
            Role::Symbol => self.symbol = read_text(cell)?,
            Role::Weight => self.weight = read_number(cell)?,
            Role::MinWeight => self.min_weight = read_number(cell)?,
            Role::MaxWeight => self.max_weight = read_number(cell)?,
            Role::Restrict => self.restrict = read_text(cell)?,
        }
        Ok(())
    }
}

pub(crate) fn read_number(cell: Cell) -> std::result::Result<Option<f64>, Mismatch> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Number(value) => Ok(Some(value)),
        Cell::Text(found) => Err(("a number", found)),
        Cell::Time(found) => Err(("a number", found.to_string())),
    }
}

fn read_text(cell: Cell) -> std::result::Result<Option<String>, Mismatch> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Text(text) => Ok(Some(text)),
        Cell::Number(found) => Err(("a text", found.to_string())),
        Cell::Time(found) => Err(("a text", found.to_string())),
    }
}

pub(crate) fn read_time(cell: &Cell) -> std::result::Result<Option<i64>, Mismatch> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Time(ns) => Ok(Some(*ns)),
        Cell::Text(text) => match parse_time(text) {
            Some(ns) => Ok(Some(ns)),
            None => Err(("a date or a time, such as 2026-11-20", text.clone())),
        },
        Cell::Number(found) => Err(("a date or a time, such as 2026-11-20", found.to_string())),
    }
}

/// Nanoseconds since the epoch of a time with its offset, or of a date or time that is UTC then.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    let time = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil = text
            .parse::<jiff::civil::DateTime>()
            .or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into))?;
        civil
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|zoned| zoned.timestamp())
    });
    i64::try_from(time.ok()?.as_nanosecond()).ok()
}
