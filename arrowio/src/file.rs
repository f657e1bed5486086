//! Files that are there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// A file under a temporary name, which gets its own name when it is committed and goes away when it is not.
///
/// The temporary name begins with a dot and ends in `.tmp`, so that no pattern for data files matches it.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
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
        let length = self
            .file
            .sync_all()
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
        self.file.write(bytes)
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
