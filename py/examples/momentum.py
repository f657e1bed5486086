"""Momentum on twenty large stocks: monthly, 5 bps, trailing stops of 15 %, twenty years.

    python momentum.py [sp500_20_daily_1990_2022.csv.gz [momentum.svg]]

The file is wide: a date and one column of adjusted closes for each stock. Without one the reference data beside the project
are taken, or a random walk where there are none. Each month end the five stocks that rose most over the twelve months before
the last one get 19 % each. It writes the curve of equity as a picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nanobook as nb
import polars as pl

REFERENCE = Path(__file__).resolve().parents[3] / "shared/data/prices/sp500_20_daily_1990_2022.csv.gz"

LOOKBACK, SKIP, TOP, PART = 252, 21, 5, 0.19


def month_ends(prices: pl.DataFrame) -> pl.DataFrame:
    """Weights at the last row of each month."""
    names = prices.columns[1:]
    rose = prices.select("Date", *(pl.col(n).shift(SKIP) / pl.col(n).shift(LOOKBACK) - 1 for n in names))
    last = rose.group_by(pl.col("Date").dt.truncate("1mo"), maintain_order=True).last().drop("Date")
    dates = prices.group_by(pl.col("Date").dt.truncate("1mo"), maintain_order=True).agg(last=pl.col("Date").last())
    rank = last.select(pl.concat_list(names).list.eval(pl.element().rank("ordinal", descending=True)).alias("rank"))
    chosen = [(pl.col("rank").list.get(i) <= TOP).cast(pl.Float64).alias(n) * PART for i, n in enumerate(names)]
    return rank.select(dates["last"].alias("Date"), *chosen).slice(13)


def sparkline(values: list[float], width: int = 72) -> str:
    """A curve as text, on a scale of logarithms."""
    import math

    step = max(1, len(values) // width)
    logs = [math.log(v) for v in values[::step]]
    low, high = min(logs), max(logs)
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * (v - low) / (high - low)))] for v in logs)


def walk() -> pl.DataFrame:
    """Prices of nobody, where there are no real ones."""
    import numpy as np

    days = pl.date_range(pl.date(2003, 1, 1), pl.date(2022, 12, 31), eager=True)
    days = days.filter(days.dt.weekday() < 6)
    prices = 50 * np.exp(np.cumsum(np.random.default_rng(5).normal(3e-4, 0.02, (len(days), 20)), axis=0))
    return pl.DataFrame({"Date": days} | {f"S{i:02d}": prices[:, i] for i in range(20)})


def main(path: str | None = None, picture: str = "momentum.svg") -> nb.BacktestResult:
    if path is None and not REFERENCE.exists():
        print("no reference data: a random walk instead")
        prices = walk()
    else:
        prices = pl.read_csv(path or REFERENCE, try_parse_dates=True)
    prices = prices.filter(pl.col("Date").dt.year().is_between(2003, 2022))
    result = nb.backtest(month_ends(prices), prices, cost=5.0, stops=nb.Stops(trailing=0.15))
    print(result)
    curve = result.equity["equity"].to_list()
    print(sparkline(curve))
    print(result.yearly.to_polars())
    print(f"{len(result.stop_events)} stops, the worst drawdowns:")
    print(result.drawdowns.to_polars().sort("depth", descending=True).head(3))
    result.plot("equity").save(picture)
    print(f"wrote {picture}")
    assert result.rebalances > 200 and len(result.stop_events) > 50
    return result


if __name__ == "__main__":
    main(*sys.argv[1:])
