//! The inputs of an engine as values: what its log holds and what a replay applies.

use super::auction::Uncross;
use crate::{Ack, OrderId, OrderRequest, Owner, Price, Qty, StpPolicy};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Event {
    /// [`Engine::submit`](super::Engine::submit).
    Submit(OrderRequest),
    /// [`Engine::cancel`](super::Engine::cancel).
    Cancel {
        /// The order.
        id: OrderId,
    },
    /// [`Engine::reduce`](super::Engine::reduce).
    Reduce {
        /// The order.
        id: OrderId,
        /// How much is taken away.
        qty: Qty,
    },
    /// [`Engine::replace`](super::Engine::replace).
    Replace {
        /// The order.
        id: OrderId,
        /// Its new price.
        price: Price,
        /// How much shall be open.
        qty: Qty,
    },
    /// [`Engine::mass_cancel`](super::Engine::mass_cancel).
    MassCancel {
        /// Whose orders.
        owner: Owner,
    },
    /// [`Engine::begin_auction`](super::Engine::begin_auction).
    BeginAuction,
    /// [`Engine::uncross`](super::Engine::uncross).
    Uncross {
        /// The price that a tie goes nearest to; `None` for the last print.
        reference: Option<Price>,
    },
    /// [`Engine::resume`](super::Engine::resume).
    Resume,
    /// [`Engine::set_stp_policy`](super::Engine::set_stp_policy).
    SetStpPolicy(StpPolicy),
    /// [`Engine::forget_closed`](super::Engine::forget_closed).
    ForgetClosed,
}

const _: () = assert!(size_of::<Event>() <= 72);

/// The answer to an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Applied {
    /// The order that it entered or changed.
    Order(Ack),
    /// How much it cancelled.
    Qty(Qty),
    /// How many orders it cancelled.
    Count(u32),
    /// What the auction traded; `None` when the book was not crossed.
    Uncross(Option<Uncross>),
    /// Nothing to tell.
    Done,
}
