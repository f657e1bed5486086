"""Prices are those of the wire to the last digit in all three price types, and times those of New York.

The expected values are cut out of the raw bytes here, by the offsets of the specification.
"""

import struct
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from feed import Feed, bodies
from support import read, replay

EXTREME = [1, 9_999, 10_000, 10_001, 123_456_789, 1_999_999_999, 2_147_483_648, 4_294_967_295]
TYPES = {"float": pl.Float64, "decimal": pl.Decimal(18, 9), "fixed": pl.Int64}

#: Which price column of which table is at which offset of which message.
PRICES_AT = {
    "A": [("mbo", "price", 32)],
    "F": [("mbo", "price", 32)],
    "U": [("mbo", "price", 31)],
    "C": [("trades", "price", 32)],
    "P": [("trades", "price", 32)],
    "Q": [("trades", "price", 27)],
    "I": [("imbalance", "far_px", 36), ("imbalance", "near_px", 40), ("imbalance", "ref_px", 44)],
    "K": [("ipo", "ipo_price", 24)],
    "J": [
        ("luld", "auction_collar_reference_price", 19),
        ("luld", "upper_auction_collar_price", 23),
        ("luld", "lower_auction_collar_price", 27),
    ],
    "O": [
        ("direct_listing", "minimum_allowable_price", 20),
        ("direct_listing", "maximum_allowable_price", 24),
        ("direct_listing", "near_execution_price", 28),
        ("direct_listing", "lower_price_range_collar", 40),
        ("direct_listing", "upper_price_range_collar", 44),
    ],
}


def typed(wire, price_type, decimals=4):
    """A wire price as a value of a column; what is no price is null."""
    if wire is None or (wire == 0 and decimals == 4):
        return None
    if price_type == "float":
        return wire / 10**decimals
    if price_type == "decimal":
        return Decimal(wire).scaleb(-decimals)
    return wire * 10 ** (9 - decimals)


def on_the_wire(data):
    """`(table, column)` to the prices of the messages that have one, with their `seq`."""
    found = {}
    for seq, body in enumerate(bodies(data), 1):
        tag = chr(body[0])
        if tag == "C" and body[31:32] != b"Y":
            continue
        for table, column, at in PRICES_AT.get(tag, ()):
            wire = int.from_bytes(body[at : at + 4], "big")
            found.setdefault((table, column), []).append((seq, wire))
        if tag == "V":
            for level, at in enumerate((11, 19, 27), 1):
                wire = int.from_bytes(body[at : at + 8], "big")
                found.setdefault(("mwcb", f"level_{level}"), []).append((seq, wire))
    return found


def check(out, data, price_type):
    """Compares every price that a message of its own carries."""
    found = on_the_wire(data)
    for (table, column), prices in found.items():
        decimals = 8 if table == "mwcb" else 4
        frame = read(out, table, columns=["seq", column])
        assert frame.schema[column] == TYPES[price_type]
        ours = dict(frame.iter_rows())
        for seq, wire in prices:
            assert ours[seq] == typed(wire, price_type, decimals), (table, column, seq, wire)
    return found


def extremes():
    """Every extreme price in every price column there is, one instrument for each price."""
    feed = Feed()
    for locate, price in enumerate(EXTREME, 1):
        stock = f"P{locate}"
        feed.directory(locate, stock)
        feed.add(locate, 10 * locate, "B", 100, price, stock)
        feed.add(locate, 10 * locate + 1, "S", 100, price, stock, mpid="NITE")
        feed.replace(locate, 10 * locate + 1, 10 * locate + 2, 100, price)
        feed.execute(locate, 10 * locate, 1, 1000 + locate)
        feed.execute_at(locate, 10 * locate, 1, 2000 + locate, "Y", price)
        feed.hidden(locate, 3, price, 3000 + locate, stock)
        feed.cross(locate, 5_000_000_000, price, 4000 + locate, "O", stock)
        feed.imbalance(locate, 1, 1, "B", price, price, price, stock)
        feed.luld(locate, price, price, price, stock)
        feed.ipo(locate, 34_200, price, stock)
        feed.levels(price, price * 10_000, 99_999_999_999_999_999)
        feed.listing(locate, price, price, price, 34_200_000_000_000, price, price, stock)
    return feed.data()


@pytest.mark.parametrize("price_type", TYPES)
def test_extreme_prices(tmp_path, price_type):
    data = extremes()
    session = tmp_path / "session.itch"
    session.write_bytes(data)
    out = replay(session, tmp_path / "out", "--price-type", price_type)
    found = check(out, data, price_type)
    assert len(found) == 17, sorted(found)
    expected = {locate: typed(price, price_type) for locate, price in enumerate(EXTREME, 1)}
    # Everything of an instrument happens at its one price, also what is gathered from books and trades.
    for table in ("mbo", "bbo", "depth", "trades", "bars"):
        frame = read(out, table)
        prices = [n for n in frame.columns if "px" in n or n in ("price", "open", "high", "low", "close")]
        assert prices
        seen = 0
        for row in frame.iter_rows(named=True):
            for name in prices:
                if row[name] is not None:
                    assert row[name] == expected[row["instrument_id"]], (table, name, row)
                    seen += 1
        assert seen >= len(EXTREME)
    for row in read(out, "bars").iter_rows(named=True):
        price, volume = EXTREME[row["instrument_id"] - 1], row["volume"]
        assert volume == 5_000_000_005
        assert row["vwap"] == float(price * 100_000 * volume) / volume / 1e9


