//! Messages about orders and matches. Each returns `None`, and writes nothing, when the state of
//! the book does not allow it.

use super::{Flow, Kind};
use crate::synth::book::{ASK, BID, Order, Side};
use crate::synth::rng::Rng;
use crate::{
    AddOrder, AddOrderAttributed, OrderCancel, OrderDelete, OrderExecuted, OrderExecutedWithPrice,
    OrderReplace, Price4, Trade,
};

/// Share of executions that take the whole order, in percent.
const FILLS_WHOLE: u32 = 78;
/// Longest sweep: executions at one time by one incoming order.
const SWEEP: u32 = 4;

impl Flow {
    pub(super) fn add(&mut self, is_attributed: bool) -> Option<()> {
        let mut side = usize::from(self.rng.chance(1, 2));
        let price = self.resting_price(side).or_else(|| {
            side = 1 - side;
            self.resting_price(side)
        })?;
        let shares = any_shares(&mut self.rng);
        let reference = self.next_reference();
        self.book_mut().add(side, price, shares, reference);
        let (stock_locate, tracking_number, timestamp) = self.head();
        let stock = self.listing().stock;
        let buy_sell_indicator = if side == BID { b'B' } else { b'S' };
        if is_attributed {
            let attribution = self.rng.pick(&self.mpids);
            self.tape.put(&AddOrderAttributed {
                message_type: b'F',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number: reference.into(),
                buy_sell_indicator,
                shares: shares.into(),
                stock,
                price: Price4::new(price),
                attribution,
            });
        } else {
            self.tape.put(&AddOrder {
                message_type: b'A',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number: reference.into(),
                buy_sell_indicator,
                shares: shares.into(),
                stock,
                price: Price4::new(price),
            });
        }
        Some(())
    }

    pub(super) fn delete(&mut self) -> Option<()> {
        let (at, order) = self.any_order()?;
        self.book_mut().remove(at);
        let (stock_locate, tracking_number, timestamp) = self.head();
        self.tape.put(&OrderDelete {
            message_type: b'D',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: order.reference.into(),
        });
        Some(())
    }

    pub(super) fn replace(&mut self) -> Option<()> {
        let (at, old) = self.any_order()?;
        let side = self.book().side(old.price);
        self.book_mut().remove(at);
        let price = if self.rng.chance(1, 3) {
            None
        } else {
            self.resting_price(side)
        };
        let price = price.unwrap_or(old.price);
        let shares = if price == old.price || self.rng.chance(1, 4) {
            any_shares(&mut self.rng)
        } else {
            old.shares
        };
        let reference = self.next_reference();
        self.book_mut().add(side, price, shares, reference);
        let (stock_locate, tracking_number, timestamp) = self.head();
        self.tape.put(&OrderReplace {
            message_type: b'U',
            stock_locate,
            tracking_number,
            timestamp,
            original_order_reference_number: old.reference.into(),
            new_order_reference_number: reference.into(),
            shares: shares.into(),
            price: Price4::new(price),
        });
        Some(())
    }

    pub(super) fn cancel(&mut self) -> Option<()> {
        let (at, order) = self.any_order().filter(|(_, order)| order.shares > 1)?;
        let cancelled = part_of(order.shares, &mut self.rng);
        self.book_mut().take(at, cancelled);
        let (stock_locate, tracking_number, timestamp) = self.head();
        self.tape.put(&OrderCancel {
            message_type: b'X',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: order.reference.into(),
            cancelled_shares: cancelled.into(),
        });
        Some(())
    }

    /// An incoming order takes what rests, one order or several.
    pub(super) fn execute(&mut self) -> Option<()> {
        let (mut at, mut order) = self.resting()?;
        let side = self.book().side(order.price);
        for nth in 0..SWEEP {
            let executed = self.executed(order);
            let match_number = self.next_match();
            let (stock_locate, tracking_number, timestamp) = self.head();
            self.tape.put(&OrderExecuted {
                message_type: b'E',
                stock_locate,
                tracking_number,
                timestamp,
                order_reference_number: order.reference.into(),
                executed_shares: executed.into(),
                match_number: match_number.into(),
            });
            self.book_mut().take(at, executed);
            if nth > 0 {
                self.owed[Kind::Execute as usize] -= 1;
            }
            let goes_on =
                executed == order.shares && self.tape.has_room() && self.rng.chance(30, 100);
            if !goes_on {
                break;
            }
            match self.first(side, false) {
                Some(next) => (at, order) = next,
                None => break,
            }
        }
        Some(())
    }

    /// The resting order was willing to pay more than it showed.
    pub(super) fn execute_with_price(&mut self) -> Option<()> {
        let (at, order) = self.resting()?;
        let side = self.book().side(order.price);
        let other = self.book().best(1 - side);
        // Half a tick or one, but not beyond the middle.
        let half_spread = other.map_or(0, |other| other.abs_diff(order.price) / 2);
        let half_tick = (self.listing().tick / 2).max(1);
        let step = half_spread.min(half_tick * (1 + self.rng.below(2)));
        let price = if side == BID {
            order.price + step
        } else {
            order.price - step
        };
        self.execute_at(at, price, b'Y');
        Some(())
    }

    /// One `C` message for a part or all of an order; returns the shares.
    pub(super) fn execute_at(&mut self, at: u32, price: u32, printable: u8) -> u32 {
        let order = *self.book().order(at);
        let executed = self.executed(order);
        let match_number = self.next_match();
        let (stock_locate, tracking_number, timestamp) = self.head();
        self.tape.put(&OrderExecutedWithPrice {
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
        self.book_mut().take(at, executed);
        executed
    }

    /// A match with a hidden order at or between bid and ask.
    pub(super) fn trade(&mut self) -> Option<()> {
        if self.book().is_halted {
            return None;
        }
        let (bid, ask) = (self.book().best(BID)?, self.book().best(ASK)?);
        let price = match self.rng.below(3) {
            0 => bid,
            1 => ask,
            _ => bid + (ask - bid) / 2,
        };
        let shares = any_shares(&mut self.rng);
        let match_number = self.next_match();
        let (stock_locate, tracking_number, timestamp) = self.head();
        let stock = self.listing().stock;
        self.tape.put(&Trade {
            message_type: b'P',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: 0.into(),
            buy_sell_indicator: b'B',
            shares: shares.into(),
            stock,
            price: Price4::new(price),
            match_number: match_number.into(),
        });
        Some(())
    }

    /// An order to delete, replace or cancel.
    fn any_order(&mut self) -> Option<(u32, Order)> {
        let book = &self.books[usize::from(self.stock)];
        let at = book.any(&mut self.rng)?;
        Some((at, *book.order(at)))
    }

    /// An order to execute: nearly always the first at the best price.
    fn resting(&mut self) -> Option<(u32, Order)> {
        if self.book().is_halted {
            return None;
        }
        let side = usize::from(self.rng.chance(1, 2));
        let is_second = self.rng.chance(3, 100);
        self.first(side, is_second)
            .or_else(|| self.first(1 - side, is_second))
    }

    fn first(&self, side: Side, is_second: bool) -> Option<(u32, Order)> {
        let at = self.book().head(side, is_second)?;
        Some((at, *self.book().order(at)))
    }

    /// How much of an order an execution takes.
    fn executed(&mut self, order: Order) -> u32 {
        if self.rng.chance(FILLS_WHOLE, 100) {
            order.shares
        } else {
            part_of(order.shares, &mut self.rng)
        }
    }
}

/// Round lots mostly, some odd lots, a few large orders.
fn any_shares(rng: &mut Rng) -> u32 {
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
