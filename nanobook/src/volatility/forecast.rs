use super::fit::Fit;
use super::likelihood::MEAN_SIZE;
use crate::stats::random::Random;
use crate::stats::{Error, Result, normal_quantile, student_quantile};

/// One step of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Expected return.
    pub mean: f64,
    /// Expected variance of the return.
    pub variance: f64,
}

/// A forecast of variances.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// One period ahead first.
    pub steps: Vec<Step>,
    /// Degrees of freedom of Student's t; none for a normal distribution.
    freedom: Option<f64>,
}

impl Forecast {
    /// For each step, between what the return lies with this probability: the distribution of the model around the mean,
    /// with the step's expected variance. Exact one step ahead; further ahead the variance itself is uncertain and the true
    /// tails are a little heavier.
    ///
    /// # Errors
    /// When the confidence is not between 0 and 1.
    pub fn intervals(&self, confidence: f64) -> Result<Vec<(f64, f64)>> {
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(Error::Parameter {
                name: "confidence",
                found: confidence,
                wanted: "give a probability between 0 and 1",
            });
        }
        let p = f64::midpoint(1.0, confidence);
        let width = match self.freedom {
            None => normal_quantile(p),
            Some(nu) => student_quantile(p, nu) * ((nu - 2.0) / nu).sqrt(),
        };
        Ok(self
            .steps
            .iter()
            .map(|step| {
                let reach = width * step.variance.sqrt();
                (step.mean - reach, step.mean + reach)
            })
            .collect())
    }
}

impl Fit {
    /// Expected variances of the next `horizon` rows.
    ///
    /// GARCH and GJR have a closed form, in which a negative residual is expected half of the time. EGARCH has one for the
    /// first step only; further steps are means over 4,000 simulated paths with normal or Student's t numbers from `seed`.
    ///
    /// # Errors
    /// When the horizon is zero.
    pub fn forecast(&self, horizon: usize, seed: u64) -> Result<Forecast> {
        if horizon == 0 {
            return Err(Error::Parameter {
                name: "horizon",
                found: 0.0,
                wanted: "give at least one step",
            });
        }
        let layout = self.model.layout();
        let variances = if layout.log {
            self.simulate(horizon, seed)
        } else {
            self.expect(horizon)
        };
        let mean = if layout.mean { self.parameters[0] } else { 0.0 };
        Ok(Forecast {
            steps: variances
                .into_iter()
                .map(|variance| Step { mean, variance })
                .collect(),
            freedom: layout.student.then(|| self.parameters[layout.dynamic()]),
        })
    }

    fn expect(&self, horizon: usize) -> Vec<f64> {
        let layout = self.model.layout();
        let x = &self.parameters;
        let n = self.residuals.len();
        let mut ahead: Vec<f64> = Vec::with_capacity(horizon);
        for step in 0..horizon {
            let mut variance = x[layout.omega()];
            for lag in 1..=layout.p.max(layout.o) {
                // What is ahead is expected, what is past is known.
                let (square, fall) = match step.checked_sub(lag) {
                    Some(past) => (ahead[past], 0.5 * ahead[past]),
                    None => (n + step).checked_sub(lag).map_or(
                        (self.backcast, 0.5 * self.backcast),
                        |row| {
                            let e = self.residuals[row];
                            (e * e, if e < 0.0 { e * e } else { 0.0 })
                        },
                    ),
                };
                if lag <= layout.p {
                    variance += x[layout.alpha() + lag - 1] * square;
                }
                if lag <= layout.o {
                    variance += x[layout.gamma() + lag - 1] * fall;
                }
            }
            for lag in 1..=layout.q {
                let past = match step.checked_sub(lag) {
                    Some(past) => ahead[past],
                    None => (n + step)
                        .checked_sub(lag)
                        .map_or(self.backcast, |row| self.variances[row]),
                };
                variance += x[layout.beta() + lag - 1] * past;
            }
            ahead.push(variance);
        }
        ahead
    }

    fn simulate(&self, horizon: usize, seed: u64) -> Vec<f64> {
        const PATHS: usize = 4_000;
        let layout = self.model.layout();
        let x = &self.parameters;
        let n = self.residuals.len();
        let depth = layout.p.max(layout.o).max(layout.q).min(n);
        let past_z: Vec<f64> = (n - depth..n)
            .map(|row| self.residuals[row] / self.variances[row].sqrt())
            .collect();
        let past_logs: Vec<f64> = (n - depth..n).map(|row| self.variances[row].ln()).collect();
        let mut random = Random(seed);
        let freedom = layout.student.then(|| x[layout.dynamic()]);
        let mut sums = vec![0.0; horizon];
        let paths = if horizon == 1 { 1 } else { PATHS };
        for _ in 0..paths {
            let (mut sizes, mut logs) = (past_z.clone(), past_logs.clone());
            for sum in &mut sums {
                let mut log = x[layout.omega()];
                for lag in 1..=layout.p {
                    log +=
                        x[layout.alpha() + lag - 1] * (sizes[sizes.len() - lag].abs() - MEAN_SIZE);
                }
                for lag in 1..=layout.o {
                    log += x[layout.gamma() + lag - 1] * sizes[sizes.len() - lag];
                }
                for lag in 1..=layout.q {
                    log += x[layout.beta() + lag - 1] * logs[logs.len() - lag];
                }
                *sum += log.exp();
                logs.push(log);
                let p = random.unit().max(1e-12);
                sizes.push(match freedom {
                    None => normal_quantile(p),
                    Some(nu) => student_quantile(p, nu) * ((nu - 2.0) / nu).sqrt(),
                });
            }
        }
        sums.into_iter().map(|sum| sum / paths as f64).collect()
    }
}
