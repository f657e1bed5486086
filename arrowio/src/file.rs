//! Files that are there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};

/// Bytes after which what was written goes to disk while more is written: nobody waits for all of a large file at its
/// end, which takes half a second for a table of 1.3 GB.
const BYTES_PER_SYNC: usize = 1 << 26;

/// A thread that sends to disk what has been written of a file, whenever it is asked.
#[derive(Debug)]
struct Syncer {
    ask: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Syncer {
    fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (ask, asked) = sync_channel(1);
        let thread = thread::Builder::new().name("nanobook-sync".to_owned());
        let thread = thread.spawn(move || asked.iter().try_for_each(|()| file.sync_data()))?;
        Ok(Self { ask, thread })
    }

    /// Waits for what it does; an error of the disk is told to one handle once, so it must not be lost.
    fn finish(self) -> io::Result<()> {
        drop(self.ask);
        let lost = |_| Err(io::Error::other("the thread that writes to disk panicked"));
        self.thread.join().unwrap_or_else(lost)
    }
}

/// A file under a temporary name, which gets its own name when it is committed and goes away when it is not.
///
/// The temporary name begins with a dot and ends in `.tmp`, so that no pattern for data files matches it.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
    /// Bytes that were written since the syncer was asked.
    unsynced: usize,
    /// Once the file is large.
    syncer: Option<Syncer>,
}

impl AtomicFile {
    /// Makes a temporary file next to `path`, and the folder if need be.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let folder = folder_of(path);
        std::fs::create_dir_all(folder).map_err(|e| Error::io("create folder", folder, e))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!(".{name}.{}-{count}.tmp", std::process::id()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|e| Error::io("create", &temporary, e))?;
        Ok(Self {
            file,
            temporary,
            path: path.to_path_buf(),
            committed: false,
            unsynced: 0,
            syncer: None,
        })
    }

    /// The name that the file will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Another handle to the file, to read what was written.
    pub(crate) fn reader(&self) -> Result<File> {
        File::open(&self.temporary).map_err(|e| Error::io("open", &self.temporary, e))
    }

    /// Gives the file its name once all of it is on disk, in place of a file that has the name now. Says its size.
    pub(crate) fn commit(mut self) -> Result<u64> {
        let synced = self.syncer.take().map_or(Ok(()), Syncer::finish);
        let length = synced
            .and_then(|()| self.file.sync_all())
            .and_then(|()| self.file.metadata())
            .map_err(|e| Error::io("sync", &self.path, e))?
            .len();
        std::fs::rename(&self.temporary, &self.path)
            .map_err(|e| Error::io("rename to", &self.path, e))?;
        self.committed = true;
        sync_folder(folder_of(&self.path))?;
        Ok(length)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written;
        if self.unsynced >= BYTES_PER_SYNC {
            self.unsynced = 0;
            if self.syncer.is_none() {
                // Without a thread all of it is written at the end.
                self.syncer = Syncer::start(&self.file).ok();
            }
            if let Some(syncer) = &self.syncer {
                // It may be at work still, or have failed: then its error is told at the end.
                let _ = syncer.ask.try_send(());
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing can be done when this fails, and the name says that the file is not finished.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a rename last: the name is in the folder, and the folder must be on disk too.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder)
            .and_then(|handle| handle.sync_all())
            .map_err(|e| Error::io("sync folder", folder, e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let mut file = AtomicFile::create(&path).unwrap();
        let piece: Vec<u8> = (0..1_u32 << 20).map(|at| (at % 251) as u8).collect();
        let pieces = 2 * (BYTES_PER_SYNC >> 20) + 3;
        for _ in 0..pieces {
            file.write_all(&piece).unwrap();
        }
        assert!(file.syncer.is_some());
        assert_eq!(file.commit().unwrap(), (pieces << 20) as u64);
        let read = std::fs::read(&path).unwrap();
        assert!(read.chunks(1 << 20).all(|chunk| chunk == piece));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
