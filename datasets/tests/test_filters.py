"""Filters take away rows and change none; sampled depth and bars follow from the other tables."""

import json
import random

import polars as pl
import pytest

from feed import Feed, faulty
from support import DATE, TABLES, assert_same, read, replay

MIDNIGHT = 1_580_360_400_000_000_000
SECOND = 1_000_000_000

#: Rows of these have no instrument.
OF_THE_MARKET = {"mwcb", "system_events"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, small_days):
    return replay(small_days[0], tmp_path_factory.mktemp("whole") / "out", "--price-type", "fixed", date=None)


def filtered(tmp_path, small_days, *arguments):
    return replay(small_days[0], tmp_path / "out", "--price-type", "fixed", *arguments, date=None)


def test_symbols(tmp_path, small_days, whole):
    names = read(whole, "mbo")["symbol"].value_counts(sort=True)["symbol"]
    chosen = [names[0], names[7], names[-1]]
    out = filtered(tmp_path, small_days, "--symbols", ",".join([*chosen, "NONE"]))
    for table in TABLES:
        expected = read(whole, table)
        if table not in OF_THE_MARKET:
            expected = expected.filter(pl.col("symbol").is_in(chosen))
            assert table in ("ipo", "direct_listing", "luld", "rpii") or expected.height > 0
        assert_same(read(out, table), expected, table, "the whole day")


@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        (["--from", "09:30", "--to", "10:00:00.5"], 34_200 * SECOND, 36_000 * SECOND + SECOND // 2),
        (["--from", "15:59:59"], 57_599 * SECOND, None),
        (["--to", "9:30:01"], None, 34_201 * SECOND),
    ],
)
def test_window(tmp_path, small_days, whole, arguments, start, end):
    out = filtered(tmp_path, small_days, *arguments)
    ns = pl.col("ts_event").dt.epoch("ns") - MIDNIGHT
    within = (ns >= (start or 0)) & (ns < (end or 1 << 62))
    for table in TABLES:
        expected = read(whole, table)
        if table != "instruments":
            expected = expected.filter(within)
        assert_same(read(out, table), expected, table, "the whole day")
    assert read(out, "mbo").height > 0


def test_window_ends_are_exact(tmp_path):
    """`--from` is within, `--to` is not."""
    feed = Feed()
    feed.directory(1, "EDGE")
    for ref, ns in enumerate([-1, 0, 1, SECOND - 1, SECOND, SECOND + 1], 1):
        feed.add(1, ref, "B", 100, 10_000 * ref, "EDGE", ns=36_000 * SECOND + ns)
    session = tmp_path / "session.itch"
    session.write_bytes(feed.data())
    out = replay(session, tmp_path / "out", "--from", "10:00", "--to", "10:00:01")
    assert read(out, "mbo")["order_id"].to_list() == [2, 3, 4]
    # Books know what was before.
    assert read(out, "bbo")["bid_px"].to_list() == [2.0, 3.0, 4.0]
    assert read(out, "instruments").height == 1


def test_window_keeps_breaks(tmp_path):
    """A trade of the window is void also when the break comes after the window."""
    feed = Feed()
    feed.directory(1, "VOID")
    feed.hidden(1, 100, 10_000, 77, "VOID", ns=36_000 * SECOND)
    feed.void(1, 77, ns=37_000 * SECOND)
    session = tmp_path / "session.itch"
    session.write_bytes(feed.data())
    for place, arguments in enumerate([[], ["--to", "10:10"], ["--symbols", "VOID"]]):
        out = replay(session, tmp_path / str(place), *arguments)
        assert read(out, "trades")["broken"].to_list() == [True], arguments


def test_window_reports_no_fault_of_its_own(tmp_path):
    """A break of the window names a trade that the feed has, though before the window."""
    feed = Feed()
    feed.directory(1, "VOID")
    feed.hidden(1, 100, 10_000, 77, "VOID", ns=36_000 * SECOND)
    feed.void(1, 77, ns=37_000 * SECOND)
    session = tmp_path / "session.itch"
    session.write_bytes(feed.data())
    # Within a window it is not known which trades the feed has, so none is said to be missing.
    for place, (arguments, unknown) in enumerate([([], 0), (["--from", "10:10"], None)]):
        out = replay(session, tmp_path / str(place), *arguments)
        manifest = json.loads((out / f"manifest/date={DATE}/manifest.json").read_text())
        assert manifest["tables"]["trades"]["report"]["unknown_breaks"] == unknown, arguments


