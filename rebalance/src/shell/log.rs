//! Structured logs on the standard error output: one line an event, as `key=value` or as JSON.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

use nanobook::Timestamp;

use crate::targets::show_time;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Time, level, event and `key=value`.
    #[default]
    Text,
    /// An object.
    Json,
    /// Nothing below a warning.
    Quiet,
}

/// How grave an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It belongs to the course of things.
    Info,
    /// Somebody should look.
    Warn,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
        }
    }
}

/// Writes events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log {
    /// How.
    pub format: Format,
}

impl Log {
    /// Something in the course of things.
    pub fn info(self, event: &str, fields: &[(&str, &dyn Display)]) {
        self.write(Level::Info, event, fields);
    }

    /// Something to look at.
    pub fn warn(self, event: &str, fields: &[(&str, &dyn Display)]) {
        self.write(Level::Warn, event, fields);
    }

    fn write(self, level: Level, event: &str, fields: &[(&str, &dyn Display)]) {
        let line = match self.format {
            Format::Quiet if level == Level::Info => return,
            Format::Json => as_json(level, event, fields),
            Format::Text | Format::Quiet => as_text(level, event, fields),
        };
        // A log that nobody can read is no reason to stop.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
}

fn as_text(level: Level, event: &str, fields: &[(&str, &dyn Display)]) -> String {
    let mut line = format!("{} {} {event}", show_time(now()), level.as_str());
    for (key, value) in fields {
        let value = value.to_string();
        let quoted = value.is_empty() || value.contains([' ', '"', '=', '\n']);
        // Writing to a text can't fail.
        let _ = if quoted {
            write!(line, " {key}={value:?}")
        } else {
            write!(line, " {key}={value}")
        };
    }
    line
}

fn as_json(level: Level, event: &str, fields: &[(&str, &dyn Display)]) -> String {
    let mut object = serde_json::Map::new();
    let mut put = |key: &str, value: String| {
        object.insert(key.to_owned(), serde_json::Value::String(value));
    };
    put("ts", show_time(now()));
    put("level", level.as_str().to_owned());
    put("event", event.to_owned());
    for (key, value) in fields {
        put(key, value.to_string());
    }
    serde_json::Value::Object(object).to_string()
}

/// What the clock on the wall says.
pub(crate) fn now() -> Timestamp {
    let now = jiff::Timestamp::now().as_nanosecond();
    Timestamp(i64::try_from(now).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_spaces_are_quoted_and_json_is_json() {
        let line = as_text(Level::Warn, "no answer", &[("why", &"a b"), ("n", &3)]);
        assert!(line.ends_with(" warn no answer why=\"a b\" n=3"), "{line}");
        let line = as_json(Level::Info, "sent", &[("why", &"a \"b\"")]);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["why"], "a \"b\"");
    }
}
