use multiversion::multiversion;

use super::block::{BLOCK, after, room};
use super::recurrence::{Passes, Recurrence};
use super::{Block, Indicator, Rows, is_zero, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// The largest of high − low and the two distances from the close before; NaN when one of the three is.
#[inline]
pub(super) fn true_range(high: f64, low: f64, before: f64) -> f64 {
    let range = high - low;
    let up = (before - high).abs();
    let range = if range > up { range } else { up };
    let down = (before - low).abs();
    // A comparison with NaN takes what stands behind `else`, and only a NaN of the high has not come through to here.
    let range = if range > down { range } else { down };
    if high.is_nan() { high } else { range }
}

/// True ranges at each row of a block behind the first row.
#[inline]
pub(super) fn true_ranges<const I: usize>(block: &Block<'_, I>, out: &mut [f64]) {
    ranges(
        block.lagged(0, 0),
        block.lagged(1, 0),
        block.lagged(2, 1),
        out,
    );
}

#[multiversion(targets("x86_64+avx2"))]
fn ranges(high: &[f64], low: &[f64], before: &[f64], out: &mut [f64]) {
    for (((out, &high), &low), &before) in out.iter_mut().zip(high).zip(low).zip(before) {
        *out = true_range(high, low, before);
    }
}

/// Appends true ranges.
#[multiversion(targets("x86_64+avx2"))]
fn append_ranges(high: &[f64], low: &[f64], before: &[f64], out: &mut Vec<f64>) {
    let rows = high.iter().zip(low).zip(before);
    out.extend(rows.map(|((&high, &low), &before)| true_range(high, low, before)));
}

#[inline]
fn range_now(rows: &impl Rows<3>) -> f64 {
    true_range(rows.at(0, 0), rows.at(1, 0), rows.at(2, 1))
}

/// True range (Wilder 1978) of high, low, close.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrueRange;

impl Indicator<3, 1> for TrueRange {
    fn lookback(&self) -> usize {
        1
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        if rows.index() == 0 {
            return [NAN];
        }
        [range_now(rows)]
    }

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(1, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        append_ranges(
            block.lagged(0, 0),
            block.lagged(1, 0),
            block.lagged(2, 1),
            out,
        );
    }
}

/// Average true range of high, low, close: Wilder's average, seeded by the mean of the first window of true ranges.
#[derive(Debug, Clone)]
pub struct Atr {
    window: usize,
    value: f64,
    steps: Recurrence,
}

impl Atr {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 1)?;
        Ok(Atr {
            window,
            value: 0.0,
            steps: Recurrence::new((window as f64 - 1.0) / window as f64, 1.0 / window as f64),
        })
    }

    /// The averages at the rows of a block behind the first window.
    #[inline]
    fn run(&mut self, block: &Block<'_, 3>, ranges: &mut Ranges, averages: &mut [f64]) {
        let Ranges { values, passes } = ranges;
        let values = &mut values[..block.len()];
        true_ranges(block, values);
        self.steps.run(&mut self.value, values, passes, averages);
    }
}

impl Indicator<3, 1> for Atr {
    fn lookback(&self) -> usize {
        self.window
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        let index = rows.index();
        if index == 0 {
            return [NAN];
        }
        let range = range_now(rows);
        if index > self.window {
            return [self.steps.one(&mut self.value, range)];
        }
        self.value += range;
        if index < self.window {
            return [NAN];
        }
        self.value /= self.window as f64;
        [self.value]
    }

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(self.window + 1, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let mut ranges = Ranges::new();
        for block in block.pieces(BLOCK) {
            self.run(&block, &mut ranges, room(block.len(), out));
        }
    }
}

/// The true ranges of a block, and what stands between passes.
struct Ranges {
    values: [f64; BLOCK],
    passes: Passes,
}

impl Ranges {
    fn new() -> Self {
        Ranges {
            values: [0.0; BLOCK],
            passes: Passes::new(),
        }
    }
}

/// [`Atr`] in percent of the close.
#[derive(Debug, Clone)]
pub struct Natr(Atr);

impl Natr {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Natr(Atr::new(length)?))
    }
}

#[inline]
fn percent(range: f64, close: f64) -> f64 {
    let percent = range / close * 100.0;
    if is_zero(close) & !range.is_nan() {
        0.0
    } else {
        percent
    }
}

impl Indicator<3, 1> for Natr {
    fn lookback(&self) -> usize {
        self.0.window
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        let [range] = self.0.step(rows);
        [percent(range, rows.at(2, 0))]
    }

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
        let first = self.0.window + 1;
        let Some(block) = after(first, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let (mut ranges, mut averages) = (Ranges::new(), [0.0; BLOCK]);
        for block in block.pieces(BLOCK) {
            let averages = &mut averages[..block.len()];
            self.0.run(&block, &mut ranges, averages);
            percents(averages, block.lagged(2, 0), out);
        }
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn percents(averages: &[f64], close: &[f64], out: &mut Vec<f64>) {
    let rows = averages.iter().zip(close);
    out.extend(rows.map(|(&range, &close)| percent(range, close)));
}
