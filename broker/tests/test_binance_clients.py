"""Clients by others against our Binance server: what they take for granted must hold there.

`python-binance`, `ccxt` and Binance's own `binance-sdk-spot`, each unchanged but for the address.
"""

import urllib.parse
import urllib.request

import pytest


def control(url, path, **params):
    query = urllib.parse.urlencode(params)
    urllib.request.urlopen(f"{url}/fake/{path}?{query}").read()


# python-binance


@pytest.fixture
def client(binance, monkeypatch):
    module = pytest.importorskip("binance.client", reason="python-binance is not installed")
    monkeypatch.setattr(module.Client, "API_URL", f"{binance}/api")
    client = module.Client("test-key", "test-secret", ping=True)
    client.API_URL = f"{binance}/api"
    return client


def test_python_binance_trades_and_reads_back(client):
    order = client.order_limit_buy(symbol="BTCUSDT", quantity="0.1", price="50001", newClientOrderId="pb-1")
    assert order["status"] == "FILLED"
    assert order["fills"][0]["commissionAsset"] == "BTC"
    assert client.get_order(symbol="BTCUSDT", origClientOrderId="pb-1")["executedQty"] == "0.10000000"
    trades = client.get_my_trades(symbol="BTCUSDT")
    assert [(t["price"], t["qty"], t["isBuyer"]) for t in trades] == [("50001.00000000", "0.10000000", True)]
    # The fee was taken from what was bought.
    assert client.get_asset_balance(asset="BTC")["free"] == "1.09990000"


def test_python_binance_rests_and_cancels(client):
    client.order_limit_buy(symbol="BTCUSDT", quantity="0.1", price="40000", newClientOrderId="pb-2")
    assert [o["clientOrderId"] for o in client.get_open_orders()] == ["pb-2"]
    assert client.get_asset_balance(asset="USDT")["locked"] == "4000.00000000"
    gone = client.cancel_order(symbol="BTCUSDT", origClientOrderId="pb-2")
    assert (gone["status"], gone["origClientOrderId"]) == ("CANCELED", "pb-2")
    assert client.get_open_orders() == []


def test_python_binance_meets_filters_and_refusals(client):
    from binance.exceptions import BinanceAPIException

    for params, code in [
        (dict(symbol="BTCUSDT", quantity="0.1", price="50000.001"), -1013),
        (dict(symbol="BTCUSDT", quantity="0.000001", price="50000"), -1013),
        (dict(symbol="BTCUSDT", quantity="0.00001", price="50000"), -1013),
        (dict(symbol="BTCUSDT", quantity="0.1234567891", price="50000"), -1111),
        (dict(symbol="BTCUSDT", quantity="100", price="50000"), -2010),
        (dict(symbol="NOPE", quantity="1", price="1"), -1121),
    ]:
        with pytest.raises(BinanceAPIException) as error:
            client.order_limit_buy(**params)
        assert error.value.code == code, params


def test_python_binance_finds_an_order_after_1007(client, binance):
    from binance.exceptions import BinanceAPIException

    control(
        binance,
        "fault",
        request="POST /api/v3/order",
        kind="answer",
        status=504,
        code=-1007,
        text="Send status unknown; execution status unknown.",
        processed="true",
    )
    with pytest.raises(BinanceAPIException) as error:
        client.order_limit_buy(symbol="BTCUSDT", quantity="0.1", price="40000", newClientOrderId="pb-3")
    assert error.value.code == -1007
    assert client.get_order(symbol="BTCUSDT", origClientOrderId="pb-3")["status"] == "NEW"


def test_python_binance_is_refused_by_a_clock_that_is_off(client, binance):
    from binance.exceptions import BinanceAPIException

    for ms in (-20_000, 20_000):
        control(binance, "clock", ms=ms)
        with pytest.raises(BinanceAPIException) as error:
            client.get_account()
        assert error.value.code == -1021


