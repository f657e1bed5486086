//! Checks of positions, exposures and cash after the orders.
//!
//! Worst case: any part of any order that works or is to be sent may trade and the rest not, so a position can end
//! anywhere between what is held less all sells and what is held plus all buys. A check looks at the end that is worse.
//!
//! A position that is past a limit before any order may still be made smaller: what can't end farther out than it is
//! now holds. That threshold does not move with the orders, so another order or a larger one never turns a failure into
//! a pass.

use nanobook::trading::Units;
use nanobook::trading::decimal::ONE;
use nanobook::{Money, Price};

use crate::exact::{Exact, compare, ratio, ratio_down};
use crate::limits::Shorting;
use crate::report::{Finding, Input, Reason};

/// A position with everything that can happen to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// What is held.
    pub held: Units,
    /// What is held when all sells trade and no buys.
    pub low: Units,
    /// What is held when all buys trade and no sells.
    pub high: Units,
}

impl Span {
    /// A position with buys and sells that may trade; `None` on overflow. Neither is below zero.
    pub fn new(held: Units, buys: Units, sells: Units) -> Option<Self> {
        Some(Self {
            held,
            low: held.checked_sub(sells)?,
            high: held.checked_add(buys)?,
        })
    }

    /// The larger absolute quantity of the two ends.
    pub fn worst(&self) -> Units {
        Units(self.low.0.abs().max(self.high.0.abs()))
    }

    /// The value of the larger end.
    pub fn worst_value(&self, price: Price) -> Option<Exact> {
        Exact::notional(price, self.worst())
    }

    /// The value of what is held, above zero.
    pub fn held_value(&self, price: Price) -> Option<Exact> {
        Exact::notional(price, Units(self.held.0.abs()))
    }
}

/// A value that must stay below a limit, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of what is held now.
    pub now: Option<Exact>,
    /// After the orders, worst case.
    pub after: Option<Exact>,
}

impl Change {
    /// Passes what is past its limit but not made worse.
    fn forgive(self, finding: Finding) -> Finding {
        match (finding.reason, self.now, self.after) {
            (Reason::Beyond, Some(now), Some(after)) if after <= now => Finding {
                reason: Reason::NotWorse,
                ..finding
            },
            _ => finding,
        }
    }
}

/// Sums in a panel of changes.
impl std::ops::Add for Change {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = |a: Option<Exact>, b: Option<Exact>| a?.plus(b?);
        Self {
            now: sum(self.now, other.now),
            after: sum(self.after, other.after),
        }
    }
}

impl Change {
    /// Nothing.
    pub const ZERO: Self = Self {
        now: Some(Exact(0)),
        after: Some(Exact(0)),
    };
}

/// A part over a whole against a limit.
pub(super) fn ratio_at_most(limit: i128, part: Option<Exact>, whole: Exact) -> Finding {
    if whole.0 <= 0 {
        return Finding::missing(Input::Equity);
    }
    let Some(part) = part else {
        return Finding::overflow(Some(limit));
    };
    let holds = part.0 <= 0 || compare(part.0, whole.0, limit).is_le();
    match ratio(part.0, whole.0) {
        Some(observed) => Finding::of(limit, observed, holds),
        None => Finding::overflow(Some(limit)),
    }
}

/// Equity in exact units, less what the orders may cost in fees.
///
/// # Errors
/// A finding that fails, when equity is not known or nothing is left of it.
pub fn equity_after(equity: Option<Money>, fees: Option<Exact>) -> Result<Exact, Finding> {
    let equity = equity.ok_or(Finding::missing(Input::Equity))?;
    let after = Exact::money(equity).and_then(|equity| equity.minus(fees?));
    match after {
        None => Err(Finding::overflow(None)),
        Some(after) if after.0 <= 0 => Err(Finding::missing(Input::Equity)),
        Some(after) => Ok(after),
    }
}

/// `MAX_POSITION_QTY`: quantity of a position, worst case.
pub fn max_position_qty(span: Option<&Span>, limit: i128) -> Finding {
    let Some(span) = span else {
        return Finding::overflow(Some(limit));
    };
    let change = Change {
        now: Some(Exact(span.held.0.abs())),
        after: Some(Exact(span.worst().0)),
    };
    change.forgive(Finding::at_most(limit, span.worst().0))
}

/// `MAX_POSITION_NOTIONAL` and `GROSS_EXPOSURE`: a value, worst case.
pub fn max_value(change: Change, limit: i128) -> Finding {
    change.forgive(super::order::money_at_most(limit, change.after))
}

