//! Prices as borrowed columns: wide, in chunks as they arrive, or row by row.

use super::error::{Error, Result};

/// How many rows are turned from columns into rows at once: with 500 columns they stay in the second-level cache.
pub(crate) const BLOCK: usize = 16;

/// Which values of a column are there: bit `offset + row`, least significant first, as Arrow has it.
#[derive(Clone, Copy, Debug)]
pub struct Validity<'a> {
    /// The bits.
    pub bits: &'a [u8],
    /// Where those of the first row are.
    pub offset: usize,
}

impl Validity<'_> {
    /// Whether the value of a row is there.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        let bit = self.offset + row;
        self.bits[bit / 8] >> (bit % 8) & 1 == 1
    }
}

/// One column of doubles. A value that is not valid, or NaN, is missing.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// The values; what stands where none is valid does not matter.
    pub values: &'a [f64],
    /// Which values are valid; `None` when all are.
    pub valid: Option<Validity<'a>>,
}

impl<'a> Column<'a> {
    /// A column whose missing values, if any, are NaN.
    pub const fn new(values: &'a [f64]) -> Self {
        Self {
            values,
            valid: None,
        }
    }

    /// The value of a row, NaN when it is missing.
    #[inline]
    pub fn get(&self, row: usize) -> f64 {
        match &self.valid {
            Some(valid) if !valid.is_valid(row) => f64::NAN,
            _ => self.values[row],
        }
    }
}

/// Some rows of all columns.
#[derive(Clone, Debug)]
pub struct Chunk<'a> {
    /// One column for each symbol, all of one length.
    pub columns: Vec<Column<'a>>,
}

#[derive(Clone, Debug)]
struct Part<'a> {
    start: usize,
    end: usize,
    columns: Vec<Column<'a>>,
}

#[derive(Clone, Debug)]
enum Layout<'a> {
    Rows(&'a [f64]),
    Columns(Vec<Part<'a>>),
}

/// Doubles by row and symbol, borrowed as they lie: one column for each symbol, or row after row.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    rows: usize,
    symbols: usize,
    layout: Layout<'a>,
}

impl<'a> Matrix<'a> {
    /// Row after row: the value of a symbol in a row is at `row * symbols + symbol`.
    ///
    /// # Errors
    /// When the length is no multiple of the number of symbols.
    pub fn from_rows(values: &'a [f64], symbols: usize) -> Result<Self> {
        let rows = values.len().checked_div(symbols).unwrap_or(0);
        if rows * symbols != values.len() {
            return Err(Error::Shape {
                what: "a matrix",
                column: "values".into(),
                symbols,
                expected: rows * symbols,
                found: values.len(),
            });
        }
        Ok(Self {
            rows,
            symbols,
            layout: Layout::Rows(values),
        })
    }

