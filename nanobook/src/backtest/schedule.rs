//! Weights over time, and which of them apply in which row.

use super::config::OnNull;
use super::error::{Error, Result};
use super::panel::{BLOCK, Matrix, Panel, check_symbols, check_times};

/// Target weights: every row the whole target at its time. Nothing is copied.
///
/// A symbol that has prices and no weights is to be flat.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Matrix, Schedule};
/// let symbols = ["A".to_owned(), "B".to_owned()];
/// let weights = Matrix::from_rows(&[0.5, 0.5, 1.0, 0.0], 2)?;
/// let schedule = Schedule::new(&[10, 20], &symbols, weights)?;
/// assert_eq!(schedule.rows(), 2);
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    times: &'a [i64],
    symbols: &'a [String],
    weights: Matrix<'a>,
}

impl<'a> Schedule<'a> {
    /// Weights of symbols at times, ns since the epoch, that rise. Values are looked at when they apply.
    ///
    /// # Errors
    /// When times don't rise, symbols repeat or are none, or the matrix has another shape. No rows at all is a schedule that never
    /// trades.
    pub fn new(times: &'a [i64], symbols: &'a [String], weights: Matrix<'a>) -> Result<Self> {
        let what = "weights";
        if symbols.is_empty() && !times.is_empty() {
            return Err(Error::NoSymbols { what });
        }
        check_times(what, times)?;
        check_symbols(what, symbols)?;
        if weights.rows() != times.len()
            || (weights.symbols() != symbols.len() && weights.rows() > 0)
        {
            return Err(Error::Shape {
                what,
                column: "weight".into(),
                symbols: symbols.len(),
                expected: times.len(),
                found: weights.rows(),
            });
        }
        Ok(Self {
            times,
            symbols,
            weights,
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// The times, ns since the epoch.
    pub fn times(&self) -> &'a [i64] {
        self.times
    }

    /// The symbols, in the order of the columns.
    pub fn symbols(&self) -> &'a [String] {
        self.symbols
    }

    /// The weights.
    pub fn weights(&self) -> &Matrix<'a> {
        &self.weights
    }
}

/// One row of weights that trades in one row of prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// The row of prices.
    pub(crate) row: usize,
    /// The row of weights.
    pub(crate) from: usize,
}

/// Goes through a schedule in step with a panel.
#[derive(Debug)]
pub(crate) struct Cursor<'s, 'a> {
    schedule: &'s Schedule<'a>,
    /// Which rows apply, in order of both.
    due: Vec<Due>,
    next: usize,
    /// Where each column goes in the panel; `None` when it stays where it is.
    place: Option<Vec<usize>>,
    width: usize,
    scratch: Vec<f64>,
    /// The entries of `due` that the scratch holds.
    start: usize,
    end: usize,
}

impl<'s, 'a> Cursor<'s, 'a> {
    /// `delay` rows after the first row at or after its time, each row of weights applies; the later one where two would.
    pub(crate) fn new(
        schedule: &'s Schedule<'a>,
        panel: &Panel<'_>,
        delay: usize,
    ) -> Result<(Self, Unused)> {
        let mut due: Vec<Due> = Vec::with_capacity(schedule.rows());
        let mut unused = Unused::default();
        let (times, mut first) = (panel.times(), 0);
        for (from, &time) in schedule.times.iter().enumerate() {
            while first < times.len() && times[first] < time {
                first += 1;
            }
            let row = first + delay;
            if row >= times.len() {
                unused.late += 1;
                continue;
            }
            match due.last_mut() {
                Some(last) if last.row == row => {
                    last.from = from;
                    unused.superseded += 1;
                }
                _ => due.push(Due { row, from }),
            }
        }
        let place = places(schedule, panel)?;
        let cursor = Self {
            schedule,
            due,
            next: 0,
            place,
            width: panel.symbols().len(),
            scratch: Vec::new(),
            start: 0,
            end: 0,
        };
        Ok((cursor, unused))
    }

    /// The next row of prices in which weights apply, at or after where the cursor stands.
    #[inline]
    pub(crate) fn next_row(&self) -> Option<usize> {
        self.due.get(self.next).map(|due| due.row)
    }

    /// How many of the coming rows of prices apply weights without one between that does not.
    pub(crate) fn run_length(&self) -> usize {
        let run = self.due[self.next..].windows(2).take(BLOCK);
        1 + run
            .take_while(|pair| pair[1].row == pair[0].row + 1)
            .count()
    }

