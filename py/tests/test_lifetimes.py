"""Who keeps memory alive: results outlive inputs, parts outlive wholes, in any order, and nothing is kept too long.

`./dev asan` runs these under AddressSanitizer.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import threading

import numpy as np
import pytest

import nanobook as nb

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

NAMES = [f"S{at}" for at in range(6)]
DAYS = pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 2, 3), eager=True)

ROOM = 20e6 + (300e6 if "ASAN_OPTIONS" in os.environ else 0)
"""Bytes by which memory may grow. AddressSanitizer keeps what was given back for a while, to see who still looks at it."""


def prices(rows=400):
    rng = np.random.default_rng(1)
    walk = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (rows, len(NAMES))), axis=0))
    return pl.DataFrame({"date": DAYS[:rows], **dict(zip(NAMES, np.asfortranarray(walk).T))})


def even(frame):
    return frame.select("date", *[pl.lit(1 / len(NAMES)).alias(name) for name in NAMES])[::20]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def overwrite():
    """Takes and gives back much memory, so that what is looked at too late has another value."""
    noise = [np.full(1000, np.nan) for _ in range(200)]
    del noise
    gc.collect()


def test_a_result_outlives_its_inputs():
    frame = prices()
    expected = nb.backtest(even(frame), frame).equity.to_polars()
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


def test_every_table_of_a_result_outlives_it():
    frame = prices()
    names = ["equity", "holdings", "fills", "returns", "drawdown", "drawdowns", "targets", "positions"]
    result = nb.backtest(even(frame), frame, cost=5.0)
    expected = {name: getattr(result, name).to_polars().clone() for name in names}
    tables = {name: getattr(result, name) for name in names}
    polars = {name: table.to_polars() for name, table in tables.items()}
    arrow = {name: table.to_arrow() for name, table in tables.items()}
    del frame, result, tables
    overwrite()
    for name in names:
        assert polars[name].equals(expected[name], null_equal=True)
        assert pl.DataFrame(arrow[name]).equals(expected[name], null_equal=True)


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
    expected = frame.to_polars().clone()
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
