use multiversion::multiversion;

use super::block::{BLOCK, NEAR, after, anew, any_nan, room, walk};
use super::extreme::{Extreme, Spans, extremes};
use super::momentum::Rsi;
use super::smooth::{Simple, averages};
use super::{Block, Indicator, Rows, is_flat, window};
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
        percent(self.high.push(high), self.low.push(low), close)
    }
}

#[inline]
fn percent(top: f64, bottom: f64, close: f64) -> f64 {
    let percent = 100.0 * (close - bottom) / (top - bottom);
    if is_flat(top - bottom, top.abs() + bottom.abs()) {
        close * 0.0
    } else {
        percent
    }
}

/// The lowest and the highest of windows, and what stands between passes.
struct Channels {
    tops: [f64; BLOCK + NEAR],
    bottoms: [f64; BLOCK + NEAR],
    spans: Spans,
}

impl Channels {
    fn new() -> Self {
        Channels {
            tops: [0.0; BLOCK + NEAR],
            bottoms: [0.0; BLOCK + NEAR],
            spans: [[0.0; BLOCK + NEAR]; 2],
        }
    }

    /// Tops, bottoms and closes of the windows of high, low and close without NaN: as many as rows less `window - 1`.
    #[inline]
    fn of<'a>(&'a mut self, window: usize, [high, low, close]: [&'a [f64]; 3]) -> [&'a [f64]; 3] {
        let rows = high.len() + 1 - window;
        let (tops, bottoms) = (&mut self.tops[..rows], &mut self.bottoms[..rows]);
        extremes::<true>(window, high, &mut self.spans, tops);
        extremes::<false>(window, low, &mut self.spans, bottoms);
        [tops, bottoms, &close[window - 1..]]
    }
}

/// Percent from the lowest.
#[multiversion(targets("x86_64+avx2"))]
fn percents([tops, bottoms, closes]: [&[f64]; 3], out: &mut [f64]) {
    for (((out, &top), &bottom), &close) in out.iter_mut().zip(tops).zip(bottoms).zip(closes) {
        *out = percent(top, bottom, close);
    }
}

/// Appends percent from the highest.
#[multiversion(targets("x86_64+avx2"))]
fn percents_below([tops, bottoms, closes]: [&[f64]; 3], out: &mut Vec<f64>) {
    let rows = tops.iter().zip(bottoms).zip(closes);
    out.extend(rows.map(|((&top, &bottom), &close)| percent_below(top, bottom, close)));
}

/// The inputs of a block from `before` rows before it; none when high or low hold a NaN.
#[inline]
fn sight<'a>(block: &Block<'a, 3>, before: usize) -> Option<[&'a [f64]; 3]> {
    let inputs = [0, 1, 2].map(|column| block.since(column, before));
    (!any_nan(inputs[0]) && !any_nan(inputs[1])).then_some(inputs)
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
        self.channel.window() + self.smooth - 2
    }

    fn anew(&self) -> Self {
        StochF {
            channel: Channel::new(self.channel.window()),
            average: Simple::new(self.smooth),
            smooth: self.smooth,
        }
    }

    /// Appends the values of rows of which the inputs hold [`lookback`](StochF::lookback) more in front.
    #[inline]
    fn run(
        &self,
        inputs: [&[f64]; 3],
        channels: &mut Channels,
        values: &mut [f64; BLOCK + NEAR],
        [fast, mean]: [&mut Vec<f64>; 2],
    ) {
        let values = &mut values[..inputs[0].len() + 1 - self.channel.window()];
        percents(channels.of(self.channel.window(), inputs), values);
        fast.extend_from_slice(&values[self.smooth - 1..]);
        averages(
            self.smooth,
            values,
            room(values.len() + 1 - self.smooth, mean),
        );
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

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 2]) {
        let lookback = StochF::lookback(self);
        if lookback > NEAR {
            walk(self, block, outputs);
            return;
        }
        let Some(block) = after(lookback, self, block, &mut outputs) else {
            return;
        };
        let [fast, mean] = outputs;
        let (mut channels, mut values) = (Channels::new(), [0.0; BLOCK + NEAR]);
        for block in block.pieces(BLOCK) {
            match sight(&block, lookback).filter(|inputs| !any_nan(inputs[2])) {
                Some(inputs) => {
                    self.run(inputs, &mut channels, &mut values, [&mut *fast, &mut *mean]);
                }
                None => anew(self.anew(), block, [&mut *fast, &mut *mean]),
            }
        }
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
        Ok(Self::of([fast_k, slow_k, slow_d]))
    }

    fn of([fast_k, slow_k, slow_d]: [usize; 3]) -> Self {
        Stoch {
            channel: Channel::new(fast_k),
            slow_k: Simple::new(slow_k),
            slow_d: Simple::new(slow_d),
            lookback: fast_k + slow_k + slow_d - 3,
        }
    }

    fn windows(&self) -> [usize; 3] {
        [
            self.channel.window(),
            self.slow_k.window(),
            self.slow_d.window(),
        ]
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

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 2]) {
        if self.lookback > NEAR {
            walk(self, block, outputs);
            return;
        }
        let Some(block) = after(self.lookback, self, block, &mut outputs) else {
            return;
        };
        let [slow, mean] = outputs;
        let [fast_k, slow_k, slow_d] = self.windows();
        let mut channels = Channels::new();
        let (mut fast, mut all) = ([0.0; BLOCK + NEAR], [0.0; BLOCK + NEAR]);
        for block in block.pieces(BLOCK) {
            let found = sight(&block, self.lookback).filter(|inputs| !any_nan(inputs[2]));
            let Some(inputs) = found else {
                anew(Self::of(self.windows()), block, [&mut *slow, &mut *mean]);
                continue;
            };
            let fast = &mut fast[..inputs[0].len() + 1 - fast_k];
            percents(channels.of(fast_k, inputs), fast);
            let all = &mut all[..fast.len() + 1 - slow_k];
            averages(slow_k, fast, all);
            slow.extend_from_slice(&all[slow_d - 1..]);
            averages(slow_d, all, room(block.len(), mean));
        }
    }
}

