"""Raw files."""

from __future__ import annotations

import datetime as dt
import gc
import os
import signal
import subprocess
import sys
import time

import pytest

import nanobook as nb

pl = pytest.importorskip("polars")


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A synthetic day with breaks, of 300,000 messages and 200 symbols."""
    path = tmp_path_factory.mktemp("itch") / "01302020.NASDAQ_ITCH50"
    nb.synth_itch(path, messages=300_000, symbols=200, seed=7)
    return path


@pytest.fixture(scope="module")
def dataset(day, tmp_path_factory):
    out = tmp_path_factory.mktemp("dataset")
    nb.replay_itch(day, out, tables="all", progress=False)
    return out


def parquet(dataset, table):
    return pl.read_parquet(dataset / table / "date=2020-01-30" / "part-0.parquet", hive_partitioning=False)


def test_the_sample_is_whole():
    report = nb.verify_itch(nb.SAMPLE)
    assert report.messages == 50_000
    assert not report.has_faults
    assert "messages          50,000" in repr(report)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(nb.SourceError, match="missing.itch") as caught:
        nb.verify_itch(tmp_path / "missing.itch")
    assert isinstance(caught.value, OSError)


def test_a_cut_file_is_a_feed_error(shared):
    path = shared / "itch" / "12302019.NASDAQ_ITCH50.premarket_cut.gz"
    with pytest.raises(nb.FeedError, match="unpacked bytes"):
        nb.verify_itch(path)
    assert nb.verify_itch(path, allow_truncated=True).counts["truncated"]
    assert len(nb.read_itch(path, "bbo", allow_truncated=True)) == 4962


def test_wrong_options_are_named(tmp_path):
    for wrong, message in [
        ({"framing": "lines"}, "length, zero, none"),
        ({"table": "quotes"}, "bbo"),
        ({"depth": 0}, "between 1 and 100"),
        ({"start": "25:00"}, "no time of day"),
        ({"bars": "1 fortnight"}, "fortnight"),
        ({"price_type": "cents"}, "cents"),
        ({"date": "30.1.2020"}, "2020-01-30"),
    ]:
        with pytest.raises(nb.InputError, match=message):
            nb.read_itch(nb.SAMPLE, **wrong)
    with pytest.raises(nb.InputError, match="does not tell the session's date"):
        (tmp_path / "day").write_bytes(b"")
        nb.read_itch(tmp_path / "day")
    with pytest.raises(nb.InputError) as caught:
        nb.read_itch(nb.SAMPLE, symbols=["A", "far too long for a symbol"])
    assert caught.value.symbol == "far too long for a symbol"
    with pytest.raises(nb.MissingError, match="bbo has no column 'bid'|bbo has no column \"bid\"") as caught:
        nb.read_itch(nb.SAMPLE, columns=["bid"])
    assert caught.value.column == "bid"


@pytest.mark.parametrize("table", ["mbo", "bbo", "depth", "trades", "bars", "status", "instruments", "imbalance"])
def test_a_table_is_what_the_files_hold(day, dataset, table):
    expected = parquet(dataset, table)
    assert len(expected) > 0
    assert nb.read_itch(day, table).to_polars().equals(expected)
    assert nb.scan_itch(day, table).collect().equals(expected)


def test_late_breaks_are_in_what_is_read_and_scanned(day, dataset):
    expected = parquet(dataset, "trades")
    assert expected["broken"].any()
    assert nb.read_itch(day, "trades", columns=["broken"]).to_polars()["broken"].equals(expected["broken"])
    lazy = nb.scan_itch(day, "trades").filter(pl.col("broken"))
    assert lazy.collect().equals(expected.filter(pl.col("broken")))


def test_price_types(day):
    types = {"float": pl.Float64, "decimal": pl.Decimal(18, 9), "fixed": pl.Int64}
    for name, expected in types.items():
        frame = nb.read_itch(day, "bbo", price_type=name, limit=1)
        assert frame.to_polars().schema["bid_px"] == expected


def test_frames_come_in_pieces_that_make_the_whole(day):
    whole = nb.read_itch(day, "mbo").to_polars()
    pieces = [frame.to_polars() for frame in nb.iter_itch(day, "mbo", batch_rows=10_000)]
    assert {len(piece) for piece in pieces[:-1]} == {10_000}
    assert pl.concat(pieces).equals(whole)
    some = nb.iter_itch(day, "mbo", batch_rows=1000, limit=2500, columns=["order_id", "seq"])
    assert [frame.shape for frame in some] == [(1000, 2), (1000, 2), (500, 2)]


def test_an_iterator_may_be_dropped_at_any_point(day):
    for taken in range(4):
        frames = nb.iter_itch(day, "mbo", batch_rows=100)
        for _ in range(taken):
            next(frames)
        del frames
    gc.collect()
    frames = nb.iter_itch(day, "mbo", batch_rows=100)
    next(frames)
    frames.close()
    assert list(frames) == []


def test_filters_are_those_of_polars(day):
    symbols = nb.inspect_itch(day).symbols["symbol"].to_list()
    whole = nb.read_itch(day, "bbo").to_polars()
    middle = whole["ts_event"][len(whole) // 2]
    later = whole["ts_event"][len(whole) * 3 // 4]
    scan = nb.scan_itch(day, "bbo")
    symbol, ts = pl.col("symbol"), pl.col("ts_event")
    filters = [
        symbol == symbols[0],
        pl.lit(symbols[1]) == symbol,
        symbol.is_in(symbols[:3]),
        symbol.is_in(symbols[:3]) & (symbol == symbols[2]),
        (symbol == symbols[0]) | (symbol == symbols[1]),
        symbol == "NO SUCH SYMBOL",
        symbol != symbols[0],
        ts >= middle,
        ts > middle,
        ts < middle,
        ts <= middle,
        ts == middle,
        ts.is_between(middle, later),
        ts.is_between(middle, later, closed="none"),
        (symbol == symbols[0]) & (ts >= middle) & (ts < later) & (pl.col("bid_px") > 0),
        pl.col("bid_qty") > pl.col("ask_qty"),
        ts.dt.hour() == 15,
    ]
    for condition in filters:
        expected = whole.filter(condition)
        assert scan.filter(condition).collect().equals(expected), condition
        selected = scan.filter(condition).select("ask_px", "seq").collect()
        assert selected.equals(expected.select("ask_px", "seq")), condition
    assert scan.head(7).collect().equals(whole.head(7))
    assert scan.filter(symbol == symbols[0]).head(7).collect().equals(whole.filter(symbol == symbols[0]).head(7))
    assert scan.head(70).filter(symbol == symbols[0]).collect().equals(whole.head(70).filter(symbol == symbols[0]))
    assert scan.select(pl.len()).collect().item() == len(whole)


def test_what_polars_pushes_down_reaches_the_replay(day, monkeypatch):
    import nanobook._scan as source

    seen = []
    real = source._itch.batches_itch

    class Spy:
        def __getattr__(self, name):
            return getattr(real.__self__ if name == "__self__" else nb._lib.itch, name)

        @staticmethod
        def batches_itch(path, options, window):
            seen.append((options, window))
            return real(path, options, window)

    monkeypatch.setattr(source, "_itch", Spy())
    moment = dt.datetime(2020, 1, 30, 15, 0, tzinfo=dt.timezone.utc)
    scan = nb.scan_itch(day, "bbo")
    scan.filter((pl.col("symbol") == "BAAA") & (pl.col("ts_event") < moment)).select("bid_px").collect()
    options, window = seen.pop()
    assert options["symbols"] == ["BAAA"]
    assert options["end_ns"] == 10 * 3_600_000_000_000
    assert window["columns"] == ["ts_event", "symbol", "bid_px"]
    scan.head(3).collect()
    assert seen.pop()[1]["limit"] == 3


def test_the_streaming_engine_works(day):
    lazy = nb.scan_itch(day, "mbo").group_by("symbol").agg(pl.len().alias("n"))
    streamed = lazy.collect(engine="streaming")
    assert streamed.sort("symbol").equals(lazy.collect().sort("symbol"))


def test_a_dataset_lists_what_it_holds(dataset):
    entries = nb.catalog(dataset)
    assert set(entries["date"].to_list()) == {"2020-01-30"}
    assert len(entries) == 16
    with pytest.raises(nb.SourceError):
        nb.catalog(dataset / "bbo")


def test_windows_are_times_in_new_york(day):
    frame = nb.read_itch(day, "mbo", start=dt.time(9, 30), end="10:00")
    first, last = frame["ts_event"][0], frame["ts_event"][-1]
    assert dt.time(14, 30) <= first.time() and last.time() < dt.time(15, 0)


INTERRUPTED = """
import os, sys
import nanobook as nb

