"""Statistics of signals, returns and backtests.

>>> import nanobook as nb
>>> round(nb.stats.spearman([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]).coefficient, 12)
0.8
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from nanobook._lib import stats as _stats

if TYPE_CHECKING:
    from nanobook._lib.frame import Column, Frame
    from nanobook.typing import MatrixLike, VectorLike

__all__ = [
    "Bootstrap",
    "Correlation",
    "MeanTest",
    "Overfitting",
    "Regression",
    "bootstrap",
    "decay",
    "deflated_sharpe",
    "factor_regression",
    "information_coefficients",
    "kendall",
    "minimum_track_record",
    "newey_west_mean",
    "overfitting_probability",
    "pearson",
    "probabilistic_sharpe",
    "quantile_returns",
    "spearman",
]

Method: TypeAlias = Literal["spearman", "pearson"]


class Correlation(NamedTuple):
    """A coefficient and its two-sided p-value."""

    coefficient: float
    p_value: float


class MeanTest(NamedTuple):
    """A mean with its Newey-West error."""

    mean: float
    error: float
    t_value: float
    p_value: float


class Bootstrap(NamedTuple):
    """A statistic with its bootstrap distribution."""

    estimate: float
    standard_error: float
    interval: tuple[float, float]
    draws: Column


class Overfitting(NamedTuple):
    """What combinatorially symmetric cross-validation says of choosing the best."""

    probability: float
    slope: float
    loss_probability: float
    logits: Column


class Regression(NamedTuple):
    """A least-squares fit. ``table`` has a column for the intercept and each factor, rows coefficient, error, t, p."""

    table: Frame
    r_squared: float
    adjusted_r_squared: float
    residuals: Column


def pearson(x: VectorLike, y: VectorLike) -> Correlation:
    """Pearson's correlation, as scipy's ``pearsonr``. An error when a value is not finite or a series is constant."""
    return Correlation(*_stats.correlation("pearson", x, y))


def spearman(x: VectorLike, y: VectorLike) -> Correlation:
    """Spearman's rank correlation, as scipy's ``spearmanr``."""
    return Correlation(*_stats.correlation("spearman", x, y))


def kendall(x: VectorLike, y: VectorLike) -> Correlation:
    """Kendall's tau-b, as scipy's ``kendalltau``."""
    return Correlation(*_stats.correlation("kendall", x, y))


def information_coefficients(signal: MatrixLike, forward: MatrixLike, *, method: Method = "spearman") -> Frame:
    """Row by row, the correlation over names of a signal with the return that followed: ``ic, p_value, pairs``.

    A name with a NaN on either side is left out of the row; a row with fewer than three names has NaN.
    """
    return _stats.information_coefficients(signal, forward, method)


def decay(signal: MatrixLike, prices: MatrixLike, horizons: Sequence[int], *, method: Method = "spearman") -> Frame:
    """How the coefficient decays: ``horizon, mean, deviation, ratio, t_value, rows`` (Newey-West t of horizon - 1 lags)."""
    return _stats.decay(signal, prices, list(horizons), method)


def quantile_returns(signal: MatrixLike, forward: MatrixLike, *, groups: int = 5) -> Frame:
    """Mean return of each group of names sorted by signal, and the spread of the last over the first, row by row."""
    return _stats.quantile_returns(signal, forward, groups)


def probabilistic_sharpe(returns: VectorLike, *, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio is above a benchmark, both a period's (Bailey, López de Prado 2012)."""
    return _stats.probabilistic_sharpe(returns, benchmark)


def deflated_sharpe(returns: VectorLike, *, trials: int, variance: float) -> float:
    """Probability that the true Sharpe ratio is above the best of ``trials`` by luck (Bailey, López de Prado 2014).

    ``variance`` is that of the trials' Sharpe ratios, a period's.
    """
    return _stats.deflated_sharpe(returns, trials, variance)


def minimum_track_record(returns: VectorLike, *, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """How many returns are needed until the Sharpe ratio is above the benchmark with the confidence; may be infinite."""
    return _stats.minimum_track_record(returns, benchmark, confidence)


def bootstrap(
    series: VectorLike,
    *,
    statistic: Literal["mean", "deviation", "sharpe"] = "mean",
    resampling: Literal["stationary", "circular", "moving"] = "stationary",
    block: float = 10.0,
    count: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Draws the series again in blocks; ``block`` is their (mean) length. The same seed gives the same draws."""
    (estimate, error), interval, draws = _stats.bootstrap(
        series, statistic, resampling, block, count, confidence, seed
    )
    return Bootstrap(estimate, error, interval, draws)


def overfitting_probability(returns: MatrixLike, *, blocks: int = 16) -> Overfitting:
    """Probability of backtest overfitting by CSCV; a column of returns for each strategy that was tried."""
    numbers, logits = _stats.overfitting_probability(returns, blocks)
    return Overfitting(*numbers, logits)


def newey_west_mean(values: VectorLike, *, lags: int | None = None) -> MeanTest:
    """The mean of a correlated series; lags 4 (n / 100)^(2/9) when none."""
    return MeanTest(*_stats.newey_west_mean(values, lags))


def factor_regression(returns: VectorLike, factors: MatrixLike, *, lags: int | None = None) -> Regression:
    """Regresses returns on factors and an intercept.

    With ``lags``, errors are Newey-West's and p-values normal, as statsmodels' ``cov_type="HAC"``; without, ordinary
    ones and Student's t.
    """
    table, (r_squared, adjusted), residuals = _stats.factor_regression(returns, factors, lags)
    return Regression(table, r_squared, adjusted, residuals)
