"""The classic names: the examples of the classic README word by word, and what they promise."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import nanobook
import nanobook as nb

ROOT = Path(__file__).resolve().parent
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "classic_readme.md").read_text(encoding="utf-8"), re.S)


def block(text):
    """The only block of the classic README with this text."""
    [found] = [block for block in BLOCKS if text in block]
    return found


def run_block(text, **names):
    """Runs a block as it stands, and gives what it has named."""
    names = {"nanobook": nanobook, **names}
    exec(compile(block(text), "classic_readme.md", "exec"), names)
    return names


WEIGHTS = [
    [("AAPL", 0.5), ("MSFT", 0.5)],
    [("AAPL", 0.3), ("NVDA", 0.7)],
]
PRICES = [
    [("AAPL", 185_00), ("MSFT", 370_00)],
    [("AAPL", 190_00), ("MSFT", 380_00), ("NVDA", 600_00)],
]


def test_the_bridge(capsys):
    result = run_block("# stop trigger metadata")["result"]
    assert capsys.readouterr().out.startswith("Sharpe: ")
    assert set(result) == {"returns", "equity_curve", "final_cash", "metrics", "holdings", "symbol_returns", "stop_events"}
    assert [symbol for symbol, _ in result["holdings"][-1]] == ["AAPL", "NVDA"]
    assert len(result["returns"]) == 2 and len(result["equity_curve"]) == 3
    # By hand: 2,702 and 1,351 shares; 15 basis points of 49,987,000 twice.
    assert result["equity_curve"][:2] == [100_000_000, round(100_000_000 - 2 * 49_987_000 * 0.0015)]
    assert math.isnan(result["symbol_returns"][0][0][1])
    assert dict(result["symbol_returns"][1])["AAPL"] == pytest.approx(190 / 185 - 1)
    assert [symbol for symbol, _ in result["symbol_returns"][0]] == ["AAPL", "MSFT"]
    # Values of nanobook 0.9.3 on the same input; see below for why the last digits differ.
    assert result["returns"] == pytest.approx([-0.0014996, 0.024902503794690518], abs=4e-7)
    assert result["equity_curve"] == pytest.approx([100_000_000, 99_850_040, 102_336_556], abs=100)
    assert dict(result["holdings"][1]) == pytest.approx({"AAPL": 0.30077228707989745, "NVDA": 0.7012157024318856}, abs=1e-3)


def test_the_other_call_of_the_bridge():
    """It has ``...`` for more periods, which no program can run: they are left out, and the rest stands as it is."""
    text = block("nanobook.py_backtest_weights(\n").replace(", ...]", "]")
    names = {"nanobook": nanobook}
    exec(text, names)
    assert set(names["result"]) >= {"returns", "equity_curve", "metrics", "holdings", "symbol_returns", "stop_events"}
    assert len(names["result"]["returns"]) == 1


def test_the_optimizer_example(capsys):
    np.random.seed(3)  # The example draws from the global generator.
    names = run_block("risk_free_rate=0.0")
    best = nb.optimize.max_sharpe(names["returns"])
    assert names["weights"] == pytest.approx(best.weights.to_list())
    assert capsys.readouterr().out.startswith("{'A': ")


@pytest.mark.parametrize(
    "name", ["min_variance", "max_sharpe", "risk_parity", "cvar", "cdar", "hrp", "inverse_cvar", "inverse_cdar"]
)
def test_optimizers_name_their_weights(name):
    """The stub of 0.9.3: lists of rows and symbols in, a dictionary out."""
    returns = (np.random.default_rng(1).standard_normal((60, 3)) * 0.01 + 0.002).tolist()
    call = f"{name}_weights" if name.startswith("inverse") else f"optimize_{name}"
    assert getattr(nb, f"py_{call}") is getattr(nb, call)
    found = getattr(nb, call)(returns, ["A", "B", "C"])
    assert list(found) == ["A", "B", "C"] and sum(found.values()) == pytest.approx(1.0)
    assert list(found.values()) == getattr(nb, call)(np.array(returns))
    assert call in nb.capabilities()
    with pytest.raises(nb.InputError, match="2 different symbols and 3 columns"):
        getattr(nb, call)(returns, ["A", "B"])


def test_no_portfolio_beats_the_risk_free_rate():
    returns = np.random.default_rng(1).standard_normal((60, 3)) * 0.01
    with pytest.warns(RuntimeWarning, match="least variance"):
        found = nb.optimize_max_sharpe(returns, risk_free_rate=1.0)
    assert found == nb.optimize_min_variance(returns)
    with pytest.raises(nb.InputError, match="risk-free"):
        nb.optimize.max_sharpe(returns, risk_free=1.0)
    with pytest.raises(nb.InputError):
        nb.optimize_max_sharpe(np.full((3, 2), np.nan))


def test_garch_takes_the_classic_arguments():
    returns = np.random.default_rng(2).standard_normal(300) * 0.01
    assert nb.py_garch_ewma_forecast(returns.tolist(), 1, 1, "zero") == nb.garch_ewma_forecast(returns)
    assert nb.py_garch_forecast(returns.tolist(), p=1, q=1, mean="zero") == nb.garch_forecast(returns)
    with pytest.raises(nb.InputError, match="p=1 and q=1"):
        nb.garch_ewma_forecast(returns, p=2)


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
    names = run_block("commission_bps=5")
    portfolio, metrics = names["portfolio"], names["metrics"]
    assert capsys.readouterr().out == "Sharpe: 0.00\n"
    # Values of nanobook 0.9.3: 4,000 shares, cash 399,700.00, a return of 1.97 %.
    assert portfolio.position("AAPL").quantity == 4000
    assert portfolio.cash == pytest.approx(39_970_000)
    assert portfolio.returns() == [pytest.approx(0.0197)]
    assert metrics.total_return == pytest.approx(0.0197)
    portfolio.rebalance_simple([], [("AAPL", 155_00)])
    assert portfolio.position("AAPL") is None
    assert run_block("commission_bps=10")["metrics"].total_return == pytest.approx(0.0194)
    with pytest.raises(nb.InputError, match="MSFT has no price") as caught:
        portfolio.rebalance_simple([("MSFT", 0.1)], [("AAPL", 1)])
    assert caught.value.symbol == "MSFT"


def test_strategy_callback():
    result = run_block("nanobook.run_backtest(")["result"]
    assert len(result.portfolio.returns()) == 252
    assert result.metrics.total_return == 0.0

    def broken(bar, prices, portfolio):
        return 1 / (bar - 3)

    with pytest.raises(ZeroDivisionError):
        nanobook.run_backtest(lambda *args: [("AAPL", broken(*args) * 0)], [{"AAPL": 1}] * 5, 100)


def test_exchange():
    names = run_block("ex = nanobook.Exchange()")
    ex = names["ex"]
    assert (names["bid"], names["ask"]) == (10050, None) and len(names["snap"]) == 1
    run_block("ex.submit_stop_market", ex=ex)
    assert ex.pending_stop_count() == 3
    assert nanobook.Exchange().submit_limit("buy", 50_00, 100, "gtc").status == "new"


def test_itch_parser(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    nb.synth_itch("data/sample.itch", messages=5_000, symbols=20)
    events = run_block("nanobook.parse_itch")["events"]
    assert len(events) == len(nb.read_itch("data/sample.itch", "mbo", date="1970-01-01")) > 4_000


def test_risk():
    names = run_block("# Batch (full rebalance)")
    assert {check["name"] for check in names["checks"]}
    # Half of the account in cents, at a quarter.
    assert any(check["status"] == "FAIL" for check in names["risk"].check_order("AAPL", "buy", 3_000, 185_00, 1_000_000_00))


def test_capabilities():
    assert nb.capabilities() == nb.py_capabilities()
    asked = "backtest_stops, garch_forecast, optimize_min_variance, optimize_max_sharpe, optimize_risk_parity, optimize_cvar, optimize_cdar, backtest_holdings"
    of_0_9_3 = "backtest_stops, garch_ewma_forecast, optimize_min_variance, optimize_max_sharpe, optimize_risk_parity, inverse_cvar_weights, inverse_cdar_weights, backtest_holdings"
    assert {*asked.split(", "), *of_0_9_3.split(", ")} <= set(nb.capabilities())
    has = run_block("def has_nanobook_feature")["has_nanobook_feature"]
    assert has("backtest_stops") and has("inverse_cvar_weights") and not has("teleport")


def test_what_a_build_lacks_says_so():
    assert nb.py_compute_metrics is nb.compute_metrics
    assert nb.py_garch_forecast is nb.garch_forecast and not hasattr(nb, "py_teleport")
    from nanobook.classic import classic_name

    # As a build would say that was made without it.
    with pytest.raises(nb.UnsupportedError, match="capabilities") as caught:
        classic_name("BinanceBroker", {})
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


def test_indicators_and_statistics_under_their_classic_names():
    """Values of nanobook 0.9.3 on the same input."""
    close = [100 * (1 + 0.01 * math.sin(at * at)) for at in range(60)]
    high, low = [1.01 * value for value in close], [0.99 * value for value in close]
    assert nb.py_rsi(close)[13:16] == pytest.approx([math.nan, 53.46525538944953, 46.55131412727129], nan_ok=True)
    assert [line[34] for line in nb.py_macd(close)] == pytest.approx([0.07321078584642748, 0.024109139663253308, 0.049101646183174176])
    # TA-Lib's: all three begin with the signal. The classic package's line begins with the slow average.
    assert [math.isnan(line[at]) for line in nb.py_macd(close) for at in (32, 33)] == [True, False] * 3
    assert [line[19] for line in nb.py_bbands(close)] == pytest.approx([101.17428374782158, 99.83397970129059, 98.4936756547596])
    assert nb.py_atr(high, low, close)[13:16] == pytest.approx([math.nan, 2.2634792105042556, 2.30611098009641], nan_ok=True)
    x, y = [float(at) for at in range(1, 11)], [2.0, 1, 4, 3, 6, 5, 8, 7, 10, 9]
    assert nb.py_spearman(x, y) == pytest.approx((0.9393939393939394, 5.48405299851365e-05))
    assert nb.py_spearman([1.0], [2.0]) == pytest.approx((math.nan, math.nan), nan_ok=True)
    assert nb.py_quintile_spread(x, y) == 8.0 and nb.py_quintile_spread(x, y, 3) == pytest.approx(6.333333333333332)
    assert nb.py_time_series_split(10, 3) == [([0, 1, 2, 3], [4, 5]), ([0, 1, 2, 3, 4, 5], [6, 7]), ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9])]
    assert isinstance(nb.py_rsi(close), list)
    with pytest.raises(nb.InputError, match="3 scores and 2 returns"):
        nb.py_quintile_spread([1.0, 2.0, 3.0], [1.0, 2.0])


def test_equal_weights_are_swept():
    """Values of nanobook 0.9.3 on the same input."""
    prices = [[("A", 100_00), ("B", 50_00)], [("A", 110_00), ("B", 50_00)], [("A", 105_00), ("B", 55_00)]]
    first, second = nb.sweep_equal_weight(2, prices, 1_000_000_00)
    assert first == second
    assert first.total_return == pytest.approx(0.078635, abs=1e-5) and first.num_periods == 3


PORTFOLIO = """{"cash": 19980010, "positions": [["AAPL", {"symbol": "AAPL", "quantity": 4000, "avg_entry_price": 15000,
"realized_pnl": 0, "total_cost": 60000000}], ["MSFT", {"symbol": "MSFT", "quantity": 666, "avg_entry_price": 30000,
"realized_pnl": 0, "total_cost": 19980000}]], "cost_model": {"commission_bps": 5, "slippage_bps": 0, "min_trade_fee": 0},
"returns": [0.0196001], "equity_curve": [100000000, 101960010], "prev_equity": 101960010}"""
"""What nanobook 0.9.3 writes."""


def test_a_portfolio_lives_in_a_file(tmp_path):
    (tmp_path / "old.json").write_text(PORTFOLIO)
    prices = [("AAPL", 155_00), ("MSFT", 300_00)]
    found = nb.Portfolio.load_json(tmp_path / "old.json")
    assert found.snapshot(prices) == {
        "cash": 19_980_010, "equity": 101_960_010, "num_positions": 2, "total_realized_pnl": 0,
        "weights": pytest.approx({"AAPL": 0.6080815409884719, "MSFT": 0.19595918046693012}),
    }  # fmt: skip
    made = nb.Portfolio(1_000_000_00, nb.CostModel(commission_bps=5))
    made.rebalance_simple([("AAPL", 0.6), ("MSFT", 0.2)], [("AAPL", 150_00), ("MSFT", 300_00)])
    made.record_return(prices)
    assert made.snapshot(prices) == found.snapshot(prices) and made.returns() == pytest.approx(found.returns())
    made.rebalance_simple([("AAPL", 0.1)], prices)
    made.save_json(tmp_path / "new.json")
    again = nb.Portfolio.load_json(tmp_path / "new.json")
    for portfolio in (made, again):
        portfolio.rebalance_simple([("MSFT", -0.5)], prices)
        portfolio.record_return(prices)
    ours, theirs = made.snapshot(prices), again.snapshot(prices)
    assert theirs.pop("weights") == pytest.approx(ours.pop("weights")) and theirs == pytest.approx(ours)
    assert again.equity_curve() == pytest.approx(made.equity_curve()) and again.position("AAPL") is None
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(nb.InputError, match="bad.json is not a saved portfolio"):
        nb.Portfolio.load_json(tmp_path / "bad.json")


def test_classes_that_have_no_name_here_say_where_they_come_from():
    with pytest.raises(nb.UnsupportedError, match="Exchange.depth gives a frame"):
        nb.BookSnapshot
    assert not hasattr(nb, "SubmitResult")
