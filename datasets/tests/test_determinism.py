"""The bytes of every table are the same on every run, for any number of threads, and however the input is packed."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support import TABLES, part, replay, run

#: What a file's metadata says of the file that it was made from.
OF_THE_SOURCE = {"nanobook:source", "nanobook:source_sha256", "nanobook:source_bytes"}


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A million messages: 31 MB, so several blocks, and several row groups of the large tables."""
    path = tmp_path_factory.mktemp("day") / "01302020.NASDAQ_ITCH50"
    run("synth", "--messages", 1_000_000, path)
    return path


def everything(out):
    return {table: part(out, table).read_bytes() for table in TABLES}


def rows_and_notes(out):
    """For each table the bytes of its rows with their statistics, that is all before the footer, and the notes in the
    footer without those on the source."""
    found = {}
    for table in TABLES:
        path = part(out, table)
        data = path.read_bytes()
        footer = int.from_bytes(data[-8:-4], "little")
        notes = {key.decode(): value for key, value in pq.read_metadata(path).metadata.items()}
        notes = {key: value for key, value in notes.items() if key not in OF_THE_SOURCE}
        found[table] = (data[: -8 - footer], notes)
    return found


def differing(one, other):
    return [table for table in TABLES if one[table] != other[table]]


@pytest.mark.parametrize("sort", ["time", "symbol"])
def test_threads_and_runs(tmp_path, day, sort):
    arguments = ["--sort", sort, "--depth", 3]
    first = None
    for number, threads in enumerate([1, 1, 2, 4, 4]):
        out = replay(day, tmp_path / str(number), "--threads", threads, *arguments, date=None)
        files = everything(out)
        first = first or files
        assert differing(files, first) == [], f"run {number} with {threads} threads"
    manifests = {(tmp_path / str(n) / "manifest/date=2020-01-30/manifest.json").read_bytes() for n in range(5)}
    assert len(manifests) == 1
    # The comparison means something only if blocks and row groups were many.
    assert pq.read_metadata(part(tmp_path / "0", "mbo")).num_row_groups > 4


@pytest.mark.parametrize("sort", ["time", "symbol"])
def test_every_and_filters(tmp_path, small_days, sort):
    arguments = ["--sort", sort, "--every", "1s", "--bars", "5s", "--from", "09:30", "--to", "16:00"]
    runs = [
        everything(replay(small_days[0], tmp_path / str(threads), "--threads", threads, *arguments, date=None))
        for threads in (1, 2, 4)
    ]
    assert differing(runs[0], runs[1]) == []
    assert differing(runs[0], runs[2]) == []


def in_members(data, compress):
    """Packed in pieces of uneven size, cut within messages and within their lengths."""
    pieces, at, size = [], 0, 1
    while at < len(data):
        pieces.append(compress(data[at : at + size]))
        at += size
        size = size * 3 + 1
    assert len(pieces) > 10
    return b"".join(pieces)


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


PACKED = {
    "gzip": (".gz", lambda data: gzip.compress(data, 1)),
    "gzip of many members": (".gz", lambda data: in_members(data, lambda piece: gzip.compress(piece, 1))),
    "zstd": (".zst", zstd),
    "zstd of many frames": (".zst", lambda data: in_members(data, zstd)),
    "gzip without a suffix": ("", lambda data: gzip.compress(data, 1)),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory, small_days):
    out = replay(small_days[0], tmp_path_factory.mktemp("plain") / "out", date=None)
    return rows_and_notes(out)


@pytest.mark.parametrize("packing", PACKED)
def test_packed_input(tmp_path, small_days, plain, packing):
    suffix, pack = PACKED[packing]
    source = tmp_path / f"01302020.NASDAQ_ITCH50{suffix}"
    source.write_bytes(pack(small_days[0].read_bytes()))
    out = replay(source, tmp_path / "out", date=None)
    assert differing(rows_and_notes(out), plain) == []


@pytest.mark.parametrize("packing", ["plain", "gzip of many members"])
def test_standard_input(tmp_path, small_days, plain, packing):
    data = small_days[0].read_bytes()
    if packing != "plain":
        data = PACKED[packing][1](data)
    out = replay("-", tmp_path / "out", date="2020-01-30", stdin=data)
    assert differing(rows_and_notes(out), plain) == []


def test_again_in_the_same_place(tmp_path, small_days):
    """A second run replaces the day as a whole, with the same bytes, and leaves other days alone."""
    out = tmp_path / "out"
    tables = "bbo,trades"
    run("replay", *small_days, "--out", out, "--tables", tables, "--no-progress")
    files = sorted(path for path in out.rglob("*") if path.is_file())
    before = {path: path.read_bytes() for path in files}
    replay(small_days[1], out, date=None, tables=tables)
    assert sorted(path for path in out.rglob("*") if path.is_file()) == files
    assert {path: path.read_bytes() for path in files} == before
    manifest = json.loads((out / "manifest/date=2020-01-31/manifest.json").read_text())
    assert sorted(manifest["tables"]) == ["bbo", "trades"]
