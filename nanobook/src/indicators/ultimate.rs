#![allow(
    clippy::many_single_char_names,
    reason = "six columns that are read side by side"
)]

use super::block::{BLOCK, NEAR, after, anew, room, walk};
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
        }
    }

    /// Writes the values of a block; false, and nothing has changed, where there is a NaN.
    #[inline]
    fn run(&mut self, block: &Block<'_, 3>, out: &mut [f64]) -> bool {
        let rows = block.len();
        let longest = self.windows[2];
        let mut terms = [[0.0; BLOCK + NEAR]; 2];
        let [pressures, ranges] = terms.each_mut().map(|term| &mut term[..longest + rows]);
        let sight = Block::new(
            [0, 1, 2].map(|column| block.since(column, longest + 1)),
            1,
            1 + longest + rows,
        );
        let (low, close, before) = (sight.lagged(1, 0), sight.lagged(2, 0), sight.lagged(2, 1));
        for (((out, &low), &close), &before) in pressures.iter_mut().zip(low).zip(close).zip(before)
        {
            *out = pressure(low, close, before);
        }
        true_ranges(&sight, ranges);
        let mut sums = [[0.0; 2]; 3];
        for (sums, window) in sums.iter_mut().zip(self.windows) {
            *sums = [&pressures, &ranges]
                .map(|terms| terms[longest + 1 - window..longest].iter().sum());
        }
        let ([a, b, c], [d, e, f]) = (
            self.windows
                .map(|window| &pressures[longest + 1 - window..][..rows]),
            self.windows
                .map(|window| &ranges[longest + 1 - window..][..rows]),
        );
        let [mut first, mut second, mut third] = sums;
        let news = pressures[longest..].iter().zip(&ranges[longest..]);
        let olds = a.iter().zip(b).zip(c).zip(d).zip(e).zip(f);
        for ((out, (&pressure, &range)), (((((a, b), c), d), e), f)) in
            out.iter_mut().zip(news).zip(olds)
        {
            let part = |sums: &mut [f64; 2], weight: f64, gone: [f64; 2]| {
                sums[0] += pressure;
                sums[1] += range;
                let part = weight * (sums[0] / sums[1]);
                let part = if is_zero(sums[1]) { 0.0 } else { part };
                sums[0] -= gone[0];
                sums[1] -= gone[1];
                part
            };
            let value = part(&mut first, WEIGHTS[0], [*a, *d])
                + part(&mut second, WEIGHTS[1], [*b, *e])
                + part(&mut third, WEIGHTS[2], [*c, *f]);
            *out = 100.0 * (value / 7.0);
        }
        !(third[0] + third[1]).is_nan()
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
        for block in block.pieces(BLOCK) {
            let from = out.len();
            if !self.run(&block, room(block.len(), out)) {
                out.truncate(from);
                anew(Self::of(self.windows), block, [&mut *out]);
            }
        }
    }
}
