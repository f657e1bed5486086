//! Bindings of `nanobook::book` and of snapshots as frames.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringViewArray, UInt32Array, UInt64Array};
use nanobook::book::{BookOrder, OrderBook};
use nanobook::rows::{Mbo, PriceLevel, StockDirectory};
use nanobook::{OrderId, Price, Side, Sink, Timestamp};
use nanobook_arrow::Table as _;
use nanobook_datasets::replay_into;
use nanobook_itch::replay::{Config, Wanted};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::error::{Error, Kind, Place};
use crate::frame::Frame;
use crate::itch::{Options, open};
use crate::run::interruptible;
use crate::table::Table;
use crate::words::{side, side_name, symbol};

/// How prices come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prices {
    /// As doubles in units of the currency.
    Currency,
    /// As the integers that went in.
    Integer,
}

impl Prices {
    fn array(self, prices: impl Iterator<Item = Option<Price>>) -> ArrayRef {
        match self {
            Self::Currency => Arc::new(
                prices
                    .map(|p| p.map(Price::as_f64))
                    .collect::<Float64Array>(),
            ),
            Self::Integer => Arc::new(prices.map(|p| p.map(|p| p.0)).collect::<Int64Array>()),
        }
    }
}

/// Levels of both sides, one row per rank: `level, bid_px, bid_qty, bid_count, ask_px, ask_qty, ask_count`.
pub(crate) fn depth_frame(
    bids: &[PriceLevel],
    asks: &[PriceLevel],
    prices: Prices,
) -> Result<Frame, Error> {
    let rows = bids.len().max(asks.len());
    let ranks: UInt32Array = (0..).take(rows).collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![("level", Arc::new(ranks))];
    for (names, levels) in [
        (["bid_px", "bid_qty", "bid_count"], bids),
        (["ask_px", "ask_qty", "ask_count"], asks),
    ] {
        let level = || (0..rows).map(|at| levels.get(at));
        let qtys: UInt64Array = level().map(|l| l.map(|l| l.qty.0)).collect();
        let counts: UInt32Array = level().map(|l| l.map(|l| l.count)).collect();
        columns.push((names[0], prices.array(level().map(|l| l.map(|l| l.price)))));
        columns.push((names[1], Arc::new(qtys)));
        columns.push((names[2], Arc::new(counts)));
    }
    Frame::of("levels", columns)
}

/// Orders, bids first, best price first and in order of the queue: `side, price, qty, order_id`.
pub(crate) fn orders_frame(
    orders: impl Iterator<Item = BookOrder>,
    prices: Prices,
) -> Result<Frame, Error> {
    let orders: Vec<BookOrder> = orders.collect();
    let sides: StringViewArray = orders.iter().map(|o| Some(side_name(o.side))).collect();
    let qtys: UInt64Array = orders.iter().map(|o| o.qty.0).collect();
    let ids: UInt64Array = orders.iter().map(|o| o.id.0).collect();
    Frame::of(
        "book_orders",
        vec![
            ("side", Arc::new(sides)),
            ("price", prices.array(orders.iter().map(|o| Some(o.price)))),
            ("qty", Arc::new(qtys)),
            ("order_id", Arc::new(ids)),
        ],
    )
}

/// The orders of one instrument, by price and time of arrival, as a feed tells of them; it never matches.
///
/// Examples
/// --------
/// >>> import nanobook as nb
/// >>> book = nb.book_itch(nb.SAMPLE, "ZJVL", end="10:00")
/// >>> book.depth(2).columns
/// ['level', 'bid_px', 'bid_qty', 'bid_count', 'ask_px', 'ask_qty', 'ask_count']
/// >>> again = nb.OrderBook()
/// >>> again.apply(nb.read_itch(nb.SAMPLE, "mbo", symbols="ZJVL", end="10:00"))
/// 0
/// >>> again.best_bid == book.best_bid
/// True
#[pyclass(module = "nanobook", name = "OrderBook")]
#[derive(Clone, Debug, Default)]
pub(crate) struct PyOrderBook {
    book: OrderBook,
}

/// A level: price in currency, quantity, number of orders.
type Level = (f64, u64, u32);

impl PyOrderBook {
    fn level(&self, side: Side) -> Option<Level> {
        let level = self.book.best(side)?;
        Some((level.price.as_f64(), level.qty.0, level.count))
    }

    fn best_two(&self, levels: usize) -> [Vec<PriceLevel>; 2] {
        [Side::Buy, Side::Sell].map(|side| self.book.levels(side).take(levels).collect())
    }
}

#[pymethods]
impl PyOrderBook {
    #[new]
    fn py_new() -> Self {
        Self::default()
    }

    /// Applies rows of the `mbo` table in their order and returns how many named an order that they can't be about.
    ///
    /// Parameters
    /// ----------
    /// rows
    ///     A frame with the columns of `read_itch(path, "mbo", symbols=one)`.
    fn apply(&mut self, py: Python<'_>, rows: Table) -> PyResult<u64> {
        let book = &mut self.book;
        let faults = py.detach(|| {
            let mut faults = 0;
            for batch in rows.batches() {
                for row in Mbo::rows(batch)? {
                    if let Some(delta) = row.delta() {
                        faults += u64::from(book.apply(delta).fault.is_some());
                    }
                }
            }
            Ok::<_, nanobook_arrow::Error>(faults)
        });
        Ok(faults.map_err(Error::Table)?)
    }

