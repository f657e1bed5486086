"""Portfolios that really are optimal, heuristics under their own names, and covariance estimators.

Problems take ``returns`` (rows of time, a column for each asset) and estimate what they need, or take ``covariance``
(and ``means``) as they are. A :class:`Solution` has weights, the objective, and a bound on how far it is from the best.

>>> import nanobook as nb
>>> found = nb.optimize.min_variance(covariance=[[0.04, 0.0], [0.0, 0.01]])
>>> [round(weight, 4) for weight in found.weights.to_list()]
[0.2, 0.8]
>>> found.converged
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from nanobook._lib import optimize as _optimize
from nanobook._lib.optimize import Solution
from nanobook.errors import InputError

if TYPE_CHECKING:
    from nanobook._lib.frame import Column, Frame
    from nanobook.typing import MatrixLike, VectorLike

__all__ = [
    "Group",
    "Limits",
    "Solution",
    "covariance",
    "hierarchical_risk_parity",
    "inverse_cdar",
    "inverse_cvar",
    "inverse_volatility",
    "max_diversification",
    "max_sharpe",
    "mean_variance",
    "min_cdar",
    "min_cvar",
    "min_variance",
    "risk_parity",
]

Estimator: TypeAlias = Literal["sample", "exponential", "ledoit_wolf", "denoised"]
"""How a covariance is estimated; see :func:`covariance`."""


class Group(NamedTuple):
    """A limit on the sum of some weights."""

    members: Sequence[int]
    """Positions of assets."""
    lower: float = float("-inf")
    """Least sum."""
    upper: float = float("inf")
    """Most sum."""


@dataclass(frozen=True)
class Limits:
    """What weights must satisfy. They always sum to one."""

    lower: float | Sequence[float] = 0.0
    """Least weight, of all or of each asset; negative allows to be short."""
    upper: float | Sequence[float] = 1.0
    """Most weight, of all or of each asset."""
    groups: Sequence[Group] = ()
    """Limits on sums."""
    leverage: float | None = None
    """Most that the sizes of all weights may sum to."""
    current: Sequence[float] | None = None
    """Weights held now, for the penalty on turnover."""
    turnover_penalty: float = 0.0
    """Added to what is minimized for each unit of weight that moves."""

    def _for(self, assets: int) -> dict[str, Any]:
        def each(value: float | Sequence[float]) -> list[float]:
            return [float(value)] * assets if isinstance(value, int | float) else [float(v) for v in value]

        if self.current is None and self.turnover_penalty:
            raise InputError("a turnover penalty needs the current weights")
        current = None if self.current is None else (list(self.current), self.turnover_penalty)
        return {
            "lower": each(self.lower),
            "upper": each(self.upper),
            "groups": [(list(group.members), group.lower, group.upper) for group in self.groups],
            "leverage": self.leverage,
            "turnover": current,
        }


def covariance(returns: MatrixLike, estimator: Estimator = "sample", *, decay: float = 0.94) -> Frame:
    """Estimates a covariance.

    Parameters
    ----------
    returns
        Rows of time, a column for each asset, finite.
    estimator
        ``sample`` divides by n - 1; ``exponential`` weighs the newest row 1 and each older ``decay`` times the next, as
        pandas' ``ewm(alpha=1 - decay).cov()``; ``ledoit_wolf`` shrinks to a multiple of the identity, as scikit-learn;
        ``denoised`` levels the eigenvalues of the correlation below the edge of pure noise.
    decay
        For ``exponential``.

    Returns
    -------
    Frame
        A row and a column for each asset.
    """
    return _optimize.covariance_of(returns, estimator, decay)[0]


def _risk(returns: MatrixLike | None, given: MatrixLike | None, estimator: str) -> MatrixLike:
    if (returns is None) == (given is None):
        raise InputError("give either returns or a covariance")
    if given is not None:
        return given
    assert returns is not None
    return _optimize.covariance_of(returns, estimator, 0.94)[0]


def _width(matrix: MatrixLike) -> int:
    return _optimize.shape_of(matrix)[1]


def _means(returns: MatrixLike | None, given: VectorLike | None) -> VectorLike:
    if given is not None:
        return given
    if returns is None:
        raise InputError("give returns, or means beside the covariance")
    return _optimize.means_of(returns)


def min_variance(
    returns: MatrixLike | None = None,
    *,
    covariance: MatrixLike | None = None,
    estimator: Estimator = "sample",
    limits: Limits | None = None,
) -> Solution:
    """The portfolio of least variance; its objective is the variance of a period.

    Parameters
    ----------
    returns
        Rows of time, a column for each asset.
    covariance
        Instead of returns.
    estimator
        See :func:`covariance`.
    limits
        Long only when none.

    Raises
    ------
    InputError
        When a value is not finite, shapes differ, or no weights satisfy the limits.
    """
    risk = _risk(returns, covariance, estimator)
    return _optimize.by_covariance("min_variance", risk, None, 0.0, (limits or Limits())._for(_width(risk)))


def mean_variance(
    returns: MatrixLike | None = None,
    *,
    risk_aversion: float,
    means: VectorLike | None = None,
    covariance: MatrixLike | None = None,
    estimator: Estimator = "sample",
    limits: Limits | None = None,
) -> Solution:
    """The portfolio of least risk_aversion / 2 times the variance minus the mean, which is its objective."""
    means = _means(returns, means)
    risk = _risk(returns if covariance is None else None, covariance, estimator)
    bounds = (limits or Limits())._for(_width(risk))
    return _optimize.by_covariance("mean_variance", risk, means, risk_aversion, bounds)


def max_sharpe(
    returns: MatrixLike | None = None,
    *,
    risk_free: float = 0.0,
    means: VectorLike | None = None,
    covariance: MatrixLike | None = None,
    estimator: Estimator = "sample",
    limits: Limits | None = None,
) -> Solution:
    """The portfolio of largest Sharpe ratio, a period's, which is its objective.

    An error when no portfolio earns more than ``risk_free`` (a period's): nothing else is put in its place.
    """
    means = _means(returns, means)
    risk = _risk(returns if covariance is None else None, covariance, estimator)
    return _optimize.by_covariance("max_sharpe", risk, means, risk_free, (limits or Limits())._for(_width(risk)))


def max_diversification(
    returns: MatrixLike | None = None,
    *,
    covariance: MatrixLike | None = None,
    estimator: Estimator = "sample",
    limits: Limits | None = None,
) -> Solution:
    """The portfolio with the largest ratio of weighted deviations to its own deviation, which is its objective."""
    risk = _risk(returns, covariance, estimator)
    return _optimize.by_covariance("max_diversification", risk, None, 0.0, (limits or Limits())._for(_width(risk)))


def risk_parity(
    returns: MatrixLike | None = None,
    *,
    covariance: MatrixLike | None = None,
    estimator: Estimator = "sample",
    budgets: VectorLike | None = None,
) -> Solution:
    """Long-only weights with which every asset carries its budget of the variance, equal ones when none.

    The objective is the volatility, the gap how far a share of risk is from its budget at most.
    """
    return _optimize.risk_parity(_risk(returns, covariance, estimator), budgets)


def min_cvar(returns: MatrixLike, *, confidence: float = 0.95, limits: Limits | None = None) -> Solution:
    """The portfolio of least mean loss in the worst 1 - confidence of rows (Rockafellar and Uryasev)."""
    return _optimize.by_returns("min_cvar", returns, confidence, (limits or Limits())._for(_width(returns)))


def min_cdar(returns: MatrixLike, *, confidence: float = 0.95, limits: Limits | None = None) -> Solution:
    """The portfolio of least mean of the worst 1 - confidence of drawdowns of summed returns."""
    return _optimize.by_returns("min_cdar", returns, confidence, (limits or Limits())._for(_width(returns)))


def inverse_volatility(
    returns: MatrixLike | None = None, *, covariance: MatrixLike | None = None, estimator: Estimator = "sample"
) -> Column:
    """Heuristic: weights in proportion to 1 / deviation."""
    return _optimize.heuristic("inverse_volatility", _risk(returns, covariance, estimator), 0.0)


def inverse_cvar(returns: MatrixLike, *, confidence: float = 0.95) -> Column:
    """Heuristic: weights in proportion to 1 / conditional value at risk of each asset by itself."""
    return _optimize.heuristic("inverse_cvar", returns, confidence)


def inverse_cdar(returns: MatrixLike, *, confidence: float = 0.95) -> Column:
    """Heuristic: weights in proportion to 1 / conditional drawdown at risk of each asset by itself."""
    return _optimize.heuristic("inverse_cdar", returns, confidence)


def hierarchical_risk_parity(
    returns: MatrixLike | None = None, *, covariance: MatrixLike | None = None, estimator: Estimator = "sample"
) -> Column:
    """Heuristic of López de Prado (2016): single linkage, halves share risk. As PyPortfolioOpt's ``HRPOpt``."""
    return _optimize.heuristic("hierarchical_risk_parity", _risk(returns, covariance, estimator), 0.0)
