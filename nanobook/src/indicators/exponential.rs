use std::array;

use super::block::{BLOCK, after, chunks, room};
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
        let ([out], steps) = (outputs, self.0.steps);
        chunks(
            &mut self.0.value,
            [block.lagged(0, 0)],
            out,
            |y, [x]| steps.four(y, *x),
            |y, [x]| steps.one(y, x),
        );
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
        let ([out], steps) = (outputs, self.0.steps);
        let mut averages = [[0.0; BLOCK]; 2];
        for block in block.pieces(BLOCK) {
            let [first, second] = averages
                .each_mut()
                .map(|average| &mut average[..block.len()]);
            steps.run(&mut self.0.value, block.lagged(0, 0), first);
            steps.run(&mut self.1.value, first, second);
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
        let (keep, share) = (self.0.steps.keep(), self.0.steps.share());
        // Without the share in each step; it is made up for at the end.
        let (square, cube) = (share * share, share * share * share);
        let mut a = self.0.value / share;
        let mut b = self.1.value / square;
        let mut c = self.2.value / cube;
        for block in block.pieces(BLOCK) {
            for (out, &x) in room(block.len(), out).iter_mut().zip(block.lagged(0, 0)) {
                a = keep * a + x;
                b = keep * b + a;
                c = keep * c + b;
                *out = 3.0 * share * a - 3.0 * square * b + cube * c;
            }
        }
        self.0.value = share * a;
        self.1.value = square * b;
        self.2.value = cube * c;
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
        let (fast, slow, steps) = (self.fast.steps, self.slow.steps, self.signal.steps);
        let mut state = [self.fast.value, self.slow.value];
        for block in block.pieces(BLOCK) {
            let from = line.len();
            chunks(
                &mut state,
                [block.lagged(0, 0)],
                line,
                |[a, b], [x]| {
                    let (fast, slow) = (fast.four(a, *x), slow.four(b, *x));
                    array::from_fn(|at| fast[at] - slow[at])
                },
                |[a, b], [x]| fast.one(a, x) - slow.one(b, x),
            );
            chunks(
                &mut self.signal.value,
                [&line[from..]],
                signal,
                |y, [x]| steps.four(y, *x),
                |y, [x]| steps.one(y, x),
            );
            let pairs = line[from..].iter().zip(&signal[from..]);
            difference.extend(pairs.map(|(line, signal)| line - signal));
        }
        [self.fast.value, self.slow.value] = state;
    }
}
