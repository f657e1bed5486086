#![allow(clippy::many_single_char_names, reason = "as in the formulas")]

use super::likelihood::{Sample, Work};
use super::model::{Layout, Model};
use crate::linalg::{cholesky, cholesky_solve, dot};
use crate::stats::Result;

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// What was fitted.
    pub model: Model,
    /// In the order of [`Model::parameter_names`], in the units of the returns.
    pub parameters: Vec<f64>,
    /// The largest log-likelihood that was found.
    pub log_likelihood: f64,
    /// Variance of each row given the rows before it.
    pub variances: Vec<f64>,
    /// Returns minus their mean.
    pub residuals: Vec<f64>,
    /// The variance taken for the time before the first row.
    pub backcast: f64,
    /// Whether no step could still raise the likelihood by a millionth.
    pub converged: bool,
    /// How much the log-likelihood can still rise, by a quadratic model of it.
    pub distance: f64,
    /// Steps that were made from the best start.
    pub iterations: usize,
}

impl Fit {
    /// Akaike's information criterion.
    pub fn aic(&self) -> f64 {
        2.0 * self.parameters.len() as f64 - 2.0 * self.log_likelihood
    }

    /// Schwarz's information criterion.
    pub fn bic(&self) -> f64 {
        self.parameters.len() as f64 * (self.residuals.len() as f64).ln()
            - 2.0 * self.log_likelihood
    }

    /// Residuals over the root of their variance.
    pub fn standardized_residuals(&self) -> Vec<f64> {
        self.residuals
            .iter()
            .zip(&self.variances)
            .map(|(e, h)| e / h.sqrt())
            .collect()
    }
}

impl Model {
    /// Fits by maximum likelihood.
    ///
    /// Conventions are `arch`'s: the variance before the first row is a backcast from the first 75 residuals, weights of
    /// squares are not negative, and persistence (Σα + Σγ/2 + Σβ, for EGARCH Σβ) stays below one. Returns are scaled to
    /// variance one for the search, so that their units do not matter.
    ///
    /// A fit that stops before it converged is returned, with `converged` false and `distance` saying how far it is.
    ///
    /// # Errors
    /// When lags are out of range, there are fewer than ten returns a parameter, one is not finite, or they are constant.
    ///
    /// ```
    /// use nanobook::volatility::Model;
    ///
    /// let returns: Vec<f64> = (0..600).map(|i| f64::from(i * 7_919 % 1_009) / 504.0 - 1.0).collect();
    /// let fit = Model::garch11().fit(&returns)?;
    /// assert_eq!(fit.variances.len(), 600);
    /// # Ok::<(), nanobook::stats::Error>(())
    /// ```
    pub fn fit(&self, returns: &[f64]) -> Result<Fit> {
        self.check(returns)?;
        let layout = self.layout();
        let n = returns.len() as f64;
        let mean = if layout.mean {
            returns.iter().sum::<f64>() / n
        } else {
            0.0
        };
        let scale = (returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / n).sqrt();
        let scaled: Vec<f64> = returns.iter().map(|r| r / scale).collect();
        let start_residuals: Vec<f64> = scaled.iter().map(|r| r - mean / scale).collect();
        let sample = Sample::new(layout, &scaled, &start_residuals);
        let space = Space { layout };
        let mut work = Work::default();
        let mut ranked = |weight: f64| {
            let mut starts = space.starts(mean / scale, weight);
            for start in &mut starts {
                start.0 = sample.value(&space.natural(&start.1), &mut work);
            }
            starts.sort_by(|a, b| b.0.total_cmp(&a.0));
            starts
        };
        let starts = ranked(1.0);
        let several = layout.p.max(layout.o).max(layout.q) > 1;
        // Several lags of one kind share their weight in many ways of nearly the same likelihood: start from the ends, too.
        let mut others: Vec<Vec<f64>> = Vec::new();
        if several {
            others.extend([0.1, 10.0].map(|weight| ranked(weight).swap_remove(0).1));
        }
        let mut best = search(&sample, &space, starts[0].1.clone(), &mut work);
        if layout.log || several || best.distance >= CONVERGED || space.is_doubtful(&best.point) {
            // On the edge of what is possible the free coordinates are flat, and without a reaction to shocks the
            // persistence is not determined: look from elsewhere, too.
            others.extend(starts[1..5].iter().map(|(_, point)| point.clone()));
            others.push(space.inward(&best.point));
            for other in others {
                best = better(best, search(&sample, &space, other, &mut work));
            }
            let inward = space.inward(&best.point);
            best = better(best, search(&sample, &space, inward, &mut work));
        }
        if layout.log && layout.mean {
            best = polish(&sample, &space, best, &mut work);
        }
        let parameters = space.natural(&best.point);
        sample.value(&parameters, &mut work);
        let square = scale * scale;
        Ok(Fit {
            model: *self,
            parameters: space.unscaled(&parameters, scale),
            log_likelihood: best.value - n * scale.ln(),
            variances: work.variances.iter().map(|h| h * square).collect(),
            residuals: work.residuals.iter().map(|e| e * scale).collect(),
            backcast: sample.backcast * square,
            converged: best.distance < CONVERGED,
            distance: best.distance,
            iterations: best.iterations,
        })
    }
}

