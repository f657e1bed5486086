//! Records on disk: framed, checksummed, chained, synced, one writer.
//!
//! A journal is the line `nbjrnl1\n` and frames. All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the payload |
//! | n | payload: the record as JSON in its one canonical form |
//! | 32 | SHA-256 of the frame before's 32 bytes, the length and the payload; the first frame follows that of the line |
//! | 4 | CRC-32C of all of the above |
//!
//! The checksum tells a frame from garbage on its own; the chain tells that no frame was changed, taken out or put in.
//! What it can't tell is that frames at the end are missing: a run that is over says so in its last record.
//!
//! A frame that is cut short at the end of the file is what a crash leaves: nothing that was done depends on it, since
//! nothing is sent before its record is synced. It is dropped when the journal is opened. Anything else that is wrong
//! is damage, and the journal is not opened.

mod disk;
mod frame;

use std::path::Path;

use crate::core::{Defect, Entry};
use crate::error::{Error, Result};

pub use disk::{Disk, FileDisk, MemoryDisk};
#[cfg(feature = "simulation")]
pub(crate) use frame::read_on;

pub use frame::Contents;

/// A journal that is written.
///
/// # Examples
/// ```
/// use nanobook::Timestamp;
/// use nanobook_rebalance::core::{Entry, Record};
/// use nanobook_rebalance::journal::{self, Journal, MemoryDisk};
///
/// let disk = MemoryDisk::default();
/// let (mut journal, before) = Journal::open(disk.clone())?;
/// assert!(before.entries.is_empty());
/// journal.append(&[Entry { seq: 0, ts: Timestamp(1), record: Record::Killed }])?;
/// let contents = journal::verify(&disk.synced())?;
/// assert_eq!(contents.entries.len(), 1);
/// # Ok::<(), nanobook_rebalance::Error>(())
/// ```
#[derive(Debug)]
pub struct Journal<D> {
    disk: D,
    hash: [u8; 32],
    buffer: Vec<u8>,
    broken: bool,
    #[cfg(feature = "simulation")]
    pub(crate) defect: Option<crate::core::Defect>,
}

impl<D: Disk> Journal<D> {
    /// Opens a journal, or begins one, and reads what is in it. What a crash has cut short at its end is dropped.
    ///
    /// # Errors
    /// When another process has it, it can't be read or written, is no journal, or is damaged.
    pub fn open(mut disk: D) -> Result<(Self, Contents)> {
        disk.lock()?;
        let bytes = disk.read()?;
        let contents = frame::read(&bytes)?;
        if contents.torn_bytes > 0 {
            disk.truncate(contents.len)?;
        }
        if contents.len == 0 {
            disk.append(frame::LINE)?;
        }
        disk.sync()?;
        let journal = Self {
            disk,
            hash: contents.hash,
            buffer: Vec::new(),
            broken: false,
            #[cfg(feature = "simulation")]
            defect: None,
        };
        Ok((journal, contents))
    }

    /// Appends records and syncs them.
    ///
    /// # Errors
    /// When they are not on the disk for sure. The journal takes nothing more then: open it anew to go on.
    pub fn append(&mut self, entries: &[Entry]) -> Result<()> {
        if self.broken {
            return Err(Error::Write(std::io::Error::other(
                "it failed before; open it anew",
            )));
        }
        self.buffer.clear();
        for entry in entries {
            self.hash = frame::write(&mut self.buffer, entry, self.hash)?;
        }
        self.broken = true;
        let written = self.disk.append(&self.buffer);
        if !self.flawed(Defect::WriteErrorIgnored) {
            written?;
        }
        if !self.flawed(Defect::NotSynced) {
            self.disk.sync()?;
        }
        self.broken = false;
        Ok(())
    }

    #[cfg(feature = "simulation")]
    fn flawed(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    #[cfg(not(feature = "simulation"))]
    #[expect(clippy::unused_self, reason = "as in simulations")]
    const fn flawed(&self, _: Defect) -> bool {
        false
    }

    /// The disk.
    pub const fn disk(&self) -> &D {
        &self.disk
    }
}

impl Journal<FileDisk> {
    /// [`Journal::open`] of a file, which no other process has open.
    ///
    /// # Errors
    /// As [`Journal::open`], and when another process has it.
    pub fn open_file(path: &Path) -> Result<(Self, Contents)> {
        Self::open(FileDisk::open(path)?)
    }
}

/// Reads a journal that somebody may be writing; what is cut short at its end is left out.
///
/// # Errors
/// When it is no journal, or is damaged.
pub fn read(bytes: &[u8]) -> Result<Contents> {
    frame::read(bytes)
}

/// Checks every byte of a journal that nobody is writing.
///
/// # Errors
/// With the first record that is not as it was written, or is cut short.
pub fn verify(bytes: &[u8]) -> Result<Contents> {
    let contents = frame::read(bytes)?;
    if contents.torn_bytes > 0 {
        return Err(Error::Damaged {
            offset: contents.len,
            seq: contents.entries.len() as u64,
            detail: format!("the last {} bytes are no whole record", contents.torn_bytes),
        });
    }
    Ok(contents)
}

#[cfg(test)]
mod tests;
