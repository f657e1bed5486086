//! The market of a paper account: prices of a file, or of the sample.
//!
//! A long file has `symbol` and either `price` (or `close`) or `bid_px` and `ask_px`, with `bid_qty` and `ask_qty` where
//! depth matters; with a time, the last row of each symbol counts. A wide file has a column for each symbol; its last row
//! counts. Prices become quotes by a spread around them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use nanobook::trading::decimal;
use nanobook::trading::{DataType, Quote, Units};
use nanobook::{Price, Symbol, Timestamp};
use nanobook_broker::paper::QuoteSource;

use crate::sample;
use crate::targets::{
    Cell, Mismatch, Problem, Sheet, TargetError, load, read_number, read_time, time_column,
};

/// How often the same prices are quoted anew, with their depth as it was.
const RENEWED_NS: i64 = 250_000_000;

/// How prices become quotes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Making {
    /// Half of the spread, in basis points.
    pub half_spread_bps: f64,
    /// Prices are multiples of it.
    pub tick: Price,
    /// How many are quoted on each side; `None` for as many as one likes.
    pub qty: Option<Units>,
}

/// Bid and ask of a symbol, and how many at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    bid: Price,
    ask: Price,
    bid_qty: Option<Units>,
    ask_qty: Option<Units>,
}

/// Quotes that stand still.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    shown: BTreeMap<Symbol, Shown>,
    given: HashMap<Symbol, i64>,
}

impl Prices {
    /// Of a file.
    ///
    /// # Errors
    /// When it can't be read, or a price is not above zero.
    pub fn read(path: &Path, making: Making) -> Result<Self, TargetError> {
        let source = path.display().to_string();
        let (sheet, _) = load(path)?;
        if sheet.columns.iter().any(|column| column == "symbol") {
            Self::long(&source, &sheet, making)
        } else {
            Self::wide(&source, sheet, making)
        }
    }

    /// Those of the sample.
    pub fn sample(making: Making) -> Self {
        let mut prices = Self::default();
        for row in sample::rows() {
            if let Some(shown) = making.around(row.price) {
                prices.shown.insert(row.symbol, shown);
            }
        }
        prices
    }

    /// How many symbols there are.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The symbols.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.shown.keys().copied()
    }

    fn long(source: &str, sheet: &Sheet, making: Making) -> Result<Self, TargetError> {
        let column = |name: &str| sheet.columns.iter().position(|column| column == name);
        let symbol_at = column("symbol").unwrap_or_default();
        let time = time_column(&sheet.columns);
        let price = column("price").or_else(|| column("close"));
        let quote = column("bid_px").zip(column("ask_px"));
        if price.is_none() && quote.is_none() {
            let problem = Problem::NoColumn {
                column: "price",
                found: sheet.columns.join(", "),
                remedy: "name a column price or close, or two bid_px and ask_px",
            };
            return Err(TargetError::new(source, problem));
        }
        let mut latest: HashMap<Symbol, Option<i64>> = HashMap::new();
        let mut prices = Self::default();
        for (place, cells) in &sheet.rows {
            let bad = |column: usize, (expected, found): Mismatch| {
                let column = sheet.columns[column].clone();
                let problem = Problem::Cell {
                    column,
                    expected,
                    found,
                };
                TargetError::new(source, problem).at(*place)
            };
            let number =
                |at: usize| read_number(cells[at].clone()).map_err(|mismatch| bad(at, mismatch));
            let Cell::Text(text) = &cells[symbol_at] else {
                return Err(bad(symbol_at, ("a symbol", "missing".to_owned())));
            };
            let symbol: Symbol = text
                .parse()
                .map_err(|_| bad(symbol_at, ("a symbol", text.clone())))?;
            let at = match time {
                Some(at) => read_time(&cells[at]).map_err(|mismatch| bad(at, mismatch))?,
                None => None,
            };
            if latest.get(&symbol).is_some_and(|known| *known > at) {
                continue;
            }
            let shown = match quote {
                Some((bid, ask)) => {
                    let qty = |name: &str| match column(name) {
                        Some(at) => Ok(number(at)?.and_then(units)),
                        None => Ok(making.qty),
                    };
                    let sides = number(bid)?.zip(number(ask)?);
                    let sides = sides.and_then(|(bid, ask)| to_price(bid).zip(to_price(ask)));
                    match sides {
                        Some((bid, ask)) => Some(Shown {
                            bid,
                            ask,
                            bid_qty: qty("bid_qty")?,
                            ask_qty: qty("ask_qty")?,
                        }),
                        None => None,
                    }
                }
                None => match price {
                    // A day without a price leaves the one before.
                    Some(at) => match number(at)? {
                        Some(price) => Some(making.around(price).ok_or_else(|| {
                            bad(at, ("a price above zero", price.to_string())).of(text)
                        })?),
                        None => None,
                    },
                    None => None,
                },
            };
            if let Some(shown) = shown {
                latest.insert(symbol, at);
                prices.shown.insert(symbol, shown);
            }
        }
        Ok(prices)
    }

    fn wide(source: &str, mut sheet: Sheet, making: Making) -> Result<Self, TargetError> {
        let time = time_column(&sheet.columns);
        let Some((place, cells)) = sheet.rows.pop() else {
            return Err(TargetError::new(source, Problem::Empty));
        };
        let mut prices = Self::default();
        for (at, (name, cell)) in sheet.columns.iter().zip(cells).enumerate() {
            if Some(at) == time || cell == Cell::Null {
                continue;
            }
            let bad = |expected, found| {
                let column = name.clone();
                let problem = Problem::Cell {
                    column,
                    expected,
                    found,
                };
                TargetError::new(source, problem).at(place)
            };
            let symbol: Symbol = name.parse().map_err(|_| bad("a symbol", name.clone()))?;
            let price = read_number(cell).map_err(|(expected, found)| bad(expected, found))?;
            let price = price.unwrap_or(f64::NAN);
            let shown = making
                .around(price)
                .ok_or_else(|| bad("a price above zero", price.to_string()))?;
            prices.shown.insert(symbol, shown);
        }
        Ok(prices)
    }
}

