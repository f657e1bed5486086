//! What happens to the books: which kind of message comes next, to which order, at which price.

use super::book::{ASK, BID, Books, Side};
use super::listing::Listings;
use super::rng::Rng;
use super::tape::Tape;
use crate::{
    AddOrder, AddOrderAttributed, Alpha4, CrossTrade, Int2, NetOrderImbalance, OrderCancel,
    OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace, Price4, Trade,
};

/// Kinds of book message, in the order of [`MIX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Add,
    Delete,
    Replace,
    Execute,
    Cancel,
    AddAttributed,
    Trade,
    ExecuteWithPrice,
}

const KINDS: [Kind; 8] = [
    Kind::Add,
    Kind::Delete,
    Kind::Replace,
    Kind::Execute,
    Kind::Cancel,
    Kind::AddAttributed,
    Kind::Trade,
    Kind::ExecuteWithPrice,
];

/// Part of the day, for the mix of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the open: books fill.
    Early,
    /// Market hours.
    Regular,
    /// After the close: books empty.
    Late,
}

/// Messages of each kind in 10,000, by phase. Over a day (10 % early, 87 % regular, 3 % late, less
/// the administrative messages) they come to 43.9 % `A`, 40.1 % `D`, 8.2 % `U`, 3.2 % `E`, 1.5 % `X`.
const MIX: [[usize; 8]; 3] = [
    [5_200, 3_400, 900, 100, 250, 120, 20, 10],
    [4_432, 4_089, 831, 357, 142, 89, 54, 6],
    [2_900, 6_000, 700, 150, 120, 70, 50, 10],
];

/// Share of executions that take the whole order, in percent.
const FILLS_WHOLE: u32 = 78;
/// Longest sweep: executions at one time by one incoming order.
const SWEEP: u32 = 4;

/// The books and the state from which messages about them are made.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) listings: Listings,
    pub(super) books: Books,
    /// The stock of the last message, which is often that of the next.
    current: u16,
    /// Kinds by phase, each as often as the mix says.
    wheel: [Vec<Kind>; 3],
    /// Messages of each kind still owed (impossible when drawn), or sent ahead if negative.
    owed: [i64; 8],
    /// Order references count up in four interleaved streams, each in steps of four.
    references: [u64; 4],
    match_number: u64,
    /// The latest matches, for broken trades.
    matches: [(u16, u64); 64],
    pub(super) mpids: Vec<Alpha4>,
}

impl Flow {
    pub(super) fn new(symbols: u16, rng: &mut Rng) -> Self {
        let listings = Listings::new(symbols, rng);
        let books = Books::new(listings.all.iter().map(|listing| listing.reference));
        let wheel = MIX.map(|mix| {
            let kinds = KINDS.into_iter().zip(mix);
            kinds
                .flat_map(|(kind, n)| std::iter::repeat_n(kind, n))
                .collect()
        });
        let mpids = (0..200)
            .map(|_| {
                Alpha4::from_bytes(std::array::from_fn(|_| rng.pick(b"BCDFGHJKLMNPQRSTVWXYZ")))
            })
            .collect();
        Self {
            listings,
            books,
            current: 0,
            wheel,
            owed: [0; 8],
            references: std::array::from_fn(|stream| {
                // Streams start apart by a few thousand, as if the night had brought orders.
                stream as u64 + 4 * u64::from(rng.below(3_000))
            }),
            match_number: 10_000 + u64::from(rng.below(10_000)),
            matches: [(0, 0); 64],
            mpids,
        }
    }

    /// Draws the stock of the next book message; true if it is that of the last one.
    pub(super) fn turn(&mut self, rng: &mut Rng) -> bool {
        let stays = rng.chance(43, 100);
        if !stays {
            self.current = self.listings.draw(rng);
        }
        stays
    }

    /// A recent match to break: index of the stock, match number.
    pub(super) fn recent_match(&self, rng: &mut Rng) -> Option<(u16, u64)> {
        Some(rng.pick(&self.matches)).filter(|&(_, number)| number != 0)
    }

