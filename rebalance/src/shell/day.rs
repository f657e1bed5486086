//! The day so far, from an account's journals: what was traded, how often, and what equity was.
//!
//! Nothing is kept for it besides the journals: each says equity when its plan was approved and when it ended, and every
//! execution. A day is one of the time zone `hours.zone`. The day's first equity is the last one that was seen before it,
//! or the first one on it; the highest is that of all runs since `day.since`. Equity that nobody looked at is not in it,
//! and money that was paid in or out counts as won or lost until `day.since` is set to a later day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use nanobook::trading::decimal;
use nanobook::{Money, Timestamp};
use nanobook_risk::{Day, Limits};

use super::Failure;
use super::folder::{Folder, Run};
use crate::config::Config;
use crate::core::{Ending, Record};
use crate::targets::show_time;

/// What was before a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Whether the kill switch is on; `None` when it is not known.
    pub killed: Option<bool>,
    /// What the journals say; `None` when no limit asks for it, or it can't be known.
    pub history: Option<History>,
    /// Why it can't be known, and what to do.
    pub remark: Option<String>,
}

/// What the journals say of this day and of those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The last equity that was seen before this day.
    before: Option<Money>,
    /// The first one that was seen on this day.
    first: Option<Money>,
    /// The highest one that was seen.
    peak: Option<Money>,
    /// Value of this day's executions.
    traded: Money,
    /// Runs that were begun on this day.
    runs: u32,
}

/// Whether a limit asks for the past.
const fn is_wanted(limits: &Limits) -> bool {
    limits.max_daily_loss.is_some()
        || limits.max_drawdown.is_some()
        || limits.max_day_turnover.is_some()
        || limits.max_runs.is_some()
}

impl Past {
    /// That of an account at a time.
    ///
    /// # Errors
    /// When the folder of the runs can't be read.
    pub fn of(folder: &Folder, config: &Config, now: Timestamp) -> Result<Self, Failure> {
        let killed = Some(folder.is_killed());
        if !is_wanted(&config.risk) {
            return Ok(Self {
                killed,
                ..Self::default()
            });
        }
        let found = read(folder, config, now)?;
        let (history, remark) = match found {
            Ok(history) => (Some(history), None),
            Err(why) => (
                None,
                Some(format!("the state of the day is not known: {why}")),
            ),
        };
        Ok(Self {
            killed,
            history,
            remark,
        })
    }
}

impl History {
    /// The day, with what equity is now.
    pub fn day(&self, equity: Option<Money>) -> Day {
        Day {
            start_equity: self.before.or(self.first).or(equity),
            peak_equity: self.peak.max(equity),
            traded: Some(self.traded),
        }
    }

    /// How many runs were begun on this day.
    pub const fn runs(&self) -> u32 {
        self.runs
    }

    /// Takes equity in that was seen on a day; from the newest to the oldest.
    fn see(&mut self, equity: Money, day: Date, today: Date) {
        self.peak = self.peak.max(Some(equity));
        if day == today {
            self.first = Some(equity);
        } else {
            self.before = self.before.or(Some(equity));
        }
    }
}

/// Reads the journals from the newest to the oldest, as far as they matter; the inner error says why nothing is known.
fn read(
    folder: &Folder,
    config: &Config,
    now: Timestamp,
) -> Result<Result<History, String>, Failure> {
    let zone = TimeZone::get(&config.hours.zone).unwrap_or(TimeZone::UTC);
    let date = |ts: Timestamp| day_of(ts, &zone);
    let (today, since) = (date(now), config.day.since());
    let mut history = History::default();
    for file in folder.runs()?.into_iter().rev() {
        let run = match Run::read(file) {
            Ok(run) => run,
            Err(failure) => {
                return Ok(Err(format!(
                    "{failure}; put the journal back as it was, or set day.since to a day after it"
                )));
            }
        };
        let (Some(plan), Some(approved)) = (&run.state.plan, run.contents.entries.first()) else {
            continue;
        };
        let name = &run.file.name;
        let last = run.contents.entries.last().unwrap_or(approved);
        if since.is_some_and(|since| date(last.ts) < since) {
            break;
        }
        if date(last.ts).max(date(approved.ts)) > today {
            return Ok(Err(format!(
                "run {name} is of {}, which is not over yet; set the clock right",
                show_time(last.ts.max(approved.ts))
            )));
        }
        let ending = run.state.outcome.as_ref().map(|outcome| outcome.ending);
        if matches!(ending, None | Some(Ending::Review)) {
            return Ok(Err(format!(
                "run {name} was not ended; `rebalancer recover` goes on with it"
            )));
        }
        let Some(equity) = plan.equity else {
            return Ok(Err(format!(
                "run {name} does not say equity; set day.since to a day after it"
            )));
        };
        let held = run.contents.entries.iter().rev().filter_map(|entry| {
            let Record::Holding { account, .. } = &entry.record else {
                return None;
            };
            Some((account.equity?, date(entry.ts)))
        });
        let counts = |day: Date| since.is_none_or(|since| day >= since);
        for (equity, day) in held.chain([(equity, date(approved.ts))]) {
            if counts(day) {
                history.see(equity, day, today);
            }
        }
        history.runs += u32::from(date(approved.ts) == today);
        let fills = run.state.orders.iter().flat_map(|o| o.fills.values());
        for fill in fills.filter(|fill| date(fill.ts_event) == today) {
            let value = fill.qty.exact_notional(fill.price);
            // The part of a billionth that is left counts as a whole one.
            let value =
                value.and_then(|value| Some(value.checked_add(decimal::ONE - 1)? / decimal::ONE));
            let sum = value.and_then(|value| history.traded.0.checked_add(value));
            match sum {
                Some(sum) => history.traded = Money(sum),
                None => return Ok(Err(format!("an execution of run {name} is too large"))),
            }
        }
        // What is older matters for the highest equity only.
        let is_old = date(last.ts) < today && history.before.is_some();
        if is_old && config.risk.max_drawdown.is_none() {
            break;
        }
    }
    Ok(Ok(history))
}

/// The day of a time in a zone.
fn day_of(ts: Timestamp, zone: &TimeZone) -> Date {
    jiff::Timestamp::from_nanosecond(i128::from(ts.0))
        .map_or(Date::MIN, |time| time.to_zoned(zone.clone()).date())
}
