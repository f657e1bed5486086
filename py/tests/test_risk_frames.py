"""All risk checks over frames: the same rows as the naive sums, exact numbers, and nothing that is missing passes."""

from __future__ import annotations

from decimal import Decimal

import pytest

import nanobook as nb

pl = pytest.importorskip("polars")

ACCOUNT = {
    "account_id": "DU1",
    "currency": "USD",
    "equity": 100_000,
    "cash": 60_000,
    "buying_power": 60_000,
    "is_paper": True,
}
STATE = {
    "kill_switch": False,
    "halted": False,
    "reduce_only": False,
    "market_open": True,
    "account_id": "DU1",
    "paper": True,
    "unexplained": 0,
    "now": 1_000_000_000,
}


def given(**changes):
    frames = {
        "account": ACCOUNT,
        "positions": pl.DataFrame({"symbol": ["AAPL", "MSFT"], "position_qty": [100, 50]}),
        "working": pl.DataFrame(schema={"symbol": pl.String, "side": pl.String, "qty": pl.Float64}),
        "quotes": pl.DataFrame(
            {
                "ts_event": pl.Series([0, 0], dtype=pl.Datetime("us", "UTC")),
                "symbol": ["AAPL", "MSFT"],
                "bid_px": [199.99, 399.98],
                "ask_px": [200.01, 400.02],
                "data_type": ["live", "live"],
            }
        ),
        "instruments": pl.DataFrame(
            {
                "symbol": ["AAPL", "MSFT"],
                "currency": ["USD", "USD"],
                "tick": ["0.01", "0.01"],
                "lot": [1, 1],
                "status": ["trading", "trading"],
            }
        ),
    }
    return {**frames, **STATE, **changes}


ORDERS = pl.DataFrame({"symbol": ["AAPL", "MSFT"], "side": ["buy", "sell"], "qty": [50, 20], "price": [200.0, 400.0]})


def rows(report, code):
    table = report.checks.to_polars()
    return table.filter(pl.col("check_code") == code)


def engine(limits=""):
    return nb.RiskEngine.from_toml(limits)


def test_a_plan_that_keeps_its_limits_passes():
    report = engine("max_weight = 0.5\nmax_order_notional = 10000").check(ORDERS, **given(run_id="run-7"))
    assert report.passed and bool(report) and report.failed == 0 and len(report) == len(report.checks)
    assert report.checks.metadata["nanobook:table"] == "risk_checks"
    table = report.checks.to_polars()
    assert table.columns == [
        "ts", "run_id", "check_code", "level", "subject", "order_index", "limit", "observed", "unit", "outcome", "detail",
    ]  # fmt: skip
    assert set(table["outcome"]) == {"pass"} and set(table["run_id"]) == {"run-7"}
    assert table["limit"].dtype == pl.Decimal(38, 9)
    # By hand: 50 at 200 and 20 at 400; 150 AAPL at the middle of the quote are the largest position.
    assert rows(report, "MAX_ORDER_NOTIONAL")["observed"].to_list() == [Decimal(10_000), Decimal(8_000)]
    weights = dict(rows(report, "MAX_WEIGHT").select("subject", "observed").rows())
    assert weights == {"AAPL": Decimal("0.3"), "MSFT": Decimal("0.2")}


def test_limits_hold_just_inside_and_fail_just_outside():
    for limits, code, passes in [
        ("max_order_notional = 10000", "MAX_ORDER_NOTIONAL", True),
        ("max_order_notional = 9999.99", "MAX_ORDER_NOTIONAL", False),
        ("max_weight = 0.3", "MAX_WEIGHT", True),
        ("max_weight = 0.299999999", "MAX_WEIGHT", False),
        ("max_leverage = 0.5", "LEVERAGE", True),
        ("max_leverage = 0.499999999", "LEVERAGE", False),
        ('restricted = ["GME"]', "RESTRICTED_LIST", True),
        ('restricted = ["MSFT"]', "RESTRICTED_LIST", False),
    ]:
        report = engine(limits).check(ORDERS, **given())
        assert (set(rows(report, code)["outcome"]) == {"pass"}) == passes, (limits, report)
        assert report.passed == passes
    soft = engine('max_weight = { limit = 0.1, severity = "soft" }').check(ORDERS, **given())
    # MSFT is past it too, and is sold.
    assert soft.passed and soft.warned == 1 and "warn MAX_WEIGHT AAPL" in repr(soft)


@pytest.mark.parametrize("missing", ["account", "positions", "working", "quotes", "instruments", *list(STATE)[:-1]])
def test_what_is_not_given_fails(missing):
    everything = given()
    assert engine().check(ORDERS, **everything).passed
    del everything[missing]
    report = engine().check(ORDERS, **everything)
    assert not report.passed and report.failed > 0, missing


def test_working_orders_count_in_the_worst_case():
    working = pl.DataFrame({"symbol": ["AAPL"], "side": ["buy"], "qty": [150], "price": [199.0], "filled_qty": [50]})
    limits = engine("max_position_qty = 249")
    assert not limits.check(ORDERS, **given(working=working)).passed
    assert rows(limits.check(ORDERS, **given(working=working)), "MAX_POSITION_QTY")["observed"].max() == 250
    assert limits.check(ORDERS, **given()).passed