    /// Writes what happens next to the current stock: one message, or a sweep of a few.
    pub(super) fn step(&mut self, phase: Phase, rng: &mut Rng, tape: &mut Tape) {
        let book = self.current;
        let kind = self.choose(phase, book, rng);
        let is_done = match kind {
            Kind::Add => self.add(book, false, rng, tape),
            Kind::AddAttributed => self.add(book, true, rng, tape),
            Kind::Delete => self.delete(book, rng, tape),
            Kind::Replace => self.replace(book, rng, tape),
            Kind::Execute => self.execute(book, rng, tape),
            Kind::Cancel => self.cancel(book, rng, tape),
            Kind::Trade => self.trade(book, rng, tape),
            Kind::ExecuteWithPrice => self.execute_with_price(book, rng, tape),
        };
        if !is_done {
            self.owed[kind as usize] += 1;
            self.add(book, false, rng, tape);
        }
    }

    /// Draws a kind; pays a debt of another kind in place of an add when this book allows it.
    fn choose(&mut self, phase: Phase, book: u16, rng: &mut Rng) -> Kind {
        let wheel = &self.wheel[phase as usize];
        let mut kind = rng.pick(wheel);
        while self.owed[kind as usize] < 0 {
            self.owed[kind as usize] += 1;
            kind = rng.pick(wheel);
        }
        if kind == Kind::Add && self.books.all[usize::from(book)].live() > 2 {
            let owed = KINDS[1..]
                .iter()
                .find(|&&kind| self.owed[kind as usize] > 0);
            if let Some(&owed) = owed {
                self.owed[owed as usize] -= 1;
                kind = owed;
            }
        }
        kind
    }

    fn next_reference(&mut self, book: u16, rng: &mut Rng) -> u64 {
        let stream = &mut self.references[usize::from(book) % 4];
        // Orders that are never displayed use up numbers too.
        *stream += if rng.chance(15, 16) { 4 } else { 8 };
        *stream
    }

    fn next_match(&mut self, book: u16, rng: &mut Rng) -> u64 {
        self.match_number += 1 + u64::from(rng.below(3));
        let number = self.match_number;
        let place = usize::try_from(number).unwrap_or_default() % self.matches.len();
        self.matches[place] = (book, number);
        number
    }

    /// A price for an order that rests: near the touch in most cases, and never crossing it.
    fn resting_price(&self, book: u16, side: Side, rng: &mut Rng) -> Option<u32> {
        let state = &self.books.all[usize::from(book)];
        let listing = &self.listings.all[usize::from(book)];
        let (tick, spread) = (listing.tick, listing.spread);
        // All in ticks, counted so that larger is better for this side.
        let up = |price: u32| {
            let ticks = i64::from(price / tick);
            if side == BID { ticks } else { -ticks }
        };
        let own = state.best(side).map(up);
        let limit = state.best(1 - side).map(|price| up(price) - 1);
        let usual = i64::from(spread);
        let touch = match (own, limit) {
            (Some(own), _) => own,
            (None, Some(limit)) => limit + 1 - usual,
            (None, None) => up(state.anchor) - i64::from(rng.below(spread + 1)),
        };
        let room = limit.map_or(0, |limit| limit - touch);
        let is_wide = room >= usual;
        let better = if room > 0 && rng.chance(if is_wide { 30 } else { 4 }, 100) {
            let most = if is_wide { room } else { room.min(2) };
            1 + i64::from(rng.below(u32::try_from(most).unwrap_or(1)))
        } else {
            0
        };
        let worse = if better > 0 {
            0
        } else if rng.chance(NEAR.0, NEAR.1) {
            i64::from(rng.below(10).min(rng.below(10)))
        } else {
            10 + i64::from(rng.tail(9))
        };
        let best = limit.map_or(touch + better, |limit| limit.min(touch + better));
        let ticks = (best - worse).abs();
        let price = u32::try_from(ticks).ok()?.checked_mul(tick)?;
        let price = price.clamp(listing.floor, listing.cap);
        // The clamp can only have moved the price across when a side has run into its bound.
        let is_free = limit.is_none_or(|limit| up(price) <= limit);
        is_free.then_some(price)
    }

