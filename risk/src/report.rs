//! What the checks found.

use std::fmt;

use nanobook::trading::RiskCheckRow;
use nanobook::trading::decimal::Plain;
use nanobook::{Symbol, Timestamp};

use crate::code::{Check, Unit};
use crate::limits::{Limits, Severity};

/// What a check could not do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input {
    /// The account.
    Account,
    /// Its equity, above zero.
    Equity,
    /// Its buying power.
    BuyingPower,
    /// The positions.
    Positions,
    /// The working orders.
    Working,
    /// The quote.
    Quote,
    /// A price, above zero.
    Price,
    /// The instrument's rules.
    Instrument,
    /// One currency for the account and the instrument.
    Currency,
    /// The average daily volume, above zero.
    Volume,
    /// The targets.
    Targets,
    /// The approved plan.
    Plan,
    /// The state of the day.
    Day,
    /// The state of the session.
    Session,
}

/// Why a check came out as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Within the limit.
    Within,
    /// Past the limit before these orders, and they can't take it further.
    NotWorse,
    /// Past the limit.
    Beyond,
    /// Something was not known.
    Missing(Input),
    /// A number did not fit.
    Overflow,
}

impl Reason {
    /// Whether the check holds.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Within | Self::NotWorse)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Within => "within the limit",
            Self::NotWorse => "past the limit before, and not made worse",
            Self::Beyond => "past the limit",
            Self::Overflow => "a number is too large to be checked",
            Self::Missing(input) => match input {
                Input::Account => "the account is not known",
                Input::Equity => "equity is not known or not above zero",
                Input::BuyingPower => "buying power is not known",
                Input::Positions => "the positions are not known",
                Input::Working => "the working orders are not known",
                Input::Quote => "there is no quote",
                Input::Price => "there is no price above zero",
                Input::Instrument => "the venue's rules are not known",
                Input::Currency => "account and instrument differ in currency",
                Input::Volume => "the average volume is not known",
                Input::Targets => "the targets are not known",
                Input::Plan => "the approved plan is not known",
                Input::Day => "the state of the day is not known",
                Input::Session => "the state of the session is not known",
            },
        })
    }
}

/// What one check found: the answer of every function of [`checks`](crate::checks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The limit, in units of 1e-9 of the check's [`Unit`]; `None` for yes or no, or when it is not known.
    pub limit: Option<i128>,
    /// The observed value, in the same units, rounded to the side of caution; `None` when it is not known.
    pub observed: Option<i128>,
    /// Why it came out so.
    pub reason: Reason,
}

impl Finding {
    /// Within or beyond a limit.
    pub(crate) fn of(limit: i128, observed: i128, holds: bool) -> Self {
        Self {
            limit: Some(limit),
            observed: Some(observed),
            reason: if holds {
                Reason::Within
            } else {
                Reason::Beyond
            },
        }
    }

    /// At most a limit.
    pub(crate) fn at_most(limit: i128, observed: i128) -> Self {
        Self::of(limit, observed, observed <= limit)
    }

    /// Yes or no.
    pub(crate) const fn flag(holds: bool) -> Self {
        Self {
            limit: None,
            observed: None,
            reason: if holds {
                Reason::Within
            } else {
                Reason::Beyond
            },
        }
    }

    /// Something was not known.
    pub(crate) const fn missing(input: Input) -> Self {
        Self {
            limit: None,
            observed: None,
            reason: Reason::Missing(input),
        }
    }

    /// A number did not fit.
    pub(crate) const fn overflow(limit: Option<i128>) -> Self {
        Self {
            limit,
            observed: None,
            reason: Reason::Overflow,
        }
    }

    /// Whether the check holds.
    pub const fn holds(&self) -> bool {
        self.reason.holds()
    }
}

/// Whom a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An order, by its place in the call, from zero.
    Order {
        /// Its place.
        index: u32,
        /// Its symbol.
        symbol: Symbol,
    },
    /// A position.
    Position(Symbol),
    /// A group, by its place among the names of [`Limits::groups`].
    Group(u16),
    /// All orders.
    Batch,
    /// The account.
    Account,
}

/// What a finding means for the orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing stands in their way.
    Pass,
    /// A soft limit does not hold.
    Warn,
    /// A hard limit does not hold: nothing may be sent.
    Fail,
}

