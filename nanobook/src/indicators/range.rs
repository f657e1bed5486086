use super::{Indicator, Rows, is_zero, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// The largest of high − low and the two distances from the close before.
#[inline]
pub(super) fn true_range(high: f64, low: f64, before: f64) -> f64 {
    let mut range = high - low;
    let up = (before - high).abs();
    if up > range {
        range = up;
    }
    let down = (before - low).abs();
    if down > range {
        range = down;
    }
    range
}

#[inline]
fn range_now(rows: &impl Rows<3>) -> f64 {
    true_range(rows.at(0, 0), rows.at(1, 0), rows.at(2, 1))
}

/// True range (Wilder 1978) of high, low, close.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrueRange;

impl Indicator<3, 1> for TrueRange {
    fn lookback(&self) -> usize {
        1
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        if rows.index() == 0 {
            return [NAN];
        }
        [range_now(rows)]
    }

    fn fill(&mut self, [high, low, close]: [&[f64]; 3], [out]: [&mut [f64]; 1]) {
        let Some((first, out)) = out.split_first_mut() else {
            return;
        };
        *first = NAN;
        for (((out, &high), &low), &before) in
            out.iter_mut().zip(&high[1..]).zip(&low[1..]).zip(close)
        {
            *out = true_range(high, low, before);
        }
    }
}

/// Average true range of high, low, close: Wilder's average, seeded by the mean of the first window of true ranges.
#[derive(Debug, Clone)]
pub struct Atr {
    window: usize,
    value: f64,
    keep: f64,
    share: f64,
}

impl Atr {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 1)?;
        Ok(Atr {
            window,
            value: 0.0,
            keep: (window as f64 - 1.0) / window as f64,
            share: 1.0 / window as f64,
        })
    }
}

impl Indicator<3, 1> for Atr {
    fn lookback(&self) -> usize {
        self.window
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
        let range = range_now(rows);
        if index > self.window {
            self.value = self.value * self.keep + range * self.share;
            return [self.value];
        }
        self.value += range;
        if index < self.window {
            return [NAN];
        }
        self.value /= self.window as f64;
        [self.value]
    }
}

/// [`Atr`] in percent of the close.
#[derive(Debug, Clone)]
pub struct Natr(Atr);

impl Natr {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 1 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Natr(Atr::new(length)?))
    }
}

impl Indicator<3, 1> for Natr {
    fn lookback(&self) -> usize {
        self.0.window
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        let [range] = self.0.step(rows);
        let close = rows.at(2, 0);
        if is_zero(close) && !range.is_nan() {
            return [0.0];
        }
        [range / close * 100.0]
    }
}
