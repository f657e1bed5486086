use multiversion::multiversion;

use super::block::{BLOCK, after, any_nan, room, walk};
use super::range::{true_range, true_ranges};
use super::recurrence::{Passes, Recurrence};
use super::{Block, Indicator, Rows, is_zero, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// Movement up and down: the larger one counts, and only outside of the range before. A NaN must reach the sums.
#[inline]
fn moves(up: f64, down: f64) -> (f64, f64) {
    let poison = (up + down) * 0.0;
    let plus = if up > 0.0 && up > down { up } else { poison };
    let minus = if down > 0.0 && up < down {
        down
    } else {
        poison
    };
    (plus, minus)
}

/// Wilder's running sums of directional movement and true range.
#[derive(Debug, Clone, Copy)]
struct Movement {
    window: usize,
    keep: f64,
    steps: Recurrence,
    plus: f64,
    minus: f64,
    range: f64,
}

impl Movement {
    fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 2)?;
        let keep = 1.0 - 1.0 / window as f64;
        Ok(Movement {
            window,
            keep,
            steps: Recurrence::new(keep, 1.0),
            plus: 0.0,
            minus: 0.0,
            range: 0.0,
        })
    }

    /// Whether the sums hold a whole window.
    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> bool {
        let index = rows.index();
        if index == 0 {
            return false;
        }
        let (high, low) = (rows.at(0, 0), rows.at(1, 0));
        let up = high - rows.at(0, 1);
        let down = rows.at(1, 1) - low;
        let range = true_range(high, low, rows.at(2, 1));
        let full = index >= self.window;
        let keep = if full { self.keep } else { 1.0 };
        let (plus, minus) = moves(up, down);
        self.plus = self.plus * keep + plus;
        self.minus = self.minus * keep + minus;
        self.range = self.range * keep + range;
        full
    }

    /// +DI and −DI; none while the range is zero.
    #[inline]
    fn indices(&self) -> Option<(f64, f64)> {
        if is_zero(self.range) {
            return None;
        }
        let scale = 100.0 / self.range;
        Some((self.plus * scale, self.minus * scale))
    }

    /// The directional index; none where there is no movement.
    #[inline]
    fn index(&self) -> Option<f64> {
        let index = directional_index(self.plus, self.minus, self.range);
        (index >= 0.0 || index.is_nan()).then_some(index)
    }

    /// The sums of movement up, down and range at each row of a block of a movement that holds a window.
    #[inline]
    fn run(&mut self, block: &Block<'_, 3>, terms: &mut Terms, sums: [&mut [f64]; 3]) {
        let Terms { steps, passes } = terms;
        let [plus, minus, range] = steps.each_mut().map(|step| &mut step[..block.len()]);
        let (high, low) = (block.lagged(0, 0), block.lagged(1, 0));
        all_moves(
            [high, low],
            [block.lagged(0, 1), block.lagged(1, 1)],
            plus,
            minus,
        );
        true_ranges(block, range);
        let state = [&mut self.plus, &mut self.minus, &mut self.range];
        for ((state, steps), sums) in state.into_iter().zip([plus, minus, range]).zip(sums) {
            self.steps.run(state, steps, passes, sums);
        }
    }
}

/// What a block adds to the sums, and what stands between passes.
struct Terms {
    steps: [[f64; BLOCK]; 3],
    passes: Passes,
}

impl Terms {
    fn new() -> Self {
        Terms {
            steps: [[0.0; BLOCK]; 3],
            passes: Passes::new(),
        }
    }
}

/// Movement up and down of rows of high and low.
#[multiversion(targets("x86_64+avx2"))]
fn all_moves(now: [&[f64]; 2], before: [&[f64]; 2], plus: &mut [f64], minus: &mut [f64]) {
    for (((((plus, minus), high), low), high_before), low_before) in plus
        .iter_mut()
        .zip(minus)
        .zip(now[0])
        .zip(now[1])
        .zip(before[0])
        .zip(before[1])
    {
        (*plus, *minus) = moves(high - high_before, low_before - low);
    }
}

/// The directional index of sums; −1 where there is no movement.
#[inline]
fn directional_index(plus: f64, minus: f64, range: f64) -> f64 {
    let scale = 100.0 / range;
    let (plus, minus) = (plus * scale, minus * scale);
    let total = plus + minus;
    let index = 100.0 * (minus - plus).abs() / total;
    if is_zero(range) | is_zero(total) {
        -1.0
    } else {
        index
    }
}

#[inline]
fn share(movement: f64, range: f64) -> f64 {
    let share = movement * (100.0 / range);
    if is_zero(range) { 0.0 } else { share }
}

