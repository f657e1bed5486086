//! Auctions and the imbalances before them.

use super::Flow;
use crate::{CrossTrade, NetOrderImbalance, Price4};

impl Flow {
    /// What the next auction of the current stock would do.
    pub(in crate::synth) fn imbalance(&mut self, cross_type: u8) {
        let side = usize::from(self.rng.chance(1, 2));
        let (floor, cap) = (self.listing().floor, self.listing().cap);
        let reference = self.book().best(side).unwrap_or(self.book().anchor);
        let step = self.listing().tick * self.rng.tail(4);
        let near = if self.rng.chance(1, 2) {
            reference.saturating_add(step).min(cap)
        } else {
            reference.saturating_sub(step).max(floor)
        };
        // Until enough orders are there the auction has no price.
        let is_priced = self.rng.chance(9, 10);
        let near = if is_priced { near } else { 0 };
        let paired = u64::from(self.rng.tail(18)) * 10;
        let imbalance = u64::from(self.rng.tail(16)) * 10;
        let direction = self.rng.pick(b"BS");
        let percent = near.abs_diff(reference).saturating_mul(100) / reference.max(1);
        let (stock_locate, tracking_number, timestamp) = self.head();
        let stock = self.listing().stock;
        self.tape.put(&NetOrderImbalance {
            message_type: b'I',
            stock_locate,
            tracking_number,
            timestamp,
            paired_shares: paired.into(),
            imbalance_shares: imbalance.into(),
            imbalance_direction: if imbalance == 0 { b'N' } else { direction },
            stock,
            far_price: Price4::new(near),
            near_price: Price4::new(near),
            current_reference_price: Price4::new(reference),
            cross_type,
            price_variation_indicator: match percent {
                _ if !is_priced => b' ',
                0 => b'L',
                1..=9 => b"0123456789"[percent as usize],
                10..=19 => b'A',
                20..=29 => b'B',
                _ => b'C',
            },
        });
    }

    /// The auction of the current stock: executions against the book that do not print, then the
    /// bulk print. Most stocks have no auction interest, and a print of zero shares.
    pub(in crate::synth) fn cross(&mut self, cross_type: u8) {
        let side = usize::from(self.rng.chance(1, 2));
        let best = self.book().best(side);
        let price = best.filter(|_| self.rng.chance(1, 3)).unwrap_or(0);
        let mut shares = 0;
        if price > 0 {
            shares = 100 + 10 * u64::from(self.rng.tail(16));
            let most = if self.tape.has_room() {
                self.rng.tail(2)
            } else {
                0
            };
            for _ in 0..most {
                match self.book().head(side, false) {
                    Some(at) if self.book().order(at).price == price => {
                        shares += u64::from(self.execute_at(at, price, b'N'));
                    }
                    _ => break,
                }
            }
        }
        let match_number = self.next_match();
        let (stock_locate, tracking_number, timestamp) = self.head();
        let stock = self.listing().stock;
        self.tape.put(&CrossTrade {
            message_type: b'Q',
            stock_locate,
            tracking_number,
            timestamp,
            shares: shares.into(),
            stock,
            cross_price: Price4::new(price),
            match_number: match_number.into(),
            cross_type,
        });
    }
}
