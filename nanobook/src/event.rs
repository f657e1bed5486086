//! What a feed says about an order, and what it did to the book.

use crate::{OrderId, Price, Qty, Side};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One change of a book by order id: what an [`OrderBook`](crate::book::OrderBook) takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum BookDelta {
    /// A new order rests at the end of its level's queue.
    Add {
        /// Its id.
        id: OrderId,
        /// Its side.
        side: Side,
        /// Its price.
        price: Price,
        /// Its quantity.
        qty: Qty,
    },
    /// Part or all of an order trades.
    Execute {
        /// The order.
        id: OrderId,
        /// The quantity that traded.
        qty: Qty,
    },
    /// Part of an order is taken away; it keeps its place in the queue.
    Reduce {
        /// The order.
        id: OrderId,
        /// The quantity that is taken away.
        qty: Qty,
    },
    /// An order leaves.
    Delete {
        /// The order.
        id: OrderId,
    },
    /// An order leaves and another of the same side rests at the end of its level's queue.
    Replace {
        /// The order that leaves.
        old_id: OrderId,
        /// The order that comes; may be the same id.
        id: OrderId,
        /// Its price.
        price: Price,
        /// Its quantity.
        qty: Qty,
    },
}

const _: () = assert!(size_of::<BookDelta>() <= 40);

/// An order that the book had when a delta named it, as it was before the delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its side.
    pub side: Side,
    /// The price at which it rests.
    pub price: Price,
    /// What rests of it.
    pub qty: Qty,
}

/// What is odd about a delta, and what the book did about it by a fixed rule. A value, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Fault {
    /// It names an order that is not in the book: nothing changes.
    UnknownOrder,
    /// It adds an id that rests already: the old order leaves, then the new one is added.
    DuplicateOrder,
    /// It executes or reduces by more than what rests: the order leaves.
    Oversized,
    /// Its quantity is zero: nothing changes; of a replace, the old order leaves.
    ZeroQty,
    /// Its price is zero: nothing changes; of a replace, the old order leaves.
    ZeroPrice,
    /// The level's total would pass `u64::MAX`: the new order does not rest; one that it replaces or evicts has left.
    QtyOverflow,
}
