"""Volatility: GARCH models by maximum likelihood as ``arch`` fits them, and estimators from bars.

Volatilities are a period's, not annualized.

>>> import nanobook as nb
>>> returns = [((i * 7919) % 1009) / 504 - 1 for i in range(500)]
>>> fit = nb.volatility.fit(returns, mean="zero")
>>> fit.converged, list(fit.parameters)
(True, ['omega', 'alpha[1]', 'beta[1]'])
>>> nb.volatility.garch_forecast(returns) > 0.4
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from nanobook._lib import volatility as _volatility
from nanobook.errors import InputError

if TYPE_CHECKING:
    from nanobook._lib.frame import Column, Frame
    from nanobook.typing import VectorLike

__all__ = ["Fit", "ewma_variance", "fit", "garch_ewma_forecast", "garch_forecast", "realized"]

Mean: TypeAlias = Literal["zero", "constant"]
Estimator: TypeAlias = Literal["close_to_close", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"]


class Fit:
    """A fitted model. Made by :func:`fit`."""

    def __init__(self, fit: _volatility.Fit) -> None:
        self._fit = fit

    @property
    def parameters(self) -> dict[str, float]:
        """By name, as ``arch`` names them, in the units of the returns."""
        return dict(self._fit.parameters)

    @property
    def log_likelihood(self) -> float:
        """The largest that was found."""
        return self._fit.log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return self._fit.aic

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return self._fit.bic

    @property
    def variances(self) -> Column:
        """Variance of each row given the rows before it."""
        return self._fit.variances

    @property
    def residuals(self) -> Column:
        """Returns minus their mean."""
        return self._fit.residuals

    @property
    def backcast(self) -> float:
        """The variance taken for the time before the first row."""
        return self._fit.backcast

    @property
    def converged(self) -> bool:
        """Whether no step could still raise the likelihood by a millionth."""
        return self._fit.converged

    @property
    def distance(self) -> float:
        """How much the log-likelihood can still rise, by a quadratic model of it."""
        return self._fit.distance

    @property
    def iterations(self) -> int:
        """Steps from the best start."""
        return self._fit.iterations

    def forecast(self, horizon: int = 1, *, confidence: float = 0.95, seed: int = 0) -> Frame:
        """Columns ``mean``, ``variance``, ``low``, ``high``, a row for each period ahead.

        ``low`` and ``high`` hold the return with the given confidence. EGARCH is simulated from ``seed`` beyond the
        first period; the others have a closed form.
        """
        return self._fit.forecast(horizon, confidence, seed)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.6g}" for name, value in self.parameters.items())
        return f"Fit({values}, log_likelihood={self.log_likelihood:.6g}, converged={self.converged})"


def fit(
    returns: VectorLike,
    *,
    model: Literal["garch", "gjr", "egarch"] = "garch",
    p: int = 1,
    o: int = 1,
    q: int = 1,
    mean: Mean = "constant",
    distribution: Literal["normal", "t"] = "normal",
) -> Fit:
    """Fits a volatility model by maximum likelihood.

    Conventions are ``arch``'s: parameters, the backcast for the time before the first row, constraints. Units of the
    returns do not matter.

    Parameters
    ----------
    returns
        At least ten for each parameter, finite.
    model
        ``garch``, ``gjr`` (with ``o`` lags of asymmetry), or ``egarch``.
    p, o, q
        Lags of squared residuals, of asymmetry (not for ``garch``), of the variance.
    mean
        ``zero``, or a ``constant`` estimated with the rest.
    distribution
        ``normal``, or Student's ``t`` scaled to variance one.

    Raises
    ------
    InputError
        When returns are too few, constant or not finite; ``row`` says where.
    """
    return Fit(_volatility.fit(returns, model, p, 0 if model == "garch" else o, q, mean, distribution))


def garch_forecast(returns: VectorLike, p: int = 1, q: int = 1, mean: Mean = "zero") -> float:
    """Next period's volatility by a fitted GARCH(p, q); the last return counts once."""
    return _volatility.garch_forecast(returns, p, q, mean)


def garch_ewma_forecast(returns: VectorLike, p: int = 1, q: int = 1, mean: Mean = "zero") -> float:
    """Next period's volatility with fixed parameters: alpha 0.08, beta 0.90, omega 0.02 of the sample variance.

    ``p`` and ``q`` are those of the classic call, and one.
    """
    if (p, q) != (1, 1):
        raise InputError(f"the fixed parameters are those of p=1 and q=1, not p={p} and q={q}; garch_forecast fits others")
    return _volatility.garch_ewma_forecast(returns, mean)


def ewma_variance(returns: VectorLike, *, decay: float = 0.94) -> Column:
    """Exponentially weighted variance before each row, and one more: the forecast. As ``arch``'s ``EWMAVariance``."""
    return _volatility.ewma_variance(returns, decay)


def realized(
    close: VectorLike,
    *,
    open: VectorLike | None = None,
    high: VectorLike | None = None,
    low: VectorLike | None = None,
    estimator: Estimator = "close_to_close",
    window: int = 20,
) -> Column:
    """Volatility of a moving window of bars, from logarithms of prices; NaN while the window is not full."""
    return _volatility.realized(open, high, low, close, estimator, window)
