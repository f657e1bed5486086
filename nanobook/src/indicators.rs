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

mod average;
mod direction;
mod extreme;
mod momentum;
mod oscillator;
mod panel;
mod range;
mod smooth;
mod volume;

pub use average::{Bbands, Dema, Ema, Kama, LinearReg, Macd, Sma, StdDev, Tema, Wma};
pub use direction::{Adx, Dx, MinusDi, PlusDi, Sar};
pub use momentum::{Mom, Roc, Rsi, UltOsc};
pub use oscillator::{Aroon, AroonOsc, Cci, Stoch, StochF, StochRsi, WillR};
pub use panel::panel;
pub use range::{Atr, Natr, TrueRange};
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

    /// Writes the values of whole columns, which are of one length and start with a complete row.
    ///
    /// # Panics
    /// When the lengths of the columns differ.
    #[inline]
    fn fill(&mut self, inputs: [&[f64]; I], mut outputs: [&mut [f64]; O]) {
        let len = inputs.first().map_or(0, |column| column.len());
        assert!(inputs.iter().all(|column| column.len() == len));
        assert!(outputs.iter().all(|column| column.len() == len));
        for index in 0..len {
            let values = self.step(&Columns { inputs, index });
            for (output, value) in outputs.iter_mut().zip(values) {
                output[index] = value;
            }
        }
    }

    /// The values of whole columns, NaN head included.
    ///
    /// # Errors
    /// When the inputs differ in length.
    fn batch(mut self, inputs: [&[f64]; I]) -> Result<[Vec<f64>; O], Error> {
        let len = inputs.first().map_or(0, |column| column.len());
        let mut outputs = std::array::from_fn(|_| vec![0.0; len]);
        run(&mut self, inputs, outputs.each_mut().map(Vec::as_mut_slice))?;
        Ok(outputs)
    }
}

/// Runs an indicator over columns that may start with NaN.
pub(crate) fn run<const I: usize, const O: usize>(
    indicator: &mut impl Indicator<I, O>,
    inputs: [&[f64]; I],
    outputs: [&mut [f64]; O],
) -> Result<(), Error> {
    let len = inputs.first().map_or(0, |column| column.len());
    for column in &inputs {
        crate::stats::error::same_length("an input", column.len(), len)?;
    }
    let head = inputs
        .iter()
        .map(|column| column.iter().position(|v| !v.is_nan()).unwrap_or(len))
        .max()
        .unwrap_or(len);
    let head = (head..len)
        .find(|&row| inputs.iter().all(|column| !column[row].is_nan()))
        .unwrap_or(len);
    let tails = outputs.map(|output| {
        let (before, tail) = output.split_at_mut(head);
        before.fill(f64::NAN);
        tail
    });
    indicator.fill(inputs.map(|column| &column[head..]), tails);
    Ok(())
}

/// Rows of borrowed columns.
struct Columns<'a, const I: usize> {
    inputs: [&'a [f64]; I],
    index: usize,
}

impl<const I: usize> Rows<I> for Columns<'_, I> {
    #[inline]
    fn index(&self) -> usize {
        self.index
    }

    #[inline]
    fn at(&self, column: usize, lag: usize) -> f64 {
        self.inputs[column][self.index - lag]
    }
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
