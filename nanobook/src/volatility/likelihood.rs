//! Log-likelihood of a series and its derivatives.
//!
//! Derivatives of the variance follow the same recursion as the variance itself, so one pass gives value and scores.

use std::f64::consts::PI;

use super::ewma::backcast;
use super::model::Layout;

/// √(2/π), the mean size of a standard normal number.
pub(super) const MEAN_SIZE: f64 = 0.797_884_560_802_865_4;

/// What the likelihood needs besides parameters.
pub(super) struct Sample<'a> {
    pub(super) layout: Layout,
    pub(super) returns: &'a [f64],
    pub(super) backcast: f64,
    /// Lower and upper bound of the variance at each row, as `arch` sets them around an exponential average.
    bounds: Vec<(f64, f64)>,
}

/// Buffers that are reused between evaluations.
#[derive(Default)]
pub(super) struct Work {
    pub(super) variances: Vec<f64>,
    pub(super) residuals: Vec<f64>,
    /// Derivatives of the variance (its logarithm for EGARCH), row after row.
    slopes: Vec<f64>,
}

/// Gradient and outer product of scores.
pub(super) struct Scores {
    pub(super) gradient: Vec<f64>,
    pub(super) outer: Vec<f64>,
}

impl<'a> Sample<'a> {
    /// `residuals` are about the mean that the fit starts from.
    pub(super) fn new(layout: Layout, returns: &'a [f64], residuals: &[f64]) -> Self {
        let first = backcast(residuals);
        let n = residuals.len() as f64;
        let mean = residuals.iter().sum::<f64>() / n;
        let variance = residuals
            .iter()
            .map(|e| (e - mean) * (e - mean))
            .sum::<f64>()
            / n;
        let largest = residuals.iter().fold(0.0f64, |most, e| most.max(e * e));
        let (least, most) = (variance / 1e8, 1e7 * (1.0 + largest));
        let mut average = first;
        let bounds = residuals
            .iter()
            .map(|e| {
                let bound = (
                    (average / 1e6).max(least),
                    (average * 1e6).max(1.0 + largest).min(most),
                );
                average = 0.94 * average + 0.06 * e * e;
                bound
            })
            .collect();
        Sample {
            layout,
            returns,
            backcast: first,
            bounds,
        }
    }

    /// The log-likelihood; the work holds variances and residuals afterwards.
    pub(super) fn value(&self, parameters: &[f64], work: &mut Work) -> f64 {
        self.residuals(parameters, work);
        if self.layout.log {
            self.log_variances::<false>(parameters, work);
        } else if self.layout.p == 1 && self.layout.q == 1 {
            self.short_variances::<false>(parameters, work);
        } else {
            self.variances::<false>(parameters, work);
        }
        self.sum(parameters, work)
    }

    /// The log-likelihood with its scores.
    pub(super) fn scores(&self, parameters: &[f64], work: &mut Work) -> (f64, Scores) {
        self.residuals(parameters, work);
        let layout = self.layout;
        let d = layout.dynamic();
        work.slopes.clear();
        work.slopes.resize(self.returns.len() * d, 0.0);
        if layout.log {
            self.log_variances::<true>(parameters, work);
        } else if layout.p == 1 && layout.q == 1 {
            self.short_variances::<true>(parameters, work);
        } else {
            self.variances::<true>(parameters, work);
        }
        let value = self.sum(parameters, work);
        let k = layout.len();
        let mut gradient = vec![0.0; k];
        let mut outer = vec![0.0; k * k];
        let mut score = vec![0.0; k];
        let nu = if layout.student {
            parameters[k - 1]
        } else {
            0.0
        };
        let nu_slope = if layout.student {
            0.5 * (digamma(f64::midpoint(nu, 1.0)) - digamma(nu / 2.0) - 1.0 / (nu - 2.0))
        } else {
            0.0
        };
        for ((&h, &e), slopes) in work
            .variances
            .iter()
            .zip(&work.residuals)
            .zip(work.slopes.chunks_exact(d))
        {
            let square = e * e / h;
            // Derivatives by the logarithm of the variance and by the residual.
            let (by_log, by_residual) = if layout.student {
                let w = square / (nu - 2.0);
                let weight = (nu + 1.0) / (nu - 2.0) / (1.0 + w);
                score[k - 1] = nu_slope - 0.5 * w.ln_1p() + 0.5 * weight * w;
                (0.5 * (weight * square - 1.0), -weight * e / h)
            } else {
                (0.5 * (square - 1.0), -e / h)
            };
            let factor = if layout.log { by_log } else { by_log / h };
            for (score, slope) in score.iter_mut().zip(slopes) {
                *score = factor * slope;
            }
            if layout.mean {
                score[0] -= by_residual;
            }
            for i in 0..k {
                gradient[i] += score[i];
                for j in 0..=i {
                    outer[i * k + j] += score[i] * score[j];
                }
            }
        }
        for i in 0..k {
            for j in 0..i {
                outer[j * k + i] = outer[i * k + j];
            }
        }
        (value, Scores { gradient, outer })
    }

