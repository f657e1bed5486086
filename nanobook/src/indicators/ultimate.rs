#![allow(
    clippy::many_single_char_names,
    reason = "six columns that are read side by side"
)]

use multiversion::multiversion;

use super::block::{BLOCK, NEAR, after, anew, walk};
use super::range::{true_range, true_ranges};
use super::{Block, Indicator, Rows, is_zero, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// What the shortest window counts for, the middle one and the longest; together 7.
const WEIGHTS: [f64; 3] = [4.0, 2.0, 1.0];

/// Ultimate oscillator (Williams 1976) of high, low, close: buying pressure over true range, of three windows weighted
/// 4, 2, 1 from the shortest; a window without range counts as zero.
#[derive(Debug, Clone)]
pub struct UltOsc {
    windows: [usize; 3],
    /// Of pressure and range over each window but its newest row.
    sums: [[f64; 2]; 3],
    ring: Vec<[f64; 2]>,
    /// Rows since there last was a range.
    still: usize,
}

impl UltOsc {
    /// Over three windows, in any order; usually 7, 14, 28.
    ///
    /// # Errors
    /// When a window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(first: usize, second: usize, third: usize) -> Result<Self, Error> {
        let mut windows = [
            window("first", first, 1)?,
            window("second", second, 1)?,
            window("third", third, 1)?,
        ];
        windows.sort_unstable();
        Ok(Self::of(windows))
    }

    fn of(windows: [usize; 3]) -> Self {
        UltOsc {
            windows,
            sums: [[0.0; 2]; 3],
            ring: vec![[0.0; 2]; windows[2].next_power_of_two()],
            still: 0,
        }
    }
}

/// Running sums of pressure and range over a block and the rows before it, each from zero: the sum of a window is the
/// difference of two of them, and exactly zero where nothing was added.
struct Sums {
    terms: [f64; BLOCK + NEAR],
    pressures: [f64; BLOCK + NEAR + 1],
    ranges: [f64; BLOCK + NEAR + 1],
}

impl Sums {
    fn new() -> Self {
        Sums {
            terms: [0.0; BLOCK + NEAR],
            pressures: [0.0; BLOCK + NEAR + 1],
            ranges: [0.0; BLOCK + NEAR + 1],
        }
    }

    /// Appends the values of a block; false, and nothing is appended, where there is a NaN.
    fn append(&mut self, windows: [usize; 3], block: &Block<'_, 3>, out: &mut Vec<f64>) -> bool {
        let before = windows[2] - 1;
        let seen = before + block.len();
        let sight = Block::new(
            [0, 1, 2].map(|column| block.since(column, windows[2])),
            1,
            1 + seen,
        );
        let terms = &mut self.terms[..seen];
        pressures(
            sight.lagged(1, 0),
            sight.lagged(2, 0),
            sight.lagged(2, 1),
            terms,
        );
        accumulate(terms, &mut self.pressures);
        true_ranges(&sight, terms);
        accumulate(terms, &mut self.ranges);
        if (self.pressures[seen] + self.ranges[seen]).is_nan() {
            return false;
        }
        let first = seen - block.len();
        let [pressures, ranges] = [&self.pressures, &self.ranges].map(|sums| {
            windows.map(|window| (&sums[first + 1..=seen], &sums[first + 1 - window..]))
        });
        let values = &mut self.terms[..block.len()];
        oscillate(pressures, ranges, values);
        out.extend_from_slice(values);
        true
    }
}

/// The sums of the first values, from none to all.
fn accumulate(values: &[f64], sums: &mut [f64; BLOCK + NEAR + 1]) {
    let mut sum = 0.0;
    let sums = &mut sums[1..=values.len()];
    let (fours, rest) = values.as_chunks::<4>();
    let (sum_fours, sum_rest) = sums.as_chunks_mut::<4>();
    for (sums, x) in sum_fours.iter_mut().zip(fours) {
        let pair = x[0] + x[1];
        *sums = [
            sum + x[0],
            sum + pair,
            sum + (pair + x[2]),
            sum + (pair + (x[2] + x[3])),
        ];
        sum = sums[3];
    }
    for (sums, x) in sum_rest.iter_mut().zip(rest) {
        sum += x;
        *sums = sum;
    }
}

/// Running sums at the rows of a block, and those a window before.
type Ends<'a> = [(&'a [f64], &'a [f64]); 3];

/// Writes the values of which running sums are given for each window.
#[multiversion(targets("x86_64+avx2"))]
fn oscillate(pressures: Ends<'_>, ranges: Ends<'_>, out: &mut [f64]) {
    let rows = out.len();
    // Of one length, as the compiler can see.
    let [(p, a), (_, b), (_, c)] = pressures.map(|(now, then)| (&now[..rows], &then[..rows]));
    let [(r, d), (_, e), (_, f)] = ranges.map(|(now, then)| (&now[..rows], &then[..rows]));
    let part = |weight: f64, pressure: f64, range: f64| {
        let part = weight * (pressure / range);
        if is_zero(range) { 0.0 } else { part }
    };
    for (row, out) in out.iter_mut().enumerate() {
        let value = part(WEIGHTS[0], p[row] - a[row], r[row] - d[row])
            + part(WEIGHTS[1], p[row] - b[row], r[row] - e[row])
            + part(WEIGHTS[2], p[row] - c[row], r[row] - f[row]);
        *out = value * (100.0 / 7.0);
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn pressures(low: &[f64], close: &[f64], before: &[f64], out: &mut [f64]) {
    for (((out, &low), &close), &before) in out.iter_mut().zip(low).zip(close).zip(before) {
        *out = pressure(low, close, before);
    }
}

/// How far the close is above the true low.
#[inline]
fn pressure(low: f64, close: f64, before: f64) -> f64 {
    close - if before < low { before } else { low }
}

impl Indicator<3, 1> for UltOsc {
    fn lookback(&self) -> usize {
        self.windows[2]
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
        let (high, low, close) = (rows.at(0, 0), rows.at(1, 0), rows.at(2, 0));
        let before = rows.at(2, 1);
        let pressure = pressure(low, close, before);
        let range = true_range(high, low, before);
        let mask = self.ring.len() - 1;
        self.ring[index & mask] = [pressure, range];
        self.still = if is_zero(range) { self.still + 1 } else { 0 };
        let full = index >= self.windows[2];
        let mut value = 0.0;
        for ((window, sum), weight) in self.windows.iter().zip(&mut self.sums).zip(WEIGHTS) {
            sum[0] += pressure;
            sum[1] += range;
            if (sum[0] + sum[1]).is_nan() && index >= *window {
                *sum = [0.0; 2];
                for row in index + 1 - *window..=index {
                    let row = self.ring[row & mask];
                    sum[0] += row[0];
                    sum[1] += row[1];
                }
            }
            if self.still >= *window {
                // What the sum holds is rounding.
                sum[1] = 0.0;
            }
            if full && !is_zero(sum[1]) {
                value += weight * (sum[0] / sum[1]);
            }
            if index >= *window {
                let gone = self.ring[(index + 1 - window) & mask];
                sum[0] -= gone[0];
                sum[1] -= gone[1];
            }
        }
        if !full {
            return [NAN];
        }
        [100.0 * (value / 7.0)]
    }

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
        if self.windows[2] > NEAR {
            walk(self, block, outputs);
            return;
        }
        let first = self.windows[2] + 1;
        let Some(block) = after(first, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let mut sums = Sums::new();
        for block in block.pieces(BLOCK) {
            if !sums.append(self.windows, &block, out) {
                anew(Self::of(self.windows), block, [&mut *out]);
            }
        }
    }
}
