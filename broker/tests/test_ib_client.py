"""Interactive Brokers' own Python client against our gateway: the whole flow of an order.

The client (`ibapi-latest` on PyPI) has a licence of its own, for non-commercial use, and is installed for these tests
only. Where it is not installed they are skipped.
"""

import threading
import time

import pytest

pytest.importorskip("ibapi", reason="ibapi-latest is not installed")

from ibapi.client import EClient  # noqa: E402
from ibapi.contract import Contract  # noqa: E402
from ibapi.execution import ExecutionFilter  # noqa: E402
from ibapi.order import Order  # noqa: E402
from ibapi.order_cancel import OrderCancel  # noqa: E402
from ibapi.wrapper import EWrapper  # noqa: E402


class App(EWrapper, EClient):
    """Keeps every callback by its name."""

    def __init__(self):
        EClient.__init__(self, self)
        self.calls = []
        self.event = threading.Condition()

    def keep(self, name, *args):
        with self.event:
            self.calls.append((name, *args))
            self.event.notify_all()

    def wait(self, name, count=1, seconds=5):
        """The arguments of the last of `count` calls."""
        end = time.monotonic() + seconds
        with self.event:
            while len(found := [c for c in self.calls if c[0] == name]) < count:
                left = end - time.monotonic()
                assert left > 0, f"{name} did not come {count} times: {self.calls}"
                self.event.wait(left)
        return found[count - 1][1:]

    def all(self, name):
        with self.event:
            return [c[1:] for c in self.calls if c[0] == name]

    def nextValidId(self, orderId):
        self.keep("next", orderId)

    def managedAccounts(self, accountsList):
        self.keep("accounts", accountsList)

    def error(self, reqId, errorTime, errorCode, errorString, advancedOrderRejectJson=""):
        self.keep("error", reqId, errorCode, errorString)

    def currentTimeInMillis(self, timeInMillis):
        self.keep("time", timeInMillis)

    def accountSummary(self, reqId, account, tag, value, currency):
        self.keep("summary", account, tag, value, currency)

    def accountSummaryEnd(self, reqId):
        self.keep("summary_end")

    def position(self, account, contract, position, avgCost):
        self.keep("position", account, contract.symbol, float(position), avgCost)

    def positionEnd(self):
        self.keep("position_end")

    def contractDetails(self, reqId, contractDetails):
        details = contractDetails
        self.keep(
            "hours",
            details.timeZoneId,
            details.tradingHours,
            details.liquidHours,
            details.validExchanges,
            details.marketRuleIds,
        )
        self.keep("details", details.contract.symbol, details.contract.conId, float(details.minTick))

    def marketRule(self, marketRuleId, priceIncrements):
        self.keep("rule", marketRuleId, [(band.lowEdge, band.increment) for band in priceIncrements])

    def contractDetailsEnd(self, reqId):
        self.keep("details_end")

    def tickPrice(self, reqId, tickType, price, attrib):
        self.keep("tick", tickType, price)

    def tickSnapshotEnd(self, reqId):
        self.keep("snapshot_end")

    def openOrder(self, orderId, contract, order, orderState):
        self.keep("open", orderId, order.orderRef, float(order.totalQuantity), orderState.status, order.permId)
        self.keep("margin", orderState.initMarginBefore, orderState.initMarginAfter, orderState.equityWithLoanAfter)

    def openOrderEnd(self):
        self.keep("open_end")

    def orderStatus(self, orderId, status, filled, remaining, avgFillPrice, permId, *_):
        self.keep("status", orderId, status, float(filled), float(remaining), avgFillPrice)

    def execDetails(self, reqId, contract, execution):
        e = execution
        self.keep("exec", reqId, e.execId, e.orderRef, e.side, float(e.shares), e.price)

    def execDetailsEnd(self, reqId):
        self.keep("exec_end")

    def commissionAndFeesReport(self, report):
        self.keep("fee", report.execId, report.commissionAndFees, report.currency)

    def completedOrder(self, contract, order, orderState):
        self.keep("completed", order.orderRef, orderState.status, float(order.filledQuantity))

    def completedOrdersEnd(self):
        self.keep("completed_end")