    fn residuals(&self, parameters: &[f64], work: &mut Work) {
        let mean = if self.layout.mean { parameters[0] } else { 0.0 };
        work.residuals.clear();
        work.residuals.extend(self.returns.iter().map(|r| r - mean));
        work.variances.clear();
        work.variances.resize(self.returns.len(), 0.0);
    }

    fn sum(&self, parameters: &[f64], work: &Work) -> f64 {
        let n = work.variances.len() as f64;
        // One logarithm for eight variances: each is within 1e±16 of the sample's, so products stay in range.
        let logs: f64 = work
            .variances
            .chunks(8)
            .map(|chunk| chunk.iter().product::<f64>().ln())
            .sum();
        let squares = work
            .residuals
            .iter()
            .zip(&work.variances)
            .map(|(e, h)| e * e / h);
        if self.layout.student {
            let nu = parameters[self.layout.len() - 1];
            let constant = libm::lgamma(f64::midpoint(nu, 1.0))
                - libm::lgamma(nu / 2.0)
                - 0.5 * (PI * (nu - 2.0)).ln();
            let tails: f64 = squares.map(|square| (square / (nu - 2.0)).ln_1p()).sum();
            n * constant - 0.5 * logs - 0.5 * (nu + 1.0) * tails
        } else {
            -0.5 * (n * (2.0 * PI).ln() + logs + squares.sum::<f64>())
        }
    }

    /// One lag of each: the usual case, without inner loops.
    fn short_variances<const SLOPES: bool>(&self, parameters: &[f64], work: &mut Work) {
        let layout = self.layout;
        let d = layout.dynamic();
        let omega = parameters[layout.omega()];
        let alpha = parameters[layout.alpha()];
        let gamma = if layout.o == 1 {
            parameters[layout.gamma()]
        } else {
            0.0
        };
        let beta = parameters[layout.beta()];
        let (mut h, mut square, mut fall, mut lean) =
            (self.backcast, self.backcast, 0.5 * self.backcast, 0.0);
        // By mean, omega, alpha, gamma, beta.
        let mut slope = [0.0; 5];
        for (t, &(low, high)) in self.bounds.iter().enumerate() {
            let next = omega + alpha * square + gamma * fall + beta * h;
            let (bounded, inside) = bound(next, low, high);
            if SLOPES {
                slope = [
                    beta * slope[0] + lean,
                    beta * slope[1] + 1.0,
                    beta * slope[2] + square,
                    beta * slope[3] + fall,
                    beta * slope[4] + h,
                ];
                if !inside {
                    slope = [0.0; 5];
                }
                let row = &mut work.slopes[t * d..(t + 1) * d];
                let mut at = 0;
                for (k, &value) in slope.iter().enumerate() {
                    if (k > 0 || layout.mean) && (k != 3 || layout.o == 1) {
                        row[at] = value;
                        at += 1;
                    }
                }
            }
            h = bounded;
            work.variances[t] = h;
            let e = work.residuals[t];
            square = e * e;
            fall = if e < 0.0 { square } else { 0.0 };
            lean = -2.0 * e * (alpha + if e < 0.0 { gamma } else { 0.0 });
        }
    }