    /// The weights that apply next, in the order of the panel's symbols, and their row; moves on.
    #[inline]
    pub(crate) fn take(&mut self) -> (&[f64], usize) {
        let at = self.next;
        self.next += 1;
        let from = self.due[at].from;
        let weights = &self.schedule.weights;
        if self.place.is_none()
            && let Some(rows) = weights.as_rows()
        {
            return (&rows[from * self.width..][..self.width], from);
        }
        if at < self.start || at >= self.end {
            // As many rows as follow one another in the weights and will be asked for.
            let following = self.due[at..].iter().enumerate().take(BLOCK);
            let len = following
                .take_while(|(ahead, due)| due.from == from + ahead)
                .count();
            self.scratch.resize(self.width * BLOCK, 0.0);
            let place = self.place.as_deref();
            weights.copy_rows(from..from + len, place, self.width, &mut self.scratch);
            (self.start, self.end) = (at, at + len);
        }
        (
            &self.scratch[(at - self.start) * self.width..][..self.width],
            from,
        )
    }
}

/// Rows of weights that never apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    /// Rows that come too late: no row of prices is left for them.
    pub late: usize,
    /// Rows that another one of the same row of prices takes the place of.
    pub superseded: usize,
}

/// Where each column of the weights stands in the panel.
fn places(schedule: &Schedule<'_>, panel: &Panel<'_>) -> Result<Option<Vec<usize>>> {
    if schedule.symbols == panel.symbols() {
        return Ok(None);
    }
    let mut known: Vec<(&str, usize)> = Vec::with_capacity(panel.symbols().len());
    known.extend(
        panel
            .symbols()
            .iter()
            .enumerate()
            .map(|(at, s)| (s.as_str(), at)),
    );
    known.sort_unstable();
    let place = |symbol: &String| {
        let found = known.binary_search_by(|(name, _)| (*name).cmp(symbol.as_str()));
        found.map(|at| known[at].1).map_err(|_| {
            let column = schedule
                .symbols
                .iter()
                .position(|s| s == symbol)
                .unwrap_or(0);
            let weights = &schedule.weights;
            let named = |row: &usize| {
                let weight = weights.get(*row, column);
                !weight.is_nan() && weight != 0.0
            };
            Error::UnknownSymbol {
                symbol: symbol.clone(),
                row: (0..weights.rows()).find(named).unwrap_or(0),
                known: some_names(panel.symbols()),
            }
        })
    };
    schedule
        .symbols
        .iter()
        .map(place)
        .collect::<Result<_>>()
        .map(Some)
}

/// A few names, and how many more there are.
pub(crate) fn some_names(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() <= SHOWN {
        return text;
    }
    format!("{text} and {} more", names.len() - SHOWN)
}

/// What weights must keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) on_null: OnNull,
    pub(crate) long_only: bool,
    pub(crate) gross: Option<f64>,
}

/// Weights over their limit by rounding are not over it.
pub(crate) const GROSS_TOLERANCE: f64 = 1e-9;

impl Limits {
    /// Copies weights into `out`: what is null is NaN where it means to hold, zero where it means to close. `false` when
    /// all hold, so that the row is none.
    pub(crate) fn check(
        &self,
        weights: &[f64],
        place: (usize, i64),
        symbols: &[String],
        out: &mut Vec<f64>,
    ) -> Result<bool> {
        let (row, time) = place;
        out.clear();
        let (mut gross, mut held) = (0.0, 0);
        for (symbol, &weight) in weights.iter().enumerate() {
            let name = || symbols[symbol].clone();
            if weight.is_nan() {
                match self.on_null {
                    OnNull::Error => {
                        let symbol = name();
                        return Err(Error::NullWeight { symbol, row, time });
                    }
                    OnNull::Hold => {
                        held += 1;
                        out.push(f64::NAN);
                    }
                    OnNull::Zero => out.push(0.0),
                }
                continue;
            }
            if weight.is_infinite() {
                let symbol = name();
                return Err(Error::BadWeight {
                    symbol,
                    row,
                    time,
                    weight,
                });
            }
            if self.long_only && weight < 0.0 {
                let symbol = name();
                return Err(Error::Short {
                    symbol,
                    row,
                    time,
                    weight,
                });
            }
            gross += weight.abs();
            out.push(weight);
        }
        if let Some(limit) = self.gross
            && gross > limit + GROSS_TOLERANCE
        {
            let size = |symbol: &usize| out[*symbol].abs();
            let largest = (0..out.len())
                .filter(|symbol| !out[*symbol].is_nan())
                .max_by(|a, b| size(a).total_cmp(&size(b)))
                .unwrap_or(0);
            return Err(Error::Gross {
                row,
                time,
                gross,
                limit,
                symbol: symbols[largest].clone(),
            });
        }
        Ok(held < weights.len())
    }
}
