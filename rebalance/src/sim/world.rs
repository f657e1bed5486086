//! The loop: a virtual clock, processes, a disk, a network and a venue.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use nanobook::trading::{ClientOrderId, Instrument, NewOrder, Quote};
use nanobook::{Side, Symbol, Timestamp};
use nanobook_risk::{Decimal, Limits, RiskEngine, Rule, Severity};

use super::check::{self, Invariant, Violation, holds};
use super::fault::{Fault, Faults};
use super::network::Line;
use super::rng::Rng;
use super::scenario::{MS, NANO, SECOND, START, Scenario};
use super::venue::{TICK_EVERY, Venue};
use super::{Config, Report};
use crate::core::{
    Answer, Command, Core, Defect, Ending, Event, LegEnd, Now, Outcome, Record, Reply, Request,
    State,
};
use crate::journal::{self, Contents, Journal, MemoryDisk};

/// Faults happen until then.
const FAULTS_END: i64 = 25 * SECOND;

/// A run that has not ended by then never will: deadline, patience and restarts are over.
const HORIZON: i64 = 900 * SECOND;

/// More points than any run has.
const MOST_POINTS: u64 = 100_000;

/// Something that will happen.
#[derive(Clone, Debug)]
pub(super) enum Due {
    Tick,
    Arrive {
        process: usize,
        id: u64,
        request: Request,
    },
    Event {
        process: usize,
        event: Happens,
    },
    Wake {
        process: usize,
        at: i64,
    },
    Restart,
    Plot(Plot),
}

/// What a process is told.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "most are answers")]
pub(super) enum Happens {
    Written,
    Answer(u64, Answer),
    Kill,
}

/// Faults that happen at a time, and the switch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plot {
    Break,
    HalfOpen,
    ClockOff,
    Jump,
    Halt,
    Unhalt,
    Foreign,
    Correct,
    FillDisk,
    Second,
    Kill,
}

/// A process with its own memory.
pub(super) struct Process {
    core: Core,
    journal: Journal<MemoryDisk>,
    pub(super) born: i64,
    wake: Option<i64>,
    alive: bool,
    killed: bool,
    sends: VecDeque<i64>,
    pub(super) silent_until: i64,
    last_asked: u64,
    pub(super) quotes: BTreeMap<usize, Quote>,
    pub(super) rules: BTreeMap<usize, Instrument>,
    pub(super) cash_as_of: i64,
    pub(super) positions_as_of: i64,
}

pub(super) struct World<'a> {
    pub(super) config: &'a Config,
    pub(super) rng: Rng,
    pub(super) now: i64,
    jump: i64,
    pub(super) venue: Venue,
    pub(super) line: Line,
    scenario: Scenario,
    engine: RiskEngine,
    largest: i128,
    disk: MemoryDisk,
    due: BinaryHeap<Reverse<(i64, u64)>>,
    what: BTreeMap<u64, Due>,
    next_due: u64,
    pub(super) processes: Vec<Process>,
    /// The journal as it is on the disk, read by somebody else.
    replica: Contents,
    replayed: State,
    durable: BTreeMap<ClientOrderId, NewOrder>,
    points: u64,
    crash_at: Option<u64>,
    torn_at: Option<u64>,
    writes: u64,
    crashed: bool,
    ending: Option<Ending>,
    found: check::Found,
    injected: [u32; Fault::COUNT],
}

