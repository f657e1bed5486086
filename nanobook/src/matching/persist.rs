//! Event logs as JSON Lines (feature `persistence`).
//!
//! The first line says what the file is:
//! `{"nanobook":"engine-events","version":1,"config":{"stp":"off","keep_closed":null,"cascade_limit":1000,"min_price":1,"record":true}}`
//!
//! Each further line is one event with its ordinal from 0:
//! `{"seq":0,"event":{"submit":{"side":"buy","kind":{"limit":{"price":50000000000}},"qty":5,"tif":"GTC","post_only":false,"owner":null}}}`
//!
//! Prices are integers of 1e-9, owners and ids plain numbers, and an absent value is null. Other events are
//! `{"cancel":{"id":1}}`, `{"reduce":{"id":1,"qty":2}}`, `{"replace":{"id":1,"price":5,"qty":2}}`,
//! `{"mass_cancel":{"owner":7}}`, `"begin_auction"`, `{"uncross":{"reference":null}}`, `"resume"`,
//! `{"set_stp_policy":"decrement"}` and `"forget_closed"`.
//!
//! A crash can cut the last line. Reading leaves it out and says so in [`Loaded::torn`]; anything else that is wrong is
//! an [`Error`].

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Config, Event, Log, ReplayError};

/// The version of the files that are written.
pub const VERSION: u32 = 1;

/// What the first line says that the file is.
const KIND: &str = "engine-events";

/// Why an event file can't be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system said no.
    #[error("can't read or write the event file: {0}")]
    Io(#[from] io::Error),
    /// The first line is not that of an event file.
    #[error("not an event file: its first line is not a header of {KIND}")]
    NotALog,
    /// A newer version wrote it.
    #[error("event file of version {found}; this library reads version {VERSION}")]
    Version {
        /// The version in the header.
        found: u32,
    },
    /// A line that is not the last is no event.
    #[error("line {line} at byte {offset} is not an event: {cause}")]
    BadLine {
        /// The line, from 1.
        line: u64,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// Events are missing or in the wrong order.
    #[error("line {line} holds event {found}, not {expected}")]
    Gap {
        /// The line, from 1.
        line: u64,
        /// The event that should be there.
        expected: u64,
        /// The event that is.
        found: u64,
    },
    /// The events can't be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// A last line that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The line, from 1.
    pub line: u64,
    /// Where it begins: cut the file here to go on writing.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
}

/// What a file held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The events, without the torn one.
    pub log: Log,
    /// The last line, when it was cut; `None` for a whole file.
    pub torn: Option<Torn>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    nanobook: String,
    version: u32,
    config: Config,
}

#[derive(Serialize, Deserialize)]
struct Line {
    seq: u64,
    event: Event,
}

/// Writes events one by one, for a file that grows with the session.
///
/// # Examples
/// ```
/// use nanobook::matching::persist::{EventWriter, read};
/// use nanobook::matching::{Config, Event};
///
/// let mut file = Vec::new();
/// let mut writer = EventWriter::new(&mut file, Config::default())?;
/// writer.write(&Event::Resume)?;
/// assert!(read(&file[..])?.log.events().eq([Event::Resume]));
/// # Ok::<(), nanobook::matching::persist::Error>(())
/// ```
#[derive(Debug)]
pub struct EventWriter<W: Write> {
    to: W,
    seq: u64,
}

impl<W: Write> EventWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn new(mut to: W, config: Config) -> Result<Self, Error> {
        let header = Header {
            nanobook: KIND.into(),
            version: VERSION,
            config,
        };
        line(&mut to, &header)?;
        Ok(Self { to, seq: 0 })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&mut self, event: &Event) -> Result<(), Error> {
        let seq = self.seq;
        line(&mut self.to, &Line { seq, event: *event })?;
        self.seq += 1;
        Ok(())
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

/// Writes a log.
///
/// # Errors
/// When it can't be written, or its beginning was cleared.
pub fn write(log: &Log, to: impl Write) -> Result<(), Error> {
    if log.cleared() > 0 {
        let cleared = log.cleared();
        return Err(ReplayError::Cleared { cleared }.into());
    }
    let mut writer = EventWriter::new(to, log.config())?;
    for event in log.events() {
        writer.write(&event)?;
    }
    writer.into_inner().flush()?;
    Ok(())
}

/// Writes a log to a file: under another name first, so that a crash leaves the old file or the new one.
///
/// # Errors
/// When it can't be written, or its beginning was cleared.
pub fn save(log: &Log, path: impl AsRef<Path>) -> Result<(), Error> {
    let path = path.as_ref();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let file = File::create(&part)?;
    write(log, BufWriter::new(&file))?;
    file.sync_all()?;
    std::fs::rename(part, path)?;
    Ok(())
}

/// Reads a log from a file.
///
/// # Errors
/// When it can't be read, or holds something else.
pub fn load(path: impl AsRef<Path>) -> Result<Loaded, Error> {
    read(File::open(path)?)
}

/// Reads a log.
///
/// # Errors
/// When it can't be read, or holds something else.
pub fn read(from: impl Read) -> Result<Loaded, Error> {
    let mut from = BufReader::new(from);
    let mut text = Vec::new();
    let mut offset = from.read_until(b'\n', &mut text)? as u64;
    let header: Header = serde_json::from_slice(&text).map_err(|_| Error::NotALog)?;
    if header.nanobook != KIND {
        return Err(Error::NotALog);
    }
    if header.version != VERSION {
        let found = header.version;
        return Err(Error::Version { found });
    }
    let mut log = Log::new(header.config);
    let mut line = 1;
    loop {
        text.clear();
        let bytes = from.read_until(b'\n', &mut text)? as u64;
        if bytes == 0 {
            return Ok(Loaded { log, torn: None });
        }
        line += 1;
        match serde_json::from_slice::<Line>(&text) {
            Ok(Line { seq, event }) => {
                let expected = log.len();
                if seq != expected {
                    return Err(Error::Gap {
                        line,
                        expected,
                        found: seq,
                    });
                }
                log.push(&event);
            }
            // A line is one object, so a part of it never reads as a whole one.
            Err(_) if text.last() != Some(&b'\n') => {
                let torn = Torn {
                    line,
                    offset,
                    bytes,
                };
                return Ok(Loaded {
                    log,
                    torn: Some(torn),
                });
            }
            Err(cause) => {
                return Err(Error::BadLine {
                    line,
                    offset,
                    cause,
                });
            }
        }
        offset += bytes;
    }
}

fn line(to: &mut impl Write, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_vec(value).map_err(io::Error::from)?;
    text.push(b'\n');
    to.write_all(&text)?;
    Ok(())
}
