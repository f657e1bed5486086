//! Which messages change the best levels.

use nanobook::book::{OrderBook, Outcome};
use nanobook::rows::PriceLevel;
use nanobook::{BookDelta, Price, Resting, Side};

use super::Instrument;

/// Brings the best `levels` of the sides that a delta touched up to date and says whether one changed.
pub(super) fn refresh(
    instrument: &mut Instrument,
    levels: usize,
    delta: &BookDelta,
    outcome: &Outcome,
) -> bool {
    let mut touched: [Option<(Side, Price)>; 2] = [None, None];
    if let Some(Resting { side, price, .. }) = outcome.resting {
        touched[0] = Some((side, price));
    }
    match (*delta, outcome.resting) {
        (BookDelta::Add { side, price, .. }, _) => touched[1] = Some((side, price)),
        (BookDelta::Replace { price, .. }, Some(Resting { side, .. })) => {
            touched[1] = Some((side, price));
        }
        _ => {}
    }
    // A replace onto a live id removes a third order, wherever it is.
    let evicts = outcome.fault == Some(nanobook::Fault::DuplicateOrder);
    let mut changed = false;
    for (place, side) in [Side::Buy, Side::Sell].into_iter().enumerate() {
        let seen = &mut instrument.depth[place];
        let within = touched
            .iter()
            .flatten()
            .any(|(s, price)| *s == side && reaches(seen, levels, side, *price));
        if within || evicts {
            changed |= update(seen, levels, &instrument.book, side);
        }
    }
    changed
}

/// Whether a price is among the levels last seen, or better than the worst of them, or they are not full.
#[inline]
fn reaches(seen: &[PriceLevel], levels: usize, side: Side, price: Price) -> bool {
    match seen.get(levels - 1) {
        None => true,
        Some(worst) => match side {
            Side::Buy => price >= worst.price,
            Side::Sell => price <= worst.price,
        },
    }
}

/// Copies the best levels of a side over those last seen and says whether one differs.
fn update(seen: &mut Vec<PriceLevel>, levels: usize, book: &OrderBook, side: Side) -> bool {
    let mut changed = false;
    let mut filled = 0;
    for level in book.levels(side).take(levels) {
        match seen.get_mut(filled) {
            Some(old) if *old == level => {}
            Some(old) => {
                *old = level;
                changed = true;
            }
            None => {
                seen.push(level);
                changed = true;
            }
        }
        filled += 1;
    }
    changed |= filled < seen.len();
    seen.truncate(filled);
    changed
}
