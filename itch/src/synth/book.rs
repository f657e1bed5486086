//! The generator's own order books: just enough to know what may happen next.

use super::rng::Rng;

/// Index of a side: 0 bids, 1 asks.
pub(super) type Side = usize;
pub(super) const BID: Side = 0;
pub(super) const ASK: Side = 1;

const NIL: u32 = u32::MAX;

/// A resting order. Orders of one level are linked in time order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) reference: u64,
    pub(super) price: u32,
    pub(super) shares: u32,
    prev: u32,
    next: u32,
    /// Where the order stands in its book's log.
    position: u32,
    pub(super) book: u16,
    side: u8,
}

const _: () = assert!(size_of::<Order>() <= 32);

impl Order {
    pub(super) fn side(&self) -> Side {
        usize::from(self.side)
    }
}

#[derive(Debug, Clone, Copy)]
struct Level {
    price: u32,
    head: u32,
    tail: u32,
}

/// One stock's book.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    /// Levels of each side, best last.
    levels: [Vec<Level>; 2],
    /// Slots of the orders in order of arrival, `NIL` where one has gone.
    log: Vec<u32>,
    live: u32,
    /// Last price at a touch, for when the book is empty.
    pub(super) anchor: u32,
    pub(super) is_halted: bool,
}

impl Book {
    #[inline]
    pub(super) fn best(&self, side: Side) -> Option<u32> {
        self.levels[side].last().map(|level| level.price)
    }

    #[inline]
    pub(super) fn live(&self) -> u32 {
        self.live
    }

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
}

/// All books and the orders in them. Memory follows the number of live orders.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    pub(super) all: Vec<Book>,
    orders: Vec<Order>,
    free: Vec<u32>,
}

impl Books {
    pub(super) fn new(anchors: impl Iterator<Item = u32>) -> Self {
        let all = anchors
            .map(|anchor| Book {
                anchor,
                ..Book::default()
            })
            .collect();
        Self {
            all,
            ..Self::default()
        }
    }

    #[inline]
    pub(super) fn order(&self, slot: u32) -> &Order {
        &self.orders[slot as usize]
    }

    pub(super) fn live(&self) -> usize {
        self.orders.len() - self.free.len()
    }

    /// First order in the queue at the best price, or the second if there is one and it is asked
    /// for.
    pub(super) fn head(&self, book: u16, side: Side, second: bool) -> Option<u32> {
        let head = self.all[usize::from(book)].levels[side].last()?.head;
        let next = self.order(head).next;
        Some(if second && next != NIL { next } else { head })
    }

    pub(super) fn add(&mut self, book: u16, side: Side, price: u32, shares: u32, reference: u64) {
        let state = &mut self.all[usize::from(book)];
        let position = index(state.log.len());
        let slot = self.free.pop().unwrap_or(index(self.orders.len()));
        let prev = match state.find(side, price) {
            Ok(at) => {
                let level = &mut state.levels[side][at];
                let prev = level.tail;
                level.tail = slot;
                self.orders[prev as usize].next = slot;
                prev
            }
            Err(at) => {
                let level = Level {
                    price,
                    head: slot,
                    tail: slot,
                };
                state.levels[side].insert(at, level);
                if at + 1 == state.levels[side].len() {
                    state.anchor = price;
                }
                NIL
            }
        };
        state.log.push(slot);
        state.live += 1;
        let order = Order {
            reference,
            price,
            shares,
            prev,
            next: NIL,
            position,
            book,
            side: u8::from(side == ASK),
        };
        match self.orders.get_mut(slot as usize) {
            Some(place) => *place = order,
            None => self.orders.push(order),
        }
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let order = self.orders[slot as usize];
        let side = order.side();
        let state = &mut self.all[usize::from(order.book)];
        if order.next != NIL {
            self.orders[order.next as usize].prev = order.prev;
        }
        if order.prev != NIL {
            self.orders[order.prev as usize].next = order.next;
        }
        if order.prev == NIL || order.next == NIL {
            let at = state
                .find(side, order.price)
                .expect("a live order has a level");
            let level = &mut state.levels[side][at];
            match (order.prev, order.next) {
                (NIL, NIL) => {
                    state.levels[side].remove(at);
                }
                (NIL, next) => level.head = next,
                (prev, _) => level.tail = prev,
            }
        }
        state.log[order.position as usize] = NIL;
        while state.log.last() == Some(&NIL) {
            state.log.pop();
        }
        state.live -= 1;
        self.free.push(slot);
        if state.log.len() > 64 && state.log.len() > 2 * state.live as usize {
            state.log.retain(|&slot| slot != NIL);
            for (position, &slot) in (0..).zip(&state.log) {
                self.orders[slot as usize].position = position;
            }
        }
    }

    /// Takes `shares` off an order that has more.
    pub(super) fn reduce(&mut self, slot: u32, shares: u32) {
        self.orders[slot as usize].shares -= shares;
    }

    /// An order of the book: one of the latest in most cases, else of any age.
    pub(super) fn any(&self, book: u16, rng: &mut Rng) -> Option<u32> {
        let log = &self.all[usize::from(book)].log;
        let len = index(log.len());
        let age = if rng.chance(RECENT.0, RECENT.1) {
            rng.below(RECENT_ADDS)
        } else {
            rng.tail(32 - len.leading_zeros())
        };
        let at = len.checked_sub(1)?.saturating_sub(age) as usize;
        // What has gone leaves holes; the next older order stands in, else the next newer one.
        let older = log[..=at].iter().rev().find(|&&slot| slot != NIL);
        older
            .or_else(|| log[at..].iter().find(|&&slot| slot != NIL))
            .copied()
    }
}

/// Share of deletes and replaces that go for one of the latest orders.
const RECENT: (u32, u32) = (60, 100);
/// How many of the latest adds those are.
const RECENT_ADDS: u32 = 8;

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

    fn books() -> Books {
        Books::new(std::iter::once(10_000))
    }

    #[test]
    fn best_and_queue_order() {
        let mut books = books();
        books.add(0, BID, 9_900, 100, 1);
        books.add(0, BID, 10_000, 100, 2);
        books.add(0, BID, 10_000, 100, 3);
        books.add(0, ASK, 10_200, 100, 4);
        books.add(0, ASK, 10_100, 100, 5);
        let book = &books.all[0];
        assert_eq!(
            (book.best(BID), book.best(ASK)),
            (Some(10_000), Some(10_100))
        );
        let head = books.head(0, BID, false).unwrap();
        assert_eq!(books.order(head).reference, 2);
        let second = books.head(0, BID, true).unwrap();
        assert_eq!(books.order(second).reference, 3);
        books.remove(head);
        books.remove(second);
        assert_eq!(books.all[0].best(BID), Some(9_900));
        assert_eq!(books.live(), 3);
    }

    #[test]
    fn emptied_book_forgets_nothing() {
        let mut books = books();
        let mut rng = Rng::new(3);
        for round in 0..2_000_u32 {
            let side = usize::from(rng.chance(1, 2));
            let step = 100 * rng.below(40);
            let price = if side == BID {
                100_000 - step
            } else {
                100_100 + step
            };
            books.add(0, side, price, 100, u64::from(round));
            if rng.chance(2, 3) {
                let slot = books.any(0, &mut rng).unwrap();
                books.remove(slot);
            }
        }
        while let Some(slot) = books.any(0, &mut rng) {
            books.remove(slot);
        }
        assert_eq!(books.live(), 0);
        assert!(books.all[0].levels.iter().all(Vec::is_empty));
        assert!(books.all[0].log.is_empty());
    }
}
