//! The generator's own order books: just enough to know what may happen next.

use super::rng::Rng;

/// Index of a side: 0 bids, 1 asks.
pub(super) type Side = usize;
pub(super) const BID: Side = 0;
pub(super) const ASK: Side = 1;

const NIL: u32 = u32::MAX;

/// An order in its book. Orders of one level are linked in time order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) reference: u64,
    pub(super) price: u32,
    /// 0 once the order has gone.
    pub(super) shares: u32,
    prev: u32,
    next: u32,
}

const _: () = assert!(size_of::<Order>() == 24);

#[derive(Debug, Clone, Copy)]
struct Level {
    price: u32,
    head: u32,
    tail: u32,
}

/// One stock's book. All of it lies together, and what is new lies at the ends of its vectors:
/// with thousands of books, memory latency is what a message costs.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    /// Levels of each side, best last.
    levels: [Vec<Level>; 2],
    /// Orders in order of arrival; some have gone. Their indices are valid until the next `add`.
    orders: Vec<Order>,
    live: u32,
    /// Last price at a touch, for when the book is empty.
    pub(super) anchor: u32,
    pub(super) is_halted: bool,
}

impl Book {
    pub(super) fn new(anchor: u32) -> Self {
        Self {
            anchor,
            ..Self::default()
        }
    }

    #[inline]
    pub(super) fn best(&self, side: Side) -> Option<u32> {
        self.levels[side].last().map(|level| level.price)
    }

    /// Touches what the next message will need.
    #[inline]
    pub(super) fn glance(&self) -> u32 {
        let order = self.orders.last().map_or(0, |order| order.price);
        order ^ self.best(BID).unwrap_or(0) ^ self.best(ASK).unwrap_or(0)
    }

    #[inline]
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    /// The side on which a resting order at `price` is: the book is never crossed.
    #[inline]
    pub(super) fn side(&self, price: u32) -> Side {
        let is_bid = self.best(BID).is_some_and(|best| price <= best);
        if is_bid { BID } else { ASK }
    }

    #[inline]
    pub(super) fn order(&self, at: u32) -> &Order {
        &self.orders[at as usize]
    }

    /// First order in the queue at the best price, or the second if there is one and it is asked
    /// for.
    pub(super) fn head(&self, side: Side, second: bool) -> Option<u32> {
        let head = self.levels[side].last()?.head;
        let next = self.order(head).next;
        Some(if second && next != NIL { next } else { head })
    }

    /// Index of the level at `price`, or where it would stand.
    fn find(&self, side: Side, price: u32) -> Result<usize, usize> {
        let levels = &self.levels[side];
        // Most of what happens is near the touch, which is at the end.
        let worse = |level: &Level| {
            if side == BID {
                level.price < price
            } else {
                level.price > price
            }
        };
        let near = levels.len().saturating_sub(8);
        let at = if near > 0 && !worse(&levels[near - 1]) {
            levels.partition_point(worse)
        } else {
            near + levels[near..]
                .iter()
                .take_while(|level| worse(level))
                .count()
        };
        match levels.get(at) {
            Some(level) if level.price == price => Ok(at),
            _ => Err(at),
        }
    }

    pub(super) fn add(&mut self, side: Side, price: u32, shares: u32, reference: u64) {
        if self.orders.len() > 64 + 2 * self.live as usize {
            self.compact();
        }
        let at = index(self.orders.len());
        let prev = match self.find(side, price) {
            Ok(level) => {
                let level = &mut self.levels[side][level];
                let prev = level.tail;
                level.tail = at;
                self.orders[prev as usize].next = at;
                prev
            }
            Err(place) => {
                let level = Level {
                    price,
                    head: at,
                    tail: at,
                };
                self.levels[side].insert(place, level);
                if place + 1 == self.levels[side].len() {
                    self.anchor = price;
                }
                NIL
            }
        };
        self.orders.push(Order {
            reference,
            price,
            shares,
            prev,
            next: NIL,
        });
        self.live += 1;
    }

