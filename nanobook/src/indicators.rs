//! Technical indicators as TA-Lib defines them, in batch, as a stream and over panels.
//!
//! Each indicator is one type with one `step`, so batch and stream cannot differ. [`Indicator::batch`] runs it over
//! columns; [`Stream`] feeds it row by row in memory bounded by its window; [`panel()`] runs it over many symbols on as
//! many threads as it is given.
//!
//! The convention is TA-Lib's (compared with its C library at every index): rows before the first value are NaN, as many
//! as [`Indicator::lookback`] says; exponential averages are seeded by a simple one; Wilder's averages by the mean of
//! their first window; deviations are those of the population; the unstable period is zero.
//!
//! NaN: rows before the first one in which every input is a number are skipped, and the window starts there. A NaN
//! further inside is never replaced by a guess: a window that holds one gives NaN, and what carries its whole past
//! (exponential and Wilder averages, cumulative volume, the parabolic stop) stays NaN from there on. TA-Lib gives numbers
//! after a NaN in some of these cases; ours says that there is none.
//!
//! What many rows go through side by side is compiled for AVX2, too, and that is chosen at run time. No product is fused
//! with a sum, so the values are the same, bit for bit, on every machine.
//!
//! | family | types |
//! |---|---|
//! | averages | [`Sma`] [`Ema`] [`Wma`] [`Dema`] [`Tema`] [`Kama`] [`Macd`] [`Bbands`] [`StdDev`] [`LinearReg`] |
//! | range and direction | [`TrueRange`] [`Atr`] [`Natr`] [`PlusDi`] [`MinusDi`] [`Dx`] [`Adx`] [`Sar`] |
//! | oscillators | [`Rsi`] [`StochRsi`] [`Stoch`] [`StochF`] [`WillR`] [`Cci`] [`Roc`] [`Mom`] [`UltOsc`] [`Aroon`] [`AroonOsc`] |
//! | volume | [`Obv`] [`Ad`] [`AdOsc`] [`Mfi`] |
//!
//! ```
//! use nanobook::indicators::{Indicator, Sma, Stream};
//!
//! let close = [1.0, 2.0, 3.0, 4.0];
//! let [batch] = Sma::new(2)?.batch([&close])?;
//! assert!(batch[0].is_nan());
//! assert_eq!(&batch[1..], &[1.5, 2.5, 3.5]);
//!
//! let mut stream = Stream::new(Sma::new(2)?);
//! assert!(stream.update([1.0])[0].is_nan());
//! assert_eq!(stream.update([2.0]), [1.5]);
//! # Ok::<(), nanobook::stats::Error>(())
//! ```

mod aroon;
mod average;
mod block;
mod commodity;
mod deviation;
mod direction;
mod exponential;
mod extreme;
mod momentum;
mod panel;
mod range;
mod recurrence;
mod smooth;
mod stochastic;
mod ultimate;
mod volume;

pub use aroon::{Aroon, AroonOsc};
pub use average::{Kama, LinearReg, Sma, Wma};
pub use block::Block;
pub use commodity::Cci;
pub use deviation::{Bbands, StdDev};
pub use direction::{Adx, Dx, MinusDi, PlusDi, Sar};
pub use exponential::{Dema, Ema, Macd, Tema};
pub use momentum::{Mom, Roc, Rsi};
pub use panel::panel;
pub use range::{Atr, Natr, TrueRange};
pub use stochastic::{Stoch, StochF, StochRsi, WillR};
pub use ultimate::UltOsc;
pub use volume::{Ad, AdOsc, Mfi, Obv};

use crate::stats::Error;

/// The largest window, TA-Lib's.
pub const MAX_WINDOW: usize = 100_000;

/// The rows up to now, of `I` inputs.
pub trait Rows<const I: usize> {
    /// How many rows came before this one since the first complete row.
    fn index(&self) -> usize;
    /// The value of input `column`, `lag` rows ago.
    fn at(&self, column: usize, lag: usize) -> f64;
}

/// An indicator of `I` inputs and `O` outputs.
pub trait Indicator<const I: usize, const O: usize>: Sized {
    /// Rows that pass before the first value: the length of the NaN head.
    fn lookback(&self) -> usize;

    /// How many rows back [`step`](Indicator::step) may look.
    fn reach(&self) -> usize;

    /// Takes in the newest row; NaN while there are fewer than [`lookback`](Indicator::lookback) rows before it.
    fn step(&mut self, rows: &impl Rows<I>) -> [f64; O];

