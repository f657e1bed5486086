//! What became of a request.

use std::fmt;

use nanobook::trading::Order;

use crate::error::Error;

/// What became of a request that changes something. Only positive evidence makes it anything but unknown.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// The venue has it, and says how it stands.
    Confirmed(Order),
    /// The venue refused it: nothing has changed.
    Rejected(Refusal),
    /// It was never sent: nothing has changed.
    Denied(Denial),
    /// It may or may not have reached the venue. Ask for the order; never send it again.
    Unknown(Error),
}

/// A venue's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its code.
    pub code: i32,
    /// Its words.
    pub text: String,
}

/// Why we did not send a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// The venue does not know the instrument, or we have not asked it yet.
    #[error("the rules of {symbol} are not known; ask for its instrument first")]
    UnknownInstrument {
        /// The symbol.
        symbol: nanobook::Symbol,
    },
    /// The venue's rules would refuse it.
    #[error("{filter}: {found} where {expected} is asked for")]
    Filter {
        /// The rule, by the venue's name.
        filter: &'static str,
        /// What it asks for.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// The venue has no such order type.
    #[error("{what} is not to be had at {venue}")]
    Unsupported {
        /// The venue.
        venue: crate::Venue,
        /// What was asked for.
        what: String,
    },
    /// It does not trade now, and the order would wait.
    #[error("{symbol} does not trade now{}", opening(*.wait_ms))]
    Closed {
        /// The instrument.
        symbol: nanobook::Symbol,
        /// How long until it trades; `None` when the venue does not list it.
        wait_ms: Option<u64>,
    },
    /// Not connected, so that nothing left.
    #[error("not connected; nothing was sent")]
    NotConnected,
    /// What must be known before was not to be had.
    #[error("{what} failed before anything was sent: {detail}")]
    Unprepared {
        /// What was asked first.
        what: &'static str,
        /// How it failed.
        detail: String,
    },
    /// Waiting for the venue's limits: nothing may be sent before.
    #[error("the venue asks for a pause of {wait_ms} ms; nothing was sent")]
    Paused {
        /// For how long.
        wait_ms: u64,
    },
    /// An order with this id was sent before, by this process.
    #[error("an order with the id {client_order_id} was sent before; ask for it")]
    AlreadySent {
        /// The id.
        client_order_id: nanobook::trading::ClientOrderId,
    },
}

fn opening(wait_ms: Option<u64>) -> String {
    let minutes = wait_ms.map(|ms| ms.div_ceil(60_000));
    minutes.map_or_else(String::new, |minutes| {
        format!("; it opens in {} h {} min", minutes / 60, minutes % 60)
    })
}

impl Outcome {
    /// A refusal.
    pub fn rejected(code: i32, text: impl Into<String>) -> Self {
        Self::Rejected(Refusal {
            code,
            text: text.into(),
        })
    }

    /// The order, when the venue has it.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Confirmed(order) => Some(order),
            _ => None,
        }
    }

    /// Whether it may have reached the venue without our knowing.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confirmed(order) => write!(f, "{} {}", order.symbol, order.state),
            Self::Rejected(refusal) => write!(f, "rejected ({}): {}", refusal.code, refusal.text),
            Self::Denied(denial) => write!(f, "denied: {denial}"),
            Self::Unknown(error) => write!(f, "unknown: {error}"),
        }
    }
}
