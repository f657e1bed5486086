"""Who keeps memory alive: results outlive inputs, parts outlive wholes, in any order, and nothing is kept too long.

`./dev asan` runs these under AddressSanitizer.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import random
import threading

import numpy as np
import pytest

import nanobook as nb

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

from tables import COLUMNS, TABLES, even, forget, indicators, prices  # noqa: E402

ROOM = 20e6 + (300e6 if "ASAN_OPTIONS" in os.environ else 0)
"""Bytes by which memory may grow. AddressSanitizer keeps what was given back for a while, to see who still looks at it."""


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def copied(frame):
    """The same frame in memory of its own."""
    return pickle.loads(pickle.dumps(frame))


def overwrite():
    """Takes and gives back much memory, so that what is looked at too late has another value."""
    noise = [np.full(1000, np.nan) for _ in range(200)]
    del noise
    gc.collect()


def test_a_result_outlives_its_inputs():
    frame = prices()
    expected = copied(nb.backtest(even(frame), frame).equity.to_polars())
    weights = even(frame)
    result = nb.backtest(weights, frame)
    del frame, weights
    gc.collect()
    equity = result.equity
    values = equity["equity"].to_numpy()
    del result, equity
    gc.collect()
    overwrite()
    assert values.tolist() == expected["equity"].to_list()


def test_frames_dropped_in_any_order_leave_nothing():
    data = prices(50)
    choose = random.Random(5)
    kept: list[object] = []

    def one():
        frame = nb.Frame(data)
        things = [frame[3:30], frame["S1"], frame["S2"].to_numpy(), frame.to_polars(), frame.to_arrow(), frame.__arrow_c_stream__(), frame["S3"].__arrow_c_array__()]
        kept.extend(choose.sample(things, 3))
        choose.shuffle(kept)
        del kept[20:]

    for _ in range(1000):
        one()
    gc.collect()
    before = resident()
    for _ in range(10_000):
        one()
    gc.collect()
    grown = resident() - before
    print(f"10,000 rounds: {grown / 1e6:.1f} MB")
    assert grown < ROOM


@pytest.mark.parametrize("name", TABLES)
def test_what_polars_and_arrow_have_outlives_the_table_and_what_made_it(name):
    table = TABLES[name]()
    expected, polars, arrow = copied(table.to_polars()), table.to_polars(), table.to_arrow()
    columns = {column: table[column].to_arrow() for column in table.columns}
    del table
    forget()
    overwrite()
    assert polars.equals(expected, null_equal=True)
    assert pl.DataFrame(arrow).equals(expected, null_equal=True)
    assert all(pl.Series(values).equals(expected[column], null_equal=True) for column, values in columns.items())


@pytest.mark.parametrize("name", COLUMNS)
def test_arrays_outlive_the_column_that_they_are_of(name):
    values = COLUMNS[name]().to_numpy(allow_copy=False)
    expected = values.tolist()
    overwrite()
    assert values.tolist() == expected


def test_indicators_outlive_their_panels():
    for _, found in indicators():
        table = found.to_polars()
        table = table.to_frame() if isinstance(table, pl.Series) else table
        expected = table.select(pl.all().sum()).row(0)
        del found
        overwrite()
        assert table.select(pl.all().sum()).row(0) == pytest.approx(expected, nan_ok=True)


def test_results_of_large_pages_are_like_others():
    """Four megabytes and more ask the system for large pages: just below, just above, and where the pages do not end even."""
    choose = random.Random(7)
    kept = []
    for rows in [524_287, 524_288, 524_289, 600_001, 1_000_003] * 3:
        close = np.arange(rows, dtype=float)
        upper, middle, lower = nb.ta.bbands(close, window=2)
        del close
        kept += [(rows, middle), (rows, middle.to_polars()), (rows, middle.to_numpy()), (rows, middle.to_arrow())]
        del upper, middle, lower
        choose.shuffle(kept)
        del kept[6:]
        for rows, values in kept:
            assert len(values) == rows and float(np.asarray(values)[-1]) == rows - 1.5 and np.isnan(np.asarray(values)[0])


def test_borrowed_inputs_live_as_long_as_who_borrows_them():
    """Prices that were taken once are read by later backtests, when nobody else has them any more."""
    whole = prices()
    expected = nb.backtest(even(whole), whole).final_equity
    taken = {
        "polars": nb.Prices(prices()),
        "pyarrow": nb.Prices(prices().to_arrow()),
        "own": nb.Prices(nb.Frame(prices())),
        "slices": nb.Prices(nb.Frame(pl.concat([prices(3), prices()], rechunk=True))[3:]),
    }
    overwrite()
    for name, panel in taken.items():
        assert nb.backtest(even(whole), panel).final_equity == expected, name


def test_arrays_are_pinned_while_they_are_read():
    """A NumPy array whose memory somebody else owns, which goes away with it."""

    class Owner:
        def __init__(self, values):
            self.memory = (ctypes.c_double * values.size).from_buffer_copy(values.tobytes("F"))
            self.__array_interface__ = {
                "version": 3, "typestr": "<f8", "shape": values.shape, "strides": (8, 8 * len(values)),
                "data": (ctypes.addressof(self.memory), True),
            }

    returns = np.random.default_rng(2).normal(0, 0.01, (300, 4))
    expected = nb.optimize.min_variance(returns).weights.to_list()
    for _ in range(50):
        found = nb.optimize.min_variance(np.asarray(Owner(returns)))
        overwrite()
        assert found.weights.to_list() == pytest.approx(expected, abs=1e-12)


def test_capsules_may_be_dropped_or_taken_late():
    frame = nb.Frame(prices())
    expected = copied(frame.to_polars())
    stream, (schema, array) = frame.__arrow_c_stream__(), frame["S1"].__arrow_c_array__()

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return stream

    class Array:
        def __arrow_c_array__(self, requested_schema=None):
            return schema, array

    del frame
    overwrite()
    assert pl.DataFrame(pa.table(Stream())).equals(expected)
    assert pa.array(Array()).to_pylist() == expected["S1"].to_list()
    for _ in range(100):
        nb.Frame(expected).__arrow_c_stream__()
        nb.Frame(expected)["S2"].__arrow_c_array__()
    overwrite()


def test_a_stream_may_be_left_in_the_middle():
    table = pa.concat_tables([prices().to_arrow() for _ in range(5)])
    for taken in range(6):
        reader = pa.RecordBatchReader.from_stream(nb.Frame(table))
        batches = [reader.read_next_batch() for _ in range(taken)]
        del reader
        overwrite()
        assert [batch.num_rows for batch in batches] == [400] * taken
        assert all(batch.column("S0").to_pylist() == table["S0"].to_pylist()[:400] for batch in batches)


def test_threads_share_frames_and_drop_them_where_they_like():
    frame = nb.Frame(prices())
    expected = frame["S0"].to_list()
    wrong = []

    def work(seed):
        choose = random.Random(seed)
        mine = []
        for _ in range(200):
            mine.append(choose.choice([frame.to_polars, frame.to_arrow, lambda: frame[1:], lambda: frame["S0"]])())
            if choose.random() < 0.5:
                mine.pop(choose.randrange(len(mine)))
        if nb.Frame(frame.to_polars())["S0"].to_list() != expected:
            wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_iterators_frames_outlive_it():
    frames = nb.iter_itch(nb.SAMPLE, "mbo", batch_rows=5_000, limit=20_000)
    kept = [next(frames) for _ in range(2)]
    del frames
    overwrite()
    assert kept[1].to_polars().equals(nb.read_itch(nb.SAMPLE, "mbo", limit=10_000)[5_000:].to_polars())