    /// Price in currency, quantity and number of orders of the best bid; None when nobody bids.
    #[getter]
    fn best_bid(&self) -> Option<Level> {
        self.level(Side::Buy)
    }

    /// Price in currency, quantity and number of orders of the best ask; None when nobody asks.
    #[getter]
    fn best_ask(&self) -> Option<Level> {
        self.level(Side::Sell)
    }

    /// Whether the best bid is at or above the best ask.
    #[getter]
    fn is_crossed(&self) -> bool {
        self.book.is_crossed()
    }

    /// The best levels of both sides: `level, bid_px, bid_qty, bid_count, ask_px, ask_qty, ask_count`, null where a side is
    /// shorter.
    #[pyo3(signature = (levels=10))]
    fn depth(&self, levels: usize) -> PyResult<Frame> {
        let [bids, asks] = self.best_two(levels);
        Ok(depth_frame(&bids, &asks, Prices::Currency)?)
    }

    /// Orders of one side or both, best price first, in order of the queue: `side, price, qty, order_id`.
    #[pyo3(signature = (side=None))]
    fn orders(&self, side: Option<&str>) -> PyResult<Frame> {
        let sides = match side {
            Some(name) => vec![self::side(name)?],
            None => vec![Side::Buy, Side::Sell],
        };
        let orders = sides.into_iter().flat_map(|side| self.book.orders(side));
        Ok(orders_frame(orders, Prices::Currency)?)
    }

    /// (bid quantity − ask quantity) / their sum over the best levels, −1 to 1; None when the book is empty.
    #[pyo3(signature = (levels=10))]
    fn imbalance(&self, levels: usize) -> Option<f64> {
        let [bids, asks] = self.best_two(levels);
        nanobook::matching::Depth { bids, asks }.imbalance()
    }

    /// Orders ahead of an order at its price, and their quantity.
    ///
    /// Raises
    /// ------
    /// MissingError
    ///     When it is not in the book.
    fn queue_position(&self, order_id: u64) -> PyResult<(u32, u64)> {
        let position = self.book.queue_position(OrderId(order_id));
        let position = position.ok_or_else(|| {
            Error::new(
                Kind::Missing,
                format!("order {order_id} is not in the book"),
            )
        })?;
        Ok((position.orders_ahead, position.qty_ahead.0))
    }

    fn __len__(&self) -> usize {
        self.book.len()
    }

    fn __repr__(&self) -> String {
        let level = |level: Option<Level>| match level {
            Some((price, qty, count)) => format!("{qty} at {price} ({count} orders)"),
            None => "nothing".to_owned(),
        };
        format!(
            "OrderBook: {} orders, {} bids and {} asks; bid {}, ask {}",
            self.book.len(),
            self.book.level_count(Side::Buy),
            self.book.level_count(Side::Sell),
            level(self.best_bid()),
            level(self.best_ask())
        )
    }
}

/// Builds one instrument's book until a time.
struct Builder {
    book: OrderBook,
    until: Timestamp,
    listed: bool,
}

impl Sink for Builder {
    fn stock_directory(&mut self, _: &StockDirectory) {
        self.listed = true;
    }

    fn mbo(&mut self, row: &Mbo) {
        if row.header.ts_event < self.until
            && let Some(delta) = row.delta()
        {
            self.book.apply(delta);
        }
    }
}

/// The book of a symbol of a raw file as it stands before a time, or at the end.
#[pyfunction]
fn book_itch(py: Python<'_>, path: PathBuf, name: &str, options: Options) -> PyResult<PyOrderBook> {
    let midnight = options.date(&path)?.midnight();
    let options = options.replay()?;
    let mut config = Config::new(midnight);
    config.wanted = Wanted {
        mbo: true,
        ..Wanted::default()
    };
    config.symbols = Some([symbol(name)?].into());
    let until = i64::try_from(options.to_ns).ok();
    let until = Timestamp(until.map_or(i64::MAX, |ns| midnight.0.saturating_add(ns)));
    let book = interruptible(py, move |stop| {
        let mut builder = Builder {
            book: OrderBook::new(),
            until,
            listed: false,
        };
        replay_into(
            open(&path)?.without_digest(),
            config,
            &options,
            stop,
            &mut builder,
        )?;
        Ok::<_, nanobook_datasets::Error>(builder)
    })?;
    let Builder { book, listed, .. } = book.map_err(Error::Datasets)?;
    if !listed {
        return Err(Error::At {
            kind: Kind::Missing,
            message: format!("the feed lists no symbol {name} until then"),
            place: Place {
                symbol: Some(name.to_owned()),
                ..Place::default()
            },
        }
        .into());
    }
    Ok(PyOrderBook { book })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyOrderBook>()?;
    module.add_function(wrap_pyfunction!(book_itch, module)?)
}
