//! The state machine: events in, commands out.
//!
//! [`Core`] has no clock, no files and no sockets. Whoever drives it writes what it wants written, asks what it wants
//! asked, and tells it the time. It asks one thing at a time, and nothing while a record is not on the disk: so what
//! was sent is always in the journal before.
//!
//! A run is a sequence of looks: open orders, then those that are missing from them by their ids, executions,
//! positions, cash and quotes, as far as the next decision needs them. Then it decides, for every leg: wait, cancel,
//! send the next attempt, or end. A leg has one order at a time; the next attempt is sized by what the one before has
//! left, once the venue's order, its executions and the position agree.
//!
//! What became of an order whose answer is missing is found out by asking for it. That it never arrived is believed
//! only after several empty answers over longer than the venue may hide it, with an unchanged position; else a human
//! has to look.

mod act;
mod answer;
mod defect;
mod look;
mod outcome;
mod plan;
mod price;
mod record;
mod settings;
mod state;
mod talk;

use std::collections::{BTreeMap, VecDeque};

use nanobook::trading::ClientOrderId;
use nanobook_risk::RiskEngine;

use look::Look;

#[cfg(feature = "simulation")]
pub use defect::Defect;
#[cfg(not(feature = "simulation"))]
pub(crate) use defect::Defect;
pub use outcome::{Doubt, Ending, LegEnd, Outcome, Residual, Why};
pub use plan::{Leg, Plan};
pub use record::{Entry, Record};
pub use settings::{Settings, Spend};
pub use state::{LegState, State, Tracked};
pub use talk::{Answer, Command, Event, Failure, Now, Reply, Request};

use crate::error::Result;

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

/// A request that is waiting for its answer.
#[derive(Clone, Debug)]
struct Flight {
    id: u64,
    request: Request,
    deadline: i64,
}

/// What a process knows of an order, and the next one need not.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    /// When it was sent, or found in the journal.
    since: i64,
    /// Answers in a row that did not name it.
    absent: u32,
    /// When the first of them came.
    absent_since: i64,
    /// When the venue last said something new of it.
    news: i64,
    /// Answers with executions in a row that were asked for after the venue could hide any, and had nothing new of it.
    quiet: u32,
    /// When a cancel was asked for.
    cancelled_at: Option<i64>,
}

/// Something that is not as it should be: in how many looks, and over how long, the time not counted in which the venue
/// did not answer.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    looks: u32,
    lasted: i64,
}

impl Trouble {
    /// Whether it has been seen in several looks, over at least `ns`; `step` after the look before.
    fn lasts(&mut self, step: i64, ns: i64) -> bool {
        self.lasted += if self.looks > 0 { step } else { 0 };
        self.looks += 1;
        self.lasted >= ns && self.looks > 4
    }

    const fn is_new(&self) -> bool {
        self.looks == 0
    }

    fn is_over(&mut self) {
        *self = Self::default();
    }
}

/// What is not as it should be of a leg.
#[derive(Clone, Copy, Debug, Default)]
struct Doubts {
    unsettled: Trouble,
    moved: Trouble,
    no_quote: Trouble,
    no_cash: Trouble,
    risk: Trouble,
}

/// What a process knows and the journal does not.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Live {
    now: Now,
    started: i64,
    next_request: u64,
    flight: Option<Flight>,
    /// Orders whose answer did not come in time.
    late: BTreeMap<u64, ClientOrderId>,
    connected: bool,
    connected_at: i64,
    /// Venue time less the monotonic clock.
    venue_offset: i64,
    failures: u32,
    asleep_until: i64,
    acted_at: i64,
    /// Time since the decisions before these, as far as it counts.
    step: i64,
    /// When the messages of the last second were sent.
    sends: VecDeque<i64>,
    unwritten: Vec<Entry>,
    writing: bool,
    announced: bool,
    to_cancel: VecDeque<ClientOrderId>,
    to_submit: VecDeque<ClientOrderId>,
    look: Look,
    verify: bool,
    closing_since: Option<i64>,
    watch: BTreeMap<ClientOrderId, Watch>,
    doubts: Vec<Doubts>,
}

/// A run of a plan.
///
/// # Examples
/// See [`crate::core`] for how it works; `sim` drives it on a virtual clock, the command `rebalancer` on a real one.
#[derive(Debug)]
pub struct Core {
    state: State,
    live: Live,
    engine: RiskEngine,
    prefix: String,
}

/// What to do next.
enum Next {
    Ask(Request),
    Again,
    Sleep,
}

impl Core {
    /// Begins a run. The plan is its first record.
    ///
    /// # Errors
    /// When the plan can't be carried out.
    pub fn start(
        plan: Plan,
        checks: Vec<nanobook::trading::RiskCheckRow>,
        engine: RiskEngine,
        now: Now,
    ) -> Result<(Self, Vec<Command>)> {
        plan.check()?;
        let record = Record::Approved {
            plan: Box::new(plan),
            checks,
        };
        Ok(Self::begin(State::default(), record, engine, now))
    }