    fn variances<const SLOPES: bool>(&self, parameters: &[f64], work: &mut Work) {
        let layout = self.layout;
        let d = layout.dynamic();
        let (alpha, gamma, beta) = (layout.alpha(), layout.gamma(), layout.beta());
        let mut slope = vec![0.0; d];
        for (t, &(low, high)) in self.bounds.iter().enumerate() {
            let mut next = parameters[layout.omega()];
            if SLOPES {
                slope.fill(0.0);
                slope[layout.omega()] = 1.0;
            }
            for lag in 1..=layout.p.max(layout.o) {
                let before = t.checked_sub(lag).map(|row| work.residuals[row]);
                let square = before.map_or(self.backcast, |e| e * e);
                let fall =
                    before.map_or(0.5 * self.backcast, |e| if e < 0.0 { e * e } else { 0.0 });
                let mut weight = 0.0;
                if lag <= layout.p {
                    let a = parameters[alpha + lag - 1];
                    next += a * square;
                    weight += a;
                    if SLOPES {
                        slope[alpha + lag - 1] += square;
                    }
                }
                if lag <= layout.o {
                    let g = parameters[gamma + lag - 1];
                    next += g * fall;
                    if before.is_some_and(|e| e < 0.0) {
                        weight += g;
                    }
                    if SLOPES {
                        slope[gamma + lag - 1] += fall;
                    }
                }
                if SLOPES && layout.mean {
                    slope[0] -= before.map_or(0.0, |e| 2.0 * e * weight);
                }
            }
            for lag in 1..=layout.q {
                let b = parameters[beta + lag - 1];
                let before = t.checked_sub(lag);
                let h = before.map_or(self.backcast, |row| work.variances[row]);
                next += b * h;
                if SLOPES {
                    slope[beta + lag - 1] += h;
                    if let Some(row) = before {
                        for (slope, past) in
                            slope.iter_mut().zip(&work.slopes[row * d..(row + 1) * d])
                        {
                            *slope += b * past;
                        }
                    }
                }
            }
            let (bounded, inside) = bound(next, low, high);
            work.variances[t] = bounded;
            if SLOPES && inside {
                work.slopes[t * d..(t + 1) * d].copy_from_slice(&slope);
            }
        }
    }

    fn log_variances<const SLOPES: bool>(&self, parameters: &[f64], work: &mut Work) {
        let layout = self.layout;
        let d = layout.dynamic();
        let (alpha, gamma, beta) = (layout.alpha(), layout.gamma(), layout.beta());
        let mut slope = vec![0.0; d];
        let mut logs = vec![0.0; self.returns.len()];
        let start = self.backcast.ln();
        for (t, &(low, high)) in self.bounds.iter().enumerate() {
            let mut next = parameters[layout.omega()];
            if SLOPES {
                slope.fill(0.0);
                slope[layout.omega()] = 1.0;
            }
            for lag in 1..=layout.p.max(layout.o).min(t) {
                let row = t - lag;
                let root = work.variances[row].sqrt();
                let z = work.residuals[row] / root;
                let mut weight = 0.0;
                if lag <= layout.p {
                    let a = parameters[alpha + lag - 1];
                    next += a * (z.abs() - MEAN_SIZE);
                    weight += a * if z < 0.0 { -1.0 } else { 1.0 };
                    if SLOPES {
                        slope[alpha + lag - 1] += z.abs() - MEAN_SIZE;
                    }
                }
                if lag <= layout.o {
                    let g = parameters[gamma + lag - 1];
                    next += g * z;
                    weight += g;
                    if SLOPES {
                        slope[gamma + lag - 1] += z;
                    }
                }
                if SLOPES {
                    if layout.mean {
                        slope[0] -= weight / root;
                    }
                    let past = &work.slopes[row * d..(row + 1) * d];
                    for (slope, past) in slope.iter_mut().zip(past) {
                        *slope -= 0.5 * weight * z * past;
                    }
                }
            }
            for lag in 1..=layout.q {
                let b = parameters[beta + lag - 1];
                let before = t.checked_sub(lag);
                let log = before.map_or(start, |row| logs[row]);
                next += b * log;
                if SLOPES {
                    slope[beta + lag - 1] += log;
                    if let Some(row) = before {
                        for (slope, past) in
                            slope.iter_mut().zip(&work.slopes[row * d..(row + 1) * d])
                        {
                            *slope += b * past;
                        }
                    }
                }
            }
            // Beyond this the exponential overflows; the bounds are far inside.
            let (bounded, inside) = bound(next.min(700.0).exp(), low, high);
            work.variances[t] = bounded;
            logs[t] = if inside { next } else { bounded.ln() };
            if SLOPES && inside {
                work.slopes[t * d..(t + 1) * d].copy_from_slice(&slope);
            }
        }
    }
}

