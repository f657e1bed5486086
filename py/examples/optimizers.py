"""Optimizers side by side: eight ways to weight twelve assets, chosen anew each quarter from the year before.

    python optimizers.py [prices.parquet]     a frame with a column of dates and one of closes for each asset

Without a file, prices are made up: three sectors that move together and three quiet bonds, with drifts that nobody can
estimate from a year. So what is easy to know (risk) should pay, and what is hard to know (means) should not.
"""

import sys

import nanobook as nb
import numpy as np
import polars as pl

if len(sys.argv) > 1:
    prices = pl.read_parquet(sys.argv[1])
else:
    rng = np.random.default_rng(4)
    days = pl.date_range(pl.date(2014, 1, 1), pl.date(2023, 12, 31), eager=True)
    days = days.filter(days.dt.weekday() <= 5)
    sectors = np.repeat(rng.standard_t(4, (len(days), 4)) * [0.008, 0.009, 0.006, 0.001], 3, axis=1)
    own = rng.normal(0, 1, (len(days), 12)) * np.repeat([0.008, 0.006, 0.005, 0.0015], 3)
    moves = 2e-4 * np.repeat([1.2, 1.2, 1.0, 0.5], 3) + sectors + own
    names = [f"{sector}{at}" for sector in ("tech", "energy", "health", "bond") for at in (1, 2, 3)]
    closes = 100 * np.exp(np.cumsum(moves, axis=0))
    prices = pl.DataFrame({"date": days, **dict(zip(names, closes.T))})

names = prices.columns[1:]
returns = prices.select("date", pl.col(names).pct_change()).drop_nulls()
ends = returns.select("date", row=pl.int_range(pl.len())).filter(pl.col("date").dt.quarter().diff(-1) != 0)
ends = ends.filter(pl.col("row") >= 252)
most = nb.optimize.Limits(upper=0.3)

# A window of returns is a frame like any other: each optimizer takes its columns where they lie.
ways = {
    "equal": lambda window: [1 / len(names)] * len(names),
    "1/volatility": lambda window: nb.optimize.inverse_volatility(window).to_list(),
    "HRP": lambda window: nb.optimize.hierarchical_risk_parity(window).to_list(),
    "risk parity": lambda window: nb.optimize.risk_parity(window, estimator="ledoit_wolf").weights.to_list(),
    "diversified": lambda window: nb.optimize.max_diversification(window, limits=most).weights.to_list(),
    "min variance": lambda window: nb.optimize.min_variance(window, limits=most).weights.to_list(),
    "min CVaR": lambda window: nb.optimize.min_cvar(window, limits=most).weights.to_list(),
    "mean-variance": lambda window: nb.optimize.mean_variance(window, risk_aversion=5.0, limits=most).weights.to_list(),
}

results, known = {}, {}
for name, way in ways.items():
    rows, known[name] = [], []
    for row in ends["row"]:
        window = returns[row - 251 : row + 1].select(names)
        weights = way(window)
        assert abs(sum(weights) - 1) < 1e-9 and min(weights) >= -1e-9
        rows.append(weights)
        known[name].append(float(np.std(window.to_numpy() @ weights, ddof=1)))
    table = pl.DataFrame(rows, schema=names, orient="row").insert_column(0, ends["date"])
    results[name] = nb.backtest(table, prices.filter(pl.col("date") >= ends["date"][0]), cost=5.0)

compared = nb.compare(results)
shown = ("Return a year (CAGR)", "Volatility a year", "Sharpe", "Maximum drawdown", "Turnover a year")
print(
    pl.DataFrame(
        [{"way": name, **{label: numbers[label] for label in shown}} for name, numbers in compared.metrics.items()]
    ).sort("Volatility a year")
)
compared.report("optimizers.html", title="Eight ways to weight twelve assets")
print("wrote optimizers.html")

# What an optimizer promises, it keeps on the window that it saw.
heavy = {name: max(max(row) for row in result.targets.to_polars().partition_by("ts")[0].select("weight").rows()) for name, result in results.items()}
print(f"largest weight at the first date: {', '.join(f'{name} {weight:.2f}' for name, weight in heavy.items())}")
for name in ("equal", "diversified", "min CVaR", "mean-variance"):
    assert all(least <= other + 1e-12 for least, other in zip(known["min variance"], known[name]))
if len(sys.argv) == 1:
    volatility = {name: numbers["Volatility a year"] for name, numbers in compared.metrics.items()}
    assert volatility["min variance"] < volatility["risk parity"] < volatility["equal"], "risk is what a year does tell"
