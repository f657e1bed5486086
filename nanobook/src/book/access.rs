//! What the matching engine needs beyond deltas: the front of a queue, and orders by their slot.
//!
//! The engine keeps the slot of each of its orders, so its book has no index of ids: an order that enters here is
//! unknown to the methods that take an id.

use super::{NONE, OrderBook, QueuePosition, ladder};
use crate::{Fault, OrderId, Price, Qty, Side};

/// The first order of the best level of a side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    pub(crate) slot: u32,
    pub(crate) id: OrderId,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
}

/// Where levels were, by price: saves the search of a ladder, which the processor can't foresee. A place may be out of
/// date, so the level that it names is looked at before it is believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// Empty until the first order rests, then `1 << HINT_BITS` long.
    places: Vec<u32>,
}

/// 512 places of 4 bytes: a thirtieth of a first-level cache, and more levels than most books have.
const HINT_BITS: u32 = 9;

impl Hints {
    #[inline]
    fn place(&mut self, price: Price) -> &mut u32 {
        if self.places.is_empty() {
            self.places = vec![NONE; 1 << HINT_BITS];
        }
        // Prices are multiples of a tick: the upper bits of the product spread them (Knuth, TAOCP vol. 3, section 6.4).
        let spread = price.0.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &mut self.places[(spread >> (64 - HINT_BITS)) as usize]
    }
}

impl OrderBook {
    /// The order that trades next on a side.
    #[inline]
    pub(crate) fn front(&self, side: Side) -> Option<Front> {
        let level = self.levels.get(self.ladder(side).best()?);
        let order = self.orders.get(level.head);
        Some(Front {
            slot: level.head,
            id: OrderId(order.id),
            price: level.price,
            qty: Qty(order.qty),
        })
    }

    /// The best price of a side.
    #[inline]
    pub(crate) fn best_price(&self, side: Side) -> Option<Price> {
        self.ladder(side)
            .best_key()
            .map(|key| ladder::price(side, key))
    }

    /// Puts an order at the end of its level's queue, without an entry in the index.
    #[inline]
    pub(crate) fn enter(
        &mut self,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Result<u32, Fault> {
        let handle = self.level_for(side, price);
        self.append(handle, id, qty)
    }

    /// As [`OrderBook::enter`], for a caller who remembers where levels are.
    #[inline]
    pub(crate) fn enter_near(
        &mut self,
        hints: &mut Hints,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Result<u32, Fault> {
        let hint = hints.place(price);
        let handle = match self.levels.try_get(*hint) {
            Some(level) if level.price == price && level.side == side && level.count > 0 => *hint,
            _ => {
                *hint = self.level_for(side, price);
                *hint
            }
        };
        self.append(handle, id, qty)
    }

    /// The level of a price, opened if need be.
    fn level_for(&mut self, side: Side, price: Price) -> u32 {
        let key = ladder::key(side, price);
        match self.ladder(side).find(key) {
            Ok(handle) => handle,
            Err(rank) => {
                let handle = self.levels.open(side, price);
                self.ladder_mut(side).insert(rank, key, handle);
                handle
            }
        }
    }

    /// Puts an order at the end of a queue.
    #[inline]
    fn append(&mut self, handle: u32, id: OrderId, qty: Qty) -> Result<u32, Fault> {
        let level = self.levels.get_mut(handle);
        let Some(total) = level.qty.checked_add(qty.0) else {
            return Err(Fault::QtyOverflow);
        };
        level.qty = total;
        level.count += 1;
        let slot = self.orders.link(id, qty, handle, level.tail);
        let is_first = level.tail == NONE;
        level.head = if is_first { slot } else { level.head };
        level.tail = slot;
        Ok(slot)
    }

    /// Takes an order that has no entry in the index out of its queue, and its level away when it was the last one.
    #[inline]
    pub(crate) fn leave(&mut self, slot: u32) {
        let order = self.orders.unlink(slot);
        let level = self.levels.get_mut(order.level);
        level.qty -= order.qty;
        level.count -= 1;
        let is_end = [order.prev == NONE, order.next == NONE];
        level.head = if is_end[0] { order.next } else { level.head };
        level.tail = if is_end[1] { order.prev } else { level.tail };
        if level.count == 0 {
            let (side, price) = (level.side, level.price);
            self.ladder_mut(side).remove(ladder::key(side, price));
            self.levels.close(order.level);
        }
    }

    /// Takes less than all of an order away; it keeps its place.
    #[inline]
    pub(crate) fn shrink(&mut self, slot: u32, by: Qty) {
        let order = self.orders.get_mut(slot);
        debug_assert!(by.0 < order.qty);
        order.qty -= by.0;
        self.levels.get_mut(order.level).qty -= by.0;
    }

    /// What stands before the order in a slot at its price.
    pub(crate) fn queue_position_of(&self, slot: u32) -> QueuePosition {
        let id = self.orders.get(slot).id;
        let level = self.levels.get(self.orders.get(slot).level);
        let mut position = QueuePosition {
            orders_ahead: 0,
            qty_ahead: Qty(0),
        };
        for ahead in self
            .orders
            .queue(level.head)
            .take_while(|order| order.id != id)
        {
            position.orders_ahead += 1;
            position.qty_ahead.0 += ahead.qty;
        }
        position
    }

    /// Grows the pools for this many orders.
    pub(crate) fn reserve(&mut self, orders: usize) {
        self.orders.reserve(orders);
    }
}
