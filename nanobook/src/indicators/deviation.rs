#![allow(
    clippy::float_cmp,
    reason = "a value that stands still is the same value"
)]

use multiversion::multiversion;

use super::block::{after, room, walk};
use super::{Block, Indicator, Rows, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// Rows after which sums are taken anew at the earliest, so that rounding does not collect.
pub(super) const RENEWAL: usize = 128;

/// Mean and variance of a moving window.
///
/// Sums are of distances from an anchor in or near the window, taken anew from time to time, so that the variance keeps
/// its digits also where it is small beside the square of the mean.
#[derive(Debug, Clone, Copy)]
struct Moments {
    window: usize,
    inverse: f64,
    anchor: f64,
    near: f64,
    squares: f64,
    /// Rows until the anchor is taken anew.
    left: usize,
    /// Rows since the value last changed.
    still: usize,
    last: f64,
}

impl Moments {
    fn new(window: usize) -> Self {
        Moments {
            window,
            inverse: 1.0 / window as f64,
            anchor: 0.0,
            near: 0.0,
            squares: 0.0,
            left: 0,
            still: 0,
            last: NAN,
        }
    }

    /// Mean and population variance of the window that ends now.
    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> Option<(f64, f64)> {
        let value = rows.at(0, 0);
        self.still = if value.to_bits() == self.last.to_bits() {
            self.still + 1
        } else {
            1
        };
        self.last = value;
        if rows.index() + 1 < self.window {
            return None;
        }
        if self.still >= self.window {
            // The variance of equal values is zero, and not what rounding has left.
            self.left = 0;
        }
        if self.left == 0 || self.near.is_nan() {
            self.renew(value, (0..self.window).map(|lag| rows.at(0, lag)));
        } else {
            self.slide(value, rows.at(0, self.window));
        }
        self.left -= 1;
        Some(self.now())
    }

    #[inline]
    fn renew(&mut self, anchor: f64, values: impl Iterator<Item = f64>) {
        self.left = self.window.max(RENEWAL);
        self.anchor = anchor;
        (self.near, self.squares) = values.fold((0.0, 0.0), |(near, squares), value| {
            let distance = value - anchor;
            (near + distance, squares + distance * distance)
        });
    }

    #[inline]
    fn slide(&mut self, new: f64, old: f64) {
        let (new, old) = (new - self.anchor, old - self.anchor);
        self.near += new - old;
        self.squares += (new - old) * (new + old);
    }

    #[inline]
    fn now(&self) -> (f64, f64) {
        let offset = self.near * self.inverse;
        (
            self.anchor + offset,
            self.squares * self.inverse - offset * offset,
        )
    }

    /// Writes means and variances at the rows of a block behind the first window; false, and nothing has changed, where
    /// rows must be looked at one by one.
    #[inline]
    fn run(&mut self, block: &Block<'_, 1>, means: &mut [f64], variances: &mut [f64]) -> bool {
        let (new, old) = (block.lagged(0, 0), block.lagged(0, self.window));
        let pairs = new.iter().zip(block.lagged(0, 1));
        let equal = pairs.filter(|(a, b)| a == b).count();
        if self.still + equal >= self.window {
            return false;
        }
        let mut moments = *self;
        if moments.left < new.len() || moments.near.is_nan() {
            let sight = &block.since(0, self.window)[..self.window];
            moments.renew(new[0], sight.iter().copied());
        }
        for (((&new, &old), mean), variance) in new.iter().zip(old).zip(means).zip(variances) {
            moments.slide(new, old);
            (*mean, *variance) = moments.now();
        }
        if moments.near.is_nan() || moments.squares.is_nan() {
            return false;
        }
        let mut run = block.since(0, self.still).iter().rev();
        if let Some(last) = run.next() {
            moments.still = 1 + run.take_while(|value| *value == last).count();
            moments.last = *last;
        }
        moments.left -= block.len();
        *self = moments;
        true
    }
}

/// The root of a variance; zero for one that rounding has brought below zero, NaN for NaN.
#[inline]
fn deviation(variance: f64) -> f64 {
    let positive = if variance <= 0.0 { 0.0 } else { variance };
    positive.sqrt()
}

/// Makes deviations of variances, times `multiple`.
#[multiversion(targets("x86_64+avx2"))]
fn deviations(variances: &mut [f64], multiple: f64) {
    for value in variances {
        *value = deviation(*value) * multiple;
    }
}

/// Population standard deviation of a window, times `multiple`.
#[derive(Debug, Clone)]
pub struct StdDev {
    moments: Moments,
    multiple: f64,
}

impl StdDev {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize, multiple: f64) -> Result<Self, Error> {
        Ok(StdDev {
            moments: Moments::new(window("window", length, 2)?),
            multiple,
        })
    }
}

impl Indicator<1, 1> for StdDev {
    fn lookback(&self) -> usize {
        self.moments.window - 1
    }

    fn reach(&self) -> usize {
        self.moments.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        match self.moments.step(rows) {
            Some((_, variance)) => [deviation(variance) * self.multiple],
            None => [NAN],
        }
    }

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
        let first = self.moments.window;
        let Some(block) = after(first, self, block, &mut outputs) else {
            return;
        };
        let ([out], multiple) = (outputs, self.multiple);
        for block in block.pieces(RENEWAL) {
            let from = out.len();
            let values = room(block.len(), out);
            if self.moments.run(&block, &mut [0.0; RENEWAL], values) {
                deviations(values, multiple);
            } else {
                out.truncate(from);
                walk(self, block, [&mut *out]);
            }
        }
    }
}

/// Bollinger bands around the simple average: outputs upper, middle and lower.
#[derive(Debug, Clone)]
pub struct Bbands {
    moments: Moments,
    up: f64,
    down: f64,
}

impl Bbands {
    /// Over `window` rows, `up` and `down` population deviations away.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize, up: f64, down: f64) -> Result<Self, Error> {
        Ok(Bbands {
            moments: Moments::new(window("window", length, 2)?),
            up,
            down,
        })
    }
}

impl Indicator<1, 3> for Bbands {
    fn lookback(&self) -> usize {
        self.moments.window - 1
    }

    fn reach(&self) -> usize {
        self.moments.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 3] {
        match self.moments.step(rows) {
            Some((mean, variance)) => {
                let deviation = deviation(variance);
                [
                    mean + deviation * self.up,
                    mean,
                    mean - deviation * self.down,
                ]
            }
            None => [NAN; 3],
        }
    }

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 3]) {
        let first = self.moments.window;
        let Some(block) = after(first, self, block, &mut outputs) else {
            return;
        };
        let (up, down) = (self.up, self.down);
        let [upper, middle, lower] = outputs;
        let mut spreads = [0.0; RENEWAL];
        for block in block.pieces(RENEWAL) {
            let (from, spreads) = (middle.len(), &mut spreads[..block.len()]);
            let means = room(block.len(), middle);
            if !self.moments.run(&block, means, spreads) {
                middle.truncate(from);
                walk(self, block, [&mut *upper, &mut *middle, &mut *lower]);
                continue;
            }
            deviations(spreads, 1.0);
            let rows = means.iter().zip(&*spreads);
            upper.extend(rows.clone().map(|(mean, spread)| mean + spread * up));
            lower.extend(rows.map(|(mean, spread)| mean - spread * down));
        }
    }
}
