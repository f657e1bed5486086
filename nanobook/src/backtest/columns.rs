//! Fills, holdings and weights as columns, for tables.
//!
//! A row of weights that moves every symbol, and a row in which every symbol is held, are written column by column: a
//! straight loop for each, instead of a dozen pushes for each symbol.

use std::iter::repeat_n;
use std::ops::Range;

use super::record::{Fill, FillReason, Held, Rebalanced, Sink};

/// Appends to a column that is empty, or short, while there is nothing but zeros.
#[inline]
fn push_rare(column: &mut Vec<f64>, len: usize, value: f64) {
    if value != 0.0 {
        column.resize(len, 0.0);
        column.push(value);
    }
}

/// Where the entries of a table stand: each in a row of the prices and at a symbol's place in the panel.
///
/// Whole rows that come first and follow one another are only counted: a panel that is held in full has millions of
/// entries, and nothing to say about where they stand.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Config, HoldingRows, Matrix, Panel, Schedule, run};
///
/// let symbols = ["A".to_owned(), "B".to_owned()];
/// let panel = Panel::new(&[1, 2, 3], &symbols, Matrix::from_rows(&[1.0; 6], 2)?)?;
/// let weights = Schedule::new(&[1, 3], &symbols, Matrix::from_rows(&[0.5, 0.5, 0.0, 1.0], 2)?)?;
/// let mut held = HoldingRows::default();
/// run(&panel, &weights, &Config::default(), &mut held)?;
/// assert_eq!(held.places.iter().collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 1)]);
/// assert_eq!(held.places.whole(), (0..2, 2));
/// assert_eq!(held.places.rest(), (&[2][..], &[1][..]));
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    whole: Range<usize>,
    symbols: usize,
    row: Vec<u32>,
    symbol: Vec<u32>,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a panel of more than four billion rows or symbols does not fit the memory"
)]
impl Places {
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.whole.len() * self.symbols + self.row.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows that come first, with an entry for every symbol in the order of the panel, and the number of symbols.
    pub fn whole(&self) -> (Range<usize>, usize) {
        (self.whole.clone(), self.symbols)
    }

    /// The rows and the symbols of the entries after those.
    pub fn rest(&self) -> (&[u32], &[u32]) {
        (&self.row, &self.symbol)
    }

    /// Row and symbol of each entry.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        let whole = self.whole.clone();
        let whole = whole.flat_map(|row| (0..self.symbols).map(move |symbol| (row, symbol)));
        let rest = self.row.iter().zip(&self.symbol);
        whole.chain(rest.map(|(row, symbol)| (*row as usize, *symbol as usize)))
    }

    fn push(&mut self, row: usize, symbol: usize) {
        self.row.push(row as u32);
        self.symbol.push(symbol as u32);
    }

    /// An entry for every symbol of a row.
    fn push_row(&mut self, row: usize, symbols: usize) {
        let is_next = self.whole.is_empty() || (self.whole.end, self.symbols) == (row, symbols);
        if self.row.is_empty() && is_next {
            self.symbols = symbols;
            if self.whole.is_empty() {
                self.whole = row..row;
            }
            self.whole.end = row + 1;
            return;
        }
        self.row.extend(repeat_n(row as u32, symbols));
        self.symbol.extend(0..symbols as u32);
    }
}

/// Fills as columns; one entry for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FillRows {
    /// Their rows and symbols.
    pub places: Places,
    /// +1 for a buy, −1 for a sale.
    pub side: Vec<i8>,
    /// Shares, above zero.
    pub qty: Vec<f64>,
    /// The price paid or received.
    pub price: Vec<f64>,
    /// Shares at that price.
    pub value: Vec<f64>,
    /// Commission, beside the price.
    pub commission: Vec<f64>,
    /// Slippage, in the price; shorter than other columns where the last fills had none.
    pub slippage: Vec<f64>,
    /// Half-spread, in the price; likewise.
    pub spread: Vec<f64>,
    /// Impact, in the price; likewise.
    pub impact: Vec<f64>,
    /// Why.
    pub reason: Vec<FillReason>,
}

impl FillRows {
    /// Room for so many fills.
    pub fn with_capacity(fills: usize) -> Self {
        Self {
            places: Places::default(),
            side: Vec::with_capacity(fills),
            qty: Vec::with_capacity(fills),
            price: Vec::with_capacity(fills),
            value: Vec::with_capacity(fills),
            commission: Vec::with_capacity(fills),
            slippage: Vec::new(),
            spread: Vec::new(),
            impact: Vec::new(),
            reason: Vec::with_capacity(fills),
        }
    }
}

