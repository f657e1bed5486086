//! How a leg and a run end.

use std::fmt;

use nanobook::trading::Units;
use nanobook::{Side, Symbol};
use serde::{Deserialize, Serialize};

/// Why part of a leg was not traded. Nothing of it is working, and how much is left is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Somebody pulled the switch.
    Killed,
    /// The run's time was up.
    Deadline,
    /// Priced anew as often as it may be.
    GaveUp,
    /// The venue refused it too often.
    Refused,
    /// There was no usable quote, or the instrument did not trade.
    NoQuote,
    /// There was not enough confirmed cash.
    Cash,
    /// What is left is less than the venue's smallest order.
    Minimum,
    /// The risk checks refused it.
    Risk,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "stopped",
            Self::Deadline => "the time of the run was up",
            Self::GaveUp => "given up after the last new price",
            Self::Refused => "refused by the venue",
            Self::NoQuote => "no usable quote, or trading is halted",
            Self::Cash => "not enough confirmed cash",
            Self::Minimum => "less than the venue's smallest order",
            Self::Risk => "refused by the risk checks",
        })
    }
}

/// Why a human has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Whether the venue has an order could not be found out.
    Unresolved,
    /// The position is not what our executions explain: somebody else traded, or executions are missing.
    PositionMoved,
    /// The venue says that an order has traded and does not name all of the executions.
    FillsMissing,
    /// The venue has an order that is not as it was sent.
    Altered,
    /// The venue has two orders with one id of ours, or one that the journal does not know.
    Stray,
    /// An order could not be ended.
    StillWorking,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unresolved => "whether the venue has an order could not be found out",
            Self::PositionMoved => "the position is not what our executions explain",
            Self::FillsMissing => "the venue does not name all executions",
            Self::Altered => "the venue has an order that is not as it was sent",
            Self::Stray => "the venue has an order that the journal does not know",
            Self::StillWorking => "an order could not be ended",
        })
    }
}

/// How a leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegEnd {
    /// All of it has traded, and the position says so.
    Done,
    /// Part of it is left, and it is known how much.
    Residual(Why),
    /// A human has to look.
    Review(Doubt),
}

impl fmt::Display for LegEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Residual(why) => why.fmt(f),
            Self::Review(doubt) => write!(f, "look at it: {doubt}"),
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Positions are what was planned.
    Done,
    /// Something is left, nothing is working, and it is known how much.
    Residual,
    /// Somebody pulled the switch; nothing is working.
    Killed,
    /// Something could not be found out: a human has to look, then `recover`.
    Review,
    /// Nothing was sent: positions are not those that the plan was made for. Plan again.
    Stale,
}

impl Ending {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Residual => "residual",
            Self::Killed => "killed",
            Self::Review => "review",
            Self::Stale => "stale",
        }
    }
}

/// What is left of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Residual {
    /// The leg's place in the plan.
    pub leg: u32,
    /// Its symbol.
    pub symbol: Symbol,
    /// Its side.
    pub side: Side,
    /// How much was not traded. Where the end is a review: not traded as far as is known.
    pub qty: Units,
    /// Why.
    pub end: LegEnd,
}

/// How a run ended, with all that is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How.
    pub ending: Ending,
    /// Legs that are not done.
    pub residuals: Vec<Residual>,
}
