"""Technical indicators as TA-Lib defines them, of one series or a whole panel, in batch or row by row.

Inputs are vectors (arrays, series) or matrices with a column for each symbol (frames, two-dimensional arrays). Of vectors
each output is a :class:`nanobook.Column`, which is an array to NumPy and a series to polars; of matrices it is a
:class:`nanobook.Frame` with the same columns, computed on ``threads`` threads (all cores when none).

The values are those of TA-Lib's C library at every row: rows before the first value are NaN, exponential averages are
seeded by a simple one, Wilder's by the mean of their first window, deviations are those of the population. Rows before the
first complete one are skipped. A NaN further inside is never passed over: a window that holds one gives NaN, and what
carries its whole past stays NaN.

>>> import nanobook as nb
>>> nb.ta.sma([1.0, 2.0, 3.0, 4.0], window=2).to_list()[1:]
[1.5, 2.5, 3.5]
>>> stream = nb.ta.stream("sma", window=2)
>>> [stream.update(price) for price in (1.0, 2.0, 3.0)][1:]
[1.5, 2.5]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from nanobook._lib import ta as _ta
from nanobook.errors import InputError

if TYPE_CHECKING:
    from nanobook._lib.frame import Column, Frame
    from nanobook.typing import MatrixLike, VectorLike

__all__ = [
    "NAMES",
    "Stream",
    "ad",
    "adosc",
    "adx",
    "aroon",
    "aroonosc",
    "atr",
    "bbands",
    "cci",
    "dema",
    "dx",
    "ema",
    "kama",
    "linearreg",
    "macd",
    "mfi",
    "minus_di",
    "mom",
    "natr",
    "obv",
    "plus_di",
    "roc",
    "rsi",
    "sar",
    "sma",
    "stddev",
    "stoch",
    "stochf",
    "stochrsi",
    "stream",
    "tema",
    "trange",
    "ultosc",
    "willr",
    "wma",
]

Values: TypeAlias = "Column | Frame"
"""A column for a vector, a frame for a matrix."""

_PARAMETERS: dict[str, dict[str, float]] = {
    "sma": {"window": 30},
    "ema": {"window": 30},
    "wma": {"window": 30},
    "dema": {"window": 30},
    "tema": {"window": 30},
    "kama": {"window": 30},
    "macd": {"fast": 12, "slow": 26, "signal": 9},
    "bbands": {"window": 20, "up": 2.0, "down": 2.0},
    "stddev": {"window": 5, "multiple": 1.0},
    "linearreg": {"window": 14},
    "trange": {},
    "atr": {"window": 14},
    "natr": {"window": 14},
    "plus_di": {"window": 14},
    "minus_di": {"window": 14},
    "dx": {"window": 14},
    "adx": {"window": 14},
    "sar": {"acceleration": 0.02, "maximum": 0.2},
    "rsi": {"window": 14},
    "stochrsi": {"window": 14, "fast_k": 5, "fast_d": 3},
    "stoch": {"fast_k": 5, "slow_k": 3, "slow_d": 3},
    "stochf": {"fast_k": 5, "fast_d": 3},
    "willr": {"window": 14},
    "cci": {"window": 14},
    "roc": {"window": 10},
    "mom": {"window": 10},
    "ultosc": {"first": 7, "second": 14, "third": 28},
    "aroon": {"window": 14},
    "aroonosc": {"window": 14},
    "obv": {},
    "ad": {},
    "adosc": {"fast": 3, "slow": 10},
    "mfi": {"window": 14},
}
_INPUTS: dict[str, tuple[str, ...]] = {
    "sma": ("close",),
    "ema": ("close",),
    "wma": ("close",),
    "dema": ("close",),
    "tema": ("close",),
    "kama": ("close",),
    "macd": ("close",),
    "bbands": ("close",),
    "stddev": ("close",),
    "linearreg": ("close",),
    "trange": ("high", "low", "close",),
    "atr": ("high", "low", "close",),
    "natr": ("high", "low", "close",),
    "plus_di": ("high", "low", "close",),
    "minus_di": ("high", "low", "close",),
    "dx": ("high", "low", "close",),
    "adx": ("high", "low", "close",),
    "sar": ("high", "low",),
    "rsi": ("close",),
    "stochrsi": ("close",),
    "stoch": ("high", "low", "close",),
    "stochf": ("high", "low", "close",),
    "willr": ("high", "low", "close",),
    "cci": ("high", "low", "close",),
    "roc": ("close",),
    "mom": ("close",),
    "ultosc": ("high", "low", "close",),
    "aroon": ("high", "low",),
    "aroonosc": ("high", "low",),
    "obv": ("close", "volume",),
    "ad": ("high", "low", "close", "volume",),
    "adosc": ("high", "low", "close", "volume",),
    "mfi": ("high", "low", "close", "volume",),
}

NAMES = tuple(_PARAMETERS)
"""Every indicator, as :func:`stream` knows it."""


def _run(name: str, inputs: list[VectorLike | MatrixLike], parameters: list[float], threads: int | None) -> Any:
    outputs = _ta.run(name, _checked(name, parameters), inputs, threads)
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _checked(name: str, parameters: list[float]) -> list[float]:
    for (word, default), value in zip(_PARAMETERS[name].items(), parameters, strict=True):
        if isinstance(default, int) and (isinstance(value, bool) or value != int(value) or value < 0):
            raise InputError(f"{word} is {value!r}, not a number of rows")
    return [float(value) for value in parameters]


class Stream:
    """An indicator fed row by row, in memory bounded by its window. Made by :func:`stream`."""

    def __init__(self, name: str, parameters: list[float]) -> None:
        self._name = name
        self._stream = _ta.Stream(name, _checked(name, parameters))

    @property
    def lookback(self) -> int:
        """Rows that pass before the first value."""
        return self._stream.lookback

    def update(self, *row: float) -> Any:
        """Takes the next row (in the order of the function's inputs); gives the value, or a tuple of the values."""
        values = self._stream.update(list(row))
        return values[0] if len(values) == 1 else tuple(values)

    def __repr__(self) -> str:
        return f"Stream({self._name!r}, inputs={_INPUTS[self._name]})"


def stream(name: str, **parameters: float) -> Stream:
    """An indicator as a stream.

    Parameters
    ----------
    name
        One of :data:`NAMES`.
    parameters
        As of the function of that name, with the same defaults.

    Raises
    ------
    InputError
        When there is no such indicator or parameter, or a window is out of range.
    """
    if name not in _PARAMETERS:
        raise InputError(f"there is no indicator {name!r}; there are {', '.join(NAMES)}")
    wanted = dict(_PARAMETERS[name])
    for word, value in parameters.items():
        if word not in wanted:
            raise InputError(f"{name} has no parameter {word!r}; it has {', '.join(wanted) or 'none'}")
        wanted[word] = value
    return Stream(name, list(wanted.values()))


def sma(close: VectorLike | MatrixLike, window: int = 30, *, threads: int | None = None) -> Values:
    """Simple moving average."""
    values = _run("sma", [close], [window], threads)
    return cast("Values", values)


def ema(close: VectorLike | MatrixLike, window: int = 30, *, threads: int | None = None) -> Values:
    """Exponential moving average, factor 2 / (window + 1), seeded by a simple average."""
    values = _run("ema", [close], [window], threads)
    return cast("Values", values)


def wma(close: VectorLike | MatrixLike, window: int = 30, *, threads: int | None = None) -> Values:
    """Linearly weighted moving average."""
    values = _run("wma", [close], [window], threads)
    return cast("Values", values)


def dema(close: VectorLike | MatrixLike, window: int = 30, *, threads: int | None = None) -> Values:
    """Double exponential moving average."""
    values = _run("dema", [close], [window], threads)
    return cast("Values", values)


def tema(close: VectorLike | MatrixLike, window: int = 30, *, threads: int | None = None) -> Values:
    """Triple exponential moving average."""
    values = _run("tema", [close], [window], threads)
    return cast("Values", values)


def kama(close: VectorLike | MatrixLike, window: int = 30, *, threads: int | None = None) -> Values:
    """Kaufman's adaptive moving average."""
    values = _run("kama", [close], [window], threads)
    return cast("Values", values)


def macd(
    close: VectorLike | MatrixLike,
    fast: int = 12,
    slow: int = 26,
    signal: int = 9,
    *,
    threads: int | None = None,
) -> tuple[Values, Values, Values]:
    """Moving average convergence and divergence: line, signal, difference."""
    values = _run("macd", [close], [fast, slow, signal], threads)
    return cast("tuple[Values, Values, Values]", values)


def bbands(
    close: VectorLike | MatrixLike,
    window: int = 20,
    up: float = 2.0,
    down: float = 2.0,
    *,
    threads: int | None = None,
) -> tuple[Values, Values, Values]:
    """Bollinger bands with population deviations: upper, middle, lower."""
    values = _run("bbands", [close], [window, up, down], threads)
    return cast("tuple[Values, Values, Values]", values)


def stddev(
    close: VectorLike | MatrixLike,
    window: int = 5,
    multiple: float = 1.0,
    *,
    threads: int | None = None,
) -> Values:
    """Population standard deviation."""
    values = _run("stddev", [close], [window, multiple], threads)
    return cast("Values", values)


def linearreg(close: VectorLike | MatrixLike, window: int = 14, *, threads: int | None = None) -> Values:
    """End point of the least-squares line."""
    values = _run("linearreg", [close], [window], threads)
    return cast("Values", values)


def trange(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    *,
    threads: int | None = None,
) -> Values:
    """True range."""
    values = _run("trange", [high, low, close], [], threads)
    return cast("Values", values)


def atr(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Average true range, Wilder's average."""
    values = _run("atr", [high, low, close], [window], threads)
    return cast("Values", values)


def natr(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Average true range in percent of the close."""
    values = _run("natr", [high, low, close], [window], threads)
    return cast("Values", values)


def plus_di(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Positive directional indicator."""
    values = _run("plus_di", [high, low, close], [window], threads)
    return cast("Values", values)


def minus_di(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Negative directional indicator."""
    values = _run("minus_di", [high, low, close], [window], threads)
    return cast("Values", values)


def dx(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Directional movement index."""
    values = _run("dx", [high, low, close], [window], threads)
    return cast("Values", values)


def adx(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Average directional movement index."""
    values = _run("adx", [high, low, close], [window], threads)
    return cast("Values", values)


def sar(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    acceleration: float = 0.02,
    maximum: float = 0.2,
    *,
    threads: int | None = None,
) -> Values:
    """Parabolic stop and reverse."""
    values = _run("sar", [high, low], [acceleration, maximum], threads)
    return cast("Values", values)


def rsi(close: VectorLike | MatrixLike, window: int = 14, *, threads: int | None = None) -> Values:
    """Relative strength index, Wilder's averages."""
    values = _run("rsi", [close], [window], threads)
    return cast("Values", values)


def stochrsi(
    close: VectorLike | MatrixLike,
    window: int = 14,
    fast_k: int = 5,
    fast_d: int = 3,
    *,
    threads: int | None = None,
) -> tuple[Values, Values]:
    """Fast stochastic of the relative strength index: %K, %D."""
    values = _run("stochrsi", [close], [window, fast_k, fast_d], threads)
    return cast("tuple[Values, Values]", values)


def stoch(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    fast_k: int = 5,
    slow_k: int = 3,
    slow_d: int = 3,
    *,
    threads: int | None = None,
) -> tuple[Values, Values]:
    """Slow stochastic: %K, %D."""
    values = _run("stoch", [high, low, close], [fast_k, slow_k, slow_d], threads)
    return cast("tuple[Values, Values]", values)


def stochf(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    fast_k: int = 5,
    fast_d: int = 3,
    *,
    threads: int | None = None,
) -> tuple[Values, Values]:
    """Fast stochastic: %K, %D."""
    values = _run("stochf", [high, low, close], [fast_k, fast_d], threads)
    return cast("tuple[Values, Values]", values)


def willr(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Williams' %R."""
    values = _run("willr", [high, low, close], [window], threads)
    return cast("Values", values)


def cci(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Commodity channel index."""
    values = _run("cci", [high, low, close], [window], threads)
    return cast("Values", values)


def roc(close: VectorLike | MatrixLike, window: int = 10, *, threads: int | None = None) -> Values:
    """Rate of change in percent."""
    values = _run("roc", [close], [window], threads)
    return cast("Values", values)


def mom(close: VectorLike | MatrixLike, window: int = 10, *, threads: int | None = None) -> Values:
    """Change over the window."""
    values = _run("mom", [close], [window], threads)
    return cast("Values", values)


def ultosc(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    first: int = 7,
    second: int = 14,
    third: int = 28,
    *,
    threads: int | None = None,
) -> Values:
    """Ultimate oscillator."""
    values = _run("ultosc", [high, low, close], [first, second, third], threads)
    return cast("Values", values)


def aroon(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> tuple[Values, Values]:
    """Aroon: down, up."""
    values = _run("aroon", [high, low], [window], threads)
    return cast("tuple[Values, Values]", values)


def aroonosc(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Aroon up minus Aroon down."""
    values = _run("aroonosc", [high, low], [window], threads)
    return cast("Values", values)


def obv(close: VectorLike | MatrixLike, volume: VectorLike | MatrixLike, *, threads: int | None = None) -> Values:
    """On-balance volume."""
    values = _run("obv", [close, volume], [], threads)
    return cast("Values", values)


def ad(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    volume: VectorLike | MatrixLike,
    *,
    threads: int | None = None,
) -> Values:
    """Accumulation/distribution line."""
    values = _run("ad", [high, low, close, volume], [], threads)
    return cast("Values", values)


def adosc(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    volume: VectorLike | MatrixLike,
    fast: int = 3,
    slow: int = 10,
    *,
    threads: int | None = None,
) -> Values:
    """Chaikin's oscillator."""
    values = _run("adosc", [high, low, close, volume], [fast, slow], threads)
    return cast("Values", values)


def mfi(
    high: VectorLike | MatrixLike,
    low: VectorLike | MatrixLike,
    close: VectorLike | MatrixLike,
    volume: VectorLike | MatrixLike,
    window: int = 14,
    *,
    threads: int | None = None,
) -> Values:
    """Money flow index."""
    values = _run("mfi", [high, low, close, volume], [window], threads)
    return cast("Values", values)
