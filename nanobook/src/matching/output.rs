//! What an engine says.

use crate::{BookDelta, Money, OrderId, Price, Qty, Side, TradeId};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Two orders trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Trade {
    /// Its id: 1, 2, 3, …
    pub id: TradeId,
    /// The price of the resting order; in an auction, of the auction.
    pub price: Price,
    /// How much.
    pub qty: Qty,
    /// The order that buys.
    pub buy_order_id: OrderId,
    /// The order that sells.
    pub sell_order_id: OrderId,
    /// Side of the aggressor; `None` in an auction.
    pub side: Option<Side>,
}

impl Trade {
    /// The order that came and took; `None` in an auction.
    pub fn aggressor(&self) -> Option<OrderId> {
        self.side.map(|side| self.order_of(side))
    }

    /// The order that rested; `None` in an auction, where both did.
    pub fn resting(&self) -> Option<OrderId> {
        self.side.map(|side| self.order_of(!side))
    }

    /// The order of a side.
    pub const fn order_of(&self, side: Side) -> OrderId {
        match side {
            Side::Buy => self.buy_order_id,
            Side::Sell => self.sell_order_id,
        }
    }

    /// Price times quantity.
    pub const fn notional(&self) -> Money {
        self.price.notional(self.qty)
    }

    /// Volume-weighted mean price of trades, in currency; `None` when there are none.
    pub fn vwap(trades: &[Self]) -> Option<f64> {
        let qty: u128 = trades.iter().map(|trade| u128::from(trade.qty.0)).sum();
        let notional: f64 = trades.iter().map(|trade| trade.notional().as_f64()).sum();
        (qty > 0).then(|| notional / qty as f64)
    }
}

/// Why quantity was taken away from an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum CancelReason {
    /// A cancel asked for it.
    Requested,
    /// A reduce asked for it.
    Reduced,
    /// A replace asked for it; at another price or for more, the order comes again.
    Replaced,
    /// A mass cancel asked for it.
    MassCancel,
    /// Nothing more to trade with, and the order does not rest.
    NoLiquidity,
    /// It could not trade in full at once.
    FillOrKill,
    /// It would have traded with an order of its owner.
    SelfTrade,
    /// It would have traded on entry.
    PostOnly,
    /// The total of its level would not fit in 64 bits.
    LevelOverflow,
}

/// One thing that a command did, in the order in which it happened.
///
/// [`Output::deltas`] turns the outputs of an engine into the deltas of a passive book that is always the same as the
/// engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Output {
    /// An order now rests, at the end of its level's queue.
    Rested {
        /// The order.
        id: OrderId,
        /// Its side.
        side: Side,
        /// Where.
        price: Price,
        /// How much.
        qty: Qty,
    },
    /// Two orders trade.
    Trade(Trade),
    /// Quantity is taken away from an order, resting or not.
    Cancelled {
        /// The order.
        id: OrderId,
        /// How much; the order has ended when nothing is left.
        qty: Qty,
        /// Why.
        reason: CancelReason,
    },
    /// A stop became an order.
    Triggered {
        /// The stop.
        id: OrderId,
        /// The order that it became.
        child: OrderId,
        /// The print that did it.
        price: Price,
    },
    /// As many stops became orders as one command may set off; the next command goes on.
    CascadeStopped {
        /// How many stops have triggered and still wait.
        waiting: u32,
    },
}

const _: () = assert!(size_of::<Output>() <= 48);

impl Output {
    /// What a passive book has to do; quantity taken from an order that does not rest is a fault that it ignores.
    /// A passive book takes no price of zero, so an instrument that may rest there can't be followed.
    pub fn deltas(&self) -> [Option<BookDelta>; 2] {
        match *self {
            Self::Rested {
                id,
                side,
                price,
                qty,
            } => [
                Some(BookDelta::Add {
                    id,
                    side,
                    price,
                    qty,
                }),
                None,
            ],
            Self::Trade(trade) => {
                let execute = |id| BookDelta::Execute { id, qty: trade.qty };
                match trade.resting() {
                    Some(id) => [Some(execute(id)), None],
                    None => [
                        Some(execute(trade.buy_order_id)),
                        Some(execute(trade.sell_order_id)),
                    ],
                }
            }
            Self::Cancelled { id, qty, .. } => [Some(BookDelta::Reduce { id, qty }), None],
            Self::Triggered { .. } | Self::CascadeStopped { .. } => [None, None],
        }
    }
}
