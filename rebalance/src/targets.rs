//! Target weights of a file: Parquet, Arrow IPC, CSV or JSON, told apart by their content.
//!
//! A long file has a row for each symbol: `as_of, symbol, weight`, and where wanted `min_weight`, `max_weight`,
//! `restrict` (`none`, `buy_only`, `sell_only`, `no_trade`) and `account_id`; the rows of the latest `as_of` count. A wide
//! file has a column for each symbol; its last row counts. The `target.json` of the classic rebalancer is read too.
//!
//! Nothing is guessed: a weight that is no number, a symbol that stands there twice, a column that is not known are
//! errors that name the file, the row and what to do.

mod arrow;
mod csv;
mod error;
mod json;
mod sheet;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use nanobook::{Symbol, Timestamp};
use sha2::{Digest, Sha256};

pub(crate) use error::show_time;
pub use error::{Place, Problem, TargetError};
use sheet::Raw;
pub(crate) use sheet::{Cell, Mismatch, Sheet, read_number, read_time, time_column};

/// Weights of doubles that add up to this much more than their limit are forgiven: they were rounded.
const SUM_TOLERANCE: f64 = 1e-6;

/// How far `as_of` may be after our clock: a date begins up to this much earlier elsewhere.
const FUTURE_NS: i64 = 14 * 3_600 * 1_000_000_000;

type Result<T> = std::result::Result<T, TargetError>;

/// What may be done with a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Restriction {
    /// Anything.
    #[default]
    None,
    /// No sells.
    BuyOnly,
    /// No buys.
    SellOnly,
    /// Nothing: it is held as it is.
    NoTrade,
}

impl Restriction {
    /// Its name in the column `restrict`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::BuyOnly => "buy_only",
            Self::SellOnly => "sell_only",
            Self::NoTrade => "no_trade",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::None, Self::BuyOnly, Self::SellOnly, Self::NoTrade];
        all.into_iter().find(|one| one.as_str() == text)
    }
}

/// The target of a symbol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The symbol.
    pub symbol: Symbol,
    /// Part of equity, negative for a short position; zero is exit.
    pub weight: f64,
    /// The symbol is left alone while its weight is not below this; `None` without a bound.
    pub min_weight: Option<f64>,
    /// The symbol is left alone while its weight is not above this; `None` without a bound.
    pub max_weight: Option<f64>,
    /// What may be done with it.
    pub restrict: Restriction,
    /// Where it stands in the file.
    pub place: Place,
}

/// Limits that a classic `target.json` carries; they can only make those of the configuration tighter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Constraints {
    /// Largest weight of a position.
    pub max_weight: Option<f64>,
    /// Largest leverage.
    pub max_leverage: Option<f64>,
    /// Smallest value of an order.
    pub min_order_value: Option<f64>,
}

/// The targets of one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    /// The file's name, for messages.
    pub source: String,
    /// The account that the file names; `None` when it names none.
    pub account_id: Option<String>,
    /// When the weights were made; `None` when the file does not say.
    pub as_of: Option<Timestamp>,
    /// One row for each symbol, in order of symbol.
    pub rows: Vec<Target>,
    /// Limits that the file carries.
    pub constraints: Constraints,
}

/// What is asked of targets before anything else is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checks {
    /// Our clock.
    pub now: Timestamp,
    /// The oldest that they may be, in seconds; `None` for any age.
    pub max_age_s: Option<u64>,
    /// The largest sum of absolute weights.
    pub max_weight_sum: f64,
    /// Whether weights may be negative.
    pub short: Shorts,
}

/// Whether weights may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shorts {
    /// No.
    #[default]
    Refuse,
    /// Yes.
    Allow,
}

/// Reads a file: the targets of each account that it names, in order of account.
///
/// # Errors
/// When the file can't be read, is of no known kind, or a row of it can't be; the message names the row.
///
/// # Examples
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("weights.csv");
/// std::fs::write(&path, "as_of,symbol,weight\n2026-11-20,SPY,0.6\n2026-11-20,TLT,0.4\n")?;
/// let targets = nanobook_rebalance::targets::read(&path)?;
/// assert_eq!(targets[0].rows.len(), 2);
/// assert_eq!(targets[0].weight_sum(), 1.0);
///
/// std::fs::write(&path, "as_of,symbol,weight\n2026-11-20,SPY,nan\n")?;
/// let error = nanobook_rebalance::targets::read(&path).unwrap_err().to_string();
/// assert!(error.contains("weights.csv, line 2, SPY: the weight is NaN"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: &Path) -> Result<Vec<Targets>> {
    let source = path.display().to_string();
    let (sheet, constraints) = load(path)?;
    let rows = sheet.targets(&source)?;
    build(&source, rows, constraints.unwrap_or_default())
}

