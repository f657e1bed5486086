"""The classic risk calls."""

from __future__ import annotations

import pytest

import nanobook
import nanobook as nb


def by_name(checks):
    return {check["name"]: check["status"] for check in checks}


def test_the_classic_readme():
    risk = nanobook.RiskEngine(max_position_pct=0.25, max_leverage=1.5)
    checks = risk.check_order("AAPL", "buy", 100, 185_00,
                              equity_cents=1_000_000_00,
                              positions=[("AAPL", 200)])
    assert checks and all(check["status"] == "PASS" for check in checks)
    assert {"name", "status", "detail"} == set(checks[0])
    checks = risk.check_batch(
        orders=[("AAPL", "buy", 100, 185_00), ("MSFT", "sell", 50, 370_00)],
        equity_cents=1_000_000_00,
        positions=[("AAPL", 200), ("MSFT", 100)],
        target_weights=[("AAPL", 0.6), ("MSFT", 0.2)],
    )
    assert all(check["status"] == "PASS" for check in checks)


def test_limits_are_those_of_the_account_after_the_order():
    risk = nb.RiskEngine(max_position_pct=0.25, max_leverage=1.5, max_order_value_cents=0, max_trade_usd=0)
    equity = 1_000_000_00
    # 1,351 shares at 185 are 24.99 % of equity, one more is past a quarter.
    assert by_name(risk.check_order("AAPL", "buy", 1351, 185_00, equity))["MAX_WEIGHT"] == "PASS"
    assert by_name(risk.check_order("AAPL", "buy", 1352, 185_00, equity))["MAX_WEIGHT"] == "FAIL"
    assert by_name(risk.check_order("AAPL", "buy", 152, 185_00, equity, [("AAPL", 1200)]))["MAX_WEIGHT"] == "FAIL"


def test_leverage_counts_positions_that_are_not_traded():
    risk = nb.RiskEngine(max_position_pct=20.0, max_leverage=1.5)
    held = [("MSFT", 10_000)]
    prices = {"MSFT": 370_00}
    assert by_name(risk.check_order("AAPL", "buy", 1, 185_00, 1_000_000_00, held, prices))["LEVERAGE"] == "FAIL"
    # Without its price nothing is known of the account.
    assert by_name(risk.check_order("AAPL", "buy", 1, 185_00, 1_000_000_00, held))["LEVERAGE"] == "FAIL"


def test_shorts_values_and_warnings():
    equity = 1_000_000_00
    refuse = nb.RiskEngine(allow_short=False)
    assert by_name(refuse.check_order("AAPL", "sell", 1, 185_00, equity))["SHORT_NOT_ALLOWED"] == "FAIL"
    value = nb.RiskEngine(max_order_value_cents=18_499_00)
    assert by_name(value.check_order("AAPL", "buy", 100, 185_00, equity))["MAX_ORDER_NOTIONAL"] == "FAIL"
    warn = nb.RiskEngine(max_trade_usd=10_000.0).check_order("AAPL", "buy", 100, 185_00, equity)
    assert "WARN" in {check["status"] for check in warn} and "FAIL" not in {check["status"] for check in warn}
    assert "FAIL" in {check["status"] for check in nb.RiskEngine().check_order("AAPL", "buy", 1, 185_00, 0)}


def test_limits_that_make_no_sense_are_errors():
    for wrong in [{"max_position_pct": 0.0}, {"max_leverage": float("nan")}, {"max_short_pct": -1.0}]:
        with pytest.raises(nb.InputError, match=next(iter(wrong))):
            nb.RiskEngine(**wrong)
    with pytest.raises(nb.InputError, match="buy, sell"):
        nb.RiskEngine().check_order("AAPL", "hold", 1, 1, 100)  # type: ignore[arg-type]
    with pytest.raises(nb.InputError, match="too many"):
        nb.RiskEngine().check_order("AAPL", "buy", 1, 2**62, 100)
