"""The backtest beside its peers: one process, warm, one thread, medians over interleaved rounds.

    python benches/backtest.py [--rounds 9] [--cases a,b,d,sweep] [--peers]

From frames in memory to the equity frame: 5 bps of traded value, filled at the close, weights that sum to 0.95. The
yardstick is a numba kernel of the same semantics over the same columns, which turns blocks of them into rows. Every
engine's final equity is checked before it is timed. Peers are run where they are installed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import importlib
import resource
import statistics
import time
from collections.abc import Callable

import nanobook as nb
import numpy as np
import polars as pl

RATE = 5e-4


def panel(symbols: int, rows: int, every: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prices in columns, weights in columns, and the rows of the weights."""
    rng = np.random.default_rng(11)
    prices = np.asfortranarray(100 * np.exp(np.cumsum(rng.normal(2e-4, 0.015, (rows, symbols)), axis=0)))
    at = np.arange(0, rows, every)
    weights = rng.random((len(at), symbols))
    return prices, np.asfortranarray(0.95 * weights / weights.sum(axis=1, keepdims=True)), at


def frames(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> dict[str, pl.DataFrame]:
    rows, symbols = prices.shape
    start = dt.date(2010, 1, 1)
    days = np.array([start + dt.timedelta(days=d) for d in range(rows)], dtype="datetime64[D]")
    names = [f"S{i:04d}" for i in range(symbols)]
    wide = lambda values, dates: pl.DataFrame({"date": dates} | {n: values[:, i] for i, n in enumerate(names)})
    long = lambda values, dates, name: pl.DataFrame(
        {
            "date": np.repeat(dates, symbols),
            "symbol": pl.Series(np.tile(np.arange(symbols, dtype=np.uint32), len(dates))).replace_strict(
                np.arange(symbols, dtype=np.uint32), pl.Series(names), return_dtype=pl.String
            ),
            name: np.ascontiguousarray(values).reshape(-1),
        }
    )
    return {
        "prices": wide(prices, days),
        "weights": wide(weights, days[at]),
        "long_prices": long(prices, days, "close"),
        "long_weights": long(weights, days[at], "weight"),
    }


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


def median(rounds: int, engines: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each engine in each round, interleaved so that a busy moment hits all of them."""
    for run in engines.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, run in engines.items():
            gc.collect()
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return times


def show(title: str, times: dict[str, list[float]], yardstick: str) -> None:
    print(f"\n{title}")
    for name, seconds in times.items():
        ratio = statistics.median(a / b for a, b in zip(seconds, times[yardstick]))
        print(f"  {name:<34} {1e3 * statistics.median(seconds):9.2f} ms   {ratio:8.2f} x {yardstick}")


def peers(prices: np.ndarray, weights: np.ndarray, at: np.ndarray) -> dict[str, Callable[[], float]]:
    """Engines of others that are installed, each to its final equity."""
    import pandas as pd

    rows, symbols = prices.shape
    found: dict[str, Callable[[], float]] = {}
    index = pd.date_range("2010-01-01", periods=rows)
    names = [f"S{i:04d}" for i in range(symbols)]
    close = pd.DataFrame(prices, index=index, columns=names)
    sizes = np.full(prices.shape, np.nan)
    sizes[at] = weights
    target = pd.DataFrame(sizes, index=index, columns=names)
    options = dict(size_type="targetpercent", fees=RATE, init_cash=1e6, cash_sharing=True, group_by=True, call_seq="auto")
    for name in ("vectorbt",):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        found[name] = lambda module=module: float(
            np.asarray(module.Portfolio.from_orders(close, target, **options).value()).ravel()[-1]
        )
    return found


def compare(symbols: int, rows: int, every: int, rounds: int, with_peers: bool) -> None:
    prices, weights, at = panel(symbols, rows, every)
    given = frames(prices, weights, at)
    kernel = numba_kernel()
    expected = kernel(prices, weights, at)[-1]
    wide = lambda: nb.backtest(given["weights"], given["prices"], cost=5.0)
    long = lambda: nb.backtest(given["long_weights"], given["long_prices"], cost=5.0)

    def tables(make: Callable[[], nb.BacktestResult]) -> tuple[object, object, object]:
        result = make()
        return result.equity, result.holdings, result.fills

    engines: dict[str, Callable[[], object]] = {
        "numba, blocked columns": lambda: kernel(prices, weights, at),
        "nanobook, wide": lambda: wide().equity,
        "nanobook, long": lambda: long().equity,
        "nanobook, wide, all tables": lambda: tables(wide),
        "nanobook, long, all tables": lambda: tables(long),
    }
    for make in (wide, long):
        assert abs(make().final_equity / expected - 1) < 1e-9
    others = peers(prices, weights, at) if with_peers else {}
    for name, run in others.items():
        off = abs(run() / expected - 1)
        print(f"{name}: final equity off by {off:.1e}")
        engines[name] = run
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = median(rounds, engines)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    show(f"{symbols} symbols x {rows} rows, weights every {every} rows", times, "numba, blocked columns")
    print(f"  peak memory grew by {(after - before) / 1024:.0f} MB")
    for name in others:
        ratio = statistics.median(a / b for a, b in zip(times[name], times["nanobook, wide"]))
        print(f"  {name} takes {ratio:.0f} times as long as nanobook, wide")


def momentum(log: np.ndarray, at: np.ndarray, lookback: int, top: int) -> np.ndarray:
    """Equal weights of the names that rose most."""
    rose = log[at] - log[np.maximum(at - lookback, 0)]
    chosen = np.argpartition(-rose, top - 1, axis=1)[:, :top]
    weights = np.zeros(rose.shape, order="F")
    np.put_along_axis(weights, chosen, 0.95 / top, axis=1)
    return weights


def sweep(sets: int, symbols: int, rows: int, rounds: int, threads: int) -> float:
    prices, _, _ = panel(symbols, rows, 21)
    at = np.arange(252, rows, 21)
    log = np.log(np.ascontiguousarray(prices))
    days = np.array([np.datetime64("2010-01-01") + d for d in range(rows)])
    frame = pl.DataFrame({"date": days} | {f"S{i:04d}": prices[:, i] for i in range(symbols)})
    params = [{"lookback": 20 + s % 100, "top": 1 + s // 100 % 10} for s in range(sets)]
    taken = nb.Prices(frame)
    run = lambda: nb.sweep(
        params, lambda p: momentum(log, at, p["lookback"], p["top"]), taken, times=days[at], threads=threads, cost=5.0
    )
    first, kernel = run(), numba_kernel()
    sizes = momentum(log, at, params[-1]["lookback"], params[-1]["top"])
    assert abs(first["final_equity"].to_list()[-1] / kernel(prices, sizes, at)[-1] - 1) < 1e-9
    return statistics.median(median(rounds, {"sweep": run})["sweep"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cases", default="a,b,d,growth,sweep")
    parser.add_argument("--peers", action="store_true")
    asked = parser.parse_args()
    cases = asked.cases.split(",")
    for case, symbols, rows, every in (("a", 500, 2520, 1), ("b", 500, 2520, 21), ("d", 3000, 2520, 1)):
        if case in cases:
            compare(symbols, rows, every, asked.rounds, asked.peers and case != "d")
    if "growth" in cases:
        print("\nwide, weights every row: ns a cell")
        for symbols, rows in ((50, 2520), (500, 630), (500, 2520), (500, 10080), (2000, 2520)):
            prices, weights, at = panel(symbols, rows, 1)
            given = frames(prices, weights, at)
            run = lambda: nb.backtest(given["weights"], given["prices"], cost=5.0).equity
            seconds = statistics.median(median(asked.rounds, {"run": run})["run"])
            print(f"  {symbols:>5} symbols x {rows:>6} rows {1e9 * seconds / symbols / rows:8.2f}")
    if "sweep" in cases:
        print("\ntop-k momentum, monthly, 50 symbols x 2,520 rows, Sharpe and drawdown of each set")
        for sets, threads in ((100, 2), (1_000, 1), (1_000, 2), (4_000, 2)):
            print(f"  {sets:>5} sets, {threads} threads {sweep(sets, 50, 2520, 3, threads):8.3f} s")


if __name__ == "__main__":
    main()
