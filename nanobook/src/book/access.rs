//! What the matching engine needs beyond deltas: the front of a queue, and orders by their slot.
//!
//! The engine keeps the slot of each of its orders, so its book has no index of ids: an order that enters here is
//! unknown to the methods that take an id.

use super::{NONE, OrderBook, QueuePosition, ladder};
use crate::{Fault, OrderId, Price, Qty, Side};

/// The first order of the best level of a side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    pub(crate) id: OrderId,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
}

/// What was taken from the first order of the best level of a side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) id: OrderId,
    pub(crate) price: Price,
    /// How much.
    pub(crate) qty: u64,
    /// What still rests of the order.
    pub(crate) left: u64,
}

/// Where an order rests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Berth {
    pub(crate) slot: u32,
    /// Handle of its level.
    pub(crate) level: u32,
}

/// As many gaps may stand in a queue before they are looked for, however short it is.
const FEW_GAPS: u32 = 16;

/// No queue has more gaps, so that their number fits its field.
const MANY_GAPS: u32 = 1 << 30;

/// Where levels were, by price: saves the search of a ladder, which the processor can't foresee. A place may be out of
/// date, so the level that it names is looked at before it is believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// Empty until the first order rests, then as long as a power of two.
    places: Vec<u32>,
    /// Bits to shift a product right for a place.
    shift: u32,
}

/// The fewest places: 2 KB.
const MIN_HINTS: usize = 1 << 9;

/// The most places: beyond, they would take up more cache than they save time.
const MAX_HINTS: usize = 1 << 15;

/// So many places are wanted for each level: nine of ten are alone in theirs then.
const HINTS_PER_LEVEL: usize = 4;

impl Hints {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves no more bits than the places have"
    )]
    fn at(&self, price: Price) -> usize {
        // Prices are multiples of a tick: the upper bits of the product spread them (Knuth, TAOCP vol. 3, section 6.4).
        let spread = price.0.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (spread >> self.shift) as usize
    }

    /// Where the level of a price was.
    #[inline]
    fn get(&self, price: Price) -> u32 {
        self.places.get(self.at(price)).copied().unwrap_or(NONE)
    }

    /// Remembers where a level of a book of so many levels is.
    #[inline]
    fn set(&mut self, price: Price, handle: u32, levels: usize) {
        let len = self.places.len();
        if len < MIN_HINTS || len < MAX_HINTS && len < levels * HINTS_PER_LEVEL {
            self.grow();
        }
        let at = self.at(price);
        self.places[at] = handle;
    }

    /// Twice the places, all empty: they fill again soon.
    #[cold]
    fn grow(&mut self) {
        let len = (2 * self.places.len()).max(MIN_HINTS);
        self.places = vec![NONE; len];
        self.shift = 64 - len.trailing_zeros();
    }
}

impl OrderBook {
    /// The order that trades next on a side.
    #[inline]
    pub(crate) fn front(&self, side: Side) -> Option<Front> {
        let level = self.levels.get(self.ladder(side).best()?);
        let order = self.orders.get(level.head);
        Some(Front {
            id: OrderId(order.id),
            price: level.price,
            qty: Qty(order.qty),
        })
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
    ) -> Result<Berth, Fault> {
        let hint = hints.get(price);
        let handle = match self.levels.try_get(hint) {
            Some(level) if level.price == price && level.side() == side && level.count > 0 => hint,
            _ => {
                let handle = self.level_for(side, price);
                let levels = self.level_count(Side::Buy) + self.level_count(Side::Sell);
                hints.set(price, handle, levels);
                handle
            }
        };
        let slot = self.append(handle, id, qty)?;
        Ok(Berth {
            slot,
            level: handle,
        })
    }

    /// The level of a price, opened if need be.
    #[inline]
    fn level_for(&mut self, side: Side, price: Price) -> u32 {
        match self.ladder(side).find_near(ladder::key(side, price)) {
            Ok(handle) => handle,
            Err(steps) => self.level_beyond(side, price, steps),
        }
    }

    /// [`OrderBook::level_for`] where none is near, so many steps below the top of the ladder.
    #[inline(never)]
    fn level_beyond(&mut self, side: Side, price: Price, steps: u64) -> u32 {
        let key = ladder::key(side, price);
        if let Some(handle) = self.ladder(side).find_far(steps, key) {
            return handle;
        }
        let handle = self.levels.open(side, price);
        self.ladder_mut(side).insert(steps, key, handle);
        handle
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
        if level.has_gaps() {
            self.pass_gaps(order.level);
        }
        self.close_if_empty(order.level);
    }

