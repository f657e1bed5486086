//! Rows that come out of an order book and its trades.

use super::{Code, Header};
use crate::{BookDelta, OrderId, Price, Qty, Side, TradeId};

/// One price of one side: its total quantity and number of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PriceLevel {
    /// The price.
    pub price: Price,
    /// Sum of the resting quantities.
    pub qty: Qty,
    /// Number of resting orders, at least 1.
    pub count: u32,
}

/// What an order message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A new order rests (ITCH `A`, `F`).
    Add,
    /// Part or all of a resting order trades (`E`, `C`).
    Execute,
    /// Part of a resting order is taken away (`X`).
    Reduce,
    /// A resting order leaves (`D`).
    Delete,
    /// A resting order leaves and a new one takes its place, at the end of its level's queue (`U`).
    Replace,
}

impl Action {
    /// The word of the `action` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Execute => "execute",
            Self::Reduce => "reduce",
            Self::Delete => "delete",
            Self::Replace => "replace",
        }
    }
}

/// One order message, with the price and side of the order it is about filled in.
///
/// Applying the rows of an instrument in order of `seq` to an empty [`OrderBook`](crate::book::OrderBook) gives every
/// state that the book had; [`Mbo::delta`] says how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mbo {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// What happens.
    pub action: Action,
    /// Side of the order; `None` when the message names an unknown order.
    pub side: Option<Side>,
    /// Price at which the order rests; of an add or a replace, what the message says. `None` when another message names
    /// an unknown order. The price of a trade away from it (`C`) is in [`Trade::price`].
    pub price: Option<Price>,
    /// Quantity of the message: added, executed, taken away, or the new order's; for a delete, what was left.
    /// `None` for the delete of an unknown order.
    pub qty: Option<Qty>,
    /// The order; for a replace the new one.
    pub order_id: OrderId,
    /// For a replace, the order that leaves.
    pub old_order_id: Option<OrderId>,
    /// What rests of the order after the message, 0 when it is gone; `None` when it names an unknown order.
    pub leaves_qty: Option<Qty>,
    /// The trade of an execution.
    pub match_id: Option<TradeId>,
    /// Whether an execution counts in volume: `true` for `E`, the wire's flag for `C`, `None` for the rest.
    pub printable: Option<bool>,
    /// The attributed market participant (`F`).
    pub mpid: Option<Code>,
}

impl Mbo {
    /// What the row says to a book; `None` for an add without a side, which no book takes.
    ///
    /// # Examples
    /// ```
    /// use nanobook::book::OrderBook;
    /// use nanobook::rows::{Bbo, Mbo};
    ///
    /// /// The rows at which the best price or quantity of the instrument changes.
    /// fn rebuild(rows: &[Mbo]) -> Vec<u64> {
    ///     let (mut book, mut last, mut changes) = (OrderBook::new(), [None; 2], Vec::new());
    ///     for row in rows {
    ///         let Some(delta) = row.delta() else { continue };
    ///         book.apply(delta);
    ///         let best = [nanobook::Side::Buy, nanobook::Side::Sell]
    ///             .map(|side| book.best(side).map(|level| (level.price, level.qty)));
    ///         if best != last {
    ///             changes.push(row.header.seq);
    ///             last = best;
    ///         }
    ///     }
    ///     changes
    /// }
    /// assert!(rebuild(&[]).is_empty());
    /// ```
    pub fn delta(&self) -> Option<BookDelta> {
        let (id, qty) = (self.order_id, self.qty.unwrap_or_default());
        Some(match self.action {
            Action::Add => BookDelta::Add {
                id,
                side: self.side?,
                price: self.price.unwrap_or_default(),
                qty,
            },
            Action::Execute => BookDelta::Execute { id, qty },
            Action::Reduce => BookDelta::Reduce { id, qty },
            Action::Delete => BookDelta::Delete { id },
            Action::Replace => BookDelta::Replace {
                old_id: self.old_order_id.unwrap_or(id),
                id,
                price: self.price.unwrap_or_default(),
                qty,
            },
        })
    }
}

