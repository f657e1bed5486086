"""Whether a signal looks ahead: computed on less data, it must say the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nanobook._lib.frame import Frame
from nanobook.errors import DtypeError, InputError, PackageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["check_lookahead"]


def check_lookahead(
    fn: Callable[[Any], Any],
    prices: Any,
    *,
    cuts: int | None = 50,
    tolerance: float = 1e-9,
) -> Frame:
    """Recomputes a signal on data that ends earlier and returns every value that changes.

    A signal that uses nothing but the past gives the same value for a row whatever comes after it. This calls ``fn`` with
    all of ``prices``, and with the part up to each of some times, and compares.

    Parameters
    ----------
    fn
        Takes prices as they were given and returns a frame with a column of times: wide, or long with a symbol; or, for an
        array of prices, an array of as many rows.
    prices
        A frame of polars, pandas or pyarrow with a column of times (long or wide), or an array whose first axis is time.
    cuts
        How many times to cut at, spread evenly over the rows; ``None`` for all of them.
    tolerance
        Relative and absolute difference that is none.

    Returns
    -------
    Frame
        ``cut, ts, symbol, column, truncated, full``: the last time of the shorter data, the row and value that changed. A
        row that the shorter data lacks has null in ``truncated``. No rows: nothing changed.

    Examples
    --------
    >>> import nanobook as nb, polars as pl
    >>> days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 30), eager=True)
    >>> prices = pl.DataFrame({"date": days, "A": [float(100 + i * i % 7) for i in range(30)]})
    >>> len(nb.check_lookahead(lambda p: p.with_columns(pl.col("A").rolling_mean(3)), prices))
    0
    >>> found = nb.check_lookahead(lambda p: p.with_columns(pl.col("A") / pl.col("A").mean()), prices)
    >>> len(found) > 0
    True
    """
    import numpy as np

    try:
        import polars as pl
    except ImportError:
        raise PackageError("this needs the package polars: pip install polars") from None

    is_array = isinstance(prices, np.ndarray)
    times = np.arange(len(prices)) if is_array else _times(prices)
    marks = np.unique(times)
    if len(marks) < 3:
        raise InputError(f"{len(marks)} times are too few to look ahead")
    last = len(marks) - 1
    places = np.arange(last) if cuts is None or cuts >= last else np.unique(np.linspace(1, last - 1, cuts).astype(int))
    full = _table(fn(prices), times if is_array else None)
    found = []
    for place in places:
        cut = marks[place]
        shorter = _table(fn(_up_to(prices, times <= cut)), times[times <= cut] if is_array else None)
        for (ts, symbol, column), value in full.items():
            if ts > cut:
                continue
            other = shorter.get((ts, symbol, column))
            if other is None and value is None or other is not None and value is not None and _same(other, value, tolerance):
                continue
            found.append((cut, ts, symbol, column, other, value))
    rows: list[Any] = list(zip(*found)) or [[] for _ in range(6)]
    kind = times.dtype
    data = pl.DataFrame(
        {
            "cut": np.array(rows[0], dtype=kind),
            "ts": np.array(rows[1], dtype=kind),
            "symbol": pl.Series(rows[2], dtype=pl.String),
            "column": pl.Series(rows[3], dtype=pl.String),
            "truncated": pl.Series(rows[4], dtype=pl.Float64),
            "full": pl.Series(rows[5], dtype=pl.Float64),
        }
    )
    return Frame(data)


def _same(one: float, other: float, tolerance: float) -> bool:
    if one != one or other != other:
        return one != one and other != other
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other))


def _columns(frame: Frame) -> tuple[str, list[str], list[str]]:
    """The column of times, those of text, and those of numbers."""
    kinds = dict(zip(frame.columns, frame.dtypes))
    times = [name for name, kind in kinds.items() if kind.startswith("date")]
    if len(times) != 1:
        raise DtypeError(f"one column of times is needed, not {len(times)}: {', '.join(f'{n} ({k})' for n, k in kinds.items())}")
    texts = [name for name, kind in kinds.items() if kind == "str" or "Utf8" in kind]
    numbers = [name for name, kind in kinds.items() if kind[0] in "fiu" and kind[1:].isdigit() or kind == "bool"]
    return times[0], texts, numbers


def _framed(data: Any) -> Frame:
    if hasattr(data, "index") and hasattr(data, "reset_index"):
        import pandas as pd  # type: ignore[import-untyped,unused-ignore]

        if isinstance(data.index, pd.DatetimeIndex):
            data = data.reset_index()
    return Frame(data)


def _times(prices: Any) -> npt.NDArray[Any]:
    import numpy as np

    frame = _framed(prices)
    return np.asarray(frame[_columns(frame)[0]].to_numpy()).astype("datetime64[ns]")


def _up_to(prices: Any, mask: npt.NDArray[np.bool_]) -> Any:
    """The rows of a mask, as the frame that was given."""
    module = type(prices).__module__.partition(".")[0]
    if module == "polars":
        import polars as pl

        return prices.filter(pl.Series(mask))
    if module == "pyarrow":
        import pyarrow as pa

        return prices.filter(pa.array(mask))
    if module in ("pandas", "numpy"):
        return prices[mask]
    if isinstance(prices, Frame):
        import polars as pl

        return Frame(prices.to_polars().filter(pl.Series(mask)))
    raise DtypeError(f"prices are polars, pandas, pyarrow or numpy, not {module}.{type(prices).__name__}")


def _table(signal: Any, times: npt.NDArray[Any] | None) -> dict[tuple[Any, str | None, str], float | None]:
    """The values of a signal by time, symbol and column."""
    import numpy as np

    if times is not None:
        values = np.asarray(signal, dtype=float)
        if len(values) != len(times):
            raise InputError(f"the signal has {len(values)} rows, its prices {len(times)}")
        values = values.reshape(len(times), -1)
        return {(times[row], None, str(at)): float(values[row, at]) for row in range(len(times)) for at in range(values.shape[1])}
    frame = _framed(signal)
    time, texts, numbers = _columns(frame)
    stamps = np.asarray(frame[time].to_numpy()).astype("datetime64[ns]")
    symbols = ["/".join(parts) for parts in zip(*(map(str, frame[name].to_list()) for name in texts))] if texts else None
    found: dict[tuple[Any, str | None, str], float | None] = {}
    for name in numbers:
        for row, value in enumerate(frame[name].to_list()):
            key = (stamps[row], None if symbols is None else symbols[row], name)
            found[key] = None if value is None else float(value)
    return found