    /// Takes at most so much from the order that trades next on a side, and the order out of its queue when nothing is
    /// left of it.
    #[inline]
    pub(crate) fn take_front(&mut self, side: Side, most: u64) -> Option<Taken> {
        let handle = self.ladder(side).best()?;
        let level = self.levels.get_mut(handle);
        let (slot, price) = (level.head, level.price);
        let order = self.orders.get_mut(slot);
        let (id, qty) = (OrderId(order.id), most.min(order.qty));
        let left = order.qty - qty;
        level.qty -= qty;
        if left > 0 {
            order.qty = left;
        } else {
            level.count -= 1;
            level.head = self.orders.unlink_first(slot);
            if level.count == 0 || level.has_gaps() {
                self.follow_front(handle);
            }
        }
        Some(Taken {
            id,
            price,
            qty,
            left,
        })
    }

    /// Frees the gaps that the first order of a queue has left at its front, and takes the level away when it is empty.
    #[inline(never)]
    fn follow_front(&mut self, handle: u32) {
        self.pass_gaps(handle);
        self.close_if_empty(handle);
    }

    /// As [`OrderBook::leave`], for a caller who knows the level and what rests of the order. In the middle of a queue
    /// the order is only marked as a gap, which no load has to wait for; its record is freed when the front of the queue
    /// comes to it, or when gaps outnumber orders.
    #[inline]
    pub(crate) fn vacate(&mut self, berth: Berth, open: u64) {
        let level = self.levels.get_mut(berth.level);
        level.qty -= open;
        level.count -= 1;
        level.add_gap();
        let is_first = level.head == berth.slot;
        let has_many = level.gaps() > level.count.clamp(FEW_GAPS, MANY_GAPS);
        self.orders.make_gap(berth.slot);
        if is_first {
            self.pass_gaps(berth.level);
            self.close_if_empty(berth.level);
        } else if has_many {
            self.close_gaps(berth.level);
        }
    }

    /// Frees the gaps at the front of a queue, which may be all that is left of it.
    fn pass_gaps(&mut self, handle: u32) {
        let level = self.levels.get_mut(handle);
        while level.head != NONE && self.orders.is_gap(level.head) {
            level.head = self.orders.close_gap(level.head).next;
            level.drop_gap();
        }
    }

    /// Frees every gap of a queue whose first order rests.
    #[cold]
    fn close_gaps(&mut self, handle: u32) {
        let level = self.levels.get_mut(handle);
        let mut at = level.head;
        while at != NONE {
            let next = self.orders.get(at).next;
            if self.orders.is_gap(at) {
                let gap = self.orders.close_gap(at);
                level.drop_gap();
                if next == NONE {
                    level.tail = gap.prev;
                }
            }
            at = next;
        }
    }

