"""The matching engine and order books."""

from __future__ import annotations

import copy

import pytest

import nanobook as nb


def test_orders_trade_and_rest():
    exchange = nb.Exchange()
    first = exchange.submit_limit("sell", 50_00, 100, "gtc")
    assert (first.order_id, first.status, first.resting_quantity) == (1, "new", 100)
    second = exchange.submit_limit("BUY", 50_05, 40)
    assert (second.status, second.filled_quantity) == ("filled", 40)
    [trade] = second.trades
    assert (trade.price, trade.qty, trade.side, trade.sell_order_id) == (50_00, 40, "buy", 1)
    assert exchange.best_bid_ask() == (None, 50_00)
    assert exchange.get_order(1).remaining_quantity == 60
    assert exchange.submit_market("buy", 100).cancelled_quantity == 40
    assert exchange.last_trade_price() == 50_00
    assert exchange.get_order(99) is None


def test_snapshots_are_frames():
    exchange = nb.Exchange()
    for price, qty in [(99, 10), (98, 20), (99, 5)]:
        exchange.submit_limit("buy", price, qty)
    exchange.submit_limit("sell", 101, 7)
    assert exchange.depth(2).to_dict() == {
        "level": [0, 1],
        "bid_px": [99, 98],
        "bid_qty": [15, 20],
        "bid_count": [2, 1],
        "ask_px": [101, None],
        "ask_qty": [7, None],
        "ask_count": [1, None],
    }
    assert exchange.orders().to_dict() == {
        "side": ["buy", "buy", "buy", "sell"],
        "price": [99, 99, 98, 101],
        "qty": [10, 5, 20, 7],
        "order_id": [1, 3, 2, 4],
    }
    assert exchange.queue_position(3) == (1, 10)
    assert exchange.imbalance(1) == pytest.approx((15 - 7) / (15 + 7))
    cost = exchange.cost("sell", 20)
    assert (cost.qty, cost.notional, cost.worst_price) == (20, 15 * 99 + 5 * 98, 98)
    assert cost.vwap == pytest.approx((15 * 99 + 5 * 98) / 20)
    assert exchange.spread() == 2
    assert exchange.full_book().shape == (2, 7)


def test_stops_wait_and_trail():
    exchange = nb.Exchange()
    stop = exchange.submit_stop_market("sell", 95, 10)
    assert stop.status == "pending" and exchange.pending_stop_count() == 1
    trailing = exchange.submit_trailing_stop_market("sell", 90, 10, "percentage", 0.05)
    exchange.submit_stop_limit("buy", 105, 106, 10)
    assert exchange.get_stop_order(trailing.order_id).stop == 90
    exchange.submit_limit("buy", 94, 30)
    exchange.submit_limit("sell", 94, 1)
    assert exchange.get_order(stop.order_id).status == "triggered"
    with pytest.raises(nb.InputError, match="fixed, percentage, mean_abs_change"):
        exchange.submit_trailing_stop_market("sell", 90, 10, "elastic", 1.0)
    with pytest.raises(nb.InputError, match="not above zero"):
        exchange.submit_trailing_stop_market("sell", 90, 10, "percentage", float("nan"))


def test_refusals_are_errors_or_answers():
    exchange = nb.Exchange()
    for wrong, message in [
        (("hold", 1, 1, "gtc"), "buy, sell"),
        (("buy", 1, 1, "day"), "gtc, ioc, fok"),
        (("buy", 1, 0, "gtc"), "the quantity is zero"),
        (("buy", 0, 1, "gtc"), "outside the range"),
    ]:
        with pytest.raises(nb.InputError, match=message):
            exchange.submit_limit(*wrong)
    refused = exchange.cancel(17)
    assert not refused.success and "no order has this id" in refused.error
    assert exchange.submit_limit("buy", 1, 1).order_id == 1
    with pytest.raises(OverflowError):
        exchange.submit_limit("buy", 1, -1)


def test_self_trades_are_prevented():
    exchange = nb.Exchange(stp="cancel_newest")
    exchange.submit_limit("sell", 100, 10, owner=7)
    assert exchange.submit_limit("buy", 100, 10, owner=7).status == "cancelled"
    assert exchange.submit_limit("buy", 100, 10, owner=8).status == "filled"
    with pytest.raises(nb.InputError, match="cancel_both"):
        nb.Exchange(stp="maybe")


def test_events_replay_to_the_same_state(tmp_path):
    exchange = nb.Exchange()
    exchange.submit_limit("buy", 99, 10)
    exchange.modify(1, 98, 20)
    exchange.submit_limit("sell", 98, 5, "ioc", owner=3)
    exchange.reduce(2, 1)
    events = exchange.events().to_dict()
    assert events["event"][0] == "submit" and events["price"][0] == 99 and events["owner"][-2] == 3
    exchange.save(tmp_path / "events.jsonl")
    again = nb.Exchange.load(tmp_path / "events.jsonl")
    assert again.orders().to_dict() == exchange.orders().to_dict()
    assert again.trades().to_dict() == exchange.trades().to_dict()
    other = copy.copy(exchange)
    other.cancel(2)
    assert exchange.best_bid() == 98 and other.best_bid() is None
    with pytest.raises(nb.SourceError):
        nb.Exchange.load(tmp_path / "missing.jsonl")