def test_an_id_is_compared_with_open_orders_only(client):
    from binance.exceptions import BinanceAPIException

    order = dict(symbol="BTCUSDT", quantity="0.01", newClientOrderId="twice")
    client.order_limit_buy(price="40000", **order)
    with pytest.raises(BinanceAPIException) as error:
        client.order_limit_buy(price="40000", **order)
    assert error.value.code == -2010
    client.cancel_order(symbol="BTCUSDT", origClientOrderId="twice")
    # The trap that our adapter looks before it sends for.
    assert client.order_limit_buy(price="50001", **order)["status"] == "FILLED"
    assert client.order_limit_buy(price="50001", **order)["status"] == "FILLED"


# ccxt


@pytest.fixture
def exchange(binance):
    ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed")
    exchange = ccxt.binance(
        {
            "apiKey": "test-key",
            "secret": "test-secret",
            "enableRateLimit": False,
            "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": False},
        }
    )
    exchange.has["fetchCurrencies"] = False
    # All of them, so that nothing leaves this machine.
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], f"{binance}/api/v3")
    exchange.load_markets()
    return exchange


def test_ccxt_reads_the_filters(exchange):
    market = exchange.market("BTC/USDT")
    assert market["precision"] == {**market["precision"], "amount": 1e-05, "price": 0.01}
    assert market["limits"]["cost"]["min"] == 5.0
    assert exchange.price_to_precision("BTC/USDT", 50000.019) == "50000.02"


def test_ccxt_trades_rests_cancels_and_reads_back(exchange):
    taken = exchange.create_order("BTC/USDT", "limit", "buy", 0.1, 50001, {"newClientOrderId": "cx-1"})
    assert (taken["status"], taken["filled"], taken["average"]) == ("closed", 0.1, 50001.0)
    rests = exchange.create_order("BTC/USDT", "limit", "buy", 0.1, 40000, {"newClientOrderId": "cx-2"})
    assert [o["clientOrderId"] for o in exchange.fetch_open_orders("BTC/USDT")] == ["cx-2"]
    exchange.cancel_order(rests["id"], "BTC/USDT")
    assert exchange.fetch_order(rests["id"], "BTC/USDT")["status"] == "canceled"
    trade = exchange.fetch_my_trades("BTC/USDT")[0]
    assert (trade["amount"], trade["fee"]["currency"]) == (0.1, "BTC")
    assert exchange.fetch_balance()["BTC"]["free"] == 1.0999


def test_ccxt_tells_errors_apart(exchange, binance):
    import ccxt

    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("BTC/USDT", "limit", "buy", 100, 50000)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("1", "BTC/USDT")
    control(binance, "fault", request="GET /api/v3/openOrders", kind="answer", status=429, code=-1003, text="slow down")
    with pytest.raises(ccxt.DDoSProtection):
        exchange.fetch_open_orders("BTC/USDT")


# Binance's own


@pytest.fixture
def spot(binance):
    pytest.importorskip("binance_sdk_spot", reason="binance-sdk-spot is not installed")
    from binance_common.configuration import ConfigurationRestAPI
    from binance_sdk_spot.spot import Spot

    config = ConfigurationRestAPI(
        api_key="test-key", api_secret="test-secret", base_path=binance, retries=0, timeout=2000
    )
    return Spot(config_rest_api=config).rest_api


def test_the_official_client_trades_rests_cancels_and_reads_back(spot):
    def place(price, own):
        return spot.new_order(
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            time_in_force="GTC",
            quantity=0.1,
            price=price,
            new_client_order_id=own,
        ).data()

    assert place(50001.0, "sdk-1").status == "FILLED"
    assert place(40000.0, "sdk-2").status == "NEW"
    assert spot.get_order(symbol="BTCUSDT", orig_client_order_id="sdk-2").data().status == "NEW"
    assert spot.delete_order(symbol="BTCUSDT", orig_client_order_id="sdk-2").data().status == "CANCELED"
    trades = spot.my_trades(symbol="BTCUSDT").data()
    assert [t.qty for t in trades] == ["0.10000000"]
    account = spot.get_account(omit_zero_balances=True)
    free = {b.asset: b.free for b in account.data().balances}
    assert free["BTC"] == "1.09990000"
    # Weights come in the headers that the client reads.
    assert any(limit.count for limit in account.rate_limits)


def test_the_official_client_meets_a_filter(spot):
    with pytest.raises(Exception, match="LOT_SIZE"):
        spot.new_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.000001, price=50000.0
        )
