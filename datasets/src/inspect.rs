//! What is in a raw file, without building books.

use nanobook_itch::replay::{TimeOfDay, TypeCounts};
use nanobook_itch::{Framing, Header, LENGTH, Message};

use crate::feed::{Feed, FeedEnd, FeedOptions};
use crate::options::ReplayOptions;
use crate::pipeline::Stop;
use crate::progress::Progress;
use crate::report::{Counts, Tail, grouped, letter};
use crate::source::{Origin, Source};
use crate::{Error, Result};

/// Bytes of a block: what fits the second-level cache.
const BLOCK_BYTES: usize = 1 << 19;

/// What is in a raw file.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What was read.
    pub origin: Origin,
    /// How messages are framed.
    pub framing: Framing,
    /// Messages by type, as far as the frames tell.
    pub messages: TypeCounts,
    /// Of those, not of the length of their type.
    pub wrong_length: u64,
    /// Time of the first whole message, in ns since midnight.
    pub first_ns: Option<u64>,
    /// Latest time, in ns since midnight.
    pub last_ns: Option<u64>,
    /// Symbols of the stock directory with the number of messages of their stock locate, most first.
    pub symbols: Vec<(String, u64)>,
    /// The system events with their times.
    pub system_events: Vec<(u8, u64)>,
    /// The end was missing.
    pub tail: Option<Tail>,
    /// Bytes behind the end of the session.
    pub trailing_bytes: u64,
}

/// Counts the messages of a source.
///
/// # Errors
/// As [`replay_into`](crate::replay_into).
pub fn inspect(source: Source, options: &ReplayOptions, stop: &Stop) -> Result<Inspection> {
    let progress = Progress::new(&source, options.progress);
    let feed = Feed::new(
        source,
        FeedOptions {
            framing: options.framing,
            allow_truncated: options.allow_truncated,
            block_bytes: BLOCK_BYTES,
        },
    )?;
    let framing = feed.framing();
    let mut counter = Counter::default();
    let end = feed.run(|block| {
        for (_, message) in nanobook_itch::Frames::new(&block.bytes, framing) {
            counter.count(message);
        }
        progress.update(counter.messages.total());
        (!stop.is_asked()).then_some(block.bytes)
    });
    progress.finish();
    let FeedEnd {
        path,
        origin,
        tail,
        trailing_bytes,
    } = end.map_err(|e| e.after(counter.last_ns))?;
    if counter.messages.total() == 0 {
        return Err(Error::Empty { path });
    }
    let mut symbols: Vec<(String, u64)> = counter
        .names
        .iter()
        .map(|(locate, name)| (name.clone(), counter.by_locate[*locate]))
        .collect();
    symbols.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(Inspection {
        origin,
        framing,
        messages: counter.messages,
        wrong_length: counter.wrong_length,
        first_ns: counter.first_ns,
        last_ns: counter.last_ns,
        symbols,
        system_events: counter.system_events,
        tail,
        trailing_bytes,
    })
}

struct Counter {
    messages: TypeCounts,
    wrong_length: u64,
    first_ns: Option<u64>,
    last_ns: Option<u64>,
    by_locate: Vec<u64>,
    names: Vec<(usize, String)>,
    system_events: Vec<(u8, u64)>,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            messages: TypeCounts::default(),
            wrong_length: 0,
            first_ns: None,
            last_ns: None,
            by_locate: vec![0; 1 << 16],
            names: Vec::new(),
            system_events: Vec::new(),
        }
    }
}

impl Counter {
    #[inline]
    fn count(&mut self, message: &[u8]) {
        let tag = message.first().copied().unwrap_or(0);
        self.messages.add(tag);
        let length = usize::from(LENGTH[usize::from(tag)]);
        if length != message.len() {
            self.wrong_length += u64::from(length != 0);
            return;
        }
        let Some(header) = Header::peek(message) else {
            return;
        };
        let (ns, locate) = (header.ns(), usize::from(header.stock_locate.get()));
        self.first_ns.get_or_insert(ns);
        self.last_ns = self.last_ns.max(Some(ns));
        self.by_locate[locate] += 1;
        match (tag, Message::parse(message)) {
            (b'R', Ok(Message::StockDirectory(m))) => {
                self.names.push((
                    locate,
                    String::from_utf8_lossy(m.stock.trimmed()).into_owned(),
                ));
            }
            (b'S', Ok(Message::SystemEvent(m))) => self.system_events.push((m.event_code, ns)),
            _ => {}
        }
    }
}

impl std::fmt::Display for Inspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Origin {
            name,
            compression,
            bytes,
            sha256,
        } = &self.origin;
        let line = |f: &mut std::fmt::Formatter<'_>, name: &str, value: &dyn std::fmt::Display| {
            writeln!(f, "  {name:<18}{value}")
        };
        writeln!(f, "{name}")?;
        line(
            f,
            "file",
            &format!("{}, {} bytes", compression.as_str(), grouped(*bytes)),
        )?;
        if let Some(sha256) = sha256 {
            line(f, "sha256", sha256)?;
        }
        line(f, "framing", &self.framing)?;
        line(f, "messages", &grouped(self.messages.total()))?;
        line(f, "by type", &Counts(&self.messages))?;
        if self.wrong_length > 0 {
            line(f, "wrong length", &grouped(self.wrong_length))?;
        }
        if let (Some(first), Some(last)) = (self.first_ns, self.last_ns) {
            line(
                f,
                "time",
                &format!("{} to {} New York", TimeOfDay(first), TimeOfDay(last)),
            )?;
        }
        for (code, ns) in &self.system_events {
            line(
                f,
                "system event",
                &format!("{} at {}", letter(*code), TimeOfDay(*ns)),
            )?;
        }
        line(f, "symbols", &grouped(self.symbols.len() as u64))?;
        let busiest: Vec<String> = self
            .symbols
            .iter()
            .take(8)
            .map(|(name, n)| format!("{name} {}", grouped(*n)))
            .collect();
        if !busiest.is_empty() {
            line(f, "busiest", &busiest.join("  "))?;
        }
        if let Some(tail) = &self.tail {
            line(f, "truncated", &tail.reason)?;
        }
        if self.trailing_bytes > 0 {
            line(
                f,
                "behind the end",
                &format!("{} bytes", grouped(self.trailing_bytes)),
            )?;
        }
        Ok(())
    }
}
