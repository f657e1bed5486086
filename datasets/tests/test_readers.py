"""What was written opens in Polars, pyarrow and DuckDB with the types that the design says, also over many days."""

import hashlib
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from support import TABLES, part, read, replay, run

DAYS = [date(2020, 1, 30), date(2020, 1, 31)]

#: Kind of column: its type in pyarrow, Polars and DuckDB.
KINDS = {
    "time": (pa.timestamp("ns", "UTC"), pl.Datetime("ns", "UTC"), "TIMESTAMPTZ_NS"),
    "span": (pa.duration("ns"), pl.Duration("ns"), "BIGINT"),  # Parquet has no type for it
    "u64": (pa.uint64(), pl.UInt64, "UBIGINT"),
    "u32": (pa.uint32(), pl.UInt32, "UINTEGER"),
    "u16": (pa.uint16(), pl.UInt16, "USMALLINT"),
    "side": (pa.int8(), pl.Int8, "TINYINT"),
    "text": (pa.string(), pl.String, "VARCHAR"),
    "bool": (pa.bool_(), pl.Boolean, "BOOLEAN"),
    "f64": (pa.float64(), pl.Float64, "DOUBLE"),
}
PRICES = {
    "float": KINDS["f64"],
    "decimal": (pa.decimal128(18, 9), pl.Decimal(18, 9), "DECIMAL(18,9)"),
    "fixed": (pa.int64(), pl.Int64, "BIGINT"),
}

HEAD = "ts_event:time seq:u64 instrument_id:u32 symbol:text"
LEVEL = "bid_px{0}:price bid_qty{0}:u64 bid_count{0}:u32 ask_px{0}:price ask_qty{0}:u64 ask_count{0}:u32"
TRACKING = "tracking_number:u16"
COLUMNS = {
    "mbo": "action:text side:side price:price qty:u64 order_id:u64 old_order_id:u64 leaves_qty:u64 match_id:u64 "
    "printable:bool mpid:text",
    "bbo": LEVEL.format(""),
    "depth": " ".join(LEVEL.format(f"_{level:02}") for level in range(10)),
    "trades": "kind:text price:price qty:u64 side:side order_id:u64 match_id:u64 cross_type:text broken:bool",
    "bars": "interval:span open:price high:price low:price close:price volume:u64 vwap:f64 trade_count:u32 "
    "bid_px:price ask_px:price",
    "imbalance": "paired_qty:u64 imbalance_qty:u64 imbalance_side:side far_px:price near_px:price ref_px:price "
    f"cross_type:text variation:text imbalance_direction:text {TRACKING}",
    "status": f"kind:text state:text reason:text market:text {TRACKING}",
    "instruments": "market_category:text financial_status_indicator:text round_lot_size:u32 round_lots_only:text "
    "issue_classification:text issue_sub_type:text authenticity:text short_sale_threshold_indicator:text "
    "ipo_flag:text luld_reference_price_tier:text etp_flag:text etp_leverage_factor:u32 inverse_indicator:text "
    f"{TRACKING}",
    "reg_sho": f"reg_sho_action:text {TRACKING}",
    "luld": "auction_collar_reference_price:price upper_auction_collar_price:price lower_auction_collar_price:price "
    f"auction_collar_extension:u32 {TRACKING}",
    "mwcb": f"level_1:price level_2:price level_3:price breached_level:text {TRACKING}",
    "ipo": f"ipo_quotation_release_time:time ipo_quotation_release_qualifier:text ipo_price:price {TRACKING}",
    "participants": "mpid:text primary_market_maker:text market_maker_mode:text market_participant_state:text "
    f"{TRACKING}",
    "rpii": f"interest_flag:text {TRACKING}",
    "direct_listing": "open_eligibility_status:text minimum_allowable_price:price maximum_allowable_price:price "
    "near_execution_price:price near_execution_time:time lower_price_range_collar:price "
    f"upper_price_range_collar:price {TRACKING}",
    "system_events": f"event_code:text {TRACKING}",
}


def columns(table, price_type):
    """Name and types of each column."""
    pairs = (column.split(":") for column in f"{HEAD} {COLUMNS[table]}".split())
    return [(name, PRICES[price_type] if kind == "price" else KINDS[kind]) for name, kind in pairs]


def test_the_list_of_tables_is_whole():
    assert list(COLUMNS) == TABLES


