//! What is kept of an account: its lock, its kill switch, its journals.
//!
//! | file | what |
//! |---|---|
//! | `lock` | held by the process that works with the account |
//! | `KILL` | while it is there nothing is sent, and a run that goes on cancels its orders and ends |
//! | `runs/NUMBER-TIME-TARGETS.journal` | a run |
//! | `paper.json` | a paper account |

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use nanobook::Timestamp;

use super::Failure;
use super::log::now;
use crate::config::{AccountConfig, Config};
use crate::core::State;
use crate::journal::{self, Contents};
use crate::shell::venue::paper_id;
use crate::targets::show_time;

/// The folder of an account.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// The right to work with an account, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// A run by its file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunFile {
    /// The run's name.
    pub name: String,
    /// Its journal.
    pub path: PathBuf,
}

/// A run that was read.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its file.
    pub file: RunFile,
    /// What its journal holds.
    pub contents: Contents,
    /// What follows from it.
    pub state: State,
}

impl Folder {
    /// That of an account; it is made if need be.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(config: &Config, account: &AccountConfig) -> Result<Self, Failure> {
        let folder = Self::of(config, account);
        let runs = folder.runs_path();
        fs::create_dir_all(&runs).map_err(|e| Failure::file("make folder", &runs, e))?;
        Ok(folder)
    }

    /// That of an account, there or not.
    pub fn of(config: &Config, account: &AccountConfig) -> Self {
        // An id may hold anything; a name of a folder may not.
        let id: String = paper_id(account)
            .chars()
            .map(|char| {
                if char.is_ascii_alphanumeric() {
                    char
                } else {
                    '_'
                }
            })
            .collect();
        let name = format!("{}-{id}", account.broker.venue());
        Self {
            path: config.state_folder().join(name),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn runs_path(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// Takes the right to work with the account.
    ///
    /// # Errors
    /// When another process has it, or the file can't be made.
    pub fn lock(&self) -> Result<Lock, Failure> {
        let path = self.path.join("lock");
        let file = File::create(&path).map_err(|e| Failure::file("open", &path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Failure::Busy { path }),
            Err(TryLockError::Error(e)) => Err(Failure::file("lock", &path, e)),
        }
    }

    /// The file of the kill switch.
    pub fn kill_path(&self) -> PathBuf {
        self.path.join("KILL")
    }

    /// Whether the kill switch is on. When that can't be found out, it is.
    pub fn is_killed(&self) -> bool {
        self.kill_path().try_exists().unwrap_or(true)
    }

    /// Turns the kill switch on.
    ///
    /// # Errors
    /// When its file can't be written.
    pub fn kill(&self) -> Result<(), Failure> {
        let path = self.kill_path();
        fs::create_dir_all(&self.path).map_err(|e| Failure::file("make folder", &self.path, e))?;
        fs::write(&path, show_time(now())).map_err(|e| Failure::file("write", &path, e))
    }

    /// Turns the kill switch off.
    ///
    /// # Errors
    /// When its file can't be removed.
    pub fn reset_kill(&self) -> Result<(), Failure> {
        let path = self.kill_path();
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::file("remove", &path, e))
            }
            _ => Ok(()),
        }
    }

    /// The runs, oldest first.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn runs(&self) -> Result<Vec<RunFile>, Failure> {
        let folder = self.runs_path();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Failure::file("read folder", &folder, e)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|e| Failure::file("read folder", &folder, e))?
                .path();
            let is_journal = path.extension().is_some_and(|ending| ending == "journal");
            if let (true, Some(name)) = (is_journal, path.file_stem().and_then(|s| s.to_str())) {
                let name = name.to_owned();
                runs.push(RunFile { name, path });
            }
        }
        // Numbers come first in a name and have one length, so a clock that goes back changes nothing.
        runs.sort();
        Ok(runs)
    }

    /// The last run in which something was approved.
    ///
    /// # Errors
    /// When a journal can't be read or is damaged.
    pub fn last_run(&self) -> Result<Option<Run>, Failure> {
        for file in self.runs()?.into_iter().rev() {
            let run = Run::read(file)?;
            if run.state.plan.is_some() {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// A run by its name, or the last one.
    ///
    /// # Errors
    /// As [`Folder::last_run`], and when there is none.
    pub fn run(&self, name: Option<&str>) -> Result<Run, Failure> {
        let found = match name {
            None => self.last_run()?,
            Some(name) => {
                let mut runs = self.runs()?.into_iter();
                runs.find(|run| run.name == name)
                    .map(Run::read)
                    .transpose()?
            }
        };
        found.ok_or_else(|| Failure::NoRun {
            path: self.runs_path(),
        })
    }

    /// The name of a new run for targets, and its file.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn new_run(&self, targets_id: &str, now: Timestamp) -> Result<RunFile, Failure> {
        let last = self.runs()?.pop();
        let number = last.and_then(|run| run.name.split('-').next()?.parse::<u64>().ok());
        let number = number.map_or(1, |number| number + 1);
        let time: String = show_time(now)
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let name = format!("{number:08}-{time}-{targets_id}");
        let path = self.runs_path().join(format!("{name}.journal"));
        Ok(RunFile { name, path })
    }
}

impl Run {
    /// Reads a run.
    ///
    /// # Errors
    /// When its journal can't be read or is damaged.
    pub(super) fn read(file: RunFile) -> Result<Self, Failure> {
        let bytes = fs::read(&file.path).map_err(|e| Failure::file("read", &file.path, e))?;
        let contents = journal::read(&bytes)?;
        let state = State::replay(&contents.entries)?;
        Ok(Self {
            file,
            contents,
            state,
        })
    }
}

impl RunFile {
    /// The name of its targets.
    pub fn targets_id(&self) -> &str {
        self.name.rsplit('-').next().unwrap_or_default()
    }
}
