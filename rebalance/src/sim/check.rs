//! What must hold on every tick.

use std::fmt;

use nanobook::Side;
use nanobook::trading::{DataType, Instrument, InstrumentState, NewOrder, OrderState, Quote};

use super::scenario::{NANO, START};
use super::venue::{Venue, cost};
use crate::core::{Ending, LegEnd, Outcome, Plan, State};

/// What must not be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// I1: the venue accepts at most one order for each intent.
    OneOrderPerIntent,
    /// I2: our trades never take a position out of what lies between its start and its target.
    PositionWithinPlan,
    /// I3: the worst case over working orders, and every order, keep within every hard limit.
    WorstCaseWithinLimits,
    /// I4: nothing is sent that is not on the disk and in the plan.
    JournaledAndApproved,
    /// I5: buys never need cash that is not confirmed.
    ConfirmedCash,
    /// I6: what is done is done: positions at their targets, nothing working, every execution known.
    DoneIsDone,
    /// I7: what is not done says so, and exactly how much is left.
    ResidualIsExact,
    /// I8: the journal replayed is the live state, at every record.
    ReplayIsState,
    /// I9: once the faults stop, a run ends, and no human has to look without a cause.
    Liveness,
    /// I10: no execution is invented, and nobody else's order is touched.
    NothingInvented,
    /// I11: no order leaves after the kill switch was seen.
    KillSwitch,
    /// I12: never more messages than allowed, and none while the venue wants silence.
    Rate,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::OneOrderPerIntent,
        Self::PositionWithinPlan,
        Self::WorstCaseWithinLimits,
        Self::JournaledAndApproved,
        Self::ConfirmedCash,
        Self::DoneIsDone,
        Self::ResidualIsExact,
        Self::ReplayIsState,
        Self::Liveness,
        Self::NothingInvented,
        Self::KillSwitch,
        Self::Rate,
    ];
}

/// An invariant that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, in nanoseconds from the run's start.
    pub at_ns: i64,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at_ns / 1_000_000;
        write!(f, "{:?} at {seconds} ms: {}", self.invariant, self.detail)
    }
}

/// What was found, if anything.
pub(super) type Found = Option<(Invariant, String)>;

/// Whether a condition holds, and what to say when it does not.
pub(super) fn holds(
    condition: bool,
    invariant: Invariant,
    detail: impl FnOnce() -> String,
) -> Result<(), (Invariant, String)> {
    if condition {
        Ok(())
    } else {
        Err((invariant, detail()))
    }
}

type Checked = Result<(), (Invariant, String)>;

/// The venue as it is: what has traded and what may.
pub(super) fn venue(venue: &Venue, plan: &Plan) -> Checked {
    for (at, leg) in plan.legs.iter().enumerate() {
        let (traded, leaves) = (venue.ours(at), venue.leaves(at));
        holds(traded <= leg.qty.0, Invariant::PositionWithinPlan, || {
            format!("{} traded {traded} of {}", leg.symbol(), leg.qty.0)
        })?;
        holds(
            traded + leaves <= leg.qty.0,
            Invariant::WorstCaseWithinLimits,
            || {
                format!(
                    "{} traded {traded}, working {leaves}, planned {}",
                    leg.symbol(),
                    leg.qty.0
                )
            },
        )?;
    }
    let orders = venue
        .orders
        .iter()
        .enumerate()
        .filter(|(_, order)| order.ours);
    for (at, order) in orders {
        let id = order.sent.client_order_id;
        holds(
            venue.find(id).first() == Some(&at),
            Invariant::OneOrderPerIntent,
            || format!("a second order with the id {id}"),
        )?;
    }
    let foreign = venue.orders.iter().filter(|order| !order.ours);
    for order in foreign {
        holds(order.ended.is_none(), Invariant::NothingInvented, || {
            "somebody else's order was cancelled".into()
        })?;
    }
    Ok(())
}

/// What was last shown of an instrument when an order for it leaves.
pub(super) struct Shown<'a> {
    pub(super) quote: Option<&'a Quote>,
    pub(super) rules: Option<&'a Instrument>,
    pub(super) largest: i128,
    pub(super) now: i64,
}

