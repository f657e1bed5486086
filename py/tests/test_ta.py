"""Indicators against TA-Lib's C library, at every row, and streams against batches."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import nanobook as nb

PARAMETERS = {
    "macd": [{}, {"fast": 5, "slow": 9, "signal": 4}],
    "bbands": [{}, {"window": 5, "up": 1.5, "down": 2.5}],
    "stddev": [{}, {"window": 20, "multiple": 2.0}],
    "sar": [{}, {"acceleration": 0.05, "maximum": 0.1}],
    "stochrsi": [{}, {"window": 5, "fast_k": 7, "fast_d": 4}],
    "stoch": [{}, {"fast_k": 14, "slow_k": 1, "slow_d": 5}],
    "stochf": [{}, {"fast_k": 2, "fast_d": 2}],
    "ultosc": [{}, {"first": 3, "second": 12, "third": 5}],
    "adosc": [{}, {"fast": 7, "slow": 4}],
    "trange": [{}],
    "obv": [{}],
    "ad": [{}],
}


def bars(kind: str, rows: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(rows)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.0 if kind == "still" else 0.01, rows)))
    spread = 0.0 if kind == "still" else 0.004
    high = close * (1 + np.abs(random.normal(0, spread, rows)))
    low = close * (1 - np.abs(random.normal(0, spread, rows)))
    volume = random.integers(0, 10_000, rows).astype(float)
    if kind == "dust":
        high, low, close = high * 1e-9, low * 1e-9, close * 1e-9
    if kind == "whole":
        high, low, close = np.ceil(high), np.floor(low), np.round(close)
    if kind == "late":
        high[: min(3, rows)] = np.nan
        close[: min(5, rows)] = np.nan
    return {"high": high, "low": low, "close": close, "volume": volume}


def ours(name: str, data: dict[str, np.ndarray], parameters: dict[str, float]) -> list[np.ndarray]:
    function = getattr(nb.ta, name)
    inputs = [data[word] for word in inspect.signature(function).parameters if word in data]
    found = function(*inputs, **parameters)
    return [np.asarray(values) for values in (found if isinstance(found, tuple) else (found,))]


def theirs(name: str, data: dict[str, np.ndarray], parameters: dict[str, float]) -> list[np.ndarray]:
    talib = pytest.importorskip("talib")
    signature = inspect.signature(getattr(nb.ta, name)).parameters
    inputs = [data[word] for word in signature if word in data]
    wanted = {word: p.default for word, p in signature.items() if p.default is not p.empty and word != "threads"}
    values = list((wanted | parameters).values())
    # TA-Lib asks for the kind of each average; 0 is a simple one.
    if name == "stoch":
        values = [values[0], values[1], 0, values[2], 0]
    if name in ("stochf", "stochrsi", "bbands"):
        values.append(0)
    found = getattr(talib, name.upper())(*inputs, *values)
    return list(found) if isinstance(found, tuple) else [found]


@pytest.mark.parametrize("name", nb.ta.NAMES)
def test_equals_talib_at_every_row(name: str) -> None:
    sets = PARAMETERS.get(name, [{}, {"window": 2}, {"window": 23}])
    compared = 0
    for kind in ("walk", "still", "dust", "whole", "late"):
        for rows in (6, 60, 2_000):
            data = bars(kind, rows)
            for parameters in sets:
                for mine, reference in zip(
                    ours(name, data, parameters), theirs(name, data, parameters), strict=True
                ):
                    if kind == "late" and rows == 6 and name == "ad":
                        continue  # no row is complete before the last, where TA-Lib gives a zero of its own
                    assert (np.isnan(mine) == np.isnan(reference)).all(), (kind, rows, parameters)
                    if np.isnan(reference).all():
                        continue
                    scale = np.maximum(np.abs(reference), np.nanmedian(np.abs(reference)))
                    worst = np.nanmax(np.abs(mine - reference) - 1e-9 * scale)
                    assert worst <= 1e-12, (kind, rows, parameters, worst)
                    compared += 1
    assert compared >= 5


def test_equals_talib_on_real_prices(shared) -> None:
    pl = pytest.importorskip("polars")
    talib = pytest.importorskip("talib")
    frame = pl.read_csv(shared / "prices" / "goog_ohlcv_2004_2013.csv.gz")
    data = {name.lower(): frame[name].cast(pl.Float64) for name in ("High", "Low", "Close", "Volume")}
    arrays = {name: series.to_numpy() for name, series in data.items()}
    adx = np.asarray(nb.ta.adx(data["high"], data["low"], data["close"]))
    np.testing.assert_allclose(adx, talib.ADX(arrays["high"], arrays["low"], arrays["close"]), rtol=1e-9)
    np.testing.assert_allclose(np.asarray(nb.ta.rsi(data["close"])), talib.RSI(arrays["close"]), rtol=1e-9)


@pytest.mark.parametrize("name", nb.ta.NAMES)
def test_streams_equal_batches(name: str) -> None:
    data = bars("walk", 300)
    stream = nb.ta.stream(name)
    words = [word for word in inspect.signature(getattr(nb.ta, name)).parameters if word in data]
    rows = [stream.update(*values) for values in zip(*(data[word] for word in words), strict=True)]
    streamed = np.array(rows, dtype=float).reshape(len(rows), -1).T
    for mine, batch in zip(streamed, ours(name, data, {}), strict=True):
        np.testing.assert_allclose(mine, batch, rtol=1e-9, atol=1e-9)
        assert np.isnan(batch).sum() == stream.lookback


def test_panels_are_columns_by_themselves() -> None:
    pl = pytest.importorskip("polars")
    data = {f"s{k}": bars("walk", 200 + k)["close"][:200] for k in range(7)}
    for threads in (1, 2, None):
        found = nb.ta.rsi(pl.DataFrame(data), window=5, threads=threads)
        assert found.columns == list(data)
        for name, close in data.items():
            np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(nb.ta.rsi(close, window=5)))
    upper, middle, lower = nb.ta.bbands(np.column_stack(list(data.values())), window=5)
    assert upper.shape == middle.shape == lower.shape == (200, 7)


def test_bad_input_is_refused() -> None:
    with pytest.raises(nb.InputError, match="window"):
        nb.ta.sma([1.0, 2.0], window=0)
    with pytest.raises(nb.InputError, match="number of rows"):
        nb.ta.sma([1.0, 2.0], window=2.5)  # type: ignore[arg-type]
    with pytest.raises(nb.InputError, match="there is no indicator"):
        nb.ta.stream("hma")
    with pytest.raises(nb.InputError, match="no parameter"):
        nb.ta.stream("sma", length=3)
    with pytest.raises(nb.InputError):
        nb.ta.atr([1.0, 2.0], [1.0], [1.0, 2.0])
    assert np.isnan(np.asarray(nb.ta.sma([1.0, 2.0], window=5))).all()
