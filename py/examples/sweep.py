"""A sweep with a heat map: the Sharpe ratio of momentum for every pair of look-back and holding count.

Every parameter set runs over one shared panel of prices, on all cores.
"""

import nanobook as nb
import numpy as np
import polars as pl

rng = np.random.default_rng(11)
days = pl.date_range(pl.date(2016, 1, 1), pl.date(2023, 12, 31), eager=True)
days = days.filter(days.dt.weekday() <= 5)
n, width = len(days), 20
drift = np.repeat(rng.normal(2e-4, 8e-4, (n // 125 + 1, width)), 125, axis=0)[:n]
closes = 100 * np.exp(np.cumsum(drift + rng.normal(0, 0.012, (n, width)), axis=0))
names = [f"S{at:02}" for at in range(width)]
prices = pl.DataFrame({"date": days, **dict(zip(names, closes.T))})
scores = {look: np.r_[np.full((look, width), np.nan), closes[look:] / closes[:-look] - 1] for look in (21, 63, 126, 252)}
month_ends = np.flatnonzero(np.diff(days.dt.month().to_numpy()) != 0)


def weights(params: dict) -> pl.DataFrame:
    """The best ``hold`` names by return over ``look`` days, at the end of each month."""
    look, hold = params["look"], params["hold"]
    rows = month_ends[month_ends >= 252]
    best = np.argsort(-scores[look][rows], axis=1)[:, :hold]
    values = np.zeros((len(rows), width))
    np.put_along_axis(values, best, 1.0 / hold, axis=1)
    return pl.DataFrame({"date": days[rows], **dict(zip(names, values.T))})


looks, holds = [21, 63, 126, 252], [1, 2, 3, 5, 8, 12]
found = nb.sweep({"look": looks, "hold": holds}, weights, prices, cost=5.0, fill="next_close")
table = found.to_polars()
print(table.select("look", "hold", "sharpe", "total_return", "max_drawdown").sort("sharpe", descending=True).head(8))

grid = np.array([[table.filter((pl.col("look") == look) & (pl.col("hold") == hold))["sharpe"].item() for hold in holds] for look in looks])
nb.heat_map(grid, rows=[f"{look} days" for look in looks], columns=[f"{hold} names" for hold in holds], title="Sharpe ratio").save("sweep.html")
print("wrote sweep.html")

assert table.height == len(looks) * len(holds)
best = table.sort("sharpe", descending=True).row(0, named=True)
alone = nb.backtest(weights({"look": best["look"], "hold": best["hold"]}), prices, cost=5.0, fill="next_close")
assert abs(alone.metrics["sharpe"] - best["sharpe"]) < 1e-12, "a set of a sweep is the backtest of its parameters"
