"""The optimizers under their classic names: a matrix of returns in, weights out.

``returns_matrix`` has a row for each time and a column for each asset, as a NumPy array, lists or a frame. Without ``symbols``
weights are a list in the order of the columns, with them a dictionary.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, overload

from nanobook import optimize
from nanobook.errors import InputError

if TYPE_CHECKING:
    from nanobook.typing import MatrixLike

__all__ = [
    "inverse_cdar_weights",
    "inverse_cvar_weights",
    "optimize_cdar",
    "optimize_cvar",
    "optimize_hrp",
    "optimize_max_sharpe",
    "optimize_min_variance",
    "optimize_risk_parity",
]


def _named(weights: Iterable[float], symbols: Sequence[str] | None) -> list[float] | dict[str, float]:
    values = [float(weight) for weight in weights]
    if symbols is None:
        return values
    if len(symbols) != len(values) or len(set(symbols)) != len(symbols):
        raise InputError(f"there are {len(set(symbols))} different symbols and {len(values)} columns of returns")
    return dict(zip(symbols, values))


@overload
def optimize_min_variance(returns_matrix: MatrixLike, symbols: None = None) -> list[float]: ...
@overload
def optimize_min_variance(returns_matrix: MatrixLike, symbols: Sequence[str]) -> dict[str, float]: ...
def optimize_min_variance(
    returns_matrix: MatrixLike, symbols: Sequence[str] | None = None
) -> list[float] | dict[str, float]:
    """The portfolio of least variance, :func:`nanobook.optimize.min_variance`."""
    return _named(optimize.min_variance(returns_matrix).weights.to_list(), symbols)


@overload
def optimize_max_sharpe(
    returns_matrix: MatrixLike, symbols: None = None, risk_free: float = 0.0, *, risk_free_rate: float | None = None
) -> list[float]: ...
@overload
def optimize_max_sharpe(
    returns_matrix: MatrixLike, symbols: Sequence[str], risk_free: float = 0.0, *, risk_free_rate: float | None = None
) -> dict[str, float]: ...
def optimize_max_sharpe(
    returns_matrix: MatrixLike,
    symbols: Sequence[str] | None = None,
    risk_free: float = 0.0,
    *,
    risk_free_rate: float | None = None,
) -> list[float] | dict[str, float]:
    """The portfolio of largest Sharpe ratio, :func:`nanobook.optimize.max_sharpe`.

    ``risk_free`` (``risk_free_rate`` is the same) is a period's. Where no portfolio earns more, there is none, and the one of
    least variance comes instead with a ``RuntimeWarning``, as it always did under this name; the other function raises.

    Examples
    --------
    >>> import nanobook as nb
    >>> nb.optimize_max_sharpe([[0.01, 0.02], [0.03, -0.01], [0.02, 0.01]], ["A", "B"]).keys()
    dict_keys(['A', 'B'])
    """
    rate = risk_free if risk_free_rate is None else risk_free_rate
    try:
        weights = optimize.max_sharpe(returns_matrix, risk_free=rate).weights
    except InputError as error:
        if "earns more than the risk-free rate" not in str(error):
            raise
        warnings.warn(f"{error}: these are the weights of least variance", RuntimeWarning, stacklevel=2)
        weights = optimize.min_variance(returns_matrix).weights
    return _named(weights.to_list(), symbols)


@overload
def optimize_risk_parity(returns_matrix: MatrixLike, symbols: None = None) -> list[float]: ...
@overload
def optimize_risk_parity(returns_matrix: MatrixLike, symbols: Sequence[str]) -> dict[str, float]: ...
def optimize_risk_parity(
    returns_matrix: MatrixLike, symbols: Sequence[str] | None = None
) -> list[float] | dict[str, float]:
    """The portfolio of equal risks, :func:`nanobook.optimize.risk_parity`."""
    return _named(optimize.risk_parity(returns_matrix).weights.to_list(), symbols)


@overload
def optimize_cvar(returns_matrix: MatrixLike, symbols: None = None, alpha: float = 0.95) -> list[float]: ...
@overload
def optimize_cvar(returns_matrix: MatrixLike, symbols: Sequence[str], alpha: float = 0.95) -> dict[str, float]: ...
def optimize_cvar(
    returns_matrix: MatrixLike, symbols: Sequence[str] | None = None, alpha: float = 0.95
) -> list[float] | dict[str, float]:
    """The portfolio of least expected shortfall, :func:`nanobook.optimize.min_cvar`; it was the inverse of each asset's own under
    this name, which is :func:`inverse_cvar_weights`."""
    return _named(optimize.min_cvar(returns_matrix, confidence=alpha).weights.to_list(), symbols)


@overload
def optimize_cdar(returns_matrix: MatrixLike, symbols: None = None, alpha: float = 0.95) -> list[float]: ...
@overload
def optimize_cdar(returns_matrix: MatrixLike, symbols: Sequence[str], alpha: float = 0.95) -> dict[str, float]: ...
def optimize_cdar(
    returns_matrix: MatrixLike, symbols: Sequence[str] | None = None, alpha: float = 0.95
) -> list[float] | dict[str, float]:
    """The portfolio of least drawdown at risk, :func:`nanobook.optimize.min_cdar`; it was the inverse of each asset's own under
    this name, which is :func:`inverse_cdar_weights`."""
    return _named(optimize.min_cdar(returns_matrix, confidence=alpha).weights.to_list(), symbols)


@overload
def optimize_hrp(returns_matrix: MatrixLike, symbols: None = None) -> list[float]: ...
@overload
def optimize_hrp(returns_matrix: MatrixLike, symbols: Sequence[str]) -> dict[str, float]: ...
def optimize_hrp(
    returns_matrix: MatrixLike, symbols: Sequence[str] | None = None
) -> list[float] | dict[str, float]:
    """Hierarchical risk parity, :func:`nanobook.optimize.hierarchical_risk_parity`."""
    return _named(optimize.hierarchical_risk_parity(returns_matrix).to_list(), symbols)


@overload
def inverse_cvar_weights(returns_matrix: MatrixLike, symbols: None = None, alpha: float = 0.95) -> list[float]: ...
@overload
def inverse_cvar_weights(returns_matrix: MatrixLike, symbols: Sequence[str], alpha: float = 0.95) -> dict[str, float]: ...
def inverse_cvar_weights(
    returns_matrix: MatrixLike, symbols: Sequence[str] | None = None, alpha: float = 0.95
) -> list[float] | dict[str, float]:
    """Weights in proportion to 1 / expected shortfall, :func:`nanobook.optimize.inverse_cvar`."""
    return _named(optimize.inverse_cvar(returns_matrix, confidence=alpha).to_list(), symbols)


@overload
def inverse_cdar_weights(returns_matrix: MatrixLike, symbols: None = None, alpha: float = 0.95) -> list[float]: ...
@overload
def inverse_cdar_weights(returns_matrix: MatrixLike, symbols: Sequence[str], alpha: float = 0.95) -> dict[str, float]: ...
def inverse_cdar_weights(
    returns_matrix: MatrixLike, symbols: Sequence[str] | None = None, alpha: float = 0.95
) -> list[float] | dict[str, float]:
    """Weights in proportion to 1 / drawdown at risk, :func:`nanobook.optimize.inverse_cdar`."""
    return _named(optimize.inverse_cdar(returns_matrix, confidence=alpha).to_list(), symbols)
