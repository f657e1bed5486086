//! The passive order book of one instrument: it does what a feed says and never matches.
//!
//! Orders are found by id, stand first in first out at their price, and each price knows its total quantity and
//! number of orders. A book may be crossed: that is the feed's affair.
//!
//! # What an operation touches
//! An id is looked up in a table of 32-byte buckets, each with six ids whose tags are compared all at once (one cache
//! line, nearly always), which gives the order's 32-byte record; the record names its 32-byte level record, so that
//! neither an execution nor a deletion searches a price. Each side keeps the levels near its best price in a window of
//! 64 ticks, a bit and a 4-byte handle for each tick: an add counts the ticks between its price and the top of the
//! window, a level opens or closes by one bit, and the lowest bit is the best level. The levels beyond are in a sorted
//! array. Records are pooled and the last one freed is the first one used again. Nothing is allocated once the pools
//! have grown to the most orders and levels that were ever live at once, and the arrays to the most levels beyond a
//! window.
//!
//! A cancel of the matching engine knows the level and the quantity, so it marks the order as a gap instead of reading
//! its record and then its neighbours' (three loads, each after the other; 20,000 to 200,000 orders: 1.5 to 2 times as
//! long). The first order of a queue is never a gap, and gaps never outnumber the orders of a queue by more than a few.

pub(crate) mod access;
mod index;
mod ladder;
mod level;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod orders;
mod tick;

use crate::rows::PriceLevel;
use crate::{BookDelta, Fault, OrderId, Price, Qty, Resting, Side, prefetch};
use index::Place;
use ladder::Ladder;
use level::Levels;
use orders::Orders;

/// No record: ends a list.
const NONE: u32 = u32::MAX;

/// Bytes that come from memory at once.
const CACHE_LINE: usize = 64;

/// What a delta met: the order that it names, as it was before, and what was odd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The order that an execute, reduce, delete or replace names, or that an add evicts; `None` when there is none.
    pub resting: Option<Resting>,
    /// What was odd.
    pub fault: Option<Fault>,
}

/// An order in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BookOrder {
    /// Its id.
    pub id: OrderId,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What rests of it, never zero.
    pub qty: Qty,
}

/// How much stands before an order at its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct QueuePosition {
    /// Orders ahead of it.
    pub orders_ahead: u32,
    /// Their quantity.
    pub qty_ahead: Qty,
}

/// The orders of one instrument, by price and time of arrival.
///
/// # Examples
/// ```
/// use nanobook::{BookDelta, OrderId, Price, Qty, Side, book::OrderBook};
///
/// let mut book = OrderBook::new();
/// let price = Price::from_ten_thousandths(1_000_100);
/// book.apply(BookDelta::Add { id: OrderId(1), side: Side::Buy, price, qty: Qty(300) });
/// book.apply(BookDelta::Execute { id: OrderId(1), qty: Qty(100) });
/// let best = book.best(Side::Buy).unwrap();
/// assert_eq!((best.price, best.qty, best.count), (price, Qty(200), 1));
/// assert_eq!(book.best(Side::Sell), None);
/// ```
#[derive(Clone, Debug)]
pub struct OrderBook {
    orders: Orders,
    levels: Levels,
    /// Bids and asks.
    sides: [Ladder; 2],
}

impl Default for OrderBook {
    fn default() -> Self {
        Self {
            orders: Orders::default(),
            levels: Levels::default(),
            sides: [Side::Buy, Side::Sell].map(Ladder::new),
        }
    }
}