/// The map from free coordinates to parameters: constraints hold everywhere.
///
/// Weights of squares and of the variance are shares of one, `exp(zᵢ) / (1 + Σ exp(z))`. Of GJR the weights of rising and
/// falling squares, α and α + γ, are counted half each, so that both and the persistence are bounded.
struct Space {
    layout: Layout,
}

/// A rise of the log-likelihood that no longer matters.
const CONVERGED: f64 = 1e-6;

/// Smallest degrees of freedom, as in `arch`, and the width of their range.
const LEAST_FREEDOM: f64 = 2.05;
const FREEDOM_RANGE: f64 = 500.0 - LEAST_FREEDOM;

impl Space {
    /// Which coordinates share in one: start and length.
    fn shares(&self) -> (usize, usize) {
        let l = self.layout;
        if l.log {
            (l.beta(), l.q)
        } else {
            (l.alpha(), l.p + l.o + l.q)
        }
    }

    fn natural(&self, z: &[f64]) -> Vec<f64> {
        let l = self.layout;
        let mut x = z.to_vec();
        let (first, count) = self.shares();
        x[first..first + count].copy_from_slice(&self.shares_of(z));
        if !l.log {
            x[l.omega()] = z[l.omega()].exp();
            for lag in 0..l.o {
                let (rise, fall) = (2.0 * x[l.alpha() + lag], 2.0 * x[l.gamma() + lag]);
                x[l.alpha() + lag] = rise;
                x[l.gamma() + lag] = fall - rise;
            }
        }
        if l.student {
            let at = l.dynamic();
            x[at] = LEAST_FREEDOM + FREEDOM_RANGE / (1.0 + (-z[at]).exp());
        }
        x
    }

    /// The inverse of [`natural`](Space::natural).
    fn free(&self, x: &[f64]) -> Vec<f64> {
        let l = self.layout;
        let mut z = x.to_vec();
        if !l.log {
            z[l.omega()] = x[l.omega()].ln();
            for lag in 0..l.o {
                let (rise, both) = (x[l.alpha() + lag], x[l.gamma() + lag]);
                z[l.alpha() + lag] = rise / 2.0;
                z[l.gamma() + lag] = (rise + both).max(1e-6) / 2.0;
            }
        }
        let (first, count) = self.shares();
        let slack = 1.0 - z[first..first + count].iter().sum::<f64>();
        for value in &mut z[first..first + count] {
            *value = (*value / slack).ln();
        }
        if l.student {
            let at = l.dynamic();
            let share = (x[at] - LEAST_FREEDOM) / FREEDOM_RANGE;
            z[at] = (share / (1.0 - share)).ln();
        }
        z
    }

    /// Whether a share is next to nothing, or the shares next to one, or shocks hardly matter.
    fn is_doubtful(&self, z: &[f64]) -> bool {
        let l = self.layout;
        let shares = self.shares_of(z);
        let slack = 1.0 - shares.iter().sum::<f64>();
        let reaction: f64 = if l.log {
            1.0
        } else {
            shares[..l.p + l.o].iter().sum()
        };
        reaction < 0.015 || slack < 1e-5 || shares.iter().any(|share| *share < 1e-5)
    }

    /// The same point with shares drawn in from the edge.
    fn inward(&self, z: &[f64]) -> Vec<f64> {
        let (first, count) = self.shares();
        let mut point = z.to_vec();
        let mut shares = self.shares_of(z);
        let slack = (1.0 - shares.iter().sum::<f64>()).max(1e-3);
        for share in &mut shares {
            *share = share.max(1e-3);
        }
        for (value, share) in point[first..first + count].iter_mut().zip(shares) {
            *value = (share / slack).ln();
        }
        if self.layout.student {
            let at = self.layout.dynamic();
            point[at] = point[at].clamp(-6.0, -1.0);
        }
        point
    }

    /// The shares at a point.
    fn shares_of(&self, z: &[f64]) -> Vec<f64> {
        let (first, count) = self.shares();
        let z = &z[first..first + count];
        let most = z.iter().fold(0.0f64, |m, v| m.max(*v));
        let total: f64 = (-most).exp() + z.iter().map(|v| (v - most).exp()).sum::<f64>();
        z.iter().map(|v| (v - most).exp() / total).collect()
    }

