use super::range::true_range;
use super::{Indicator, Rows, is_zero, window};
use crate::stats::Error;

const NAN: f64 = f64::NAN;

/// Wilder's running sums of directional movement and true range.
#[derive(Debug, Clone)]
struct Movement {
    window: usize,
    keep: f64,
    plus: f64,
    minus: f64,
    range: f64,
}

impl Movement {
    fn new(length: usize) -> Result<Self, Error> {
        let window = window("window", length, 2)?;
        Ok(Movement {
            window,
            keep: 1.0 - 1.0 / window as f64,
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
        // The larger move counts, and only outside of the range before. A NaN must reach the sums.
        let poison = (up + down) * 0.0;
        let plus = if up > 0.0 && up > down { up } else { poison };
        let minus = if down > 0.0 && up < down {
            down
        } else {
            poison
        };
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
        let (plus, minus) = self.indices()?;
        let total = plus + minus;
        if is_zero(total) {
            return None;
        }
        Some(100.0 * (minus - plus).abs() / total)
    }
}

macro_rules! directional {
    ($(#[$doc:meta])* $name:ident, $self:ident => $value:expr) => {
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
        }
    };
}

directional!(
    /// Positive directional indicator (Wilder 1978) of high, low, close; zero while the range is zero.
    PlusDi, self => self.movement.indices().map_or(0.0, |(plus, _)| plus)
);
directional!(
    /// Negative directional indicator (Wilder 1978) of high, low, close; zero while the range is zero.
    MinusDi, self => self.movement.indices().map_or(0.0, |(_, minus)| minus)
);
directional!(
    /// Directional movement index of high, low, close; keeps its last value while nothing moves.
    Dx, self => self.movement.index().unwrap_or(self.last)
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
}

/// Parabolic stop and reverse (Wilder 1978) of high and low.
///
/// The first direction is down when the second row moves further down than up, else up; the first stop is the first
/// row's extreme.
#[derive(Debug, Clone)]
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
        if self.stop.is_nan() || high.is_nan() || low.is_nan() {
            self.stop = NAN;
            return [NAN];
        }
        let turned = if self.rising {
            low <= self.stop
        } else {
            high >= self.stop
        };
        if turned {
            self.rising = !self.rising;
            self.stop = self.extreme;
            self.factor = self.acceleration;
            self.extreme = if self.rising { high } else { low };
            self.bound(high_before.max(high), low_before.min(low));
        }
        let value = self.stop;
        if !turned
            && (if self.rising {
                high > self.extreme
            } else {
                low < self.extreme
            })
        {
            self.extreme = if self.rising { high } else { low };
            self.factor = (self.factor + self.acceleration).min(self.maximum);
        }
        self.stop += self.factor * (self.extreme - self.stop);
        self.bound(high_before.max(high), low_before.min(low));
        [value]
    }
}

impl Sar {
    /// Keeps the stop out of the range of the last two rows.
    #[inline]
    fn bound(&mut self, high: f64, low: f64) {
        self.stop = if self.rising {
            self.stop.min(low)
        } else {
            self.stop.max(high)
        };
    }
}
