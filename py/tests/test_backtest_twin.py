"""Thousands of random cases against the plain loop, and the identities of accounting on each of them."""

from __future__ import annotations

import datetime as dt
import math

import nanobook as nb
import numpy as np
import pytest

from backtest_twin import Case, Twin

pl = pytest.importorskip("polars")

START = dt.date(2020, 1, 1)


def days(n: int) -> list[dt.date]:
    return [START + dt.timedelta(days=d) for d in range(n)]


def draw(rng: np.random.Generator) -> Case:
    """A random case: every rule is on in some, most are off in most."""
    rows, n = int(rng.integers(2, 45)), int(rng.integers(1, 8))
    some = lambda p: rng.random() < p
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (rows, n)), axis=0))
    opened = close * np.exp(rng.normal(0, 0.01, (rows, n)))
    high = np.maximum(close, opened) * np.exp(np.abs(rng.normal(0, 0.01, (rows, n))))
    low = np.minimum(close, opened) * np.exp(-np.abs(rng.normal(0, 0.01, (rows, n))))
    volume = rng.integers(1, 200_000, (rows, n)).astype(float)
    if some(0.4):
        gone = rng.random((rows, n)) < 0.1
        for i in range(n):
            if some(0.2):
                gone[: int(rng.integers(0, rows)), i] = True
            if some(0.2):
                gone[int(rng.integers(1, rows)) :, i] = True
        for prices in (close, opened, high, low):
            prices[gone] = np.nan
        opened[rng.random((rows, n)) < 0.03] = np.nan
        volume[rng.random((rows, n)) < 0.05] = np.nan
    case = Case(close=close, weights={})
    case.fill = str(rng.choice(["close", "next_open", "next_close", "vwap"], p=[0.5, 0.2, 0.15, 0.15]))
    if case.fill == "next_open" or some(0.2):
        case.open = opened
    if case.fill == "vwap":
        case.vwap = np.where(rng.random((rows, n)) < 0.02, np.nan, (close + opened) / 2)
    case.lag = int(rng.integers(0, 3)) if some(0.2) else 0
    if some(0.3):
        case.commission_bps = float(rng.uniform(0, 30))
    if some(0.2):
        case.commission_per_share = float(rng.uniform(0, 0.05))
    if some(0.2):
        case.commission_min = float(rng.uniform(0, 20))
    if some(0.2):
        case.slippage_bps, case.half_spread_bps = map(float, rng.uniform(0, 20, 2))
    if some(0.15):
        case.impact_bps, case.volume = float(rng.uniform(1, 100)), volume
    if some(0.2):
        case.borrow_bps, case.cash_bps = float(rng.uniform(0, 500)), float(rng.uniform(-100, 500))
        case.financing_bps = float(rng.uniform(0, 900)) if some(0.5) else None
    if some(0.2):
        case.sizing = "post_cost"
    case.overdraft = str(rng.choice(["scale", "allow", "reject"], p=[0.6, 0.3, 0.1]))
    if some(0.3):
        case.lot = float(rng.choice([1, 10, 0.5]))
    if some(0.15):
        case.band = float(rng.uniform(0, 0.1))
        case.band_to = str(rng.choice(["target", "edge"]))
    if some(0.15):
        case.min_order_value = float(rng.uniform(0, 50_000))
    if some(0.15):
        case.max_turnover = float(rng.uniform(0.05, 1.5))
    if some(0.15):
        case.max_participation, case.volume = float(rng.uniform(0.01, 0.5)), volume
    if some(0.3):
        case.stop_fixed = float(rng.uniform(0.01, 0.2)) if some(0.5) else 0.0
        case.stop_trailing = float(rng.uniform(0.01, 0.2)) if some(0.5) else 0.0
        case.stop_atr = float(rng.uniform(0.5, 3)) if some(0.5) else 0.0
        case.stop_atr_period = int(rng.integers(1, 6))
        if some(0.5):
            case.open, case.high, case.low = opened, high, low
            case.stop_watch = str(rng.choice(["close", "intrabar"]))
        case.cooldown = [None, 3, -1][int(rng.integers(0, 3))]
    if some(0.3):
        # Each symbol has its own, and some have none.
        for name in ("lot", "stop_fixed", "stop_trailing", "stop_atr"):
            if getattr(case, name):
                setattr(case, name, [float(x) for x in getattr(case, name) * rng.choice([0.0, 0.5, 1.0, 2.0], n)])
    if some(0.2):
        case.stale_after = int(rng.integers(0, 4))
    case.renormalize = some(0.3)
    if some(0.2):
        for _ in range(int(rng.integers(1, 4))):
            kind = str(rng.choice(["dividend", "split"]))
            value = float(rng.uniform(0.1, 2)) if kind == "dividend" else float(rng.choice([2.0, 3.0, 0.5]))
            case.actions.append((int(rng.integers(0, rows)), int(rng.integers(0, n)), kind, value))
    shorts, holds = some(0.4), some(0.2)
    delay = case.lag + case.fill.startswith("next")
    column = {"close": close, "next_close": close, "next_open": case.open, "vwap": case.vwap}[case.fill]
    every = int(rng.integers(1, 8))
    for row in range(0, rows, every):
        w = rng.uniform(-1 if shorts else 0, 1, n) * (rng.random(n) < 0.8)
        gross = np.abs(w).sum()
        w = w / gross * rng.choice([0.5, 0.95, 1.0, 1.6]) if gross > 0 else w
        trade = row + delay
        for i in range(n):
            unknown = trade < rows and np.isnan(column[trade, i]) and np.isnan(close[:trade, i]).all()
            if unknown and not case.renormalize:
                w[i] = 0.0
        if holds:
            w[rng.random(n) < 0.3] = np.nan
        case.weights[row] = w
    return case


