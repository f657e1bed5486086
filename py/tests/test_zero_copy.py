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

ROWS = 400
DAYS = pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 2, 3), eager=True)[:ROWS]
NAMES = [f"S{at}" for at in range(6)]


def prices(rows=ROWS):
    rng = np.random.default_rng(1)
    walk = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (rows, len(NAMES))), axis=0))
    return pl.DataFrame({"date": DAYS[:rows], **dict(zip(NAMES, np.asfortranarray(walk).T))})


def even(frame):
    return frame.select("date", *[pl.lit(1 / len(NAMES)).alias(name) for name in NAMES])[::20]


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


def test_every_numeric_column_of_a_result_is_the_kernels_own_memory():
    frame = prices()
    result = nb.backtest(even(frame), frame, cost=5.0)
    for table in [result.equity, result.holdings, result.fills, result.returns, result.drawdown]:
        places = probe.addresses(table)
        polars, arrow = table.to_polars(), table.to_arrow()
        for name, kind in zip(table.columns, table.dtypes):
            if kind[0] not in "fiu" or not kind[1:].isdigit():
                continue
            [place] = places[name]
            assert address(polars[name].to_numpy(allow_copy=polars[name].null_count() > 0)) == place or polars[name].null_count()
            assert arrow[name].chunk(0).buffers()[1].address == place
            if table[name].null_count == 0:
                assert address(table[name].to_numpy(allow_copy=False)) == place


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
