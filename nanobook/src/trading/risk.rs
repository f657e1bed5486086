//! The row of a risk check.

use crate::Timestamp;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One check of one subject: a row of the table `risk_checks`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct RiskCheckRow {
    /// When it was checked.
    pub ts: Timestamp,
    /// The run that it belongs to.
    pub run_id: String,
    /// The check's name, such as `MAX_WEIGHT`.
    pub check_code: String,
    /// What it looks at: order, batch, account or session.
    pub level: String,
    /// Whom it is about: a symbol, a group, `batch` or `account`.
    pub subject: String,
    /// The order's place in the call, from zero; `None` when it is not about an order.
    pub order_index: Option<u32>,
    /// The limit, in units of 1e-9 of what the check counts; `None` for yes or no, or when it is not known.
    pub limit: Option<i128>,
    /// What was observed, in the same units; `None` when it is not known.
    pub observed: Option<i128>,
    /// What the two count: money, qty, price, ratio, bps, count, seconds or flag.
    pub unit: String,
    /// pass, warn or fail.
    pub outcome: String,
    /// Why, in words.
    pub detail: String,
}