def wide(values: np.ndarray, dates: list[dt.date], symbols: list[str], nulls: bool) -> object:
    frame = {"date": dates} | {s: values[:, i] for i, s in enumerate(symbols)}
    frame = pl.DataFrame(frame)
    return frame.fill_nan(None) if nulls else frame


def settings(number: float | list[float], symbols: list[str]) -> float | dict[str, float]:
    return dict(zip(symbols, number)) if isinstance(number, list) else number


def simulate(case: Case, rng: np.random.Generator) -> nb.BacktestResult:
    rows, n = case.close.shape
    dates, symbols = days(rows), [f"S{i}" for i in range(n)]
    more = {k: getattr(case, k) for k in ("open", "high", "low", "vwap", "volume")}
    more = {k: v for k, v in more.items() if v is not None}
    shown = {k: wide(v, dates, symbols, rng.random() < 0.5) for k, v in more.items()}
    nulls = rng.random() < 0.5
    prices = wide(case.close, dates, symbols, nulls)
    order = list(rng.permutation(n))
    at = sorted(case.weights)
    w = np.array([case.weights[row] for row in at])
    weights = pl.DataFrame({"date": [dates[row] for row in at]} | {symbols[i]: w[:, i] for i in order})
    if rng.random() < 0.5:
        # Long prices of every kind in one frame, by time or by symbol; long weights without what is zero.
        frames = [f.unpivot(index="date", variable_name="symbol", value_name=k) for k, f in ({"close": prices} | shown).items()]
        long = frames[0]
        for other in frames[1:]:
            long = long.join(other, on=["date", "symbol"], how="left")
        prices, shown = (long.sort("date", maintain_order=True) if rng.random() < 0.5 else long), {}
        weights = weights.unpivot(index="date", variable_name="symbol", value_name="weight").sort("date")
        keep = (pl.col("weight") != 0) | pl.col("weight").is_nan() | (pl.col("symbol") == "S0")
        weights = weights.filter(keep)
    kinds = {"schema": {"date": pl.Date, "symbol": pl.String, "kind": pl.String, "value": pl.Float64}, "orient": "row"}
    actions = pl.DataFrame([(dates[t], symbols[i], kind, v) for t, i, kind, v in case.actions], **kinds)
    return nb.backtest(
        weights,
        prices,
        **shown,
        cash=case.cash,
        fill=case.fill,
        lag=case.lag,
        sizing=case.sizing,
        overdraft=case.overdraft,
        lot=settings(case.lot, symbols),
        no_trade_band=case.band,
        band_to=case.band_to,
        min_order_value=case.min_order_value,
        max_turnover=case.max_turnover,
        max_participation=case.max_participation,
        on_null="hold",
        on_missing="renormalize" if case.renormalize else "error",
        stale_after=case.stale_after,
        periods_per_year=case.periods,
        actions=actions if case.actions else None,
        cost=nb.CostModel(
            commission_bps=case.commission_bps,
            commission_per_share=case.commission_per_share,
            commission_min=case.commission_min,
            slippage_bps=case.slippage_bps,
            half_spread_bps=case.half_spread_bps,
            impact_bps=case.impact_bps,
            borrow_bps=case.borrow_bps,
            cash_bps=case.cash_bps,
            financing_bps=case.financing_bps,
        ),
        stops=nb.Stops(
            fixed=settings(case.stop_fixed, symbols),
            trailing=settings(case.stop_trailing, symbols),
            atr=settings(case.stop_atr, symbols),
            atr_period=case.stop_atr_period,
            watch=case.stop_watch,
            cooldown=case.cooldown,
        ),
    )


