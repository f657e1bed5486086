//! Stops: levels that follow a position, and when they close it.

use super::error::{Error, Result, check_each};
use super::panel::{Field, Panel};
use crate::portfolio::PerSymbol;

/// What a stop looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// The close, and it fills there.
    #[default]
    Close,
    /// The low of the row for a long position, the high for a short one. It fills at the level, or at the open where the
    /// row opened beyond it.
    Intrabar,
}

/// When a stopped name may be bought again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reentry {
    /// With the next row of weights.
    #[default]
    NextWeights,
    /// With the first row of weights that comes more than so many rows later.
    After(usize),
    /// Never.
    Never,
}

/// Which level was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopKind {
    /// A part below the entry price.
    Fixed,
    /// A part below the best price since entry.
    Trailing,
    /// Multiples of the average true range below the best price since entry.
    Atr,
    /// Multiples of the mean absolute change of closes below the best price since entry.
    MeanAbsChange,
}

impl StopKind {
    /// Its name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Trailing => "trailing",
            Self::Atr => "atr",
            Self::MeanAbsChange => "mean_abs_change",
        }
    }
}

/// Stops of all positions. A short position's levels are above where a long one's are below.
///
/// Zero is no stop. Where several are set, the tightest level counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Stops {
    /// A part of the entry price, between 0 and 1.
    pub fixed: PerSymbol,
    /// A part of the best price since entry, between 0 and 1.
    pub trailing: PerSymbol,
    /// Multiples of the average range over `atr_period` rows: Wilder's average true range where the panel has highs and
    /// lows, the mean absolute change of closes where it has not.
    pub atr: PerSymbol,
    /// Rows of the average range, at least one.
    pub atr_period: usize,
    /// What is watched.
    pub watch: Watch,
    /// When a stopped name may be bought again.
    pub reentry: Reentry,
}

impl Default for Stops {
    fn default() -> Self {
        Self {
            fixed: PerSymbol::default(),
            trailing: PerSymbol::default(),
            atr: PerSymbol::default(),
            atr_period: 14,
            watch: Watch::Close,
            reentry: Reentry::NextWeights,
        }
    }
}

impl Stops {
    /// Whether there is any.
    pub fn is_none(&self) -> bool {
        self.fixed.is_zero() && self.trailing.is_zero() && self.atr.is_zero()
    }

