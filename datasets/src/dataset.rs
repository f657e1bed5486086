//! A dataset on disk: one folder for each table, one partition for each day.
//!
//! ```text
//! OUT/bbo/date=2020-01-30/part-0.parquet          a Hive layout: Polars, DuckDB, Spark scan OUT/bbo as one table
//! OUT/trades/date=2020-01-30/part-0.parquet
//! OUT/manifest/date=2020-01-30/manifest.json      where each table of the day comes from
//! ```
//! The manifest stands beside the tables and not in them, because readers take every file of a table's folder for data.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nanobook_arrow::{KeyValues, Summary, TableId};
use serde_json::{Map, Value, json};

use crate::options::ReplayOptions;
use crate::pipeline::{Stop, replay_day};
use crate::report::SessionReport;
use crate::session::SessionDate;
use crate::source::Source;
use crate::unfinished::{Unfinished, remove_empty};
use crate::{Error, Result};

const MANIFEST: &str = "manifest";
const STAGING_PREFIX: &str = ".nanobook-";

/// A day of a dataset that was just written.
#[derive(Debug)]
pub struct WrittenDay {
    /// The day.
    pub date: SessionDate,
    /// What was seen of the session.
    pub report: SessionReport,
    /// The file of each table.
    pub tables: Vec<(TableId, Summary)>,
}

/// Replays a source into the partitions of its day, in place of those that are there.
///
/// Files are written in a hidden folder of `out`, synced, and moved to their places when all are whole. Tables of the
/// day that are not asked for now stay as they are.
///
/// # Errors
/// When the source can't be read to its end or the files can't be written; then nothing in `out` has changed. (Only
/// a machine that stops while finished folders are being renamed can leave some tables new and others old, each whole.)
pub fn replay(
    source: Source,
    date: SessionDate,
    out: &Path,
    options: &ReplayOptions,
    stop: &Stop,
) -> Result<WrittenDay> {
    let staging = Staging::create(out, date)?;
    let (report, writers) = replay_day(source, date, options, stop, &staging)?;
    let provenance = provenance(date, options, &report);
    let mut tables = Vec::new();
    for (table, writer) in writers {
        tables.push((table, writer.finish(provenance.clone())?));
    }
    if stop.is_asked() {
        return Err(Error::Interrupted);
    }
    for (table, summary) in &mut tables {
        summary.path = staging.partition(table.as_str()).join(FILE);
    }
    let mut manifest = Manifest::read_or_new(out, date)?;
    for (table, summary) in &tables {
        manifest.set(*table, summary, &provenance);
    }
    staging.put_manifest(&manifest)?;
    staging.commit(tables.iter().map(|(table, _)| table.as_str()))?;
    Ok(WrittenDay {
        date,
        report,
        tables,
    })
}

