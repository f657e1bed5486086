//! An order as we ask a broker for it, and as the broker knows it.

use std::fmt;

use super::{ClientOrderId, Units};
use crate::{OrderId, OrderKind, Price, Side, Symbol, Timestamp};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How long an order lives at a broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum TimeInForce {
    /// To the end of the trading day.
    #[default]
    Day,
    /// Good till cancelled.
    Gtc,
    /// Immediate or cancel.
    Ioc,
    /// Fill or kill.
    Fok,
}

impl TimeInForce {
    /// Its name in the `tif` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Gtc => "gtc",
            Self::Ioc => "ioc",
            Self::Fok => "fok",
        }
    }

    /// What the matching engine makes of it; a day order is good till somebody ends the day.
    pub const fn engine(self) -> crate::TimeInForce {
        match self {
            Self::Day | Self::Gtc => crate::TimeInForce::GTC,
            Self::Ioc => crate::TimeInForce::IOC,
            Self::Fok => crate::TimeInForce::FOK,
        }
    }
}

/// An order to be sent.
///
/// # Examples
/// ```
/// use nanobook::trading::{NewOrder, TimeInForce, Units};
/// use nanobook::{OrderKind, Price, Side};
///
/// let order = NewOrder {
///     client_order_id: "run7-AAPL-0".parse().unwrap(),
///     symbol: "AAPL".parse().unwrap(),
///     side: Side::Buy,
///     qty: Units::whole(100),
///     kind: OrderKind::Limit { price: Price(187_250_000_000) },
///     tif: TimeInForce::Day,
/// };
/// assert_eq!(order.kind.price(), Some(Price(187_250_000_000)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct NewOrder {
    /// Ours, fixed before it is sent.
    pub client_order_id: ClientOrderId,
    /// What is bought or sold.
    pub symbol: Symbol,
    /// Its side.
    pub side: Side,
    /// How much, above zero.
    pub qty: Units,
    /// Limit, market or stop.
    pub kind: OrderKind,
    /// How long it lives.
    pub tif: TimeInForce,
}

/// Where an order is in its life, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum OrderState {
    /// In the plan, not sent.
    Planned,
    /// Refused by us before it was sent.
    Denied,
    /// Written to the journal, not sent.
    Journaled,
    /// Sent, without an answer yet.
    Sent,
    /// Whether the venue has it is not known.
    Unknown,
    /// The venue has it; nothing has traded.
    Accepted,
    /// Part of it has traded and the rest can.
    PartiallyFilled,
    /// All of it has traded.
    Filled,
    /// It ended before it was filled; part of it may have traded.
    Cancelled,
    /// The venue refused it.
    Rejected,
    /// Its time ran out; part of it may have traded.
    Expired,
}

impl OrderState {
    /// All states, in the order of a life.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Denied,
        Self::Journaled,
        Self::Sent,
        Self::Unknown,
        Self::Accepted,
        Self::PartiallyFilled,
        Self::Filled,
        Self::Cancelled,
        Self::Rejected,
        Self::Expired,
    ];

    /// Its name in the `status` column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Denied => "denied",
            Self::Journaled => "journaled",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// Whether it can't change any more.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Denied | Self::Filled | Self::Cancelled | Self::Rejected | Self::Expired
        )
    }

    /// Whether it may trade at the venue: what is not known counts.
    pub const fn may_trade(self) -> bool {
        matches!(
            self,
            Self::Sent | Self::Unknown | Self::Accepted | Self::PartiallyFilled
        )
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An order as a broker knows it: a row of the table `orders`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Order {
    /// Ours; `None` for an order that was not placed by us, or whose reference is not such an id.
    pub client_order_id: Option<ClientOrderId>,
    /// The venue's, which does not change: the `permId` of Interactive Brokers, the `orderId` of Binance.
    /// `None` until the venue has given it.
    pub order_id: Option<OrderId>,
    /// The account.
    pub account_id: String,
    /// What is bought or sold.
    pub symbol: Symbol,
    /// Its side.
    pub side: Side,
    /// Limit, market or stop.
    pub kind: OrderKind,
    /// How long it lives.
    pub tif: TimeInForce,
    /// How much was asked for.
    pub qty: Units,
    /// How much has traded.
    pub filled_qty: Units,
    /// Mean price of what has traded, to the nearest unit; `None` when nothing has or the venue does not say.
    pub avg_px: Option<Price>,
    /// Where it is in its life.
    pub state: OrderState,
    /// The venue's code of a refusal.
    pub reject_code: Option<i32>,
    /// The venue's words for a refusal.
    pub reject_text: Option<String>,
    /// Venue time of its last change; `None` when the venue does not say.
    pub ts_event: Option<Timestamp>,
}

impl Order {
    /// How much can still trade; nothing once it is final.
    #[must_use]
    pub fn leaves_qty(&self) -> Units {
        if self.state.is_final() {
            return Units::ZERO;
        }
        self.qty.checked_sub(self.filled_qty).unwrap_or(self.qty)
    }
}