impl Sink for FillRows {
    const FILLS: bool = true;
    const EVENTS: bool = false;

    #[inline]
    fn fill(&mut self, fill: &Fill) {
        let (qty, len) = (fill.qty.abs(), self.qty.len());
        self.places.push(fill.row, fill.symbol);
        self.side.push(if fill.qty > 0.0 { 1 } else { -1 });
        self.qty.push(qty);
        self.price.push(fill.price);
        self.value.push(qty * fill.price);
        self.commission.push(fill.cost.commission);
        push_rare(&mut self.slippage, len, fill.cost.slippage);
        push_rare(&mut self.spread, len, fill.cost.spread);
        push_rare(&mut self.impact, len, fill.cost.impact);
        self.reason.push(fill.reason);
    }

    fn fills(&mut self, fills: &Rebalanced<'_>) {
        let (symbols, start, costs) = (fills.after.len(), self.qty.len(), fills.costs);
        if !fills.is_of_all() || costs.worse() > 0.0 {
            fills.each(|fill| self.fill(fill));
            return;
        }
        let changes = || fills.after.iter().zip(fills.before).map(|(a, b)| a - b);
        self.places.push_row(fills.row, symbols);
        self.side
            .extend(changes().map(|qty| if qty > 0.0 { 1 } else { -1 }));
        self.qty.extend(changes().map(f64::abs));
        self.price.extend_from_slice(fills.price);
        let shares = self.qty[start..].iter().zip(fills.price);
        self.value.extend(shares.map(|(qty, price)| qty * price));
        let shares = self.qty[start..].iter().zip(&self.value[start..]);
        self.commission
            .extend(shares.map(|(qty, value)| costs.commission(*qty, *value)));
        self.reason.extend(repeat_n(FillReason::Rebalance, symbols));
    }
}

/// Weights as they applied, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetRows {
    /// The rows of the prices.
    pub row: Vec<u32>,
    /// As many weights for each as there are symbols; NaN keeps a position.
    pub weights: Vec<f64>,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a panel of more than four billion rows does not fit the memory"
)]
impl Sink for TargetRows {
    const EVENTS: bool = false;

    fn target(&mut self, row: usize, weights: &[f64]) {
        self.row.push(row as u32);
        self.weights.extend_from_slice(weights);
    }
}

/// What was held, as columns; one entry for each symbol that is held in a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HoldingRows {
    /// Their rows and symbols.
    pub places: Places,
    /// Shares.
    pub qty: Vec<f64>,
    /// The mark.
    pub price: Vec<f64>,
    /// Shares at the mark.
    pub value: Vec<f64>,
    /// The part of equity.
    pub weight: Vec<f64>,
    /// Whether the price is that of an earlier row; empty where none is missing anywhere.
    pub stale: Vec<bool>,
}

impl HoldingRows {
    /// Room for so many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self {
            places: Places::default(),
            qty: Vec::with_capacity(entries),
            price: Vec::with_capacity(entries),
            value: Vec::with_capacity(entries),
            weight: Vec::with_capacity(entries),
            stale: Vec::new(),
        }
    }
}

impl Sink for HoldingRows {
    const HOLDINGS: bool = true;
    const EVENTS: bool = false;

    fn held(&mut self, held: &Held<'_>) {
        let (part, start) = (1.0 / held.equity, self.qty.len());
        let is_all = held.qty.iter().all(|qty| *qty != 0.0);
        if is_all && held.stale.is_empty() {
            self.places.push_row(held.row, held.qty.len());
            self.qty.extend_from_slice(held.qty);
            self.price.extend_from_slice(held.mark);
            let shares = held.qty.iter().zip(held.mark);
            self.value.extend(shares.map(|(qty, mark)| qty * mark));
            let values = self.value[start..].iter();
            self.weight.extend(values.map(|value| value * part));
            return;
        }
        for (symbol, (&qty, &mark)) in held.qty.iter().zip(held.mark).enumerate() {
            if qty != 0.0 {
                let value = qty * mark;
                self.places.push(held.row, symbol);
                self.qty.push(qty);
                self.price.push(mark);
                self.value.push(value);
                self.weight.push(value * part);
                if let Some(rows) = held.stale.get(symbol) {
                    self.stale.push(*rows > 0);
                }
            }
        }
    }
}
