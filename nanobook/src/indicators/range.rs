use super::block::{BLOCK, Recurrence, after, chunks, room};
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
    if range > down { range } else { down }
}

#[inline]
fn is_ordered(high: &[f64], low: &[f64]) -> bool {
    let pairs = high.iter().zip(low);
    // Counted, and not stopped at the first, because counting takes many rows at once.
    pairs.filter(|(high, low)| high >= low).count() == high.len()
}

/// The same where the high is not below the low.
#[inline]
fn ordered_range(high: f64, low: f64, before: f64) -> f64 {
    let top = if high > before { high } else { before };
    let bottom = if low < before { low } else { before };
    top - bottom
}

/// True ranges at each row of a block behind the first row.
#[inline]
pub(super) fn true_ranges<const I: usize>(block: &Block<'_, I>, out: &mut [f64]) {
    let (high, low) = (block.lagged(0, 0), block.lagged(1, 0));
    let rows = high.iter().zip(low).zip(block.lagged(2, 1));
    if is_ordered(high, low) {
        for (out, ((&high, &low), &before)) in out.iter_mut().zip(rows) {
            *out = ordered_range(high, low, before);
        }
    } else {
        for (out, ((&high, &low), &before)) in out.iter_mut().zip(rows) {
            *out = true_range(high, low, before);
        }
    }
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
        for block in block.pieces(BLOCK) {
            true_ranges(&block, room(block.len(), out));
        }
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

    /// Appends the averages at the rows of a block behind the first window.
    #[inline]
    fn run(&mut self, block: &Block<'_, 3>, out: &mut Vec<f64>) {
        let mut ranges = [0.0; BLOCK];
        let ranges = &mut ranges[..block.len()];
        true_ranges(block, ranges);
        let steps = self.steps;
        chunks(
            &mut self.value,
            [ranges],
            out,
            |y, [range]| steps.four(y, *range),
            |y, [range]| steps.one(y, range),
        );
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
        for block in block.pieces(BLOCK) {
            self.run(&block, outputs[0]);
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
        for block in block.pieces(BLOCK) {
            let from = out.len();
            self.0.run(&block, out);
            let close = block.lagged(2, 0);
            for (out, &close) in out[from..].iter_mut().zip(close) {
                *out = percent(*out, close);
            }
        }
    }
}