    pub(crate) fn check(&self, panel: &Panel<'_>) -> Result<()> {
        let settings = [
            (
                "fixed",
                &self.fixed,
                1.0,
                "a stop is between 0 and 1, or 0 for none",
            ),
            (
                "trailing",
                &self.trailing,
                1.0,
                "a stop is between 0 and 1, or 0 for none",
            ),
            (
                "atr",
                &self.atr,
                f64::INFINITY,
                "a multiple is finite and above zero, or 0 for none",
            ),
        ];
        for (setting, values, below, expected) in settings {
            check_each(setting, values, panel.symbols(), below, expected)?;
        }
        if self.atr_period == 0 {
            return Err(Error::BadSetting {
                setting: "atr_period",
                value: 0.0,
                expected: "it is at least 1",
            });
        }
        if self.watch == Watch::Intrabar && !self.is_none() {
            for field in [Field::Open, Field::High, Field::Low] {
                if panel.field(field).is_none() {
                    return Err(Error::NeedsColumn {
                        setting: "intrabar stops",
                        column: field.as_str(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The prices of one symbol in one row; NaN when missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
}

/// A stop that was hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) kind: StopKind,
    pub(crate) level: f64,
    /// The price that reached the level.
    pub(crate) trigger: f64,
    /// The price at which the position is closed, before costs.
    pub(crate) exit: f64,
}

/// What follows the positions.
#[derive(Debug)]
pub(crate) struct Watcher<'c> {
    stops: &'c Stops,
    entry: Vec<f64>,
    /// The best price since entry.
    best: Vec<f64>,
    /// Rows before this one may not buy the name.
    blocked_until: Vec<usize>,
    range: Option<Range>,
}

impl<'c> Watcher<'c> {
    pub(crate) fn new(stops: &'c Stops, symbols: usize, has_range: bool) -> Self {
        let range =
            (!stops.atr.is_zero()).then(|| Range::new(symbols, stops.atr_period, has_range));
        Self {
            stops,
            entry: vec![f64::NAN; symbols],
            best: vec![f64::NAN; symbols],
            blocked_until: vec![0; symbols],
            range,
        }
    }

    pub(crate) fn watches_intrabar(&self) -> bool {
        self.stops.watch == Watch::Intrabar
    }

    /// Whether the name may not be bought in this row.
    pub(crate) fn is_blocked(&self, symbol: usize, row: usize) -> bool {
        row < self.blocked_until[symbol]
    }

    /// A fill changed a position.
    pub(crate) fn filled(&mut self, symbol: usize, before: f64, after: f64, price: f64) {
        if after == 0.0 {
            self.entry[symbol] = f64::NAN;
            self.best[symbol] = f64::NAN;
        } else if before == 0.0 || (before > 0.0) != (after > 0.0) {
            self.entry[symbol] = price;
            self.best[symbol] = f64::NAN;
        }
    }

    pub(crate) fn split(&mut self, symbol: usize, ratio: f64) {
        self.entry[symbol] /= ratio;
        self.best[symbol] /= ratio;
        if let Some(range) = &mut self.range {
            range.split(symbol, ratio);
        }
    }

    /// Remembers that the name was stopped in this row.
    pub(crate) fn stopped(&mut self, symbol: usize, row: usize) {
        self.blocked_until[symbol] = match self.stops.reentry {
            Reentry::NextWeights => 0,
            Reentry::After(rows) => row.saturating_add(rows).saturating_add(1),
            Reentry::Never => usize::MAX,
        };
    }

    /// Takes a row's prices into the average range.
    pub(crate) fn see(&mut self, symbol: usize, bar: &Bar) {
        if let Some(range) = &mut self.range {
            range.see(symbol, bar);
        }
    }

    /// The tightest level of a position, before this row's prices have moved it.
    fn level(&self, symbol: usize, is_long: bool) -> Option<(f64, StopKind)> {
        let down = if is_long { -1.0 } else { 1.0 };
        let (entry, best) = (self.entry[symbol], self.best[symbol]);
        let fixed = self.stops.fixed.get(symbol);
        let trailing = self.stops.trailing.get(symbol);
        let atr = self.stops.atr.get(symbol);
        let (range, kind) = match &self.range {
            Some(range) if atr > 0.0 => (range.get(symbol), range.kind()),
            _ => (f64::NAN, StopKind::Atr),
        };
        let part = |part: f64, of: f64| {
            if part > 0.0 {
                of * (1.0 + down * part)
            } else {
                f64::NAN
            }
        };
        let levels = [
            (part(fixed, entry), StopKind::Fixed),
            (part(trailing, best), StopKind::Trailing),
            (best + down * atr * range, kind),
        ];
        let tighter = |a: f64, b: f64| if is_long { a >= b } else { a <= b };
        let mut tightest: Option<(f64, StopKind)> = None;
        for (level, kind) in levels {
            if !level.is_nan() && tightest.is_none_or(|(so_far, _)| tighter(level, so_far)) {
                tightest = Some((level, kind));
            }
        }
        tightest
    }

    /// Whether the row's prices reach the level of a position.
    pub(crate) fn hit(&self, symbol: usize, qty: f64, bar: &Bar) -> Option<Hit> {
        let is_long = qty > 0.0;
        let (level, kind) = self.level(symbol, is_long)?;
        let beyond = |price: f64| {
            if is_long {
                price <= level
            } else {
                price >= level
            }
        };
        let hit = |trigger: f64, exit: f64| Hit {
            kind,
            level,
            trigger,
            exit,
        };
        match self.stops.watch {
            Watch::Close => beyond(bar.close).then(|| hit(bar.close, bar.close)),
            Watch::Intrabar => {
                let worst = if is_long { bar.low } else { bar.high };
                if beyond(bar.open) {
                    Some(hit(bar.open, bar.open))
                } else if beyond(worst) {
                    Some(hit(worst, level))
                } else {
                    // Without a low or a high the close is what there is.
                    beyond(bar.close).then(|| hit(bar.close, level))
                }
            }
        }
    }

    /// Moves the best price of what is held at the end of a row. `whole_row` says whether it was held from the open on.
    pub(crate) fn follow(&mut self, symbol: usize, qty: f64, bar: &Bar, whole_row: bool) {
        let seen = if self.watches_intrabar() && whole_row {
            let extreme = if qty > 0.0 { bar.high } else { bar.low };
            if extreme.is_nan() { bar.close } else { extreme }
        } else {
            bar.close
        };
        let best = &mut self.best[symbol];
        // With NaN on one side these give the other.
        *best = if qty > 0.0 {
            best.max(seen)
        } else {
            best.min(seen)
        };
    }
}

/// Average ranges: Wilder's, or the plain mean of absolute changes.
#[derive(Debug)]
struct Range {
    period: usize,
    is_true: bool,
    close: Vec<f64>,
    mean: Vec<f64>,
    count: Vec<usize>,
    /// The last `period` changes of each symbol, for the plain mean.
    changes: Vec<f64>,
}

impl Range {
    fn new(symbols: usize, period: usize, is_true: bool) -> Self {
        let kept = if is_true { 0 } else { symbols * period };
        Self {
            period,
            is_true,
            close: vec![f64::NAN; symbols],
            mean: vec![0.0; symbols],
            count: vec![0; symbols],
            changes: vec![0.0; kept],
        }
    }

    fn kind(&self) -> StopKind {
        if self.is_true {
            StopKind::Atr
        } else {
            StopKind::MeanAbsChange
        }
    }

    /// The range; NaN until there are enough rows.
    fn get(&self, symbol: usize) -> f64 {
        if self.count[symbol] < self.period {
            return f64::NAN;
        }
        if self.is_true {
            return self.mean[symbol];
        }
        let changes = &self.changes[symbol * self.period..][..self.period];
        changes.iter().sum::<f64>() / self.period as f64
    }

    fn see(&mut self, symbol: usize, bar: &Bar) {
        let before = std::mem::replace(&mut self.close[symbol], bar.close);
        if before.is_nan() {
            return;
        }
        let count = self.count[symbol];
        self.count[symbol] += 1;
        let change = (bar.close - before).abs();
        if !self.is_true {
            self.changes[symbol * self.period + count % self.period] = change;
            return;
        }
        // `max` leaves out what is NaN.
        let range = (bar.high - bar.low)
            .max((bar.high - before).abs())
            .max((bar.low - before).abs())
            .max(if bar.high.is_nan() || bar.low.is_nan() {
                change
            } else {
                0.0
            });
        let (mean, period) = (&mut self.mean[symbol], self.period as f64);
        if count < self.period {
            *mean += range / period;
        } else {
            *mean = (*mean * (period - 1.0) + range) / period;
        }
    }

    fn split(&mut self, symbol: usize, ratio: f64) {
        self.close[symbol] /= ratio;
        self.mean[symbol] /= ratio;
        if !self.is_true {
            for change in &mut self.changes[symbol * self.period..][..self.period] {
                *change /= ratio;
            }
        }
    }
}