    pub(super) fn remove(&mut self, at: u32) {
        let order = self.orders[at as usize];
        if order.next != NIL {
            self.orders[order.next as usize].prev = order.prev;
        }
        if order.prev != NIL {
            self.orders[order.prev as usize].next = order.next;
        }
        if order.prev == NIL || order.next == NIL {
            let side = self.side(order.price);
            let place = self
                .find(side, order.price)
                .expect("a live order has a level");
            let levels = &mut self.levels[side];
            match (order.prev, order.next) {
                (NIL, NIL) => {
                    levels.remove(place);
                }
                (NIL, next) => levels[place].head = next,
                (prev, _) => levels[place].tail = prev,
            }
        }
        self.orders[at as usize].shares = 0;
        while self.orders.last().is_some_and(|order| order.shares == 0) {
            self.orders.pop();
        }
        self.live -= 1;
    }

    /// Takes `shares` off an order, and the order off the book when none are left.
    pub(super) fn take(&mut self, at: u32, shares: u32) {
        let order = &mut self.orders[at as usize];
        if order.shares > shares {
            order.shares -= shares;
        } else {
            self.remove(at);
        }
    }

    /// An order: one of the latest in most cases, else of any age.
    pub(super) fn any(&self, rng: &mut Rng) -> Option<u32> {
        let len = index(self.orders.len());
        let age = if rng.chance(RECENT.0, RECENT.1) {
            rng.below(RECENT_ADDS)
        } else {
            rng.tail(32 - len.leading_zeros())
        };
        let at = len.checked_sub(1)?.saturating_sub(age);
        // What has gone leaves holes; the next older order stands in, else the next newer one.
        let is_live = |&at: &u32| self.order(at).shares > 0;
        (0..=at)
            .rev()
            .find(is_live)
            .or_else(|| (at..len).find(is_live))
    }

    /// Closes the holes.
    fn compact(&mut self) {
        let mut moved = vec![NIL; self.orders.len()];
        let mut to = 0;
        for (from, order) in self.orders.iter().enumerate() {
            if order.shares > 0 {
                moved[from] = to;
                to += 1;
            }
        }
        let link = |at: u32| moved.get(at as usize).copied().unwrap_or(NIL);
        self.orders.retain(|order| order.shares > 0);
        for order in &mut self.orders {
            order.prev = link(order.prev);
            order.next = link(order.next);
        }
        for level in self.levels.iter_mut().flatten() {
            level.head = link(level.head);
            level.tail = link(level.tail);
        }
    }
}

/// Share of deletes and replaces that go for one of the latest orders.
const RECENT: (u32, u32) = (50, 100);
/// How many of the latest adds those are.
const RECENT_ADDS: u32 = 14;

#[expect(
    clippy::cast_possible_truncation,
    reason = "2^32 live orders do not fit in memory"
)]
fn index(n: usize) -> u32 {
    n as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_and_queue_order() {
        let mut book = Book::new(10_000);
        book.add(BID, 9_900, 100, 1);
        book.add(BID, 10_000, 100, 2);
        book.add(BID, 10_000, 100, 3);
        book.add(ASK, 10_200, 100, 4);
        book.add(ASK, 10_100, 100, 5);
        assert_eq!(book.best(BID), Some(10_000));
        assert_eq!(book.best(ASK), Some(10_100));
        let head = book.head(BID, false).unwrap();
        assert_eq!(book.order(head).reference, 2);
        let second = book.head(BID, true).unwrap();
        assert_eq!(book.order(second).reference, 3);
        book.remove(head);
        book.take(second, 40);
        assert_eq!(book.order(second).shares, 60);
        book.take(second, 60);
        assert_eq!(book.best(BID), Some(9_900));
        assert_eq!(book.live(), 3);
    }

    #[test]
    fn links_survive_compaction() {
        let mut book = Book::new(100_000);
        let mut rng = Rng::new(3);
        for round in 0..5_000_u32 {
            let side = usize::from(rng.chance(1, 2));
            let step = 100 * rng.below(40);
            let price = if side == BID {
                100_000 - step
            } else {
                100_100 + step
            };
            book.add(side, price, 100, u64::from(round));
            if rng.chance(2, 3) {
                let at = book.any(&mut rng).unwrap();
                book.remove(at);
            }
        }
        assert!(book.orders.len() > 64);
        while let Some(head) = book.head(BID, false).or(book.head(ASK, false)) {
            let order = *book.order(head);
            let side = book.side(order.price);
            book.remove(head);
            if let Some(next) = book.head(side, false) {
                let next = book.order(next);
                assert!(next.price != order.price || next.reference > order.reference);
            }
        }
        assert_eq!(book.live(), 0);
        assert!(book.orders.is_empty());
    }
}