macro_rules! directional {
    ($(#[$doc:meta])* $name:ident, $self:ident => $value:expr, $of_sums:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            movement: Movement,
            last: f64,
        }

        impl $name {
            /// Over `window` rows.
            ///
            /// # Errors
            /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
            pub fn new(length: usize) -> Result<Self, Error> {
                Ok($name {
                    movement: Movement::new(length)?,
                    last: 0.0,
                })
            }
        }

        impl Indicator<3, 1> for $name {
            fn lookback(&self) -> usize {
                self.movement.window
            }

            fn reach(&self) -> usize {
                1
            }

            #[inline]
            fn step(&mut $self, rows: &impl Rows<3>) -> [f64; 1] {
                if !$self.movement.step(rows) {
                    return [NAN];
                }
                $self.last = $value;
                [$self.last]
            }

            fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
                let first = self.movement.window + 1;
                let Some(block) = after(first, self, block, &mut outputs) else {
                    return;
                };
                let [out] = outputs;
                let (mut sums, mut terms) = ([[0.0; BLOCK]; 3], Terms::new());
                for block in block.pieces(BLOCK) {
                    self.movement
                        .run(&block, &mut terms, sums.each_mut().map(|sum| &mut sum[..]));
                    let [plus, minus, range] = &sums;
                    let mut last = self.last;
                    let rows = plus[..block.len()].iter().zip(minus).zip(range);
                    out.extend(rows.map(|((&plus, &minus), &range)| {
                        last = $of_sums(plus, minus, range, last);
                        last
                    }));
                    self.last = last;
                }
            }
        }
    };
}

directional!(
    /// Positive directional indicator (Wilder 1978) of high, low, close; zero while the range is zero.
    PlusDi, self => self.movement.indices().map_or(0.0, |(plus, _)| plus),
    |plus: f64, _, range: f64, _| share(plus, range)
);
directional!(
    /// Negative directional indicator (Wilder 1978) of high, low, close; zero while the range is zero.
    MinusDi, self => self.movement.indices().map_or(0.0, |(_, minus)| minus),
    |_, minus: f64, range: f64, _| share(minus, range)
);
directional!(
    /// Directional movement index of high, low, close; keeps its last value while nothing moves.
    Dx, self => self.movement.index().unwrap_or(self.last),
    |plus, minus, range, last| {
        let index = directional_index(plus, minus, range);
        if index < 0.0 { last } else { index }
    }
);

/// Average directional movement index of high, low, close: Wilder's average of [`Dx`], seeded by its first mean.
#[derive(Debug, Clone)]
pub struct Adx {
    movement: Movement,
    value: f64,
}

impl Adx {
    /// Over `window` rows.
    ///
    /// # Errors
    /// When the window is not from 2 to [`MAX_WINDOW`](super::MAX_WINDOW).
    pub fn new(length: usize) -> Result<Self, Error> {
        Ok(Adx {
            movement: Movement::new(length)?,
            value: 0.0,
        })
    }
}

impl Indicator<3, 1> for Adx {
    fn lookback(&self) -> usize {
        2 * self.movement.window - 1
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<3>) -> [f64; 1] {
        if !self.movement.step(rows) {
            return [NAN];
        }
        let index = rows.index();
        let last = self.lookback();
        let n = self.movement.window as f64;
        let dx = self.movement.index();
        if index > last {
            if let Some(dx) = dx {
                let keep = self.movement.keep;
                self.value = self.value * keep + dx * (1.0 - keep);
            }
            return [self.value];
        }
        self.value += dx.unwrap_or(0.0);
        if index < last {
            return [NAN];
        }
        self.value /= n;
        [self.value]
    }

    fn fill(&mut self, block: Block<'_, 3>, mut outputs: [&mut Vec<f64>; 1]) {
        let found = after(self.lookback() + 1, self, block, &mut outputs);
        let Some(block) = found else {
            return;
        };
        let [out] = outputs;
        let keep = self.movement.keep;
        let average = Recurrence::new(keep, 1.0 - keep);
        let (mut sums, mut terms) = ([[0.0; BLOCK]; 3], Terms::new());
        let mut indices = [0.0; BLOCK];
        for block in block.pieces(BLOCK) {
            let before = self.movement;
            self.movement
                .run(&block, &mut terms, sums.each_mut().map(|sum| &mut sum[..]));
            let indices = &mut indices[..block.len()];
            if directional_indices(&sums, indices) {
                // Rows without an index are passed over.
                self.movement = before;
                walk(self, block, [&mut *out]);
                continue;
            }
            let values = room(block.len(), out);
            average.run(&mut self.value, indices, &mut terms.passes, values);
        }
    }
}

/// The directional indices of sums; whether a row has none.
#[multiversion(targets("x86_64+avx2"))]
fn directional_indices([plus, minus, range]: &[[f64; BLOCK]; 3], out: &mut [f64]) -> bool {
    let mut still = false;
    for (((out, &plus), &minus), &range) in out.iter_mut().zip(plus).zip(minus).zip(range) {
        *out = directional_index(plus, minus, range);
        still |= *out < 0.0;
    }
    still
}