/// `MAX_WEIGHT`, `LEVERAGE`, `SHORT_EXPOSURE` and `GROUP_CONCENTRATION`: a value over equity, worst case.
pub fn max_ratio(change: Change, equity: Result<Exact, Finding>, limit: i128) -> Finding {
    match equity {
        Ok(equity) => change.forgive(ratio_at_most(limit, change.after, equity)),
        Err(finding) => finding,
    }
}

/// `NET_EXPOSURE`: long less short over equity in the worse of both directions; `now`, `low` and `high` are the sums of
/// all positions at what is held and at their two ends.
pub fn net_exposure(
    [now, low, high]: [Option<Exact>; 3],
    equity: Result<Exact, Finding>,
    limit: i128,
) -> Finding {
    let abs = |value: Option<Exact>| value?.0.checked_abs().map(Exact);
    let after = match (abs(low), abs(high)) {
        (Some(low), Some(high)) => Some(low.max(high)),
        _ => None,
    };
    let change = Change {
        now: abs(now),
        after,
    };
    max_ratio(change, equity, limit)
}

/// `SHORT_NOT_ALLOWED`: how far a position can end below zero, against nothing or what was located.
pub fn short(span: Option<&Span>, shorting: Shorting, located: Option<Units>) -> Finding {
    let Some(span) = span else {
        return Finding::overflow(None);
    };
    let below = (-span.low.0).max(0);
    let limit = match shorting {
        Shorting::Allow => return Finding::flag(true),
        Shorting::Refuse => 0,
        Shorting::Locate => located.map_or(0, |qty| qty.0.max(0)),
    };
    let change = Change {
        now: Some(Exact((-span.held.0).max(0))),
        after: Some(Exact(below)),
    };
    change.forgive(Finding::at_most(limit, below))
}

/// `REDUCE_ONLY`: how far a position can end outside the way from what is held to zero.
pub fn reduce_only(span: Option<&Span>, reduce_only: Option<bool>) -> Finding {
    match (span, reduce_only) {
        (_, None) => Finding::missing(Input::Session),
        (_, Some(false)) => Finding::flag(true),
        (None, _) => Finding::overflow(None),
        (Some(span), Some(true)) => {
            let (least, most) = (span.held.0.min(0), span.held.0.max(0));
            let beyond = (least - span.low.0).max(span.high.0 - most);
            Finding::at_most(0, beyond.max(0))
        }
    }
}

/// `BUYING_POWER`: what orders can cost that open or add to positions, with fees, against what may be spent.
/// What costs nothing may always be sent.
pub fn buying_power(buying_power: Option<Money>, cost: Option<Exact>) -> Finding {
    match buying_power {
        None => Finding::missing(Input::BuyingPower),
        Some(power) => {
            let finding = super::order::money_at_most(power.0, cost);
            match cost {
                Some(cost) if cost.0 <= 0 => Finding {
                    reason: Reason::Within,
                    ..finding
                },
                _ => finding,
            }
        }
    }
}

/// `CASH`: cash less what all buys and fees can cost is not below zero. An account that owes money already may still
/// send what costs nothing.
pub fn cash(cash: Option<Money>, cost: Option<Exact>) -> Finding {
    let Some(cash) = cash else {
        return Finding::missing(Input::Account);
    };
    let left = Exact::money(cash).and_then(|cash| cash.minus(cost?));
    match (left, cost) {
        (Some(left), Some(cost)) => {
            let holds = left.0 >= 0 || cost.0 <= 0;
            // Rounded away from zero below it and toward zero above it: never more than there is.
            let money = if left.0 < 0 {
                left.to_money()
            } else {
                left.0 / ONE
            };
            Finding::of(0, money, holds)
        }
        _ => Finding::overflow(Some(0)),
    }
}

/// `MIN_CASH_BUFFER`: the same over equity is at least a limit.
pub fn min_cash_buffer(
    cash: Option<Money>,
    cost: Option<Exact>,
    equity: Result<Exact, Finding>,
    limit: i128,
) -> Finding {
    let Some(cash) = cash else {
        return Finding::missing(Input::Account);
    };
    let equity = match equity {
        Ok(equity) => equity,
        Err(finding) => return finding,
    };
    let left = Exact::money(cash).and_then(|cash| cash.minus(cost?));
    let (Some(left), Some(cost)) = (left, cost) else {
        return Finding::overflow(Some(limit));
    };
    let enough = left.0 >= 0 && compare(left.0, equity.0, limit).is_ge();
    match ratio_down(left.0, equity.0) {
        Some(observed) => Finding::of(limit, observed, enough || cost.0 <= 0),
        None => Finding::overflow(Some(limit)),
    }
}