    /// One column for each symbol.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn from_columns(columns: Vec<Column<'a>>) -> Result<Self> {
        Self::from_chunks(vec![Chunk { columns }])
    }

    /// Chunks of rows, one after another, each with one column for each symbol.
    ///
    /// # Errors
    /// When the columns of a chunk differ in length, or chunks in the number of columns.
    pub fn from_chunks(chunks: Vec<Chunk<'a>>) -> Result<Self> {
        let symbols = chunks.first().map_or(0, |chunk| chunk.columns.len());
        let mut parts = Vec::with_capacity(chunks.len());
        let mut start = 0;
        for Chunk { columns } in chunks {
            let len = columns.first().map_or(0, |column| column.values.len());
            let shape = |column: usize, found: usize, expected: usize| Error::Shape {
                what: "a chunk",
                column: column.to_string(),
                symbols,
                expected,
                found,
            };
            if columns.len() != symbols {
                return Err(shape(columns.len(), columns.len(), symbols));
            }
            for (at, column) in columns.iter().enumerate() {
                let bits = column.valid.map_or(usize::MAX, |valid| {
                    (valid.bits.len() * 8).saturating_sub(valid.offset)
                });
                if column.values.len() != len || bits < len {
                    return Err(shape(at, column.values.len().min(bits), len));
                }
            }
            let end = start + len;
            if len > 0 {
                parts.push(Part {
                    start,
                    end,
                    columns,
                });
            }
            start = end;
        }
        Ok(Self {
            rows: start,
            symbols,
            layout: Layout::Columns(parts),
        })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of symbols.
    pub fn symbols(&self) -> usize {
        self.symbols
    }

    /// One value, NaN when it is missing.
    pub fn get(&self, row: usize, symbol: usize) -> f64 {
        match &self.layout {
            Layout::Rows(values) => values[row * self.symbols + symbol],
            Layout::Columns(parts) => {
                let part = &parts[parts.partition_point(|part| part.end <= row)];
                part.columns[symbol].get(row - part.start)
            }
        }
    }

    /// Copies the values of a symbol into `out`, oldest first; what is missing is NaN.
    pub(crate) fn copy_column(&self, symbol: usize, out: &mut Vec<f64>) {
        out.clear();
        match &self.layout {
            Layout::Rows(values) => {
                out.extend(values.iter().skip(symbol).step_by(self.symbols));
            }
            Layout::Columns(parts) => {
                for part in parts {
                    let column = &part.columns[symbol];
                    match column.valid {
                        None => out.extend_from_slice(column.values),
                        Some(_) => out.extend((0..column.values.len()).map(|row| column.get(row))),
                    }
                }
            }
        }
    }

    /// Copies of some rows, row after row; what is missing is NaN.
    ///
    /// # Panics
    /// When there are no such rows.
    pub fn rows_to_vec(&self, rows: std::ops::Range<usize>) -> Vec<f64> {
        assert!(
            rows.end <= self.rows,
            "rows to {} of {}",
            rows.end,
            self.rows
        );
        let mut values = vec![f64::NAN; rows.len() * self.symbols];
        if self.symbols > 0 {
            self.copy_rows(rows, None, self.symbols, &mut values);
        }
        values
    }

    /// All rows as one slice, when they lie so.
    pub(crate) fn as_rows(&self) -> Option<&'a [f64]> {
        match self.layout {
            Layout::Rows(values) => Some(values),
            Layout::Columns(_) => None,
        }
    }

    /// Copies rows into `out`, row after row of `width`; the symbol at `from` goes to `place[from]`, or stays where it is
    /// without places. What is missing becomes NaN.
    pub(crate) fn copy_rows(
        &self,
        rows: std::ops::Range<usize>,
        place: Option<&[usize]>,
        width: usize,
        out: &mut [f64],
    ) {
        match &self.layout {
            Layout::Rows(values) => {
                for (row, out) in rows.zip(out.chunks_exact_mut(width)) {
                    let values = &values[row * self.symbols..][..self.symbols];
                    match place {
                        None => out[..self.symbols].copy_from_slice(values),
                        Some(place) => {
                            for (&value, &to) in values.iter().zip(place) {
                                out[to] = value;
                            }
                        }
                    }
                }
            }
            Layout::Columns(parts) => {
                for part in parts {
                    let start = rows.start.max(part.start);
                    let end = rows.end.min(part.end);
                    if start < end {
                        let out = &mut out[(start - rows.start) * width..];
                        part.transpose(start - part.start..end - part.start, place, width, out);
                    }
                }
            }
        }
    }

    /// Adds up the value of what is held, for each of some rows: `net[row] += qty * value`.
    pub(crate) fn add_values(
        &self,
        rows: std::ops::Range<usize>,
        held: &[(usize, f64)],
        net: &mut [f64],
    ) {
        match &self.layout {
            Layout::Rows(values) => {
                for (row, net) in rows.zip(net) {
                    let values = &values[row * self.symbols..][..self.symbols];
                    *net += held
                        .iter()
                        .map(|&(symbol, qty)| qty * values[symbol])
                        .sum::<f64>();
                }
            }
            Layout::Columns(parts) => {
                for part in parts {
                    let start = rows.start.max(part.start);
                    let end = rows.end.min(part.end);
                    if start < end {
                        let net = &mut net[start - rows.start..end - rows.start];
                        part.add_values(start - part.start, held, net);
                    }
                }
            }
        }
    }

    /// Looks at every value once: an error at the first that is not finite or below `least`, unless it is missing. `least`
    /// is zero or the smallest normal number.
    ///
    /// Gives the first and the last row of each symbol with a value, and whether any value is missing.
    fn scan(&self, least: f64, mut fault: impl FnMut(usize, usize, f64) -> Error) -> Result<Facts> {
        let complete = || Facts {
            spans: vec![(0, self.rows.saturating_sub(1)); self.symbols],
            gaps: false,
        };
        let all_good = match &self.layout {
            Layout::Rows(values) => all_from(values, least),
            Layout::Columns(parts) => parts.iter().all(|part| {
                let mut columns = part.columns.iter();
                columns.all(|column| column.valid.is_none() && all_from(column.values, least))
            }),
        };
        if all_good {
            return Ok(complete());
        }
        let mut facts = Facts {
            spans: vec![(usize::MAX, 0); self.symbols],
            gaps: false,
        };
        let mut see = |row: usize, symbol: usize, value: f64| {
            if value.is_nan() {
                facts.gaps = true;
            } else if (least..f64::INFINITY).contains(&value) {
                let span = &mut facts.spans[symbol];
                span.0 = span.0.min(row);
                span.1 = span.1.max(row);
            } else {
                return Err(fault(row, symbol, value));
            }
            Ok(())
        };
        match &self.layout {
            Layout::Rows(values) => {
                for (at, &value) in values.iter().enumerate() {
                    see(at / self.symbols, at % self.symbols, value)?;
                }
            }
            Layout::Columns(parts) => {
                for part in parts {
                    for (symbol, column) in part.columns.iter().enumerate() {
                        for row in part.start..part.end {
                            see(row, symbol, column.get(row - part.start))?;
                        }
                    }
                }
            }
        }
        Ok(facts)
    }
}

