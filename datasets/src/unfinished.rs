//! What goes away when the process is interrupted: hidden folders and files that are not finished.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Entry {
    path: PathBuf,
    /// The topmost of the folders above the path that were made for it.
    made: Option<PathBuf>,
    /// The process that works on it: a fork of that one leaves it alone.
    process: u32,
}

static PATHS: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

fn paths() -> MutexGuard<'static, Vec<Entry>> {
    PATHS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path that is not finished, until this is dropped.
#[derive(Debug)]
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    /// `made` is the topmost folder above the path that was made for it.
    pub(crate) fn new(path: &Path, made: Option<&Path>) -> Self {
        paths().push(Entry {
            path: path.to_path_buf(),
            made: made.map(Path::to_path_buf),
            process: std::process::id(),
        });
        Self(path.to_path_buf())
    }

    /// Does what finishes the path; nothing is removed meanwhile.
    pub(crate) fn finish<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut paths = paths();
        let done = work();
        paths.retain(|entry| entry.path != self.0);
        done
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        paths().retain(|entry| entry.path != self.0);
    }
}

/// Removes all that is not finished, for a process that is about to end.
pub fn remove_unfinished() {
    let process = std::process::id();
    for Entry { path, made, .. } in paths().iter().filter(|entry| entry.process == process) {
        // What can't be removed is hidden and named as unfinished.
        let _ = std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_file(path));
        if let (Some(folder), Some(made)) = (path.parent(), made) {
            remove_empty(folder, made);
        }
    }
}

/// Removes the folders from `path` up to `top` as long as they are empty.
pub(crate) fn remove_empty(path: &Path, top: &Path) {
    for folder in path.ancestors() {
        if std::fs::remove_dir(folder).is_err() || folder == top {
            return;
        }
    }
}