    /// Takes the level of an empty queue away.
    #[inline]
    fn close_if_empty(&mut self, handle: u32) {
        let level = self.levels.get(handle);
        if level.count == 0 {
            let (side, price) = (level.side(), level.price);
            self.ladder_mut(side).remove(ladder::key(side, price));
            self.levels.close(handle);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Prices of one side, few, so that queues are long.
    const PRICES: usize = 3;

    #[test]
    fn hints_are_found_again_and_grow_with_the_levels_of_both_sides() {
        let mut hints = Hints::default();
        assert_eq!(hints.get(Price(7)), NONE);
        for (levels, places) in [(1, 512), (128, 512), (129, 1_024), (10_000, 2_048)] {
            hints.set(Price(7), 3, levels);
            hints.set(Price(8), 4, 1);
            assert_eq!(hints.places.len(), places, "{levels} levels");
            assert_eq!((hints.get(Price(7)), hints.get(Price(8))), (3, 4));
        }
        for _ in 0..10 {
            hints.set(Price(7), 3, 1 << 20);
        }
        assert_eq!(hints.places.len(), MAX_HINTS);
        let (mut book, mut hints) = (OrderBook::new(), Hints::default());
        for n in 1..=100 {
            for (side, price) in [(Side::Buy, -n), (Side::Sell, n)] {
                let berth = book.enter_near(&mut hints, OrderId(1), side, Price(price), Qty(1));
                assert_eq!(hints.get(Price(price)), berth.unwrap().level);
            }
        }
        assert_eq!(hints.places.len(), 1_024);
    }

    #[test]
    fn a_level_that_is_remembered_is_not_searched() {
        let (mut book, mut hints) = (OrderBook::new(), Hints::default());
        let first = book.enter_near(&mut hints, OrderId(1), Side::Buy, Price(500), Qty(1));
        for n in 1..=200 {
            book.enter(OrderId(2), Side::Buy, Price(n), Qty(1)).unwrap();
        }
        let again = book.enter_near(&mut hints, OrderId(3), Side::Buy, Price(500), Qty(1));
        assert_eq!(again.unwrap().level, first.unwrap().level);
        // Whoever searches writes down what was found, and sees then that 201 levels want more places.
        assert_eq!(hints.places.len(), 512);
        book.enter_near(&mut hints, OrderId(4), Side::Buy, Price(501), Qty(1))
            .unwrap();
        assert_eq!(hints.places.len(), 1_024);
    }

    /// How many gaps stand in a queue of so many orders after each cancel but that of the first order.
    fn gaps_of(orders: usize) -> Vec<u32> {
        let (mut book, mut hints) = (OrderBook::new(), Hints::default());
        let mut enter = |_| {
            let berth = book.enter_near(&mut hints, OrderId(1), Side::Buy, Price(1), Qty(1));
            berth.expect("small")
        };
        let berths: Vec<_> = (0..orders).map(&mut enter).collect();
        let gaps = berths[1..].iter().map(|berth| {
            book.vacate(*berth, 1);
            book.levels.get(berth.level).gaps()
        });
        gaps.collect()
    }

    #[test]
    fn gaps_are_freed_when_they_outnumber_orders_and_are_not_few() {
        assert_eq!(gaps_of(10), (1..=9).collect::<Vec<_>>());
        let few = FEW_GAPS;
        let expected: Vec<_> = (1..=few).chain([0, 1, 2]).collect();
        assert_eq!(gaps_of(20), expected);
        let expected: Vec<_> = (1..=20).chain(0..=few).chain([0, 1]).collect();
        assert_eq!(gaps_of(40), expected);
    }

    #[test]
    fn gaps_are_never_seen_and_never_outnumber_orders_for_long() {
        let mut random = 1_u64;
        let mut below = |n: usize| {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            usize::try_from(random >> 40).expect("24 bits") % n
        };
        let (mut book, mut hints) = (OrderBook::new(), Hints::default());
        let mut queues: [Vec<(OrderId, Berth, u64)>; PRICES] = Default::default();
        let (mut most, mut closed, mut id) = (0, 0, 0);
        for step in 0..60_000 {
            let at = below(PRICES);
            let queue = &mut queues[at];
            let price = Price(i64::try_from(at).expect("small") + 1);
            // Waves of adds and of cancels: queues grow to hundreds and empty again.
            let adds = if step / 2_000 % 2 == 0 { 60 } else { 30 };
            match below(100) {
                n if n < adds => {
                    id += 1;
                    let qty = below(9) as u64 + 1;
                    let berth =
                        book.enter_near(&mut hints, OrderId(id), Side::Buy, price, Qty(qty));
                    queue.push((OrderId(id), berth.expect("small"), qty));
                }
                n if n < 95 && !queue.is_empty() => {
                    let (_, berth, qty) = queue.remove(below(queue.len()));
                    let before = book.levels.get(berth.level).gaps();
                    book.vacate(berth, qty);
                    closed +=
                        usize::from(before > FEW_GAPS && book.levels.get(berth.level).gaps() == 0);
                }
                _ if !queue.is_empty() => {
                    let (_, berth, _) = queue.remove(0);
                    book.leave(berth.slot);
                }
                _ => {}
            }
            let live: usize = queues.iter().map(Vec::len).sum();
            most = most.max(live);
            if step % 16 == 0 {
                let of = |queue: &Vec<(OrderId, Berth, u64)>| -> Vec<_> {
                    queue.iter().map(|(id, _, qty)| (*id, Qty(*qty))).collect()
                };
                let expected: Vec<_> = queues.iter().rev().flat_map(of).collect();
                let seen = book.orders(Side::Buy).map(|order| (order.id, order.qty));
                assert_eq!(seen.collect::<Vec<_>>(), expected, "at step {step}");
                let front = queues.iter().rev().find_map(|queue| queue.first());
                assert_eq!(
                    book.front(Side::Buy).map(|front| front.id),
                    front.map(|order| order.0)
                );
                for level in book.levels(Side::Buy) {
                    let queue = &queues[usize::try_from(level.price.0).expect("small") - 1];
                    let qty = queue.iter().map(|order| order.2).sum();
                    assert_eq!((level.count as usize, level.qty), (queue.len(), Qty(qty)));
                }
            }
        }
        assert!(closed > 10, "{closed} sweeps");
        let most_records = 2 * most + PRICES * FEW_GAPS as usize;
        assert!(
            book.orders.records() <= most_records,
            "{most} orders at most"
        );
    }
}
