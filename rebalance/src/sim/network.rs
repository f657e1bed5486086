//! What becomes of a request on its way to the venue and back.

use nanobook::trading::{Fill, NewOrder, Order, OrderState, Units};
use nanobook::{OrderId, Price};
use nanobook_broker::{OrderKey, Session, Venue as Name};

use super::fault::Fault;
use super::scenario::{MS, SECOND};
use super::venue::{Model, Refusal};
use super::world::{Due, Happens, World};
use crate::core::{Answer, Failure, Reply, Request};

/// The connection.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) connected: bool,
    /// Nothing comes through, and nobody says so.
    pub(super) half_open: bool,
    /// The venue finds our clock wrong.
    pub(super) clock_off: bool,
    /// How many connections the venue still refuses.
    pub(super) refusals: u32,
    pause_until: i64,
}

/// How long the broker waits for the venue.
const BROKER_WAITS: i64 = 2 * SECOND;

fn failure(text: &str, reconnect: bool) -> Failure {
    Failure {
        text: text.into(),
        reconnect,
        pause_ns: 0,
    }
}

/// An answer to a request of which nothing is known.
fn unknown(request: &Request, why: Failure) -> Answer {
    match request {
        Request::Submit(_) | Request::Cancel(_) => Answer::Reply(Reply::Unknown(why)),
        _ => Answer::Failed(why),
    }
}

/// An answer to a request that never left.
fn not_sent(request: &Request, why: Failure) -> Answer {
    match request {
        Request::Submit(_) | Request::Cancel(_) => Answer::Reply(Reply::NotSent(why)),
        _ => Answer::Failed(why),
    }
}