print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", flush=True)
while os.path.exists(sys.argv[2]):
    pass
print("clean", flush=True)
"""


@pytest.mark.parametrize("head", ["some messages", "half a message", "nothing"])
@pytest.mark.parametrize(
    "call",
    [
        "nb.replay_itch(sys.argv[1], sys.argv[2], tables='all', progress=False)",
        "nb.replay_itch(sys.argv[1], sys.argv[2], tables='mbo', progress=False, threads=1)",
        "nb.read_itch(sys.argv[1], 'mbo')",
        "nb.verify_itch(sys.argv[1])",
        "for frame in nb.iter_itch(sys.argv[1], 'mbo'): pass",
    ],
)
def test_ctrl_c_ends_long_work_and_leaves_nothing(call, head, tmp_path, day):
    """A feed that is silent for ever: nothing but Ctrl-C can end the work, and what it wrote goes while it is silent."""
    feed, out = tmp_path / "01302020.NASDAQ_ITCH50", tmp_path / "out"
    os.mkfifo(feed)
    program = INTERRUPTED.format(call=call)
    process = subprocess.Popen(
        [sys.executable, "-c", program, feed, out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    sent = {"some messages": day.read_bytes(), "half a message": day.read_bytes()[:1001], "nothing": b""}[head]
    with process, open(feed, "wb") as other_end:
        other_end.write(sent)
        other_end.flush()
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n", process.stderr.read()
        print(f"interrupted after {time.monotonic() - asked:.3f} s")
        assert process.stdout.readline() == "clean\n"
        assert process.wait(timeout=30) == 0
    assert not out.exists()


def test_ctrl_c_in_the_middle_of_a_file(tmp_path):
    """A file of which seconds are left: the rest is not replayed, and what was there before is still there."""
    path, out = tmp_path / "01302020.NASDAQ_ITCH50", tmp_path / "out"
    nb.synth_itch(path, messages=2_000_000, symbols=500)
    nb.replay_itch(nb.SAMPLE, out, tables="mbo", progress=False)
    before = sorted(out.rglob("*"))
    program = """
