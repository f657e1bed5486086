"""Does order flow tell the next move? Order-flow imbalance after Cont, Kukanov and Stoikov (2014), from ITCH tables.

    python order_flow.py [01302020.NASDAQ_ITCH50.gz]

Each change of the best quote pushes the price up or down: a higher bid or more shares at the same bid is demand, a lower
ask or more shares at the same ask is supply. Their sum over ten seconds is set beside the change of the mid price over the
same ten seconds. A synthetic day has no informed traders, but its book still moves where the flow goes.
"""

import sys

import nanobook as nb
import polars as pl

path = sys.argv[1] if len(sys.argv) > 1 else nb.SAMPLE
busiest = nb.inspect_itch(path).symbols["symbol"].to_list()[:10]

bid, ask = pl.col("bid_px"), pl.col("ask_px")
before = lambda name: pl.col(name).shift(1).over("symbol")
demand = (
    pl.when(bid >= before("bid_px")).then(pl.col("bid_qty").cast(pl.Float64)).otherwise(0.0)
    - pl.when(bid <= before("bid_px")).then(before("bid_qty").cast(pl.Float64)).otherwise(0.0)
)
supply = (
    pl.when(ask <= before("ask_px")).then(pl.col("ask_qty").cast(pl.Float64)).otherwise(0.0)
    - pl.when(ask >= before("ask_px")).then(before("ask_qty").cast(pl.Float64)).otherwise(0.0)
)

# The filter on symbols reaches the replay: no other book is built, and no other column leaves it.
flow = (
    nb.scan_itch(path, "bbo")
    .filter(pl.col("symbol").is_in(busiest))
    .select("ts_event", "symbol", "bid_px", "bid_qty", "ask_px", "ask_qty")
    .drop_nulls()
    .with_columns(mid=(bid + ask) / 2, ofi=demand - supply)
    .with_columns(tick=pl.col("mid").diff().over("symbol"))
    .group_by("symbol", pl.col("ts_event").dt.truncate("10s"))
    .agg(pl.col("ofi").sum(), pl.col("tick").sum().alias("move"), pl.len().alias("quotes"))
    .collect()
)

table = (
    flow.group_by("symbol")
    .agg(
        pl.corr("ofi", "move").alias("correlation"),
        pl.col("quotes").sum(),
        pl.len().alias("intervals"),
    )
    .sort("quotes", descending=True)
)
print(table)

mean = table["correlation"].mean()
print(f"mean correlation of flow and move over ten seconds: {mean:.2f}")
assert mean > 0, "the flow pushes the price its own way"