/// Whether all values are finite and not below `least`; of values too large to add up it may say that they are not.
///
/// A sum and a minimum tell, and take half of the instructions that looking at each value would: a sum is finite when
/// every value is, and a minimum that passes over NaN does no harm, since the sum does not.
fn all_from(values: &[f64], least: f64) -> bool {
    const LANES: usize = 8;
    let lower = |a: f64, b: f64| if a < b { a } else { b };
    values.chunks(1024).all(|chunk| {
        let (mut sums, mut minima) = ([0.0; LANES], [f64::INFINITY; LANES]);
        let (eights, rest) = chunk.as_chunks::<LANES>();
        for eight in eights {
            for lane in 0..LANES {
                sums[lane] += eight[lane];
                minima[lane] = lower(eight[lane], minima[lane]);
            }
        }
        for (lane, value) in rest.iter().enumerate() {
            sums[lane] += value;
            minima[lane] = lower(*value, minima[lane]);
        }
        let sum: f64 = sums.iter().sum();
        sum.is_finite() && minima.iter().all(|minimum| *minimum >= least)
    })
}

impl Part<'_> {
    fn transpose(
        &self,
        rows: std::ops::Range<usize>,
        place: Option<&[usize]>,
        width: usize,
        out: &mut [f64],
    ) {
        let len = rows.len();
        // Eight columns at a time fill a cache line of the row.
        let mut at = 0;
        if place.is_none() {
            while at + 8 <= self.columns.len() {
                let lines: [&[f64]; 8] =
                    std::array::from_fn(|k| &self.columns[at + k].values[rows.clone()]);
                for row in 0..len {
                    let to = &mut out[row * width + at..][..8];
                    for (to, line) in to.iter_mut().zip(&lines) {
                        *to = line[row];
                    }
                }
                at += 8;
            }
        }
        for (symbol, column) in self.columns.iter().enumerate().skip(at) {
            let to = place.map_or(symbol, |place| place[symbol]);
            for (row, &value) in column.values[rows.clone()].iter().enumerate() {
                out[row * width + to] = value;
            }
        }
        for (symbol, column) in self.columns.iter().enumerate() {
            if let Some(valid) = &column.valid {
                let to = place.map_or(symbol, |place| place[symbol]);
                for row in 0..len {
                    if !valid.is_valid(rows.start + row) {
                        out[row * width + to] = f64::NAN;
                    }
                }
            }
        }
    }

    fn add_values(&self, start: usize, held: &[(usize, f64)], net: &mut [f64]) {
        let len = net.len();
        let line = |symbol: usize| &self.columns[symbol].values[start..][..len];
        // Many columns at once: their next lines come from memory together, and the sums are read and written less often.
        let (eights, rest) = held.as_chunks::<8>();
        for eight in eights {
            let lines = eight.map(|(symbol, _)| line(symbol));
            for (row, net) in net.iter_mut().enumerate() {
                let value = |at: usize| eight[at].1 * lines[at][row];
                let (first, second) = (value(0) + value(1), value(2) + value(3));
                let (third, fourth) = (value(4) + value(5), value(6) + value(7));
                *net += (first + second) + (third + fourth);
            }
        }
        for &(symbol, qty) in rest {
            for (net, &value) in net.iter_mut().zip(line(symbol)) {
                *net += qty * value;
            }
        }
    }
}