@pytest.fixture
def app(gateway):
    app = App()
    app.connect(gateway.host, gateway.port, 5)
    thread = threading.Thread(target=app.run, daemon=True)
    thread.start()
    app.wait("next")
    yield app
    app.disconnect()
    thread.join(timeout=5)


def stock(symbol="AAPL"):
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol, "STK", "SMART", "USD"
    return contract


def limit(reference, side, qty, price):
    order = Order()
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = side, "LMT", qty, price
    order.tif, order.orderRef = "DAY", reference
    return order


def test_it_connects_and_learns_accounts_ids_and_the_time(app):
    assert app.serverVersion() >= 213
    assert app.wait("accounts") == ("DU1234567",)
    assert app.wait("next") == (1,)
    app.reqCurrentTimeInMillis()
    assert abs(app.wait("time")[0] / 1000 - time.time()) < 5


def test_it_reads_the_account_and_its_positions(app):
    app.reqAccountSummary(9001, "All", "NetLiquidation,TotalCashValue,BuyingPower")
    app.wait("summary_end")
    values = {tag: value for _, tag, value, _ in app.all("summary")}
    assert values == {"NetLiquidation": "120025", "TotalCashValue": "100000", "BuyingPower": "100000"}
    app.reqPositions()
    app.wait("position_end")
    assert app.all("position") == [("DU1234567", "MSFT", 50.0, 400.0)]


def test_it_finds_contracts_and_quotes(app):
    app.reqContractDetails(9002, stock())
    app.wait("details_end")
    assert app.all("details") == [("AAPL", 265_000, 0.01)]
    app.reqMktData(9003, stock(), "", True, False, [])
    app.wait("snapshot_end")
    assert app.all("tick") == [(1, 199.0), (2, 200.0)]
    app.reqContractDetails(9004, stock("NOPE"))
    # The first was that the data farm is well.
    assert app.wait("error", 2)[:2] == (9004, 200)


def test_it_reads_hours_and_ticks_by_price(app, gateway):
    gateway.tell("hours AAPL US/Eastern 20261123:0400-20261123:2000 20261123:0930-20261123:1600")
    gateway.tell("ticks AAPL 0 0.0001 1 0.01")
    app.reqContractDetails(9002, stock())
    app.wait("details_end")
    zone, trading, liquid, exchanges, rules = app.all("hours")[-1]
    assert (zone, trading, liquid) == (
        "US/Eastern",
        "20261123:0400-20261123:2000",
        "20261123:0930-20261123:1600",
    )
    smart = rules.split(",")[exchanges.split(",").index("SMART")]
    app.reqMarketRule(int(smart))
    assert app.wait("rule") == (int(smart), [(0.0, 0.0001), (1.0, 0.01)])


def test_it_asks_what_an_order_would_do(app):
    order = limit("ib-if", "BUY", 100, 200.0)
    order.whatIf = True
    app.placeOrder(1, stock(), order)
    assert [float(value) for value in app.wait("margin")] == [10012.5, 20012.5, 120024.0]
    app.reqAllOpenOrders()
    app.wait("open_end")
    assert [call[1] for call in app.all("open")] == ["ib-if"], "nothing but the answer"


