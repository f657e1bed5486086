use std::array;

use multiversion::multiversion;

use super::block::{BLOCK, NEAR, after, anew, any_nan, chunks, differences, room, walk};
use super::recurrence::{Passes, Recurrence};
use super::{Block, Indicator, Rows, is_flat, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// On-balance volume of close and volume, starting at the first row's volume.
#[derive(Debug, Clone, Copy, Default)]
pub struct Obv(f64);

#[inline]
fn signed(volume: f64, now: f64, before: f64) -> f64 {
    // What cannot be compared holds a NaN.
    let still = if now >= before { volume * 0.0 } else { NAN };
    let fallen = if now < before { -volume } else { still };
    if now > before { volume } else { fallen }
}

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
        self.0 += signed(volume, now, before);
        [self.0]
    }

    fn fill(&mut self, block: Block<'_, 2>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(1, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        for block in block.pieces(BLOCK) {
            let (now, before) = (block.lagged(0, 0), block.lagged(0, 1));
            let out = room(block.len(), out);
            for (((out, &volume), &now), &before) in
                out.iter_mut().zip(block.lagged(1, 0)).zip(now).zip(before)
            {
                *out = signed(volume, now, before);
            }
            let mut sum = self.0;
            for out in out {
                sum += *out;
                *out = sum;
            }
            self.0 = sum;
        }
    }
}

/// Chaikin's accumulation/distribution line of high, low, close, volume.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ad(f64);

/// What a row adds to the line.
#[inline]
fn flow(high: f64, low: f64, close: f64, volume: f64) -> f64 {
    let width = high - low;
    let flow = (close - low - (high - close)) / width * volume;
    // A row without width adds nothing; a NaN gets through.
    if width <= 0.0 {
        0.0 * close * volume
    } else {
        flow
    }
}

impl Indicator<4, 1> for Ad {
    fn lookback(&self) -> usize {
        0
    }

    fn reach(&self) -> usize {
        0
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<4>) -> [f64; 1] {
        self.0 += flow(rows.at(0, 0), rows.at(1, 0), rows.at(2, 0), rows.at(3, 0));
        [self.0]
    }

    fn fill(&mut self, block: Block<'_, 4>, outputs: [&mut Vec<f64>; 1]) {
        chunks(
            &mut self.0,
            [0, 1, 2, 3].map(|column| block.lagged(column, 0)),
            outputs[0],
            |line, [high, low, close, volume]| {
                let added: [f64; 4] =
                    array::from_fn(|at| flow(high[at], low[at], close[at], volume[at]));
                let pair = added[0] + added[1];
                let sums = [
                    added[0],
                    pair,
                    pair + added[2],
                    pair + (added[2] + added[3]),
                ];
                let lines = sums.map(|sum| *line + sum);
                *line = lines[3];
                lines
            },
            |line, [high, low, close, volume]| {
                *line += flow(high, low, close, volume);
                *line
            },
        );
    }
}

/// What each row adds to the line.
#[multiversion(targets("x86_64+avx2"))]
fn flows_of([high, low, close, volume]: [&[f64]; 4], out: &mut [f64]) {
    for ((((out, &high), &low), &close), &volume) in
        out.iter_mut().zip(high).zip(low).zip(close).zip(volume)
    {
        *out = flow(high, low, close, volume);
    }
}

/// Chaikin's oscillator of high, low, close, volume: fast minus slow exponential average of [`Ad`], both seeded by its
/// first value.
///
/// What is carried is how far the line is ahead of each average, which has all its digits however large the line grows.
#[derive(Debug, Clone)]
pub struct AdOsc {
    lookback: usize,
    fast: Recurrence,
    slow: Recurrence,
    ahead: [f64; 2],
}

