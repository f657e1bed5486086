use super::block::{BLOCK, after, differences, room};
use super::recurrence::Passes;
use super::smooth::Exponential;
use super::{Block, Indicator, Rows, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

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

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(self.0.window, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let mut passes = Passes::new();
        for block in block.pieces(BLOCK) {
            let out = room(block.len(), out);
            self.0.run(block.lagged(0, 0), &mut passes, out);
        }
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

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
        let found = after(self.lookback() + 1, self, block, &mut outputs);
        let Some(block) = found else {
            return;
        };
        let [out] = outputs;
        let (mut averages, mut passes) = ([[0.0; BLOCK]; 2], Passes::new());
        for block in block.pieces(BLOCK) {
            let [first, second] = averages
                .each_mut()
                .map(|average| &mut average[..block.len()]);
            self.0.run(block.lagged(0, 0), &mut passes, first);
            self.1.run(first, &mut passes, second);
            let pairs = first.iter().zip(second);
            out.extend(pairs.map(|(first, second)| 2.0 * *first - *second));
        }
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
        [3.0 * (first - second) + third]
    }

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 1]) {
        let found = after(self.lookback() + 1, self, block, &mut outputs);
        let Some(block) = found else {
            return;
        };
        let [out] = outputs;
        let (mut averages, mut passes) = ([[0.0; BLOCK]; 3], Passes::new());
        for block in block.pieces(BLOCK) {
            let [first, second, third] = averages
                .each_mut()
                .map(|average| &mut average[..block.len()]);
            self.0.run(block.lagged(0, 0), &mut passes, first);
            self.1.run(first, &mut passes, second);
            self.2.run(second, &mut passes, third);
            let triples = first.iter().zip(second).zip(third);
            out.extend(triples.map(|((first, second), third)| 3.0 * (*first - *second) + *third));
        }
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

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 3]) {
        let found = after(self.lookback() + 1, self, block, &mut outputs);
        let Some(block) = found else {
            return;
        };
        let [line, signal, difference] = outputs;
        let (mut averages, mut passes) = ([[0.0; BLOCK]; 3], Passes::new());
        for block in block.pieces(BLOCK) {
            let [fast, slow, average] = averages
                .each_mut()
                .map(|average| &mut average[..block.len()]);
            self.fast.run(block.lagged(0, 0), &mut passes, fast);
            self.slow.run(block.lagged(0, 0), &mut passes, slow);
            let from = line.len();
            differences(fast, slow, line);
            self.signal.run(&line[from..], &mut passes, average);
            signal.extend_from_slice(average);
            differences(&line[from..], average, difference);
        }
    }
}
