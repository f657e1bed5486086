//! Weights and prices in, equity, holdings and fills out.
//!
//! [`run`] takes a [`Panel`] of prices and a [`Schedule`] of weights, both borrowed as they lie, and tells a [`Sink`]
//! what happens. [`run_strategy`] asks a [`Strategy`] for weights row by row instead. What is computed:
//!
//! 1. A row of weights is the whole target at its time. It trades in the first row of prices at or after that time, or
//!    [`lag`](Config::lag) rows later; where two would trade in one row, the later one does. Between, positions drift.
//! 2. It is filled at the price that [`fill`](Config::fill) names, and booked in the row of that price, never earlier.
//! 3. Targets are weights times equity at the prices of the fill, for all names at once: sales pay for buys, and the order
//!    of symbols changes nothing. [`Rule`](crate::portfolio::Rule) has lots, bands, limits, and what happens without
//!    enough cash. What can't be traded is reported as an [`Event`].
//! 4. [`CostModel`](crate::portfolio::CostModel) makes prices worse and takes commissions.
//! 5. A held name without a price keeps its last one and can't trade; in the first row after its last price it is paid
//!    out at that price. Data that is cut in the middle of a gap can't tell the two apart.
//! 6. [`Stops`] are looked at in rows without weights.
//!
//! Within a row: dividends on what is held, splits, pay-out of names that have ended, the orders of a row of weights or
//! else the stops, interest and borrowing on what is held then, the mark. `notes` of reference cases are in the tests.
//!
//! ```
//! use nanobook::backtest::{run, Config, EquityCurve, Journal, Matrix, Panel, Schedule};
//! use nanobook::portfolio::CostModel;
//!
//! let symbols = ["A".to_owned(), "B".to_owned()];
//! let prices = [10.0, 20.0, 11.0, 20.0, 11.0, 25.0];
//! let panel = Panel::new(&[1, 2, 3], &symbols, Matrix::from_rows(&prices, 2)?)?;
//! let weights = Schedule::new(&[1, 3], &symbols, Matrix::from_rows(&[0.5, 0.4, 0.0, 0.9], 2)?)?;
//! let config = Config { costs: CostModel::bps(5.0), ..Config::default() };
//!
//! let (mut curve, mut journal) = (EquityCurve::default(), Journal::default());
//! run(&panel, &weights, &config, (&mut curve, &mut journal))?;
//! assert_eq!(journal.fills.len(), 4);
//! assert!((curve.cost[0] - 0.9 * 1_000_000.0 * 5e-4).abs() < 1e-6);
//! # Ok::<(), nanobook::backtest::Error>(())
//! ```

pub(crate) mod calendar;
mod classic;
mod columns;
mod config;
mod error;
mod fast;
mod kernel;
mod panel;
mod presets;
mod record;
mod schedule;
mod stops;
mod strategy;
#[cfg(feature = "parallel")]
mod sweep;
mod venue;

pub use classic::{Classic, ClassicResult, backtest_weights};
pub use columns::{FillRows, HoldingRows, Places, TargetRows};
pub use config::{Action, ActionKind, Config, FillAt, OnMissing, OnNull};
pub use error::{Error, Result};
pub use kernel::{Summary, run, run_on, run_strategy};
pub use panel::{Chunk, Column, Field, Matrix, Panel, Validity};
pub use presets::{Preset, PresetWeights, Rebalance, Signal};
pub use record::{
    EquityCurve, Event, EventKind, EventRows, Fill, FillReason, Held, Journal, Rebalanced, Row,
    Sink, StopEvent,
};
pub use schedule::{Schedule, Unused};
pub use stops::{Reentry, StopKind, Stops, Watch};
pub use strategy::{Decision, Strategy, View};
#[cfg(feature = "parallel")]
pub use sweep::{Outcome, SweepOptions, Trial, sweep, sweep_presets, trial};
pub use venue::{BookVenue, EngineVenue, Execution, Venue};