impl AdOsc {
    /// Windows of the fast and the slow average, usually 3 and 10.
    ///
    /// # Errors
    /// When a window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(fast: usize, slow: usize) -> Result<Self, Error> {
        let windows = [window("fast", fast, 2)?, window("slow", slow, 2)?];
        let [fast_steps, slow_steps] = windows.map(|n| {
            let keep = 1.0 - 2.0 / (n as f64 + 1.0);
            Recurrence::new(keep, keep)
        });
        Ok(AdOsc {
            lookback: fast.max(slow) - 1,
            fast: fast_steps,
            slow: slow_steps,
            ahead: [0.0; 2],
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
        if rows.index() > 0 {
            let flow = flow(rows.at(0, 0), rows.at(1, 0), rows.at(2, 0), rows.at(3, 0));
            self.fast.one(&mut self.ahead[0], flow);
            self.slow.one(&mut self.ahead[1], flow);
        }
        if rows.index() < self.lookback {
            return [NAN];
        }
        [self.ahead[1] - self.ahead[0]]
    }

    fn fill(&mut self, block: Block<'_, 4>, mut outputs: [&mut Vec<f64>; 1]) {
        let first = self.lookback.max(1);
        let Some(block) = after(first, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let (mut flows, mut ahead) = ([0.0; BLOCK], [[0.0; BLOCK]; 2]);
        let mut passes = Passes::new();
        for block in block.pieces(BLOCK) {
            let flows = &mut flows[..block.len()];
            flows_of([0, 1, 2, 3].map(|column| block.lagged(column, 0)), flows);
            let [fast, slow] = ahead.each_mut().map(|ahead| &mut ahead[..block.len()]);
            self.fast.run(&mut self.ahead[0], flows, &mut passes, fast);
            self.slow.run(&mut self.ahead[1], flows, &mut passes, slow);
            differences(slow, fast, out);
        }
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
        Ok(Self::of(window("window", length, 2)?))
    }

    fn of(window: usize) -> Self {
        Mfi {
            ring: vec![[0.0; 2]; window],
            slot: 0,
            rise: 0.0,
            fall: 0.0,
            still: 0,
        }
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
        let typical = |lag| typical(rows.at(0, lag), rows.at(1, lag), rows.at(2, lag));
        let flow = money(typical(0), typical(1), rows.at(3, 0));
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
        let nothing = flow[0] == 0.0 && flow[1] == 0.0;
        self.still = if nothing { self.still + 1 } else { 0 };
        if self.still >= self.ring.len() {
            // Nothing in the window: what the sums hold is rounding.
            self.rise = 0.0;
            self.fall = 0.0;
        }
        if index < self.ring.len() {
            return [NAN];
        }
        [index_of(self.rise, self.fall)]
    }

    fn fill(&mut self, block: Block<'_, 4>, mut outputs: [&mut Vec<f64>; 1]) {
        let window = self.ring.len();
        if window > NEAR {
            walk(self, block, outputs);
            return;
        }
        let Some(block) = after(window + 1, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        for block in block.pieces(BLOCK) {
            let from = out.len();
            if !run(window, &block, room(block.len(), out)) {
                out.truncate(from);
                anew(Mfi::of(window), block, [&mut *out]);
            }
        }
    }
}

/// What money came in while the price rose, and while it fell.
#[inline]
fn money(now: f64, before: f64, volume: f64) -> [f64; 2] {
    let change = now - before;
    let money = now * volume;
    let still = is_flat(change, now.abs() + before.abs());
    let money = if still { 0.0 } else { money };
    let fall = if change < 0.0 { money } else { 0.0 };
    let rise = if change < 0.0 { 0.0 } else { money };
    [rise, fall]
}

#[inline]
fn index_of(rise: f64, fall: f64) -> f64 {
    let total = rise + fall;
    let rise = if rise < 0.0 { 0.0 } else { rise };
    let rise = if rise > total { total } else { rise };
    let index = 100.0 * (rise / total);
    if total <= 0.0 { 0.0 } else { index }
}

/// Writes the values of a block behind the first window; false where a window may hold a NaN or no money.
#[inline]
fn run(window: usize, block: &Block<'_, 4>, out: &mut [f64]) -> bool {
    let rows = window + block.len();
    let (mut prices, mut flows) = ([0.0; BLOCK + NEAR + 1], [[0.0; BLOCK + NEAR]; 2]);
    let [high, low, close] = [0, 1, 2].map(|column| block.since(column, window + 1));
    for (((price, &high), &low), &close) in prices.iter_mut().zip(high).zip(low).zip(close) {
        *price = typical(high, low, close);
    }
    let [rises, falls] = flows.each_mut().map(|flow| &mut flow[..rows]);
    for ((((rise, fall), &volume), &now), &before) in rises
        .iter_mut()
        .zip(&mut *falls)
        .zip(block.since(3, window))
        .zip(&prices[1..])
        .zip(&prices)
    {
        [*rise, *fall] = money(now, before, volume);
    }
    let still = rises.iter().zip(&*falls).filter(|(a, b)| **a + **b == 0.0);
    if still.count() >= window || any_nan(rises) || any_nan(falls) {
        return false;
    }
    let [mut rise, mut fall] = [&rises, &falls].map(|flows| flows[..window].iter().sum::<f64>());
    for ((((out, rise_old), fall_old), rise_new), fall_new) in out
        .iter_mut()
        .zip(&*rises)
        .zip(&*falls)
        .zip(&rises[window..])
        .zip(&falls[window..])
    {
        rise = rise - rise_old + rise_new;
        fall = fall - fall_old + fall_new;
        *out = index_of(rise, fall);
    }
    true
}

#[inline]
fn typical(high: f64, low: f64, close: f64) -> f64 {
    (high + low + close) / 3.0
}
