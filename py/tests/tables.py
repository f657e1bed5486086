"""Every table and column that the package hands out, by name, for the tests of memory that crosses."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

import nanobook as nb

NAMES = [f"S{at}" for at in range(6)]
DAYS = pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 2, 3), eager=True)
ROWS = len(DAYS)
FIELDS = ["open", "high", "low", "close", "volume"]


def prices(rows=ROWS):
    rng = np.random.default_rng(1)
    walk = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (rows, len(NAMES))), axis=0))
    return pl.DataFrame({"date": DAYS[:rows], **dict(zip(NAMES, np.asfortranarray(walk).T))})


def even(frame):
    return frame.select("date", *[pl.lit(1 / len(NAMES)).alias(name) for name in NAMES])[::20]


@cache
def result():
    """A backtest in which something of everything happens: stops, and a name that is not traded for a while."""
    frame = prices()
    gaps = frame.with_columns(S5=pl.when(pl.int_range(pl.len()).is_between(15, 45)).then(None).otherwise(pl.col("S5")))
    found = nb.backtest(even(gaps), gaps, cost=5.0, stops=nb.Stops(trailing=0.03))
    assert len(found.stop_events) and len(found.events) and len(found.drawdowns)
    return found


@cache
def returns():
    """Returns as a matrix in the order of columns."""
    values = prices().select(NAMES).to_numpy()
    return np.asfortranarray(values[1:] / values[:-1] - 1)


@cache
def bars():
    close = prices().select(NAMES)
    return {
        "open": close, "high": close.select(pl.all() * 1.01), "low": close.select(pl.all() * 0.99), "close": close,
        "volume": close.select(pl.all() * 100),
    }  # fmt: skip


def indicators():
    """Each indicator of a panel, and of one series; several outputs count each."""
    for name, inputs in nb.ta._INPUTS.items():
        function = getattr(nb.ta, name)
        panel = function(*[bars()[field] for field in inputs])
        series = function(*[bars()[field]["S0"] for field in inputs])
        for kind, found in [("panel", panel), ("series", series)]:
            for at, part in enumerate(found if isinstance(found, tuple) else [found]):
                yield f"ta.{name}, {kind}, {at}", part


@cache
def exchange():
    venue = nb.Exchange()
    for price, qty in [(99, 10), (98, 20), (99, 5)]:
        venue.submit_limit("buy", price, qty)
    venue.submit_limit("sell", 101, 7)
    venue.submit_limit("buy", 101, 3)
    venue.submit_stop_market("sell", 95, 10)
    return venue


@cache
def exchanges():
    venue = nb.MultiExchange()
    for side, price in [("sell", 10_05), ("buy", 10_05), ("buy", 10_00), ("sell", 10_10)]:
        venue.submit_limit("A", side, price, 5)
    return venue


@cache
def broker():
    quotes = {"ts_event": [1], "symbol": ["AAPL"], "bid_px": [199.99], "bid_qty": [300], "ask_px": [200.0], "ask_qty": [60]}
    venue = nb.PaperBroker(100_000, quotes=nb.Frame.from_dict(quotes, times=["ts_event"]), start=1)
    venue.connect()
    assert venue.submit("AAPL", "buy", 10, price=200).confirmed
    assert venue.submit("AAPL", "buy", 5, price=150, client_order_id="rests").confirmed
    return venue


@cache
def risk():
    orders = pl.DataFrame({"symbol": ["AAPL"], "side": ["buy"], "qty": [5], "price": [200.0]})
    engine = nb.RiskEngine.from_toml("max_leverage = 1.5\nmax_weight = 0.5")
    return engine.check(orders, account=broker().account(), positions=broker().positions(), quotes=broker().quotes("AAPL"))


def portfolio():
    held = nb.Portfolio(1_000.0)
    held.fill("A", 3, 10.0)
    held.fill("B", -2, 20.0)
    return held


def forget():
    """Drops what tables are made of."""
    for made in (result, returns, bars, exchange, exchanges, broker, risk):
        made.cache_clear()


TABLES = {
    **{
        f"backtest.{name}": lambda name=name: getattr(result(), name)
        for name in [
            "equity", "holdings", "fills", "returns", "drawdown", "drawdowns", "targets", "positions", "stop_events", "events",
            "monthly", "yearly",
        ]
    },
    "backtest.metrics": lambda: result().metrics_frame(),
    "backtest.metrics, benchmark": lambda: result().metrics_frame(result().returns["ret"].to_numpy() * 0.5),
    "portfolio.positions": lambda: portfolio().positions,
    "sweep": lambda: nb.sweep({"part": [0.1, 0.2]}, lambda p: even(prices()), prices()),
    "sweep, strategy": lambda: nb.sweep({"lookback": [5, 10], "k": [1, 2]}, nb.strategies.MomentumTopK(skip=0), prices()),
    "strategy.weights": lambda: nb.strategies.MomentumTopK(lookback=5, skip=0, k=1).weights(nb.Prices(prices())),
    "check_lookahead": lambda: nb.check_lookahead(lambda p: p.select("date", pl.col(NAMES) / pl.col(NAMES).mean()), prices()),
    **{
        f"itch.{table}": lambda table=table: nb.read_itch(nb.SAMPLE, table, **({"depth": 2} if table == "depth" else {}))
        for table in ["mbo", "bbo", "depth", "trades", "bars", "imbalance", "instruments", "status", "system_events"]
    },
    "itch.symbols": lambda: nb.inspect_itch(nb.SAMPLE).symbols,
    "book.depth": lambda: nb.book_itch(nb.SAMPLE, "ZJVL", end="12:00").depth(5),
    "book.orders": lambda: nb.book_itch(nb.SAMPLE, "ZJVL", end="12:00").orders(),
    **{f"exchange.{name}": lambda name=name: getattr(exchange(), name)() for name in ["depth", "full_book", "orders", "trades", "events"]},
    "exchanges.depth": lambda: exchanges().depth("A"),
    "exchanges.orders": lambda: exchanges().orders("A"),
    **{f"exchanges.{name}": lambda name=name: getattr(exchanges(), name)() for name in ["best_prices", "trades", "events"]},
    **{f"broker.{name}": lambda name=name: getattr(broker(), name)() for name in ["account", "positions", "open_orders"]},
    **{f"broker.{name}": lambda name=name: getattr(broker(), name)("AAPL") for name in ["instruments", "quotes", "fills_since"]},
    "broker.order": lambda: broker().order("rests", "AAPL"),
    "risk.checks": lambda: risk().checks,
    "stats.information_coefficients": lambda: nb.stats.information_coefficients(returns()[:-1], returns()[1:]),
    "stats.decay": lambda: nb.stats.decay(returns(), prices().select(NAMES)[1:], [1, 2, 5]),
    "stats.quantile_returns": lambda: nb.stats.quantile_returns(returns()[:-1], returns()[1:], groups=3),
    "stats.factor_regression": lambda: nb.stats.factor_regression(returns()[:, 0], returns()[:, 1:3]).table,
    "optimize.covariance": lambda: nb.optimize.covariance(returns()),
    "volatility.forecast": lambda: nb.volatility.fit(returns()[:, 0]).forecast(5),
}  # fmt: skip
"""A function for each table."""

COLUMNS = {
    "stats.factor_regression.residuals": lambda: nb.stats.factor_regression(returns()[:, 0], returns()[:, 1:3]).residuals,
    "stats.bootstrap.draws": lambda: nb.stats.bootstrap(returns()[:, 0], count=50).draws,
    "stats.overfitting.logits": lambda: nb.stats.overfitting_probability(returns(), blocks=6).logits,
    "optimize.weights": lambda: nb.optimize.min_variance(returns()).weights,
    "volatility.variances": lambda: nb.volatility.fit(returns()[:, 0]).variances,
    "volatility.residuals": lambda: nb.volatility.fit(returns()[:, 0]).residuals,
    "volatility.ewma_variance": lambda: nb.volatility.ewma_variance(returns()[:, 0]),
}
"""A function for each single column."""
