use super::extreme::Extreme;
use super::momentum::Rsi;
use super::smooth::Simple;
use super::{Indicator, Rows, is_flat, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// Where the close lies between the lowest low and the highest high.
#[derive(Debug, Clone)]
struct Channel {
    high: Extreme<true>,
    low: Extreme<false>,
}

impl Channel {
    fn new(window: usize) -> Self {
        Channel {
            high: Extreme::new(window),
            low: Extreme::new(window),
        }
    }

    fn window(&self) -> usize {
        self.high.window()
    }

    /// In percent from the lowest; zero while the channel has no width.
    #[inline]
    fn percent(&mut self, high: f64, low: f64, close: f64) -> f64 {
        let top = self.high.push(high);
        let bottom = self.low.push(low);
        if is_flat(top - bottom, top.abs() + bottom.abs()) {
            return close * 0.0;
        }
        (close - bottom) / ((top - bottom) / 100.0)
    }
}

/// Fast stochastic of high, low, close: outputs %K and its simple average %D.
#[derive(Debug, Clone)]
pub struct StochF {
    channel: Channel,
    average: Simple,
    smooth: usize,
}

impl StochF {
    /// %K over `fast_k` rows, %D over `fast_d`; usually 5 and 3.
    ///
    /// # Errors
    /// When a window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(fast_k: usize, fast_d: usize) -> Result<Self, Error> {
        let smooth = window("fast_d", fast_d, 1)?;
        Ok(StochF {
            channel: Channel::new(window("fast_k", fast_k, 1)?),
            average: Simple::new(smooth),
            smooth,
        })
    }

    #[inline]
    fn push(&mut self, index: usize, high: f64, low: f64, close: f64) -> [f64; 2] {
        let fast = self.channel.percent(high, low, close);
        if index + 1 < self.channel.window() {
            return [NAN; 2];
        }
        match self.average.push(fast) {
            Some(mean) => [fast, mean],
            None => [NAN; 2],
        }
    }

    fn lookback(&self) -> usize {
        self.channel.window() - 1 + self.smooth - 1
    }
}

impl Indicator<3, 2> for StochF {
    fn lookback(&self) -> usize {
        StochF::lookback(self)
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 2] {
        self.push(rows.index(), rows.at(0, 0), rows.at(1, 0), rows.at(2, 0))
    }
}

/// Slow stochastic of high, low, close: outputs the averaged %K and its average %D, both simple.
#[derive(Debug, Clone)]
pub struct Stoch {
    channel: Channel,
    slow_k: Simple,
    slow_d: Simple,
    lookback: usize,
}

impl Stoch {
    /// Usually 5, 3, 3.
    ///
    /// # Errors
    /// When a window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(fast_k: usize, slow_k: usize, slow_d: usize) -> Result<Self, Error> {
        window("fast_k", fast_k, 1)?;
        window("slow_k", slow_k, 1)?;
        window("slow_d", slow_d, 1)?;
        Ok(Stoch {
            channel: Channel::new(fast_k),
            slow_k: Simple::new(slow_k),
            slow_d: Simple::new(slow_d),
            lookback: fast_k + slow_k + slow_d - 3,
        })
    }
}

impl Indicator<3, 2> for Stoch {
    fn lookback(&self) -> usize {
        self.lookback
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 2] {
        let fast = self
            .channel
            .percent(rows.at(0, 0), rows.at(1, 0), rows.at(2, 0));
        if rows.index() + 1 < self.channel.window() {
            return [NAN; 2];
        }
        let Some(slow) = self.slow_k.push(fast) else {
            return [NAN; 2];
        };
        match self.slow_d.push(slow) {
            Some(mean) => [slow, mean],
            None => [NAN; 2],
        }
    }
}

/// Fast stochastic of the relative strength index: outputs %K and %D.
#[derive(Debug, Clone)]
pub struct StochRsi {
    rsi: Rsi,
    stoch: StochF,
}

impl StochRsi {
    /// Usually 14, 5, 3.
    ///
    /// # Errors
    /// When a window is not from 1 (of the index: 2) to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize, fast_k: usize, fast_d: usize) -> Result<Self, Error> {
        Ok(StochRsi {
            rsi: Rsi::new(length)?,
            stoch: StochF::new(fast_k, fast_d)?,
        })
    }
}