def test_many_symbols_share_one_id_space():
    exchange = nb.MultiExchange()
    assert exchange.submit_limit("AAPL", "sell", 185_00, 100).order_id == 1
    assert exchange.submit_limit("F", "buy", 12_00, 50).order_id == 2
    filled = exchange.submit_market("AAPL", "buy", 60)
    assert (filled.order_id, filled.filled_quantity, len(filled.trades)) == (3, 60, 1)
    assert exchange.trades()["symbol"].to_list() == ["AAPL"]
    assert exchange.symbols() == ["AAPL", "F"] and len(exchange) == 2
    assert exchange.best_bid_ask("AAPL") == (None, 185_00)
    assert exchange.cancel(2).cancelled_quantity == 50
    assert exchange.events()["event"].to_list() == ["list", "submit", "list", "submit", "submit", "cancel"]
    with pytest.raises(nb.MissingError, match="MSFT is not listed"):
        exchange.depth("MSFT")
    with pytest.raises(nb.InputError) as caught:
        exchange.submit_limit("a name that is far too long", "buy", 1, 1)
    assert caught.value.symbol


def test_many_symbols_have_stops_and_changes_as_one():
    exchange, single = nb.MultiExchange(), nb.Exchange()
    steps = [
        ("submit_stop_market", ("sell", 95, 10)),
        ("submit_stop_limit", ("buy", 105, 106, 10)),
        ("submit_trailing_stop_market", ("sell", 90, 10, "percentage", 0.05)),
        ("submit_trailing_stop_limit", ("sell", 90, 89, 10, "fixed", 3.0)),
        ("submit_limit", ("buy", 94, 30)),
        ("submit_limit", ("sell", 94, 1)),
        ("submit_limit", ("buy", 80, 50)),
    ]
    for name, arguments in steps:
        one = getattr(single, name)(*arguments)
        many = getattr(exchange, name)("AAPL", *arguments)
        assert repr(one) == repr(many), name
    for id_ in range(1, 9):
        one, many = single.get_order(id_), exchange.get_order(id_)
        assert (one and (one.status, one.stop, one.remaining_quantity)) == (
            many and (many.status, many.stop, many.remaining_quantity)
        )
    rests = one_id = next(i for i in range(1, 12) if (o := single.get_order(i)) and o.price == 80)
    assert exchange.reduce(rests, 20) == single.reduce(one_id, 20) == 30
    changed, same = exchange.modify(rests, 81, 40), single.modify(one_id, 81, 40)
    assert (changed.success, changed.new_order_id, changed.cancelled_quantity) == (
        same.success,
        same.new_order_id,
        same.cancelled_quantity,
    )
    assert exchange.orders("AAPL").to_dict() == single.orders().to_dict()
    refused = exchange.modify(changed.new_order_id, 81, 0)
    assert not refused.success and "zero" in refused.error
    assert exchange.get_order(changed.new_order_id).remaining_quantity == 40, "a refusal changes nothing"
    assert exchange.replace(changed.new_order_id, 81, 30) == 0
    assert exchange.get_order(changed.new_order_id).remaining_quantity == 30
    with pytest.raises(nb.MissingError):
        exchange.reduce(99, 1)
    exchange.submit_limit("F", "buy", 10, 5, owner=3)
    assert exchange.mass_cancel(3) == 1 and exchange.mass_cancel(3) == 0


def test_a_book_is_what_the_rows_say():
    pl = pytest.importorskip("polars")
    symbol = nb.inspect_itch(nb.SAMPLE).symbols["symbol"][0]
    rows = nb.read_itch(nb.SAMPLE, "mbo", symbols=symbol, end="12:00")
    built = nb.OrderBook()
    assert built.apply(rows) == 0
    read = nb.book_itch(nb.SAMPLE, symbol, end="12:00")
    assert built.orders().to_dict() == read.orders().to_dict()
    best = nb.read_itch(nb.SAMPLE, "bbo", symbols=symbol, end="12:00").to_polars().row(-1, named=True)
    price, qty, count = read.best_bid
    assert (best["bid_px"], best["bid_qty"], best["bid_count"]) == (price, qty, count)
    depth = nb.read_itch(nb.SAMPLE, "depth", symbols=symbol, end="12:00", depth=3).to_polars().row(-1, named=True)
    assert [depth[f"ask_px_0{rank}"] for rank in range(3)] == read.depth(3)["ask_px"].to_list()
    first = read.orders("sell")["order_id"][0]
    assert read.queue_position(first) == (0, 0)
    assert isinstance(pl.DataFrame(read.orders()), pl.DataFrame)
    with pytest.raises(nb.MissingError):
        read.queue_position(0)