    /// Appends the values at the rows of a block: those of [`step`](Indicator::step) up to rounding, quicker where there
    /// is a quicker way to many rows than to one. Blocks follow one another from the first row on.
    #[inline]
    fn fill(&mut self, block: Block<'_, I>, outputs: [&mut Vec<f64>; O]) {
        block::walk(self, block, outputs);
    }

    /// The values of whole columns, NaN head included.
    ///
    /// # Errors
    /// When the inputs differ in length.
    fn batch(self, inputs: [&[f64]; I]) -> Result<[Vec<f64>; O], Error> {
        let len = inputs.first().map_or(0, |column| column.len());
        let mut outputs = std::array::from_fn(|_| Vec::with_capacity(len));
        self.append(inputs, outputs.each_mut())?;
        Ok(outputs)
    }

    /// Appends the values of whole columns, NaN head included: for memory that is there already.
    ///
    /// # Errors
    /// When the inputs differ in length.
    fn append(mut self, inputs: [&[f64]; I], mut outputs: [&mut Vec<f64>; O]) -> Result<(), Error> {
        let len = inputs.first().map_or(0, |column| column.len());
        for column in &inputs {
            crate::stats::error::same_length("an input", column.len(), len)?;
        }
        let head = complete(inputs, len);
        for output in &mut outputs {
            output.reserve(len);
            output.resize(output.len() + head, f64::NAN);
        }
        let columns = inputs.map(|column| &column[head..]);
        self.fill(Block::new(columns, 0, len - head), outputs);
        Ok(())
    }
}

/// The first row without a NaN.
fn complete<const I: usize>(inputs: [&[f64]; I], len: usize) -> usize {
    let latest = inputs
        .iter()
        .map(|column| column.iter().position(|v| !v.is_nan()).unwrap_or(len))
        .max()
        .unwrap_or(len);
    (latest..len)
        .find(|&row| inputs.iter().all(|column| !column[row].is_nan()))
        .unwrap_or(len)
}

/// An indicator fed row by row; remembers only the rows that it can still look at.
#[derive(Debug, Clone)]
pub struct Stream<T, const I: usize, const O: usize> {
    indicator: T,
    ring: Ring<I>,
}

#[derive(Debug, Clone)]
struct Ring<const I: usize> {
    rows: Vec<[f64; I]>,
    seen: usize,
}

impl<const I: usize> Rows<I> for Ring<I> {
    #[inline]
    fn index(&self) -> usize {
        self.seen - 1
    }

    #[inline]
    fn at(&self, column: usize, lag: usize) -> f64 {
        self.rows[(self.seen - 1 - lag) & (self.rows.len() - 1)][column]
    }
}

impl<const I: usize, const O: usize, T: Indicator<I, O>> Stream<T, I, O> {
    /// A stream that has seen nothing yet.
    pub fn new(indicator: T) -> Self {
        let size = (indicator.reach() + 1).next_power_of_two();
        Stream {
            indicator,
            ring: Ring {
                rows: vec![[f64::NAN; I]; size],
                seen: 0,
            },
        }
    }

    /// Takes in the next row and gives the values at it; NaN while there are not enough rows.
    pub fn update(&mut self, row: [f64; I]) -> [f64; O] {
        if self.ring.seen == 0 && row.iter().any(|value| value.is_nan()) {
            return [f64::NAN; O];
        }
        let slot = self.ring.seen & (self.ring.rows.len() - 1);
        self.ring.rows[slot] = row;
        self.ring.seen += 1;
        self.indicator.step(&self.ring)
    }

    /// Rows seen since the first complete one.
    pub fn len(&self) -> usize {
        self.ring.seen
    }

    /// Whether no complete row was seen yet.
    pub fn is_empty(&self) -> bool {
        self.ring.seen == 0
    }

    /// Rows that pass before the first value.
    pub fn lookback(&self) -> usize {
        self.indicator.lookback()
    }
}

/// Checks a window's length.
fn window(name: &'static str, length: usize, least: usize) -> Result<usize, Error> {
    if length < least || length > MAX_WINDOW {
        return Err(Error::Parameter {
            name,
            found: length as f64,
            wanted: if least == 1 {
                "from 1 to 100,000 rows are possible"
            } else {
                "from 2 to 100,000 rows are possible"
            },
        });
    }
    Ok(length)
}

/// Whether a quotient by `value` would mean nothing.
#[inline]
fn is_zero(value: f64) -> bool {
    value == 0.0
}

/// Whether a difference is rounding beside the values that it was taken of, as TA-Lib tests it.
#[inline]
fn is_flat(difference: f64, scale: f64) -> bool {
    difference.abs() <= 1e-14 * scale
}
