//! A few rows by hand.

use nanobook::backtest::{
    Action, Config, EquityCurve, Field, HoldingRows, Journal, Matrix, Panel, Result, Schedule,
    Sink, Summary, run,
};

/// Prices and weights at days 0, 1, 2, …
#[derive(Clone, Debug, Default)]
pub(crate) struct Small {
    pub(crate) times: Vec<i64>,
    pub(crate) symbols: Vec<String>,
    pub(crate) close: Vec<f64>,
    pub(crate) others: Vec<(Field, Vec<f64>)>,
    pub(crate) weight_times: Vec<i64>,
    pub(crate) weights: Vec<f64>,
}

pub(crate) const DAY: i64 = 86_400_000_000_000;

impl Small {
    /// Closes, row after row, of so many symbols.
    pub(crate) fn new(symbols: usize, close: &[f64]) -> Self {
        let day = |row: usize| i64::try_from(row).unwrap() * DAY;
        Self {
            times: (0..close.len() / symbols).map(day).collect(),
            symbols: (0..symbols).map(|at| format!("S{at}")).collect(),
            close: close.to_vec(),
            ..Self::default()
        }
    }

    pub(crate) fn field(mut self, field: Field, values: &[f64]) -> Self {
        self.others.push((field, values.to_vec()));
        self
    }

    pub(crate) fn weights(mut self, day: i64, weights: &[f64]) -> Self {
        self.weight_times.push(day * DAY);
        self.weights.extend_from_slice(weights);
        self
    }

    pub(crate) fn with(&self, config: &Config, sink: impl Sink) -> Result<Summary> {
        let width = self.symbols.len();
        let close = Matrix::from_rows(&self.close, width)?;
        let mut panel = Panel::new(&self.times, &self.symbols, close)?;
        for (field, values) in &self.others {
            panel = panel.with(*field, Matrix::from_rows(values, width)?)?;
        }
        let weights = Matrix::from_rows(&self.weights, width)?;
        let schedule = Schedule::new(&self.weight_times, &self.symbols, weights)?;
        run(&panel, &schedule, config, sink)
    }

    pub(crate) fn try_run(&self, config: &Config) -> Result<(EquityCurve, Journal)> {
        let (mut curve, mut journal) = (EquityCurve::default(), Journal::default());
        self.with(config, (&mut curve, &mut journal))?;
        Ok((curve, journal))
    }

    pub(crate) fn run(&self, config: &Config) -> (EquityCurve, Journal) {
        self.try_run(config).unwrap()
    }

    pub(crate) fn holdings(&self, config: &Config) -> (EquityCurve, HoldingRows) {
        let (mut curve, mut holdings) = (EquityCurve::default(), HoldingRows::default());
        self.with(config, (&mut curve, &mut holdings)).unwrap();
        (curve, holdings)
    }
}

/// An action of a symbol at a day.
pub(crate) fn action(day: i64, symbol: usize, kind: nanobook::backtest::ActionKind) -> Action {
    Action {
        time: day * DAY,
        symbol,
        kind,
    }
}

pub(crate) fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for (a, b) in found.iter().zip(expected) {
        let off = (a - b).abs() / b.abs().max(1.0);
        assert!(off < 1e-9, "{found:?} {expected:?}");
    }
}
