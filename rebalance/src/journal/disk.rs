//! Where a journal's bytes are.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

/// A file that grows at its end.
pub trait Disk {
    /// Keeps other processes from it.
    ///
    /// # Errors
    /// When another process has it.
    fn lock(&mut self) -> Result<()>;

    /// All of it.
    ///
    /// # Errors
    /// When it can't be read.
    fn read(&mut self) -> Result<Vec<u8>>;

    /// Adds bytes at its end. They may be lost in a crash until [`Disk::sync`] has returned.
    ///
    /// # Errors
    /// When not all of them were added; part of them may have been.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes what was added last.
    ///
    /// # Errors
    /// When it may not.
    fn sync(&mut self) -> Result<()>;

    /// Cuts it to a length.
    ///
    /// # Errors
    /// When it can't be cut.
    fn truncate(&mut self, len: u64) -> Result<()>;
}

/// A file that one process has.
#[derive(Debug)]
pub struct FileDisk {
    file: File,
    path: PathBuf,
}

impl FileDisk {
    /// Opens a file, or makes one that only its owner reads.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let fault = |source| Error::File {
            path: path.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(fault)?;
        // Its name must last as well as its bytes.
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(fault)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    fn fault(&self, source: std::io::Error) -> Error {
        Error::File {
            path: self.path.clone(),
            source,
        }
    }
}

impl Disk for FileDisk {
    fn lock(&mut self) -> Result<()> {
        match self.file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(Error::Locked {
                path: self.path.clone(),
            }),
            Err(TryLockError::Error(source)) => Err(self.fault(source)),
        }
    }

    fn read(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.read_to_end(&mut bytes))
            .map_err(|error| self.fault(error))?;
        Ok(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::Write)
    }

    fn sync(&mut self) -> Result<()> {
        self.file.sync_data().map_err(Error::Write)
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|error| self.fault(error))
    }
}

/// A disk in memory, for simulations and tests: what was added and not synced is lost when it says so.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    shared: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    synced: usize,
    room: Option<usize>,
    locked: bool,
    /// Whether what is synced is not.
    lies: bool,
}

impl MemoryDisk {
    fn with<T>(&self, run: impl FnOnce(&mut Memory) -> T) -> T {
        run(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A disk with these bytes on it.
    pub fn of(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.with(|memory| {
            memory.synced = bytes.len();
            memory.bytes = bytes;
        });
        disk
    }

    /// What lasts.
    pub fn synced(&self) -> Vec<u8> {
        self.with(|memory| memory.bytes[..memory.synced].to_vec())
    }

    /// How many bytes were added in all, and how many of them last.
    pub fn lens(&self) -> (usize, usize) {
        self.with(|memory| (memory.bytes.len(), memory.synced))
    }

    /// How many bytes may still be added; `None` for any number.
    pub fn limit(&self, room: Option<usize>) {
        self.with(|memory| memory.room = room);
    }

    /// What lasts, from a byte on.
    pub fn synced_from(&self, at: usize) -> Vec<u8> {
        self.with(|memory| memory.bytes[at.min(memory.synced)..memory.synced].to_vec())
    }

    /// The process that has it is gone.
    pub fn unlock(&self) {
        self.with(|memory| memory.locked = false);
    }

    /// From now on nothing that is added lasts, whatever [`Disk::sync`] says: the power is about to fail.
    pub fn fail_syncs(&self) {
        self.with(|memory| memory.lies = true);
    }

    /// The power fails: of what was not synced, `kept` bytes are there.
    pub fn crash(&self, kept: usize) {
        self.with(|memory| {
            let len = (memory.synced + kept).min(memory.bytes.len());
            memory.bytes.truncate(len);
            memory.synced = len;
            memory.locked = false;
            memory.lies = false;
        });
    }
}

impl Disk for MemoryDisk {
    fn lock(&mut self) -> Result<()> {
        self.with(|memory| {
            if std::mem::replace(&mut memory.locked, true) {
                return Err(Error::Locked {
                    path: PathBuf::from("memory"),
                });
            }
            Ok(())
        })
    }

    fn read(&mut self) -> Result<Vec<u8>> {
        Ok(self.with(|memory| memory.bytes.clone()))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.with(|memory| {
            let room = memory.room.unwrap_or(usize::MAX);
            let fits = bytes.len().min(room);
            memory.bytes.extend_from_slice(&bytes[..fits]);
            memory.room = memory.room.map(|room| room - fits);
            if fits < bytes.len() {
                return Err(Error::Write(std::io::Error::from(
                    std::io::ErrorKind::StorageFull,
                )));
            }
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<()> {
        self.with(|memory| {
            if !memory.lies {
                memory.synced = memory.bytes.len();
            }
        });
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> Result<()> {
        self.with(|memory| {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            memory.bytes.truncate(len);
            memory.synced = memory.synced.min(memory.bytes.len());
        });
        Ok(())
    }
}
