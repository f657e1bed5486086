//! What goes in and out of the core: events, commands, questions and answers.

use nanobook::trading::{
    Account, ClientOrderId, Fill, Instrument, NewOrder, Order, Position, Quote,
};
use nanobook::{Symbol, Timestamp};
use nanobook_broker::{self as broker, OrderKey, Session, Venue};
use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::record::Entry;

/// The time, twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// What the clock on the wall says; it may jump. It dates records and decides nothing.
    pub wall: Timestamp,
    /// Nanoseconds of a clock that never goes back. All waiting is by it.
    pub mono_ns: i64,
}

/// Something that happened.
#[expect(
    clippy::large_enum_variant,
    reason = "they are handed on, and never many"
)]
#[derive(Clone, Debug)]
pub enum Event {
    /// Time has passed, to a moment that [`Command::Wake`] named or to any other.
    Tick,
    /// The records of the last [`Command::Write`] are on the disk. If they are not, the process must end: the core gets
    /// no event any more, and the run is resumed from the journal.
    Written,
    /// The answer to a request, however late.
    Answer {
        /// The request's number.
        id: u64,
        /// The answer.
        answer: Answer,
    },
    /// Somebody pulled the switch.
    Kill,
}

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Command {
    /// Append these records to the journal and sync it, then say [`Event::Written`].
    Write(Vec<Entry>),
    /// Ask the venue, once, and say [`Event::Answer`].
    Ask {
        /// The request's number.
        id: u64,
        /// What to ask.
        request: Request,
    },
    /// Say [`Event::Tick`] at this time of the monotonic clock, unless something else happens before. Replaces the wake
    /// of before.
    Wake(i64),
    /// The run has ended, and the journal says so.
    End(Outcome),
}

/// What is asked of a venue: the methods of [`broker::Broker`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Connect, or connect anew.
    Connect,
    /// Send an order.
    Submit(NewOrder),
    /// Cancel an order.
    Cancel(OrderKey),
    /// The orders with our id.
    Order(OrderKey),
    /// All orders that can still trade.
    Open,
    /// Executions of these instruments since a time.
    Fills {
        /// The instruments.
        symbols: Vec<Symbol>,
        /// The time.
        since: Timestamp,
    },
    /// All positions.
    Positions,
    /// Cash and equity.
    Account,
    /// Quotes of these instruments.
    Quotes(Vec<Symbol>),
    /// The rules of these instruments, and whether they trade.
    Instruments(Vec<Symbol>),
}

/// An answer of the kind that its request asks for, or a failure.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Request::Connect`].
    Connected(Session),
    /// To [`Request::Submit`] and [`Request::Cancel`].
    Reply(Reply),
    /// To [`Request::Order`] and [`Request::Open`].
    Orders(Vec<Order>),
    /// To [`Request::Fills`].
    Fills(Vec<Fill>),
    /// To [`Request::Positions`].
    Positions(Vec<Position>),
    /// To [`Request::Account`].
    Account(Account),
    /// To [`Request::Quotes`].
    Quotes(Vec<Quote>),
    /// To [`Request::Instruments`].
    Instruments(Vec<Instrument>),
    /// A question was not answered.
    Failed(Failure),
}

/// Why there is no answer. It says nothing about orders and positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In words.
    pub text: String,
    /// Whether connecting anew is the next step.
    pub reconnect: bool,
    /// How long the venue wants us to be silent.
    pub pause_ns: i64,
}

/// What became of a request that changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The venue has the order and says how it stands.
    Confirmed(Order),
    /// The venue refused the request; nothing has changed.
    Rejected {
        /// The venue's code.
        code: i32,
        /// Its words.
        text: String,
    },
    /// The venue refused an order because it knows its id: one of them may be working.
    Duplicate {
        /// The venue's code.
        code: i32,
        /// Its words.
        text: String,
    },
    /// Nothing was sent.
    NotSent(Failure),
    /// Nobody knows.
    Unknown(Failure),
}

impl From<&broker::Error> for Failure {
    fn from(error: &broker::Error) -> Self {
        let pause_ms = match error {
            broker::Error::Paused { wait_ms, .. } => *wait_ms,
            _ => 0,
        };
        let clock_off = matches!(error, broker::Error::Refused { code: -1021, .. });
        Self {
            text: error.to_string(),
            reconnect: clock_off || error.is_connection_lost(),
            pause_ns: nanoseconds(pause_ms),
        }
    }
}

fn nanoseconds(ms: u64) -> i64 {
    i64::try_from(ms)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000)
}

impl Reply {
    /// Of a broker's outcome.
    pub fn of(outcome: broker::Outcome, venue: Venue) -> Self {
        match outcome {
            broker::Outcome::Confirmed(order) => Self::Confirmed(order),
            broker::Outcome::Rejected(refusal) => Self::refused(venue, refusal.code, refusal.text),
            broker::Outcome::Denied(denial) => Self::denied(&denial),
            broker::Outcome::Unknown(error) => Self::Unknown(Failure::from(&error)),
        }
    }

