//! Options as Python gives them, checked.

use std::path::Path;

use arrow_schema::SchemaRef;
use nanobook_arrow::{MAX_LEVELS, Projection, ROWS_PER_GROUP, TableId, TableOptions, TableSet};
use nanobook_datasets::{
    Inspection, ReplayOptions, SAMPLE_NAME, SessionDate, ShowProgress, Sort, StreamOptions,
    parse_interval, parse_time_of_day,
};
use nanobook_itch::Framing;
use nanobook_itch::replay::TimeOfDay;
use pyo3::prelude::*;
use serde_json::{Map, Value, json};

use super::SAMPLE;
use crate::error::{Error, Kind};
use crate::words::{choice, symbol};

/// How to read a raw file and which rows are wanted: a dictionary, in which what is absent or `None` has its default.
#[derive(Debug, Default, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    #[pyo3(default)]
    framing: Option<String>,
    allow_truncated: bool,
    #[pyo3(default)]
    date: Option<String>,
    #[pyo3(default)]
    tables: Option<Vec<String>>,
    #[pyo3(default)]
    symbols: Option<Vec<String>>,
    #[pyo3(default)]
    start: Option<String>,
    #[pyo3(default)]
    end: Option<String>,
    #[pyo3(default)]
    start_ns: Option<u64>,
    #[pyo3(default)]
    end_ns: Option<u64>,
    #[pyo3(default)]
    depth: Option<usize>,
    #[pyo3(default)]
    every: Option<String>,
    #[pyo3(default)]
    bars: Option<String>,
    #[pyo3(default)]
    price_type: Option<String>,
    #[pyo3(default)]
    sort: Option<String>,
    #[pyo3(default)]
    threads: Option<usize>,
    #[pyo3(default)]
    progress: bool,
}

impl Options {
    /// The options of the replay.
    pub(crate) fn replay(&self) -> Result<ReplayOptions, Error> {
        let default = ReplayOptions::default();
        let or = |text: &Option<String>, parse: fn(&str) -> Result<u64, String>, default: u64| {
            text.as_deref()
                .map_or(Ok(default), |text| parse(text).map_err(Error::input))
        };
        let depth = self.depth.unwrap_or(default.depth);
        if !(1..=MAX_LEVELS).contains(&depth) {
            return Err(Error::input(format!(
                "depth {depth} is not between 1 and {MAX_LEVELS}"
            )));
        }
        let tables = match &self.tables {
            None => default.tables,
            Some(names) if names.len() == 1 && names[0] == "all" => TableSet::ALL,
            Some(names) => names
                .iter()
                .map(|name| name.parse::<TableId>())
                .collect::<Result<_, _>>()?,
        };
        Ok(ReplayOptions {
            tables,
            symbols: self
                .symbols
                .as_ref()
                .map(|names| {
                    names
                        .iter()
                        .map(|name| symbol(name))
                        .collect::<Result<_, _>>()
                })
                .transpose()?,
            from_ns: or(&self.start, parse_time_of_day, 0)?.max(self.start_ns.unwrap_or(0)),
            to_ns: or(&self.end, parse_time_of_day, u64::MAX)?.min(self.end_ns.unwrap_or(u64::MAX)),
            depth,
            every_ns: self
                .every
                .as_deref()
                .map(parse_interval)
                .transpose()
                .map_err(Error::input)?,
            bars_ns: or(&self.bars, parse_interval, default.bars_ns)?,
            price_type: match &self.price_type {
                Some(name) => name.parse()?,
                None => default.price_type,
            },
            sort: match self.sort.as_deref() {
                None | Some("time") => Sort::Time,
                Some("symbol") => Sort::Symbol,
                Some(other) => return Err(choice("sort", other, &["time", "symbol"])),
            },
            threads: self.threads.unwrap_or(default.threads).clamp(1, 256),
            framing: match self.framing.as_deref() {
                None => None,
                Some("length") => Some(Framing::Length),
                Some("zero") => Some(Framing::Zero),
                Some("none") => Some(Framing::None),
                Some(other) => return Err(choice("framing", other, &["length", "zero", "none"])),
            },
            allow_truncated: self.allow_truncated,
            progress: if self.progress {
                ShowProgress::OnTerminal
            } else {
                ShowProgress::Never
            },
        })
    }

    /// The day of a file: the one that was given, or what its name tells.
    pub(crate) fn date(&self, path: &Path) -> Result<SessionDate, Error> {
        if let Some(date) = &self.date {
            return Ok(date.parse()?);
        }
        // That there is no such file is said first: its name may be wrong.
        if !path.exists() && path != Path::new(SAMPLE) && path != Path::new("-") {
            super::open(path)?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = if path == Path::new(SAMPLE) {
            SAMPLE_NAME
        } else {
            &name
        };
        Ok(SessionDate::from_file_name(name)?)
    }
}

/// Which columns and how many rows of a table are wanted.
#[derive(Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Window {
    table: String,
    #[pyo3(default)]
    columns: Option<Vec<String>>,
    #[pyo3(default)]
    batch_rows: Option<usize>,
    #[pyo3(default)]
    limit: Option<u64>,
    #[pyo3(default)]
    late_breaks: bool,
}

impl Window {
    pub(super) fn stream(&self, options: &Options) -> Result<StreamOptions, Error> {
        let table: TableId = self.table.parse()?;
        let schema = schema(&options.replay()?, table);
        let columns = match &self.columns {
            None => Projection::all(),
            Some(names) => {
                let place = |name: &String| {
                    schema.index_of(name).map_err(|_| {
                        let all: Vec<&str> =
                            schema.fields().iter().map(|f| f.name().as_str()).collect();
                        let message =
                            format!("{table} has no column {name:?}; it has {}", all.join(", "));
                        Error::column(Kind::Missing, name, message)
                    })
                };
                Projection::of(names.iter().map(place).collect::<Result<_, _>>()?)
            }
        };
        let has_broken = self
            .columns
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == "broken"));
        Ok(StreamOptions {
            table,
            columns,
            batch_rows: self.batch_rows.unwrap_or(ROWS_PER_GROUP).max(1),
            limit: self.limit,
            late_breaks: self.late_breaks && has_broken,
        })
    }
}

/// The columns of a table as the options want them.
pub(super) fn schema(options: &ReplayOptions, table: TableId) -> SchemaRef {
    table.schema(&TableOptions {
        price_type: options.price_type,
        levels: options.depth,
    })
}

/// What was counted, as JSON.
pub(super) fn inspection_json(seen: &Inspection) -> Value {
    let time = |ns: Option<u64>| ns.map(|ns| TimeOfDay(ns).to_string());
    let messages: Map<String, Value> = seen
        .messages
        .iter()
        .map(|(tag, count)| (char::from(tag).to_string(), count.into()))
        .collect();
    let events: Vec<Value> = seen
        .system_events
        .iter()
        .map(|(code, ns)| json!([char::from(*code).to_string(), TimeOfDay(*ns).to_string()]))
        .collect();
    json!({
        "name": seen.origin.name,
        "compression": seen.origin.compression.as_str(),
        "bytes": seen.origin.bytes,
        "sha256": seen.origin.sha256,
        "framing": seen.framing.to_string(),
        "messages": seen.messages.total(),
        "messages_by_type": messages,
        "wrong_length": seen.wrong_length,
        "first_time": time(seen.first_ns),
        "last_time": time(seen.last_ns),
        "system_events": events,
        "truncated": seen.tail.as_ref().map(|tail| &tail.reason),
        "trailing_bytes": seen.trailing_bytes,
    })
}