/// Where rows come from: the same for all files of a day.
fn provenance(date: SessionDate, options: &ReplayOptions, report: &SessionReport) -> KeyValues {
    let pair = |key: &str, value: String| (format!("nanobook:{key}"), value);
    let digest = report
        .origin
        .sha256
        .iter()
        .map(|digest| pair("source_sha256", digest.clone()));
    let rest = [
        pair("source", report.origin.name.clone()),
        pair("source_bytes", report.origin.bytes.to_string()),
        pair("session_date", date.to_string()),
        pair("filters", options.filters().to_string()),
        pair(
            "tool",
            concat!("nanobook ", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
        pair("report", report.to_json().to_string()),
    ];
    rest.into_iter().chain(digest).collect()
}

const FILE: &str = "part-0.parquet";

fn partition(out: &Path, folder: &str, date: SessionDate) -> PathBuf {
    out.join(folder).join(format!("date={date}"))
}

/// The hidden folder of a dataset in which a day is written; it goes away when it is dropped.
pub(crate) struct Staging {
    out: PathBuf,
    folder: PathBuf,
    date: SessionDate,
    unfinished: Unfinished,
    /// Folders that were made for this day, to be taken away again when it fails.
    made: Option<PathBuf>,
}

impl Staging {
    fn create(out: &Path, date: SessionDate) -> Result<Self> {
        let made = missing_ancestor(out);
        fs::create_dir_all(out).map_err(|e| Error::io("create folder", out, e))?;
        remove_abandoned(out);
        let folder = out.join(format!("{STAGING_PREFIX}{date}-{}", std::process::id()));
        let staging = Self {
            out: out.to_path_buf(),
            unfinished: Unfinished::new(&folder, made.as_deref()),
            folder,
            date,
            made,
        };
        fs::create_dir(&staging.folder)
            .map_err(|e| Error::io("create folder", &staging.folder, e))?;
        Ok(staging)
    }

    /// Where a table's file is written.
    pub(crate) fn file(&self, table: TableId) -> PathBuf {
        self.folder.join(table.as_str()).join(FILE)
    }

    fn partition(&self, folder: &str) -> PathBuf {
        partition(&self.out, folder, self.date)
    }

    fn put_manifest(&self, manifest: &Manifest) -> Result<()> {
        let folder = self.folder.join(MANIFEST);
        let path = folder.join("manifest.json");
        let write = || -> io::Result<()> {
            fs::create_dir_all(&folder)?;
            let mut file = fs::File::create(&path)?;
            file.write_all(manifest.text().as_bytes())?;
            file.sync_all()
        };
        write().map_err(|e| Error::io("write", &path, e))
    }

    /// Moves the finished folders to their places, the manifest last.
    fn commit<'a>(mut self, tables: impl Iterator<Item = &'a str>) -> Result<()> {
        self.unfinished
            .finish(|| tables.chain([MANIFEST]).try_for_each(|name| self.put(name)))?;
        self.made = None;
        Ok(())
    }

    /// Moves one finished folder to its place; what was there stays there when that fails.
    fn put(&self, name: &str) -> Result<()> {
        let place = self.partition(name);
        let parent = self.out.join(name);
        let old = self.folder.join(format!("old-{name}"));
        let swap = || -> io::Result<()> {
            fs::create_dir_all(&parent)?;
            let replaces = place.exists();
            if replaces {
                fs::rename(&place, &old)?;
            }
            if let Err(e) = fs::rename(self.folder.join(name), &place) {
                if replaces {
                    fs::rename(&old, &place)?;
                }
                return Err(e);
            }
            fs::File::open(&parent)?.sync_all()
        };
        swap().map_err(|e| Error::io("put in place", &place, e))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What can't be removed is hidden and named as unfinished.
        let _ = fs::remove_dir_all(&self.folder);
        if let Some(made) = &self.made {
            remove_empty(&self.out, made);
        }
    }
}

/// The topmost folder on the way to `path` that does not exist yet.
fn missing_ancestor(path: &Path) -> Option<PathBuf> {
    let missing = |p: &&Path| !p.as_os_str().is_empty() && !p.exists();
    path.ancestors()
        .take_while(missing)
        .last()
        .map(Path::to_path_buf)
}

/// Removes what a killed process left; one that still runs keeps its folder.
fn remove_abandoned(out: &Path) {
    let Ok(entries) = fs::read_dir(out) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name
            .to_str()
            .and_then(|name| name.strip_prefix(STAGING_PREFIX))
        else {
            continue;
        };
        let alive = match rest.rsplit_once('-') {
            Some((_, pid)) => Path::new("/proc").join(pid).exists(),
            None => true,
        };
        if !alive && Path::new("/proc/self").exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Where the tables of one day come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    tables: BTreeMap<String, Value>,
}

impl Manifest {
    fn path(out: &Path, date: SessionDate) -> PathBuf {
        partition(out, MANIFEST, date).join("manifest.json")
    }

    fn read_or_new(out: &Path, date: SessionDate) -> Result<Self> {
        let path = Self::path(out, date);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(Error::io("read", &path, e)),
        }
    }

    /// Reads the manifest at a path.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let wrong = |source| Error::Manifest {
            path: path.to_path_buf(),
            source,
        };
        let mut json: Map<String, Value> = serde_json::from_str(text).map_err(wrong)?;
        let tables = json.remove("tables").unwrap_or_default();
        Ok(Self {
            tables: serde_json::from_value(tables).map_err(wrong)?,
        })
    }

    fn set(&mut self, table: TableId, summary: &Summary, provenance: &KeyValues) {
        let mut entry = Map::new();
        entry.insert("version".into(), table.version().into());
        entry.insert("rows".into(), summary.rows.into());
        entry.insert("bytes".into(), summary.bytes.into());
        for (key, value) in provenance {
            let key = key.trim_start_matches("nanobook:");
            let value = match key {
                "filters" | "report" => serde_json::from_str(value).unwrap_or(Value::Null),
                "source_bytes" => value.parse::<u64>().map_or(Value::Null, Value::from),
                _ => Value::String(value.clone()),
            };
            entry.insert(key.to_owned(), value);
        }
        self.tables
            .insert(table.as_str().to_owned(), Value::Object(entry));
    }

    /// The entry of each table, in order of name.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.tables
            .iter()
            .map(|(name, entry)| (name.as_str(), entry))
    }

    fn text(&self) -> String {
        let json = json!({ "nanobook": "manifest", "version": 1, "tables": self.tables });
        format!("{json:#}\n")
    }
}

/// The manifests of a dataset, in order of day.
pub(crate) fn manifests(out: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = out.join(MANIFEST);
    let entries = fs::read_dir(&folder).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::NoDataset {
            path: out.to_path_buf(),
        },
        _ => Error::io("read", &folder, e),
    })?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("read", &folder, e))?;
        if let Some(date) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix("date="))
        {
            found.push((date.to_owned(), entry.path().join("manifest.json")));
        }
    }
    found.sort();
    Ok(found)
}
