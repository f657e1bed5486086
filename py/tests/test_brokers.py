"""Brokers: a paper account, and Interactive Brokers and Binance against servers on loopback.

The servers are the program ``fake_venue`` of the Rust crate; its path is taken from ``FAKE_VENUE``. Without it those
tests are skipped, and say so; those of the paper account run everywhere.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from decimal import Decimal
from urllib.request import Request, urlopen

import pytest

import nanobook
import nanobook as nb

HOUR = 3_600_000_000_000


class Venue:
    """A server in a process of its own."""

    def __init__(self, kind: str) -> None:
        program = os.environ.get("FAKE_VENUE")
        if not program:
            pytest.skip("FAKE_VENUE does not name the program of the venues on loopback")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([program, kind], stdin=pipe, stdout=pipe, text=True)
        self.address = self.process.stdout.readline().strip()

    def tell(self, command: str) -> None:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "done"

    def ask(self, path: str) -> None:
        urlopen(Request(self.address + path, method="POST"), timeout=5).read()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=10)


@pytest.fixture
def gateway():
    venue = Venue("ibkr")
    yield venue
    venue.close()


@pytest.fixture
def server():
    venue = Venue("binance")
    yield venue
    venue.close()


def ibkr(gateway, **settings):
    host, port = gateway.address.rsplit(":", 1)
    broker = nb.IbkrBroker(host, int(port), timeout_ms=2_000, **settings)
    broker.connect()
    return broker


def binance(server, **settings):
    broker = nb.BinanceBroker("test-key", "test-secret", base_url=server.address, timeout_ms=2_000, **settings)
    broker.connect()
    return broker


def quotes(rows):
    names = ["ts_event", "symbol", "bid_px", "bid_qty", "ask_px", "ask_qty"]
    columns = {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    return nb.Frame.from_dict(columns, times=["ts_event"])


def paper(**settings):
    shown = quotes([(1, "AAPL", 199.99, 300, 200.0, 60), (HOUR, "AAPL", 200.99, 300, 201.0, 300)])
    broker = nb.PaperBroker(100_000, quotes=shown, start=1, **settings)
    broker.connect()
    return broker


def row(frame, at=-1):
    return {name: values[at] for name, values in frame.to_dict().items()}


# The paper account.


def test_a_paper_order_fills_in_parts_and_rests():
    broker = paper(cost=nb.CostModel(commission_per_share=0.01))
    outcome = broker.submit("AAPL", "buy", 100, price="200.00", client_order_id="run-1")
    assert (outcome.state, outcome.text, outcome.client_order_id) == ("confirmed", "partially_filled", "run-1")
    order = row(outcome.confirmed_order())
    assert (order["filled_qty"], order["leaves_qty"], order["side"]) == (60, 40, 1)
    assert isinstance(order["avg_px"], Decimal) and order["avg_px"] == 200
    assert row(broker.open_orders())["client_order_id"] == "run-1"
    assert row(broker.positions())["position_qty"] == 60
    assert row(broker.account())["cash"] == Decimal("100000") - 60 * 200 - Decimal("0.60")
    [fee] = broker.fills_since("AAPL")["fee"].to_list()
    assert fee == Decimal("0.60")
    gone = broker.cancel("run-1", "AAPL")
    assert gone.confirmed and row(gone.order)["status"] == "cancelled"
    assert len(broker.open_orders()) == 0
    again = broker.submit("AAPL", "buy", 1, price=200, client_order_id="run-1")
    assert (again.state, again.order) == ("rejected", None) and again.code is not None
    with pytest.raises(nb.OrderError, match="run-1: rejected") as caught:
        again.confirmed_order()
    assert (caught.value.state, caught.value.client_order_id, caught.value.symbol) == ("rejected", "run-1", "AAPL")


def test_the_clock_of_a_paper_account_is_stepped():
    broker = paper()
    broker.submit("AAPL", "buy", 100, price=150, client_order_id="low", tif="gtc")
    assert broker.clock() == 1
    broker.advance(2 * HOUR)
    assert broker.clock() == 2 * HOUR
    quote = row(broker.quotes("AAPL"))
    assert (quote["bid_px"], quote["ask_px"]) == (Decimal("200.99"), 201)
    assert row(broker.order("low", "AAPL"))["status"] == "accepted"
    assert len(broker.order("other", "AAPL")) == 0
    with pytest.raises(nb.InputError, match="forward"):
        broker.advance(1)


def test_hours_lots_and_ticks_of_a_paper_account():
    broker = paper(sessions=[(HOUR, 2 * HOUR)], lot=10, tick="0.05")
    assert broker.capabilities().hours and not nb.PaperBroker().capabilities().hours
    assert row(broker.instruments("AAPL"))["status"] == "closed"
    assert broker.submit("AAPL", "buy", 10, price=200).state == "rejected"
    broker.advance(HOUR)
    for qty, price, word in [(5, 200, "lot"), (10, "200.01", "tick")]:
        outcome = broker.submit("AAPL", "buy", qty, price=price)
        assert outcome.state == "denied" and word in outcome.text, outcome
    assert broker.submit("AAPL", "buy", 10, price="201.05").confirmed


def test_a_paper_account_lives_in_a_file(tmp_path):
    path = tmp_path / "account.json"
    broker = paper(path=path)
    broker.submit("AAPL", "buy", 50, price=200, client_order_id="kept")
    with pytest.raises(nb.SourceError):
        paper(path=path)
    del broker
    again = paper(path=path)
    assert row(again.positions())["position_qty"] == 50
    assert row(again.order("kept", "AAPL"))["status"] == "filled"
    del again
    with pytest.raises(nb.VenueError, match="OTHER"):
        paper(path=path, account_id="OTHER")


def test_numbers_are_exact():
    broker = paper(lot="0.001")
    for qty in ["0.1", 0.1, Decimal("0.1")]:
        assert row(broker.submit("AAPL", "buy", qty, price=200).confirmed_order())["qty"] == Decimal("0.1")
    for wrong, words in [(float("nan"), "qty"), ("1e-10", "qty"), ("many", "qty"), (True, "no number"), (0.1 + 0.2, "qty")]:
        with pytest.raises(nb.InputError, match=words):
            broker.submit("AAPL", "buy", wrong)
    for arguments, words in [
        (("AAPL", "hold", 1), "buy, sell"),
        (("a symbol that is too long", "buy", 1), "symbol"),
    ]:
        with pytest.raises(nb.InputError, match=words) as caught:
            broker.submit(*arguments)
        assert caught.value.symbol == arguments[0]
    with pytest.raises(nb.InputError, match="day, gtc, ioc, fok"):
        broker.submit("AAPL", "buy", 1, tif="week")
    with pytest.raises(nb.InputError, match="client_order_id"):
        broker.submit("AAPL", "buy", 1, client_order_id="no spaces please")


def test_a_broker_that_is_not_connected_says_so():
    broker = nb.PaperBroker()
    for question in [broker.account, broker.positions, broker.open_orders, broker.clock]:
        with pytest.raises(nb.ConnectionLostError) as caught:
            question()
        assert isinstance(caught.value, ConnectionError) and isinstance(caught.value, nb.NanobookError)
    broker.connect()
    assert len(broker.positions()) == 0
    with pytest.raises(nb.UnsupportedError, match="margin"):
        broker.margin("AAPL", "buy", 1)


def test_brokers_are_capabilities():
    assert {"paper_broker", "ibkr_broker", "binance_broker", "risk_checks"} <= set(nb.capabilities())
    assert nb.PaperBroker().capabilities().venue == "paper"
    ours = nb.IbkrBroker().capabilities()
    assert (ours.venue, ours.margin, ours.hours, ours.short) == ("ibkr", True, True, False)
    assert nb.IbkrBroker(fractional=True, short=True).capabilities().fractional


def test_settings_that_can_not_be():
    for make, words in [
        (lambda: nb.IbkrBroker("203.0.113.7"), "tunnel"),
        (lambda: nb.IbkrBroker(hours="always"), "regular, extended, any"),
        (lambda: nb.IbkrBroker(messages_per_second=51), "1 to 50"),
        (lambda: nb.BinanceBroker("k", "s", base_url="http://example.com"), "https"),
        (lambda: nb.BinanceBroker("k", "s", base_url="https://api.binance.com"), "live"),
        (lambda: nb.BinanceBroker("k", "s", base_url="http://127.0.0.1:1", testnet=False), "testnet"),
        (lambda: nb.PaperBroker("much"), "cash"),
    ]:
        with pytest.raises(nb.InputError, match=words):
            make()


def test_keys_come_from_the_environment_or_a_file_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.delenv("BINANCE_API_KEY", raising=False)
    with pytest.raises(nb.InputError, match="BINANCE_API_KEY"):
        nb.BinanceBroker()
    monkeypatch.setenv("BINANCE_API_KEY", "k")
    monkeypatch.setenv("BINANCE_API_SECRET", "hush")
    assert "hush" not in repr(nb.BinanceBroker())
    file = tmp_path / "secret"
    file.write_text("hush")
    file.chmod(0o644)
    with pytest.raises(nb.SourceError, match="chmod") as caught:
        nb.BinanceBroker(secret_file=file)
    assert "hush" not in str(caught.value)
    file.chmod(0o600)
    nb.BinanceBroker(secret_file=file)


# Interactive Brokers.


def test_the_classic_readme_through_interactive_brokers(gateway, monkeypatch):
    host, port = gateway.address.rsplit(":", 1)
    ours = nanobook.IbkrBroker
    # The gateway of the example is on a port of its own here.
    monkeypatch.setattr(nanobook, "IbkrBroker", lambda *_, **given: ours(host, int(port), **given))
    broker = nanobook.IbkrBroker("127.0.0.1", 4002, client_id=1)
    broker.connect()
    oid = broker.submit_order("AAPL", "buy", 100, order_type="limit",
                              limit_price_cents=185_00)
    status = broker.order_status(oid)
    assert (status["status"], status["filled_quantity"], status["remaining_quantity"]) == ("accepted", 0, 100)
    gateway.tell(f"fill {oid} 40 185")
    assert broker.order_status(oid)["filled_quantity"] == 40
    assert broker.order_status(oid)["avg_fill_price_cents"] == 185_00
    broker.cancel_order(oid)
    assert broker.order_status(oid)["status"] == "cancelled"
    assert broker.quote("AAPL") == {"bid_cents": 199_00, "ask_cents": 200_00, "last_cents": None}
    with pytest.raises(nb.MissingError):
        broker.quote("NOPE")
    with pytest.raises(nb.OrderError) as caught:
        broker.submit_order("NOPE", "buy", 1)
    assert caught.value.state == "denied"
    with pytest.raises(nb.InputError, match="limit"):
        broker.submit_order("AAPL", "buy", 1, order_type="limit")


def test_rows_of_interactive_brokers(gateway):
    broker = ibkr(gateway, account_id="DU1234567")
    assert row(broker.account())["equity"] == 120_025
    position = row(broker.positions())
    assert (position["symbol"], position["position_qty"], position["avg_px"]) == ("MSFT", 50, 400)
    outcome = broker.submit("AAPL", "buy", 100, price=200, client_order_id="py-1")
    assert outcome.confirmed
    deadline = time.monotonic() + 5
    while row(broker.order("py-1", "AAPL"))["status"] != "filled" and time.monotonic() < deadline:
        time.sleep(0.01)
    fill = row(broker.fills_since([]))
    assert (fill["client_order_id"], fill["qty"], fill["price"], fill["fee"]) == ("py-1", 100, 200, 1)
    assert abs(broker.clock() - time.time_ns()) < 5e9
    with pytest.raises(nb.VenueError, match="DU7777777"):
        ibkr(gateway, account_id="DU7777777", client_id=18)
    with pytest.raises(nb.VenueError, match="paper"):
        ibkr(gateway, paper=False, client_id=19)


def test_hours_ticks_and_margin_of_interactive_brokers(gateway):
    gateway.tell("hours AAPL US/Eastern 20261123:CLOSED 20261123:CLOSED")
    gateway.tell("ticks MSFT 0 0.01 100 0.05")
    broker = ibkr(gateway)
    status = dict(zip(*broker.instruments(["AAPL", "MSFT"]).to_polars().select("symbol", "status").to_dict().values()))
    assert status == {"AAPL": "closed", "MSFT": "trading"}
    closed = broker.submit("AAPL", "buy", 1, price=150)
    assert closed.state == "denied" and "does not trade now" in closed.text
    tick = broker.submit("MSFT", "buy", 1, price="390.01")
    assert tick.state == "denied" and "a multiple of 0.05 from 100 on" in tick.text
    assert ibkr(gateway, hours="any", client_id=20).submit("AAPL", "buy", 1, price=150).confirmed
    margin = broker.margin("MSFT", "buy", 10, price=400)
    assert (margin.initial_before, margin.initial_after) == (Decimal("10012.5"), Decimal("12012.5"))
    assert (margin.fee, margin.min_fee, margin.currency) == (1, None, "USD")
    assert len(broker.open_orders()) == 1, "a question places nothing"


def test_an_unknown_outcome_is_a_value_and_the_order_is_found_after_connecting(gateway):
    broker = ibkr(gateway)
    gateway.tell("half")
    outcome = broker.submit("AAPL", "buy", 100, price=190, client_order_id="half-1")
    assert outcome.state in ("confirmed", "unknown")
    deadline = time.monotonic() + 5
    with pytest.raises(nb.ConnectionLostError):
        while time.monotonic() < deadline:
            broker.positions()
    broker.connect()
    found = row(broker.order("half-1", "AAPL"))
    assert (found["status"], found["filled_qty"]) == ("partially_filled", 50)
    assert broker.submit("AAPL", "buy", 100, price=190, client_order_id="half-1").state == "denied"


# Binance.


def test_rows_of_binance(server):
    broker = binance(server, assets=["BTC", "ADA"])
    assert broker.capabilities().fee_in_asset
    assert row(broker.account())["equity"] == 150_000
    outcome = broker.submit("ADAUSDT", "buy", 1000, price="0.5001", tif="gtc", client_order_id="ada")
    assert outcome.confirmed and row(outcome.order)["status"] == "filled"
    fill = row(broker.fills_since("ADAUSDT"))
    assert (fill["fee"], fill["fee_currency"]) == (1, "ADA")
    held = {symbol: qty for symbol, qty in zip(*(broker.positions()[c].to_list() for c in ("symbol", "position_qty")))}
    assert held == {"ADAUSDT": 999, "BTCUSDT": 1}
    assert broker.submit("BTCUSDT", "buy", "0.001", price=40_000).state == "denied", "there are no day orders"
    oid = broker.submit_order("BTCUSDT", "buy", 1, order_type="limit", limit_price_cents=40_000_00)
    assert broker.order_status(oid)["status"] == "accepted"
    with pytest.raises(nb.VenueError, match="1022|2015|-"):
        nb.BinanceBroker("test-key", "wrong", base_url=server.address).connect()


def test_filters_of_binance_deny_before_anything_is_sent(server):
    broker = binance(server)
    for qty, price, name in [
        ("0.001", "40000.001", "PRICE_FILTER"),
        ("0.000001", 40_000, "LOT_SIZE"),
        ("0.0001", 40_000, "NOTIONAL"),
        ("0.001", 260_000, "PERCENT_PRICE"),
    ]:
        outcome = broker.submit("BTCUSDT", "buy", qty, price=price, tif="gtc")
        assert outcome.state == "denied" and name in outcome.text, outcome


def test_an_answer_that_is_lost_is_looked_up_or_unknown(server):
    broker = binance(server)
    fault = "/fake/fault?request=POST%20/api/v3/order&kind=answer&status=504&code=-1007&text=Timeout&processed="
    server.ask(fault + "true")
    assert broker.submit("BTCUSDT", "buy", "0.001", price=40_000, tif="gtc", client_order_id="lost-1").confirmed
    server.ask(fault + "false")
    unknown = broker.submit("BTCUSDT", "buy", "0.001", price=40_000, tif="gtc", client_order_id="lost-2")
    assert unknown.state == "unknown" and "-1007" in unknown.text
    assert broker.submit("BTCUSDT", "buy", "0.001", price=40_000, tif="gtc", client_order_id="lost-2").state == "denied"
    assert len(broker.open_orders()) == 1
    server.ask("/fake/fault?request=GET%20/api/v3/account&kind=drop&processed=true")
    with pytest.raises(nb.NanobookError) as caught:
        broker.positions()
    assert "test-key" not in str(caught.value) and "signature" not in str(caught.value)


def test_a_venue_that_does_not_answer_is_no_answer():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        broker = nb.BinanceBroker("k", "s", base_url=url, timeout_ms=200)
        with pytest.raises(nb.NoAnswerError) as caught:
            broker.connect()
        assert isinstance(caught.value, TimeoutError)


def test_quotes_of_another_broker_fill_a_paper_account(server):
    broker = nb.PaperBroker(100_000, currency="USDT", quotes=binance(server), lot="0.00001")
    broker.connect()
    order = row(broker.submit("BTCUSDT", "buy", "0.5", price=50_001, tif="ioc").confirmed_order())
    assert (order["status"], order["avg_px"]) == ("filled", 50_001)


def test_a_question_is_left_with_control_c():
    import signal
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        broker = nb.BinanceBroker("k", "s", base_url=url, timeout_ms=3_000)
        # A job in the background inherits that interrupts are ignored, and Python keeps it so.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                broker.connect()
            timer.join()
        finally:
            signal.signal(signal.SIGINT, before)


def test_the_key_is_in_nothing_that_python_shows(server, capfd):
    broker = nb.BinanceBroker("test-key", "hush-hush", base_url=server.address)
    with pytest.raises(nb.VenueError) as caught:
        broker.connect()
    for text in [repr(broker), str(caught.value), repr(caught.value), *capfd.readouterr()]:
        assert "hush-hush" not in text and "test-key" not in text and "signature=" not in text


def test_other_threads_run_while_a_venue_is_asked():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        broker = nb.BinanceBroker("k", "s", base_url=url, timeout_ms=500)
        failed: list[Exception] = []

        def ask() -> None:
            try:
                broker.connect()
            except nb.NoAnswerError as error:
                failed.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        turns = 0
        while thread.is_alive():
            turns += 1
        assert failed and turns > 1000
