"""Runs the command `nanobook` and reads what it wrote."""

import os
import subprocess
import zlib
from pathlib import Path

import polars as pl
import pytest

REPO = Path(__file__).resolve().parents[2]
NANOBOOK = Path(os.environ.get("NANOBOOK", REPO / "target" / "ci" / "nanobook")).resolve()
SHARED = REPO.parent / "shared" / "data" / "itch"

#: A winter day, used where the day does not matter.
DATE = "2019-12-30"
DAY_NAME = "12302019.NASDAQ_ITCH50"

PREMARKET = "12302019.NASDAQ_ITCH50.premarket_cut.gz"
DIRECTORY = "12302019.NASDAQ_ITCH50.directory_cut"
SYNTHETIC = "synthetic_3symbols.NASDAQ_ITCH50"

TABLES = [
    "mbo", "bbo", "depth", "trades", "bars", "imbalance", "status", "instruments", "reg_sho", "luld", "mwcb", "ipo",
    "participants", "rpii", "direct_listing", "system_events",
]  # fmt: skip


def run(*args, code=0, stdin=None):
    """Runs the command, which must end with this exit code."""
    command = [str(NANOBOOK), *map(str, args)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    told = done.stderr.decode()
    assert done.returncode == code, f"exit code {done.returncode} of {' '.join(command)}: {told}"
    return done.stdout.decode()


def replay(source, out, *args, date=DATE, tables="all", stdin=None):
    """Replays a file into the dataset `out`, and gives that back."""
    when = ["--date", date] if date else []
    run("replay", source, "--out", out, "--tables", tables, "--no-progress", *when, *args, stdin=stdin)
    return Path(out)


def part(out, table, date=None):
    """The file of a table; of its only day unless one is named."""
    folders = sorted((Path(out) / table).glob(f"date={date or '*'}"))
    assert len(folders) == 1, f"{table} has the days {folders}"
    return folders[0] / "part-0.parquet"


def read(out, table, date=None, columns=None):
    """The rows of a table's file."""
    return pl.read_parquet(part(out, table, date), columns=columns, hive_partitioning=False)


def shared(name):
    """A file of the data folder beside the project; the test is skipped without it."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name}: there is no ../shared/data/itch beside the project")
    return path


def whole_premarket(folder):
    """The cut premarket file unpacked, without the message at its end that is torn."""
    unpack = zlib.decompressobj(31)
    data = unpack.decompress(shared(PREMARKET).read_bytes()) + unpack.flush()
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            break
        at = end
    assert len(data) - at == 35
    path = folder / "premarket_whole.itch"
    path.write_bytes(data[:at])
    return path


def assert_same(ours, theirs, what, against="the peer"):
    """Both frames have the same columns and rows; else the first row that differs is shown."""
    assert ours.columns == theirs.columns, f"{what}: columns {ours.columns} and {theirs.columns}"
    rows = min(ours.height, theirs.height)
    worst = None
    for name in ours.columns:
        mine, other = ours[name].head(rows), theirs[name].head(rows)
        assert mine.dtype == other.dtype, f"{what}.{name}: {mine.dtype}, and {other.dtype} in {against}"
        differs = mine.ne_missing(other)
        if differs.any():
            at = differs.arg_max()
            if worst is None or at < worst[0]:
                worst = (at, name, int(differs.sum()))
    if worst is not None:
        at, name, count = worst
        pytest.fail(
            f"{what}.{name} differs first at row {at} of {rows} ({count} in that column)\n"
            f"ours: {ours.row(at, named=True)}\n{against}: {theirs.row(at, named=True)}"
        )
    if ours.height != theirs.height:
        longer, name = (ours, "ours") if ours.height > theirs.height else (theirs, against)
        extra = longer.row(rows, named=True)
        pytest.fail(f"{what}: {ours.height} rows, {theirs.height} in {against}; first beyond ({name}): {extra}")