    /// [`Core::start`], with a planted defect.
    ///
    /// # Errors
    /// As [`Core::start`].
    #[cfg(feature = "simulation")]
    pub(crate) fn start_with(
        plan: Plan,
        engine: RiskEngine,
        now: Now,
        defect: Option<Defect>,
    ) -> Result<(Self, Vec<Command>)> {
        plan.check()?;
        let state = State {
            defect,
            ..State::default()
        };
        let record = Record::Approved {
            plan: Box::new(plan),
            checks: Vec::new(),
        };
        Ok(Self::begin(state, record, engine, now))
    }

    /// Takes a run up again. One that is done, or was stale from the start, ends again at once.
    ///
    /// # Errors
    /// When the journal has no plan, or one that can't be carried out.
    pub fn resume(state: State, engine: RiskEngine, now: Now) -> Result<(Self, Vec<Command>)> {
        match &state.plan {
            Some(plan) => plan.check()?,
            None => {
                return Err(crate::Error::NoJournal {
                    detail: "it has no plan".into(),
                });
            }
        }
        let ended = state.outcome.as_ref().map(|outcome| outcome.ending);
        if matches!(ended, Some(Ending::Done | Ending::Stale)) {
            let mut core = Self::idle(state, engine, now);
            let mut commands = Vec::new();
            core.advance(&mut commands);
            return Ok((core, commands));
        }
        Ok(Self::begin(state, Record::Resumed, engine, now))
    }

    fn idle(state: State, engine: RiskEngine, now: Now) -> Self {
        Self {
            prefix: String::new(),
            state,
            live: Live {
                now,
                started: now.mono_ns,
                ..Live::default()
            },
            engine,
        }
    }

    fn begin(state: State, record: Record, engine: RiskEngine, now: Now) -> (Self, Vec<Command>) {
        let mut core = Self::idle(state, engine, now);
        if record == Record::Resumed {
            // Messages of the process before count too.
            core.live.asleep_until = now.mono_ns.saturating_add(SECOND);
        }
        core.record(record);
        core.prefix = Plan::prefix(&core.plan().run_id);
        core.live.doubts = vec![Doubts::default(); core.plan().legs.len()];
        let since = now.mono_ns;
        core.live.watch = (core.state.orders.iter())
            .map(|order| {
                let watch = Watch {
                    since,
                    news: since,
                    ..Watch::default()
                };
                (order.order.client_order_id, watch)
            })
            .collect();
        let mut commands = Vec::new();
        core.advance(&mut commands);
        (core, commands)
    }

    /// What is known.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The plan.
    ///
    /// # Panics
    /// Never: a run begins with its plan.
    pub fn plan(&self) -> &Plan {
        self.state
            .plan
            .as_deref()
            .expect("a run begins with its plan")
    }

    fn settings(&self) -> &Settings {
        &self.plan().settings
    }

    /// Takes an event in and says what to do.
    pub fn step(&mut self, now: Now, event: Event) -> Vec<Command> {
        self.live.now = now;
        match event {
            Event::Tick => {}
            Event::Written => self.live.writing = false,
            Event::Answer { id, answer } => self.answered(id, answer),
            Event::Kill => {
                if !self.state.killed && self.state.outcome.is_none() {
                    self.record(Record::Killed);
                }
            }
        }
        let mut commands = Vec::new();
        self.advance(&mut commands);
        commands
    }

    /// Makes a decision or a fact known, and due to be written.
    fn record(&mut self, record: Record) {
        let entry = Entry {
            seq: self.state.next_seq,
            ts: self.live.now.wall,
            record,
        };
        self.state
            .apply(&entry)
            .expect("the core makes records that follow from its state");
        self.live.unwritten.push(entry);
    }

    fn mono(&self) -> i64 {
        if self.state.flawed(Defect::WallClockWaits) {
            return self.live.now.wall.0;
        }
        self.live.now.mono_ns
    }

    /// Whether an order has ended with every execution known. Where corrections hide how much is missing, that takes
    /// several answers without news, each asked for later than the venue may hide something.
    fn is_settled(&self, order: &Tracked) -> bool {
        let quiet = || {
            let watch = self.live.watch.get(&order.order.client_order_id);
            let long = |watch: &Watch| self.mono() - watch.news >= self.settings().grace_ns;
            watch.is_some_and(|watch| {
                if self.flawed(Defect::BlindIsKnown) {
                    long(watch)
                } else {
                    watch.quiet >= self.settings().absent_answers
                }
            })
        };
        order.is_settled() && (!order.blind || quiet())
    }

    fn flawed(&self, defect: Defect) -> bool {
        self.state.flawed(defect)
    }

