//! A hash of an engine's state, the same on every machine and in every version that keeps [`DIGEST_VERSION`].
//!
//! Words of 64 bits go in one after another: `h = (rotate_left(h, 5) XOR word) × 0x517cc1b727220a95`, from `h = 0`, and
//! at the end `h XOR (h >> 32)`. A negative number goes in as its two's complement. An optional number goes in as 0, or
//! as 1 and the number. The words, in order:
//!
//! 1. the version of the digest;
//! 2. self-trade policy (0 off, 1 newest, 2 oldest, 3 both, 4 decrement), `keep_closed` (optional), `cascade_limit`,
//!    `min_price`;
//! 3. next order id, last trade id;
//! 4. the number of orders that are known, and each by ascending id: id, status (0 pending, 1 new, 2 partially filled,
//!    3 filled, 4 cancelled, 5 triggered), side (1, −1), kind (0 limit, 1 market, 2 stop-market, 3 stop-limit,
//!    4 trailing stop-market, 5 trailing stop-limit), price (optional), stop as it stands (optional), trail (0 none; 1
//!    and the amount; 2 and the millionths; 3, millionths, period), time in force (0 GTC, 1 IOC, 2 FOK), post-only
//!    (0, 1), owner (optional), quantity, filled, cancelled, parent (optional), child (optional);
//! 5. of each pending trailing stop by ascending id: the best print since it was submitted (optional);
//!
//! and then of each market in order of listing:
//!
//! 6. phase (0 continuous, 1 auction), last print (optional);
//! 7. of bids, then asks: the number of orders, and the id of each in order of the queue;
//! 8. the number of stops that have triggered and wait, and of each: id, print;
//! 9. the number of changes from print to print, at most 1,024, and the changes, latest first.

use super::market::Phase;
use crate::{Order, OrderKind, OrderStatus, Price, StpPolicy, TimeInForce, Trail};

/// Grows when the digest of a state changes.
pub const DIGEST_VERSION: u64 = 1;

/// A digest under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    pub(super) fn signed(&mut self, number: i64) {
        self.word(number.cast_unsigned());
    }

    pub(super) fn option(&mut self, number: Option<u64>) {
        self.word(number.is_some().into());
        if let Some(number) = number {
            self.word(number);
        }
    }

    pub(super) fn price(&mut self, price: Option<Price>) {
        self.option(price.map(|price| price.0.cast_unsigned()));
    }

    pub(super) fn policy(&mut self, policy: StpPolicy) {
        self.word(match policy {
            StpPolicy::Off => 0,
            StpPolicy::CancelNewest => 1,
            StpPolicy::CancelOldest => 2,
            StpPolicy::CancelBoth => 3,
            StpPolicy::Decrement => 4,
        });
    }

    pub(super) fn phase(&mut self, phase: Phase) {
        self.word(match phase {
            Phase::Continuous => 0,
            Phase::Auction => 1,
        });
    }

    pub(super) fn order(&mut self, order: &Order) {
        self.word(order.id.0);
        self.word(match order.status {
            OrderStatus::Pending => 0,
            OrderStatus::New => 1,
            OrderStatus::PartiallyFilled => 2,
            OrderStatus::Filled => 3,
            OrderStatus::Cancelled => 4,
            OrderStatus::Triggered => 5,
            OrderStatus::Rejected => 6,
        });
        self.signed(order.side.sign().into());
        self.word(match order.kind {
            OrderKind::Limit { .. } => 0,
            OrderKind::Market => 1,
            OrderKind::StopMarket { .. } => 2,
            OrderKind::StopLimit { .. } => 3,
            OrderKind::TrailingStopMarket { .. } => 4,
            OrderKind::TrailingStopLimit { .. } => 5,
        });
        self.price(order.kind.price());
        self.price(order.kind.stop());
        match order.kind.trail() {
            None => self.word(0),
            Some(Trail::Fixed(by)) => {
                self.word(1);
                self.signed(by.0);
            }
            Some(Trail::Percentage { ppm }) => {
                self.word(2);
                self.word(ppm.into());
            }
            Some(Trail::MeanAbsChange {
                multiplier_ppm,
                period,
            }) => {
                self.word(3);
                self.word(multiplier_ppm.into());
                self.word(period.into());
            }
        }
        self.word(match order.tif {
            TimeInForce::GTC => 0,
            TimeInForce::IOC => 1,
            TimeInForce::FOK => 2,
        });
        self.word(order.post_only.into());
        self.option(order.owner.map(|owner| owner.0.into()));
        self.word(order.qty.0);
        self.word(order.filled.0);
        self.word(order.cancelled.0);
        self.option(order.parent.map(|id| id.0));
        self.option(order.child.map(|id| id.0));
    }

    pub(super) fn finish(self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