/// The cells of a file, whatever it is, and what a classic file carries besides.
pub(crate) fn load(path: &Path) -> Result<(Sheet, Option<Constraints>)> {
    let source = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| {
        let detail = e.to_string();
        TargetError::new(&source, Problem::Read { detail })
    })?;
    match Kind::of(&bytes) {
        kind @ (Kind::Parquet | Kind::Ipc) => Ok((arrow::read(path, &source, kind)?, None)),
        Kind::Json => json::read(&source, &bytes),
        Kind::Csv => Ok((csv::read(&source, &bytes)?, None)),
        Kind::Nothing => Err(TargetError::new(&source, Problem::Empty)),
    }
}

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Parquet,
    Ipc,
    Json,
    Csv,
    Nothing,
}

impl Kind {
    fn of(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.starts_with(b"PAR1") {
            Self::Parquet
        } else if bytes.starts_with(b"ARROW1") || bytes.starts_with(&[0xff; 4]) {
            Self::Ipc
        } else {
            match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => Self::Nothing,
                Some(b'{' | b'[') => Self::Json,
                Some(_) => Self::Csv,
            }
        }
    }
}

/// Groups rows by account, keeps those of the latest time, and checks each.
fn build(source: &str, rows: Vec<Raw>, constraints: Constraints) -> Result<Vec<Targets>> {
    let mut latest: BTreeMap<Option<String>, Option<i64>> = BTreeMap::new();
    for row in &rows {
        let time = latest.entry(row.account_id.clone()).or_insert(row.as_of);
        *time = (*time).max(row.as_of);
    }
    if latest.is_empty() {
        return Err(TargetError::new(source, Problem::Empty));
    }
    if latest.len() > 1 && latest.contains_key(&None) {
        let row = rows.iter().find(|row| row.account_id.is_none());
        let error = TargetError::new(source, Problem::NoAccount);
        return Err(error.maybe_at(row.map(|row| row.place)));
    }
    let mut groups: BTreeMap<Option<String>, Vec<Target>> = BTreeMap::new();
    for row in rows {
        if latest.get(&row.account_id) == Some(&row.as_of) {
            let target = check_row(source, &row)?;
            groups.entry(row.account_id).or_default().push(target);
        }
    }
    let targets = groups.into_iter().map(|(account_id, mut rows)| {
        rows.sort_by_key(|row| row.symbol);
        for pair in rows.windows(2) {
            if pair[0].symbol == pair[1].symbol {
                let (first, second) = (pair[0].place, pair[1].place);
                let (first, second) = (first.min(second), first.max(second));
                let error = TargetError::new(source, Problem::Duplicate { first });
                return Err(error.at(second).of(pair[0].symbol.as_str()));
            }
        }
        let as_of = latest.get(&account_id).copied().flatten().map(Timestamp);
        Ok(Targets {
            source: source.to_owned(),
            account_id,
            as_of,
            rows,
            constraints,
        })
    });
    targets.collect()
}

fn check_row(source: &str, row: &Raw) -> Result<Target> {
    let name = row.symbol.as_deref().unwrap_or_default();
    let fail = |problem| Err(TargetError::new(source, problem).at(row.place).of(name));
    let symbol: Symbol = match name.parse() {
        Ok(symbol) => symbol,
        Err(e) => {
            let detail = format!("{e}");
            let found = name.to_owned();
            return Err(TargetError::new(source, Problem::Symbol { found, detail }).at(row.place));
        }
    };
    let Some(weight) = row.weight else {
        return fail(Problem::NullWeight);
    };
    if !weight.is_finite() {
        return fail(Problem::NotFinite { value: weight });
    }
    let (low, high) = (
        row.min_weight.unwrap_or(f64::NEG_INFINITY),
        row.max_weight.unwrap_or(f64::INFINITY),
    );
    // Also when a bound is NaN.
    if !(low <= weight && weight <= high) {
        return fail(Problem::Bounds { low, weight, high });
    }
    let restrict = match row.restrict.as_deref() {
        None => Restriction::None,
        Some(text) => {
            let Some(restrict) = Restriction::parse(text) else {
                let found = text.to_owned();
                return fail(Problem::Restriction { found });
            };
            restrict
        }
    };
    Ok(Target {
        symbol,
        weight,
        min_weight: row.min_weight,
        max_weight: row.max_weight,
        restrict,
        place: row.place,
    })
}

