"""The classic names: the examples of the classic README word by word, and what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nanobook
import nanobook as nb

WEIGHTS = [
    [("AAPL", 0.5), ("MSFT", 0.5)],
    [("AAPL", 0.3), ("NVDA", 0.7)],
]
PRICES = [
    [("AAPL", 185_00), ("MSFT", 370_00)],
    [("AAPL", 190_00), ("MSFT", 380_00), ("NVDA", 600_00)],
]


@pytest.mark.parametrize("name", ["backtest_weights", "py_backtest_weights"])
def test_the_bridge(name, capsys):
    result = getattr(nanobook, name)(
        weight_schedule=[
            [("AAPL", 0.5), ("MSFT", 0.5)],
            [("AAPL", 0.3), ("NVDA", 0.7)],
        ],
        price_schedule=[
            [("AAPL", 185_00), ("MSFT", 370_00)],
            [("AAPL", 190_00), ("MSFT", 380_00), ("NVDA", 600_00)],
        ],
        initial_cash=1_000_000_00,  # $1M in cents
        cost_bps=15,                # 15 bps round-trip
        stop_cfg={"trailing_stop_pct": 0.05},
    )

    print(f"Sharpe: {result['metrics'].sharpe:.2f}")
    print(f"Max DD: {result['metrics'].max_drawdown:.1%}")
    print(result["holdings"][-1])    # per-period symbol weights
    print(result["stop_events"])     # stop trigger metadata

    assert capsys.readouterr().out.startswith("Sharpe: ")
    assert set(result) == {"returns", "equity_curve", "final_cash", "metrics", "holdings", "symbol_returns", "stop_events"}
    assert [symbol for symbol, _ in result["holdings"][-1]] == ["AAPL", "NVDA"]
    assert len(result["returns"]) == 2 and len(result["equity_curve"]) == 3
    # By hand: 2,702 and 1,351 shares; 15 basis points of 49,987,000 twice.
    assert result["equity_curve"][:2] == [100_000_000, round(100_000_000 - 2 * 49_987_000 * 0.0015)]
    assert math.isnan(result["symbol_returns"][0][0][1])
    assert dict(result["symbol_returns"][1])["AAPL"] == pytest.approx(190 / 185 - 1)


def test_the_classic_package_gave_the_same():
    """Values of nanobook 0.9.3 on the same input. It cuts the trade to whole shares where we cut the target, which is a
    share's commission (28.5 cents) in the second period, and fractions of a cent off each fee."""
    result = nb.py_backtest_weights(
        [[("AAPL", 0.5)], [("AAPL", 0.5)]], [[("AAPL", 185_00)], [("AAPL", 190_00)]], 1_000_000_00, 15,
        stop_cfg={"trailing_stop_pct": 0.05},
    )
    assert result["equity_curve"][:2] == [100_000_000, 99_925_020]
    assert result["equity_curve"][2] == pytest.approx(101_274_994, abs=30)
    assert result["returns"] == pytest.approx([-0.0007498, 0.013509869700301286], abs=4e-7)
    assert result["final_cash"] == pytest.approx(50_620_994, abs=19_000)
    assert dict(result["holdings"][0])["AAPL"] == pytest.approx(0.500245083763806, abs=1e-8)
    assert result["metrics"].max_drawdown == pytest.approx(0.0007498, abs=1e-7)


def test_a_stop_is_told_of():
    prices = [[("A", price)] for price in (100_00, 110_00, 95_00, 96_00)]
    result = nb.backtest_weights([[("A", 1.0)]] * 4, prices, 1_000_000_00, 0, stop_cfg={"trailing_stop_pct": 0.10})
    [event] = result["stop_events"]
    assert event["period_index"] == 2 and event["symbol"] == "A" and event["reason"] == "trailing"
    assert event["exit_price"] == 95_00 and event["trigger_price"] == 99_00
    assert result["holdings"][2] == [] and result["holdings"][3] != []


def test_an_average_range_is_the_one_of_the_periods():
    prices = [[("A", price)] for price in (100_00, 102_00, 101_00, 103_00, 96_00, 97_00)]
    result = nb.backtest_weights(
        [[("A", 1.0)]] * 6, prices, 1_000_000_00, 0, stop_cfg={"atr_multiple": 2.0, "atr_period": 3}
    )
    [event] = result["stop_events"]
    # Changes of 1, 2 and 7 before the close at 96: twice their mean is 6.67 below the best close, 103.
    assert event["period_index"] == 4 and event["reason"] == "atr"
    assert event["trigger_price"] == pytest.approx(103_00 - 2 * (1_00 + 2_00 + 7_00) / 3, abs=1)


def test_what_was_a_silent_empty_result_is_an_error():
    for change, message in [
        ({"price_schedule": PRICES[:1]}, "2 periods of weights and 1 of prices"),
        ({"initial_cash": 0}, "not above zero"),
        ({"weight_schedule": [[("AAPL", math.nan)], []]}, "AAPL|weight"),
        ({"stop_cfg": {"trailing": 0.1}}, "it takes fixed_stop_pct"),
        ({"weight_schedule": [], "price_schedule": []}, "no period"),
        ({"weight_schedule": [[("AAPL", 0.1), ("AAPL", 0.2)], []]}, "twice"),
    ]:
        good = {"weight_schedule": WEIGHTS, "price_schedule": PRICES, "initial_cash": 100, "cost_bps": 0}
        with pytest.raises(nb.InputError, match=message):
            nb.backtest_weights(**{**good, **change})


