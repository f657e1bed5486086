//! Self-trade prevention: what two orders of one owner lose, and what it means for fill or kill.

use super::desk::takes;
use super::shared::Shared;
use crate::book::OrderBook;
use crate::{OrderRequest, Price, StpPolicy};

/// What an aggressor and a resting order of the same owner lose, with what is open of each.
pub(super) fn loss(policy: StpPolicy, taker: u64, resting: u64) -> (u64, u64) {
    match policy {
        StpPolicy::Off => (0, 0),
        StpPolicy::CancelNewest => (taker, 0),
        StpPolicy::CancelOldest => (0, resting),
        StpPolicy::CancelBoth => (taker, resting),
        StpPolicy::Decrement => {
            let both = taker.min(resting);
            (both, both)
        }
    }
}

/// Whether an order can trade in full at once, given what self-trade prevention would do on the way.
pub(super) fn can_fill(
    book: &OrderBook,
    shared: &Shared,
    asked: &OrderRequest,
    limit: Option<Price>,
) -> bool {
    let policy = shared.config.stp;
    let mut missing = asked.qty.0;
    if policy == StpPolicy::Off || asked.owner.is_none() {
        for level in book.levels(!asked.side) {
            if !takes(asked.side, limit, level.price) {
                return false;
            }
            missing = missing.saturating_sub(level.qty.0);
            if missing == 0 {
                return true;
            }
        }
        return false;
    }
    for order in book.orders(!asked.side) {
        if !takes(asked.side, limit, order.price) {
            return false;
        }
        if shared.records.live(order.id).owner() == asked.owner {
            if policy == StpPolicy::CancelOldest {
                continue;
            }
            // Every other policy takes quantity from the aggressor here.
            return false;
        }
        missing = missing.saturating_sub(order.qty.0);
        if missing == 0 {
            return true;
        }
    }
    false
}
