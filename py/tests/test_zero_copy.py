"""No copies on the way into the kernel and out of it, no lock held, a fast import."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import nanobook as nb
from nanobook._lib import probe

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

from tables import COLUMNS, NAMES, ROWS, TABLES, even, indicators, prices  # noqa: E402

DAYS = prices()["date"]

def address(values):
    return values.__array_interface__["data"][0]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "pandas"])
def test_wide_frames_of_doubles_reach_the_kernel_where_they_are(kind):
    frame = prices()
    if kind == "pyarrow":
        data = frame.to_arrow()
        there = [data[name].chunk(0).buffers()[1].address for name in NAMES]
    elif kind == "pandas":
        pd = pytest.importorskip("pandas")
        columns = {name: np.array(frame[name].to_numpy()) for name in NAMES}
        data = pd.DataFrame(columns, copy=False)
        there = [address(data[name].to_numpy()) for name in NAMES]
    else:
        data, there = frame, [address(frame[name].to_numpy(allow_copy=False)) for name in NAMES]
    seen = probe.addresses(data)
    assert [seen[name] for name in NAMES] == [[place] for place in there]


def is_numeric(kind):
    return kind[0] in "fiu" and kind[1:].isdigit() or kind.startswith("decimal")


def check_column(column, place):
    """A numeric column is at this address for polars, pyarrow and NumPy."""
    series, array = column.to_polars(), column.to_arrow()
    assert array.buffers()[1].address + array.offset * array.type.bit_width // 8 == place
    # What polars hands on is where it has it. NumPy has no nulls and no decimals: polars copies them for it.
    assert probe.addresses(series.to_frame("x"))["x"] == [place]
    if column.null_count == 0 and not column.dtype.startswith("decimal"):
        assert address(series.to_numpy(allow_copy=False)) == place
        assert address(column.to_numpy(allow_copy=False)) == place


def check_table(table):
    places, polars, arrow = probe.addresses(table), probe.addresses(table.to_polars()), probe.addresses(table.to_arrow())
    numeric = [name for name, kind in zip(table.columns, table.dtypes) if is_numeric(kind)]
    for name in numeric:
        # One batch, so that NumPy has it whole.
        [place] = places[name]
        assert polars[name] == arrow[name] == [place], name
        check_column(table[name], place)
    return numeric


@pytest.mark.parametrize("name", TABLES)
def test_every_numeric_column_of_a_table_stays_where_it_was_made(name):
    table = TABLES[name]()
    assert len(table) > 0 or name == "check_lookahead"
    assert check_table(table) or name in ("itch.system_events", "itch.status") or len(table) == 0


def test_indicators_stay_where_they_were_made():
    seen = 0
    for _, found in indicators():
        seen += 1
        if isinstance(found, nb.Frame):
            assert len(check_table(found)) == len(NAMES)
        else:
            check_column(found, address(found.to_numpy(allow_copy=False)))
    assert seen > 2 * len(nb.ta.NAMES)


@pytest.mark.parametrize("name", COLUMNS)
def test_single_columns_stay_where_they_were_made(name):
    column = COLUMNS[name]()
    check_column(column, address(column.to_numpy(allow_copy=False)))


def test_ten_million_rows_cross_without_memory():
    rows = 10_000_000
    data = pl.DataFrame({name: np.zeros(rows) for name in NAMES[:5]})
    nb.Frame(data)
    before, started = resident(), time.perf_counter()
    for _ in range(20):
        back = nb.Frame(data).to_polars()
    elapsed = (time.perf_counter() - started) / 20
    print(f"400 MB there and back: {elapsed * 1e6:.0f} us")
    assert resident() - before < 8e6
    assert address(back["S0"].to_numpy(allow_copy=False)) == address(data["S0"].to_numpy(allow_copy=False))


def test_the_lock_is_free_while_a_backtest_runs():
    """This thread goes on in the middle of a call of another one, which it could not if that held the lock."""
    rng = np.random.default_rng(2)
    walk = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (ROWS, 1000)), axis=0))
    frame = pl.DataFrame({"date": DAYS, **{f"S{at}": column for at, column in enumerate(np.asfortranarray(walk).T)}})
    weights, panel = frame.select("date", pl.col("S0") * 0 + 0.5), nb.Prices(frame)
    span = []

    def work():
        begun = time.perf_counter()
        nb.backtest(weights, panel)
        span[:] = [begun, time.perf_counter()]

    # A busy machine may not come back to this thread while a call lasts: then the next one counts.
    for _ in range(300):
        span.clear()
        beats = []
        thread = threading.Thread(target=work)
        thread.start()
        while not span:
            beats.append(time.perf_counter())
        thread.join()
        begun, ended = span
        third = (ended - begun) / 3
        if any(begun + third < beat < ended - third for beat in beats):
            return
    raise AssertionError("the other thread never ran inside a call")


def test_import_brings_nothing_that_is_not_used():
    heavy = ("numpy", "polars", "pyarrow", "pandas", "matplotlib", "json", "inspect", "dataclasses", "nanobook.ta", "nanobook.reports")
    program = f"import sys, nanobook; print([m for m in {heavy} if m in sys.modules]); nanobook.scan_itch; nanobook.ta.sma"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "[]\n", done.stdout + done.stderr


def test_a_callbacks_own_traceback_shows():
    frame = prices()

    def strategy(view):
        if view.row == 7:
            raise LookupError("my own words")
        return {"S0": 0.5}

    with pytest.raises(LookupError, match="my own words") as caught:
        nb.backtest(strategy, frame)
    assert caught.traceback[-1].name == "strategy"
