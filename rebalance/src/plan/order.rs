//! An order of a plan: exact, on ticks and lots.

use nanobook::portfolio::CostModel;
use nanobook::trading::decimal::{self, ONE};
use nanobook::trading::{Quote, Units};
use nanobook::{Money, Price, Side, Symbol};

/// An order of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The symbol.
    pub symbol: Symbol,
    /// Its side.
    pub side: Side,
    /// How much, above zero.
    pub qty: Units,
    /// The worst price at which it may trade.
    pub limit: Price,
    /// The middle of the quote, at which it was sized.
    pub mid: Price,
    /// The venue's tick.
    pub tick: Price,
    /// The lot by which it was rounded.
    pub lot: Units,
}

impl Draft {
    /// Its value at its limit.
    pub fn notional(&self) -> f64 {
        self.qty.as_f64() * self.limit.as_f64()
    }

    /// Its quantity, negative for a sell.
    pub fn signed(&self) -> Units {
        self.qty.signed(self.side)
    }

    /// What it takes out of cash at its limit, in units of 1e-9, with what is set aside for its fee; negative when it
    /// brings some. `None` on overflow. The machine that sends it counts in the same way.
    pub(super) fn worst_cash(&self, fee_bps: u32, min_fee: Money) -> Option<i128> {
        let exact = self.qty.exact_notional(self.limit)?;
        let value = exact / ONE;
        let up = value + i128::from(exact % ONE > 0);
        let fee = up.checked_mul(i128::from(fee_bps))? / 10_000 + 1;
        let fee = fee.max(min_fee.0);
        match self.side {
            Side::Buy => up.checked_add(fee),
            Side::Sell => fee.checked_sub(value),
        }
    }

    /// What it is expected to cost: commission, and the way from the middle to the far side of the quote.
    pub(super) fn expected_cost(&self, costs: &CostModel, quote: &Quote) -> f64 {
        let far = match self.side {
            Side::Buy => quote.ask_px,
            Side::Sell => quote.bid_px,
        };
        let qty = self.qty.as_f64();
        let price = far.unwrap_or(self.mid).as_f64();
        costs.commission(qty, qty * price) + qty * (price - self.mid.as_f64()).abs()
    }
}

pub(super) fn limit_price(
    quote: &Quote,
    side: Side,
    collar_bps: f64,
    tick: Price,
) -> Option<Price> {
    let part = collar_bps / 1e4;
    let tick = i128::from(tick.0.max(1));
    let (far, moved) = match side {
        Side::Buy => (quote.ask_px?, 1.0 + part),
        Side::Sell => (quote.bid_px?, 1.0 - part),
    };
    let moved = decimal::nearest(far.as_f64() * moved).ok()?;
    let far = i128::from(far.0);
    // Rounded toward the quote, so never beyond the collar; and never short of the quote, so it can trade.
    let price = match side {
        Side::Buy => (moved.div_euclid(tick) * tick).max(up(far, tick)),
        Side::Sell => up(moved, tick).min(far.div_euclid(tick) * tick),
    };
    i64::try_from(price).ok().filter(|p| *p > 0).map(Price)
}

/// The next multiple, or the value when it is one.
fn up(value: i128, step: i128) -> i128 {
    -((-value).div_euclid(step)) * step
}

#[cfg(test)]
mod tests {
    use nanobook::Timestamp;

    use super::*;

    fn quote(bid: i64, ask: i64) -> Quote {
        Quote {
            symbol: "A".parse().unwrap(),
            bid_px: Some(Price(bid)),
            bid_qty: None,
            ask_px: Some(Price(ask)),
            ask_qty: None,
            last_px: None,
            data_type: None,
            ts_event: Timestamp(0),
        }
    }

    #[test]
    fn a_limit_is_on_a_tick_within_the_collar_and_can_trade() {
        let cent = Price(10_000_000);
        let quote = quote(99_990_000_000, 100_010_000_000);
        let limit = |side, collar| limit_price(&quote, side, collar, cent).unwrap().to_string();
        assert_eq!(limit(Side::Buy, 0.0), "100.01");
        assert_eq!(limit(Side::Sell, 0.0), "99.99");
        // 25 bps of 100.01 are 0.250025, of 99.99 0.249975.
        assert_eq!(limit(Side::Buy, 25.0), "100.26");
        assert_eq!(limit(Side::Sell, 25.0), "99.75");
    }

    #[test]
    fn a_quote_off_the_tick_still_trades() {
        let quote = super::tests::quote(99_995_000_000, 100_005_000_000);
        let cent = Price(10_000_000);
        let limit = |side| limit_price(&quote, side, 0.0, cent).unwrap().to_string();
        assert_eq!(limit(Side::Buy), "100.01");
        assert_eq!(limit(Side::Sell), "99.99");
        let penny = super::tests::quote(1_000_000, 2_000_000);
        assert_eq!(limit_price(&penny, Side::Sell, 0.0, cent), None);
    }
}