    fn add(&mut self, book: u16, is_attributed: bool, rng: &mut Rng, tape: &mut Tape) -> bool {
        let mut side = usize::from(rng.chance(1, 2));
        let price = self.resting_price(book, side, rng).or_else(|| {
            side = 1 - side;
            self.resting_price(book, side, rng)
        });
        let price = price.expect("bid and ask cannot both have run into their bounds");
        let shares = shares(rng);
        let reference = self.next_reference(book, rng);
        self.books.add(book, side, price, shares, reference);
        let (stock_locate, tracking_number, timestamp) = tape.head(book);
        let stock = self.listings.all[usize::from(book)].stock;
        let order_reference_number = reference.into();
        let buy_sell_indicator = letter(side);
        if is_attributed {
            let attribution = rng.pick(&self.mpids);
            tape.put(&AddOrderAttributed {
                message_type: b'F',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number,
                buy_sell_indicator,
                shares: shares.into(),
                stock,
                price: Price4::new(price),
                attribution,
            });
        } else {
            tape.put(&AddOrder {
                message_type: b'A',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number,
                buy_sell_indicator,
                shares: shares.into(),
                stock,
                price: Price4::new(price),
            });
        }
        true
    }

    fn delete(&mut self, book: u16, rng: &mut Rng, tape: &mut Tape) -> bool {
        let Some(slot) = self.books.any(book, rng) else {
            return false;
        };
        let (stock_locate, tracking_number, timestamp) = tape.head(book);
        tape.put(&OrderDelete {
            message_type: b'D',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: self.books.order(slot).reference.into(),
        });
        self.books.remove(slot);
        true
    }

    fn replace(&mut self, book: u16, rng: &mut Rng, tape: &mut Tape) -> bool {
        let Some(slot) = self.books.any(book, rng) else {
            return false;
        };
        let old = *self.books.order(slot);
        let side = old.side();
        self.books.remove(slot);
        let price = if rng.chance(1, 3) {
            None
        } else {
            self.resting_price(book, side, rng)
        };
        let price = price.unwrap_or(old.price);
        let shares = if price == old.price || rng.chance(1, 4) {
            shares(rng)
        } else {
            old.shares
        };
        let reference = self.next_reference(book, rng);
        self.books.add(book, side, price, shares, reference);
        let (stock_locate, tracking_number, timestamp) = tape.head(book);
        tape.put(&OrderReplace {
            message_type: b'U',
            stock_locate,
            tracking_number,
            timestamp,
            original_order_reference_number: old.reference.into(),
            new_order_reference_number: reference.into(),
            shares: shares.into(),
            price: Price4::new(price),
        });
        true
    }

    fn cancel(&mut self, book: u16, rng: &mut Rng, tape: &mut Tape) -> bool {
        let slot = self.books.any(book, rng);
        let Some(slot) = slot.filter(|&slot| self.books.order(slot).shares > 1) else {
            return false;
        };
        let order = self.books.order(slot);
        let cancelled = part_of(order.shares, rng);
        let (stock_locate, tracking_number, timestamp) = tape.head(book);
        tape.put(&OrderCancel {
            message_type: b'X',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: order.reference.into(),
            cancelled_shares: cancelled.into(),
        });
        self.books.reduce(slot, cancelled);
        true
    }

    /// Picks a resting order for an execution; `None` while halted or without orders.
    fn resting(&self, book: u16, rng: &mut Rng) -> Option<u32> {
        if self.books.all[usize::from(book)].is_halted {
            return None;
        }
        let side = usize::from(rng.chance(1, 2));
        let is_second = rng.chance(3, 100);
        self.books
            .head(book, side, is_second)
            .or_else(|| self.books.head(book, 1 - side, is_second))
    }