@pytest.fixture(scope="module", params=list(PRICES))
def two_days(request, tmp_path_factory, small_days):
    """Both days in one dataset, by one call."""
    out = tmp_path_factory.mktemp("two") / "out"
    run("replay", *small_days, "--out", out, "--tables", "all", "--price-type", request.param, "--no-progress")
    return out, request.param


def db(query):
    return duckdb.sql(query).fetchall()


@pytest.mark.parametrize("table", TABLES)
def test_types(two_days, table):
    out, price_type = two_days
    path = part(out, table, DAYS[0])
    expected = columns(table, price_type)
    assert [(field.name, field.type) for field in pq.read_schema(path)] == [(n, kind[0]) for n, kind in expected]
    assert list(pl.read_parquet_schema(path).items()) == [(name, kind[1]) for name, kind in expected]
    described = db(f"describe select * from read_parquet('{path}', hive_partitioning = false)")
    assert [row[:2] for row in described] == [(name, kind[2]) for name, kind in expected]
    if price_type == "fixed":
        for field in pq.read_schema(path):
            scale = (field.metadata or {}).get(b"nanobook:scale")
            assert scale == (b"9" if field.type == pa.int64() else None), field.name


@pytest.mark.parametrize("table", TABLES)
def test_scan_of_two_days(two_days, table):
    """As one table with the column `date`, in each reader, with the rows that the manifests count."""
    out, price_type = two_days
    expected = {}
    for day in DAYS:
        manifest = json.loads((out / f"manifest/date={day}/manifest.json").read_text())
        expected[day] = manifest["tables"][table]["rows"]
    assert table in ("luld", "ipo", "direct_listing", "rpii") or min(expected.values()) > 0
    expected = {day: rows for day, rows in expected.items() if rows > 0}
    names = [name for name, _ in columns(table, price_type)] + ["date"]

    for place in (out / table, out / table / "**" / "*.parquet"):
        frame = pl.scan_parquet(place, hive_partitioning=True)
        assert frame.collect_schema().names() == names
        assert dict(frame.group_by("date").len().collect().iter_rows()) == expected
        last = frame.filter(pl.col("date") == DAYS[1]).select(pl.len()).collect().item()
        assert last == expected.get(DAYS[1], 0)

    partitioning = ds.partitioning(pa.schema([("date", pa.date32())]), flavor="hive")
    dataset = ds.dataset(out / table, partitioning=partitioning)
    assert dataset.schema.names == names
    for day in DAYS:
        assert dataset.count_rows(filter=ds.field("date") == day) == expected.get(day, 0)

    scan = f"read_parquet('{out}/{table}/**/*.parquet', hive_partitioning = true)"
    assert [row[0] for row in db(f"describe select * from {scan}")] == names
    assert dict(db(f"select date, count(*) from {scan} group by date")) == expected


def test_the_readers_agree(two_days):
    """On a query that touches times, prices, sides and text of both days."""
    out, price_type = two_days
    scan = f"read_parquet('{out}/trades/**/*.parquet', hive_partitioning = true)"
    found = db(
        f"select symbol, count(*), sum(qty)::ubigint, min(epoch_ns(ts_event)), max(price), sum(side) from {scan} "
        "where kind = 'displayed' group by symbol order by symbol"
    )
    frame = pl.scan_parquet(out / "trades", hive_partitioning=True).filter(pl.col("kind") == "displayed")
    by_symbol = frame.group_by("symbol").agg(
        pl.len().alias("n"),
        pl.col("qty").sum(),
        pl.col("ts_event").dt.epoch("ns").min(),
        pl.col("price").max(),
        pl.col("side").cast(pl.Int64).sum(),
    )
    assert found == by_symbol.sort("symbol").collect().rows()
    assert len(found) > 100
    table = ds.dataset(out / "trades", partitioning="hive").to_table(filter=ds.field("kind") == "displayed")
    grouped = table.group_by("symbol").aggregate([("qty", "sum"), ("price", "max")]).sort_by("symbol")
    assert grouped["qty_sum"].to_pylist() == [row[2] for row in found]
    assert grouped["price_max"].to_pylist() == [row[4] for row in found]


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_provenance(two_days, small_days):
    """Every file says where it comes from; the manifest says the same, and so does the source itself."""
    out, price_type = two_days
    for day, source in zip(DAYS, small_days, strict=True):
        manifest = json.loads((out / f"manifest/date={day}/manifest.json").read_text())
        assert sorted(manifest["tables"]) == sorted(TABLES)
        for table, entry in manifest["tables"].items():
            path = part(out, table, day)
            metadata = pq.read_metadata(path)
            notes = {key.decode(): value.decode() for key, value in metadata.metadata.items()}
            assert notes["nanobook:table"] == table
            assert notes["nanobook:version"] == str(entry["version"])
            assert notes["nanobook:source"] == entry["source"] == source.name
            assert notes["nanobook:source_sha256"] == entry["source_sha256"] == digest(source)
            assert int(notes["nanobook:source_bytes"]) == entry["source_bytes"] == source.stat().st_size
            assert notes["nanobook:session_date"] == entry["session_date"] == str(day)
            assert notes["nanobook:tool"] == entry["tool"]
            assert json.loads(notes["nanobook:filters"]) == entry["filters"]
            assert json.loads(notes["nanobook:report"]) == entry["report"]
            assert entry["filters"]["price_type"] == price_type
            assert entry["report"]["messages"] == 300_000
            assert entry["rows"] == metadata.num_rows
            assert entry["bytes"] == path.stat().st_size


