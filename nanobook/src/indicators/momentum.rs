use super::range::true_range;
use super::{Indicator, Rows, is_zero, window};
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
    ($name:ident, $value:ident) => {
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

            fn fill(&mut self, [input]: [&[f64]; 1], [out]: [&mut [f64]; 1]) {
                let head = self.window.min(out.len());
                out[..head].fill(NAN);
                for ((out, &now), &before) in out[head..].iter_mut().zip(&input[head..]).zip(input)
                {
                    *out = $value(now, before);
                }
            }
        }
    };
}

lagged!(Mom, change);
lagged!(Roc, rate);

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

    /// The value at the next row of a series that is made on the way.
    #[inline]
    pub(super) fn push(&mut self, index: usize, now: f64, before: f64) -> f64 {
        let change = now - before;
        // Both keep a NaN: it is neither above nor below zero.
        let gain = if change < 0.0 { 0.0 } else { change };
        let loss = if change < 0.0 { -change } else { change * 0.0 };
        if index > self.window {
            self.gain = (self.gain * (self.length - 1.0) + gain) / self.length;
            self.loss = (self.loss * (self.length - 1.0) + loss) / self.length;
        } else {
            self.gain += gain;
            self.loss += loss;
            if index < self.window {
                return NAN;
            }
            self.gain /= self.length;
            self.loss /= self.length;
        }
        let total = self.gain + self.loss;
        if is_zero(total) {
            return 0.0;
        }
        100.0 * (self.gain / total)
    }
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
}

/// Ultimate oscillator (Williams 1976) of high, low, close: buying pressure over true range, of three windows weighted
/// 4, 2, 1 from the shortest; a window without range counts as zero.
#[derive(Debug, Clone)]
pub struct UltOsc {
    windows: [usize; 3],
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
        Ok(UltOsc {
            windows,
            sums: [[0.0; 2]; 3],
            ring: vec![[0.0; 2]; windows[2].next_power_of_two()],
        })
    }
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
        let bottom = if before < low { before } else { low };
        let pressure = close - bottom;
        let range = true_range(high, low, before);
        let mask = self.ring.len() - 1;
        self.ring[index & mask] = [pressure, range];
        let full = index >= self.windows[2];
        let mut value = 0.0;
        for ((window, sum), weight) in self.windows.iter().zip(&mut self.sums).zip([4.0, 2.0, 1.0])
        {
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
}