    /// Takes `shares` off an order, and the order off the book when none are left.
    fn take(&mut self, slot: u32, shares: u32) {
        if self.books.order(slot).shares == shares {
            self.books.remove(slot);
        } else {
            self.books.reduce(slot, shares);
        }
    }

    fn execute(&mut self, book: u16, rng: &mut Rng, tape: &mut Tape) -> bool {
        let Some(mut slot) = self.resting(book, rng) else {
            return false;
        };
        for nth in 0..SWEEP {
            let order = *self.books.order(slot);
            let executed = if rng.chance(FILLS_WHOLE, 100) {
                order.shares
            } else {
                part_of(order.shares, rng)
            };
            let match_number = self.next_match(book, rng);
            let (stock_locate, tracking_number, timestamp) = tape.head(book);
            tape.put(&OrderExecuted {
                message_type: b'E',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number: order.reference.into(),
                executed_shares: executed.into(),
                match_number: match_number.into(),
            });
            self.take(slot, executed);
            if nth > 0 {
                self.owed[Kind::Execute as usize] -= 1;
            }
            let goes_on = executed == order.shares && rng.chance(30, 100) && tape.has_room();
            match self.books.head(book, order.side(), false) {
                Some(next) if goes_on => slot = next,
                _ => break,
            }
        }
        true
    }

    fn execute_with_price(&mut self, book: u16, rng: &mut Rng, tape: &mut Tape) -> bool {
        let Some(slot) = self.resting(book, rng) else {
            return false;
        };
        let order = *self.books.order(slot);
        let listing = &self.listings.all[usize::from(book)];
        let other = self.books.all[usize::from(book)].best(1 - order.side());
        // The order was willing to pay more than it showed: half a tick, or to the middle.
        let towards = other.map_or(0, |other| other.abs_diff(order.price) / 2);
        let step = towards.min((listing.tick / 2).max(1) * (1 + rng.below(2)));
        let price = if order.side() == BID {
            order.price + step
        } else {
            order.price.saturating_sub(step).max(1)
        };
        self.execute_at(slot, price, b'Y', rng, tape);
        true
    }

    /// One `C` message for a part or all of an order.
    fn execute_at(&mut self, slot: u32, price: u32, printable: u8, rng: &mut Rng, tape: &mut Tape) {
        let order = *self.books.order(slot);
        let executed = if rng.chance(FILLS_WHOLE, 100) {
            order.shares
        } else {
            part_of(order.shares, rng)
        };
        let match_number = self.next_match(order.book, rng);
        let (stock_locate, tracking_number, timestamp) = tape.head(order.book);
        tape.put(&OrderExecutedWithPrice {
            message_type: b'C',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: order.reference.into(),
            executed_shares: executed.into(),
            match_number: match_number.into(),
            printable,
            execution_price: Price4::new(price),
        });
        self.take(slot, executed);
    }

    /// A match with a hidden order between bid and ask.
    fn trade(&mut self, book: u16, rng: &mut Rng, tape: &mut Tape) -> bool {
        let state = &self.books.all[usize::from(book)];
        let (Some(bid), Some(ask)) = (state.best(BID), state.best(ASK)) else {
            return false;
        };
        if state.is_halted {
            return false;
        }
        let price = match rng.below(3) {
            0 => bid,
            1 => ask,
            _ => bid + (ask - bid) / 2,
        };
        let shares = shares(rng);
        let match_number = self.next_match(book, rng);
        let (stock_locate, tracking_number, timestamp) = tape.head(book);
        tape.put(&Trade {
            message_type: b'P',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: 0.into(),
            buy_sell_indicator: b'B',
            shares: shares.into(),
            stock: self.listings.all[usize::from(book)].stock,
            price: Price4::new(price),
            match_number: match_number.into(),
        });
        true
    }