    /// Of a venue's refusal. Each venue has its own way to say that it knows the id: Interactive Brokers the code 103,
    /// Binance the code −2010 with the word, a paper account the code 1.
    pub fn refused(venue: Venue, code: i32, text: String) -> Self {
        let duplicate = match venue {
            Venue::Ibkr => code == 103,
            Venue::Paper => code == 1,
            _ => code == -2010 && text.to_ascii_lowercase().contains("duplicate"),
        };
        match code {
            _ if duplicate => Self::Duplicate { code, text },
            // Binance: our clock is off, and connecting sets it right.
            -1021 => Self::NotSent(Failure {
                text,
                reconnect: true,
                pause_ns: 0,
            }),
            _ => Self::Rejected { code, text },
        }
    }

    fn denied(denial: &broker::Denial) -> Self {
        let text = denial.to_string();
        match denial {
            broker::Denial::AlreadySent { .. } => Self::Duplicate { code: 0, text },
            broker::Denial::NotConnected => Self::NotSent(Failure {
                text,
                reconnect: true,
                pause_ns: 0,
            }),
            broker::Denial::Paused { wait_ms } => Self::NotSent(Failure {
                text,
                reconnect: false,
                pause_ns: nanoseconds(*wait_ms),
            }),
            broker::Denial::Unprepared { .. } => Self::NotSent(Failure {
                text,
                reconnect: false,
                pause_ns: 0,
            }),
            _ => Self::Rejected { code: 0, text },
        }
    }
}

impl Request {
    /// Asks a broker and waits for what it says.
    pub fn ask(&self, broker: &mut dyn broker::Broker) -> Answer {
        fn told<T>(result: broker::Result<T>, answer: impl FnOnce(T) -> Answer) -> Answer {
            match result {
                Ok(value) => answer(value),
                Err(error) => Answer::Failed(Failure::from(&error)),
            }
        }
        let venue = broker.capabilities().venue;
        match self {
            Self::Connect => told(broker.connect(), Answer::Connected),
            Self::Submit(order) => Answer::Reply(Reply::of(broker.submit(order), venue)),
            Self::Cancel(key) => Answer::Reply(Reply::of(broker.cancel(*key), venue)),
            Self::Order(key) => told(broker.order(*key), Answer::Orders),
            Self::Open => told(broker.open_orders(), Answer::Orders),
            Self::Fills { symbols, since } => {
                told(broker.fills_since(symbols, *since), Answer::Fills)
            }
            Self::Positions => told(broker.positions(), Answer::Positions),
            Self::Account => told(broker.account(), Answer::Account),
            Self::Quotes(symbols) => told(broker.quotes(symbols), Answer::Quotes),
            Self::Instruments(symbols) => told(broker.instruments(symbols), Answer::Instruments),
        }
    }

    /// The order that it sends.
    pub fn submits(&self) -> Option<ClientOrderId> {
        match self {
            Self::Submit(order) => Some(order.client_order_id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_venue_says_in_its_way_that_it_knows_an_id() {
        let word = |venue, code, text: &str| match Reply::refused(venue, code, text.into()) {
            Reply::Duplicate { .. } => "duplicate",
            Reply::Rejected { .. } => "rejected",
            Reply::NotSent(_) => "not sent",
            _ => "other",
        };
        assert_eq!(word(Venue::Ibkr, 103, "Duplicate order id"), "duplicate");
        assert_eq!(word(Venue::Ibkr, 201, "Order rejected"), "rejected");
        assert_eq!(
            word(Venue::Binance, -2010, "Duplicate order sent."),
            "duplicate"
        );
        assert_eq!(
            word(Venue::Binance, -2010, "insufficient balance"),
            "rejected"
        );
        assert_eq!(
            word(Venue::Binance, -1021, "outside of the recvWindow"),
            "not sent"
        );
        assert_eq!(word(Venue::Paper, 1, "known"), "duplicate");
    }

    #[test]
    fn a_denial_is_sent_nothing_and_one_for_a_known_id_is_a_duplicate() {
        let id = "nb-1".parse().unwrap();
        let of = |denial| Reply::of(broker::Outcome::Denied(denial), Venue::Ibkr);
        assert!(matches!(
            of(broker::Denial::AlreadySent {
                client_order_id: id
            }),
            Reply::Duplicate { .. }
        ));
        let paused = of(broker::Denial::Paused { wait_ms: 7 });
        assert!(matches!(paused, Reply::NotSent(failure) if failure.pause_ns == 7_000_000));
        let lost = broker::Error::NotConnected { venue: Venue::Ibkr };
        let lost = Reply::of(broker::Outcome::Unknown(lost), Venue::Ibkr);
        assert!(matches!(lost, Reply::Unknown(failure) if failure.reconnect));
    }
}