impl OrderBook {
    /// An empty book; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does what a feed says, by the rules of [`Fault`] where it makes no sense.
    #[expect(
        clippy::inline_always,
        reason = "only then is the match on the delta one with that of whoever made it"
    )]
    #[inline(always)]
    pub fn apply(&mut self, delta: BookDelta) -> Outcome {
        match delta {
            BookDelta::Add {
                id,
                side,
                price,
                qty,
            } => self.add(id, side, price, qty),
            BookDelta::Execute { id, qty } | BookDelta::Reduce { id, qty } => self.reduce(id, qty),
            BookDelta::Delete { id } => self.delete(id),
            BookDelta::Replace {
                old_id,
                id,
                price,
                qty,
            } => self.replace(old_id, id, price, qty),
        }
    }

    /// Adds an order at the end of its level's queue. An order of the same id leaves first.
    #[inline]
    pub fn add(&mut self, id: OrderId, side: Side, price: Price, qty: Qty) -> Outcome {
        if let Some(fault) = objection(price, qty) {
            return Outcome {
                resting: None,
                fault: Some(fault),
            };
        }
        match self.orders.find_or_place(id) {
            Err(place) => Outcome {
                resting: None,
                fault: self.rest(place, id, side, price, qty),
            },
            Ok(found) => self.evict_and_add(found, id, side, price, qty),
        }
    }

    /// Takes `qty` of an order away, by a trade or a partial cancel; it leaves when nothing rests.
    #[inline]
    pub fn reduce(&mut self, id: OrderId, qty: Qty) -> Outcome {
        let Some((slot, place)) = self.orders.find(id) else {
            return Outcome {
                resting: None,
                fault: Some(Fault::UnknownOrder),
            };
        };
        let resting = self.resting(slot);
        let fault = if qty.is_zero() {
            Some(Fault::ZeroQty)
        } else if qty < resting.qty {
            let order = self.orders.get_mut(slot);
            order.qty -= qty.0;
            self.levels.get_mut(order.level).qty -= qty.0;
            None
        } else {
            self.remove(id, slot, place);
            (qty > resting.qty).then_some(Fault::Oversized)
        };
        Outcome {
            resting: Some(resting),
            fault,
        }
    }

    /// Removes an order.
    #[inline]
    pub fn delete(&mut self, id: OrderId) -> Outcome {
        let resting = self.take(id);
        Outcome {
            resting,
            fault: resting.is_none().then_some(Fault::UnknownOrder),
        }
    }

    /// Removes an order and adds another of its side, at the end of its level's queue.
    #[inline]
    pub fn replace(&mut self, old_id: OrderId, id: OrderId, price: Price, qty: Qty) -> Outcome {
        let Some(resting) = self.take(old_id) else {
            return Outcome {
                resting: None,
                fault: Some(Fault::UnknownOrder),
            };
        };
        let added = self.add(id, resting.side, price, qty);
        Outcome {
            resting: Some(resting),
            fault: added.fault,
        }
    }

    /// The best price of a side with its quantity and number of orders; `None` when the side is empty.
    #[inline]
    pub fn best(&self, side: Side) -> Option<PriceLevel> {
        self.ladder(side)
            .best()
            .map(|handle| self.levels.get(handle).public())
    }

    /// The best price of a side, without a look at its level; `None` when the side is empty.
    #[inline]
    pub fn best_price(&self, side: Side) -> Option<Price> {
        self.ladder(side).best_price()
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = PriceLevel> {
        self.levels_from(side, 0)
    }

    /// The levels of a side from a rank on, best first; the best has rank 0.
    pub fn levels_from(&self, side: Side, rank: usize) -> impl Iterator<Item = PriceLevel> {
        self.ladder(side)
            .best_first_from(rank)
            .map(|handle| self.levels.get(handle).public())
    }

    /// The level of a price; `None` when nothing rests there.
    #[inline]
    pub fn level(&self, side: Side, price: Price) -> Option<PriceLevel> {
        let handle = self.ladder(side).find(ladder::key(side, price))?;
        Some(self.levels.get(handle).public())
    }

    /// Fills `into` with the best levels of a side, best first, and says how many there were.
    pub fn depth(&self, side: Side, into: &mut [PriceLevel]) -> usize {
        let mut filled = 0;
        for (place, level) in into.iter_mut().zip(self.levels(side)) {
            *place = level;
            filled += 1;
        }
        filled
    }

    /// The orders of a side: best price first, and at a price in order of the queue.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = BookOrder> {
        self.ladder(side).best_first().flat_map(move |handle| {
            let level = self.levels.get(handle);
            self.orders.queue(level.head).map(move |order| BookOrder {
                id: OrderId(order.id),
                side,
                price: level.price,
                qty: Qty(order.qty),
            })
        })
    }

    /// An order by its id.
    pub fn order(&self, id: OrderId) -> Option<BookOrder> {
        let Resting { side, price, qty } = self.resting(self.orders.find(id)?.0);
        Some(BookOrder {
            id,
            side,
            price,
            qty,
        })
    }

    /// What stands before an order at its price; `None` when it is not in the book. Walks the queue.
    pub fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        Some(self.queue_position_of(self.orders.find(id)?.0))
    }

    /// Number of orders.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether no order rests.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of prices of a side.
    pub fn level_count(&self, side: Side) -> usize {
        self.ladder(side).len()
    }

    /// Whether the best bid is at or above the best ask.
    #[inline]
    pub fn is_crossed(&self) -> bool {
        match (self.best_price(Side::Buy), self.best_price(Side::Sell)) {
            (Some(bid), Some(ask)) => bid >= ask,
            _ => false,
        }
    }

    /// Asks for the book's memory, so that it is in the cache for the deltas that follow, and does not wait for it.
    ///
    /// Worth its cost before a run of deltas to a book that was not touched for long: the cache lines come all at
    /// once instead of one after the other, and while something else is done. Says how many lines there were.
    pub fn warm(&self) -> usize {
        let records = self.orders.warm() + self.levels.warm();
        records + self.sides.iter().map(Ladder::warm).sum::<usize>()
    }

    /// Removes every order and keeps the memory.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.levels.clear();
        self.sides.iter_mut().for_each(Ladder::clear);
    }

    #[inline]
    fn ladder(&self, side: Side) -> &Ladder {
        &self.sides[usize::from(side == Side::Sell)]
    }

    #[inline]
    fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        &mut self.sides[usize::from(side == Side::Sell)]
    }

    #[inline]
    fn resting(&self, slot: u32) -> Resting {
        let order = self.orders.get(slot);
        let level = self.levels.get(order.level);
        Resting {
            side: level.side(),
            price: level.price,
            qty: Qty(order.qty),
        }
    }

    /// Removes the order of an id, if it rests.
    #[expect(
        clippy::inline_always,
        reason = "what it gives would be written by part and read whole: the reader waits"
    )]
    #[inline(always)]
    fn take(&mut self, id: OrderId) -> Option<Resting> {
        let (slot, place) = self.orders.find(id)?;
        let resting = self.resting(slot);
        self.remove(id, slot, place);
        Some(resting)
    }

    /// Adds an order whose id another one has.
    #[cold]
    fn evict_and_add(
        &mut self,
        (slot, place): (u32, Place),
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Outcome {
        let evicted = self.resting(slot);
        self.remove(id, slot, place);
        let added = self.add(id, side, price, qty);
        Outcome {
            resting: Some(evicted),
            fault: added.fault.or(Some(Fault::DuplicateOrder)),
        }
    }

    /// Puts a new order at the end of its level's queue, and its id in its place of the index.
    #[inline]
    fn rest(
        &mut self,
        place: Place,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Option<Fault> {
        match self.enter(id, side, price, qty) {
            Ok(slot) => {
                self.orders.index(id, place, slot);
                None
            }
            Err(fault) => Some(fault),
        }
    }

    /// Takes an order away.
    #[inline]
    fn remove(&mut self, id: OrderId, slot: u32, place: Place) {
        self.orders.unindex(id, place);
        self.leave(slot);
    }
}

/// Asks for every cache line of a table and says how many lines there are.
fn ask_lines<T: Copy>(table: &[T]) -> usize {
    let lines = table.chunks(CACHE_LINE / size_of::<T>());
    let count = lines.len();
    for line in lines {
        prefetch(&line[0]);
    }
    count
}

/// Why an order can't rest, if it can't.
#[inline]
fn objection(price: Price, qty: Qty) -> Option<Fault> {
    if qty.is_zero() {
        Some(Fault::ZeroQty)
    } else if price.0 == 0 {
        Some(Fault::ZeroPrice)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_memory_is_asked_for() {
        let mut book = OrderBook::new();
        assert_eq!(book.warm(), 0);
        for id in 1..=90 {
            let side = if id > 60 { Side::Sell } else { Side::Buy };
            let price = Price(if id > 9 {
                9
            } else {
                i64::try_from(id).unwrap()
            });
            assert_eq!(
                book.add(OrderId(id), side, price, Qty(1)),
                Outcome::default()
            );
        }
        // 32 buckets for three of 90 ids each, nine bids and an ask: 10 levels, two to a line as orders
        // and buckets are. A window is four lines.
        let lines = [
            (book.orders.warm(), 45 + 16),
            (book.levels.warm(), 5),
            (book.sides[0].warm(), 4),
            (book.sides[1].warm(), 4),
            (book.warm(), 45 + 16 + 5 + 4 + 4),
        ];
        assert!(
            lines.iter().all(|(asked, there)| asked == there),
            "{lines:?}"
        );
    }
}