def test_portfolio_and_metrics(capsys):
    portfolio = nanobook.Portfolio(1_000_000_00, nanobook.CostModel(commission_bps=5))
    portfolio.rebalance_simple([("AAPL", 0.6)], [("AAPL", 150_00)])
    portfolio.record_return([("AAPL", 155_00)])
    metrics = portfolio.compute_metrics(252.0, 0.0)
    print(f"Sharpe: {metrics.sharpe:.2f}")
    assert capsys.readouterr().out == "Sharpe: 0.00\n"
    # Values of nanobook 0.9.3: 4,000 shares, cash 399,700.00, a return of 1.97 %.
    assert portfolio.position("AAPL").quantity == 4000
    assert portfolio.cash == pytest.approx(39_970_000)
    assert portfolio.returns() == [pytest.approx(0.0197)]
    assert metrics.total_return == pytest.approx(0.0197)
    portfolio.rebalance_simple([], [("AAPL", 155_00)])
    assert portfolio.position("AAPL") is None
    with pytest.raises(nb.InputError, match="MSFT has no price") as caught:
        portfolio.rebalance_simple([("MSFT", 0.1)], [("AAPL", 1)])
    assert caught.value.symbol == "MSFT"


def test_strategy_callback():
    result = nanobook.run_backtest(
        strategy=lambda bar, prices, portfolio: [("AAPL", 0.5), ("GOOG", 0.5)],
        price_series=[{"AAPL": 150_00, "GOOG": 280_00}] * 252,
        initial_cash=1_000_000_00,
        cost_model=nanobook.CostModel.zero(),
    )
    assert len(result.portfolio.returns()) == 252
    assert result.metrics.total_return == 0.0

    def broken(bar, prices, portfolio):
        return 1 / (bar - 3)

    with pytest.raises(ZeroDivisionError):
        nanobook.run_backtest(lambda *args: [("AAPL", broken(*args) * 0)], [{"AAPL": 1}] * 5, 100)


def test_exchange():
    ex = nanobook.Exchange()
    result = ex.submit_limit("buy", 10050, 100, "gtc")
    result = ex.submit_market("sell", 50)
    ex.cancel(result.order_id)
    bid, ask = ex.best_bid_ask()
    snap = ex.depth(10)
    assert (bid, ask) == (10050, None) and len(snap) == 1
    ex.submit_stop_market("sell", 9500, 100)
    ex.submit_stop_limit("buy", 10500, 10600, 100, "gtc")
    ex.submit_trailing_stop_market("sell", 9500, 100, "percentage", 0.05)
    assert ex.pending_stop_count() == 3
    assert nanobook.Exchange().submit_limit("buy", 50_00, 100, "gtc").status == "new"


def test_itch_parser(shared):
    events = nanobook.parse_itch(shared / "itch" / "synthetic_3symbols.NASDAQ_ITCH50")
    assert len(events) == 4_328 + 1_182 + 823 + 1_667


def has_nanobook_feature(name: str) -> bool:
    caps = set(nanobook.py_capabilities()) if hasattr(nanobook, "py_capabilities") else set()
    if name in caps:
        return True

    symbol_map = {
        "backtest_stops": "py_backtest_weights",
        "garch_ewma_forecast": "py_garch_ewma_forecast",
        "optimize_min_variance": "py_optimize_min_variance",
        "optimize_max_sharpe": "py_optimize_max_sharpe",
        "optimize_risk_parity": "py_optimize_risk_parity",
        "inverse_cvar_weights": "py_inverse_cvar_weights",
        "inverse_cdar_weights": "py_inverse_cdar_weights",
        "backtest_holdings": "py_backtest_weights",
    }
    sym = symbol_map.get(name)
    return bool(sym and hasattr(nanobook, sym))


def test_capabilities():
    assert nb.capabilities() == nb.py_capabilities()
    assert {"backtest_stops", "backtest_holdings"} <= set(nb.capabilities())
    assert has_nanobook_feature("backtest_stops") and not has_nanobook_feature("teleport")


def test_what_a_build_lacks_says_so():
    assert nb.py_compute_metrics is nb.compute_metrics
    assert not hasattr(nb, "BinanceBroker") and not hasattr(nb, "py_teleport")
    with pytest.raises(nb.UnsupportedError, match="capabilities") as caught:
        nb.BinanceBroker
    assert isinstance(caught.value, NotImplementedError)
    for name in ["optimize_min_variance", "garch_forecast"]:
        assert (name in nb.capabilities()) == hasattr(nb, name) == hasattr(nb, "py_" + name)


def test_metrics_are_the_classic_ones():
    """Values of nanobook 0.9.3 on ten returns."""
    r = [0.01, -0.02, 0.03, 0.005, -0.01, 0.02, -0.005, 0.015, 0.0, -0.03]
    found = nb.compute_metrics(r, 252.0, 0.0)
    x = np.array(r)
    assert found.sharpe == pytest.approx(x.mean() / x.std(ddof=1) * 252**0.5)
    assert found.sortino == pytest.approx(x.mean() / np.sqrt((np.minimum(x, 0) ** 2).mean()) * 252**0.5)
    assert (found.num_periods, found.winning_periods, found.losing_periods) == (10, 5, 4)
    assert found.cvar_95 == -0.03 and found.win_rate == 0.5
    assert nb.compute_metrics([]) is None
    with pytest.raises(nb.InputError) as caught:
        nb.compute_metrics([0.1, math.nan])
    assert caught.value.row == 1
