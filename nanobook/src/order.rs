//! An order as it is asked for, and as it is known.

use std::fmt;

use crate::{OrderId, Price, Qty, Side};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Who an order belongs to; orders of one owner do not trade with each other when an [`StpPolicy`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Owner(pub u32);

/// How long an order lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum TimeInForce {
    /// Good till cancelled: what does not trade at once rests.
    #[default]
    GTC,
    /// Immediate or cancel: what does not trade at once is cancelled.
    IOC,
    /// Fill or kill: trades in full at once, or not at all.
    FOK,
}

/// What happens when an order would trade with one of the same [`Owner`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum StpPolicy {
    /// They trade.
    #[default]
    Off,
    /// What is open of the aggressor is cancelled; the resting order stays.
    CancelNewest,
    /// The resting order is cancelled; the aggressor goes on.
    CancelOldest,
    /// Both are cancelled.
    CancelBoth,
    /// Both lose the smaller of the two open quantities, without a trade; what is left of the larger goes on.
    Decrement,
}

/// How far a trailing stop stays behind the best price since it was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Trail {
    /// By a fixed amount, above zero.
    Fixed(Price),
    /// By a part of the best price, in millionths, rounded half away from zero.
    Percentage {
        /// Millionths of the best price: 20,000 is 2 %.
        ppm: u32,
    },
    /// By a multiple of the mean absolute change from print to print, truncated.
    MeanAbsChange {
        /// The multiple, in millionths: 2,500,000 is 2.5 times.
        multiplier_ppm: u32,
        /// How many changes are averaged, 1 to 1,024; all there are when there are fewer.
        period: u16,
    },
}

impl Trail {
    /// By a part of the best price: 0.02 is 2 %. `None` unless it is a number above zero that millionths can hold.
    pub fn percentage(part: f64) -> Option<Self> {
        millionths(part).map(|ppm| Self::Percentage { ppm })
    }

    /// By a multiple of the mean absolute change. `None` unless it is a number above zero that millionths can hold.
    pub fn mean_abs_change(multiplier: f64, period: u16) -> Option<Self> {
        millionths(multiplier).map(|multiplier_ppm| Self::MeanAbsChange {
            multiplier_ppm,
            period,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn millionths(value: f64) -> Option<u32> {
    let ppm = (value * 1e6).round();
    (ppm >= 1.0 && ppm <= f64::from(u32::MAX)).then_some(ppm as u32)
}

/// What an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum OrderKind {
    /// Trades at this price or better.
    Limit {
        /// The worst price.
        price: Price,
    },
    /// Trades at any price and never rests: GTC means IOC.
    Market,
    /// Waits for a print at or beyond `stop`, then is a market order.
    StopMarket {
        /// A buy waits for a print at or above it, a sell for one at or below it.
        stop: Price,
    },
    /// Waits for a print at or beyond `stop`, then is a limit order.
    StopLimit {
        /// A buy waits for a print at or above it, a sell for one at or below it.
        stop: Price,
        /// The worst price of the limit order.
        price: Price,
    },
    /// A stop that follows the market, then is a market order.
    TrailingStopMarket {
        /// Where it stands until the trail is tighter.
        stop: Price,
        /// How it follows.
        trail: Trail,
    },
    /// A stop that follows the market, then is a limit order.
    TrailingStopLimit {
        /// Where it stands until the trail is tighter.
        stop: Price,
        /// The worst price of the limit order; it does not follow.
        price: Price,
        /// How it follows.
        trail: Trail,
    },
}

impl OrderKind {
    /// The worst price at which it trades, now or once it has triggered; `None` for any price.
    pub const fn price(self) -> Option<Price> {
        match self {
            Self::Limit { price }
            | Self::StopLimit { price, .. }
            | Self::TrailingStopLimit { price, .. } => Some(price),
            Self::Market | Self::StopMarket { .. } | Self::TrailingStopMarket { .. } => None,
        }
    }

    /// Where it waits; `None` for an order that does not.
    pub const fn stop(self) -> Option<Price> {
        match self {
            Self::StopMarket { stop }
            | Self::StopLimit { stop, .. }
            | Self::TrailingStopMarket { stop, .. }
            | Self::TrailingStopLimit { stop, .. } => Some(stop),
            Self::Limit { .. } | Self::Market => None,
        }
    }

    /// How it follows the market; `None` for an order that does not.
    pub const fn trail(self) -> Option<Trail> {
        match self {
            Self::TrailingStopMarket { trail, .. } | Self::TrailingStopLimit { trail, .. } => {
                Some(trail)
            }
            _ => None,
        }
    }
}

/// An order as asked for.
///
/// # Examples
/// ```
/// use nanobook::{OrderRequest, Owner, Price, Qty, Side, TimeInForce};
///
/// let request = OrderRequest::limit(Side::Buy, Price(50_000_000_000), Qty(100))
///     .with_owner(Owner(7))
///     .with_tif(TimeInForce::IOC);
/// assert_eq!(request.tif, TimeInForce::IOC);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct OrderRequest {
    /// Its side.
    pub side: Side,
    /// What it does.
    pub kind: OrderKind,
    /// How much, above zero.
    pub qty: Qty,
    /// How long it lives; of a stop, from the moment it triggers.
    #[cfg_attr(feature = "serde", serde(default))]
    pub tif: TimeInForce,
    /// Whether it is cancelled rather than trade on entry.
    #[cfg_attr(feature = "serde", serde(default))]
    pub post_only: bool,
    /// Whose it is, for self-trade prevention and mass cancels; `None` trades with everybody.
    #[cfg_attr(feature = "serde", serde(default))]
    pub owner: Option<Owner>,
}

const _: () = assert!(size_of::<OrderRequest>() <= 64);

impl OrderRequest {
    /// An order of a kind: good till cancelled, nobody's, free to trade on entry.
    pub const fn new(side: Side, kind: OrderKind, qty: Qty) -> Self {
        Self {
            side,
            kind,
            qty,
            tif: TimeInForce::GTC,
            post_only: false,
            owner: None,
        }
    }

    /// A limit order.
    pub const fn limit(side: Side, price: Price, qty: Qty) -> Self {
        Self::new(side, OrderKind::Limit { price }, qty)
    }

    /// A market order, immediate or cancel.
    pub const fn market(side: Side, qty: Qty) -> Self {
        Self::new(side, OrderKind::Market, qty).with_tif(TimeInForce::IOC)
    }

    /// A market order that waits for a print at or beyond `stop`.
    pub const fn stop_market(side: Side, stop: Price, qty: Qty) -> Self {
        Self::new(side, OrderKind::StopMarket { stop }, qty)
    }

    /// The same order with another time in force.
    #[must_use]
    pub const fn with_tif(self, tif: TimeInForce) -> Self {
        Self { tif, ..self }
    }

    /// The same order of an owner.
    #[must_use]
    pub const fn with_owner(self, owner: Owner) -> Self {
        Self {
            owner: Some(owner),
            ..self
        }
    }

    /// The same order, cancelled rather than trade on entry.
    #[must_use]
    pub const fn post_only(self) -> Self {
        Self {
            post_only: true,
            ..self
        }
    }
}

/// Where an order is in its life. The last three are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum OrderStatus {
    /// A stop waits for its print.
    Pending,
    /// It rests, and nothing of it has traded.
    New,
    /// It rests, and part of it has traded.
    PartiallyFilled,
    /// All of it that was not taken away has traded.
    Filled,
    /// It ended before it was filled; part of it may have traded.
    Cancelled,
    /// A stop has triggered: its child order goes on.
    Triggered,
    /// It was refused and never was an order; only results of the [`Exchange`](crate::Exchange) say so.
    Rejected,
}

impl OrderStatus {
    /// Whether the order can still trade or be cancelled.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::New | Self::PartiallyFilled)
    }
}

