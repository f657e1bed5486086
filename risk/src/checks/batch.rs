//! Checks of all orders together, of the targets they come from and of the plan they were approved in.

use nanobook::Timestamp;
use nanobook::trading::NewOrder;
use nanobook::trading::decimal::{self, ONE};

use super::order::money_at_most;
use crate::exact::Exact;
use crate::report::{Finding, Input};
use crate::situation::Targets;

/// What a sum of doubles may be off by: one part in a million.
pub const SUM_TOLERANCE: i128 = 1_000;

/// `MAX_BATCH_NOTIONAL`: price times quantity of all orders.
pub fn max_batch_notional(sum: Option<Exact>, limit: i128) -> Finding {
    money_at_most(limit, sum)
}

/// `MAX_ORDERS_PER_RUN`: number of orders.
pub fn max_orders(count: usize, limit: i128) -> Finding {
    match i128::try_from(count) {
        Ok(count) => Finding::at_most(limit, count * ONE),
        Err(_) => Finding::overflow(Some(limit)),
    }
}

/// `MAX_TURNOVER` and `MAX_DAY_TURNOVER`: what is traded over equity.
pub fn max_turnover(traded: Option<Exact>, equity: Result<Exact, Finding>, limit: i128) -> Finding {
    match equity {
        Ok(equity) => super::account::ratio_at_most(limit, traded, equity),
        Err(finding) => finding,
    }
}

/// `TARGET_STALE`: age of the targets in seconds; targets of the future are refused.
pub fn target_stale(targets: Option<&Targets<'_>>, now: Timestamp, limit: i128) -> Finding {
    let Some(targets) = targets else {
        return Finding::missing(Input::Targets);
    };
    let age = i128::from(now.0) - i128::from(targets.as_of.0);
    Finding::of(limit, age, (0..=limit).contains(&age))
}

/// `WEIGHT_SUM`: sum of absolute weights, with [`SUM_TOLERANCE`] for sums such as that of three thirds.
pub fn weight_sum(targets: Option<&Targets<'_>>, limit: i128) -> Finding {
    let Some(targets) = targets else {
        return Finding::missing(Input::Targets);
    };
    let sum: f64 = targets.weights.iter().map(|(_, weight)| weight.abs()).sum();
    match decimal::nearest(sum) {
        Ok(observed) => Finding::of(
            limit,
            observed,
            observed <= limit.saturating_add(SUM_TOLERANCE),
        ),
        Err(_) => Finding::overflow(Some(limit)),
    }
}

/// `WEIGHT_NAN`: how many weights are no numbers.
pub fn weight_nan(targets: Option<&Targets<'_>>) -> Finding {
    match targets {
        Some(targets) => {
            let bad = targets
                .weights
                .iter()
                .filter(|(_, weight)| !weight.is_finite());
            Finding::at_most(0, bad.count() as i128 * ONE)
        }
        None => Finding::missing(Input::Targets),
    }
}

/// `DUPLICATE_SYMBOL`: how many weights have the symbol of another.
pub fn duplicate_symbol(targets: Option<&Targets<'_>>) -> Finding {
    let Some(targets) = targets else {
        return Finding::missing(Input::Targets);
    };
    let mut symbols: Vec<_> = targets.weights.iter().map(|(symbol, _)| *symbol).collect();
    symbols.sort_unstable();
    let count = symbols.len();
    symbols.dedup();
    Finding::at_most(0, (count - symbols.len()) as i128 * ONE)
}

/// `PLAN_EQUALITY`: how many orders leave that were not approved as they are, or were approved and do not leave.
pub fn plan_equality(orders: &[NewOrder], plan: Option<&[NewOrder]>) -> Finding {
    let Some(plan) = plan else {
        return Finding::missing(Input::Plan);
    };
    let sorted = |orders: &[NewOrder]| {
        let mut orders = orders.to_vec();
        orders.sort_by_key(|order| order.client_order_id);
        orders
    };
    let (left, right) = (sorted(orders), sorted(plan));
    let differ =
        left.iter().zip(&right).filter(|(a, b)| a != b).count() + left.len().abs_diff(right.len());
    Finding::at_most(0, differ as i128 * ONE)
}
