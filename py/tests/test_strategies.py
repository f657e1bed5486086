"""Strategies that are known by name: their weights are those of NumPy, alone and in a sweep."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import nanobook as nb
from nanobook.strategies import InverseVolatility, MomentumTopK, MovingAverageCross

pl = pytest.importorskip("polars")

ROWS, SYMBOLS = 700, 12
DAYS = [dt.date(2018, 1, 1) + dt.timedelta(days=d) for d in range(ROWS)]
NAMES = [f"S{i:02d}" for i in range(SYMBOLS)]
CLOSE = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(2e-4, 0.015, (ROWS, SYMBOLS)), axis=0))
PRICES = pl.DataFrame({"date": DAYS} | {name: CLOSE[:, i] for i, name in enumerate(NAMES)})
MONTH_ENDS = [t for t in range(ROWS - 1) if DAYS[t].month != DAYS[t + 1].month]


def rows_of(rebalance, first):
    rows = MONTH_ENDS if rebalance == "month" else range(0, ROWS, rebalance)
    return np.array([t for t in rows if t >= first])


def momentum(lookback, k, skip=0, rebalance=21, start=0, gross=1.0):
    at = rows_of(rebalance, max(start, lookback))
    rose = CLOSE[at - skip] / CLOSE[at - lookback]
    best = np.argsort(-rose, axis=1)[:, :k]
    weights = np.zeros((len(at), SYMBOLS))
    np.put_along_axis(weights, best, gross / min(k, SYMBOLS), axis=1)
    return at, weights


def cross(fast, slow, rebalance=21, start=0, gross=1.0):
    at = rows_of(rebalance, max(start, slow - 1))
    mean = lambda n: np.array([CLOSE[t + 1 - n : t + 1].mean(axis=0) for t in at])
    return at, gross * (mean(fast) > mean(slow)) / SYMBOLS


def inverse(lookback, rebalance=21, start=0, gross=1.0):
    at = rows_of(rebalance, max(start, lookback))
    returns = CLOSE[1:] / CLOSE[:-1] - 1
    one = 1 / np.array([returns[t - lookback : t].std(axis=0, ddof=1) for t in at])
    return at, gross * one / one.sum(axis=1, keepdims=True)


CASES = [
    (MomentumTopK, momentum, {"lookback": [20, 60, 126], "k": [1, 3, 20], "skip": [0, 5], "rebalance": [21, "month"]}),
    (MovingAverageCross, cross, {"fast": [1, 5, 20], "slow": [50, 100], "gross": [1.0, 0.6]}),
    (InverseVolatility, inverse, {"lookback": [2, 20, 63], "start": [0, 252], "rebalance": [5, "month"]}),
]


def frame(at, weights):
    return pl.DataFrame({"date": [DAYS[t] for t in at]} | {name: weights[:, i] for i, name in enumerate(NAMES)})


@pytest.mark.parametrize(("strategy", "plain", "grid"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_a_sweep_is_row_for_row_that_of_weights_from_numpy(strategy, plain, grid):
    grid = {"rebalance": [21]} | grid
    settings = dict(cost=nb.CostModel(commission_bps=5.0, slippage_bps=2.0), fill="next_close")
    known = nb.sweep(grid, strategy, PRICES, threads=2, **settings).to_polars()
    called = nb.sweep(grid, lambda p: frame(*plain(**p)), PRICES, threads=2, **settings).to_polars()
    assert known.columns == called.columns and known["error"].is_null().all()
    assert known.height == np.prod([len(values) for values in grid.values()])
    for name in known.columns:
        if known[name].dtype == pl.Float64:
            np.testing.assert_allclose(known[name].to_numpy(), called[name].to_numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
        else:
            assert known[name].to_list() == called[name].to_list()
    # One of them alone, and given by a function, with settings of its own.
    first = {name: values[0] for name, values in grid.items()}
    alone = nb.backtest(strategy(**first), PRICES, **settings)
    assert alone.final_equity == pytest.approx(known["final_equity"][0], rel=1e-12)
    by_name = nb.sweep([first], lambda p: (strategy(**p), {"commission_bps": 0.0}), PRICES, **settings)
    free = nb.backtest(strategy(**first), PRICES, cost=nb.CostModel(slippage_bps=2.0), fill="next_close")
    assert by_name["final_equity"].to_list() == pytest.approx([free.final_equity], rel=1e-12)
    at, weights = plain(**first)
    made = strategy(**first).weights(PRICES).to_polars()
    assert made["ts"].dt.date().to_list() == [DAYS[t] for t in at]
    np.testing.assert_allclose(made.drop("ts").to_numpy(), weights, rtol=1e-12)


def test_weights_need_no_later_prices_and_no_order_of_symbols():
    for strategy in (MomentumTopK(lookback=60, k=3, skip=0), MovingAverageCross(fast=5, slow=60), InverseVolatility(20)):
        whole = strategy.weights(PRICES).to_polars()
        early = strategy.weights(PRICES[:400]).to_polars()
        assert early.equals(whole[: early.height])
        turned = strategy.weights(PRICES.select("date", *reversed(NAMES))).to_polars()
        numbers = [made.drop("ts").select(NAMES).to_numpy() for made in (turned, whole)]
        np.testing.assert_allclose(*numbers, rtol=1e-12)


def test_a_set_that_cannot_be_loses_no_other():
    seen = []
    sets = [{"k": 1}, {"k": 0}, {"lookback": -3}, {"rebalance": "never"}, {"k": 2}, {"gross": float("nan")}]
    found = nb.sweep(sets, MomentumTopK(lookback=60), PRICES, progress=lambda done, of: seen.append((done, of))).to_polars()
    assert found["error"].is_null().to_list() == [True, False, False, False, True, False]
    for place, words in ((1, "k is 0"), (2, "lookback=-3"), (3, "week, month, quarter, year"), (5, "gross is NaN")):
        assert words in found["error"][place]
    assert found["final_equity"][4] == pytest.approx(nb.backtest(MomentumTopK(lookback=60, k=2), PRICES).final_equity)
    assert seen[-1][1] == len(sets)
    with pytest.raises(nb.InputError, match="names hold; the strategy has lookback, k, skip"):
        nb.sweep({"hold": [3]}, MomentumTopK, PRICES)
    with pytest.raises(nb.InputError, match="lookback is 5; it is above skip"):
        nb.backtest(MomentumTopK(lookback=5, skip=5), PRICES)


def test_names_without_prices_are_left_out():
    gone = PRICES.with_columns(S00=pl.when(pl.col("date") < DAYS[300]).then(None).otherwise(pl.col("S00") * 100))
    made = MomentumTopK(lookback=60, k=SYMBOLS, skip=0, rebalance=50).weights(gone).to_polars()
    before = made["S00"].to_numpy()[made["ts"].dt.date().to_numpy() < np.datetime64(DAYS[360])]
    assert (before == 0).all() and (made["S00"].to_numpy()[-1] > 0)
    assert np.allclose(made.drop("ts").to_numpy().sum(axis=1), 1.0)
    assert nb.backtest(InverseVolatility(63), gone).rebalances > 15
