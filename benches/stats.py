"""Statistics beside their peers, in one run: medians of ratios over interleaved rounds.

    python benches/stats.py [--rounds 7] [--only NAME]

Needs nanobook, TA-Lib and arch; skfolio and PyPortfolioOpt for the optimizers (py/tests/peers/requirements.txt). Each
answer is checked against the peer's before it is timed. A ratio is the peer's time over ours. What runs on one thread is
measured in CPU time of that thread, which other work on the machine disturbs less, and the rest in wall time.
"""

from __future__ import annotations

import argparse
import inspect
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np

import nanobook as nb

warnings.filterwarnings("ignore")


def measure(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    wanted: float,
    clock: Callable[[], float] = time.thread_time,
) -> None:
    ratios, mine, peers = [], [], []
    ours()
    theirs()
    for _ in range(rounds):
        start = clock()
        ours()
        middle = clock()
        theirs()
        end = clock()
        mine.append(middle - start)
        peers.append(end - middle)
        ratios.append((end - middle) / (middle - start))
    ratio = statistics.median(ratios)
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    verdict = "" if ratio >= wanted else f"   below {wanted}"
    print(
        f"{name:28} ours {statistics.median(mine) * 1e3:9.2f} ms   peer {statistics.median(peers) * 1e3:9.2f} ms"
        f"   ratio {ratio:6.2f} ({spread}){verdict}",
        flush=True,
    )


def bars(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.001, rows)))
    high = close * (1 + np.abs(random.normal(0, 0.001, rows)))
    low = close * (1 - np.abs(random.normal(0, 0.001, rows)))
    return {"high": high, "low": low, "close": close, "volume": random.integers(100, 10_000, rows).astype(float)}


def peer_of(name: str, data: dict[str, np.ndarray]) -> tuple[Callable[[], object], list[str]]:
    import talib

    signature = inspect.signature(getattr(nb.ta, name)).parameters
    words = [word for word in signature if word in data]
    values = [p.default for word, p in signature.items() if p.default is not p.empty and word != "threads"]
    if name == "stoch":
        values = [values[0], values[1], 0, values[2], 0]
    if name in ("stochf", "stochrsi", "bbands"):
        values.append(0)
    function = getattr(talib, name.upper())
    return lambda: function(*(data[word] for word in words), *values), words


def indicators(rounds: int) -> None:
    data = bars(1_000_000)
    for name in nb.ta.NAMES:
        theirs, words = peer_of(name, data)
        function = getattr(nb.ta, name)
        inputs = [data[word] for word in words]
        found, wanted = function(*inputs, threads=1), theirs()
        first = np.asarray(found[0] if isinstance(found, tuple) else found)
        reference = wanted[0] if isinstance(wanted, tuple) else wanted
        np.testing.assert_allclose(first, reference, rtol=1e-9, atol=1e-7, err_msg=name)
        # Milliseconds each: more rounds cost nothing.
        measure(name, lambda f=function, i=inputs: f(*i, threads=1), theirs, 5 * rounds, 1.0)


def panel(rounds: int) -> None:
    symbols = [bars(2_520, seed) for seed in range(500)]
    names = list(nb.ta.NAMES)[:30]
    wide = {word: np.asfortranarray(np.column_stack([s[word] for s in symbols])) for word in symbols[0]}

    def ours() -> None:
        for name in names:
            words = [word for word in inspect.signature(getattr(nb.ta, name)).parameters if word in wide]
            getattr(nb.ta, name)(*(wide[word] for word in words), threads=2)

    peers = [peer_of(name, symbol)[0] for name in names for symbol in symbols]

    def theirs() -> None:
        for peer in peers:
            peer()

    measure("30 indicators, 500 x 2,520", ours, theirs, rounds, 1.8, time.perf_counter)


def garch(rounds: int) -> None:
    from arch import arch_model

    random = np.random.default_rng(3)
    series, h = np.empty(5_000), 1.0
    for t in range(5_000):
        series[t] = random.standard_normal() * h**0.5
        h = 0.02 + 0.08 * series[t] ** 2 + 0.9 * h
    model = arch_model(series, rescale=False)
    fit, result = nb.volatility.fit(series), model.fit(disp="off")
    assert fit.log_likelihood > result.loglikelihood - 1e-3
    measure("GARCH(1,1), 5,000 rows", lambda: nb.volatility.fit(series), lambda: model.fit(disp="off"), rounds, 4.0)


def returns_of(rows: int, assets: int) -> np.ndarray:
    random = np.random.default_rng(7)
    market = random.normal(0.0004, 0.01, (rows, 1))
    beta = random.uniform(0.5, 1.5, assets)
    return market * beta + random.normal(0.0002, 1, (rows, assets)) * random.uniform(0.005, 0.02, assets)


def optimizers(rounds: int) -> None:
    import pandas as pd
    from pypfopt import EfficientFrontier
    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk, RiskBudgeting

    wide = returns_of(1_260, 500)
    covariance, mean = np.cov(wide.T), wide.mean(axis=0)

    def pypfopt() -> np.ndarray:
        frontier = EfficientFrontier(mean, covariance)
        frontier.min_volatility()
        return frontier.weights

    found = nb.optimize.min_variance(covariance=covariance)
    weights = pypfopt()
    assert found.objective <= weights @ covariance @ weights / weights.sum() ** 2 * (1 + 1e-6)
    measure("min variance, 500", lambda: nb.optimize.min_variance(covariance=covariance), pypfopt, rounds, 2.0, time.perf_counter)

    frame = pd.DataFrame(wide)
    theirs = RiskBudgeting(risk_measure=RiskMeasure.VARIANCE)
    shares = np.asarray(nb.optimize.risk_parity(covariance=covariance).weights)
    shares = shares * (covariance @ shares)
    assert np.ptp(shares) < 1e-8 * shares.sum()
    few = max(2, rounds // 3)
    values = frame.to_numpy()
    ours, peer = lambda: nb.optimize.risk_parity(values), lambda: theirs.fit(frame)
    measure("risk parity, 500", ours, peer, few, 50.0, time.perf_counter)

    narrow = returns_of(1_260, 100)
    frame = pd.DataFrame(narrow)
    tail = MeanRisk(risk_measure=RiskMeasure.CVAR)
    weights = tail.fit(frame).weights_
    losses = np.sort(-narrow @ weights)[::-1]
    assert nb.optimize.min_cvar(narrow).objective <= losses[:63].sum() / 63 * (1 + 1e-6)
    ours, peer = lambda: nb.optimize.min_cvar(narrow), lambda: tail.fit(frame)
    measure("min CVaR, 100 x 1,260", ours, peer, few, 5.0, time.perf_counter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=["indicators", "panel", "garch", "optimizers"])
    arguments = parser.parse_args()
    for part in (optimizers, garch, panel, indicators):
        if arguments.only in (None, part.__name__):
            part(arguments.rounds)


if __name__ == "__main__":
    main()
