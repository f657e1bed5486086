use multiversion::multiversion;

use super::block::{BLOCK, after};
use super::recurrence::{Passes, Recurrence};
use super::{Block, Indicator, Rows, is_zero, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// Momentum: the change over `window` rows.
#[derive(Debug, Clone, Copy)]
pub struct Mom {
    window: usize,
}

/// Rate of change over `window` rows in percent; zero where the earlier value is zero.
#[derive(Debug, Clone, Copy)]
pub struct Roc {
    window: usize,
}

#[inline]
fn change(now: f64, before: f64) -> f64 {
    now - before
}

#[inline]
fn rate(now: f64, before: f64) -> f64 {
    let rate = (now / before - 1.0) * 100.0;
    if before == 0.0 { 0.0 } else { rate }
}

macro_rules! lagged {
    ($name:ident, $value:ident, $append:ident) => {
        impl $name {
            /// Over `window` rows.
            ///
            /// # Errors
            /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
            pub fn new(length: usize) -> Result<Self, Error> {
                let window = window("window", length, 1)?;
                Ok($name { window })
            }
        }

        impl Indicator<1, 1> for $name {
            fn lookback(&self) -> usize {
                self.window
            }

            fn reach(&self) -> usize {
                self.window
            }

            #[inline]
            fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
                if rows.index() < self.window {
                    return [NAN];
                }
                [$value(rows.at(0, 0), rows.at(0, self.window))]
            }

            fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
                if let Some(block) = after(self.window, self, block, &mut outputs) {
                    let (now, before) = (block.lagged(0, 0), block.lagged(0, self.window));
                    $append(now, before, outputs[0]);
                }
            }
        }
    };
}

/// Appends changes.
#[multiversion(targets("x86_64+avx2"))]
fn append_changes(now: &[f64], before: &[f64], out: &mut Vec<f64>) {
    out.extend(
        now.iter()
            .zip(before)
            .map(|(&now, &before)| change(now, before)),
    );
}

/// Appends rates.
#[multiversion(targets("x86_64+avx2"))]
fn append_rates(now: &[f64], before: &[f64], out: &mut Vec<f64>) {
    out.extend(
        now.iter()
            .zip(before)
            .map(|(&now, &before)| rate(now, before)),
    );
}

lagged!(Mom, change, append_changes);
lagged!(Roc, rate, append_rates);

/// Relative strength index (Wilder 1978), seeded by the mean gain and loss of the first window; zero for a series that
/// does not move.
#[derive(Debug, Clone)]
pub struct Rsi {
    window: usize,
    length: f64,
    gain: f64,
    loss: f64,
}

impl Rsi {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 2)?;
        Ok(Rsi {
            window,
            length: window as f64,
            gain: 0.0,
            loss: 0.0,
        })
    }

    /// The value at the next row.
    #[inline]
    pub(super) fn push(&mut self, index: usize, now: f64, before: f64) -> f64 {
        let (gain, loss) = parts(now - before);
        if index > self.window {
            let (more, inverse) = (self.length - 1.0, 1.0 / self.length);
            self.gain = (self.gain * more + gain) * inverse;
            self.loss = (self.loss * more + loss) * inverse;
        } else {
            self.gain += gain;
            self.loss += loss;
            if index < self.window {
                return NAN;
            }
            self.gain *= 1.0 / self.length;
            self.loss *= 1.0 / self.length;
        }
        strength(self.gain, self.loss)
    }
}

impl Rsi {
    /// The values at the rows of a block as TA-Lib rounds them: where an indicator of this one divides by a small range
    /// of it, other rounding would be another result.
    #[inline]
    pub(super) fn exact(&mut self, block: &Block<'_, 1>, out: &mut [f64]) {
        let head = (self.window + 1)
            .saturating_sub(block.start())
            .min(block.len());
        let values = block.lagged(0, 0);
        for (at, out) in out[..head].iter_mut().enumerate() {
            let index = block.start() + at;
            *out = if index == 0 {
                NAN
            } else {
                let before = if at == 0 {
                    block.lagged(0, 1)[0]
                } else {
                    values[at - 1]
                };
                self.push(index, values[at], before)
            };
        }
        if head == block.len() {
            return;
        }
        let mut averages = [self.gain, self.loss];
        let (more, inverse) = (self.length - 1.0, 1.0 / self.length);
        let before = match head {
            0 => block.lagged(0, 1),
            _ => &values[head - 1..],
        };
        for ((out, &now), &before) in out[head..].iter_mut().zip(&values[head..]).zip(before) {
            let (gain, loss) = parts(now - before);
            for (average, part) in averages.iter_mut().zip([gain, loss]) {
                *average = (*average * more + part) * inverse;
            }
            *out = strength(averages[0], averages[1]);
        }
        [self.gain, self.loss] = averages;
    }
}

/// Gain and loss of a change; both keep a NaN, which is neither above nor below zero.
#[inline]
fn parts(change: f64) -> (f64, f64) {
    let gain = if change < 0.0 { 0.0 } else { change };
    let loss = if change > 0.0 { 0.0 } else { -change };
    (gain, loss)
}

#[inline]
fn strength(gain: f64, loss: f64) -> f64 {
    let total = gain + loss;
    let strength = 100.0 * (gain / total);
    if is_zero(total) { 0.0 } else { strength }
}

impl Indicator<1, 1> for Rsi {
    fn lookback(&self) -> usize {
        self.window
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        let index = rows.index();
        if index == 0 {
            return [NAN];
        }
        [self.push(index, rows.at(0, 0), rows.at(0, 1))]
    }

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(self.window + 1, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let steps = Recurrence::new((self.length - 1.0) / self.length, 1.0 / self.length);
        // Averages of changes and of their sizes: gain less loss, and both together.
        let mut state = [self.gain - self.loss, self.gain + self.loss];
        let (mut parts, mut averages) = ([[0.0; BLOCK]; 2], [[0.0; BLOCK]; 2]);
        let mut passes = Passes::new();
        for block in block.pieces(BLOCK) {
            let parts = parts.each_mut().map(|part| &mut part[..block.len()]);
            let [changes, sizes] = parts;
            split(block.lagged(0, 0), block.lagged(0, 1), changes, sizes);
            let [change, size] = averages.each_mut().map(|part| &mut part[..block.len()]);
            steps.run(&mut state[0], changes, &mut passes, change);
            steps.run(&mut state[1], sizes, &mut passes, size);
            strengths(change, size, out);
        }
        let [change, size] = state;
        self.gain = f64::midpoint(size, change);
        self.loss = f64::midpoint(size, -change);
    }
}

/// Changes and their sizes.
#[multiversion(targets("x86_64+avx2"))]
fn split(now: &[f64], before: &[f64], changes: &mut [f64], sizes: &mut [f64]) {
    for (((change, size), now), before) in changes.iter_mut().zip(sizes).zip(now).zip(before) {
        *change = now - before;
        *size = change.abs();
    }
}

/// Appends the index of averages of changes and of their sizes.
#[multiversion(targets("x86_64+avx2"))]
fn strengths(changes: &[f64], sizes: &[f64], out: &mut Vec<f64>) {
    out.extend(changes.iter().zip(sizes).map(|(&change, &size)| {
        let value = 50.0 + 50.0 * (change / size);
        if is_zero(size) { 0.0 } else { value }
    }));
}
