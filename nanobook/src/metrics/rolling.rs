//! Numbers over a moving window, in time that does not depend on its length.

use super::{Basis, ratio};

/// Sums of the last values of two series, computed anew once for each window's length so that rounding can't pile up.
struct Window<'a> {
    a: &'a [f64],
    b: &'a [f64],
    len: usize,
    /// Values are taken relative to these, so that squares don't cancel.
    base: (f64, f64),
    sums: [f64; 5],
}

impl<'a> Window<'a> {
    fn new(a: &'a [f64], b: &'a [f64], window: usize) -> Self {
        Self {
            a,
            b,
            len: window,
            base: (0.0, 0.0),
            sums: [0.0; 5],
        }
    }

    fn add(&mut self, row: usize, sign: f64) {
        let (a, b) = (self.a[row] - self.base.0, self.b[row] - self.base.1);
        for (sum, value) in self.sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
            *sum += sign * value;
        }
    }

    /// Moves the end of the window to a row; rows come in order, from the first full window on.
    fn move_to(&mut self, row: usize) {
        let start = row + 1 - self.len;
        if start.is_multiple_of(self.len) {
            let mean = |values: &[f64]| values[start..=row].iter().sum::<f64>() / self.len as f64;
            self.base = (mean(self.a), mean(self.b));
            self.sums = [0.0; 5];
            (start..=row).for_each(|row| self.add(row, 1.0));
        } else {
            self.add(start - 1, -1.0);
            self.add(row, 1.0);
        }
    }

    fn mean(&self) -> f64 {
        self.base.0 + self.sums[0] / self.len as f64
    }

    fn variance(&self) -> f64 {
        let n = self.len as f64;
        (self.sums[2] - self.sums[0] * self.sums[0] / n).max(0.0) / (n - 1.0)
    }
}

/// One number for each full window that ends in a row, NaN before the first.
fn rolling(a: &[f64], b: &[f64], window: usize, number: impl Fn(&Window<'_>) -> f64) -> Vec<f64> {
    let mut all = vec![f64::NAN; a.len()];
    if window < 2 {
        return all;
    }
    let mut sums = Window::new(a, b, window);
    for (row, slot) in all.iter_mut().enumerate().skip(window - 1) {
        sums.move_to(row);
        *slot = number(&sums);
    }
    all
}

/// Sharpe ratio of the last `window` returns at each, annual; NaN before there are so many, or when they don't differ.
pub fn rolling_sharpe(returns: &[f64], window: usize, basis: Basis) -> Vec<f64> {
    let root = basis.periods_per_year.sqrt();
    rolling(returns, returns, window, |sums| {
        ratio(sums.mean() - basis.risk_free, sums.variance().sqrt()) * root
    })
}

/// Annual volatility of the last `window` returns at each; NaN before there are so many.
pub fn rolling_volatility(returns: &[f64], window: usize, basis: Basis) -> Vec<f64> {
    let year = basis.periods_per_year;
    rolling(returns, returns, window, |sums| {
        (sums.variance() * year).sqrt()
    })
}

/// Beta of the last `window` returns to a benchmark's at each; NaN before there are so many. Rows that only one of the
/// two has are left out.
pub fn rolling_beta(returns: &[f64], benchmark: &[f64], window: usize) -> Vec<f64> {
    let rows = returns.len().min(benchmark.len());
    rolling(&returns[..rows], &benchmark[..rows], window, |sums| {
        let n = sums.len as f64;
        let [a, b, _, b_squares, both] = sums.sums;
        ratio(both - a * b / n, b_squares - b * b / n)
    })
}

/// A stretch of a curve: its highest and lowest value, and its largest fall.
#[derive(Clone, Copy)]
struct Stretch {
    high: f64,
    low: f64,
    fall: f64,
}

impl Stretch {
    const NONE: Self = Self {
        high: f64::NEG_INFINITY,
        low: f64::INFINITY,
        fall: 0.0,
    };

    fn of(value: f64) -> Self {
        Self {
            high: value,
            low: value,
            fall: 0.0,
        }
    }

    /// This stretch and the one after it.
    fn then(self, next: Self) -> Self {
        let across = if self.high > next.low {
            1.0 - next.low / self.high
        } else {
            0.0
        };
        Self {
            high: self.high.max(next.high),
            low: self.low.min(next.low),
            fall: self.fall.max(next.fall).max(across),
        }
    }
}

/// The largest fall, as a positive fraction, within the last `window` values of a curve at each; NaN before there are so
/// many.
///
/// Stretches join, so a queue of two stacks keeps the last ones: each value is moved once.
pub fn rolling_max_drawdown(equity: &[f64], window: usize) -> Vec<f64> {
    let mut all = vec![f64::NAN; equity.len()];
    if window == 0 {
        return all;
    }
    // Of the front stack: from each value to the end of the stack's values.
    let mut front: Vec<Stretch> = Vec::with_capacity(window);
    let mut back = Stretch::NONE;
    let mut back_start = 0;
    for (row, &value) in equity.iter().enumerate() {
        back = back.then(Stretch::of(value));
        if row + 1 < window {
            continue;
        }
        let joined = front.last().map_or(back, |front| front.then(back));
        all[row] = joined.fall;
        if front.pop().is_none() {
            let mut stretch = Stretch::NONE;
            for &value in equity[back_start + 1..=row].iter().rev() {
                stretch = Stretch::of(value).then(stretch);
                front.push(stretch);
            }
            back = Stretch::NONE;
            back_start = row + 1;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::{deviation, drawdowns};
    use super::*;

    fn series(n: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) * 0.05
        };
        std::iter::repeat_with(next).take(n).collect()
    }

    #[test]
    fn a_moving_window_gives_what_each_window_gives() {
        let (returns, bench) = (series(500, 3), series(500, 4));
        let basis = Basis::default();
        let mut level = 100.0;
        let equity: Vec<f64> = returns
            .iter()
            .map(|ret| {
                level *= 1.0 + ret;
                level
            })
            .collect();
        for window in [2, 7, 63] {
            let sharpe = rolling_sharpe(&returns, window, basis);
            let volatility = rolling_volatility(&returns, window, basis);
            let beta = rolling_beta(&returns, &bench, window);
            let falls = rolling_max_drawdown(&equity, window);
            assert!(sharpe[..window - 1].iter().all(|value| value.is_nan()));
            for row in window - 1..500 {
                let part = &returns[row + 1 - window..=row];
                let other = &bench[row + 1 - window..=row];
                let n = window as f64;
                let mean = part.iter().sum::<f64>() / n;
                let other_mean = other.iter().sum::<f64>() / n;
                let sd = deviation(part);
                let off = |a: f64, b: f64| (a - b).abs() / b.abs().max(1e-3);
                assert!(off(volatility[row], sd * 252f64.sqrt()) < 1e-9);
                assert!(off(sharpe[row], mean / sd * 252f64.sqrt()) < 1e-7);
                let both: f64 = part
                    .iter()
                    .zip(other)
                    .map(|(a, b)| (a - mean) * (b - other_mean))
                    .sum();
                let squares: f64 = other.iter().map(|b| (b - other_mean).powi(2)).sum();
                assert!(
                    off(beta[row], both / squares) < 1e-7,
                    "{} {}",
                    beta[row],
                    both / squares
                );
                let largest = drawdowns(&equity[row + 1 - window..=row])
                    .iter()
                    .map(|fall| fall.depth)
                    .fold(0.0, f64::max);
                assert!((falls[row] - largest).abs() < 1e-12);
            }
        }
    }
}