@pytest.mark.parametrize("price_type", TYPES)
def test_every_price_of_a_synthetic_day(tmp_path, small_days, price_type):
    tables = "mbo,trades,imbalance,ipo,luld,direct_listing,mwcb"
    out = replay(small_days[0], tmp_path / "out", "--price-type", price_type, date=None, tables=tables)
    found = check(out, small_days[0].read_bytes(), price_type)
    assert len(found[("mbo", "price")]) > 100_000


def test_zero_prices(tmp_path):
    """Zero stands for no price but in orders, which name it and are refused."""
    feed = Feed()
    feed.directory(1, "ZERO")
    feed.add(1, 1, "B", 100, 0, "ZERO")
    feed.hidden(1, 1, 0, 1, "ZERO")
    feed.imbalance(1, 1, 1, "B", 0, 0, 0, "ZERO")
    session = tmp_path / "session.itch"
    session.write_bytes(feed.data())
    out = replay(session, tmp_path / "out")
    assert read(out, "mbo").select("price", "leaves_qty").rows() == [(0.0, 0)]
    assert read(out, "trades")["price"].to_list() == [None]
    assert read(out, "imbalance").select("far_px", "near_px", "ref_px").rows() == [(None, None, None)]
    assert read(out, "bbo").height == 0


HOUR = 3_600_000_000_000
TIMES_OF_DAY = [0, 1, 2 * HOUR - 1, 2 * HOUR, 2 * HOUR + 1, 3 * HOUR, 34_200_123_456_789, 24 * HOUR - 1]
DAYS = {
    "winter": (date(2020, 1, 15), 5),
    "summer": (date(2020, 7, 15), 4),
    "clocks go forward": (date(2020, 3, 8), 5),
    "clocks go back": (date(2020, 11, 1), 4),
}


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("named", [True, False])
def test_times(tmp_path, day, named):
    """Nanoseconds since midnight are what has passed since midnight, whatever the clocks did meanwhile."""
    when, hours = DAYS[day]
    midnight = datetime(when.year, when.month, when.day, tzinfo=ZoneInfo("America/New_York"))
    assert midnight.utcoffset().total_seconds() == -3600 * hours
    midnight_ns = int(midnight.timestamp()) * 1_000_000_000
    feed = Feed()
    for ns in TIMES_OF_DAY:
        feed.event("O", ns=ns)
    feed.ipo(1, 34_201, 10_000, "NEW", ns=24 * HOUR - 1)
    feed.listing(1, 1, 1, 1, 34_202_000_000_003, 1, 1, "NEW", ns=24 * HOUR - 1)
    name = f"{when:%m%d%Y}.NASDAQ_ITCH50" if named else "session.itch"
    session = tmp_path / name
    session.write_bytes(feed.data())
    out = replay(session, tmp_path / "out", date=None if named else when.isoformat())
    events = read(out, "system_events", when.isoformat())
    assert events.schema["ts_event"] == pl.Datetime("ns", "UTC")
    assert events["ts_event"].dt.epoch("ns").to_list() == [midnight_ns + ns for ns in TIMES_OF_DAY]
    ipo = read(out, "ipo")["ipo_quotation_release_time"].dt.epoch("ns")
    assert ipo.to_list() == [midnight_ns + 34_201_000_000_000]
    near = read(out, "direct_listing")["near_execution_time"].dt.epoch("ns")
    assert near.to_list() == [midnight_ns + 34_202_000_000_003]
    # Before two o'clock the wall clock agrees with New York's; the wire's zero is its midnight.
    first = events["ts_event"].dt.convert_time_zone("America/New_York")[0]
    assert (first.hour, first.minute, first.date()) == (0, 0, when)


def test_every_time_of_a_synthetic_day(tmp_path, small_days):
    out = replay(small_days[0], tmp_path / "out", date=None, tables="mbo,trades,imbalance")
    midnight_ns = 1_580_360_400_000_000_000
    wire = [midnight_ns + int.from_bytes(body[5:11], "big") for body in bodies(small_days[0].read_bytes())]
    for table in ("mbo", "trades", "imbalance"):
        frame = read(out, table, columns=["seq", "ts_event"])
        expected = [wire[seq - 1] for seq in frame["seq"].to_list()]
        assert frame["ts_event"].dt.epoch("ns").to_list() == expected


def test_match_ids_and_participants(tmp_path, small_days):
    """What no other check compares: the match number of every execution in `mbo`, printable or not."""
    out = replay(small_days[0], tmp_path / "out", date=None, tables="mbo")
    said = {}
    for seq, body in enumerate(bodies(small_days[0].read_bytes()), 1):
        if body[:1] in (b"E", b"C"):
            said[seq], = struct.unpack_from(">Q", body, 23)
    frame = read(out, "mbo", columns=["seq", "match_id"]).drop_nulls()
    assert dict(frame.iter_rows()) == said
