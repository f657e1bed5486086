//! One instrument of an engine: its book, its stops, its phase, and what can be seen of them.

use super::snapshot::{Depth, Orders, Quote};
use super::stop::Stops;
use crate::book::access::Hints;
use crate::book::{BookOrder, OrderBook};
use crate::rows::PriceLevel;
use crate::{Price, Qty, Side};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How orders meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Phase {
    /// An order trades when it comes; the book is never crossed.
    #[default]
    Continuous,
    /// Orders rest without trading, and the book may be crossed, until the auction ends.
    Auction,
}

/// One instrument as it stands between two commands.
#[derive(Clone, Debug, Default)]
pub struct Market {
    pub(super) book: OrderBook,
    pub(super) stops: Stops,
    pub(super) phase: Phase,
    pub(super) instrument: u32,
    pub(super) resting: usize,
    pub(super) hints: Hints,
}

impl Market {
    pub(crate) fn new(instrument: u32) -> Self {
        Self {
            instrument,
            ..Self::default()
        }
    }

    /// How orders meet now.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The price of the last trade; `None` before the first.
    pub fn last_price(&self) -> Option<Price> {
        self.stops.last()
    }

    /// The best level of a side; `None` when the side is empty.
    #[inline]
    pub fn best(&self, side: Side) -> Option<PriceLevel> {
        self.book.best(side)
    }

    /// The best price of a side; `None` when the side is empty.
    #[inline]
    pub fn best_price(&self, side: Side) -> Option<Price> {
        self.book.best_price(side)
    }

    /// The best bid and ask with their quantities (L1).
    #[inline]
    pub fn quote(&self) -> Quote {
        Quote {
            bid: self.book.best(Side::Buy),
            ask: self.book.best(Side::Sell),
        }
    }

    /// Fills `into` with the best levels of a side, best first, and says how many there were (L2). Allocates nothing.
    pub fn depth(&self, side: Side, into: &mut [PriceLevel]) -> usize {
        self.book.depth(side, into)
    }

    /// All levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = PriceLevel> {
        self.book.levels(side)
    }

    /// Number of levels of a side.
    pub fn level_count(&self, side: Side) -> usize {
        self.book.level_count(side)
    }

    /// All resting orders of a side: best price first, and at a price in order of the queue (L3).
    pub fn orders(&self, side: Side) -> impl Iterator<Item = BookOrder> {
        self.book.orders(side)
    }

    /// The best `levels` levels of both sides; all of them for `usize::MAX`.
    pub fn snapshot(&self, levels: usize) -> Depth {
        let mut depth = Depth::default();
        self.snapshot_into(levels, &mut depth);
        depth
    }

    /// As [`Market::snapshot`], into the memory of an earlier one.
    pub fn snapshot_into(&self, levels: usize, into: &mut Depth) {
        into.bids.clear();
        into.bids.extend(self.book.levels(Side::Buy).take(levels));
        into.asks.clear();
        into.asks.extend(self.book.levels(Side::Sell).take(levels));
    }

    /// Every resting order of both sides, in order of the queue (L3).
    pub fn order_snapshot(&self) -> Orders {
        Orders {
            bids: self.book.orders(Side::Buy).collect(),
            asks: self.book.orders(Side::Sell).collect(),
        }
    }

    /// Number of resting orders.
    pub fn len(&self) -> usize {
        self.resting
    }

    /// Whether no order rests.
    pub fn is_empty(&self) -> bool {
        self.resting == 0
    }

    /// Whether the best bid is at or above the best ask; in continuous trading never.
    pub fn is_crossed(&self) -> bool {
        self.book.is_crossed()
    }

    /// What an order of `side` for `qty` would get now, were it to take at any price.
    ///
    /// # Examples
    /// ```
    /// use nanobook::matching::Engine;
    /// use nanobook::{OrderRequest, Price, Qty, Side};
    ///
    /// let mut engine = Engine::default();
    /// let mut out = Vec::new();
    /// for (price, qty) in [(10_000_000_000, 1), (11_000_000_000, 3)] {
    ///     engine.submit(OrderRequest::limit(Side::Sell, Price(price), Qty(qty)), &mut out)?;
    /// }
    /// let cost = engine.market().cost(Side::Buy, Qty(4));
    /// assert_eq!((cost.qty, cost.vwap()), (Qty(4), Some(10.75)));
    /// # Ok::<(), nanobook::Reject>(())
    /// ```
    pub fn cost(&self, side: Side, qty: Qty) -> super::snapshot::Cost {
        super::snapshot::cost(self.book.levels(!side), qty)
    }
}