def test_ls(two_days):
    out, _ = two_days
    lines = [line.split() for line in run("ls", out).splitlines()]
    assert lines[0] == ["date", "table", "rows", "bytes", "source"]
    listed = {(row[0], row[1]): (row[2].replace(",", ""), row[3].replace(",", ""), row[4]) for row in lines[1:]}
    assert len(listed) == len(lines) - 1 == 2 * len(TABLES)
    for day in DAYS:
        for table in TABLES:
            path = part(out, table, day)
            name = f"{day:%m%d%Y}.NASDAQ_ITCH50"
            expected = (str(pq.read_metadata(path).num_rows), str(path.stat().st_size), name)
            assert listed[(str(day), table)] == expected


def ranges(path, column):
    """Smallest and largest value of each row group, as its statistics say."""
    metadata = pq.read_metadata(path)
    at = metadata.schema.names.index(column)
    found = []
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(at).statistics
        assert statistics is not None and statistics.has_min_max, f"{column} of group {group} has no statistics"
        found.append((statistics.min_raw, statistics.max_raw))
    return found


def groups_that_match(path, expression):
    """Row groups that a reader has to look at."""
    [fragment] = ds.dataset(path).get_fragments()
    return sum(len(piece.row_groups) for piece in fragment.split_by_row_group(expression))


def nanoseconds(when):
    return pa.scalar(when, pa.timestamp("ns", "UTC"))


def test_groups_prune_on_time(tmp_path, small_days):
    out = replay(small_days[0], tmp_path / "out", date=None, tables="mbo,depth")
    for table in ("mbo", "depth"):
        path = part(out, table)
        for column in ("ts_event", "seq"):
            found = ranges(path, column)
            assert len(found) > 2
            assert all(low <= high for low, high in found)
            # Two messages of one nanosecond may stand on both sides of a cut; no two have one seq.
            gaps = zip(found, found[1:], strict=False)
            assert all(before[1] < after[0] or column == "ts_event" and before[1] == after[0] for before, after in gaps)
        times = read(out, table, columns=["ts_event"])["ts_event"]
        middle = times[len(times) // 2]
        end = middle + timedelta(milliseconds=1)
        within = (ds.field("ts_event") >= nanoseconds(middle)) & (ds.field("ts_event") < nanoseconds(end))
        assert 1 <= groups_that_match(path, within) <= 2
        assert groups_that_match(path, ds.field("ts_event") < nanoseconds(datetime(2020, 1, 30))) == 0


def test_groups_prune_on_symbol(tmp_path, small_days):
    out = replay(small_days[0], tmp_path / "out", "--sort", "symbol", date=None, tables="mbo,depth")
    plain = replay(small_days[0], tmp_path / "plain", date=None, tables="mbo,depth")
    for table in ("mbo", "depth"):
        path = part(out, table)
        found = ranges(path, "symbol")
        assert len(found) > 2
        assert all(before[1] <= after[0] for before, after in zip(found, found[1:], strict=False))
        frame = read(out, table)
        assert frame.equals(read(plain, table).sort("symbol", "seq", nulls_last=True))
        largest = max(pq.read_metadata(path).row_group(group).num_rows for group in range(len(found)))
        counts = dict(frame["symbol"].value_counts().iter_rows())
        for symbol in sorted(counts)[::17]:
            groups = groups_that_match(path, ds.field("symbol") == symbol)
            # Cut between symbols where that is possible: one group, and one more for each that it overfills.
            assert 1 <= groups <= 1 + -(-counts[symbol] // largest)
            assert groups < len(found)