    /// Derivatives of parameters (rows) by coordinates (columns).
    fn jacobian(&self, z: &[f64]) -> Vec<f64> {
        let l = self.layout;
        let k = l.len();
        let mut jacobian = vec![0.0; k * k];
        for i in 0..k {
            jacobian[i * k + i] = 1.0;
        }
        let (first, count) = self.shares();
        let share = self.shares_of(z);
        for i in 0..count {
            for j in 0..count {
                let own = if i == j { share[i] } else { 0.0 };
                jacobian[(first + i) * k + first + j] = own - share[i] * share[j];
            }
        }
        if !l.log {
            jacobian[l.omega() * k + l.omega()] = z[l.omega()].exp();
            for lag in 0..l.o {
                let (a, g) = ((l.alpha() + lag) * k, (l.gamma() + lag) * k);
                for j in 0..k {
                    jacobian[a + j] *= 2.0;
                    jacobian[g + j] = 2.0 * jacobian[g + j] - jacobian[a + j];
                }
            }
        }
        if l.student {
            let at = l.dynamic();
            let s = 1.0 / (1.0 + (-z[at]).exp());
            jacobian[at * k + at] = FREEDOM_RANGE * s * (1.0 - s);
        }
        jacobian
    }

    /// Points to start from, with room for their likelihood. Of several lags each has `weight` times that of the one
    /// before.
    fn starts(&self, mean: f64, weight: f64) -> Vec<(f64, Vec<f64>)> {
        let l = self.layout;
        let mut starts = Vec::new();
        for persistence in [0.5, 0.9, 0.98] {
            for reaction in [0.03, 0.1, 0.25] {
                let persistence = if l.q == 0 {
                    0.7 * persistence
                } else {
                    persistence
                };
                let reaction = if l.q == 0 { persistence } else { reaction };
                let mut x = vec![0.0; l.len()];
                if l.mean {
                    x[0] = mean;
                }
                let memory = if l.log {
                    persistence
                } else {
                    persistence - reaction
                };
                for (first, lags, total) in [
                    (
                        l.alpha(),
                        l.p,
                        if l.o > 0 && !l.log {
                            0.6 * reaction
                        } else {
                            reaction
                        },
                    ),
                    (
                        l.gamma(),
                        l.o,
                        if l.log {
                            -0.3 * reaction
                        } else {
                            0.8 * reaction
                        },
                    ),
                    (l.beta(), l.q, memory),
                ] {
                    let (mut sum, mut share) = (0.0, 1.0);
                    for slot in &mut x[first..first + lags] {
                        *slot = share;
                        sum += share;
                        share *= weight;
                    }
                    for slot in &mut x[first..first + lags] {
                        *slot *= total / sum;
                    }
                }
                x[l.omega()] = if l.log { 0.0 } else { 1.0 - persistence };
                if l.student {
                    x[l.dynamic()] = 8.0;
                }
                starts.push((0.0, self.free(&x)));
            }
        }
        starts
    }

    /// Parameters in the units of returns that were divided by `scale`.
    fn unscaled(&self, x: &[f64], scale: f64) -> Vec<f64> {
        let l = self.layout;
        let mut x = x.to_vec();
        if l.mean {
            x[0] *= scale;
        }
        if l.log {
            let memory: f64 = x[l.beta()..l.beta() + l.q].iter().sum();
            x[l.omega()] += (1.0 - memory) * 2.0 * scale.ln();
        } else {
            x[l.omega()] *= scale * scale;
        }
        x
    }
}

struct Search {
    point: Vec<f64>,
    value: f64,
    distance: f64,
    iterations: usize,
}

fn better(a: Search, b: Search) -> Search {
    // Of equals the first, so that a second look does not move the result within rounding.
    if b.value > a.value + 1e-9 || a.value.is_nan() {
        b
    } else {
        a
    }
}