impl Indicator<1, 2> for StochRsi {
    fn lookback(&self) -> usize {
        Indicator::lookback(&self.rsi) + self.stoch.lookback()
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 2] {
        let index = rows.index();
        if index == 0 {
            return [NAN; 2];
        }
        let strength = self.rsi.push(index, rows.at(0, 0), rows.at(0, 1));
        let first = Indicator::lookback(&self.rsi);
        if index < first {
            return [NAN; 2];
        }
        self.stoch.push(index - first, strength, strength, strength)
    }
}

/// Williams' %R of high, low, close: 0 at the highest high, −100 at the lowest low; zero while the channel has no width.
#[derive(Debug, Clone)]
pub struct WillR(Channel);

impl WillR {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(WillR(Channel::new(window("window", length, 2)?)))
    }
}

impl Indicator<3, 1> for WillR {
    fn lookback(&self) -> usize {
        self.0.window() - 1
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        let top = self.0.high.push(rows.at(0, 0));
        let bottom = self.0.low.push(rows.at(1, 0));
        if rows.index() + 1 < self.0.window() {
            return [NAN];
        }
        let close = rows.at(2, 0);
        if is_flat(top - bottom, top.abs() + bottom.abs()) {
            return [close * 0.0];
        }
        [(top - close) / ((top - bottom) / -100.0)]
    }
}

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
        let distance = price - mean;
        let scale = price.abs() + mean.abs();
        if is_flat(distance, scale) || is_flat(spread / n, scale) {
            return [0.0];
        }
        [distance / (0.015 * (spread / n))]
    }
}

/// How long ago the extremes of a window were, for Aroon.
#[derive(Debug, Clone)]
struct Ages {
    window: usize,
    high: usize,
    low: usize,
    /// Rows until the newest NaN has left the window.
    blind: usize,
}

impl Ages {
    /// Rows since the lowest low and since the highest high of the last `window + 1` rows; the newer one of equals.
    #[inline]
    fn step(&mut self, rows: &impl Rows<2>) -> Option<(usize, usize)> {
        let index = rows.index();
        if rows.at(0, 0).is_nan() || rows.at(1, 0).is_nan() {
            self.blind = self.window + 1;
        }
        let reach = index.min(self.window);
        if index == 0 {
            return None;
        }
        self.high = Self::track(self.high, reach, |lag| rows.at(0, lag));
        self.low = Self::track(self.low, reach, |lag| -rows.at(1, lag));
        if self.blind > 0 {
            self.blind -= 1;
            return None;
        }
        (index >= self.window).then_some((self.low, self.high))
    }

    #[inline]
    fn track(age: usize, reach: usize, value: impl Fn(usize) -> f64) -> usize {
        let now = value(0);
        let age = age + 1;
        if age <= reach {
            let held = value(age);
            return if now >= held || held.is_nan() { 0 } else { age };
        }
        let (mut best, mut found) = (now, 0);
        for lag in 1..=reach {
            let candidate = value(lag);
            if candidate > best || best.is_nan() {
                (best, found) = (candidate, lag);
            }
        }
        found
    }
}

/// Aroon (Chande 1995) of high and low: outputs down and up, 100 for an extreme right now, 0 for one `window` rows ago.
#[derive(Debug, Clone)]
pub struct Aroon(Ages);

/// Aroon up minus Aroon down, of high and low.
#[derive(Debug, Clone)]
pub struct AroonOsc(Ages);

fn ages(length: usize) -> Result<Ages, Error> {
    Ok(Ages {
        window: window("window", length, 2)?,
        high: 0,
        low: 0,
        blind: 0,
    })
}

impl Aroon {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Aroon(ages(length)?))
    }
}

impl AroonOsc {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(AroonOsc(ages(length)?))
    }
}

impl Indicator<2, 2> for Aroon {
    fn lookback(&self) -> usize {
        self.0.window
    }

    fn reach(&self) -> usize {
        self.0.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<2>) -> [f64; 2] {
        let n = self.0.window;
        match self.0.step(rows) {
            Some((low, high)) => [low, high].map(|age| 100.0 * ((n - age) as f64 / n as f64)),
            None => [NAN; 2],
        }
    }
}

impl Indicator<2, 1> for AroonOsc {
    fn lookback(&self) -> usize {
        self.0.window
    }

    fn reach(&self) -> usize {
        self.0.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<2>) -> [f64; 1] {
        match self.0.step(rows) {
            Some((low, high)) => [100.0 * ((low as f64 - high as f64) / self.0.window as f64)],
            None => [NAN],
        }
    }
}