def test_other_inputs_reach_their_checks():
    frame = pl.DataFrame({"symbol": ["AAPL", "MSFT"], "qty": [1000.0, 1000.0]})
    report = engine("max_adv_participation = 0.05").check(ORDERS, **given(volumes=frame))
    assert rows(report, "ADV_PARTICIPATION")["observed"].to_list() == [Decimal("0.05"), Decimal("0.02")]
    weights = pl.DataFrame({"symbol": ["AAPL", "AAPL"], "weight": [0.5, 0.4]})
    limits = 'targets = "hard"\nmax_target_age_s = 60\nmax_weight_sum = 1'
    report = engine(limits).check(ORDERS, **given(targets=weights, targets_as_of=0))
    assert set(rows(report, "DUPLICATE_SYMBOL")["outcome"]) == {"fail"}
    with pytest.raises(nb.InputError, match="targets_as_of"):
        engine().check(ORDERS, **given(targets=weights))
    lost = engine("max_daily_loss = 0.02")
    assert not lost.check(ORDERS, **given()).passed
    assert lost.check(ORDERS, **given(start_equity=102_000)).passed
    assert not lost.check(ORDERS, **given(start_equity="102041")).passed
    plan = engine('plan_equality = "hard"')
    assert plan.check(ORDERS, **given(plan=ORDERS)).passed
    assert not plan.check(ORDERS, **given(plan=ORDERS[:1])).passed


def test_frames_of_other_kinds_and_types_give_the_same_rows():
    pytest.importorskip("pandas")
    wanted = engine().check(ORDERS, **given()).checks.to_polars()
    for orders in [
        ORDERS.lazy(),
        ORDERS.with_columns(qty=pl.col("qty").cast(pl.Float64), price=pl.col("price").cast(pl.Decimal(20, 4))),
        ORDERS.with_columns(side=pl.Series([1, -1]), qty=pl.col("qty").cast(pl.String)),
        ORDERS.with_columns(symbol=pl.col("symbol").cast(pl.Categorical), tif=pl.lit("day")),
        pytest.importorskip("pyarrow").table(ORDERS),
        ORDERS.to_pandas(),
    ]:
        assert engine().check(orders, **given()).checks.to_polars().equals(wanted)
    account = pl.DataFrame({name: [value] for name, value in ACCOUNT.items()})
    assert engine().check(ORDERS, **given(account=account)).checks.to_polars().equals(wanted)


def test_nothing_is_an_empty_list_or_a_frame_without_types():
    wanted = engine().check(ORDERS, **given()).checks.to_polars()
    for nothing in [[], pl.DataFrame({"symbol": [], "side": [], "qty": []})]:
        assert engine().check(ORDERS, **given(working=nothing)).checks.to_polars().equals(wanted)
    # A column of nothing but nulls has no type: these are market orders.
    orders = ORDERS.with_columns(price=pl.lit(None))
    report = engine().check(orders, **given())
    assert report.passed and not engine("max_order_notional = 10000").check(orders, **given()).passed
    with pytest.raises(nb.DtypeError):
        engine().check(ORDERS, **given(working=[1]))


def test_what_a_broker_gives_is_what_the_checks_take():
    quotes = given()["quotes"].with_columns(bid_qty=pl.lit(1000), ask_qty=pl.lit(1000))
    broker = nb.PaperBroker(100_000, quotes=quotes, start=1)
    session = broker.connect()
    assert broker.submit("AAPL", "buy", 100, price="200.01").confirmed
    state = {**STATE, "account_id": session.account_id, "paper": session.is_paper, "now": broker.clock()}
    report = engine().check(
        ORDERS[:1],
        account=broker.account(),
        positions=broker.positions(),
        working=broker.open_orders(),
        quotes=broker.quotes(["AAPL"]),
        instruments=broker.instruments(["AAPL"]),
        **state,
    )
    assert report.passed, report


def test_errors_say_where():
    for change, error, words in [
        ({"qty": [50, -20]}, None, None),
        ({"side": ["buy", "hold"]}, nb.InputError, "buy, sell"),
        ({"price": ["200", "many"]}, nb.InputError, "row 1"),
        ({"qty": [1.0, float("nan")]}, nb.InputError, "row 1"),
        ({"symbol": ["AAPL", "a name that is too long"]}, nb.InputError, "symbol"),
        ({"tif": ["day", "week"]}, nb.InputError, "day, gtc"),
        ({"qty": [[1], [2]]}, nb.DtypeError, "qty"),
    ]:
        orders = ORDERS.with_columns(**{name: pl.Series(values) for name, values in change.items()})
        if error is None:
            assert not engine().check(orders, **given()).passed
            continue
        with pytest.raises(error, match=words) as caught:
            engine().check(orders, **given())
        if error is nb.InputError:
            assert caught.value.row == 1 and caught.value.column == next(iter(change))
    with pytest.raises(nb.MissingError, match="qty"):
        engine().check(ORDERS.drop("qty"), **given())
    with pytest.raises(nb.InputError, match="2 rows"):
        engine().check(ORDERS, **given(account=pl.DataFrame({name: [value] * 2 for name, value in ACCOUNT.items()})))
    with pytest.raises(nb.InputError, match="ignored, sold_first"):
        engine().check(ORDERS, **given(proceeds="later"))


def test_a_limits_file(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text("max_order_notional = 1")
    assert not nb.RiskEngine.from_toml(path).check(ORDERS, **given()).passed


def test_classic_limits_hold_over_frames_too():
    risk = nb.RiskEngine(max_position_pct=0.25, max_leverage=1.5, max_trade_usd=9_000)
    report = risk.check(ORDERS, **given())
    assert not report.passed and set(rows(report, "MAX_WEIGHT").filter(pl.col("outcome") == "fail")["subject"]) == {"AAPL"}
