use super::error::{at_least, finite};
use super::random::Random;
use super::{Error, Result};

/// How rows are drawn again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resampling {
    /// Blocks of geometric length with this mean, wrapping around (Politis and Romano 1994).
    Stationary(f64),
    /// Blocks of this length, wrapping around (Politis and Romano 1992).
    Circular(usize),
    /// Blocks of this length that do not wrap (Künsch 1989).
    Moving(usize),
}

/// A statistic with its bootstrap distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// The statistic of the series itself.
    pub estimate: f64,
    /// The statistic of each draw, in order of drawing.
    pub draws: Vec<f64>,
}

impl Bootstrap {
    /// The interval between the percentiles that leave (1 − `confidence`) / 2 on each side, interpolated linearly.
    ///
    /// # Errors
    /// When the confidence is not between 0 and 1, or the statistic of a draw was NaN.
    pub fn interval(&self, confidence: f64) -> Result<(f64, f64)> {
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(Error::Parameter {
                name: "confidence",
                found: confidence,
                wanted: "give a probability between 0 and 1",
            });
        }
        finite("the statistic of a draw", &self.draws)?;
        let mut sorted = self.draws.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let side = (1.0 - confidence) / 2.0;
        Ok((quantile(&sorted, side), quantile(&sorted, 1.0 - side)))
    }

    /// Sample deviation of the draws.
    pub fn standard_error(&self) -> f64 {
        let n = self.draws.len() as f64;
        let mean = self.draws.iter().sum::<f64>() / n;
        (self
            .draws
            .iter()
            .map(|d| (d - mean) * (d - mean))
            .sum::<f64>()
            / (n - 1.0))
            .sqrt()
    }
}

/// Draws the series again `count` times and computes the statistic of each draw. The same seed gives the same draws.
///
/// # Errors
/// When there are fewer than two rows or draws, a value is not finite, or a block is shorter than one row or longer than
/// the series.
///
/// ```
/// use nanobook::stats::{Resampling, bootstrap};
///
/// let returns: Vec<f64> = (0..250).map(|i| f64::from(i * 37 % 101) / 100.0 - 0.5).collect();
/// let mean = |r: &[f64]| r.iter().sum::<f64>() / r.len() as f64;
/// let found = bootstrap(&returns, Resampling::Stationary(10.0), 500, 1, mean)?;
/// let (low, high) = found.interval(0.9)?;
/// assert!(low < found.estimate && found.estimate < high);
/// # Ok::<(), nanobook::stats::Error>(())
/// ```
pub fn bootstrap(
    series: &[f64],
    resampling: Resampling,
    count: usize,
    seed: u64,
    statistic: impl Fn(&[f64]) -> f64,
) -> Result<Bootstrap> {
    at_least("the series", series.len(), 2)?;
    at_least("draws", count, 2)?;
    finite("the series", series)?;
    let n = series.len();
    let (found, fits) = match resampling {
        Resampling::Stationary(mean) => (mean, mean >= 1.0 && mean <= n as f64),
        Resampling::Circular(length) | Resampling::Moving(length) => {
            (length as f64, length >= 1 && length <= n)
        }
    };
    if !fits {
        return Err(Error::Parameter {
            name: "block length",
            found,
            wanted: "give from one row to the length of the series",
        });
    }
    let mut random = Random(seed);
    let mut sample = vec![0.0; n];
    let draws = (0..count)
        .map(|_| {
            draw(series, resampling, &mut random, &mut sample);
            statistic(&sample)
        })
        .collect();
    Ok(Bootstrap {
        estimate: statistic(series),
        draws,
    })
}

fn draw(series: &[f64], resampling: Resampling, random: &mut Random, drawn: &mut [f64]) {
    let n = series.len();
    match resampling {
        Resampling::Stationary(mean) => {
            let mut at = random.below(n);
            for slot in drawn {
                *slot = series[at];
                at = if random.unit() < 1.0 / mean {
                    random.below(n)
                } else {
                    (at + 1) % n
                };
            }
        }
        Resampling::Circular(length) => {
            for block in drawn.chunks_mut(length) {
                let start = random.below(n);
                for (k, slot) in block.iter_mut().enumerate() {
                    *slot = series[(start + k) % n];
                }
            }
        }
        Resampling::Moving(length) => {
            for block in drawn.chunks_mut(length) {
                let start = random.below(n - length + 1);
                block.copy_from_slice(&series[start..start + block.len()]);
            }
        }
    }
}

/// The quantile of sorted values, linear between neighbours as numpy's default.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the length"
    )]
    let low = at.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}