fn to_price(value: f64) -> Option<Price> {
    let units = decimal::nearest(value).ok()?;
    i64::try_from(units)
        .ok()
        .filter(|units| *units > 0)
        .map(Price)
}

fn units(value: f64) -> Option<Units> {
    decimal::nearest(value).ok().map(Units)
}

impl Making {
    /// Bid and ask around a price, each on the tick beyond; `None` when a price is not above zero.
    fn around(self, price: f64) -> Option<Shown> {
        let middle = to_price(price)?;
        let tick = i128::from(self.tick.0.max(1));
        let side = |part: f64| decimal::nearest(price * (1.0 + part)).ok();
        let part = self.half_spread_bps / 1e4;
        let (bid, ask) = if part > 0.0 {
            let (low, high) = (side(-part)?, side(part)?);
            (
                low.div_euclid(tick) * tick,
                -(-high).div_euclid(tick) * tick,
            )
        } else {
            (i128::from(middle.0), i128::from(middle.0))
        };
        // A price of less than a tick keeps its bid.
        let bid = if bid > 0 { bid } else { i128::from(middle.0) };
        Some(Shown {
            bid: Price(i64::try_from(bid).ok()?),
            ask: Price(i64::try_from(ask).ok()?),
            bid_qty: self.qty,
            ask_qty: self.qty,
        })
    }
}

impl QuoteSource for Prices {
    fn until(
        &mut self,
        now: Timestamp,
        symbols: &[Symbol],
    ) -> Result<Vec<Quote>, nanobook_broker::Error> {
        let mut quotes = Vec::new();
        for symbol in symbols {
            let Some(shown) = self.shown.get(symbol) else {
                continue;
            };
            let given = self.given.get(symbol);
            if given.is_some_and(|given| now.0.saturating_sub(*given) < RENEWED_NS) {
                continue;
            }
            self.given.insert(*symbol, now.0);
            quotes.push(Quote {
                symbol: *symbol,
                bid_px: Some(shown.bid),
                bid_qty: shown.bid_qty,
                ask_px: Some(shown.ask),
                ask_qty: shown.ask_qty,
                last_px: None,
                data_type: Some(DataType::Live),
                ts_event: now,
            });
        }
        Ok(quotes)
    }
}