/// What a look at all values has shown.
#[derive(Clone, Debug, PartialEq)]
struct Facts {
    /// The first and the last row with a value, for each symbol; the first is after the last when there is none.
    spans: Vec<(usize, usize)>,
    gaps: bool,
}

/// Which price of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The last price; every panel has it.
    Close,
    /// The first price.
    Open,
    /// The highest price.
    High,
    /// The lowest price.
    Low,
    /// The mean price, weighted by volume.
    Vwap,
    /// The volume; zero is a volume.
    Volume,
}

impl Field {
    /// Its name in frames.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Vwap => "vwap",
            Self::Volume => "volume",
        }
    }
}

/// Prices of some symbols at some times: every row one time, every column one symbol. Nothing is copied.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Column, Matrix, Panel};
///
/// let symbols = ["A".to_owned(), "B".to_owned()];
/// let (a, b) = ([10.0, 11.0, 12.0], [20.0, f64::NAN, 19.0]);
/// let close = Matrix::from_columns(vec![Column::new(&a), Column::new(&b)])?;
/// let panel = Panel::new(&[1, 2, 3], &symbols, close)?;
/// assert_eq!((panel.rows(), panel.symbols().len()), (3, 2));
///
/// // A price of zero is no price.
/// let bad = Matrix::from_rows(&[1.0, 0.0], 2)?;
/// let error = Panel::new(&[1], &symbols, bad).unwrap_err();
/// assert!(error.to_string().starts_with("close of B in row 0"));
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    times: &'a [i64],
    symbols: &'a [String],
    close: Matrix<'a>,
    facts: Facts,
    /// Open, high, low, vwap, volume, and whether any value of it is missing.
    others: [Option<(Matrix<'a>, bool)>; 5],
}

impl<'a> Panel<'a> {
    /// Closing prices. Times are ns since the epoch and rise; a missing price is NaN or not valid.
    ///
    /// # Errors
    /// When there are no rows or symbols, times don't rise, symbols repeat, or a price is not finite and above zero.
    pub fn new(times: &'a [i64], symbols: &'a [String], close: Matrix<'a>) -> Result<Self> {
        let what = "prices";
        if times.is_empty() {
            return Err(Error::NoRows { what });
        }
        if symbols.is_empty() {
            return Err(Error::NoSymbols { what });
        }
        check_times(what, times)?;
        check_symbols(what, symbols)?;
        let mut panel = Self {
            times,
            symbols,
            facts: Facts {
                spans: Vec::new(),
                gaps: false,
            },
            close: Matrix::from_rows(&[], 0)?,
            others: [const { None }; 5],
        };
        panel.facts = panel.check(Field::Close, &close)?;
        panel.close = close;
        Ok(panel)
    }

    /// The same panel with further prices, or volumes.
    ///
    /// # Errors
    /// As for closing prices; a volume may be zero.
    pub fn with(mut self, field: Field, values: Matrix<'a>) -> Result<Self> {
        let facts = self.check(field, &values)?;
        if let Some(slot) = slot(field) {
            self.others[slot] = Some((values, facts.gaps));
        } else {
            self.close = values;
            self.facts = facts;
        }
        Ok(self)
    }

    fn check(&self, field: Field, values: &Matrix<'_>) -> Result<Facts> {
        if values.symbols != self.symbols.len() || values.rows != self.times.len() {
            return Err(Error::Shape {
                what: "prices",
                column: field.as_str().into(),
                symbols: self.symbols.len(),
                expected: self.times.len(),
                found: values.rows,
            });
        }
        let fault = |row: usize, symbol: usize, price: f64| Error::BadPrice {
            column: field.as_str(),
            symbol: self.symbols[symbol].clone(),
            row,
            time: self.times[row],
            price,
        };
        let least = if field == Field::Volume {
            0.0
        } else {
            f64::MIN_POSITIVE
        };
        values.scan(least, fault)
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

    /// Closing prices.
    pub fn close(&self) -> &Matrix<'a> {
        &self.close
    }

    /// Prices or volumes; `None` when the panel has none of the kind.
    pub fn field(&self, field: Field) -> Option<&Matrix<'a>> {
        match slot(field) {
            Some(slot) => self.others[slot].as_ref().map(|(values, _)| values),
            None => Some(&self.close),
        }
    }

    /// Whether a price of the kind is missing anywhere.
    pub(crate) fn has_gaps(&self, field: Field) -> bool {
        match slot(field) {
            Some(slot) => self.others[slot].as_ref().is_none_or(|(_, gaps)| *gaps),
            None => self.facts.gaps,
        }
    }

    /// The last row in which a symbol has a close; `None` when it has none.
    pub(crate) fn last_row(&self, symbol: usize) -> Option<usize> {
        let (first, last) = self.facts.spans[symbol];
        (first <= last).then_some(last)
    }
}

