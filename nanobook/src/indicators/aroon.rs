use super::block::{BLOCK, NEAR, after, anew, any_nan, room, walk};
use super::{Block, Indicator, Rows, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

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
    fn new(window: usize) -> Self {
        Ages {
            window,
            high: 0,
            low: 0,
            blind: 0,
        }
    }

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

/// What `value` makes of the rows since the extreme of each window of `window + 1` values, the newer one of equals: as
/// many as there are values less `window`.
///
/// A window is the tail of one chunk and the head of the next (van Herk 1992, Gil and Werman 1993).
#[inline]
fn ages<const HIGH: bool>(
    window: usize,
    values: &[f64],
    out: &mut [f64],
    value: impl Fn(usize) -> f64,
) {
    let better = |a: f64, b: f64| if HIGH { a > b } else { a < b };
    let span = window + 1;
    // Extremes from a row to the end of its chunk, and where they are.
    let mut tails = [(0.0, 0); NEAR + 1];
    let tails = &mut tails[..span];
    let nexts = values[span..].chunks(span).chain([&[][..]]);
    for ((chunk, next), out) in values
        .chunks_exact(span)
        .zip(nexts)
        .zip(out.chunks_mut(span))
    {
        let mut best = (chunk[window], window);
        for (place, (tail, &x)) in tails.iter_mut().zip(chunk).enumerate().rev() {
            let found = better(x, best.0);
            best = (
                if found { x } else { best.0 },
                if found { place } else { best.1 },
            );
            *tail = best;
        }
        out[0] = value(window - best.1);
        let mut head = (
            if HIGH {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            },
            span,
        );
        let rows = out[1..].iter_mut().zip(next).zip(&tails[1..]);
        for (at, ((out, &x), &tail)) in rows.enumerate() {
            // The newest row is at place span + at, and the window begins at place at + 1.
            let stays = better(head.0, x);
            head = (
                if stays { head.0 } else { x },
                if stays { head.1 } else { span + at },
            );
            let place = if better(tail.0, head.0) {
                tail.1
            } else {
                head.1
            };
            *out = value(span + at - place);
        }
    }
}

/// The inputs of a block from `before` rows before it; none when they hold a NaN.
fn sight<'a>(block: &Block<'a, 2>, before: usize) -> Option<[&'a [f64]; 2]> {
    let inputs = [0, 1].map(|column| block.since(column, before));
    (!inputs.iter().any(|input| any_nan(input))).then_some(inputs)
}

/// Aroon (Chande 1995) of high and low: outputs down and up, 100 for an extreme right now, 0 for one `window` rows ago.
#[derive(Debug, Clone)]
pub struct Aroon(Ages);

/// Aroon up minus Aroon down, of high and low.
#[derive(Debug, Clone)]
pub struct AroonOsc(Ages);

/// 100 for an extreme right now, 0 for one `window` rows ago.
#[inline]
fn freshness(window: usize, age: usize) -> f64 {
    100.0 * ((window - age) as f64 / window as f64)
}

/// The same for every age.
fn percents(window: usize) -> [f64; NEAR + 1] {
    let mut percents = [0.0; NEAR + 1];
    for (age, percent) in percents[..=window].iter_mut().enumerate() {
        *percent = freshness(window, age);
    }
    percents
}

/// By how much the high is fresher than the low.
#[inline]
fn lead(window: usize, low: f64, high: f64) -> f64 {
    100.0 * ((low - high) / window as f64)
}

impl Aroon {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Aroon(Ages::new(window("window", length, 2)?)))
    }
}

impl AroonOsc {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(AroonOsc(Ages::new(window("window", length, 2)?)))
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
            Some((low, high)) => [low, high].map(|age| freshness(n, age)),
            None => [NAN; 2],
        }
    }

    fn fill(&mut self, block: Block<'_, 2>, mut outputs: [&mut Vec<f64>; 2]) {
        let window = self.0.window;
        if window > NEAR {
            walk(self, block, outputs);
            return;
        }
        let Some(block) = after(window, self, block, &mut outputs) else {
            return;
        };
        let [down, up] = outputs;
        let percents = percents(window);
        for block in block.pieces(BLOCK) {
            match sight(&block, window) {
                Some([high, low]) => {
                    ages::<false>(window, low, room(block.len(), down), |age| percents[age]);
                    ages::<true>(window, high, room(block.len(), up), |age| percents[age]);
                }
                None => anew(Aroon(Ages::new(window)), block, [&mut *down, &mut *up]),
            }
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
            Some((low, high)) => [lead(self.0.window, low as f64, high as f64)],
            None => [NAN],
        }
    }

    fn fill(&mut self, block: Block<'_, 2>, mut outputs: [&mut Vec<f64>; 1]) {
        let window = self.0.window;
        if window > NEAR {
            walk(self, block, outputs);
            return;
        }
        let Some(block) = after(window, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let percents = percents(window);
        for block in block.pieces(BLOCK) {
            let Some([high, low]) = sight(&block, window) else {
                anew(AroonOsc(Ages::new(window)), block, [&mut *out]);
                continue;
            };
            let mut lows = [0.0; BLOCK];
            let lows = &mut lows[..block.len()];
            let out = room(block.len(), out);
            ages::<false>(window, low, lows, |age| percents[age]);
            ages::<true>(window, high, out, |age| percents[age]);
            for (out, low) in out.iter_mut().zip(lows) {
                *out -= *low;
            }
        }
    }
}