impl Outcome {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One check of one subject: a row of the table `risk_checks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskCheck {
    /// The check.
    pub check: Check,
    /// Whom it is about.
    pub subject: Subject,
    /// What it found.
    pub finding: Finding,
    /// What that means.
    pub outcome: Outcome,
}

/// The rows of all checks.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rows: Vec<RiskCheck>,
    groups: Vec<String>,
    failed: usize,
    warned: usize,
}

impl Report {
    /// Forgets the rows of an earlier call and keeps their memory.
    pub(crate) fn start(&mut self, limits: &Limits) {
        self.rows.clear();
        (self.failed, self.warned) = (0, 0);
        if !self.groups.iter().eq(limits.groups.keys()) {
            self.groups = limits.groups.keys().cloned().collect();
        }
    }

    pub(crate) fn reserve(&mut self, rows: usize) {
        self.rows.reserve(rows);
    }

    #[inline]
    pub(crate) fn add(
        &mut self,
        check: Check,
        severity: Severity,
        subject: Subject,
        finding: Finding,
    ) {
        let outcome = if finding.holds() {
            Outcome::Pass
        } else if severity == Severity::Soft {
            self.warned += 1;
            Outcome::Warn
        } else {
            self.failed += 1;
            Outcome::Fail
        };
        self.rows.push(RiskCheck {
            check,
            subject,
            finding,
            outcome,
        });
    }

    /// Whether no hard check failed, so that the orders may be sent.
    pub fn passed(&self) -> bool {
        self.failed == 0 && !self.rows.is_empty()
    }

    /// How many hard checks failed.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// How many soft checks did not hold.
    pub fn warned(&self) -> usize {
        self.warned
    }

    /// All rows, in the order in which the checks ran.
    pub fn rows(&self) -> &[RiskCheck] {
        &self.rows
    }

    /// The rows that do not hold.
    pub fn breaches(&self) -> impl Iterator<Item = &RiskCheck> {
        self.rows.iter().filter(|row| row.outcome != Outcome::Pass)
    }

    /// Whom a row is about, as text: a symbol, a group, `batch` or `account`.
    pub fn subject(&self, row: &RiskCheck) -> String {
        match row.subject {
            Subject::Order { symbol, .. } | Subject::Position(symbol) => symbol.to_string(),
            Subject::Group(at) => self
                .groups
                .get(usize::from(at))
                .cloned()
                .unwrap_or_default(),
            Subject::Batch => "batch".to_owned(),
            Subject::Account => "account".to_owned(),
        }
    }

    /// The rows as those of the table `risk_checks`.
    pub fn table(&self, ts: Timestamp, run_id: &str) -> Vec<RiskCheckRow> {
        let row = |row: &RiskCheck| RiskCheckRow {
            ts,
            run_id: run_id.to_owned(),
            check_code: row.check.code().to_owned(),
            level: row.check.level().as_str().to_owned(),
            subject: self.subject(row),
            order_index: match row.subject {
                Subject::Order { index, .. } => Some(index),
                _ => None,
            },
            limit: row.finding.limit,
            observed: row.finding.observed,
            unit: row.check.unit().as_str().to_owned(),
            outcome: row.outcome.as_str().to_owned(),
            detail: row.finding.reason.to_string(),
        };
        self.rows.iter().map(row).collect()
    }

    /// A row as a sentence for people.
    pub fn sentence(&self, row: &RiskCheck) -> String {
        let subject = self.subject(row);
        let number = |value: i128| {
            let value = Plain(value);
            match row.check.unit() {
                Unit::Bps => format!("{value} bps"),
                Unit::Seconds => format!("{value} s"),
                _ => value.to_string(),
            }
        };
        let part = |value: Option<i128>, word: &str| match value {
            Some(value) => format!(", {} {word}", number(value)),
            None => String::new(),
        };
        format!(
            "{} {subject}: {}{}{}",
            row.check,
            row.finding.reason,
            part(row.finding.observed, "observed"),
            part(row.finding.limit, "allowed")
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} checks, {} failed, {} warned",
            self.rows.len(),
            self.failed,
            self.warned
        )?;
        for row in self.breaches() {
            write!(f, "\n  {} {}", row.outcome.as_str(), self.sentence(row))?;
        }
        Ok(())
    }
}
