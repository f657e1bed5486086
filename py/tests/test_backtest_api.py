"""The backtest as it is used: reference cases and metrics of other packages, strategies, sweeps, errors, memory."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import math
from pathlib import Path

import nanobook as nb
import numpy as np
import pytest

pl = pytest.importorskip("polars")

DAYS = [dt.date(2024, 1, d) for d in range(1, 6)]
PRICES = pl.DataFrame({"date": DAYS, "A": [10.0, 11.0, 12.0, 11.0, 12.0], "B": [20.0, 20.0, 19.0, 21.0, 22.0]})
WEIGHTS = pl.DataFrame({"date": [DAYS[0], DAYS[2]], "A": [0.5, 0.2], "B": [0.4, 0.7]})


def rows(path: Path) -> list[dict[str, str]]:
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path)
    with opened as file:
        return list(csv.DictReader(file))


@pytest.fixture
def momentum(shared):
    prices = pl.read_csv(shared / "oracle/01_weights_close_prices.csv.gz", try_parse_dates=True)
    weights = pl.read_csv(shared / "oracle/01_weights_close_weights.csv", try_parse_dates=True)
    return weights, prices


def equity(shared, name: str) -> np.ndarray:
    return np.array([float(row["equity"]) for row in rows(shared / f"oracle/{name}_equity.csv")])


def test_monthly_momentum_is_that_of_the_reference(shared, momentum):
    result = nb.backtest(*momentum, cost=5.0)
    assert np.allclose(np.asarray(result.equity["equity"]), equity(shared, "01_weights_close"), rtol=1e-10)
    lots = nb.backtest(*momentum, cost=nb.CostModel(commission_bps=5.0, commission_min=1.0), lot=1.0)
    assert np.allclose(np.asarray(lots.equity["equity"]), equity(shared, "03_weights_lots_minfee"), rtol=1e-10)
    stops = nb.backtest(*momentum, cost=5.0, stops=nb.Stops(trailing=0.1))
    assert np.allclose(np.asarray(stops.equity["equity"]), equity(shared, "04_trailing_stop_close"), rtol=1e-10)
    assert len(stops.stop_events) == 126 and stops.metrics["stops_hit"] == 126


def test_vectorbt_agrees_on_what_it_can_express(momentum):
    vbt = pytest.importorskip("vectorbt")
    pd = pytest.importorskip("pandas")
    weights, prices = momentum
    close = prices.pivot("symbol", index="date", values="close").sort("date")
    target = weights.pivot("symbol", index="date", values="weight").sort("date")
    index = pd.DatetimeIndex(close["date"].to_list())
    names = close.columns[1:]
    frame = pd.DataFrame(close.select(names).to_numpy(), index=index, columns=names)
    sizes = pd.DataFrame(np.nan, index=index, columns=names)
    for row in target.iter_rows(named=True):
        sizes.loc[pd.Timestamp(row["date"]), :] = [row[name] for name in names]
    portfolio = vbt.Portfolio.from_orders(
        frame, sizes, size_type="targetpercent", fees=5e-4, init_cash=1e6, cash_sharing=True, group_by=True, call_seq="auto"
    )
    found = np.asarray(nb.backtest(weights, prices, cost=5.0).equity["equity"])
    assert np.allclose(found, portfolio.value().to_numpy(), rtol=1e-9)


def test_metrics_are_those_of_empyrical_and_quantstats(shared):
    reference = json.loads((shared / "oracle/07_metrics.json").read_text())["series"]
    empyrical = {
        "annual_return": "annual_return",
        "volatility": "annual_volatility",
        "sharpe": "sharpe_ratio",
        "sortino": "sortino_ratio",
        "calmar": "calmar_ratio",
        "omega": "omega_ratio",
        "tail_ratio": "tail_ratio",
        "stability": "stability_of_timeseries",
        "downside_risk": "downside_risk",
        "value_at_risk": "value_at_risk",
        "conditional_value_at_risk": "conditional_value_at_risk",
        "total_return": "cum_returns_final",
    }
    quantstats = {
        "sharpe": "sharpe",
        "sortino": "sortino",
        "ulcer_index": "ulcer_index",
        "profit_factor": "profit_factor",
        "payoff": "payoff_ratio",
        "win_rate": "win_rate",
        "kelly": "kelly_criterion",
        "recovery_factor": "recovery_factor",
        "skew": "skew",
        "kurtosis": "kurtosis",
        "conditional_value_at_risk": "cvar_historical",
    }
    for name in ("case01", "spy"):
        returns = [float(row["ret"]) for row in rows(shared / f"oracle/07_metrics_{name}_returns.csv")]
        found = nb.metrics(np.array(returns))
        found = dict(zip(found["metric"].to_list(), found["value"].to_list()))
        for package, names in (("empyrical", empyrical), ("quantstats", quantstats)):
            for ours, theirs in names.items():
                assert found[ours] == pytest.approx(reference[name][package][theirs], rel=1e-9), (package, ours)
        assert found["max_drawdown"] == pytest.approx(-reference[name]["empyrical"]["max_drawdown"], rel=1e-9)
        assert found["max_drawdown_periods"] == reference[name]["definitions"]["max_dd_duration_rows"]


def test_a_benchmark_gives_alpha_and_beta_as_empyrical_has_them():
    empyrical = pytest.importorskip("empyrical")
    rng = np.random.default_rng(7)
    bench = rng.normal(0.0004, 0.01, 700)
    returns = 0.7 * bench + rng.normal(0.0002, 0.006, 700)
    found = nb.metrics(returns, benchmark=bench, risk_free=0.0001)
    found = dict(zip(found["metric"].to_list(), found["value"].to_list()))
    alpha, beta = empyrical.alpha_beta(returns, bench, risk_free=0.0001)
    assert found["alpha"] == pytest.approx(alpha, rel=1e-9) and found["beta"] == pytest.approx(beta, rel=1e-9)
    assert found["information_ratio"] == pytest.approx(empyrical.excess_sharpe(returns, bench), rel=1e-9)
    assert found["sharpe"] == pytest.approx(empyrical.sharpe_ratio(returns, risk_free=0.0001), rel=1e-9)
    assert found["tracking_error"] == pytest.approx((returns - bench).std(ddof=1) * math.sqrt(252), rel=1e-9)
    rolled = np.asarray(nb.rolling_sharpe(returns, 63))
    assert rolled[100] == pytest.approx(empyrical.sharpe_ratio(returns[38:101]), rel=1e-9)


def test_calendar_and_rolling_tables_are_those_of_pandas_and_empyrical(momentum):
    pd = pytest.importorskip("pandas")
    empyrical = pytest.importorskip("empyrical")
    result = nb.backtest(*momentum, cost=5.0)
    frame = result.returns.to_polars()
    returns = pd.Series(frame["ret"].to_numpy(), index=pd.DatetimeIndex(frame["ts"].to_list()))
    for found, period in ((result.monthly, "monthly"), (result.yearly, "yearly")):
        expected = empyrical.aggregate_returns(returns, period)
        assert np.allclose(np.asarray(found["ret"]), expected.to_numpy(), rtol=1e-9, atol=1e-14)
        assert sum(found["periods"].to_list()) == len(returns)
    months = list(zip(result.monthly["year"].to_list(), result.monthly["month"].to_list()))
    assert months == list(empyrical.aggregate_returns(returns, "monthly").index)
    bench = pd.Series(np.random.default_rng(3).normal(0.0004, 0.01, len(returns)), index=returns.index) + 0.3 * returns
    equity = pd.Series(np.asarray(result.equity["equity"]))
    fall = lambda window: 1 - (window / np.maximum.accumulate(window)).min()
    root = math.sqrt(252)
    for window in (2, 21, 126):
        rolled = returns.rolling(window)
        for found, expected in (
            (nb.rolling_sharpe(returns.to_numpy(), window), rolled.mean() / rolled.std() * root),
            (nb.rolling_volatility(returns.to_numpy(), window), rolled.std() * root),
            (nb.rolling_beta(returns.to_numpy(), bench.to_numpy(), window), rolled.cov(bench) / bench.rolling(window).var()),
            (nb.rolling_max_drawdown(equity.to_numpy(), window), equity.rolling(window).apply(fall, raw=True)),
        ):
            assert np.allclose(np.asarray(found), expected.to_numpy(), rtol=1e-8, atol=1e-9, equal_nan=True)
    peak = equity.cummax()
    assert np.allclose(np.asarray(result.drawdown["drawdown"]), equity / peak - 1, rtol=1e-12, atol=1e-15)


def test_totals_of_a_run_are_those_of_its_tables(momentum):
    result = nb.backtest(*momentum, cost=nb.CostModel(commission_bps=5.0, half_spread_bps=2.0), stops=nb.Stops(trailing=0.1))
    equity, found = result.equity.to_polars(), result.metrics
    years = len(equity) / 252
    assert found["cost"] == pytest.approx(equity["cost"].sum(), rel=1e-12)
    assert found["commission"] + found["spread"] == pytest.approx(found["cost"], rel=1e-12)
    assert found["turnover"] == pytest.approx(equity["turnover"].sum() / equity["equity"].mean() / years, rel=1e-12)
    assert found["exposure"] == pytest.approx((equity["gross"] / equity["equity"]).mean(), rel=1e-12)
    assert found["stops_hit"] == len(result.stop_events)
    deepest = result.drawdowns.to_polars().sort("depth").tail(1).row(0, named=True)
    assert deepest["depth"] == pytest.approx(found["max_drawdown"], rel=1e-12)
    assert deepest["peak"] < deepest["trough"] and (deepest["recovery"] is None or deepest["trough"] < deepest["recovery"])


def test_raw_prices_with_splits_and_dividends(shared):
    prices = pl.read_csv(shared / "prices/us_raw_2005_2012.csv.gz", try_parse_dates=True)
    actions = pl.read_csv(shared / "prices/us_corporate_actions_2005_2012.csv", try_parse_dates=True)
    first = prices["date"].min()
    names = prices.filter(pl.col("date") == first)["symbol"].to_list()
    weights = pl.DataFrame({"date": [first] * len(names), "symbol": names, "weight": [0.9 / len(names)] * len(names)})
    result = nb.backtest(weights, prices, actions=actions)
    raw = nb.backtest(weights, prices)
    kinds = result.events.to_polars()["kind"].value_counts()
    kinds = dict(kinds.rows())
    assert kinds["split"] >= 1 and kinds["dividend"] > 100
    # Apple split two for one: without it the position halves overnight.
    day = dt.datetime(2005, 2, 28, tzinfo=dt.timezone.utc)
    on = lambda r: r.equity.to_polars().filter(pl.col("ts") == day)["ret"][0]
    assert on(result) - on(raw) > 0.4 * 0.9 / len(names)
    paid = np.asarray(result.equity["dividends"]).sum()
    assert paid > 0
    portfolio = result.positions.to_polars()
    cash = np.asarray(result.equity["cash"])[-1]
    assert cash + portfolio["value"].sum() == pytest.approx(result.final_equity, rel=1e-9)


def test_a_strategy_gives_what_its_weights_give():
    def decide(view: nb.View):
        assert view.prices(100).shape == (view.row + 1, 2)
        return {"A": 0.5, "B": 0.4} if view.row == 0 else [0.2, 0.7] if view.row == 2 else None

    for settings in ({}, {"lag": 1}, {"fill": "next_close", "cost": 5.0}):
        called, given = nb.backtest(decide, PRICES, **settings), nb.backtest(WEIGHTS, PRICES, **settings)
        assert called.equity["equity"].to_list() == pytest.approx(given.equity["equity"].to_list(), rel=1e-12)
        assert called.fills.to_polars().equals(given.fills.to_polars())


def test_a_strategy_sees_no_later_row_and_its_exception_comes_through():
    def peek(view: nb.View):
        assert view.prices(3).shape[0] <= 3 and view.equity > 0 and view.cash > 0
        assert float(np.asarray(view.marks)[0]) == PRICES["A"][view.row]
        if view.row == 3:
            raise RuntimeError("no more")
        return [0.1, 0.1]

    with pytest.raises(RuntimeError, match="no more"):
        nb.backtest(peek, PRICES)
    with pytest.raises(nb.InputError, match="3 weights for 2 symbols in row 0"):
        nb.backtest(lambda view: [1.0, 2.0, 3.0], PRICES)
    with pytest.raises(nb.InputError, match="names X"):
        nb.backtest(lambda view: {"X": 1.0}, PRICES)


def test_a_sweep_keeps_the_order_and_what_went_wrong():
    def make(p):
        if p["part"] == 0.5:
            raise ValueError("not this one")
        return pl.DataFrame({"date": DAYS[:1], "A": [p["part"]], "B": [1 - p["part"]]}), {"lag": p["lag"]}

    seen = []
    grid = {"part": [0.0, 0.5, 1.0], "lag": [0, 1]}
    one = nb.sweep(grid, make, PRICES, cost=5.0, threads=1)
    two = nb.sweep(grid, make, PRICES, cost=5.0, threads=2, progress=lambda done, of: seen.append((done, of)))
    assert one.to_polars().equals(two.to_polars())
    table = one.to_polars()
    assert table["part"].to_list() == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0] and table["lag"].to_list() == [0, 1] * 3
    assert table["error"].is_null().to_list() == [True, True, False, False, True, True]
    assert "not this one" in table["error"][2] and table["sharpe"][2] is None
    assert seen[-1] == (6, 6)
    alone = nb.backtest(make({"part": 1.0, "lag": 1})[0], PRICES, cost=5.0, lag=1)
    assert table["final_equity"][5] == pytest.approx(alone.final_equity, rel=1e-12)
    assert table["max_drawdown"][5] == pytest.approx(alone.metrics["max_drawdown"], abs=1e-12)
    arrays = nb.sweep([{"k": 1}], lambda p: np.array([[0.5, 0.4], [0.2, 0.7]]), PRICES, times=[DAYS[0], DAYS[2]])
    assert arrays["final_equity"].to_list() == pytest.approx([nb.backtest(WEIGHTS, PRICES).final_equity], rel=1e-12)


def long(frame, value):
    return frame.unpivot(index="date", variable_name="symbol", value_name=value).sort("date", "symbol")


@pytest.mark.parametrize(
    ("change", "words", "place"),
    [
        (lambda w, p: (w, p.reverse()), "row 1 of prices is", (1, None, None)),
        (lambda w, p: (w, p.with_columns(A=pl.Series([1.0, -1.0, 1.0, 1.0, 1.0]))), "close of A in row 1", (1, "close", "A")),
        (lambda w, p: (w.with_columns(B=pl.lit(None, pl.Float64)), p), "null or NaN", (0, "weight", "B")),
        (lambda w, p: (w.with_columns(B=pl.lit(math.inf)), p), "weight is finite", (0, "weight", "B")),
        (lambda w, p: (w.with_columns(X=pl.lit(0.5)), p), "X has weights (first in row 0) and no prices", (0, None, "X")),
        (lambda w, p: (w, p.with_columns(B=pl.lit("text"))), 'because column "B" is text', (None, "close", None)),
        (lambda w, p: (w, p.with_columns(B=pl.lit(True))), 'column "B" of prices is Boolean', (None, "B", None)),
        (lambda w, p: (pl.concat([w, w[1:]]), p), "row 2 of weights has the time of the row before it", (2, None, None)),
        (lambda w, p: (w, p.with_columns(date=pl.Series([DAYS[0], None, *DAYS[2:]]))), "null in row 1", (1, "date", None)),
        (lambda w, p: (long(w, "weight").reverse(), p), "comes after a later one", (2, None, "B")),
        (lambda w, p: (w, long(p, "close").clear()), "prices has no rows", (None, None, None)),
        (lambda w, p: (w.select("date"), p), "weights has no symbols", (None, None, None)),
        (lambda w, p: (w, p.with_columns(A=pl.Series([10.0, 1e-310, 1.0, 1.0, 1.0]))), "is 1e-310;", (1, "close", "A")),
        (lambda w, p: (w, p.with_columns(A=pl.Series([1e-300, 1e300, 1.0, 1.0, 1.0]))), "the position in A", (1, None, "A")),
        (lambda w, p: (w, p.clear()), "prices has no rows", (None, None, None)),
        (lambda w, p: (w, p.select("date")), "prices has no symbols", (None, None, None)),
    ],
)
def test_errors_name_row_column_and_symbol(change, words, place):
    weights, prices = change(WEIGHTS, PRICES)
    with pytest.raises(nb.NanobookError) as raised:
        nb.backtest(weights, prices)
    assert words in str(raised.value)
    assert (raised.value.row, raised.value.column, raised.value.symbol) == place


def test_settings_that_cannot_be_are_named():
    for settings, words in [
        ({"fill": "tomorrow"}, "close, next_open, next_close, vwap"),
        ({"fill": "next_open"}, "fill needs open prices"),
        ({"gross_limit": 0.5}, "over the limit of 0.5"),
        ({"stops": nb.Stops(trailing=1.5)}, "between 0 and 1"),
        ({"stops": nb.Stops(fixed={"A": 0.1, "B": 1.2})}, "fixed of B is 1.2"),
        ({"stops": nb.Stops(fixed={"A": "x"})}, "stop_fixed of A is x; a number"),
        ({"lag": -1}, "lag=-1 can't be"),
        ({"cash": -1.0}, "cash is -1"),
        ({"lot": {"X": 1.0}}, "lot names X"),
        ({"columns": {"price": "A"}}, "it can name time, symbol"),
    ]:
        with pytest.raises(nb.NanobookError, match=words):
            nb.backtest(WEIGHTS, PRICES, **settings)


def test_lazy_frames_arrow_tables_and_one_frame_for_both_will_do():
    pa = pytest.importorskip("pyarrow")
    expected = nb.backtest(WEIGHTS, PRICES).final_equity
    assert nb.backtest(WEIGHTS.lazy(), PRICES.lazy()).final_equity == expected
    parts = pa.concat_tables([PRICES[:2].to_arrow(), PRICES[2:].to_arrow()])
    assert nb.backtest(WEIGHTS.to_arrow(), parts).final_equity == pytest.approx(expected, rel=1e-12)
    long = PRICES.unpivot(index="date", variable_name="ticker", value_name="px").with_columns(w=pl.lit(0.5))
    both = nb.backtest(long, columns={"symbol": "ticker", "close": "px", "weight": "w", "time": "date"})
    assert both.rebalances == 5
    prices = nb.Prices(PRICES)
    assert nb.backtest(WEIGHTS, prices).final_equity == nb.backtest(WEIGHTS, prices).final_equity == expected


def test_tables_cross_without_a_copy():
    result = nb.backtest(WEIGHTS, PRICES)
    for frame, name in ((result.equity, "equity"), (result.holdings, "value"), (result.fills, "price")):
        ours = np.asarray(frame[name]).__array_interface__["data"][0]
        theirs = frame.to_polars()[name].to_numpy(allow_copy=False).ctypes.data
        assert ours == theirs
    assert result.equity.metadata["nanobook:table"] == "equity"
    assert result.targets.to_polars().filter(pl.col("symbol") == "B")["weight"].to_list() == [0.4, 0.7]
    assert "final equity" in repr(result)


def test_a_portfolio_books_fills():
    portfolio = nb.Portfolio(1_000.0)
    portfolio.fill("A", 10, 50.0, fee=1.0)
    portfolio.fill("A", -4, 60.0)
    assert (portfolio.qty("A"), portfolio.realized, portfolio.cash, portfolio.fees) == (6.0, 40.0, 739.0, 1.0)
    portfolio.mark("A", 55.0)
    assert portfolio.equity == 739.0 + 330.0
    with pytest.raises(nb.InputError, match="above zero"):
        portfolio.mark("A", 0.0)
