"""Indicators and statistics under their classic names: lists in, lists out, over :mod:`nanobook.ta` and the like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from nanobook._lib.frame import Column
from nanobook.errors import InputError

__all__ = ["py_atr", "py_bbands", "py_macd", "py_quintile_spread", "py_rsi", "py_spearman", "py_time_series_split"]


def _list(values: object) -> list[float]:
    """An indicator of one series as a list."""
    return cast("list[float]", cast(Column, values).to_list())


def py_rsi(close: Sequence[float], period: int = 14) -> list[float]:
    """The relative strength index: :func:`nanobook.ta.rsi`.

    Examples
    --------
    >>> import nanobook as nb
    >>> nb.py_rsi([1.0, 2.0, 1.0, 2.0], period=2)
    [nan, nan, 50.0, 75.0]
    """
    from nanobook import ta

    return _list(ta.rsi(close, window=period))


def py_macd(
    close: Sequence[float],
    fast_period: int = 12,
    slow_period: int = 26,
    signal_period: int = 9,
) -> tuple[list[float], list[float], list[float]]:
    """MACD, its signal and their difference: :func:`nanobook.ta.macd`. All begin where the signal does."""
    from nanobook import ta

    line, signal, apart = ta.macd(close, fast=fast_period, slow=slow_period, signal=signal_period)
    return _list(line), _list(signal), _list(apart)


def py_bbands(
    close: Sequence[float],
    period: int = 20,
    num_std_up: float = 2.0,
    num_std_dn: float = 2.0,
) -> tuple[list[float], list[float], list[float]]:
    """The upper, middle and lower Bollinger band: :func:`nanobook.ta.bbands`."""
    from nanobook import ta

    upper, middle, lower = ta.bbands(close, window=period, up=num_std_up, down=num_std_dn)
    return _list(upper), _list(middle), _list(lower)


def py_atr(high: Sequence[float], low: Sequence[float], close: Sequence[float], period: int = 14) -> list[float]:
    """The average true range: :func:`nanobook.ta.atr`."""
    from nanobook import ta

    return _list(ta.atr(high, low, close, window=period))


def py_spearman(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """The rank correlation and its two-sided p-value: :func:`nanobook.stats.spearman`; NaN of less than three values."""
    from nanobook import stats

    if len(x) != len(y):
        raise InputError(f"x has {len(x)} values and y {len(y)}")
    if len(x) < 3:
        return math.nan, math.nan
    found = stats.spearman(x, y)
    return found.coefficient, found.p_value


def py_quintile_spread(scores: Sequence[float], returns: Sequence[float], n_quantiles: int = 5) -> float:
    """The mean return of the highest scores less that of the lowest: ``len(scores) // n_quantiles`` of each."""
    import numpy as np

    if len(scores) != len(returns):
        raise InputError(f"there are {len(scores)} scores and {len(returns)} returns")
    if n_quantiles < 2:
        raise InputError(f"n_quantiles {n_quantiles} is less than two")
    size = len(scores) // n_quantiles
    if size == 0:
        return math.nan
    ordered = np.asarray(returns, dtype=float)[np.argsort(np.asarray(scores, dtype=float), kind="stable")]
    return float(ordered[-size:].mean() - ordered[:size].mean())


def py_time_series_split(n_samples: int, n_splits: int = 5) -> list[tuple[list[int], list[int]]]:
    """Rows to train on and the rows after them to test on: :func:`nanobook.cv.time_series`."""
    from nanobook import cv

    return [(train.tolist(), test.tolist()) for train, test in cv.time_series(n_samples, splits=n_splits)]