def places(frame: object) -> tuple[np.ndarray, np.ndarray]:
    """The row and the symbol's place of each entry of a frame."""
    days_since = frame["ts"].dt.date().cast(pl.Int32).to_numpy() - (START - dt.date(1970, 1, 1)).days
    return days_since, frame["symbol"].str.slice(1).cast(pl.Int64).to_numpy()


def assert_identities(case: Case, result: nb.BacktestResult) -> None:
    """Equity is cash and what is held; cash is what fills, costs and payments leave; holdings are the sum of fills."""
    equity = result.equity.to_polars()
    equity = {k: equity[k].to_numpy() for k in ("equity", "cash", "net", "borrow", "interest", "dividends", "ret")}
    scale = max(case.cash, np.abs(equity["equity"]).max())
    assert np.allclose(equity["equity"], equity["cash"] + equity["net"], rtol=0, atol=1e-9 * scale)
    rows, n = case.close.shape
    fills, held = result.fills.to_polars(), result.holdings.to_polars()
    side, qty, price, fee = (fills[k].to_numpy() for k in ("side", "qty", "price", "commission"))
    paid, bought = np.zeros(rows), np.zeros((rows, n))
    t, i = places(fills)
    np.add.at(paid, t, side * qty * price + fee)
    np.add.at(bought, (t, i), side * qty)
    flows = equity["interest"] + equity["dividends"] - equity["borrow"] - paid
    assert np.allclose(equity["cash"], case.cash + np.cumsum(flows), rtol=0, atol=1e-9 * scale)
    splits = np.ones((rows, n))
    for row, symbol, kind, value in case.actions:
        if kind == "split":
            splits[row, symbol] *= value
    found, worth = np.zeros((rows, n)), np.zeros(rows)
    t, i = places(held)
    found[t, i] = held["qty"].to_numpy()
    np.add.at(worth, t, held["value"].to_numpy())
    assert np.allclose(worth, equity["net"], rtol=0, atol=1e-9 * scale)
    shares = np.zeros(n)
    summed = np.empty((rows, n))
    for row in range(rows):
        shares = summed[row] = shares * splits[row] + bought[row]
    assert np.allclose(found, summed, rtol=1e-9, atol=1e-9)
    if (equity["equity"] > 0).all():
        compounded = equity["equity"][0] * np.cumprod(1 + equity["ret"][1:])
        assert np.allclose(compounded, equity["equity"][1:], rtol=1e-9)
    assert math.isnan(equity["ret"][0])


