"""A backtest on Polars frames and its report: hold the five best of twenty names of the last half year, rebalanced monthly.

    python report.py [prices.parquet]     a frame with a column of dates and one of closes for each name

Without a file, prices are made up: twenty correlated walks whose drifts persist, so that momentum has something to find.
"""

import sys

import nanobook as nb
import numpy as np
import polars as pl

if len(sys.argv) > 1:
    prices = pl.read_parquet(sys.argv[1])
else:
    rng = np.random.default_rng(7)
    days = pl.date_range(pl.date(2014, 1, 1), pl.date(2023, 12, 31), eager=True)
    days = days.filter(days.dt.weekday() <= 5)
    n = len(days)
    market = rng.normal(3e-4, 0.008, (n, 1))
    drift = np.repeat(rng.normal(0, 6e-4, (n // 250 + 1, 20)), 250, axis=0)[:n]
    closes = 100 * np.exp(np.cumsum(market + drift + rng.normal(0, 0.01, (n, 20)), axis=0))
    prices = pl.DataFrame({"date": days, **{f"S{at:02}": closes[:, at] for at in range(20)}})

names = prices.columns[1:]

# The signal is known at the close of its day. It is in a function, so that it can be checked for looking ahead.
def momentum(prices: pl.DataFrame) -> pl.DataFrame:
    return prices.select("date", pl.col(names).shift(21) / pl.col(names).shift(147) - 1)

assert len(nb.check_lookahead(momentum, prices, cuts=10)) == 0

weights = (
    momentum(prices)
    .drop_nulls()
    .unpivot(index="date", variable_name="symbol", value_name="score")
    .filter(pl.col("date") == pl.col("date").max().over(pl.col("date").dt.truncate("1mo")))
    .filter(pl.col("score").rank(descending=True).over("date") <= 5)
    .select("date", "symbol", weight=pl.lit(0.2))
)

result = nb.backtest(weights, prices, fill="next_close", cost=nb.CostModel(commission_bps=5))
even = nb.backtest(
    weights.group_by("date").len().sort("date").select("date", *[pl.lit(1 / len(names)).alias(name) for name in names]),
    prices,
    fill="next_close",
    cost=nb.CostModel(commission_bps=5),
)

print(result)
print(result.equity)
print(nb.compare({"momentum": result, "even": even}))

# Equity is a frame like any other, and its columns are the kernel's own memory.
yearly = result.equity.to_polars().group_by(pl.col("ts").dt.year().alias("year")).agg(pl.col("turnover").sum() / pl.col("equity").mean())
print(yearly.sort("year"))

result.report("report.html", title="Momentum, five of twenty", benchmark=even)
result.plot().save("plots.html")
print("wrote report.html and plots.html")

assert result.equity["equity"][-1] == result.final_equity