impl World<'_> {
    fn answer_at(&mut self, at: i64, process: usize, id: u64, answer: Answer) {
        let event = Happens::Answer(id, answer);
        self.schedule(at, Due::Event { process, event });
    }

    fn latency(&mut self) -> i64 {
        self.rng.between(5, 50) * MS
    }

    /// A request that nobody answers: the broker gives up, or nothing ever comes back.
    fn silence(&mut self, process: usize, id: u64, request: &Request) {
        if self.rng.chance(60) {
            let answer = unknown(request, failure("no answer", false));
            self.answer_at(self.now + BROKER_WAITS, process, id, answer);
        }
    }

    /// A request leaves.
    pub(super) fn send(&mut self, process: usize, id: u64, request: Request) {
        let connects = request == Request::Connect;
        if !self.line.connected && !connects {
            let answer = not_sent(&request, failure("not connected", true));
            return self.answer_at(self.now + MS, process, id, answer);
        }
        if self.line.half_open && !connects {
            return;
        }
        if self.strikes(Fault::RequestLost, 12) {
            return self.silence(process, id, &request);
        }
        let mut at = self.now + self.latency();
        if self.strikes(Fault::SlowAnswer, 3) {
            at += self.rng.between(0, 1_000) * MS;
        }
        self.schedule(
            at,
            Due::Arrive {
                process,
                id,
                request,
            },
        );
    }

    /// A request is at the venue.
    pub(super) fn arrive(&mut self, process: usize, id: u64, request: &Request) {
        let back = self.now + self.latency();
        if *request == Request::Connect {
            let answer = self.connect();
            return self.answer_at(back, process, id, answer);
        }
        if self.line.clock_off {
            let answer = match request {
                Request::Submit(_) | Request::Cancel(_) => Answer::Reply(Reply::refused(
                    Name::Binance,
                    -1021,
                    "outside of the recvWindow".into(),
                )),
                _ => Answer::Failed(failure("outside of the recvWindow", true)),
            };
            return self.answer_at(back, process, id, answer);
        }
        if self.now < self.line.pause_until || self.strikes(Fault::Pacing, 8) {
            if self.now >= self.line.pause_until {
                self.line.pause_until = self.now + self.rng.between(1_000, 4_000) * MS;
            }
            let mut why = failure("too many requests", false);
            why.pause_ns = self.line.pause_until - self.now;
            return self.answer_at(back, process, id, not_sent(request, why));
        }
        if self.strikes(Fault::ServerError, 10) {
            if self.rng.chance(50) {
                self.serve(process, request);
            }
            let answer = unknown(request, failure("internal error", false));
            return self.answer_at(back, process, id, answer);
        }
        let answer = self.serve(process, request);
        if matches!(request, Request::Submit(_)) && self.strikes(Fault::DuplicateId, 30) {
            // Delivered again: what we hear is the refusal of the second.
            let (name, code) = match self.config.model {
                Model::Ibkr => (Name::Ibkr, 103),
                Model::Binance => (Name::Binance, -2010),
            };
            let answer = Reply::refused(name, code, "Duplicate order sent.".into());
            return self.answer_at(back, process, id, Answer::Reply(answer));
        }
        if self.strikes(Fault::AnswerLost, 12) {
            return self.silence(process, id, request);
        }
        if self.strikes(Fault::Disconnect, 4) {
            self.line.connected = false;
            let answer = unknown(request, failure("connection reset", true));
            return self.answer_at(back, process, id, answer);
        }
        let slow = self.strikes(Fault::SlowAnswer, 10);
        let later = if slow {
            self.rng.between(3_000, 6_000) * MS
        } else {
            0
        };
        self.answer_at(back + later, process, id, answer);
    }

    fn connect(&mut self) -> Answer {
        if self.line.refusals > 0 {
            self.line.refusals -= 1;
            return Answer::Failed(failure("client id in use (326)", true));
        }
        self.line.connected = true;
        self.line.half_open = false;
        self.line.clock_off = false;
        Answer::Connected(Session {
            account_id: "SIM".into(),
            is_paper: true,
            clock_offset_ns: self.clock_offset(),
        })
    }

    /// What the venue does, and what it says.
    fn serve(&mut self, process: usize, request: &Request) -> Answer {
        let now = self.now;
        match request {
            Request::Connect => self.connect(),
            Request::Submit(order) => Answer::Reply(self.submit(order)),
            Request::Cancel(key) => Answer::Reply(self.cancel(*key)),
            Request::Order(key) => {
                if self.strikes(Fault::QueryError, 15) {
                    return Answer::Failed(failure("internal error", false));
                }
                let seen = self.seen();
                let places = self.venue.find(key.client_order_id);
                let forgets = self.config.faults.has(Fault::Truncated);
                let shown = places.into_iter().filter(|&at| {
                    self.venue.shows(at, now) && !(forgets && self.venue.is_forgotten(at))
                });
                let mut rows: Vec<Order> = shown.map(|at| self.venue.row(at, seen)).collect();
                self.phantom_orders(key, &mut rows);
                self.repeat(&mut rows);
                Answer::Orders(rows)
            }
            Request::Open => {
                if self.strikes(Fault::QueryError, 15) {
                    return Answer::Failed(failure("internal error", false));
                }
                let seen = self.seen();
                let orders = 0..self.venue.orders.len();
                let shown = orders.filter(|&at| self.venue.shows(at, now));
                let rows = shown.map(|at| self.venue.row(at, seen));
                let mut rows: Vec<Order> = rows.filter(|row| !row.state.is_final()).collect();
                self.truncate(&mut rows);
                self.repeat(&mut rows);
                Answer::Orders(rows)
            }
            Request::Fills { .. } => {
                if self.strikes(Fault::QueryError, 15) {
                    return Answer::Failed(failure("internal error", false));
                }
                let mut rows = self.venue.fills(now);
                self.phantom_fills(&mut rows);
                self.truncate(&mut rows);
                self.repeat(&mut rows);
                if !rows.is_empty() && self.strikes(Fault::DroppedRow, 40) {
                    let last = i64::try_from(rows.len()).unwrap_or(1) - 1;
                    rows.remove(usize::try_from(self.rng.between(0, last)).unwrap_or(0));
                }
                if self.strikes(Fault::Reordered, 40) {
                    rows.reverse();
                }
                Answer::Fills(rows)
            }
            Request::Positions => {
                if self.strikes(Fault::QueryError, 15) {
                    return Answer::Failed(failure("internal error", false));
                }
                self.processes[process].positions_as_of = now;
                let mut rows = self.venue.positions(now);
                self.truncate(&mut rows);
                Answer::Positions(rows)
            }
            Request::Account => {
                self.processes[process].cash_as_of = now;
                Answer::Account(self.venue.account(now))
            }
            Request::Quotes(symbols) => {
                let places: Vec<usize> = symbols.iter().map(|s| self.place(*s)).collect();
                Answer::Quotes(places.into_iter().map(|at| self.quote(at)).collect())
            }
            Request::Instruments(symbols) => {
                let places = symbols.iter().map(|symbol| self.place(*symbol));
                Answer::Instruments(places.map(|at| self.venue.rules(at)).collect())
            }
        }
    }

    /// Until when things show: now, or a while ago.
    fn seen(&mut self) -> i64 {
        if self.strikes(Fault::Reordered, 25) {
            self.now - self.rng.between(100, 2_000) * MS
        } else {
            self.now
        }
    }

    fn truncate<T>(&mut self, rows: &mut Vec<T>) {
        if !rows.is_empty() && self.strikes(Fault::Truncated, 20) {
            let most = i64::try_from(rows.len()).unwrap_or(1) - 1;
            rows.truncate(usize::try_from(self.rng.between(0, most)).unwrap_or(0));
        }
    }

    fn repeat<T: Clone>(&mut self, rows: &mut Vec<T>) {
        if !rows.is_empty() && self.strikes(Fault::DuplicateRow, 40) {
            let again = rows.clone();
            rows.extend(again);
        }
    }

    /// Rows of another order that had the same number, before the venue gave it again.
    fn phantom_orders(&mut self, key: &OrderKey, rows: &mut Vec<Order>) {
        if self.strikes(Fault::IdRollback, 30)
            && let Some(row) = rows.first()
        {
            let phantom = Order {
                client_order_id: "yesterday-1".parse().ok(),
                qty: Units(row.qty.0 * 2),
                filled_qty: row.qty,
                state: OrderState::Filled,
                ..row.clone()
            };
            debug_assert_eq!(key.symbol, phantom.symbol);
            rows.insert(0, phantom);
        }
    }

    fn phantom_fills(&mut self, rows: &mut Vec<Fill>) {
        if self.strikes(Fault::IdRollback, 40)
            && let Some(row) = rows.first()
        {
            let phantom = Fill {
                trade_id: "1".into(),
                client_order_id: "yesterday-1".parse().ok(),
                ..row.clone()
            };
            rows.insert(0, phantom);
        }
    }

    fn quote(&mut self, at: usize) -> nanobook::trading::Quote {
        let mut quote = self.venue.quote(at, self.now);
        if self.strikes(Fault::BadQuote, 40) {
            match self.rng.between(0, 5) {
                0 => quote.ts_event.0 -= 60 * SECOND,
                1 => quote.bid_px = None,
                2 => quote.ask_px = None,
                3 => std::mem::swap(&mut quote.bid_px, &mut quote.ask_px),
                4 => (quote.bid_px, quote.ask_px) = (Some(Price(0)), Some(Price(0))),
                _ => quote.data_type = Some(nanobook::trading::DataType::Delayed),
            }
        }
        quote
    }

    fn submit(&mut self, order: &NewOrder) -> Reply {
        let (name, code) = match self.config.model {
            Model::Ibkr => (Name::Ibkr, 201),
            Model::Binance => (Name::Binance, -2010),
        };
        if self.strikes(Fault::Reject, 30) {
            return Reply::refused(name, code, "refused".into());
        }
        match self.venue.submit(*order, self.now, &mut self.rng) {
            Ok(at) => Reply::Confirmed(self.venue.row(at, self.now)),
            Err(Refusal::Halted) => Reply::refused(name, code, "the instrument is halted".into()),
            Err(Refusal::Cash) => Reply::refused(name, code, "insufficient balance".into()),
            Err(Refusal::Duplicate) => Reply::refused(name, code, "Duplicate order sent.".into()),
        }
    }

    fn cancel(&mut self, key: OrderKey) -> Reply {
        let places = self.venue.find(key.client_order_id);
        let open = places
            .into_iter()
            .find(|&at| self.venue.orders[at].ended.is_none());
        let Some(at) = open else {
            let text = "there is no such open order".into();
            return Reply::Rejected { code: -2011, text };
        };
        if self.strikes(Fault::CancelRace, 60) {
            // The cancel is on its way; meanwhile the order trades.
            let later = self.rng.between(200, 1_000) * MS;
            self.venue.orders[at].cancel_at = Some(self.now + later);
            let before = self.venue.row(at, self.now);
            self.venue.trade(at, self.now, &mut self.rng);
            return Reply::Confirmed(before);
        }
        self.venue.orders[at].ended = Some((self.now, OrderState::Cancelled));
        let mut row = self.venue.row(at, self.now);
        row.order_id = Some(OrderId(self.venue.orders[at].id));
        Reply::Confirmed(row)
    }
}
