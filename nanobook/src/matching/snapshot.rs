//! Snapshots of a market and what can be computed from them.

use crate::book::BookOrder;
use crate::rows::PriceLevel;
use crate::{Money, Price, Qty};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The best bid and ask (L1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Quote {
    /// The best bid; `None` when no bid rests.
    pub bid: Option<PriceLevel>,
    /// The best ask; `None` when no ask rests.
    pub ask: Option<PriceLevel>,
}

impl Quote {
    /// Ask less bid, below zero in a crossed auction; `None` unless both are there.
    pub fn spread(&self) -> Option<Price> {
        let (bid, ask) = (self.bid?, self.ask?);
        ask.price.checked_sub(bid.price)
    }

    /// Half way between bid and ask, in currency; `None` unless both are there.
    pub fn mid(&self) -> Option<f64> {
        let (bid, ask) = (self.bid?.price, self.ask?.price);
        Some(f64::midpoint(bid.as_f64(), ask.as_f64()))
    }

    /// The mid weighted by the quantity of the other side, in currency: nearer to the side that will give way.
    /// `None` unless both are there.
    pub fn micro_price(&self) -> Option<f64> {
        let (bid, ask) = (self.bid?, self.ask?);
        let (bid_qty, ask_qty) = (bid.qty.0 as f64, ask.qty.0 as f64);
        let weighted = bid.price.as_f64() * ask_qty + ask.price.as_f64() * bid_qty;
        Some(weighted / (bid_qty + ask_qty))
    }
}

/// Levels of both sides, best first (L2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Depth {
    /// Bids, best first.
    pub bids: Vec<PriceLevel>,
    /// Asks, best first.
    pub asks: Vec<PriceLevel>,
}

impl Depth {
    /// The best bid and ask.
    pub fn quote(&self) -> Quote {
        Quote {
            bid: self.bids.first().copied(),
            ask: self.asks.first().copied(),
        }
    }

    /// (bid quantity − ask quantity) / (bid quantity + ask quantity) over these levels, −1 to 1; `None` when both
    /// sides are empty.
    pub fn imbalance(&self) -> Option<f64> {
        let total =
            |levels: &[PriceLevel]| levels.iter().map(|l| u128::from(l.qty.0)).sum::<u128>();
        let (bid, ask) = (total(&self.bids) as f64, total(&self.asks) as f64);
        (bid + ask > 0.0).then(|| (bid - ask) / (bid + ask))
    }
}

/// Every resting order of both sides, best price first, and at a price in order of the queue (L3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Orders {
    /// Buy orders.
    pub bids: Vec<BookOrder>,
    /// Sell orders.
    pub asks: Vec<BookOrder>,
}

/// What taking a quantity would cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Cost {
    /// How much can be had, at most what was asked for.
    pub qty: Qty,
    /// Sum of price times quantity.
    pub notional: Money,
    /// The last price that is needed; `None` when nothing can be had.
    pub worst_px: Option<Price>,
}

impl Cost {
    /// Volume-weighted mean price, in currency; `None` when nothing can be had.
    pub fn vwap(&self) -> Option<f64> {
        (self.qty.0 > 0).then(|| self.notional.as_f64() / self.qty.0 as f64)
    }
}

/// Takes `qty` from levels, best first.
pub(crate) fn cost(levels: impl Iterator<Item = PriceLevel>, qty: Qty) -> Cost {
    let mut cost = Cost::default();
    for level in levels {
        let take = level.qty.min(qty.saturating_sub(cost.qty));
        if take.is_zero() {
            break;
        }
        cost.qty.0 += take.0;
        // The quantities sum to at most 2^64 and a price is below 2^63: the sum stays below 2^127.
        cost.notional.0 += level.price.notional(take).0;
        cost.worst_px = Some(level.price);
    }
    cost
}