import sys, threading, _thread, time
import nanobook as nb
def press():
    while not any(name.startswith(".nanobook-") for name in __import__("os").listdir(sys.argv[2])):
        pass
    pressed.append(time.monotonic())
    _thread.interrupt_main()
pressed = []
threading.Thread(target=press).start()
try:
    nb.replay_itch(sys.argv[1], sys.argv[2], tables="all", progress=False)
    print("finished")
except KeyboardInterrupt:
    print(f"interrupted after {time.monotonic() - pressed[0]:.3f} s")
"""
    done = subprocess.run([sys.executable, "-c", program, path, out], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("interrupted after"), done.stdout + done.stderr
    print(done.stdout)
    assert sorted(out.rglob("*")) == before


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "nanobook.command", *arguments], capture_output=True, text=True)


def test_the_command_is_in_the_wheel(tmp_path):
    assert nb.__version__ in run("--version").stdout
    assert "50,000" in run("verify", "--sample").stdout
    assert run("replay", "--sample", "--out", str(tmp_path)).returncode == 0
    assert (tmp_path / "bbo" / "date=2020-01-30" / "part-0.parquet").exists()
    wrong = run("replay")
    assert wrong.returncode == 2 and "Usage" in wrong.stderr
    assert run("ls", str(tmp_path / "bbo")).returncode == 1
