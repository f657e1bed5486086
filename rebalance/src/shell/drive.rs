//! The loop: commands of the core are done, and what happens is told to it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::Failure;
use super::folder::Folder;
use super::log::{Log, now};
use super::venue::Venue;
use crate::core::{Answer, Command, Core, Entry, Event, Now, Outcome, Plan, Record, Reply};
use crate::journal::{FileDisk, Journal};

/// How often signals and the kill switch are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Asked for by a signal: how often.
static SIGNALS: AtomicU8 = AtomicU8::new(0);

/// Takes over SIGINT and SIGTERM: the first asks a run to cancel its orders and end, the second ends the process at once.
/// Nothing is lost then: the journal is on the disk before anything is sent.
pub fn take_signals() {
    // Without a handler a signal ends the process at once, which a journal survives.
    let _ = ctrlc::set_handler(|| {
        if SIGNALS.fetch_add(1, Ordering::SeqCst) > 0 {
            Log::default().warn(
                "ended at once by a second signal; run `rebalancer recover`",
                &[],
            );
            std::process::exit(super::code::INTERRUPTED.into());
        }
    });
}

/// Whether a signal came.
pub fn is_interrupted() -> bool {
    SIGNALS.load(Ordering::SeqCst) > 0
}

/// Both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Now {
        let ns = self.start.elapsed().as_nanos();
        Now {
            wall: now(),
            mono_ns: i64::try_from(ns).unwrap_or(i64::MAX),
        }
    }
}

/// What a run is driven with.
#[derive(Debug)]
pub struct Drive<'a> {
    /// The broker.
    pub venue: &'a Venue,
    /// The journal.
    pub journal: &'a mut Journal<FileDisk>,
    /// The account's folder, for its kill switch.
    pub folder: &'a Folder,
    /// The clocks.
    pub clock: Clock,
    /// The log.
    pub log: Log,
}

impl Drive<'_> {
    /// Drives a run to its end.
    ///
    /// # Errors
    /// When the journal can't be written: the run is to be recovered then.
    pub fn run(&mut self, core: &mut Core, mut commands: Vec<Command>) -> Result<Outcome, Failure> {
        let mut wake = i64::MAX;
        let mut stopping = false;
        loop {
            let mut written = false;
            for command in std::mem::take(&mut commands) {
                match command {
                    Command::Write(entries) => {
                        self.journal.append(&entries)?;
                        for entry in &entries {
                            tell(self.log, entry, core.plan());
                        }
                        written = true;
                    }
                    Command::Ask { id, request } => self.venue.send(id, request),
                    Command::Wake(at) => wake = at,
                    Command::End(outcome) => return Ok(outcome),
                }
            }
            let event = if written {
                Event::Written
            } else if !stopping && (is_interrupted() || self.folder.is_killed()) {
                stopping = true;
                let why = if is_interrupted() {
                    "a signal"
                } else {
                    "the kill switch"
                };
                self.log
                    .warn("stopping: open orders are cancelled", &[("why", &why)]);
                Event::Kill
            } else {
                self.wait(wake)
            };
            commands = core.step(self.clock.now(), event);
        }
    }

    /// What happens next: an answer, or time.
    fn wait(&self, wake: i64) -> Event {
        let left = wake.saturating_sub(self.clock.now().mono_ns).max(0);
        let left = Duration::from_nanos(left.unsigned_abs());
        match self.venue.receive(left.min(LOOK)) {
            Some((id, answer)) => {
                if let Answer::Failed(failure) = &answer {
                    self.log.warn("no answer", &[("why", &failure.text)]);
                }
                Event::Answer { id, answer }
            }
            None => Event::Tick,
        }
    }
}

/// Tells of a record.
#[expect(clippy::too_many_lines, reason = "one arm a kind of record")]
fn tell(log: Log, entry: &Entry, plan: &Plan) {
    let symbol = |leg: u32| {
        let leg = plan.legs.get(leg as usize);
        leg.map_or(String::new(), |leg| leg.symbol().to_string())
    };
    match &entry.record {
        Record::Approved { plan, .. } => log.info(
            "approved",
            &[
                ("run", &plan.run_id),
                ("account", &plan.account_id),
                ("legs", &plan.legs.len()),
            ],
        ),
        Record::Resumed => log.info("resumed", &[]),
        Record::Intent { attempt, order, .. } => {
            let price = order.kind.price().unwrap_or_default();
            let side = if order.side == nanobook::Side::Buy {
                "buy"
            } else {
                "sell"
            };
            log.info(
                "order",
                &[
                    ("symbol", &order.symbol),
                    ("side", &side),
                    ("qty", &order.qty),
                    ("limit", &price),
                    ("attempt", attempt),
                    ("id", &order.client_order_id),
                ],
            );
        }
        Record::Unsent {
            client_order_id,
            why,
        } => log.info("not sent", &[("id", client_order_id), ("why", why)]),
        Record::Submitted {
            client_order_id,
            reply,
        } => match reply {
            Reply::Confirmed(order) => log.info(
                "confirmed",
                &[("id", client_order_id), ("status", &order.state)],
            ),
            Reply::Rejected { code, text } | Reply::Duplicate { code, text } => log.warn(
                "refused",
                &[("id", client_order_id), ("code", code), ("why", text)],
            ),
            Reply::NotSent(failure) => log.warn(
                "not sent",
                &[("id", client_order_id), ("why", &failure.text)],
            ),
            Reply::Unknown(failure) => log.warn(
                "fate not known yet",
                &[("id", client_order_id), ("why", &failure.text)],
            ),
        },
        Record::Seen { order } => {
            let id = order.client_order_id.map(|id| id.to_string());
            log.info(
                "seen",
                &[
                    ("id", &id.unwrap_or_default()),
                    ("status", &order.state),
                    ("filled", &order.filled_qty),
                ],
            );
        }
        Record::Filled { fill } => log.info(
            "fill",
            &[
                ("symbol", &fill.symbol),
                ("qty", &fill.qty),
                ("price", &fill.price),
                ("trade", &fill.trade_id),
            ],
        ),
        Record::Cancelling { client_order_id } => log.info("cancel", &[("id", client_order_id)]),
        Record::Absent {
            client_order_id, ..
        } => log.warn("never arrived", &[("id", client_order_id)]),
        Record::LegEnded { leg, end } => {
            log.info("leg ended", &[("symbol", &symbol(*leg)), ("how", end)]);
        }
        Record::LegReopened { leg } => {
            log.warn("an execution was corrected", &[("symbol", &symbol(*leg))]);
        }
        Record::Checked { checks } => {
            let first = checks.first();
            let code = first.map_or("", |row| row.check_code.as_str());
            let subject = first.map_or("", |row| row.subject.as_str());
            log.warn(
                "risk checks stopped orders",
                &[
                    ("count", &checks.len()),
                    ("check", &code),
                    ("subject", &subject),
                ],
            );
        }
        Record::Holding { account, positions } => log.info(
            "account",
            &[("cash", &account.cash), ("positions", &positions.len())],
        ),
        Record::Killed => log.warn("killed", &[]),
        Record::Ended { outcome } => log.info(
            "ended",
            &[
                ("how", &outcome.ending.as_str()),
                ("left", &outcome.residuals.len()),
            ],
        ),
    }
}