/// An order as it leaves.
pub(super) fn order(order: &NewOrder, plan: &Plan, shown: &Shown<'_>) -> Checked {
    let leg = plan
        .legs
        .iter()
        .position(|leg| leg.symbol() == order.symbol);
    let limit = order.kind.price();
    let in_plan = leg.is_some_and(|at| {
        let leg = &plan.legs[at];
        let limit = limit.map_or(0, |price| price.0);
        let beyond = (limit - leg.worst_px.0) * i64::from(leg.side.sign());
        order.side == leg.side && order.qty <= leg.qty && limit > 0 && beyond <= 0
    });
    holds(in_plan, Invariant::JournaledAndApproved, || {
        format!("not in the plan: {order:?}")
    })?;
    let sane = shown.quote.is_some_and(|quote| {
        let age = START + shown.now - quote.ts_event.0;
        matches!((quote.bid_px, quote.ask_px), (Some(bid), Some(ask)) if bid.0 > 0 && bid <= ask)
            && quote.data_type == Some(DataType::Live)
            && age.abs() <= plan.settings.quote_age_ns + plan.settings.request_timeout_ns
    });
    holds(sane, Invariant::WorstCaseWithinLimits, || {
        format!("priced by {:?}", shown.quote)
    })?;
    let trades = shown
        .rules
        .is_some_and(|rules| rules.state == InstrumentState::Trading);
    holds(trades, Invariant::WorstCaseWithinLimits, || {
        format!("sent while {:?}", shown.rules.map(|rules| rules.state))
    })?;
    let value = limit.map_or(0, |price| order.qty.0 * i128::from(price.0) / NANO);
    holds(
        value <= shown.largest,
        Invariant::WorstCaseWithinLimits,
        || format!("an order of {value}, where {} is the limit", shown.largest),
    )
}

/// Cash when a buy leaves; `excused` is what others took of it since we were told.
pub(super) fn cash(order: &NewOrder, at: &Venue, claimed: i128, excused: i128) -> Checked {
    if order.side == Side::Sell {
        return Ok(());
    }
    let cash = at.cash(i64::MAX) - excused.min(0);
    let needs = claimed + cost(order);
    holds(needs <= cash, Invariant::ConfirmedCash, || {
        format!("buys need {needs}, cash is {cash}")
    })
}

/// The end, as far as it could be known at the last look at positions.
pub(super) fn end(
    outcome: &Outcome,
    state: &State,
    venue: &Venue,
    plan: &Plan,
    seen: i64,
) -> Checked {
    fills(state, venue)?;
    let is_review = outcome.ending == Ending::Review;
    let working = venue
        .orders
        .iter()
        .any(|order| order.ours && order.ended.is_none());
    let invariant = match outcome.ending {
        Ending::Done => Invariant::DoneIsDone,
        _ => Invariant::ResidualIsExact,
    };
    holds(!working || is_review, invariant, || {
        "an order of ours still works".into()
    })?;
    for (at, leg) in plan.legs.iter().enumerate() {
        // What happened after the last look is not for this run to know.
        let (moved, corrected) = venue.moved_since(at, seen);
        let traded = venue.ours(at) - corrected;
        let left = leg.qty.0 - traded;
        let residual = outcome
            .residuals
            .iter()
            .find(|residual| residual.leg as usize == at);
        match residual {
            None => {
                let target = leg.target().0 - venue.fees_of(at);
                let off = venue.position(at, i64::MAX) - moved - target;
                let lot = leg.instrument.lot.0;
                holds(off.abs() < lot && left < lot, Invariant::DoneIsDone, || {
                    format!("{} is {off} off its target", leg.symbol())
                })?;
                let told: i128 = state.orders_of(at).map(|order| order.net.0).sum();
                holds(told == traded, Invariant::DoneIsDone, || {
                    format!("{} has executions that we do not know", leg.symbol())
                })?;
            }
            Some(residual) if matches!(residual.end, LegEnd::Review(_)) => {}
            Some(residual) => holds(residual.qty.0 == left, Invariant::ResidualIsExact, || {
                format!("{}: {} left, and {left} are", leg.symbol(), residual.qty.0)
            })?,
        }
    }
    let done = outcome.residuals.is_empty();
    holds(
        done == (outcome.ending == Ending::Done),
        Invariant::ResidualIsExact,
        || {
            format!(
                "{:?} with {} legs left",
                outcome.ending,
                outcome.residuals.len()
            )
        },
    )
}

/// Executions that we know, against those that there were.
pub(super) fn fills(state: &State, venue: &Venue) -> Checked {
    for tracked in &state.orders {
        let mut sum = 0;
        for fill in tracked.fills.values() {
            sum += fill.qty.0;
            let real = venue.executions.iter().find(|real| {
                let order = &venue.orders[real.order];
                real.id.to_string() == fill.trade_id
                    && order.sent.client_order_id == tracked.order.client_order_id
            });
            let is_real = real.is_some_and(|real| {
                let now = real.as_of(i64::MAX);
                let said = (fill.qty.0, fill.price.0);
                said == (real.qty, real.price) || said == now
            });
            holds(is_real, Invariant::NothingInvented, || {
                format!("no such execution: {fill:?}")
            })?;
        }
        holds(sum == tracked.net.0, Invariant::NothingInvented, || {
            format!("executions of {sum} count as {}", tracked.net.0)
        })?;
        let known = tracked.state != OrderState::Denied || tracked.fills.is_empty();
        holds(known, Invariant::NothingInvented, || {
            "an order that never arrived has traded".into()
        })?;
    }
    Ok(())
}
