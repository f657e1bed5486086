use super::smooth::Exponential;
use super::{Indicator, Rows, is_zero, window};
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
        self.window - 1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        self.sum += rows.at(0, 0);
        if rows.index() + 1 < self.window {
            return [NAN];
        }
        if self.sum.is_nan() {
            self.sum = (0..self.window).rev().map(|lag| rows.at(0, lag)).sum();
        }
        let mean = self.sum / self.window as f64;
        self.sum -= rows.at(0, self.window - 1);
        [mean]
    }
}

/// Exponential moving average, factor 2 / (window + 1), seeded by the simple average of the first window.
#[derive(Debug, Clone)]
pub struct Ema(Exponential);

impl Ema {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Ema(Exponential::new(window("window", length, 1)?)))
    }
}

impl Indicator<1, 1> for Ema {
    fn lookback(&self) -> usize {
        self.0.window - 1
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        [self.0.push(rows.at(0, 0)).unwrap_or(NAN)]
    }
}

/// Linearly weighted moving average: the newest row weighs `window`, the oldest 1.
#[derive(Debug, Clone)]
pub struct Wma {
    window: usize,
    divider: f64,
    sum: f64,
    weighted: f64,
    /// Rows until the sums are taken anew.
    left: usize,
}

impl Wma {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 1)?;
        Ok(Wma {
            window,
            divider: (window * (window + 1) / 2) as f64,
            sum: 0.0,
            weighted: 0.0,
            left: 0,
        })
    }
}

impl Indicator<1, 1> for Wma {
    fn lookback(&self) -> usize {
        self.window - 1
    }

    fn reach(&self) -> usize {
        self.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        let value = rows.at(0, 0);
        let index = rows.index();
        self.sum += value;
        if index + 1 < self.window {
            return [NAN];
        }
        if self.left == 0 || self.sum.is_nan() {
            // Once a window the sums are taken anew, so that rounding does not collect.
            self.left = self.window;
            self.sum = 0.0;
            self.weighted = 0.0;
            for lag in (0..self.window).rev() {
                let value = rows.at(0, lag);
                self.sum += value;
                self.weighted += value * (self.window - lag) as f64;
            }
        } else {
            self.sum -= rows.at(0, self.window);
            self.weighted += value * self.window as f64;
        }
        self.left -= 1;
        let mean = self.weighted / self.divider;
        // Each row weighs one less in the next window, and the oldest nothing.
        self.weighted -= self.sum;
        [mean]
    }
}

/// Double exponential moving average (Mulloy 1994): 2·EMA − EMA of the EMA.
#[derive(Debug, Clone)]
pub struct Dema(Exponential, Exponential);

impl Dema {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let one = Exponential::new(window("window", length, 1)?);
        Ok(Dema(one.clone(), one))
    }
}

impl Indicator<1, 1> for Dema {
    fn lookback(&self) -> usize {
        2 * (self.0.window - 1)
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        let Some(first) = self.0.push(rows.at(0, 0)) else {
            return [NAN];
        };
        let Some(second) = self.1.push(first) else {
            return [NAN];
        };
        [2.0 * first - second]
    }
}

/// Triple exponential moving average (Mulloy 1994): 3·EMA − 3·EMA² + EMA³.
#[derive(Debug, Clone)]
pub struct Tema(Exponential, Exponential, Exponential);

impl Tema {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let one = Exponential::new(window("window", length, 1)?);
        Ok(Tema(one.clone(), one.clone(), one))
    }
}

impl Indicator<1, 1> for Tema {
    fn lookback(&self) -> usize {
        3 * (self.0.window - 1)
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        let Some(first) = self.0.push(rows.at(0, 0)) else {
            return [NAN];
        };
        let Some(second) = self.1.push(first) else {
            return [NAN];
        };
        let Some(third) = self.2.push(second) else {
            return [NAN];
        };
        [3.0 * first - 3.0 * second + third]
    }
}

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
        const SLOW: f64 = 2.0 / 31.0;
        const FAST: f64 = 2.0 / 3.0;
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
        let net = value - oldest;
        // TA-Lib compares the path with the signed change, so a straight fall goes through the quotient.
        let efficiency = if self.path <= net || is_zero(self.path) {
            1.0
        } else {
            (net / self.path).abs()
        };
        let factor = efficiency * (FAST - SLOW) + SLOW;
        self.value += (value - self.value) * (factor * factor);
        [self.value]
    }
}

/// Moving average convergence and divergence: outputs the line, its signal and their difference.
///
/// Both averages start at the same row, the slow one's first: the fast one is seeded by the simple average of the rows
/// up to there.
#[derive(Debug, Clone)]
pub struct Macd {
    fast: Exponential,
    slow: Exponential,
    signal: Exponential,
}