/// The best bid and ask after a message that changed one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bbo {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// The best bid; `None` when no bid rests.
    pub bid: Option<PriceLevel>,
    /// The best ask; `None` when no ask rests.
    pub ask: Option<PriceLevel>,
}

/// The best levels of both sides, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth<'a> {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// At most as many bids as the table has levels, best first.
    pub bids: &'a [PriceLevel],
    /// At most as many asks as the table has levels, best first.
    pub asks: &'a [PriceLevel],
    /// What differs from an earlier row; `None` when nobody has looked.
    pub change: Option<DepthChange<'a>>,
}

/// Which levels of a [`Depth`] can differ from those of an earlier row of the same instrument.
///
/// Whoever saw that row need not look at the others. Whoever did not, as when rows between were left out, goes by the
/// levels alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthChange<'a> {
    /// `seq` of the earlier row.
    pub since: u64,
    /// The bids that can differ.
    pub bids: SomeLevels<'a>,
    /// The asks that can differ.
    pub asks: SomeLevels<'a>,
}

/// Some levels of a side that follow each other, and their distance from the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SomeLevels<'a> {
    /// How many better ones there are.
    pub first: usize,
    /// The levels, best first.
    pub levels: &'a [PriceLevel],
}

/// Where a print comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TradeKind {
    /// A displayed order executed at its price (ITCH `E`).
    Displayed,
    /// A displayed order executed at another price (`C`, printable).
    DisplayedAtPrice,
    /// Against a hidden order (`P`); the book does not change.
    Hidden,
    /// An auction (`Q`).
    Cross,
}

impl TradeKind {
    /// The word of the `kind` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Displayed => "displayed",
            Self::DisplayedAtPrice => "displayed_at_price",
            Self::Hidden => "hidden",
            Self::Cross => "cross",
        }
    }
}

/// A public print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// Where it comes from.
    pub kind: TradeKind,
    /// Price of the trade; `None` when an execution names an unknown order.
    pub price: Option<Price>,
    /// Quantity traded; for a cross, of the whole auction.
    pub qty: Qty,
    /// Side of the aggressor; `None` where the feed does not say.
    pub side: Option<Side>,
    /// The resting order of a displayed trade; `None` for hidden trades and crosses.
    pub order_id: Option<OrderId>,
    /// The venue's id of the trade.
    pub match_id: TradeId,
    /// Type of the cross (`O` opening, `C` closing, `H` halt or IPO).
    pub cross_type: Option<Code>,
    /// Whether a later [`TradeBreak`] voids it. False when pushed; a table that is written whole has the truth.
    pub broken: bool,
}

/// A trade is void (ITCH `B`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeBreak {
    /// Time, ordinal and instrument.
    pub header: Header,
    /// The trade that is void.
    pub match_id: TradeId,
}

/// Open, high, low, close, volume and closing quote of an instrument over an interval with a trade or a new quote.
///
/// It counts the rows of `trades` that have a price and a quantity, also those that a later message voids: at the end
/// of the interval they stood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// `ts_event` is the start of the interval, `seq` the last message within it that traded or changed the quote.
    pub header: Header,
    /// Length of the interval, in nanoseconds.
    pub interval_ns: i64,
    /// First, highest, lowest and last trade price; `None` when nothing traded.
    pub ohlc: Option<[Price; 4]>,
    /// Quantity traded, at most 2^64 − 1.
    pub volume: Qty,
    /// Volume-weighted mean price, in currency; `None` when nothing traded.
    pub vwap: Option<f64>,
    /// Number of trades.
    pub trade_count: u32,
    /// Best bid at the end of the interval; `None` when no bid rests.
    pub bid_px: Option<Price>,
    /// Best ask at the end of the interval; `None` when no ask rests.
    pub ask_px: Option<Price>,
}