def numbered(out, table, interval, midnight):
    ns = pl.col("ts_event").dt.epoch("ns") - midnight
    return read(out, table).with_columns(number=ns // interval).drop("ts_event")


def stamp(column):
    return pl.from_epoch(column, time_unit="ns").dt.replace_time_zone("UTC").alias("ts_event")


def sampled_depth(out, interval, midnight):
    """The last depth of each instrument within each interval, at its end."""
    depth = numbered(out, "depth", interval, midnight)
    names = [name for name in depth.columns if name != "number"]
    last = depth.group_by("number", "instrument_id", maintain_order=True).last().sort("number", "instrument_id")
    return last.select(stamp((pl.col("number") + 1) * interval + midnight), *names)


def gathered_bars(out, interval, midnight, schema):
    """Bars of trades, quoted by the best prices, in plain loops."""
    bars, quotes = {}, {}
    events = []
    for row in numbered(out, "trades", interval, midnight).iter_rows(named=True):
        if row["price"] is not None and row["qty"] > 0:
            events.append((row["seq"], row))
    for row in numbered(out, "bbo", interval, midnight).iter_rows(named=True):
        events.append((row["seq"], row))
    # At one message the trade and the quote say the same of when.
    events.sort(key=lambda event: event[0])
    for seq, row in events:
        instrument, number = row["instrument_id"], row["number"]
        bar = bars.setdefault((number, instrument), {"prices": [], "volume": 0, "notional": 0})
        bar |= {"seq": seq, "symbol": row["symbol"]}
        if "kind" in row:
            bar["prices"].append(row["price"])
            bar["volume"] += row["qty"]
            bar["notional"] += row["price"] * row["qty"]
        else:
            quotes[instrument] = (row["bid_px"], row["ask_px"])
        # What the quote is when nothing comes any more in this interval.
        bar["quote"] = quotes.get(instrument, (None, None))
    rows = []
    for (number, instrument), bar in sorted(bars.items()):
        prices, volume = bar["prices"], bar["volume"]
        ohlc = (prices[0], max(prices), min(prices), prices[-1]) if prices else (None,) * 4
        vwap = float(bar["notional"]) / float(volume) / 1e9 if volume else None
        ns = number * interval + midnight
        rows.append((ns, bar["seq"], instrument, bar["symbol"], interval, *ohlc, volume, vwap, len(prices), *bar["quote"]))
    plain = schema | {"ts_event": pl.Int64, "interval": pl.Int64}
    frame = pl.DataFrame(rows, schema=plain, orient="row")
    return frame.with_columns(stamp(pl.col("ts_event")), pl.col("interval").cast(pl.Duration("ns")))


def check_intervals(session, tmp_path, seconds, date, midnight, levels):
    interval = int(seconds * SECOND)
    text = f"{interval // 1_000_000}ms"
    common = ["--price-type", "fixed", "--depth", levels]
    tables = "bbo,trades,depth,bars"
    plain = replay(session, tmp_path / f"plain{text}", *common, "--bars", text, date=date, tables=tables)
    bars = read(plain, "bars")
    assert_same(bars, gathered_bars(plain, interval, midnight, dict(bars.schema)), "bars", "bbo and trades")
    out = replay(session, tmp_path / f"every{text}", *common, "--every", text, date=date, tables="depth")
    assert_same(read(out, "depth"), sampled_depth(plain, interval, midnight), "depth", "all changes")
    assert bars.height > 0


@pytest.mark.parametrize("seconds", [1, 60, 3600])
def test_intervals_of_a_synthetic_day(tmp_path, small_days, seconds):
    check_intervals(small_days[0], tmp_path, seconds, None, MIDNIGHT, 3)


@pytest.mark.parametrize("seed", range(4))
def test_intervals_of_a_faulty_stream(tmp_path, seed):
    session = tmp_path / "session.itch"
    session.write_bytes(faulty(seed, 10_000, own_refs=False))
    seconds = random.Random(seed).choice([0.001, 0.002, 0.007])
    check_intervals(session, tmp_path, seconds, "2020-01-30", MIDNIGHT, 2)
