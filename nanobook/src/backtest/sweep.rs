//! Many parameter sets over one panel.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::config::Config;
use super::error::Result;
use super::kernel::{Summary, run};
use super::panel::{Matrix, Panel};
use super::presets::{Preset, Shared};
use super::record::{Row, Sink, StopEvent};
use super::schedule::Schedule;
use crate::metrics::{Basis, Metrics};

/// How a sweep runs.
#[derive(Default)]
pub struct SweepOptions<'p> {
    /// Threads; `None` for as many as there are processors.
    pub threads: Option<usize>,
    /// Called with the number of sets that are done, from any thread, after each.
    pub progress: Option<&'p (dyn Fn(usize) + Sync)>,
}

/// Does something with each parameter set, on many threads, and gives the results in the order of the sets.
///
/// What goes wrong with one set is its result, and the others go on. The results do not depend on the number of threads.
/// Only as many sets are at work at once as there are threads, so memory grows with results.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Config, Matrix, Panel, SweepOptions, Trial, sweep, trial};
///
/// let symbols = ["A".to_owned(), "B".to_owned()];
/// let close = Matrix::from_rows(&[1.0, 1.0, 2.0, 1.0, 2.0, 3.0], 2)?;
/// let panel = Panel::new(&[1, 2, 3], &symbols, close)?;
/// let results = sweep(&[0.0, 0.5, 1.0], &SweepOptions::default(), |part| {
///     let weights = Trial {
///         times: vec![1],
///         symbols: symbols.to_vec(),
///         weights: vec![*part, 1.0 - part],
///         config: Config::default(),
///     };
///     trial(&panel, &weights)
/// });
/// let equity: Vec<f64> = results.into_iter().map(|result| result.unwrap().summary.equity).collect();
/// assert_eq!(equity, [3e6, 2.5e6, 2e6]);
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
pub fn sweep<P: Sync, R: Send>(
    sets: &[P],
    options: &SweepOptions<'_>,
    work: impl Fn(&P) -> R + Sync,
) -> Vec<R> {
    let done = AtomicUsize::new(0);
    let one = |set: &P| {
        let result = work(set);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(progress) = options.progress {
            progress(done);
        }
        result
    };
    on_threads(options.threads, || sets.par_iter().map(&one).collect())
}

