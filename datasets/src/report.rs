//! The report of a replay, for people and as JSON.

use std::fmt;

use nanobook_itch::Framing;
use nanobook_itch::replay::{Report, TimeOfDay, TypeCounts};
use serde_json::{Map, Value, json};

use crate::source::Origin;

/// A feed whose end is missing, tolerated because that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// What was wrong, with the byte offset.
    pub reason: String,
}

/// What was seen of a session.
#[derive(Clone, Debug)]
pub struct SessionReport {
    /// What was read.
    pub origin: Origin,
    /// How its messages were framed.
    pub framing: Framing,
    /// Counts, faults, and the state at the end.
    pub report: Report,
    /// Breaks of trades that the feed does not have; `None` when trades were not recorded whole.
    pub unknown_breaks: Option<u64>,
    /// The end was missing.
    pub tail: Option<Tail>,
    /// Unpacked bytes behind the zero length that ends the session; they are not replayed.
    pub trailing_bytes: u64,
}

impl SessionReport {
    /// Whether anything was odd: a fault, a skipped message, a missing end or bytes behind it, a book crossed at the end.
    pub fn has_faults(&self) -> bool {
        self.report.has_faults()
            || self.tail.is_some()
            || self.trailing_bytes > 0
            || self.report.crossed_books > 0
            || self.unknown_breaks.unwrap_or(0) > 0
    }

    /// As JSON, the same for the same input.
    pub fn to_json(&self) -> Value {
        let report = &self.report;
        let counts = |counts: &TypeCounts| -> Map<String, Value> {
            counts
                .iter()
                .map(|(tag, count)| (letter(tag), count.into()))
                .collect()
        };
        let time = |ns: Option<u64>| ns.map(|ns| TimeOfDay(ns).to_string());
        let faults: Map<String, Value> = report
            .faults
            .iter()
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect();
        json!({
            "framing": self.framing.to_string(),
            "messages": report.messages.total(),
            "messages_by_type": counts(&report.messages),
            "wrong_length": counts(&report.wrong_length),
            "unknown_type": counts(&report.unknown_type),
            "faults": faults,
            "unknown_breaks": self.unknown_breaks,
            "truncated": self.tail.as_ref().map(|tail| &tail.reason),
            "trailing_bytes": self.trailing_bytes,
            "first_time": time(report.first_ns),
            "last_time": time(report.last_ns),
            "last_system_event": report.last_system_event.map(letter),
            "instruments": report.instruments,
            "crossings": report.crossings,
            "crossed_books": report.crossed_books,
            "live_orders": report.live_orders,
        })
    }
}

/// A type byte as a letter, or as a number when it is none.
pub(crate) fn letter(tag: u8) -> String {
    if tag.is_ascii_graphic() {
        char::from(tag).to_string()
    } else {
        format!("0x{tag:02x}")
    }
}

/// Counts by type on lines of eight.
pub(crate) struct Counts<'a>(pub(crate) &'a TypeCounts);

impl fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (tag, count)) in self.0.iter().enumerate() {
            let gap = match place {
                0 => "",
                n if n % 8 == 0 => "\n                    ",
                _ => "  ",
            };
            write!(f, "{gap}{} {}", letter(tag), grouped(count))?;
        }
        Ok(())
    }
}

/// A number with commas.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for SessionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            messages, faults, ..
        } = &self.report;
        let report = &self.report;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            writeln!(f, "  {name:<18}{value}")
        };
        line(f, "messages", &grouped(messages.total()))?;
        line(f, "by type", &Counts(messages))?;
        if let (Some(first), Some(last)) = (report.first_ns, report.last_ns) {
            line(
                f,
                "time",
                &format!("{} to {} New York", TimeOfDay(first), TimeOfDay(last)),
            )?;
        }
        let event = match report.last_system_event {
            Some(code) => letter(code),
            None => "none".to_owned(),
        };
        line(f, "last system event", &event)?;
        line(f, "instruments", &grouped(report.instruments))?;
        line(f, "live orders", &grouped(report.live_orders))?;
        let crossed = format!(
            "{} at the end, {} times before",
            report.crossed_books, report.crossings
        );
        line(f, "crossed books", &crossed)?;
        for (name, skipped) in [
            ("wrong length", &report.wrong_length),
            ("unknown type", &report.unknown_type),
        ] {
            if skipped.total() > 0 {
                line(f, name, &Counts(skipped))?;
            }
        }
        let seen: Vec<String> = faults
            .iter()
            .chain(self.unknown_breaks.map(|count| ("unknown_break", count)))
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{name} {}", grouped(count)))
            .collect();
        let seen = if seen.is_empty() {
            "none".to_owned()
        } else {
            seen.join("  ")
        };
        line(f, "faults", &seen)?;
        if let Some(tail) = &self.tail {
            line(f, "truncated", &tail.reason)?;
        }
        if self.trailing_bytes > 0 {
            let bytes = format!("{} bytes, not replayed", grouped(self.trailing_bytes));
            line(f, "behind the end", &bytes)?;
        }
        Ok(())
    }
}