impl<'a> World<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        let mut rng = Rng::new(config.seed ^ 0x6E61_6E6F_626F_6F6B);
        let scenario = Scenario::new(config.model, &mut rng);
        let mut venue = Venue::new(config.model, &scenario);
        let legs = scenario.plan.legs.iter();
        let values = legs.map(|leg| leg.qty.0 * i128::from(leg.ref_px.0) / NANO);
        let most = values.max().unwrap_or(0);
        let largest = if rng.chance(15) {
            most * 6 / 10
        } else {
            most * 2
        };
        let limits = Limits {
            max_order_notional: Some(Rule {
                limit: Decimal(largest),
                severity: Severity::Hard,
            }),
            max_leverage: None,
            ..Limits::default()
        };
        let faults = config.faults;
        if faults.has(Fault::LateVisibility) {
            venue.most_lag = 3 * SECOND;
        }
        if faults.has(Fault::Partial) {
            venue.part = 60;
        }
        let mut injected = [0; Fault::COUNT];
        for always in [Fault::LateVisibility, Fault::Partial] {
            injected[always as usize] = u32::from(faults.has(always));
        }
        let crash_at = config.crash_at.or_else(|| {
            let sampled = faults.has(Fault::Crash) && faults.count() > 1;
            (sampled && (faults.count() <= 4 || rng.chance(25))).then(|| rng.next() % 600)
        });
        let torn_at = faults.has(Fault::TornJournal).then(|| rng.next() % 20);
        let torn_at = torn_at.filter(|_| faults.count() <= 4 || rng.chance(25));
        let replica = journal::read(&[]).expect("nothing is an empty journal");
        Self {
            config,
            rng,
            now: 0,
            jump: 0,
            venue,
            line: Line::default(),
            scenario,
            engine: RiskEngine::new(limits),
            largest,
            disk: MemoryDisk::default(),
            due: BinaryHeap::new(),
            what: BTreeMap::new(),
            next_due: 0,
            processes: Vec::new(),
            replica,
            replayed: State::default(),
            durable: BTreeMap::new(),
            points: 0,
            crash_at,
            torn_at,
            writes: 0,
            crashed: false,
            ending: None,
            found: None,
            injected,
        }
    }

    pub(super) fn run(mut self) -> Report {
        self.replayed.defect = self.config.defect;
        self.plot();
        self.schedule(TICK_EVERY, Due::Tick);
        self.begin();
        while self.found.is_none() && !self.is_over() {
            let Some(Reverse((at, number))) = self.due.pop() else {
                break;
            };
            self.now = at;
            let Some(due) = self.what.remove(&number) else {
                continue;
            };
            self.happens(due);
            if at > HORIZON || self.points > MOST_POINTS {
                self.note(Err((Invariant::Liveness, "the run does not end".into())));
            }
        }
        if self.found.is_none() && self.ending.is_none() {
            self.note(Err((
                Invariant::Liveness,
                "nothing is left to happen".into(),
            )));
        }
        Report {
            ending: self.ending,
            violation: self.found.take().map(|(invariant, detail)| Violation {
                invariant,
                at_ns: self.now,
                detail,
            }),
            points: self.points,
            injected: self.injected,
            journal: self.disk.synced(),
        }
    }

    fn is_over(&self) -> bool {
        self.ending.is_some() && !self.processes.iter().any(|process| process.alive)
    }

    pub(super) fn note(&mut self, checked: Result<(), (Invariant, String)>) {
        if let Err(found) = checked {
            self.found.get_or_insert(found);
        }
    }

    pub(super) fn schedule(&mut self, at: i64, due: Due) {
        self.due.push(Reverse((at, self.next_due)));
        self.what.insert(self.next_due, due);
        self.next_due += 1;
    }

    /// Faults of a kind that the network decides about, one at a time.
    pub(super) fn strikes(&mut self, fault: Fault, percent: u64) -> bool {
        if !self.config.faults.has(fault) || self.now >= FAULTS_END {
            return false;
        }
        // Of many kinds each is rarer, so that a run gets somewhere.
        let percent = if self.config.faults.count() > 4 {
            percent.div_ceil(4)
        } else {
            percent
        };
        let strikes = self.rng.chance(percent);
        if strikes {
            self.count(fault);
        }
        strikes
    }

    pub(super) fn count(&mut self, fault: Fault) {
        self.injected[fault as usize] += 1;
    }

    /// Faults that happen at a time of their own.
    fn plot(&mut self) {
        let kinds = [
            (Fault::Disconnect, Plot::Break, 3),
            (Fault::ReconnectRefused, Plot::Break, 2),
            (Fault::HalfOpen, Plot::HalfOpen, 2),
            (Fault::ClockRefused, Plot::ClockOff, 2),
            (Fault::ClockJump, Plot::Jump, 3),
            (Fault::Halted, Plot::Halt, 1),
            (Fault::Foreign, Plot::Foreign, 2),
            (Fault::Correction, Plot::Correct, 2),
            (Fault::DiskFull, Plot::FillDisk, 1),
            (Fault::SecondInstance, Plot::Second, 1),
        ];
        let faults: Faults = self.config.faults;
        for (fault, plot, most) in kinds {
            // Of many kinds not all happen, so that a run gets somewhere.
            if faults.has(fault) && (faults.count() <= 4 || self.rng.chance(25)) {
                for _ in 0..self.rng.between(1, most) {
                    let at = self.rng.between(100, 9_000) * MS;
                    self.schedule(at, Due::Plot(plot));
                }
            }
        }
        if self.rng.chance(8) {
            let at = self.rng.between(500, 12_000) * MS;
            self.schedule(at, Due::Plot(Plot::Kill));
        }
    }

    fn clock(&self, born: i64) -> Now {
        Now {
            wall: Timestamp(START + self.now + self.jump),
            mono_ns: self.now - born,
        }
    }

    /// How far our clock on the wall is behind the venue's.
    pub(super) fn clock_offset(&self) -> i64 {
        -self.jump
    }

    /// A process starts: it reads the journal and begins, or goes on.
    fn begin(&mut self) {
        let disk = self.disk.clone();
        if self.config.defect == Some(Defect::LockIgnored) {
            disk.unlock();
        }
        let (mut journal, contents) = match Journal::open(disk) {
            Ok(opened) => opened,
            Err(crate::Error::Locked { .. } | crate::Error::Write(_)) => return,
            Err(error) => return self.note(Err((Invariant::ReplayIsState, error.to_string()))),
        };
        journal.defect = self.config.defect;
        self.replica = contents.clone();
        let intents = contents
            .entries
            .iter()
            .filter_map(|entry| match &entry.record {
                Record::Intent { order, .. } => Some((order.client_order_id, *order)),
                _ => None,
            });
        self.durable = intents.collect();
        let now = self.clock(self.now);
        let engine = self.engine.clone();
        let begun = if contents.entries.is_empty() {
            self.replayed = State::default();
            self.replayed.defect = self.config.defect;
            Core::start_with(self.scenario.plan.clone(), engine, now, self.config.defect)
        } else {
            let state = State::replay_with(&contents.entries, self.config.defect);
            match state {
                Ok(state) => {
                    self.replayed = state.clone();
                    Core::resume(state, engine, now)
                }
                Err(error) => Err(error),
            }
        };
        match begun {
            Ok((core, commands)) => {
                self.processes.push(Process {
                    core,
                    journal,
                    born: self.now,
                    wake: None,
                    alive: true,
                    killed: false,
                    sends: VecDeque::new(),
                    silent_until: 0,
                    last_asked: 0,
                    quotes: BTreeMap::new(),
                    rules: BTreeMap::new(),
                    cash_as_of: 0,
                    positions_as_of: self.now,
                });
                self.line.connected = false;
                self.execute(self.processes.len() - 1, commands);
            }
            Err(error) => self.note(Err((Invariant::ReplayIsState, error.to_string()))),
        }
    }

    fn happens(&mut self, due: Due) {
        match due {
            Due::Tick => {
                self.venue.tick(self.now, &mut self.rng);
                if self.strikes(Fault::VenueCancel, 10) {
                    self.venue_cancels();
                }
                self.note(check::venue(&self.venue, &self.scenario.plan));
                self.schedule(self.now + TICK_EVERY, Due::Tick);
            }
            Due::Arrive {
                process,
                id,
                request,
            } => {
                self.arrive(process, id, &request);
                self.note(check::venue(&self.venue, &self.scenario.plan));
            }
            Due::Event { process, event } => self.tell(process, event),
            Due::Wake { process, at } => {
                if self.processes[process].wake == Some(at) {
                    self.deliver(process, Event::Tick);
                }
            }
            Due::Restart => self.begin(),
            Due::Plot(plot) => self.unfolds(plot),
        }
    }

    fn venue_cancels(&mut self) {
        let now = self.now;
        let mut orders = self.venue.orders.iter_mut();
        if let Some(order) = orders.find(|order| order.ours && order.ended.is_none()) {
            order.ended = Some((now, nanobook::trading::OrderState::Cancelled));
        }
    }

    fn tell(&mut self, process: usize, event: Happens) {
        let event = match event {
            Happens::Written => Event::Written,
            Happens::Answer(id, answer) => {
                // An answer that comes too late shows nothing that orders are priced by.
                if self.processes[process].last_asked == id {
                    self.heard(process, &answer);
                }
                Event::Answer { id, answer }
            }
            Happens::Kill => {
                self.processes[process].killed = true;
                Event::Kill
            }
        };
        self.deliver(process, event);
    }

    /// What a process has been shown, for the checks of what it then sends.
    fn heard(&mut self, process: usize, answer: &Answer) {
        let venue = &self.venue;
        let process = &mut self.processes[process];
        match answer {
            Answer::Quotes(quotes) => {
                for quote in quotes {
                    process
                        .quotes
                        .extend(venue.place(quote.symbol).map(|at| (at, *quote)));
                }
            }
            Answer::Instruments(rules) => {
                for rules in rules {
                    process
                        .rules
                        .extend(venue.place(rules.symbol).map(|at| (at, *rules)));
                }
            }
            Answer::Failed(failure) | Answer::Reply(Reply::NotSent(failure)) => {
                process.silent_until = process.silent_until.max(self.now + failure.pause_ns);
            }
            _ => {}
        }
    }

    fn deliver(&mut self, process: usize, event: Event) {
        if !self.processes[process].alive || self.dies() {
            return;
        }
        let now = self.clock(self.processes[process].born);
        self.processes[process].wake = None;
        let commands = self.processes[process].core.step(now, event);
        self.execute(process, commands);
    }

    /// A point at which the process may die.
    fn dies(&mut self) -> bool {
        let dies = self.crash_at == Some(self.points);
        self.points += 1;
        if dies {
            self.count(Fault::Crash);
            self.crash();
        }
        dies
    }

    /// All processes die; of what was not synced, some bytes may have reached the disk.
    fn crash(&mut self) {
        let (len, synced) = self.disk.lens();
        let unsynced = i64::try_from(len - synced).unwrap_or(0);
        let kept = usize::try_from(self.rng.between(0, unsynced)).unwrap_or(0);
        self.disk.crash(kept);
        for process in &mut self.processes {
            process.alive = false;
        }
        self.crashed = true;
        let later = self.now + self.rng.between(1_000, 5_000) * MS;
        self.schedule(later, Due::Restart);
    }

    fn execute(&mut self, process: usize, commands: Vec<Command>) {
        for command in commands {
            if self.dies() {
                return;
            }
            match command {
                Command::Write(entries) => {
                    if !self.write(process, &entries) {
                        return;
                    }
                }
                Command::Ask { id, request } => {
                    self.check_request(process, &request);
                    self.processes[process].last_asked = id;
                    self.send(process, id, request);
                }
                Command::Wake(mono) => {
                    let at = (self.processes[process].born + mono).max(self.now);
                    self.processes[process].wake = Some(at);
                    self.schedule(at, Due::Wake { process, at });
                }
                Command::End(outcome) => self.ends(process, &outcome),
            }
        }
    }

    /// Writes records; the power may fail while that is done.
    fn write(&mut self, process: usize, entries: &[crate::core::Entry]) -> bool {
        let torn = self.torn_at == Some(self.writes);
        self.writes += 1;
        let dies = torn || self.crash_at == Some(self.points);
        self.points += 1;
        if dies {
            self.disk.fail_syncs();
        }
        let written = self.processes[process].journal.append(entries);
        if dies {
            self.count(if torn {
                Fault::TornJournal
            } else {
                Fault::Crash
            });
            self.crash();
            return false;
        }
        if written.is_err() {
            // The command ends with a message; somebody makes room and starts it again.
            self.count(Fault::DiskFull);
            self.processes[process].alive = false;
            self.disk.unlock();
            self.disk.limit(None);
            self.schedule(self.now + 3 * SECOND, Due::Restart);
            return false;
        }
        self.read_back(process);
        let event = Happens::Written;
        self.schedule(self.now + MS, Due::Event { process, event });
        true
    }

    /// Reads what is on the disk, as somebody else would, and compares it with what the process knows.
    fn read_back(&mut self, process: usize) {
        let from = usize::try_from(self.replica.len).unwrap_or(0);
        let from = if from == 0 { 8 } else { from };
        self.replica.len = from as u64;
        let before = self.replica.entries.len();
        let bytes = self.disk.synced_from(from);
        if let Err(error) = journal::read_on(&mut self.replica, &bytes) {
            return self.note(Err((Invariant::ReplayIsState, error.to_string())));
        }
        for entry in &self.replica.entries[before..] {
            if let Record::Intent { order, .. } = &entry.record {
                self.durable.insert(order.client_order_id, *order);
            }
            if let Err(error) = self.replayed.apply(entry) {
                self.found = Some((Invariant::ReplayIsState, error.to_string()));
                return;
            }
        }
        let live = self.processes[process].core.state();
        let same = *live == self.replayed;
        let at = self.replica.entries.len();
        self.note(holds(same, Invariant::ReplayIsState, || {
            format!("after {at} records the journal says something else than the process knows")
        }));
    }

    /// A request as it leaves.
    fn check_request(&mut self, at: usize, request: &Request) {
        let now = self.now;
        let rate = self.scenario.plan.settings.rate as usize;
        let process = &mut self.processes[at];
        while process
            .sends
            .front()
            .is_some_and(|sent| now - sent >= SECOND)
        {
            process.sends.pop_front();
        }
        process.sends.push_back(now);
        let (sent, silent) = (process.sends.len(), now < process.silent_until);
        let killed = process.killed;
        self.note(holds(sent <= rate, Invariant::Rate, || {
            format!("{sent} messages in a second, where {rate} are allowed")
        }));
        self.note(holds(!silent, Invariant::Rate, || {
            "a message while the venue wants silence".into()
        }));
        match request {
            Request::Submit(order) => {
                self.note(holds(!killed, Invariant::KillSwitch, || {
                    format!("an order after the switch: {order:?}")
                }));
                let durable = self.durable.get(&order.client_order_id) == Some(order);
                self.note(holds(durable, Invariant::JournaledAndApproved, || {
                    format!("not on the disk: {order:?}")
                }));
                let symbol = self.venue.place(order.symbol).unwrap_or(usize::MAX);
                let process = &self.processes[at];
                let shown = check::Shown {
                    quote: process.quotes.get(&symbol),
                    rules: process.rules.get(&symbol),
                    largest: self.largest,
                    now,
                };
                let checked = check::order(order, &self.scenario.plan, &shown);
                let sells = self.scenario.plan.legs.iter().zip(&self.replayed.legs);
                let early = order.side == Side::Buy && { sells }
                    .any(|(leg, known)| leg.side == Side::Sell && known.end.is_none());
                let excused = self.venue.cash_moved_since(process.cash_as_of);
                let cash = check::cash(order, &self.venue, self.venue.claims(), excused);
                self.note(checked);
                self.note(cash);
                self.note(holds(!early, Invariant::ConfirmedCash, || {
                    format!("a buy before the sells have ended: {order:?}")
                }));
            }
            Request::Cancel(key) => {
                let ours = self.durable.contains_key(&key.client_order_id);
                self.note(holds(ours, Invariant::NothingInvented, || {
                    "a cancel of somebody else's order".into()
                }));
            }
            _ => {}
        }
    }

    fn ends(&mut self, process: usize, outcome: &Outcome) {
        self.processes[process].alive = false;
        self.disk.unlock();
        let state = self.processes[process].core.state();
        let seen = self.processes[process].positions_as_of;
        let checked = check::end(outcome, state, &self.venue, &self.scenario.plan, seen);
        let bytes = serde_json::to_vec(state).unwrap_or_default();
        let again = State::replay_with(&self.replica.entries, self.config.defect);
        let again = again.ok().and_then(|state| serde_json::to_vec(&state).ok());
        let same = again.as_ref() == Some(&bytes);
        self.note(checked);
        self.note(holds(same, Invariant::ReplayIsState, || {
            "the journal replayed is not the state at the end".into()
        }));
        let doubted = outcome
            .residuals
            .iter()
            .find(|residual| matches!(residual.end, LegEnd::Review(_)));
        let cause = self.has_cause_for_doubt();
        self.note(holds(
            doubted.is_none() || cause,
            Invariant::Liveness,
            || format!("a review without a cause: {doubted:?}"),
        ));
        self.ending = Some(outcome.ending);
    }

    /// Whether something has happened that only a human can judge.
    fn has_cause_for_doubt(&self) -> bool {
        let unreachable = !self.line.connected || self.line.refusals > 0;
        self.injected[Fault::Foreign as usize] > 0 || (unreachable && self.now < 2 * FAULTS_END)
    }

    fn unfolds(&mut self, plot: Plot) {
        let now = self.now;
        match plot {
            Plot::Break => {
                self.line.connected = false;
                if self.config.faults.has(Fault::Disconnect) {
                    self.count(Fault::Disconnect);
                }
                if self.config.faults.has(Fault::ReconnectRefused) {
                    self.count(Fault::ReconnectRefused);
                    self.line.refusals = u32::try_from(self.rng.between(1, 5)).unwrap_or(1);
                }
            }
            Plot::HalfOpen => {
                self.count(Fault::HalfOpen);
                self.line.half_open = true;
            }
            Plot::ClockOff => {
                self.count(Fault::ClockRefused);
                self.line.clock_off = true;
            }
            Plot::Jump => {
                self.count(Fault::ClockJump);
                self.jump += self.rng.between(-3_600, 3_600) * SECOND;
            }
            Plot::Halt => {
                self.count(Fault::Halted);
                let legs = i64::try_from(self.scenario.plan.legs.len()).unwrap_or(1);
                let symbol = usize::try_from(self.rng.between(0, legs - 1)).unwrap_or(0);
                self.venue.halted[symbol] = true;
                let later = now + self.rng.between(1, 20) * SECOND;
                self.schedule(later, Due::Plot(Plot::Unhalt));
            }
            Plot::Unhalt => self.venue.halted.fill(false),
            Plot::Foreign => {
                self.count(Fault::Foreign);
                let last = i64::try_from(self.venue.instruments.len()).unwrap_or(1) - 1;
                let symbol = usize::try_from(self.rng.between(0, last)).unwrap_or(0);
                if self.rng.chance(50) {
                    self.venue.foreign_order(symbol, now, &mut self.rng);
                } else {
                    let side = if self.rng.chance(50) {
                        Side::Buy
                    } else {
                        Side::Sell
                    };
                    self.venue.foreign_trade(symbol, side, now);
                }
            }
            Plot::Correct => {
                let fills = i64::try_from(self.venue.executions.len()).unwrap_or(0);
                if fills > 0 {
                    self.count(Fault::Correction);
                    let at = usize::try_from(self.rng.between(0, fills - 1)).unwrap_or(0);
                    self.venue.correct(at, now, &mut self.rng);
                }
            }
            Plot::FillDisk => {
                let room = usize::try_from(self.rng.between(0, 2_000)).unwrap_or(0);
                self.disk.limit(Some(room));
            }
            Plot::Second => {
                if self.processes.iter().any(|process| process.alive) {
                    self.count(Fault::SecondInstance);
                    self.begin();
                }
            }
            Plot::Kill => {
                for process in 0..self.processes.len() {
                    self.tell(process, Happens::Kill);
                }
            }
        }
    }

    /// The place of an instrument.
    pub(super) fn place(&self, symbol: Symbol) -> usize {
        self.venue.place(symbol).unwrap_or(0)
    }
}
