use multiversion::multiversion;

use super::block::{BLOCK, after, walk};
use super::deviation::RENEWAL;
use super::{Block, Indicator, Rows, is_zero, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// Simple moving average.
#[derive(Debug, Clone)]
pub struct Sma {
    window: usize,
    sum: f64,
}

impl Sma {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 1)?;
        Ok(Sma { window, sum: 0.0 })
    }
}

impl Indicator<1, 1> for Sma {
    fn lookback(&self) -> usize {
        self.window - 1
    }

    fn reach(&self) -> usize {
        self.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        let index = rows.index();
        self.sum += rows.at(0, 0);
        if index + 1 < self.window {
            return [NAN];
        }
        if index >= self.window {
            self.sum -= rows.at(0, self.window);
        }
        if self.sum.is_nan() {
            self.sum = (0..self.window).rev().map(|lag| rows.at(0, lag)).sum();
        }
        [self.sum / self.window as f64]
    }

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(self.window, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let inverse = 1.0 / self.window as f64;
        for block in block.pieces(BLOCK) {
            let (from, mut sum) = (out.len(), self.sum);
            let pairs = block.lagged(0, 0).iter().zip(block.lagged(0, self.window));
            out.extend(pairs.map(|(new, old)| {
                sum += new - old;
                sum * inverse
            }));
            if sum.is_nan() {
                out.truncate(from);
                walk(self, block, [out]);
            } else {
                self.sum = sum;
            }
        }
    }
}

/// A mean of a window whose weights fall by the same amount from row to row.
///
/// With S the sum of the window and L that of its rows times their distance from the newest, it is `plain · S +
/// slant · L`; both are carried from row to row.
#[derive(Debug, Clone, Copy)]
struct Slanted {
    window: usize,
    plain: f64,
    slant: f64,
    /// What the row that leaves the window takes with it.
    leaving: f64,
    sum: f64,
    value: f64,
    /// Rows until both are taken anew, so that rounding does not collect.
    left: usize,
}

impl Slanted {
    fn new(window: usize, plain: f64, slant: f64) -> Self {
        Slanted {
            window,
            plain,
            slant,
            leaving: plain + slant * window as f64,
            sum: 0.0,
            value: 0.0,
            left: 0,
        }
    }

    /// Takes the sums of values, the newest first.
    #[inline]
    fn renew(&mut self, values: impl Iterator<Item = f64>) {
        let (mut sum, mut lagged, mut lag) = (0.0, 0.0, 0.0);
        for value in values {
            sum += value;
            lagged += value * lag;
            lag += 1.0;
        }
        self.left = self.window.max(RENEWAL);
        self.sum = sum;
        self.value = self.plain * sum + self.slant * lagged;
    }

    /// Value and sum a row later.
    #[inline]
    fn slid(&self, [value, sum]: [f64; 2], new: f64, old: f64) -> [f64; 2] {
        [
            value + (self.plain * new - self.leaving * old + self.slant * sum),
            sum + (new - old),
        ]
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> f64 {
        if rows.index() + 1 < self.window {
            return NAN;
        }
        if self.left == 0 || self.value.is_nan() {
            self.renew((0..self.window).map(|lag| rows.at(0, lag)));
        } else {
            let (new, old) = (rows.at(0, 0), rows.at(0, self.window));
            [self.value, self.sum] = self.slid([self.value, self.sum], new, old);
        }
        self.left -= 1;
        self.value
    }

    /// Appends the values of a block behind the first window; false, and nothing has changed, where rows must be looked
    /// at one by one.
    #[inline]
    fn run(&mut self, block: &Block<'_, 1>, out: &mut Vec<f64>) -> bool {
        let mut mean = *self;
        if mean.left < block.len() || mean.value.is_nan() {
            let sight = &block.since(0, self.window)[..self.window];
            mean.renew(sight.iter().rev().copied());
        }
        let from = out.len();
        let (new, old) = (block.lagged(0, 0), block.lagged(0, self.window));
        [mean.value, mean.sum] = slide(&mean, new, old, out);
        if mean.value.is_nan() {
            out.truncate(from);
            return false;
        }
        *self = mean;
        self.left -= block.len();
        true
    }
}

/// Carries a mean over rows and appends its values; value and sum at the end.
#[multiversion(targets("x86_64+avx2"))]
fn slide(mean: &Slanted, new: &[f64], old: &[f64], out: &mut Vec<f64>) -> [f64; 2] {
    let mut state = [mean.value, mean.sum];
    out.extend(new.iter().zip(old).map(|(&new, &old)| {
        state = mean.slid(state, new, old);
        state[0]
    }));
    state
}

/// Linearly weighted moving average: the newest row weighs `window`, the oldest 1.
#[derive(Debug, Clone)]
pub struct Wma(Slanted);

impl Wma {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 1)?;
        let n = window as f64;
        let (plain, slant) = (2.0 / (n + 1.0), -2.0 / (n * (n + 1.0)));
        Ok(Wma(Slanted::new(window, plain, slant)))
    }
}

/// End point of the least-squares line through a window.
#[derive(Debug, Clone)]
pub struct LinearReg(Slanted);

impl LinearReg {
    /// Through `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 2)?;
        // Least squares on the distance from the newest row; the line's value at distance zero.
        let n = window as f64;
        let middle = (n - 1.0) / 2.0;
        let spread = n * (n * n - 1.0) / 12.0;
        let (plain, slant) = (1.0 / n + middle * middle / spread, -middle / spread);
        Ok(LinearReg(Slanted::new(window, plain, slant)))
    }
}