/// Does work on so many threads.
fn on_threads<R: Send>(threads: Option<usize>, work: impl Fn() -> R + Sync + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
    // Without threads of its own the sweep takes those that are there.
    match pool.build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

/// Makes the weights of each preset and does something with them and its place among the presets, as [`sweep`] does.
///
/// What presets have in common is computed once: those that rank the same rises in the same rows differ only in how many
/// names they take. It is the same as [`Preset::weights`] of each.
///
/// # Examples
/// ```
/// use nanobook::backtest::{Config, Matrix, Outcome, Panel, Preset, Rebalance, Signal, SweepOptions, sweep_presets};
/// use nanobook::metrics::Basis;
///
/// let symbols = ["A".to_owned(), "B".to_owned()];
/// let panel = Panel::new(&[1, 2, 3], &symbols, Matrix::from_rows(&[1.0, 1.0, 2.0, 1.0, 4.0, 1.0], 2)?)?;
/// let preset = |k| Preset {
///     signal: Signal::MomentumTopK { lookback: 1, skip: 0, k },
///     rebalance: Rebalance::Rows(1),
///     ..Preset::default()
/// };
/// let found = sweep_presets(&panel, &[preset(1), preset(2), preset(0)], &SweepOptions::default(), |_, schedule| {
///     Ok::<_, nanobook::backtest::Error>(Outcome::of(&panel, &schedule?, &Config::default(), Basis::default())?.summary.equity)
/// });
/// assert_eq!(found[0], Ok(2e6));
/// assert_eq!(found[1], Ok(1.5e6));
/// assert!(found[2].is_err());
/// # Ok::<(), nanobook::backtest::Error>(())
/// ```
pub fn sweep_presets<R: Send>(
    panel: &Panel<'_>,
    presets: &[Preset],
    options: &SweepOptions<'_>,
    work: impl Fn(usize, Result<Schedule<'_>>) -> R + Sync,
) -> Vec<R> {
    let mut order: Vec<usize> = (0..presets.len()).collect();
    order.sort_by_key(|at| presets[*at].key());
    let groups: Vec<&[usize]> = order
        .chunk_by(|a, b| presets[*a].key().is_some() && presets[*a].key() == presets[*b].key())
        .collect();
    let done = AtomicUsize::new(0);
    let one = |at: usize, shared: &Shared| {
        let preset = &presets[at];
        let result = match preset.check() {
            Ok(()) => {
                let weights = preset.weights_of(panel, shared);
                work(at, weights.schedule(panel.symbols()))
            }
            Err(error) => work(at, Err(error)),
        };
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(progress) = options.progress {
            progress(done);
        }
        (at, result)
    };
    let group = |group: &&[usize]| -> Vec<(usize, R)> {
        // What has a key in common can be wrong in what is not part of it: how many names, how much is invested.
        let good = group.iter().map(|at| &presets[*at]);
        let mut good = good.filter(|preset| preset.check().is_ok());
        let shared = good.next().map_or_else(Shared::default, |first| {
            let most = good.map(Preset::leaders).fold(first.leaders(), usize::max);
            first.share(panel, most)
        });
        group.par_iter().map(|at| one(*at, &shared)).collect()
    };
    let mut results: Vec<(usize, R)> = on_threads(options.threads, || {
        groups.par_iter().flat_map_iter(group).collect()
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Weights and settings of one parameter set.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The times of the weights, ns since the epoch.
    pub times: Vec<i64>,
    /// Their symbols.
    pub symbols: Vec<String>,
    /// Weights, row after row.
    pub weights: Vec<f64>,
    /// Settings.
    pub config: Config,
}

/// What one parameter set came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Rows, rebalances, last equity.
    pub summary: Summary,
    /// Metrics of the returns; `None` when there are none, or equity was lost.
    pub metrics: Option<Metrics>,
    /// All costs, in currency.
    pub cost: f64,
    /// All that was traded, in currency.
    pub turnover: f64,
    /// Mean gross value over equity.
    pub exposure: f64,
    /// Stops that were hit.
    pub stops: usize,
}

/// Runs one parameter set and keeps no more of it than its outcome.
///
/// # Errors
/// As [`run`].
pub fn trial(panel: &Panel<'_>, trial: &Trial) -> Result<Outcome> {
    let weights = Matrix::from_rows(&trial.weights, trial.symbols.len())?;
    let schedule = Schedule::new(&trial.times, &trial.symbols, weights)?;
    Outcome::of(
        panel,
        &schedule,
        &trial.config,
        Basis {
            periods_per_year: trial.config.periods_per_year,
            ..Basis::default()
        },
    )
}

impl Outcome {
    /// Runs weights over prices and keeps no more than the outcome.
    ///
    /// # Errors
    /// As [`run`].
    pub fn of(
        panel: &Panel<'_>,
        schedule: &Schedule<'_>,
        config: &Config,
        basis: Basis,
    ) -> Result<Self> {
        let mut totals = Totals {
            returns: Vec::with_capacity(panel.rows()),
            ..Totals::default()
        };
        let summary = run(panel, schedule, config, &mut totals)?;
        Ok(totals.outcome(summary, basis))
    }
}

/// Sums of a run, and its returns.
#[derive(Default)]
struct Totals {
    before: Option<f64>,
    returns: Vec<f64>,
    cost: f64,
    turnover: f64,
    exposure: f64,
    stops: usize,
}

impl Totals {
    fn outcome(self, summary: Summary, basis: Basis) -> Outcome {
        Outcome {
            summary,
            metrics: Metrics::of(&self.returns, basis).ok(),
            cost: self.cost,
            turnover: self.turnover,
            exposure: self.exposure / summary.rows as f64,
            stops: self.stops,
        }
    }
}

impl Sink for Totals {
    const EVENTS: bool = false;

    #[inline]
    fn row(&mut self, row: &Row) {
        if let Some(before) = self.before {
            self.returns.push(row.equity / before - 1.0);
        }
        self.before = Some(row.equity);
        self.cost += row.cost;
        self.turnover += row.turnover;
        self.exposure += row.gross / row.equity;
    }

    fn stop(&mut self, _: &StopEvent) {
        self.stops += 1;
    }
}
