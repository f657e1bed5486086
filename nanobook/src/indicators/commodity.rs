use super::block::{BLOCK, NEAR, after, room, walk};
use super::{Block, Indicator, Rows, is_flat, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// Commodity channel index (Lambert 1980) of high, low, close: distance of the typical price from its mean in units of
/// 0.015 mean absolute deviations; zero where there is none.
#[derive(Debug, Clone)]
pub struct Cci {
    ring: Vec<f64>,
    slot: usize,
}

impl Cci {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Cci {
            ring: vec![0.0; window("window", length, 2)?],
            slot: 0,
        })
    }
}

/// The sum of `f(x)` in four lanes.
#[inline]
fn sum_of(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let chunks = values.chunks_exact(4);
    let rest: f64 = chunks.remainder().iter().map(|&v| f(v)).sum();
    let mut lanes = [0.0; 4];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += f(value);
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

impl Indicator<3, 1> for Cci {
    fn lookback(&self) -> usize {
        self.ring.len() - 1
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        let price = (rows.at(0, 0) + rows.at(1, 0) + rows.at(2, 0)) / 3.0;
        self.ring[self.slot] = price;
        self.slot += 1;
        if self.slot == self.ring.len() {
            self.slot = 0;
        }
        if rows.index() + 1 < self.ring.len() {
            return [NAN];
        }
        let n = self.ring.len() as f64;
        let mean = sum_of(&self.ring, |v| v) / n;
        let spread = sum_of(&self.ring, |v| (v - mean).abs());
        [value(price, mean, spread / n)]
    }

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
        let window = self.ring.len();
        if window > NEAR {
            walk(self, block, outputs);
            return;
        }
        let Some(block) = after(window, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let mut prices = [0.0; BLOCK + NEAR];
        for block in block.pieces(BLOCK) {
            let [high, low, close] = [0, 1, 2].map(|column| block.since(column, window - 1));
            let prices = &mut prices[..high.len()];
            for (((price, high), low), close) in prices.iter_mut().zip(high).zip(low).zip(close) {
                *price = (high + low + close) / 3.0;
            }
            let (fours, rest) = room(block.len(), out).as_chunks_mut::<4>();
            let done = 4 * fours.len();
            for (at, out) in fours.iter_mut().enumerate() {
                *out = distances(window, &prices[4 * at..]);
            }
            for (at, out) in rest.iter_mut().enumerate() {
                [*out] = distances(window, &prices[done + at..]);
            }
        }
    }
}

/// The values of `N` rows side by side, of prices from the first one's window on.
#[inline]
fn distances<const N: usize>(window: usize, prices: &[f64]) -> [f64; N] {
    let n = window as f64;
    let (mut means, mut spreads) = ([0.0; N], [0.0; N]);
    for prices in prices.array_windows::<N>().take(window) {
        for (mean, price) in means.iter_mut().zip(prices) {
            *mean += price;
        }
    }
    for mean in &mut means {
        *mean /= n;
    }
    for prices in prices.array_windows::<N>().take(window) {
        for ((spread, price), mean) in spreads.iter_mut().zip(prices).zip(&means) {
            *spread += (price - mean).abs();
        }
    }
    let now = &prices[window - 1..];
    std::array::from_fn(|row| value(now[row], means[row], spreads[row] / n))
}

/// The distance in units of the spread.
#[inline]
fn value(price: f64, mean: f64, spread: f64) -> f64 {
    let distance = price - mean;
    let scale = price.abs() + mean.abs();
    let value = distance / (0.015 * spread);
    if is_flat(distance, scale) | is_flat(spread, scale) {
        0.0
    } else {
        value
    }
}