fn slot(field: Field) -> Option<usize> {
    match field {
        Field::Close => None,
        Field::Open => Some(0),
        Field::High => Some(1),
        Field::Low => Some(2),
        Field::Vwap => Some(3),
        Field::Volume => Some(4),
    }
}

pub(crate) fn check_times(what: &'static str, times: &[i64]) -> Result<()> {
    let Some(at) = times.windows(2).position(|pair| pair[1] <= pair[0]) else {
        return Ok(());
    };
    let (row, before, time) = (at + 1, times[at], times[at + 1]);
    if time == before {
        Err(Error::DuplicateTime { what, row, time })
    } else {
        Err(Error::NotSorted {
            what,
            row,
            time,
            before,
        })
    }
}

pub(crate) fn check_symbols(what: &'static str, symbols: &[String]) -> Result<()> {
    let mut sorted: Vec<&String> = symbols.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(Error::DuplicateSymbol {
            what,
            symbol: pair[0].clone(),
        }),
    }
}

/// Rows of a matrix, one at a time; columns are turned into rows a block at a time.
#[derive(Debug)]
pub(crate) struct Window<'m, 'a> {
    matrix: &'m Matrix<'a>,
    scratch: Vec<f64>,
    start: usize,
    end: usize,
}

impl<'m, 'a> Window<'m, 'a> {
    pub(crate) fn new(matrix: &'m Matrix<'a>) -> Self {
        Self {
            matrix,
            scratch: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    /// A row, and with it up to `ahead` further ones that will be asked for.
    #[inline]
    pub(crate) fn row(&mut self, row: usize, ahead: usize) -> &[f64] {
        let width = self.matrix.symbols;
        if let Some(values) = self.matrix.as_rows() {
            return &values[row * width..][..width];
        }
        if row < self.start || row >= self.end {
            let end = (row + ahead.clamp(1, BLOCK)).min(self.matrix.rows);
            self.scratch.resize(width * BLOCK, f64::NAN);
            self.matrix
                .copy_rows(row..end, None, width, &mut self.scratch);
            (self.start, self.end) = (row, end);
        }
        &self.scratch[(row - self.start) * width..][..width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_and_a_minimum_tell_what_a_price_is() {
        let prices = [f64::MIN_POSITIVE, 1.0, 123.456, f64::MAX];
        let none = [
            0.0,
            -0.0,
            f64::MIN_POSITIVE / 2.0,
            -f64::MIN_POSITIVE,
            -1.0,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            -f64::NAN,
        ];
        assert!(all_from(&prices, f64::MIN_POSITIVE) && all_from(&[0.0, 5.0], 0.0));
        for bad in none {
            for place in 0..5 {
                let mut values = vec![1.0; 1_030];
                values[place * 257] = bad;
                assert!(!all_from(&values, f64::MIN_POSITIVE), "{bad}");
            }
        }
        assert!(!all_from(&[-1.0], 0.0) && !all_from(&[f64::NAN], 0.0));
    }
}