/// Fast stochastic of the relative strength index: outputs %K and %D.
#[derive(Debug, Clone)]
pub struct StochRsi {
    rsi: Rsi,
    stoch: StochF,
    /// The newest values of the index: as many as the stochastic looks back.
    recent: Vec<f64>,
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
            recent: Vec::new(),
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

    fn fill(&mut self, block: Block<'_, 1>, mut outputs: [&mut Vec<f64>; 2]) {
        let sight = self.stoch.lookback();
        if sight > NEAR {
            walk(self, block, outputs);
            return;
        }
        let first = Indicator::lookback(&self.rsi);
        let (mut values, mut percents) = ([0.0; BLOCK + NEAR], [0.0; BLOCK + NEAR]);
        let mut channels = Channels::new();
        for block in block.pieces(BLOCK) {
            // The index of this block behind what was kept of the block before.
            let left = self.recent.len();
            values[..left].copy_from_slice(&self.recent);
            let head = first.saturating_sub(block.start()).min(block.len());
            let rows = left + block.len() - head;
            self.rsi.exact(&block, &mut values[left..rows + head]);
            values.copy_within(left + head..rows + head, left);
            // From the first NaN on there is nothing else.
            let known = values[..rows].iter().take_while(|v| !v.is_nan()).count();
            let blank = block.len() - rows.saturating_sub(sight);
            let until = outputs[0].len() + block.len();
            let [fast, mean] = &mut outputs;
            for output in [&mut **fast, &mut **mean] {
                output.resize(output.len() + blank, NAN);
            }
            if known > sight {
                let inputs = [&values[..known]; 3];
                self.stoch.run(
                    inputs,
                    &mut channels,
                    &mut percents,
                    [&mut **fast, &mut **mean],
                );
            }
            for output in [fast, mean] {
                output.resize(until, NAN);
            }
            self.recent.clear();
            self.recent
                .extend_from_slice(&values[rows.saturating_sub(sight)..rows]);
        }
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
        [percent_below(top, bottom, rows.at(2, 0))]
    }

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
        let window = self.0.window();
        if window > NEAR {
            walk(self, block, outputs);
            return;
        }
        let Some(block) = after(window, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let mut channels = Channels::new();
        for block in block.pieces(BLOCK) {
            match sight(&block, window - 1) {
                Some(inputs) => percents_below(channels.of(window, inputs), out),
                None => anew(WillR(Channel::new(window)), block, [&mut *out]),
            }
        }
    }
}

/// The same seen from above.
#[inline]
fn percent_below(top: f64, bottom: f64, close: f64) -> f64 {
    let percent = -100.0 * (top - close) / (top - bottom);
    if is_flat(top - bottom, top.abs() + bottom.abs()) {
        close * 0.0
    } else {
        percent
    }
}
