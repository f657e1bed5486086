//! Small sums of a paper account.

use std::time::{SystemTime, UNIX_EPOCH};

use nanobook::trading::{Units, decimal};
use nanobook::{Price, Timestamp};

use super::state::Holding;

/// Lots of a quote that does not say how many.
pub(super) const PLENTY: u64 = 1 << 50;

/// The computer's time.
pub(super) fn wall() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Lots of a part of a quantity.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded first"
)]
pub(super) fn share(qty: Units, part: f64, lot: Units) -> u64 {
    let lots = qty.0 / lot.0.max(1);
    if part >= 1.0 {
        return u64::try_from(lots).unwrap_or(0).min(PLENTY);
    }
    (lots as f64 * part.max(0.0))
        .floor()
        .clamp(0.0, PLENTY as f64) as u64
}

/// A price moved by a part of itself, to the tick beyond; `None` when nothing above zero is left.
pub(super) fn worsen(price: Price, part: f64, tick: Price) -> Option<Price> {
    let moved = decimal::nearest(price.as_f64() * (1.0 + part)).ok()?;
    let tick = i128::from(tick.0.max(1));
    let down = moved.div_euclid(tick) * tick;
    let units = if part > 0.0 && moved > down {
        down + tick
    } else {
        down
    };
    // A quote that is off the tick stays where it is.
    let units = if part == 0.0 {
        i128::from(price.0)
    } else {
        units
    };
    i64::try_from(units)
        .ok()
        .filter(|units| *units > 0)
        .map(Price)
}

/// A quotient to the nearest integer.
pub(super) fn nearest(sum: i128, count: i128) -> i128 {
    if count == 0 {
        0
    } else {
        (2 * sum + count).div_euclid(2 * count)
    }
}

/// A position after an execution.
pub(super) fn hold(holding: &mut Holding, signed: Units, price: Price) {
    let (before, after) = (holding.qty.0, holding.qty.0 + signed.0);
    let grows = before == 0 || before.signum() == signed.0.signum();
    let crosses = before.signum() * after.signum() < 0;
    holding.avg_px = if after == 0 {
        None
    } else if grows {
        let paid = before * holding.avg_px.map_or(0, |avg| i128::from(avg.0))
            + signed.0 * i128::from(price.0);
        i64::try_from(nearest(paid, after)).ok().map(Price)
    } else if crosses {
        Some(price)
    } else {
        holding.avg_px
    };
    holding.qty = Units(after);
}
