"""Engines of the backtest bench: each runs in a process of its own, told over its standard input what to do.

    {"prepare": {"engine": "numba", "symbols": 500, "rows": 2520, "every": 1}}   makes the inputs, says the answer
    {"run": 1}                                                                   runs once, says seconds

Every engine makes the same prices and weights from the same seed, so no data cross between processes. An engine whose
package is absent says so. `EXACT` engines give the answer of the definition: targets from equity before costs, all names at
once, costs out of cash.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable

import numpy as np

RATE = 5e-4
START = 252
EVERY = 21

Run = Callable[[], float]


def panel(symbols: int, rows: int, every: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prices in columns, weights in columns, and the rows of the weights."""
    rng = np.random.default_rng(11)
    prices = np.asfortranarray(100 * np.exp(np.cumsum(rng.normal(2e-4, 0.015, (rows, symbols)), axis=0)))
    at = np.arange(0, rows, every)
    weights = rng.random((len(at), symbols))
    return prices, np.asfortranarray(0.95 * weights / weights.sum(axis=1, keepdims=True)), at


def names(symbols: int) -> list[str]:
    return [f"S{i:04d}" for i in range(symbols)]


def days(rows: int) -> np.ndarray:
    start = dt.date(2010, 1, 1)
    return np.array([start + dt.timedelta(days=d) for d in range(rows)], dtype="datetime64[D]")


def wide(values: np.ndarray, dates: np.ndarray):
    import polars as pl

    return pl.DataFrame({"date": dates} | {name: values[:, i] for i, name in enumerate(names(values.shape[1]))})


def long(values: np.ndarray, dates: np.ndarray, column: str):
    import polars as pl

    symbols = values.shape[1]
    codes = pl.Series(np.tile(np.arange(symbols, dtype=np.uint32), len(dates)))
    known = np.arange(symbols, dtype=np.uint32)
    text = codes.replace_strict(known, pl.Series(names(symbols)), return_dtype=pl.String)
    values = np.ascontiguousarray(values).reshape(-1)
    return pl.DataFrame({"date": np.repeat(dates, symbols), "symbol": text, column: values})


# One backtest.


def numba_kernel() -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Blocks of columns turned into rows, then one pass for equity and one for targets."""
    import numba

    @numba.njit(fastmath=True)
    def run(prices, weights, at):
        rows, symbols = prices.shape
        block = 16
        equity = np.empty(rows)
        qty = np.zeros(symbols)
        cash = 1e6
        p = np.empty((block, symbols))
        w = np.empty((block, symbols))
        k = 0
        for start in range(0, rows, block):
            end = min(start + block, rows)
            due = k
            while due < len(at) and at[due] < end:
                due += 1
            for i in range(symbols):
                for t in range(start, end):
                    p[t - start, i] = prices[t, i]
                for j in range(k, due):
                    w[j - k, i] = weights[j, i]
            first = k
            for t in range(start, end):
                row = p[t - start]
                value = cash
                for i in range(symbols):
                    value += qty[i] * row[i]
                if k < due and at[k] == t:
                    target = w[k - first]
                    traded = 0.0
                    invested = 0.0
                    for i in range(symbols):
                        v = target[i] * value
                        traded += abs(v - qty[i] * row[i])
                        invested += v
                        qty[i] = v / row[i]
                    value -= RATE * traded
                    cash = value - invested
                    k += 1
                equity[t] = value
        return equity

    return run


def numba_engine(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> Run:
    kernel = numba_kernel()
    return lambda: kernel(prices, weights, at)[-1]


def nanobook_engine(layout: str, tables: bool) -> Callable[[np.ndarray, np.ndarray, np.ndarray], Run]:
    def make(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> Run:
        import nanobook as nb

        dates = days(len(prices))
        if layout == "wide":
            given = wide(weights, dates[at]), wide(prices, dates)
        else:
            given = long(weights, dates[at], "weight"), long(prices, dates, "close")

        def run() -> float:
            result = nb.backtest(*given, cost=1e4 * RATE)
            kept = result.equity, (result.holdings, result.fills) if tables else None
            del kept
            return result.final_equity

        return run

    return make


def sizes(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weights in the rows in which they are set, NaN elsewhere."""
    targets = np.full(prices.shape, np.nan, order="F")
    targets[at] = weights
    return targets


