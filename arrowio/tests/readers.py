"""Do other readers see what was written?

    cargo run -p nanobook-arrow --example write_all -- FOLDER
    python arrowio/tests/readers.py FOLDER

Opens every table of FOLDER with pyarrow, Polars and DuckDB, and compares the types and all values of its columns with
expected.json. Prints what each reader calls each type; exits with 1 at a difference.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq

# What we wrote -> what pyarrow, Polars and DuckDB should call it.
TYPES = {
    'Timestamp(ns, "UTC")': ("timestamp[ns, tz=UTC]", pl.Datetime("ns", "UTC"), "TIMESTAMPTZ_NS"),
    "Duration(ns)": ("duration[ns]", pl.Duration("ns"), "BIGINT"),
    "Decimal128(18, 9)": ("decimal128(18, 9)", pl.Decimal(18, 9), "DECIMAL(18,9)"),
    "Float64": ("double", pl.Float64, "DOUBLE"),
    "Int64": ("int64", pl.Int64, "BIGINT"),
    "UInt64": ("uint64", pl.UInt64, "UBIGINT"),
    "UInt32": ("uint32", pl.UInt32, "UINTEGER"),
    "UInt16": ("uint16", pl.UInt16, "USMALLINT"),
    "Int8": ("int8", pl.Int8, "TINYINT"),
    "Boolean": ("bool", pl.Boolean, "BOOLEAN"),
    "Utf8View": ("string", pl.String, "VARCHAR"),
}

failures = []
seen = {}


def fail(where, what):
    failures.append(where)
    print(f"DIFFERENT {where}: {what}")


def plain(kind, value):
    """A value of the JSON as Python has it."""
    if value is None or kind in ("Boolean", "Utf8View", "Float64"):
        return value
    return int(value)


def units(value):
    """A decimal as a number of its last digits."""
    return None if value is None else int(value.scaleb(9))


def compare(reader, where, kind, found_type, expected_type, found, expected):
    seen.setdefault(kind, {})[reader] = str(found_type)
    if str(found_type) != str(expected_type):
        fail(f"{reader} {where}", f"expected type {expected_type}, found {found_type}")
    if found != expected:
        at = next(i for i, (a, b) in enumerate(zip(found, expected)) if a != b)
        fail(f"{reader} {where}", f"row {at}: expected {expected[at]!r}, found {found[at]!r}")


def pyarrow_values(column, kind):
    if kind.startswith(("Timestamp", "Duration")):
        return column.cast(pa.int64()).to_pylist()
    values = column.to_pylist()
    return [units(v) for v in values] if kind.startswith("Decimal") else values


def polars_values(series, kind):
    if kind.startswith(("Timestamp", "Duration")):
        return series.cast(pl.Int64).to_list()
    values = series.to_list()
    return [units(v) for v in values] if kind.startswith("Decimal") else values


def check(folder, table, columns):
    glob = str(folder / table / "**" / "*.parquet")
    path = str(folder / table / "date=2020-01-30" / "part-0.parquet")
    arrow = pq.read_table(path, partitioning=None)
    ipc = pa.ipc.open_file(folder / f"{table}.arrow").read_all()
    frame = pl.scan_parquet(glob, hive_partitioning=True).collect()
    view = pl.read_ipc(folder / f"{table}.arrow")
    duck = duckdb.sql(f"from read_parquet('{glob}', hive_partitioning = true)")
    duck_types = dict(zip(duck.columns, duck.types))

    names = [column["name"] for column in columns]
    for reader, found in [("pyarrow", arrow.column_names), ("ipc", ipc.column_names), ("polars-ipc", view.columns)]:
        if found != names:
            fail(f"{reader} {table}", f"expected columns {names}, found {found}")
    for reader, found in [("polars", frame.columns), ("duckdb", duck.columns)]:
        if found != [*names, "date"]:
            fail(f"{reader} {table}", f"expected columns {names} and date, found {found}")
    metadata = pq.read_metadata(path).metadata
    if (metadata[b"nanobook:table"], metadata[b"nanobook:source"]) != (table.encode(), b"made up"):
        fail(f"metadata {table}", metadata)

    for column in columns:
        name, kind = column["name"], column["type"]
        where = f"{folder.name}/{table}.{name}"
        expected = [plain(kind, value) for value in column["values"]]
        in_arrow, in_polars, in_duckdb = TYPES[kind]
        compare("pyarrow", where, kind, arrow.schema.field(name).type, in_arrow, pyarrow_values(arrow[name], kind), expected)
        in_ipc = "string_view" if kind == "Utf8View" else in_arrow
        compare("pyarrow-ipc", where, kind, ipc.schema.field(name).type, in_ipc, pyarrow_values(ipc[name], kind), expected)
        compare("polars", where, kind, frame[name].dtype, in_polars, polars_values(frame[name], kind), expected)
        compare("polars-ipc", where, kind, view[name].dtype, in_polars, polars_values(view[name], kind), expected)
        as_number = f'epoch_ns("{name}")' if kind.startswith("Timestamp") else f'"{name}"'
        values = [row[0] for row in duckdb.sql(f"select {as_number} from duck").fetchall()]
        values = [units(v) for v in values] if kind.startswith("Decimal") else values
        compare("duckdb", where, kind, duck_types[name], in_duckdb, values, expected)
        nulls = sum(value is None for value in expected)
        if arrow[name].null_count != nulls:
            fail(f"pyarrow {where}", f"expected {nulls} nulls, found {arrow[name].null_count}")
    # What a notebook does first works in all three.
    rows = sum(value == "AAPL" for value in columns[3]["values"])
    for reader, found in [
        ("pyarrow", arrow.filter(pc.equal(arrow["symbol"], "AAPL")).num_rows),
        ("polars", frame.filter(pl.col("symbol") == "AAPL").height),
        ("duckdb", duckdb.sql("select count(*) from duck where symbol = 'AAPL'").fetchall()[0][0]),
    ]:
        if found != rows:
            fail(f"{reader} {table}", f"expected {rows} rows of AAPL, found {found}")


def main():
    folder = Path(sys.argv[1])
    expected = json.loads((folder / "expected.json").read_text())
    tables = 0
    for price_type, of_type in expected.items():
        for table, columns in of_type.items():
            check(folder / price_type, table, columns)
            tables += 1
    print(f"pyarrow {pa.__version__}, polars {pl.__version__}, duckdb {duckdb.__version__}: {tables} tables")
    readers = ["pyarrow", "pyarrow-ipc", "polars", "polars-ipc", "duckdb"]
    print(f"{'written as':22}" + "".join(f"{reader:42}" for reader in readers))
    for kind, types in seen.items():
        print(f"{kind:22}" + "".join(f"{types[reader]:42}" for reader in readers))
    print("all types and values are as written" if not failures else f"{len(failures)} differences")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
