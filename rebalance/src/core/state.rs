//! What is known: the journal, replayed.

use std::collections::BTreeMap;

use nanobook::trading::{ClientOrderId, Fill, NewOrder, Order, OrderState, Units};
use nanobook::{OrderId, OrderKind, Symbol};
use serde::Serialize;

use super::outcome::{LegEnd, Outcome};
use super::plan::{Leg, Plan};
use super::record::{Entry, Record};
use super::talk::Reply;
use crate::error::{Error, Result};

use super::defect::Defect;

/// An order of ours, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tracked {
    /// Its leg's place in the plan.
    pub leg: u32,
    /// The attempt, from zero.
    pub attempt: u32,
    /// As it was sent.
    pub order: NewOrder,
    /// Where it is in its life.
    pub state: OrderState,
    /// The venue's id.
    pub order_id: Option<OrderId>,
    /// How much of it the venue says has traded: the most it ever said.
    pub told: Units,
    /// Its executions by their ids, corrected.
    pub fills: BTreeMap<String, Fill>,
    /// Sum of the executions.
    pub net: Units,
    /// Sum of the executions as they were first named.
    pub first: Units,
    /// Whether an execution was first named with its correction, so that how much it was before is not known.
    pub blind: bool,
    /// Whether it was or is being cancelled by us.
    pub cancelling: bool,
    /// Whether the venue has ever shown it.
    pub shown: bool,
}

/// A leg, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LegState {
    /// Attempts so far.
    pub attempts: u32,
    /// How many were cancelled to be priced anew.
    pub chases: u32,
    /// How many the venue refused.
    pub refusals: u32,
    /// How it ended; `None` while it goes on.
    pub end: Option<LegEnd>,
    /// Its orders' places in [`State::orders`].
    pub orders: Vec<usize>,
}

/// All that is known of a run. Nothing changes it but [`State::apply`], so a journal replayed gives it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// The plan; `None` before the first record.
    pub plan: Option<Box<Plan>>,
    /// Its legs.
    pub legs: Vec<LegState>,
    /// Its orders, oldest first.
    pub orders: Vec<Tracked>,
    /// How many processes have taken the run up after the first.
    pub resumed: u32,
    /// Whether somebody pulled the switch.
    pub killed: bool,
    /// How it ended; `None` while it goes on.
    pub outcome: Option<Outcome>,
    /// The number of the next record.
    pub next_seq: u64,
    #[serde(skip)]
    pub(super) by_id: BTreeMap<ClientOrderId, usize>,
    #[cfg(feature = "simulation")]
    #[serde(skip)]
    pub(crate) defect: Option<Defect>,
}

impl Tracked {
    fn new(leg: u32, attempt: u32, order: NewOrder) -> Self {
        Self {
            leg,
            attempt,
            order,
            state: OrderState::Journaled,
            order_id: None,
            told: Units::ZERO,
            fills: BTreeMap::new(),
            net: Units::ZERO,
            first: Units::ZERO,
            blind: false,
            cancelling: false,
            shown: false,
        }
    }

    /// How much has traded: the executions, and what the venue says beyond those that it has named.
    pub fn filled(&self) -> Units {
        let unnamed = if self.blind {
            0
        } else {
            (self.told.0 - self.first.0).max(0)
        };
        Units(self.net.0 + unnamed)
    }

    /// Whether it may still trade; what is not known counts.
    pub fn may_trade(&self) -> bool {
        !self.state.is_final()
    }

    /// Whether it has ended and every execution of it is known, as far as that can be told: see [`Tracked::blind`].
    pub fn is_settled(&self) -> bool {
        self.state.is_final() && (self.blind || self.first >= self.told)
    }

    /// Its limit.
    pub fn limit(&self) -> nanobook::Price {
        match self.order.kind {
            OrderKind::Limit { price } => price,
            _ => nanobook::Price(0),
        }
    }

    /// How much of it has traded or may, at most.
    pub(super) fn claim(&self) -> Units {
        if self.state.is_final() && !self.blind {
            self.filled()
        } else {
            self.order.qty
        }
    }

    /// How much of it may still trade.
    pub fn leaves(&self) -> Units {
        if self.state.is_final() {
            return Units::ZERO;
        }
        Units((self.order.qty.0 - self.filled().0).max(0))
    }

    /// The venue says how it stands. Answers may be old: what has ended stays ended, and what has traded stays traded.
    pub(super) fn see(&mut self, order: &Order) {
        self.shown = true;
        self.order_id = order.order_id.or(self.order_id);
        self.told = self.told.max(order.filled_qty);
        let was_taken_for_absent = self.state == OrderState::Denied;
        if self.state.is_final() && !was_taken_for_absent {
            return;
        }
        let partial = self.state == OrderState::PartiallyFilled;
        self.state = match order.state {
            state if state.is_final() => state,
            OrderState::PartiallyFilled => OrderState::PartiallyFilled,
            _ if partial || self.told > Units::ZERO => OrderState::PartiallyFilled,
            OrderState::Unknown => OrderState::Unknown,
            _ => OrderState::Accepted,
        };
    }