def vectorbt_engine(engine: str) -> Callable[[np.ndarray, np.ndarray, np.ndarray], Run]:
    def make(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> Run:
        import pandas as pd
        import vectorbt as vbt

        if engine == "rust":
            import vectorbt_rust  # noqa: F401
        index = pd.date_range("2010-01-01", periods=len(prices))
        frame = lambda values: pd.DataFrame(values, index=index, columns=names(prices.shape[1]))
        close, target = frame(prices), frame(sizes(prices, weights, at))
        options = dict(size_type="targetpercent", fees=RATE, init_cash=1e6, cash_sharing=True, group_by=True)
        options |= dict(call_seq="auto", engine=engine)
        return lambda: float(np.asarray(vbt.Portfolio.from_orders(close, target, **options).value()).ravel()[-1])

    return make


def phasor_engine(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> Run:
    import phasor

    target, symbols = sizes(prices, weights, at), prices.shape[1]
    options = dict(size_type="targetpercent", fees=RATE, init_cash=1e6, cash_sharing=True, group_lens=[symbols])
    options |= dict(call_seq="auto")
    return lambda: float(np.asarray(phasor.from_orders(prices, target, **options).value()).ravel()[-1])


def polars_backtest_engine(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> Run:
    """Another convention: it fills a day later, and takes a missing weight for an exit."""
    import polars_backtest

    dates = days(len(prices))
    frame = long(prices, dates, "close").with_columns(long(weights, dates[at], "weight")["weight"])
    run = lambda: polars_backtest.backtest(frame, fee_ratio=RATE, tax_ratio=0.0)["creturn"][-1]
    return lambda: 1e6 * float(run())


def classic_engine(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> Run:
    """nanobook 0.19 from PyPI, with its lists made beforehand: whole cents, and it fills in the order of the list."""
    from importlib.util import find_spec

    import nanobook

    if find_spec("nanobook.backtests"):
        raise ImportError("this nanobook is not the one of PyPI; see --classic")
    cents, columns = np.rint(100 * prices).astype(int).tolist(), names(prices.shape[1])
    bar = lambda price: nanobook.BarPrices(price, price, price, price)
    every = [[(name, bar(price)) for name, price in zip(columns, cents[t])] for t in at]
    targets = [list(zip(columns, values)) for values in weights.tolist()]
    options = (100_000_000, nanobook.CostModel(1e4 * RATE), nanobook.FillPolicy.SignalBarClose)
    run = lambda: nanobook.py_backtest_weights(targets, every, *options)
    return lambda: run()["equity_curve"][-1] / 100


# Many parameter sets: equal weights of the names that rose most, every 21 rows from row 252.


def parameters(sets: int) -> list[dict[str, int]]:
    return [{"lookback": 20 + s % 100, "k": 1 + s // 100 % 10} for s in range(sets)]


def momentum(log: np.ndarray, at: np.ndarray, lookback: int, k: int) -> np.ndarray:
    rose = log[at] - log[at - lookback]
    chosen = np.argpartition(-rose, k - 1, axis=1)[:, :k]
    weights = np.zeros(rose.shape, order="F")
    np.put_along_axis(weights, chosen, 0.95 / k, axis=1)
    return weights


def numba_sweep(prices: np.ndarray, sets: list[dict[str, int]], threads: int) -> Run:
    """Ranks, weights, account, Sharpe and drawdown of a set in one loop, over rows as NumPy has them."""
    import numba

    numba.set_num_threads(threads)
    rows_first = np.ascontiguousarray(prices)
    lookbacks = np.array([one["lookback"] for one in sets])
    tops = np.array([one["k"] for one in sets])

    @numba.njit(fastmath=True, parallel=True)
    def run(prices, lookbacks, tops):
        rows, symbols = prices.shape
        final = np.empty(len(tops))
        sharpe = np.empty(len(tops))
        fall = np.empty(len(tops))
        for s in numba.prange(len(tops)):
            qty = np.zeros(symbols)
            target = np.zeros(symbols)
            held = np.zeros(symbols, dtype=np.int64)
            count = 0
            cash = 1e6
            last = 1e6
            peak = 1e6
            deepest = 0.0
            total = 0.0
            squares = 0.0
            for t in range(rows):
                value = cash
                for h in range(count):
                    value += qty[held[h]] * prices[t, held[h]]
                if t >= START and t % EVERY == 0:
                    rose = np.log(prices[t]) - np.log(prices[t - lookbacks[s]])
                    order = np.argsort(-rose)
                    target[:] = 0.0
                    for j in range(tops[s]):
                        target[order[j]] = 0.95 / tops[s]
                    traded = 0.0
                    invested = 0.0
                    count = 0
                    for i in range(symbols):
                        v = target[i] * value
                        traded += abs(v - qty[i] * prices[t, i])
                        invested += v
                        qty[i] = v / prices[t, i]
                        if qty[i] != 0.0:
                            held[count] = i
                            count += 1
                    value -= RATE * traded
                    cash = value - invested
                if t > 0:
                    ret = value / last - 1.0
                    total += ret
                    squares += ret * ret
                peak = max(peak, value)
                deepest = max(deepest, 1.0 - value / peak)
                last = value
            n = rows - 1
            mean = total / n
            sharpe[s] = mean / np.sqrt((squares - n * mean * mean) / (n - 1)) * np.sqrt(252.0)
            fall[s] = deepest
            final[s] = last
        return final, sharpe, fall

    return lambda: run(rows_first, lookbacks, tops)[0].sum()


def nanobook_sweep(prices: np.ndarray, sets: list[dict[str, int]], threads: int) -> Run:
    import nanobook as nb

    frame = wide(prices, days(len(prices)))
    strategy = nb.strategies.MomentumTopK(skip=0, rebalance=EVERY, start=START, gross=0.95)
    run = lambda: nb.sweep(sets, strategy, frame, cost=1e4 * RATE, threads=threads)
    return lambda: float(np.asarray(run()["final_equity"]).sum())


def callback_sweep(prices: np.ndarray, sets: list[dict[str, int]], threads: int) -> Run:
    """The same with weights from a NumPy function."""
    import nanobook as nb

    dates, at = days(len(prices)), np.arange(START, len(prices), EVERY)
    taken, log = nb.Prices(wide(prices, dates)), np.log(np.ascontiguousarray(prices))
    make = lambda p: momentum(log, at, p["lookback"], p["k"])
    run = lambda: nb.sweep(sets, make, taken, times=dates[at], cost=1e4 * RATE, threads=threads)
    return lambda: float(np.asarray(run()["final_equity"]).sum())


def stacked(prices: np.ndarray, sets: list[dict[str, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Targets of all sets beside one another, and for each column the one of its prices."""
    at, log = np.arange(START, len(prices), EVERY), np.log(np.ascontiguousarray(prices))
    symbols = prices.shape[1]
    target = np.full((len(prices), symbols * len(sets)), np.nan, order="F")
    for s, one in enumerate(sets):
        target[at, s * symbols : (s + 1) * symbols] = momentum(log, at, one["lookback"], one["k"])
    return target, np.tile(np.arange(symbols), len(sets))


def phasor_sweep(prices: np.ndarray, sets: list[dict[str, int]], threads: int) -> Run:
    """Weights made beforehand."""
    import phasor

    target, columns = stacked(prices, sets)
    options = dict(size_type="targetpercent", fees=RATE, init_cash=1e6, cash_sharing=True, call_seq="auto")
    options |= dict(group_lens=[prices.shape[1]] * len(sets), column_map=columns, ann_factor=252.0, threads=threads)

    def run() -> float:
        found = phasor.from_orders(prices, target, **options)
        found.sharpe_ratio(), found.max_drawdown()
        return float(1e6 * (1 + np.asarray(found.total_return())).sum())

    return run


def vectorbt_sweep(prices: np.ndarray, sets: list[dict[str, int]], threads: int) -> Run:
    """Weights made beforehand, every set's prices beside one another as it wants them."""
    import pandas as pd
    import vectorbt as vbt

    target, columns = stacked(prices, sets)
    index = pd.date_range("2010-01-01", periods=len(prices))
    groups = pd.Index(np.repeat(np.arange(len(sets)), prices.shape[1]), name="set")
    close, target = (pd.DataFrame(values, index=index) for values in (prices[:, columns], target))
    options = dict(size_type="targetpercent", fees=RATE, init_cash=1e6, cash_sharing=True, group_by=groups)
    options |= dict(call_seq="auto", engine="rust", freq="1D")

    def run() -> float:
        found = vbt.Portfolio.from_orders(close, target, **options)
        found.sharpe_ratio(), found.max_drawdown()
        return float(np.asarray(found.final_value()).sum())

    return run


BACKTESTS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Run]] = {
    "numba": numba_engine,
    "nanobook wide": nanobook_engine("wide", tables=False),
    "nanobook long": nanobook_engine("long", tables=False),
    "nanobook wide, all tables": nanobook_engine("wide", tables=True),
    "nanobook long, all tables": nanobook_engine("long", tables=True),
    "phasor-trader": phasor_engine,
    "vectorbt": vectorbt_engine("numba"),
    "vectorbt-rust": vectorbt_engine("rust"),
    "polars-backtest": polars_backtest_engine,
    "nanobook 0.19 (PyPI)": classic_engine,
}
SWEEPS: dict[str, Callable[[np.ndarray, list[dict[str, int]], int], Run]] = {
    "numba, fused": numba_sweep,
    "nanobook": nanobook_sweep,
    "nanobook, callback": callback_sweep,
    "phasor-trader, sets": phasor_sweep,
    "vectorbt-rust, sets": vectorbt_sweep,
}
EXACT = {name for name in BACKTESTS if name not in ("polars-backtest", "nanobook 0.19 (PyPI)")} | set(SWEEPS)
"""Engines that give the answer of the definition; the others have rules of their own."""


def forget_peak() -> None:
    """From here on the most memory is counted anew: what it took to make the inputs is not what a run takes."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def megabytes() -> tuple[float, float]:
    """Memory of this process now, and at most since its peak was forgotten."""
    with open("/proc/self/status") as file:
        said = dict(line.split(":", 1) for line in file)
    now, most = (int(said[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


def prepare(engine: str, symbols: int, rows: int, every: int = 1, sets: int = 0, threads: int = 1) -> Run:
    prices, weights, at = panel(symbols, rows, every)
    if engine in SWEEPS:
        return SWEEPS[engine](prices, parameters(sets), threads)
    return BACKTESTS[engine](prices, weights, at)


def serve() -> None:
    run: Run = lambda: 0.0
    inputs = 0.0
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "prepare" in asked:
                run = prepare(**asked["prepare"])
                forget_peak()
                inputs = megabytes()[0]
                said = {"answer": run()}
            else:
                wall, cpu = time.perf_counter(), time.process_time()
                run()
                said = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
                said["memory"] = megabytes()[1] - inputs
        except Exception as error:  # An engine may fail in its own way; the bench says so and goes on.
            said = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    serve()
