use super::{Indicator, Rows, is_flat, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// On-balance volume of close and volume, starting at the first row's volume.
#[derive(Debug, Clone, Copy, Default)]
pub struct Obv(f64);

impl Indicator<2, 1> for Obv {
    fn lookback(&self) -> usize {
        0
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<2>) -> [f64; 1] {
        let volume = rows.at(1, 0);
        if rows.index() == 0 {
            self.0 = volume;
            return [volume];
        }
        let (now, before) = (rows.at(0, 0), rows.at(0, 1));
        let sign = f64::from(i8::from(now > before) - i8::from(now < before));
        self.0 += volume * sign;
        [self.0]
    }
}

/// Chaikin's accumulation/distribution line of high, low, close, volume.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ad(f64);

impl Indicator<4, 1> for Ad {
    fn lookback(&self) -> usize {
        0
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<4>) -> [f64; 1] {
        let (high, low, close) = (rows.at(0, 0), rows.at(1, 0), rows.at(2, 0));
        let width = high - low;
        let flow = (close - low - (high - close)) / width * rows.at(3, 0);
        // A row without width adds nothing; a NaN is neither and gets through.
        self.0 += if width <= 0.0 { 0.0 } else { flow };
        [self.0]
    }
}

/// Chaikin's oscillator of high, low, close, volume: fast minus slow exponential average of [`Ad`], both seeded by its
/// first value.
#[derive(Debug, Clone)]
pub struct AdOsc {
    line: Ad,
    lookback: usize,
    factors: [f64; 2],
    averages: [f64; 2],
}

impl AdOsc {
    /// Windows of the fast and the slow average, usually 3 and 10.
    ///
    /// # Errors
    /// When a window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(fast: usize, slow: usize) -> Result<Self, Error> {
        let windows = [window("fast", fast, 2)?, window("slow", slow, 2)?];
        Ok(AdOsc {
            line: Ad::default(),
            lookback: fast.max(slow) - 1,
            factors: windows.map(|n| 2.0 / (n as f64 + 1.0)),
            averages: [0.0; 2],
        })
    }
}

impl Indicator<4, 1> for AdOsc {
    fn lookback(&self) -> usize {
        self.lookback
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<4>) -> [f64; 1] {
        let [line] = self.line.step(rows);
        if rows.index() == 0 {
            self.averages = [line; 2];
        }
        for (average, factor) in self.averages.iter_mut().zip(self.factors) {
            *average = factor * line + (1.0 - factor) * *average;
        }
        if rows.index() < self.lookback {
            return [NAN];
        }
        [self.averages[0] - self.averages[1]]
    }
}

/// Money flow index of high, low, close, volume: the share of volume times typical price that came in while it rose;
/// zero for a window in which no money moved.
#[derive(Debug, Clone)]
pub struct Mfi {
    /// What came in while the price rose and while it fell.
    ring: Vec<[f64; 2]>,
    slot: usize,
    rise: f64,
    fall: f64,
    /// Rows since money last moved.
    still: usize,
}

impl Mfi {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Mfi {
            ring: vec![[0.0; 2]; window("window", length, 2)?],
            slot: 0,
            rise: 0.0,
            fall: 0.0,
            still: 0,
        })
    }
}

impl Indicator<4, 1> for Mfi {
    fn lookback(&self) -> usize {
        self.ring.len()
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<4>) -> [f64; 1] {
        let index = rows.index();
        if index == 0 {
            return [NAN];
        }
        let typical = |lag| (rows.at(0, lag) + rows.at(1, lag) + rows.at(2, lag)) / 3.0;
        let (now, before) = (typical(0), typical(1));
        let change = now - before;
        let still = is_flat(change, now.abs() + before.abs());
        let money = if still { 0.0 } else { now * rows.at(3, 0) };
        let flow = if change < 0.0 {
            [0.0, money]
        } else {
            [money, 0.0]
        };
        let gone = std::mem::replace(&mut self.ring[self.slot], flow);
        self.slot += 1;
        if self.slot == self.ring.len() {
            self.slot = 0;
        }
        self.rise = self.rise - gone[0] + flow[0];
        self.fall = self.fall - gone[1] + flow[1];
        if (self.rise + self.fall).is_nan() {
            self.rise = self.ring.iter().map(|flow| flow[0]).sum();
            self.fall = self.ring.iter().map(|flow| flow[1]).sum();
        }
        self.still = if money == 0.0 { self.still + 1 } else { 0 };
        if self.still >= self.ring.len() {
            // Nothing in the window: what the sums hold is rounding.
            self.rise = 0.0;
            self.fall = 0.0;
        }
        if index < self.ring.len() {
            return [NAN];
        }
        let total = self.rise + self.fall;
        if total <= 0.0 {
            return [0.0];
        }
        [100.0 * (self.rise.max(0.0).min(total) / total)]
    }
}