    /// What the next auction of a stock would do; of the current stock if `book` is `None`.
    pub(super) fn imbalance(
        &mut self,
        book: Option<u16>,
        cross_type: u8,
        rng: &mut Rng,
        tape: &mut Tape,
    ) {
        let book = book.unwrap_or(self.current);
        let state = &self.books.all[usize::from(book)];
        let listing = &self.listings.all[usize::from(book)];
        let reference = state
            .best(usize::from(rng.chance(1, 2)))
            .unwrap_or(state.anchor);
        let step = listing.tick * rng.tail(4);
        let near = if rng.chance(1, 2) {
            reference.saturating_add(step).min(listing.cap)
        } else {
            reference.saturating_sub(step).max(listing.floor)
        };
        let is_settled = rng.chance(9, 10);
        let paired = u64::from(rng.tail(18)) * 10;
        let imbalance = if rng.chance(1, 5) {
            0
        } else {
            u64::from(rng.tail(16)) * 10
        };
        let percent = u64::from(near.abs_diff(reference)) * 100 / u64::from(reference.max(1));
        let (stock_locate, tracking_number, timestamp) = tape.head(book);
        tape.put(&NetOrderImbalance {
            message_type: b'I',
            stock_locate,
            tracking_number,
            timestamp,
            paired_shares: paired.into(),
            imbalance_shares: imbalance.into(),
            imbalance_direction: match imbalance {
                0 => b'N',
                _ => rng.pick(b"BS"),
            },
            stock: listing.stock,
            far_price: Price4::new(if is_settled { near } else { 0 }),
            near_price: Price4::new(if is_settled { near } else { 0 }),
            current_reference_price: Price4::new(reference),
            cross_type,
            price_variation_indicator: match percent {
                _ if !is_settled => b' ',
                0 => b'L',
                1..=9 => b"0123456789"[usize::try_from(percent).unwrap_or_default()],
                10..=19 => b'A',
                20..=29 => b'B',
                _ => b'C',
            },
        });
    }

    /// The auction of a stock: executions against the book that do not print, then the bulk print.
    pub(super) fn cross(&mut self, book: u16, cross_type: u8, rng: &mut Rng, tape: &mut Tape) {
        // Most stocks have no auction interest to speak of.
        let side = usize::from(rng.chance(1, 2));
        let best = self.books.all[usize::from(book)].best(side);
        let price = best.filter(|_| rng.chance(1, 3)).unwrap_or_default();
        let mut shares = 0;
        if price > 0 {
            shares = u64::from(rng.tail(16)) * 10 + 100;
            let heads = if tape.has_room() { rng.tail(2) } else { 0 };
            for _ in 0..heads {
                match self.books.head(book, side, false) {
                    Some(slot) if self.books.order(slot).price == price => {
                        let before = self.books.order(slot).shares;
                        self.execute_at(slot, price, b'N', rng, tape);
                        shares += u64::from(before);
                    }
                    _ => break,
                }
            }
        }
        let match_number = self.next_match(book, rng);
        let (stock_locate, tracking_number, timestamp) = tape.head(book);
        tape.put(&CrossTrade {
            message_type: b'Q',
            stock_locate,
            tracking_number,
            timestamp,
            shares: shares.into(),
            stock: self.listings.all[usize::from(book)].stock,
            cross_price: Price4::new(price),
            match_number: match_number.into(),
            cross_type,
        });
    }

    /// Locate number of a stock.
    pub(super) fn locate(book: u16) -> Int2 {
        Int2::new(book + 1)
    }
}

/// Share of adds within ten ticks of the touch.
const NEAR: (u32, u32) = (80, 100);

fn letter(side: Side) -> u8 {
    if side == BID { b'B' } else { b'S' }
}

/// Round lots mostly, some odd lots, a few large orders.
fn shares(rng: &mut Rng) -> u32 {
    match rng.below(100) {
        0..=39 => 100,
        40..=64 => 100 * (1 + rng.below(10)),
        65..=92 => 1 + rng.below(99),
        93..=97 => 1 + rng.tail(12),
        _ => 100 * (1 + rng.tail(9)),
    }
}

/// At least one share and not all of them, unless there is but one.
fn part_of(shares: u32, rng: &mut Rng) -> u32 {
    1 + rng.below(shares.saturating_sub(1))
}
