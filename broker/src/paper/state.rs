//! What a paper account remembers, and the file it is in.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use nanobook::trading::{Fill, Order, Quote, Units};
use nanobook::{Money, Price, Symbol, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Goes up when the file changes its meaning.
const VERSION: u32 = 1;

/// An order with what a venue knows besides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) order: Order,
    /// When it reaches the market.
    pub(super) live_at: Timestamp,
    /// When a cancel of it reaches the market.
    pub(super) cancel_at: Option<Timestamp>,
    /// When a day order ends.
    pub(super) expires: Timestamp,
    /// Price times quantity of its executions, in units of 1e-18.
    pub(super) traded: i128,
    /// Commission so far.
    pub(super) fees: Money,
}

/// A position.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Holding {
    pub(super) qty: Units,
    /// Mean price paid for what is held, to the nearest unit.
    pub(super) avg_px: Option<Price>,
}

/// Everything of a paper account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) version: u32,
    pub(super) account_id: String,
    pub(super) now: Timestamp,
    pub(super) cash: Money,
    pub(super) holdings: BTreeMap<Symbol, Holding>,
    /// By order of arrival; the place is the venue's id less one.
    pub(super) orders: Vec<Entry>,
    pub(super) fills: Vec<Fill>,
    /// The last quote of each instrument.
    pub(super) quotes: BTreeMap<Symbol, Shown>,
}

/// A quote, and what is left of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) quote: Quote,
    /// What can be sold to its bid, in lots; 0 without a bid.
    pub(super) bid_lots: u64,
    /// What can be bought from its ask, in lots; 0 without an ask.
    pub(super) ask_lots: u64,
}

impl State {
    pub(super) fn new(account_id: String, cash: Money, now: Timestamp) -> Self {
        Self {
            version: VERSION,
            account_id,
            now,
            cash,
            holdings: BTreeMap::new(),
            orders: Vec::new(),
            fills: Vec::new(),
            quotes: BTreeMap::new(),
        }
    }
}

/// The file of an account, ours alone while we have it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl Store {
    /// Locks the account of a file and reads it, if there is one.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<State>)> {
        let bad = |detail: String| Error::File {
            path: path.to_owned(),
            detail,
        };
        let lock = File::create(path.with_extension("lock")).map_err(|e| bad(e.to_string()))?;
        lock.try_lock()
            .map_err(|e| bad(format!("another process has this account open ({e})")))?;
        let store = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((store, None)),
            Err(e) => return Err(bad(e.to_string())),
        };
        let state: State = serde_json::from_str(&text).map_err(|e| {
            bad(format!(
                "not a paper account: {e}; move it away to start anew"
            ))
        })?;
        if state.version != VERSION {
            return Err(bad(format!(
                "version {}, and {VERSION} is known",
                state.version
            )));
        }
        Ok((store, Some(state)))
    }

    /// Replaces the file as a whole, on disk before this returns.
    pub(super) fn save(&self, state: &State) -> Result<()> {
        let bad = |detail: String| Error::File {
            path: self.path.clone(),
            detail,
        };
        let text = serde_json::to_vec(state).map_err(|e| bad(e.to_string()))?;
        let next = self.path.with_extension("next");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&next)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&next, &self.path)?;
            match self
                .path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
            {
                Some(folder) => File::open(folder)?.sync_all(),
                None => File::open(".")?.sync_all(),
            }
        };
        write().map_err(|e| bad(e.to_string()))
    }
}