impl Targets {
    /// The sum of absolute weights.
    pub fn weight_sum(&self) -> f64 {
        self.rows.iter().map(|row| row.weight.abs()).sum()
    }

    /// The symbols.
    pub fn symbols(&self) -> Vec<Symbol> {
        self.rows.iter().map(|row| row.symbol).collect()
    }

    /// Symbols and weights.
    pub fn weights(&self) -> Vec<(Symbol, f64)> {
        self.rows
            .iter()
            .map(|row| (row.symbol, row.weight))
            .collect()
    }

    /// A name for these targets: the same for the same account, time, symbols, weights, bounds and restrictions, however
    /// the file is written. 16 hexadecimal digits.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        let mut put = |bytes: &[u8]| {
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(bytes);
        };
        put(b"nanobook targets 1");
        put(self.account_id.as_deref().unwrap_or_default().as_bytes());
        put(&self.as_of.map_or([0; 8], |time| time.0.to_le_bytes()));
        for row in &self.rows {
            put(row.symbol.as_bytes());
            // Zero has two signs.
            let weight = row.weight + 0.0;
            put(&weight.to_bits().to_le_bytes());
            for bound in [row.min_weight, row.max_weight] {
                put(&bound.map_or([0xff; 8], |bound| bound.to_bits().to_le_bytes()));
            }
            put(row.restrict.as_str().as_bytes());
        }
        let Constraints {
            max_weight,
            max_leverage,
            min_order_value,
        } = self.constraints;
        for limit in [max_weight, max_leverage, min_order_value] {
            put(&limit.map_or([0xff; 8], |limit| limit.to_bits().to_le_bytes()));
        }
        let digest = hash.finalize();
        hex(&digest[..8])
    }

    /// Checks age, sum and signs.
    ///
    /// # Errors
    /// When they are older than they may be, from the future, add up to more than they may, or short what may not be.
    pub fn check(&self, checks: &Checks) -> Result<()> {
        let fail = |problem| Err(TargetError::new(&self.source, problem));
        match (self.as_of, checks.max_age_s) {
            (None, Some(_)) => return fail(Problem::NoTime),
            (Some(as_of), _) if as_of.0 > checks.now.0.saturating_add(FUTURE_NS) => {
                return fail(Problem::Future { as_of });
            }
            (Some(as_of), Some(max_age_s)) => {
                let age_ns = checks.now.0.saturating_sub(as_of.0).max(0);
                let seconds = u64::try_from(age_ns / 1_000_000_000).unwrap_or(0);
                if seconds > max_age_s {
                    return fail(Problem::Stale {
                        as_of,
                        age_s: seconds,
                        max_age_s,
                    });
                }
            }
            _ => {}
        }
        if checks.short == Shorts::Refuse
            && let Some(row) = self.rows.iter().find(|row| row.weight < 0.0)
        {
            let error = TargetError::new(&self.source, Problem::Short { weight: row.weight });
            return Err(error.at(row.place).of(row.symbol.as_str()));
        }
        let sum = self.weight_sum();
        if sum > checks.max_weight_sum + SUM_TOLERANCE {
            let limit = checks.max_weight_sum;
            let weight = |row: &&Target| row.weight.abs();
            let largest = self
                .rows
                .iter()
                .max_by(|a, b| weight(a).total_cmp(&weight(b)));
            let error = TargetError::new(&self.source, Problem::Sum { sum, limit });
            return Err(match largest {
                Some(row) => error.at(row.place).of(row.symbol.as_str()),
                None => error,
            });
        }
        Ok(())
    }

    /// Checks that the venue knows every symbol.
    ///
    /// # Errors
    /// When it does not know one that is to be held.
    pub fn check_known(&self, known: &BTreeSet<Symbol>) -> Result<()> {
        let unknown = |row: &&Target| !known.contains(&row.symbol) && row.weight != 0.0;
        let Some(row) = self.rows.iter().find(unknown) else {
            return Ok(());
        };
        let others = self.rows.iter().filter(unknown).count() - 1;
        let error = TargetError::new(&self.source, Problem::Unknown { others });
        Err(error.at(row.place).of(row.symbol.as_str()))
    }

    /// The targets by symbol.
    pub fn by_symbol(&self) -> HashMap<Symbol, &Target> {
        self.rows.iter().map(|row| (row.symbol, row)).collect()
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
    digits.collect()
}