/// The variance within its bounds, and whether it was there.
#[inline]
fn bound(variance: f64, low: f64, high: f64) -> (f64, bool) {
    if variance > low && variance < high {
        (variance, true)
    } else if variance >= high {
        (high + (variance / high).ln().min(1000.0), false)
    } else {
        (low, false)
    }
}

/// The derivative of the logarithm of the gamma function, by recurrence and its asymptotic series.
fn digamma(mut x: f64) -> f64 {
    let mut value = 0.0;
    while x < 10.0 {
        value -= 1.0 / x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    value + x.ln()
        - 0.5 / x
        - inverse
            * (1.0 / 12.0
                - inverse
                    * (1.0 / 120.0
                        - inverse * (1.0 / 252.0 - inverse * (1.0 / 240.0 - inverse / 132.0))))
}

#[cfg(test)]
mod tests {
    use super::super::{Distribution, Mean, Model, Variance};
    use super::{Sample, Work};

    #[test]
    fn scores_are_the_slope_of_the_likelihood() {
        let mut state = 1u64;
        let returns: Vec<f64> = (0..300)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0
            })
            .collect();
        let cases = [
            (Variance::Garch { p: 1, q: 1 }, vec![0.01, 0.05, 0.1, 0.8]),
            (
                Variance::Gjr { p: 1, o: 1, q: 1 },
                vec![0.01, 0.05, 0.1, 0.05, 0.7],
            ),
            (
                Variance::Gjr { p: 2, o: 1, q: 2 },
                vec![0.01, 0.05, 0.1, 0.05, 0.08, 0.3, 0.3],
            ),
            (Variance::Garch { p: 2, q: 0 }, vec![0.01, 0.2, 0.1, 0.3]),
            (
                Variance::Egarch { p: 1, o: 1, q: 1 },
                vec![0.01, -0.1, 0.2, -0.1, 0.9],
            ),
            (
                Variance::Egarch { p: 2, o: 1, q: 2 },
                vec![0.01, -0.1, 0.1, 0.1, -0.1, 0.4, 0.4],
            ),
        ];
        for (variance, start) in cases {
            for distribution in [Distribution::Normal, Distribution::StudentT] {
                let model = Model {
                    mean: Mean::Constant,
                    variance,
                    distribution,
                };
                let mut parameters = start.clone();
                if distribution == Distribution::StudentT {
                    parameters.push(6.0);
                }
                let sample = Sample::new(model.layout(), &returns, &returns);
                let mut work = Work::default();
                let (value, scores) = sample.scores(&parameters, &mut work);
                assert!((value - sample.value(&parameters, &mut work)).abs() < 1e-9);
                for k in 0..parameters.len() {
                    let step = 1e-6;
                    let mut at = |shift: f64| {
                        let mut moved = parameters.clone();
                        moved[k] += shift;
                        sample.value(&moved, &mut work)
                    };
                    let slope = (at(step) - at(-step)) / (2.0 * step);
                    let found = scores.gradient[k];
                    assert!(
                        (found - slope).abs() < 1e-4 * slope.abs().max(10.0),
                        "{variance:?} {k}: {found}, {slope}"
                    );
                }
            }
        }
    }
}
