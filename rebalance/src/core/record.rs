//! What the journal says, one record a decision or a fact learnt.

use nanobook::Timestamp;
use nanobook::trading::{
    Account, ClientOrderId, Fill, NewOrder, Order, Position, RiskCheckRow, Units,
};
use serde::{Deserialize, Serialize};

use super::outcome::{LegEnd, Outcome};
use super::plan::Plan;
use super::talk::Reply;

/// A record with its number and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number, from zero, without gaps.
    pub seq: u64,
    /// What the clock on the wall said.
    pub ts: Timestamp,
    /// What it says.
    pub record: Record,
}

/// A decision or a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The plan, as it was approved: always the first record, and never again.
    Approved {
        /// The plan.
        plan: Box<Plan>,
        /// What the risk checks found.
        checks: Vec<RiskCheckRow>,
    },
    /// Another process took the run up. Orders whose answer is missing are unknown from here on, and legs that a human
    /// had to look at are taken up again.
    Resumed,
    /// An order is going to be sent.
    Intent {
        /// The leg's place in the plan.
        leg: u32,
        /// The attempt at it, from zero.
        attempt: u32,
        /// The order.
        order: NewOrder,
    },
    /// An order was not sent, though it was going to be.
    Unsent {
        /// The order.
        client_order_id: ClientOrderId,
        /// Why.
        why: String,
    },
    /// The venue replied to an order, or did not in time.
    Submitted {
        /// The order.
        client_order_id: ClientOrderId,
        /// The reply.
        reply: Reply,
    },
    /// The venue said how an order stands.
    Seen {
        /// The order.
        order: Order,
    },
    /// The venue named an execution, or corrected one.
    Filled {
        /// The execution.
        fill: Fill,
    },
    /// An order is going to be cancelled.
    Cancelling {
        /// The order.
        client_order_id: ClientOrderId,
    },
    /// An order never reached the venue: it was asked for often and long enough, and the position has not changed.
    Absent {
        /// The order.
        client_order_id: ClientOrderId,
        /// How many answers did not name it.
        answers: u32,
        /// Over how long, in nanoseconds.
        over_ns: i64,
        /// The position.
        position: Units,
    },
    /// A leg has ended.
    LegEnded {
        /// Its place in the plan.
        leg: u32,
        /// How.
        end: LegEnd,
    },
    /// A leg that had ended goes on: an execution was corrected.
    LegReopened {
        /// Its place in the plan.
        leg: u32,
    },
    /// What risk checks stopped.
    Checked {
        /// Their rows that failed.
        checks: Vec<RiskCheckRow>,
    },
    /// What the account held at the end.
    Holding {
        /// The account.
        account: Account,
        /// Its positions.
        positions: Vec<Position>,
    },
    /// Somebody pulled the switch.
    Killed,
    /// The run has ended.
    Ended {
        /// How.
        outcome: Outcome,
    },
}