/// An order as an engine knows it; `qty = filled + open + cancelled` always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its side.
    pub side: Side,
    /// What it does, as asked; of a trailing stop, `stop` is where it stands now.
    pub kind: OrderKind,
    /// How long it lives.
    pub tif: TimeInForce,
    /// Whether it is cancelled rather than trade on entry.
    pub post_only: bool,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// How much was asked for; after a replace, what had traded plus what the replace asks for.
    pub qty: Qty,
    /// How much has traded.
    pub filled: Qty,
    /// How much can still trade.
    pub open: Qty,
    /// How much was taken away; of a triggered stop, what its child asks for.
    pub cancelled: Qty,
    /// The stop that this order comes from; `None` for an order that was submitted.
    pub parent: Option<OrderId>,
    /// The order that this stop became; `None` until it triggers.
    pub child: Option<OrderId>,
}

/// How an order stands at the end of the command that entered or changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Ack {
    /// The order.
    pub id: OrderId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// How much has traded since it was submitted.
    pub filled: Qty,
    /// How much can still trade.
    pub open: Qty,
}

/// Why a command was refused. Nothing has changed, and no id was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Reject {
    /// The quantity is zero.
    ZeroQty,
    /// A price, stop or reference is outside the range of the [`Config`](crate::matching::Config).
    PriceOutOfRange,
    /// A trail is zero, negative or larger than the largest price, or its period is not 1 to 1,024.
    TrailOutOfRange,
    /// A post-only order must be able to rest: a limit, good till cancelled.
    PostOnlyMustRest,
    /// No order has this id, or it is closed and forgotten.
    UnknownOrder,
    /// The order is filled, cancelled or triggered.
    NotActive,
    /// A waiting stop can be cancelled and reduced, but not replaced.
    StopOrder,
    /// What has traded and what is asked for do not fit in 64 bits together.
    QtyOverflow,
    /// An auction takes only limit orders that are good till cancelled, and stops.
    InAuction,
    /// There is an auction already.
    AlreadyInAuction,
    /// There is no auction to end.
    NotInAuction,
    /// The exchange does not list this symbol.
    UnknownSymbol,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroQty => "the quantity is zero",
            Self::PriceOutOfRange => "the price is outside the range of the engine",
            Self::TrailOutOfRange => "the trail must be above zero and its period 1 to 1024",
            Self::PostOnlyMustRest => "a post-only order must be a limit, good till cancelled",
            Self::UnknownOrder => "no order has this id, or it is closed and forgotten",
            Self::NotActive => "the order is filled, cancelled or triggered",
            Self::StopOrder => "a waiting stop can't be replaced; cancel it and submit another",
            Self::QtyOverflow => "the quantity and what has traded do not fit in 64 bits",
            Self::InAuction => "an auction takes only limit orders good till cancelled, and stops",
            Self::AlreadyInAuction => "there is an auction already",
            Self::NotInAuction => "there is no auction to end",
            Self::UnknownSymbol => "the symbol is not listed",
        })
    }
}

impl std::error::Error for Reject {}