def test_an_order_fills_in_parts_and_is_told_in_order(app, gateway):
    app.placeOrder(1, stock(), limit("ib-1", "BUY", 400, 200.0))
    app.wait("fee")
    gateway.tell("fill ib-1 100 200")
    fee = app.wait("fee", 2)
    assert fee[1:] == (1.0, "USD")
    statuses = [s[1:4] for s in app.all("status")]
    assert statuses == [
        ("PreSubmitted", 0.0, 400.0),
        ("Submitted", 0.0, 400.0),
        ("Submitted", 300.0, 100.0),
        ("Filled", 400.0, 0.0),
    ]
    executions = app.all("exec")
    assert [(e[0], *e[2:]) for e in executions] == [
        (-1, "ib-1", "BOT", 300.0, 200.0),
        (-1, "ib-1", "BOT", 100.0, 200.0),
    ]
    assert [f[0] for f in app.all("fee")] == [e[1] for e in executions]


def test_a_resting_order_is_listed_and_cancelled(app):
    app.placeOrder(1, stock(), limit("ib-2", "BUY", 10, 150.0))
    app.wait("status", 2)
    app.reqAllOpenOrders()
    app.wait("open_end")
    assert app.all("open")[-1][:4] == (1, "ib-2", 10.0, "Submitted")
    app.cancelOrder(1, OrderCancel())
    assert app.wait("status", 4)[1] == "Cancelled"
    app.reqOpenOrders()
    app.wait("open_end", 2)
    app.reqCompletedOrders(False)
    app.wait("completed_end")
    assert app.all("completed") == [("ib-2", "Cancelled", 0.0)]


def test_executions_are_asked_for_after_a_cut_in_mid_fill(app, gateway):
    gateway.tell("half")
    app.placeOrder(1, stock(), limit("ib-3", "BUY", 100, 190.0))
    end = time.monotonic() + 5
    while app.isConnected() and time.monotonic() < end:
        time.sleep(0.01)
    again = App()
    again.connect(gateway.host, gateway.port, 5)
    threading.Thread(target=again.run, daemon=True).start()
    again.wait("next")
    again.reqExecutions(9005, ExecutionFilter())
    again.wait("exec_end")
    assert [(e[0], *e[2:]) for e in again.all("exec")] == [(9005, "ib-3", "BOT", 50.0, 190.0)]
    gateway.tell("correct 189.5")
    again.reqExecutions(9006, ExecutionFilter())
    again.wait("exec_end", 2)
    first, second = [e for e in again.all("exec") if e[0] == 9006]
    assert first[1].rsplit(".", 1)[0] == second[1].rsplit(".", 1)[0]
    assert (first[1][-2:], second[1][-2:], second[5]) == ("01", "02", 189.5)
    again.disconnect()


def test_refusals_have_their_codes(app):
    app.placeOrder(1, stock(), limit("ib-4", "BUY", 10, 150.001))
    app.placeOrder(2, stock(), limit("ib-5", "BUY", 10_000, 200.0))
    app.cancelOrder(77, OrderCancel())
    app.placeOrder(3, stock(), limit("ib-6", "BUY", 1, 150.0))
    app.wait("status", 2)
    app.placeOrder(3, stock(), limit("ib-7", "BUY", 1, 150.0))
    end = time.monotonic() + 5
    wanted = {(1, 110), (2, 201), (77, 10147), (3, 103)}
    while wanted - {e[:2] for e in app.all("error")} and time.monotonic() < end:
        time.sleep(0.01)
    assert wanted <= {e[:2] for e in app.all("error")}


def test_a_status_can_come_twice_and_an_id_can_start_again(app, gateway):
    gateway.tell("repeat")
    app.placeOrder(1, stock(), limit("ib-8", "BUY", 10, 150.0))
    app.wait("status", 4)
    gateway.tell("roll-back")
    other = App()
    other.connect(gateway.host, gateway.port, 6)
    threading.Thread(target=other.run, daemon=True).start()
    assert other.wait("next") == (1,)
    other.disconnect()


def test_a_client_id_in_use_is_refused(gateway):
    gateway.tell("busy")
    app = App()
    app.connect(gateway.host, gateway.port, 5)
    threading.Thread(target=app.run, daemon=True).start()
    assert app.wait("error")[1] == 326
    app.disconnect()
