"""Rebalance a paper account to weights against a replayed day: targets, orders, risk checks, fills, all as frames.

    python paper_rebalance.py [01302020.NASDAQ_ITCH50.gz]
"""

import sys
from decimal import Decimal

import polars as pl

import nanobook as nb

path = sys.argv[1] if len(sys.argv) > 1 else nb.SAMPLE
weights = {symbol: 0.2 for symbol in nb.inspect_itch(path).symbols["symbol"].to_list()[:3]}

# The day's best bids and asks are the market of the account; its clock stands at eleven in New York.
quotes = nb.read_itch(path, "bbo", symbols=list(weights), end="12:00")
times = quotes.to_polars()["ts_event"]
start = int(times.dt.timestamp("ns")[len(times) // 2])
broker = nb.PaperBroker(100_000, quotes=quotes, start=start, cost=nb.CostModel(commission_per_share=0.005))
session = broker.connect()
shown = broker.quotes(list(weights)).to_polars()
print(shown.select("symbol", "bid_px", "ask_px"))

# Orders to the weights: whole shares, limits at the other side of the quote.
equity = broker.account()["equity"].to_list()[0]
orders = (
    shown.with_columns(weight=pl.col("symbol").replace_strict(weights))
    .with_columns(qty=(float(equity) * pl.col("weight") / pl.col("ask_px").cast(pl.Float64)).floor())
    .select("symbol", side=pl.lit("buy"), qty="qty", price="ask_px")
)

# Every check over the account as it would be after them; what is not known would fail.
risk = nb.RiskEngine.from_toml("""
    max_weight = 0.25
    max_leverage = 1
    max_spread_bps = { limit = 5, severity = "soft" }
    max_quote_age_s = 3600
    live_quotes = "off"
""")
report = risk.check(
    orders,
    account=broker.account(),
    positions=broker.positions(),
    working=broker.open_orders(),
    quotes=shown,
    instruments=broker.instruments(list(weights)),
    kill_switch=False,
    halted=False,
    reduce_only=False,
    market_open=True,
    account_id=session.account_id,
    paper=session.is_paper,
    unexplained=0,
    now=broker.clock(),
)
print(f"\n{report}")
assert report.passed

for order in orders.iter_rows(named=True):
    outcome = broker.submit(order["symbol"], "buy", Decimal(int(order["qty"])), price=order["price"])
    print(outcome.symbol, outcome.state, outcome.text)
    assert outcome.confirmed

# What the market did not have at once rests, and trades as the day goes on.
broker.advance(int(times.dt.timestamp("ns")[-1]))
fills, held = broker.fills_since(list(weights)).to_polars(), broker.positions().to_polars()
print(fills.group_by("symbol").agg(pl.len().alias("fills"), pl.col("qty").sum()).sort("symbol"))
bought = dict(fills.group_by("symbol").agg(pl.col("qty").sum()).rows())
assert dict(held.select("symbol", "position_qty").rows()) == bought
spent = (fills["qty"].cast(pl.Float64) * fills["price"].cast(pl.Float64) + fills["fee"].cast(pl.Float64)).sum()
assert abs(float(broker.account()["cash"].to_list()[0]) - (100_000 - spent)) < 1e-6
print(f"{len(fills)} fills, {spent:,.2f} spent")