/// Parabolic stop and reverse (Wilder 1978) of high and low.
///
/// The first direction is down when the second row moves further down than up, else up; the first stop is the first
/// row's extreme.
#[derive(Debug, Clone, Copy)]
pub struct Sar {
    acceleration: f64,
    maximum: f64,
    rising: bool,
    factor: f64,
    extreme: f64,
    stop: f64,
}

impl Sar {
    /// With the step and the maximum of the acceleration factor, usually 0.02 and 0.2.
    ///
    /// # Errors
    /// When one of them is negative or not a number.
    pub fn new(acceleration: f64, maximum: f64) -> Result<Self, Error> {
        for (name, found) in [("acceleration", acceleration), ("maximum", maximum)] {
            if !(found >= 0.0 && found.is_finite()) {
                return Err(Error::Parameter {
                    name,
                    found,
                    wanted: "give zero or a positive number",
                });
            }
        }
        let acceleration = acceleration.min(maximum);
        Ok(Sar {
            acceleration,
            maximum,
            rising: true,
            factor: acceleration,
            extreme: 0.0,
            stop: 0.0,
        })
    }
}

impl Indicator<2, 1> for Sar {
    fn lookback(&self) -> usize {
        1
    }

    fn reach(&self) -> usize {
        1
    }

    #[inline]
    fn step(&mut self, rows: &impl Rows<2>) -> [f64; 1] {
        let index = rows.index();
        if index == 0 {
            return [NAN];
        }
        let (high, low) = (rows.at(0, 0), rows.at(1, 0));
        let (mut high_before, mut low_before) = (rows.at(0, 1), rows.at(1, 1));
        if index == 1 {
            let up = high - high_before;
            let down = low_before - low;
            self.rising = !(down > 0.0 && up < down);
            (self.extreme, self.stop) = if self.rising {
                (high, low_before)
            } else {
                (low, high_before)
            };
            // The first stop may not be bounded by the row that set it.
            (high_before, low_before) = (high, low);
        }
        [self.advance([high, low, high_before, low_before])]
    }

    fn fill(&mut self, block: Block<'_, 2>, mut outputs: [&mut Vec<f64>; 1]) {
        let Some(block) = after(2, self, block, &mut outputs) else {
            return;
        };
        let [out] = outputs;
        let mut stops = [0.0; BLOCK];
        for block in block.pieces(BLOCK) {
            let [high, low] = [0, 1].map(|column| block.since(column, 1));
            if self.stop.is_nan() || any_nan(high) || any_nan(low) {
                walk(self, block, [&mut *out]);
                continue;
            }
            let mut sar = *self;
            let rows = high[1..].iter().zip(&low[1..]).zip(high).zip(low);
            for (out, (((&high, &low), &high_before), &low_before)) in stops.iter_mut().zip(rows) {
                *out = sar.turn([high, low, high_before, low_before]);
            }
            out.extend_from_slice(&stops[..block.len()]);
            *self = sar;
        }
    }
}

impl Sar {
    /// The stop of a row, and what it becomes for the next; rows come as high, low and those of the row before.
    #[inline]
    fn advance(&mut self, rows: [f64; 4]) -> f64 {
        let [high, low, ..] = rows;
        if self.stop.is_nan() || high.is_nan() || low.is_nan() {
            self.stop = NAN;
            return NAN;
        }
        self.turn(rows)
    }

    /// The same without NaN.
    #[inline]
    fn turn(&mut self, [high, low, high_before, low_before]: [f64; 4]) -> f64 {
        let (top, bottom) = (larger(high_before, high), smaller(low_before, low));
        let faster = smaller(self.factor + self.acceleration, self.maximum);
        let value = self.stop;
        if self.rising {
            if low > value {
                self.factor = if high > self.extreme {
                    faster
                } else {
                    self.factor
                };
                self.extreme = larger(high, self.extreme);
                self.stop = smaller(value + self.factor * (self.extreme - value), bottom);
                return value;
            }
            self.rising = false;
            let value = larger(self.extreme, top);
            self.factor = self.acceleration;
            self.extreme = low;
            self.stop = larger(value + self.factor * (low - value), top);
            return value;
        }
        if high < value {
            self.factor = if low < self.extreme {
                faster
            } else {
                self.factor
            };
            self.extreme = smaller(low, self.extreme);
            self.stop = larger(value + self.factor * (self.extreme - value), top);
            return value;
        }
        self.rising = true;
        let value = smaller(self.extreme, bottom);
        self.factor = self.acceleration;
        self.extreme = high;
        self.stop = smaller(value + self.factor * (high - value), bottom);
        value
    }
}

/// The larger of two numbers, of which none is NaN.
#[inline]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The smaller of two numbers, of which none is NaN.
#[inline]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}
