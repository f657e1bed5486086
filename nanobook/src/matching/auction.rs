//! The price of an auction.

use super::market::Market;
use crate::{Price, Qty, Side};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What an auction trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Uncross {
    /// The one price of all its trades.
    pub price: Price,
    /// How much trades; `u64::MAX` when it is more.
    pub qty: Qty,
    /// How much more would trade at this price if the other side had it; `u64::MAX` when it is more.
    pub surplus: Qty,
    /// The side with the surplus; `None` when there is none.
    pub surplus_side: Option<Side>,
}

/// A candidate: how much both sides would trade at a price.
struct Candidate {
    price: Price,
    bids: u128,
    asks: u128,
}

/// The price at which most trades, then that with the least left over, then that nearest to the reference, then the
/// lowest; `None` when the book is not crossed.
///
/// Candidates are the limits of the orders from the best ask to the best bid, and the reference if it lies there.
/// Without a reference the last print is one; before the first print the lowest price is taken.
pub(super) fn indicative(market: &Market, reference: Option<Price>) -> Option<Uncross> {
    let low = market.best_price(Side::Sell)?;
    let high = market.best_price(Side::Buy)?;
    if low > high {
        return None;
    }
    let inside = |price: &Price| (low..=high).contains(price);
    let reference = reference.or(market.last_price());
    let mut prices: Vec<Price> = [Side::Buy, Side::Sell]
        .into_iter()
        .flat_map(|side| market.levels(side).map(|level| level.price))
        .chain(reference)
        .filter(inside)
        .collect();
    prices.sort_unstable();
    prices.dedup();
    let candidates = candidates(market, &prices);
    let distance = |price: Price| reference.map_or(0, |at| price.0.abs_diff(at.0));
    let best = candidates.into_iter().min_by_key(|candidate| {
        let Candidate { price, bids, asks } = *candidate;
        let most = std::cmp::Reverse(bids.min(asks));
        (most, bids.abs_diff(asks), distance(price), price)
    })?;
    let surplus = best.bids.abs_diff(best.asks);
    Some(Uncross {
        price: best.price,
        qty: saturate(best.bids.min(best.asks)),
        surplus: saturate(surplus),
        surplus_side: match best.bids.cmp(&best.asks) {
            std::cmp::Ordering::Less => Some(Side::Sell),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Side::Buy),
        },
    })
}

/// The quantities of both sides at ascending prices, in one pass over each side.
fn candidates(market: &Market, prices: &[Price]) -> Vec<Candidate> {
    let mut candidates: Vec<_> = prices
        .iter()
        .map(|&price| Candidate {
            price,
            bids: 0,
            asks: 0,
        })
        .collect();
    let mut asks = market.levels(Side::Sell).peekable();
    let mut total = 0;
    for candidate in &mut candidates {
        while let Some(level) = asks.next_if(|level| level.price <= candidate.price) {
            total += u128::from(level.qty.0);
        }
        candidate.asks = total;
    }
    let mut bids = market.levels(Side::Buy).peekable();
    let mut total = 0;
    for candidate in candidates.iter_mut().rev() {
        while let Some(level) = bids.next_if(|level| level.price >= candidate.price) {
            total += u128::from(level.qty.0);
        }
        candidate.bids = total;
    }
    candidates
}

fn saturate(qty: u128) -> Qty {
    Qty(u64::try_from(qty).unwrap_or(u64::MAX))
}
