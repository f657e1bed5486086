//! Statistics of signals, returns and backtests. Each says which convention it follows.
//!
//! | what | functions | agrees with |
//! |---|---|---|
//! | correlation with p-value | [`pearson`] [`spearman`] [`kendall`] | scipy |
//! | signals | [`information_coefficients`] [`decay`] [`quantile_returns`] | scipy, pandas |
//! | Sharpe ratios | [`SharpeMoments`] (probabilistic, deflated, track record) | Bailey and López de Prado |
//! | resampling | [`bootstrap`] | arch, in distribution |
//! | choosing among many | [`overfitting_probability`] | Bailey and others (CSCV) |
//! | regression | [`factor_regression`] [`newey_west_mean`] | statsmodels |
//!
//! Bad input is an [`Error`] with the place in it, never an empty result.

mod bootstrap;
pub(crate) mod error;
mod overfit;
pub(crate) mod random;
mod rank;
mod regression;
mod sharpe;
mod signal;
mod special;

pub use bootstrap::{Bootstrap, Resampling, bootstrap};
pub use error::{Error, Result};
pub use overfit::{Overfitting, overfitting_probability};
pub use rank::{Correlation, kendall, pearson, ranks, spearman};
pub use regression::{
    Errors, MeanTest, Regression, factor_regression, newey_west_lags, newey_west_mean,
};
pub use sharpe::{SharpeMoments, expected_best_sharpe};
pub use signal::{
    Coefficient, Decay, Method, Quantiles, decay, information_coefficients, quantile_returns,
};
pub(crate) use special::student_quantile;
pub use special::{normal_cdf, normal_quantile, student_two_sided};