@pytest.mark.parametrize("seed", range(25))
def test_a_hundred_random_cases_agree_with_the_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    traded = 0
    for number in range(100):
        case = draw(rng)
        twin = Twin(case).run()
        result = simulate(case, rng)
        where = f"seed {seed}, case {number}: {case}"
        scale = max(case.cash, np.abs(twin.equity).max())
        for name, expected in (("equity", twin.equity), ("cash", twin.cash_path), ("cost", twin.costs)):
            found = np.asarray(result.equity[name])
            assert np.allclose(found, expected, rtol=1e-9, atol=1e-9 * scale), f"{name}, {where}"
        # What is near the least that is an order may be one for only one of the two.
        fills = result.fills.to_polars().filter(pl.col("value") > 1e-3)
        expected = [f for f in twin.fills if abs(f[2]) * f[3] > 1e-3]
        assert len(fills) == len(expected), where
        traded += len(fills)
        signed = (fills["qty"] * fills["side"]).to_numpy()
        assert np.allclose(signed, [f[2] for f in expected], rtol=1e-8, atol=1e-9 * scale / 50), where
        assert np.allclose(fills["price"].to_numpy(), [f[3] for f in expected], rtol=1e-9), where
        stops = result.stop_events.to_polars().select("symbol", "reason", "level", "exit_price").rows()
        assert [(s, r) for s, r, _, _ in stops] == [(f"S{i}", kind) for _, i, kind, _, _ in twin.stops], where
        assert np.allclose([s[2:] for s in stops], [s[3:] for s in twin.stops], rtol=1e-9), where
        assert_identities(case, result)
    assert traded > 1_000


@pytest.mark.parametrize("seed", range(40))
def test_prices_after_a_row_change_nothing_before_it(seed: int) -> None:
    rng = np.random.default_rng(1_000 + seed)
    case = draw(rng)
    rows = case.close.shape[0]
    first = simulate(case, np.random.default_rng(seed))
    cut = int(rng.integers(1, rows))
    for name in ("close", "open", "high", "low", "vwap"):
        prices = getattr(case, name)
        if prices is not None:
            changed = prices.copy()
            changed[cut:] *= 1.7
            setattr(case, name, changed)
    second = simulate(case, np.random.default_rng(seed))
    for name in ("equity", "cash", "gross", "turnover"):
        before, after = np.asarray(first.equity[name])[:cut], np.asarray(second.equity[name])[:cut]
        assert np.array_equal(before, after)


@pytest.mark.parametrize("seed", range(40))
def test_the_order_of_symbols_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(2_000 + seed)
    case = draw(rng)
    rows, n = case.close.shape
    turned = np.random.default_rng(seed).permutation(n)
    other = Case(**{k: getattr(case, k) for k in case.__dataclass_fields__})
    for name in ("close", "open", "high", "low", "vwap", "volume"):
        if getattr(case, name) is not None:
            setattr(other, name, getattr(case, name)[:, turned])
    for name in ("lot", "stop_fixed", "stop_trailing", "stop_atr"):
        if isinstance(getattr(case, name), list):
            setattr(other, name, [getattr(case, name)[i] for i in turned])
    other.weights = {row: w[turned] for row, w in case.weights.items()}
    place = {int(old): new for new, old in enumerate(turned)}
    other.actions = [(t, place[i], kind, value) for t, i, kind, value in case.actions]
    one, two = simulate(case, np.random.default_rng(seed)), simulate(other, np.random.default_rng(seed))
    for name in ("equity", "cash", "cost"):
        a, b = np.asarray(one.equity[name]), np.asarray(two.equity[name])
        assert np.allclose(a, b, rtol=1e-12, atol=1e-12 * case.cash), name