impl Macd {
    /// Windows of the fast and the slow average and of the signal; fast and slow are swapped when in the wrong order.
    ///
    /// # Errors
    /// When a window is not from 2 (signal: 1) to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(fast: usize, slow: usize, signal: usize) -> Result<Self, Error> {
        let fast = window("fast", fast, 2)?;
        let slow = window("slow", slow, 2)?;
        Ok(Macd {
            fast: Exponential::new(fast.min(slow)),
            slow: Exponential::new(fast.max(slow)),
            signal: Exponential::new(window("signal", signal, 1)?),
        })
    }
}

impl Indicator<1, 3> for Macd {
    fn lookback(&self) -> usize {
        self.slow.window - 1 + self.signal.window - 1
    }

    fn reach(&self) -> usize {
        self.fast.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 3] {
        let value = rows.at(0, 0);
        let Some(slow) = self.slow.push(value) else {
            return [NAN; 3];
        };
        let fast = if rows.index() + 1 == self.slow.window {
            let window = self.fast.window;
            let mean = (0..window).rev().map(|lag| rows.at(0, lag)).sum::<f64>() / window as f64;
            self.fast.seed(mean);
            mean
        } else {
            self.fast.push(value).unwrap_or(NAN)
        };
        let line = fast - slow;
        match self.signal.push(line) {
            Some(signal) => [line, signal, line - signal],
            None => [NAN; 3],
        }
    }
}

/// Mean and variance of a moving window.
///
/// Sums are of distances from an anchor in the window, taken anew once a window, so that the variance keeps its digits
/// also where it is small beside the square of the mean.
#[derive(Debug, Clone)]
struct Moments {
    window: usize,
    inverse: f64,
    sum: f64,
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
            sum: 0.0,
            anchor: 0.0,
            near: 0.0,
            squares: 0.0,
            left: 0,
            still: 0,
            last: f64::NAN,
        }
    }

    /// Mean and population variance of the window that ends now.
    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> Option<(f64, f64)> {
        let value = rows.at(0, 0);
        self.sum += value;
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
        let broken = self.sum.is_nan();
        if broken {
            self.sum = (0..self.window).rev().map(|lag| rows.at(0, lag)).sum();
        }
        let mean = self.sum * self.inverse;
        self.sum -= rows.at(0, self.window - 1);
        if self.left == 0 || broken {
            self.left = self.window;
            self.anchor = value;
            self.near = 0.0;
            self.squares = 0.0;
            for lag in 0..self.window {
                let distance = rows.at(0, lag) - value;
                self.near += distance;
                self.squares += distance * distance;
            }
        } else {
            let new = value - self.anchor;
            let gone = rows.at(0, self.window) - self.anchor;
            self.near += new - gone;
            self.squares += (new - gone) * (new + gone);
        }
        self.left -= 1;
        let offset = self.near * self.inverse;
        Some((mean, self.squares * self.inverse - offset * offset))
    }
}

/// The root of a variance; zero for one that rounding has brought below zero, NaN for NaN.
#[inline]
fn deviation(variance: f64) -> f64 {
    if variance <= 0.0 {
        0.0
    } else {
        variance.sqrt()
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
}

/// End point of the least-squares line through a window.
#[derive(Debug, Clone)]
pub struct LinearReg {
    window: usize,
    /// Sum of the window, and of each row times its distance from the newest.
    sum: f64,
    lagged: f64,
    /// Rows until the sums are taken anew.
    left: usize,
}

impl LinearReg {
    /// Through `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(LinearReg {
            window: window("window", length, 2)?,
            sum: 0.0,
            lagged: 0.0,
            left: 0,
        })
    }
}

impl Indicator<1, 1> for LinearReg {
    fn lookback(&self) -> usize {
        self.window - 1
    }

    fn reach(&self) -> usize {
        self.window
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<1>) -> [f64; 1] {
        let index = rows.index();
        // Every earlier row moves one away from the newest, then the oldest leaves.
        self.lagged += self.sum;
        self.sum += rows.at(0, 0);
        if index >= self.window {
            let gone = rows.at(0, self.window);
            self.sum -= gone;
            self.lagged -= gone * self.window as f64;
        }
        if index + 1 < self.window {
            return [NAN];
        }
        self.left = self.left.wrapping_sub(1);
        if self.left >= self.window || self.lagged.is_nan() {
            // Takes away the rounding that running sums collect, and a NaN that has left the window.
            self.left = self.window;
            self.sum = (0..self.window).map(|lag| rows.at(0, lag)).sum();
            self.lagged = (0..self.window)
                .map(|lag| rows.at(0, lag) * lag as f64)
                .sum();
        }
        // Least squares on the distance from the newest row; the line's value at distance zero.
        let n = self.window as f64;
        let mean_lag = (n - 1.0) / 2.0;
        let spread = n * (n * n - 1.0) / 12.0;
        let slope = (self.lagged - mean_lag * self.sum) / spread;
        [self.sum / n - slope * mean_lag]
    }
}
