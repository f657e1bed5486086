//! Reference files beside the project, and small frames.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// A file of the reference data; `None`, and a line that says so, when the folder is not there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// The text of a file, unpacked when it ends in `gz`.
pub(crate) fn text(path: &Path) -> String {
    let file = File::open(path).unwrap();
    let mut text = String::new();
    if path.extension().is_some_and(|e| e == "gz") {
        MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        let mut file = file;
        file.read_to_string(&mut text).unwrap();
    }
    text
}

/// The rows of a file of comma-separated values, without its header.
pub(crate) fn csv(path: &Path) -> Vec<Vec<String>> {
    let text = text(path);
    let rows = text.lines().skip(1);
    rows.map(|row| row.split(',').map(str::to_owned).collect())
        .collect()
}

/// Days since the epoch, as nanoseconds, of a text `YYYY-MM-DD`.
pub(crate) fn day(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day
            - 719_469;
    days * 86_400_000_000_000
}

/// Times, symbols and row-major values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) times: Vec<i64>,
    pub(crate) symbols: Vec<String>,
    pub(crate) values: Vec<f64>,
}

impl Frame {
    /// From rows of time, symbol, value; what is absent is `fill`.
    pub(crate) fn from_long(rows: &[(i64, String, f64)], fill: f64) -> Self {
        let times: BTreeMap<i64, usize> = numbered(rows.iter().map(|row| row.0));
        let symbols: BTreeMap<String, usize> = numbered(rows.iter().map(|row| row.1.clone()));
        let mut values = vec![fill; times.len() * symbols.len()];
        for (time, symbol, value) in rows {
            values[times[time] * symbols.len() + symbols[symbol]] = *value;
        }
        Self {
            times: times.into_keys().collect(),
            symbols: symbols.into_keys().collect(),
            values,
        }
    }
}

fn numbered<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut all: BTreeMap<K, usize> = keys.map(|key| (key, 0)).collect();
    for (number, place) in all.values_mut().enumerate() {
        *place = number;
    }
    all
}