    /// Goes on as far as it can without an answer, a write or time.
    fn advance(&mut self, commands: &mut Vec<Command>) {
        loop {
            if self.live.writing && !self.flawed(Defect::SentBeforeWritten) {
                return;
            }
            self.expire();
            self.give_up();
            if !self.live.unwritten.is_empty() {
                self.live.writing = true;
                let entries = std::mem::take(&mut self.live.unwritten);
                commands.push(Command::Write(entries));
                if self.flawed(Defect::SentBeforeWritten) {
                    self.advance(commands);
                    let write = commands.iter().position(|c| matches!(c, Command::Write(_)));
                    commands.rotate_left(write.map_or(0, |at| at + 1));
                }
                return;
            }
            if let Some(outcome) = &self.state.outcome {
                if !self.live.announced {
                    self.live.announced = true;
                    commands.push(Command::End(outcome.clone()));
                }
                return;
            }
            if let Some(flight) = &self.live.flight {
                commands.push(Command::Wake(flight.deadline));
                return;
            }
            if self.mono() < self.live.asleep_until {
                commands.push(Command::Wake(self.live.asleep_until));
                return;
            }
            if let Some(wake) = self.throttled() {
                commands.push(Command::Wake(wake));
                return;
            }
            match self.next() {
                Next::Ask(request) => self.ask(request, commands),
                Next::Again => {}
                Next::Sleep => self.sleep(self.settings().poll_ns),
            }
        }
    }

    /// When the next message may be sent, unless it may be now.
    fn throttled(&mut self) -> Option<i64> {
        let now = self.mono();
        while self
            .live
            .sends
            .front()
            .is_some_and(|sent| now - sent >= SECOND)
        {
            self.live.sends.pop_front();
        }
        if self.flawed(Defect::RateIgnored) {
            return None;
        }
        let full = self.live.sends.len() >= self.settings().rate.max(1) as usize;
        full.then(|| self.live.sends[0] + SECOND)
    }

    fn ask(&mut self, request: Request, commands: &mut Vec<Command>) {
        let id = self.live.next_request;
        self.live.next_request += 1;
        self.live.sends.push_back(self.mono());
        self.live.flight = Some(Flight {
            id,
            request: request.clone(),
            deadline: self.mono() + self.settings().request_timeout_ns,
        });
        commands.push(Command::Ask { id, request });
    }

    fn sleep(&mut self, ns: i64) {
        self.live.asleep_until = self.live.asleep_until.max(self.mono().saturating_add(ns));
    }

    /// Stops waiting for an answer that does not come.
    fn expire(&mut self) {
        let now = self.mono();
        if self.flawed(Defect::NeverExpires) {
            return;
        }
        let Some(flight) = self.live.flight.take_if(|flight| now >= flight.deadline) else {
            return;
        };
        // A connection over which nothing comes back may be dead without anybody saying so.
        let failure = Failure {
            text: "no answer in time".into(),
            reconnect: true,
            pause_ns: 0,
        };
        if let Some(client_order_id) = flight.request.submits() {
            self.live.late.insert(flight.id, client_order_id);
            let reply = if self.flawed(Defect::SilenceIsRefusal) {
                Reply::NotSent(failure.clone())
            } else {
                Reply::Unknown(failure.clone())
            };
            self.record(Record::Submitted {
                client_order_id,
                reply,
            });
        }
        self.fail(&failure);
        if self.flawed(Defect::ResentOnSilence) {
            self.live.to_submit.extend(flight.request.submits());
            self.live.look.step = look::Step::Send;
        }
    }

    /// Why no order is sent any more.
    fn closing(&self) -> Option<Why> {
        if self.state.killed && !self.flawed(Defect::KillIgnored) {
            return Some(Why::Killed);
        }
        let late = self.mono() - self.live.started >= self.settings().deadline_ns;
        late.then_some(Why::Deadline)
    }

    /// Ends a run that can't be closed in an orderly way: a venue that does not answer, an order that can't be ended.
    fn give_up(&mut self) {
        let now = self.mono();
        let Some(_) = self.closing() else {
            return;
        };
        let since = *self.live.closing_since.get_or_insert(now);
        let patience = self.settings().patience_ns;
        let (since, most) = if self.live.connected {
            (since.max(self.live.connected_at), 3 * patience)
        } else {
            (since, 6 * patience)
        };
        if self.state.outcome.is_some() || now - since < most {
            return;
        }
        for leg in 0..self.state.legs.len() {
            let doubt = self.state.orders_of(leg).find_map(|order| {
                if !order.may_trade() {
                    (!order.is_settled()).then_some(Doubt::FillsMissing)
                } else if order.shown {
                    Some(Doubt::StillWorking)
                } else {
                    Some(Doubt::Unresolved)
                }
            });
            let doubt = match (doubt, self.state.legs[leg].end) {
                (Some(doubt), _) => doubt,
                (None, None) => Doubt::PositionMoved,
                (None, Some(_)) => continue,
            };
            self.end_leg(leg, LegEnd::Review(doubt));
        }
        self.finish();
    }
}