macro_rules! slanted {
    ($name:ident) => {
        impl Indicator<1, 1> for $name {
            fn lookback(&self) -> usize {
                self.0.window - 1
            }

            fn reach(&self) -> usize {
                self.0.window
            }

            #[inline]
            fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
                [self.0.step(rows)]
            }

            fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
                let Some(block) = after(self.0.window, self, block, &mut outputs) else {
                    return;
                };
                let [out] = outputs;
                for block in block.pieces(RENEWAL) {
                    if !self.0.run(&block, out) {
                        walk(self, block, [out]);
                    }
                }
            }
        }
    };
}

slanted!(Wma);
slanted!(LinearReg);

/// Kaufman's adaptive moving average, between exponential averages of 2 and 30 rows by the efficiency ratio.
#[derive(Debug, Clone)]
pub struct Kama {
    window: usize,
    path: f64,
    value: f64,
}

impl Kama {
    /// Efficiency over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Kama {
            window: window("window", length, 2)?,
            path: 0.0,
            value: 0.0,
        })
    }

    /// How much of the way to the newest value the average goes.
    #[inline]
    fn factor(path: f64, net: f64) -> f64 {
        const SLOW: f64 = 2.0 / 31.0;
        const FAST: f64 = 2.0 / 3.0;
        // TA-Lib compares the path with the signed change, so a straight fall goes through the quotient. The quotient is
        // taken of every row and there is no branch, so that a loop over rows becomes vector code.
        let straight = (path <= net) | is_zero(path);
        let quotient = (net / path).abs();
        let efficiency = if straight { 1.0 } else { quotient };
        let factor = efficiency * (FAST - SLOW) + SLOW;
        factor * factor
    }
}

impl Indicator<1, 1> for Kama {
    fn lookback(&self) -> usize {
        self.window
    }

    fn reach(&self) -> usize {
        self.window + 1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        let index = rows.index();
        let value = rows.at(0, 0);
        if index == 0 {
            return [NAN];
        }
        let before = rows.at(0, 1);
        if index < self.window {
            self.path += (value - before).abs();
            return [NAN];
        }
        let oldest = rows.at(0, self.window);
        if index == self.window {
            self.value = before;
        } else {
            self.path -= (rows.at(0, self.window + 1) - oldest).abs();
        }
        self.path += (value - before).abs();
        let factor = Self::factor(self.path, value - oldest);
        self.value = self.value * (1.0 - factor) + value * factor;
        [self.value]
    }

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(self.window + 1, self, block, &mut outputs) else {
            return;
        };
        let lagged = [0, 1, self.window, self.window + 1].map(|lag| block.lagged(0, lag));
        [self.path, self.value] = adapt([self.path, self.value], lagged, outputs[0]);
    }
}

/// Carries path and average over rows, given as the newest values, those before, the oldest and those before, and
/// appends the averages.
///
/// Over all rows at once, appended a few at a time: in blocks of 256 rows that were copied to the output one by one, a
/// million rows took 1.9 ms instead of 1.3 ms where input and output were not in a near cache.
///
/// In passes over a few rows: the path, which goes row by row; the factors, side by side; and the average, two rows at
/// a step, in one loop with the path of the next rows, so that neither chain of sums waits for the other. The path's two
/// sums a row, which have to come in TA-Lib's order, are what is left: 1.2 ns a row, and 1.5 ns in a loop for each.
#[multiversion(targets("x86_64+avx2"))]
fn adapt(state: [f64; 2], lagged: [&[f64]; 4], out: &mut Vec<f64>) -> [f64; 2] {
    const ROWS: usize = 32;
    let [now, before, oldest, gone] = lagged;
    let [mut path, mut value] = state;
    let whole = now.len() / ROWS * ROWS;
    out.reserve(now.len());
    let rows = now.as_chunks::<ROWS>().0.iter();
    let rows = rows.zip(before.as_chunks::<ROWS>().0);
    let rows = rows.zip(oldest.as_chunks::<ROWS>().0);
    let mut rows = rows.zip(gone.as_chunks::<ROWS>().0).peekable();
    let mut paths = [0.0; ROWS];
    if let Some((((now, before), oldest), gone)) = rows.peek() {
        for row in 0..ROWS {
            path -= (gone[row] - oldest[row]).abs();
            path += (now[row] - before[row]).abs();
            paths[row] = path;
        }
    }
    while let Some((((now, _), oldest), _)) = rows.next() {
        let mut values = [0.0; ROWS];
        let mut factors = [0.0; ROWS];
        for row in 0..ROWS {
            factors[row] = Kama::factor(paths[row], now[row] - oldest[row]);
        }
        let mut carry = |row: usize| {
            let [share, next_share] = [factors[row], factors[row + 1]];
            let [part, next_part] = [now[row] * share, now[row + 1] * next_share];
            let [keep, next_keep] = [1.0 - share, 1.0 - next_share];
            values[row] = value * keep + part;
            value = value * (keep * next_keep) + (part * next_keep + next_part);
            values[row + 1] = value;
        };
        if let Some((((now, before), oldest), gone)) = rows.peek() {
            for row in (0..ROWS).step_by(2) {
                carry(row);
                for row in [row, row + 1] {
                    path -= (gone[row] - oldest[row]).abs();
                    path += (now[row] - before[row]).abs();
                    paths[row] = path;
                }
            }
        } else {
            (0..ROWS).step_by(2).for_each(carry);
        }
        out.extend_from_slice(&values);
    }
    for row in whole..now.len() {
        path -= (gone[row] - oldest[row]).abs();
        path += (now[row] - before[row]).abs();
        let factor = Kama::factor(path, now[row] - oldest[row]);
        value = value * (1.0 - factor) + now[row] * factor;
        out.push(value);
    }
    [path, value]
}