    fn fill(&mut self, fill: &Fill, counted: bool) {
        if counted && self.fills.contains_key(&fill.trade_id) {
            self.first = Units(self.first.0 + fill.qty.0);
            self.net = Units(self.net.0 + fill.qty.0);
            return;
        }
        if !self.fills.contains_key(&fill.trade_id) {
            self.first = Units(self.first.0 + fill.qty.0);
            self.blind |= fill.correction > 0;
        }
        self.fills.insert(fill.trade_id.clone(), fill.clone());
        self.net = Units(self.fills.values().map(|fill| fill.qty.0).sum());
        self.shown = true;
        if self.first >= self.order.qty && !self.state.is_final() {
            self.state = OrderState::Filled;
        }
    }

    /// Whether a fill says something that is not known.
    pub fn is_news(&self, fill: &Fill) -> bool {
        self.fills.get(&fill.trade_id).is_none_or(|known| {
            fill.correction > known.correction
                || (fill.correction == known.correction
                    && known.fee.is_none()
                    && fill.fee.is_some())
        })
    }
}

impl State {
    /// Whether this mistake is planted.
    #[cfg(feature = "simulation")]
    pub(crate) fn flawed(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Whether this mistake is planted: outside of simulations none is.
    #[cfg(not(feature = "simulation"))]
    #[expect(clippy::unused_self, reason = "as in simulations")]
    pub(crate) const fn flawed(&self, _: Defect) -> bool {
        false
    }

    /// Replays records.
    ///
    /// # Errors
    /// With the first record that can't come where it comes.
    pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self> {
        let mut state = Self::default();
        for entry in entries {
            state.apply(entry)?;
        }
        Ok(state)
    }

    /// Replays records, with a planted defect.
    ///
    /// # Errors
    /// As [`State::replay`].
    #[cfg(feature = "simulation")]
    pub(crate) fn replay_with(entries: &[Entry], defect: Option<Defect>) -> Result<Self> {
        let mut state = Self {
            defect,
            ..Self::default()
        };
        for entry in entries {
            state.apply(entry)?;
        }
        Ok(state)
    }

    /// Takes a record in.
    ///
    /// # Errors
    /// When it can't come here; then nothing has changed.
    pub fn apply(&mut self, entry: &Entry) -> Result<()> {
        let fault = |detail: &str| {
            Err(Error::Replay {
                seq: entry.seq,
                detail: detail.to_owned(),
            })
        };
        if entry.seq != self.next_seq {
            return fault("its number does not follow");
        }
        let is_first = matches!(entry.record, Record::Approved { .. });
        if is_first != self.plan.is_none() {
            return fault("a journal begins with the one plan that was approved");
        }
        match &entry.record {
            Record::Approved { plan, .. } => {
                self.legs = vec![LegState::default(); plan.legs.len()];
                self.plan = Some(plan.clone());
            }
            Record::Resumed => self.resume(),
            Record::Intent {
                leg,
                attempt,
                order,
            } => {
                let at = self.orders.len();
                let Some(state) = self.legs.get_mut(*leg as usize) else {
                    return fault("the plan has no such leg");
                };
                if self.by_id.insert(order.client_order_id, at).is_some() {
                    return fault("the order's id was used before");
                }
                state.attempts = attempt + 1;
                state.orders.push(at);
                self.orders.push(Tracked::new(*leg, *attempt, *order));
            }
            Record::Unsent {
                client_order_id, ..
            }
            | Record::Absent {
                client_order_id, ..
            } => match self.tracked_mut(client_order_id) {
                // What the venue has shown before has ended; what it never has was never there.
                Some(order) if order.shown => order.state = OrderState::Expired,
                Some(order) => order.state = OrderState::Denied,
                None => return fault("no such order"),
            },
            Record::Submitted {
                client_order_id,
                reply,
            } => {
                let Some(&at) = self.by_id.get(client_order_id) else {
                    return fault("no such order");
                };
                self.submitted(at, reply);
            }
            Record::Seen { order } => {
                let id = order.client_order_id;
                let last_wins = self.flawed(Defect::LastAnswerWins);
                match id.and_then(|id| self.tracked_mut(&id)) {
                    Some(tracked) if last_wins => {
                        tracked.see(order);
                        tracked.told = order.filled_qty;
                    }
                    Some(tracked) => tracked.see(order),
                    None => return fault("no such order"),
                }
            }
            Record::Filled { fill } => {
                let id = fill.client_order_id;
                let counted = self.flawed(Defect::FillsCounted);
                match id.and_then(|id| self.tracked_mut(&id)) {
                    Some(tracked) => tracked.fill(fill, counted),
                    None => return fault("no such order"),
                }
            }
            Record::Cancelling { client_order_id } => {
                let Some(&at) = self.by_id.get(client_order_id) else {
                    return fault("no such order");
                };
                self.orders[at].cancelling = true;
                if self.flawed(Defect::CancelTakenForDone) {
                    self.orders[at].state = OrderState::Cancelled;
                }
                self.legs[self.orders[at].leg as usize].chases += 1;
            }
            Record::LegEnded { leg, end } => match self.legs.get_mut(*leg as usize) {
                Some(state) => state.end = Some(*end),
                None => return fault("the plan has no such leg"),
            },
            Record::LegReopened { leg } => match self.legs.get_mut(*leg as usize) {
                Some(state) => state.end = None,
                None => return fault("the plan has no such leg"),
            },
            Record::Checked { .. } | Record::Holding { .. } => {}
            Record::Killed => self.killed = true,
            Record::Ended { outcome } => self.outcome = Some(outcome.clone()),
        }
        self.next_seq += 1;
        Ok(())
    }

    fn resume(&mut self) {
        self.resumed += 1;
        // The switch of a run that has ended is history; that of a run that was cut off still counts.
        self.killed &= self.outcome.is_none();
        self.outcome = None;
        let unsent = self.flawed(Defect::UnsentAfterCrash);
        for order in &mut self.orders {
            if order.state == OrderState::Journaled {
                order.state = if unsent {
                    OrderState::Denied
                } else {
                    OrderState::Unknown
                };
            }
        }
        for leg in &mut self.legs {
            if matches!(leg.end, Some(LegEnd::Review(_))) {
                leg.end = None;
            }
        }
    }

    fn submitted(&mut self, at: usize, reply: &Reply) {
        let duplicate_refuses = self.flawed(Defect::DuplicateIsRefusal);
        let refused_fills = self.flawed(Defect::RefusedIsFilled);
        let order = &mut self.orders[at];
        // A reply that comes late says nothing new of an order that the venue has shown since.
        let is_open = matches!(order.state, OrderState::Journaled | OrderState::Unknown);
        match reply {
            Reply::Confirmed(seen) => order.see(seen),
            Reply::Rejected { .. } if refused_fills => {
                order.state = OrderState::Filled;
                order.told = order.order.qty;
            }
            Reply::Duplicate { .. } if duplicate_refuses => order.state = OrderState::Rejected,
            Reply::Rejected { .. } if is_open => {
                order.state = OrderState::Rejected;
                self.legs[order.leg as usize].refusals += 1;
            }
            Reply::NotSent(_) if is_open => order.state = OrderState::Denied,
            Reply::Duplicate { .. } | Reply::Unknown(_) if is_open => {
                order.state = OrderState::Unknown;
            }
            _ => {}
        }
    }

    /// The order with this id.
    pub fn tracked(&self, id: &ClientOrderId) -> Option<&Tracked> {
        self.by_id.get(id).map(|&at| &self.orders[at])
    }

    fn tracked_mut(&mut self, id: &ClientOrderId) -> Option<&mut Tracked> {
        self.by_id.get(id).map(|&at| &mut self.orders[at])
    }

    /// The orders of a leg, oldest first.
    pub fn orders_of(&self, leg: usize) -> impl DoubleEndedIterator<Item = &Tracked> {
        self.legs[leg].orders.iter().map(|&at| &self.orders[at])
    }

    /// How much of a leg has traded.
    pub fn filled(&self, leg: usize) -> Units {
        let last_wins = self.flawed(Defect::LastAnswerWins);
        let untraded = self.flawed(Defect::CancelledIsUntraded);
        let fills_are_all = self.flawed(Defect::FillsAreAll);
        let traded = self.orders_of(leg).map(|order| match order.state {
            OrderState::Cancelled if untraded => 0,
            _ if fills_are_all => order.net.0,
            _ if last_wins => order.told.0,
            _ => order.filled().0,
        });
        Units(traded.sum())
    }

    /// The position that our executions explain, with what fees have taken of it.
    pub fn expected(&self, at: usize, leg: &Leg) -> Units {
        let mut position = leg.start.0;
        for order in self.orders_of(at) {
            position += order.net.signed(leg.side).0;
            for fill in order.fills.values() {
                if let (Some(fee), true) = (fill.fee, takes_from(leg, fill.fee_currency)) {
                    position -= fee.0;
                }
            }
        }
        Units(position)
    }
}

/// Whether a fee in this currency is taken from what was bought.
fn takes_from(leg: &Leg, currency: Option<Symbol>) -> bool {
    leg.instrument.base.is_some() && currency == leg.instrument.base
}

#[cfg(test)]
mod tests;