/// EGARCH's likelihood has a kink in the mean wherever a residual is zero, where a search that follows slopes can stop:
/// tries smaller and smaller moves of the mean, and goes on from a better one.
fn polish(sample: &Sample<'_>, space: &Space, mut best: Search, work: &mut Work) -> Search {
    let mut reach = 1e-2;
    while reach > 1e-5 {
        let moved = [-reach, reach]
            .into_iter()
            .map(|shift| {
                let mut point = best.point.clone();
                point[0] += shift;
                (sample.value(&space.natural(&point), work), point)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match moved {
            Some((value, point)) if value > best.value + 1e-7 => {
                let found = search(sample, space, point, work);
                if found.value <= best.value {
                    reach /= 3.0;
                }
                best = better(best, found);
            }
            _ => reach /= 3.0,
        }
    }
    best
}

/// BFGS whose first curvature is the outer product of scores (Berndt, Hall, Hall and Hausman 1974), which near the
/// optimum of a likelihood is already close to right.
fn search(sample: &Sample<'_>, space: &Space, start: Vec<f64>, work: &mut Work) -> Search {
    let k = start.len();
    let evaluate = |point: &[f64], work: &mut Work| {
        let (value, scores) = sample.scores(&space.natural(point), work);
        let jacobian = space.jacobian(point);
        let carry = |v: &[f64]| -> Vec<f64> {
            (0..k)
                .map(|j| (0..k).map(|i| jacobian[i * k + j] * v[i]).sum())
                .collect()
        };
        let gradient = carry(&scores.gradient);
        let half: Vec<Vec<f64>> = (0..k)
            .map(|r| carry(&scores.outer[r * k..(r + 1) * k]))
            .collect();
        let mut outer = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                outer[i * k + j] = (0..k).map(|r| jacobian[r * k + i] * half[r][j]).sum();
            }
        }
        (value, gradient, outer)
    };
    let mut point = start;
    let (mut value, mut gradient, mut outer) = evaluate(&point, work);
    let mut inverse = invert(&outer, k);
    let mut fresh = true;
    let mut distance = f64::INFINITY;
    let mut iterations = 0;
    while iterations < 200 {
        let mut direction: Vec<f64> = inverse
            .chunks_exact(k)
            .map(|row| dot(row, &gradient))
            .collect();
        let mut rise = dot(&direction, &gradient);
        if rise.is_nan() || rise <= 0.0 {
            inverse = invert(&outer, k);
            direction = inverse
                .chunks_exact(k)
                .map(|row| dot(row, &gradient))
                .collect();
            rise = dot(&direction, &gradient);
            fresh = true;
        }
        distance = rise / 2.0;
        if distance < 1e-9 {
            break;
        }
        let longest = direction.iter().fold(0.0f64, |m, d| m.max(d.abs()));
        let mut step = if longest > 2.0 { 2.0 / longest } else { 1.0 };
        let mut moved = None;
        for _ in 0..30 {
            let candidate: Vec<f64> = point
                .iter()
                .zip(&direction)
                .map(|(p, d)| p + step * d)
                .collect();
            let reached = sample.value(&space.natural(&candidate), work);
            if reached >= value + 1e-4 * step * rise {
                moved = Some(candidate);
                break;
            }
            step *= if reached.is_finite() {
                // Where the parabola through value, slope and what was reached has its top.
                (0.5 * step * rise / (step * rise - (reached - value))).clamp(0.1, 0.5)
            } else {
                0.1
            };
        }
        let Some(candidate) = moved else {
            if fresh {
                break;
            }
            inverse = invert(&outer, k);
            fresh = true;
            continue;
        };
        iterations += 1;
        let (next_value, next_gradient, next_outer) = evaluate(&candidate, work);
        let change: Vec<f64> = candidate.iter().zip(&point).map(|(a, b)| a - b).collect();
        let bend: Vec<f64> = gradient
            .iter()
            .zip(&next_gradient)
            .map(|(a, b)| a - b)
            .collect();
        update(&mut inverse, &change, &bend, k);
        fresh = false;
        point = candidate;
        value = next_value;
        gradient = next_gradient;
        outer = next_outer;
    }
    Search {
        point,
        value,
        distance,
        iterations,
    }
}

/// The inverse of a positive semi-definite matrix with a little more on its diagonal.
fn invert(matrix: &[f64], k: usize) -> Vec<f64> {
    let mut more = 1e-10;
    loop {
        let mut raised = matrix.to_vec();
        for i in 0..k {
            raised[i * k + i] += more * (1.0 + matrix[i * k + i].abs());
        }
        if let Some(factor) = cholesky(&raised, k) {
            let mut inverse = vec![0.0; k * k];
            for i in 0..k {
                let column = &mut inverse[i * k..(i + 1) * k];
                column[i] = 1.0;
                cholesky_solve(&factor, k, column);
            }
            return inverse;
        }
        more *= 100.0;
        if more.is_nan() || more > 1e6 {
            let mut identity = vec![0.0; k * k];
            (0..k).for_each(|i| identity[i * k + i] = 1e-3);
            return identity;
        }
    }
}

/// Broyden, Fletcher, Goldfarb and Shanno's update of the inverse curvature.
fn update(inverse: &mut [f64], change: &[f64], bend: &[f64], k: usize) {
    let along = dot(change, bend);
    if along <= 1e-12 * dot(bend, bend).sqrt() * dot(change, change).sqrt() {
        return;
    }
    let carried: Vec<f64> = inverse.chunks_exact(k).map(|row| dot(row, bend)).collect();
    let weight = 1.0 + dot(&carried, bend) / along;
    for i in 0..k {
        for j in 0..k {
            inverse[i * k + j] +=
                (weight * change[i] * change[j] - carried[i] * change[j] - change[i] * carried[j])
                    / along;
        }
    }
}
