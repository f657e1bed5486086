"""Splits against scikit-learn, and skfolio's, which are in peers/splits.json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nanobook as nb


def test_time_series_equals_scikit_learn() -> None:
    selection = pytest.importorskip("sklearn.model_selection")
    for rows, splits, test_size, most, gap in [
        (100, 5, None, None, 0),
        (101, 4, None, 30, 2),
        (50, 3, 7, None, 5),
        (1257, 4, 60, 500, 5),
    ]:
        reference = selection.TimeSeriesSplit(splits, test_size=test_size, max_train_size=most, gap=gap)
        found = nb.cv.time_series(rows, splits=splits, test_size=test_size, max_train_size=most, gap=gap)
        for mine, wanted in zip(found, reference.split(np.zeros(rows)), strict=True):
            np.testing.assert_array_equal(mine[0], wanted[0])
            np.testing.assert_array_equal(mine[1], wanted[1])


def test_skfolio_splits_by_the_oracle(shared) -> None:
    oracle = json.loads((shared / "oracle" / "11_stats_cv.json").read_text())
    found = nb.cv.combinatorial_purged(1256, folds=6, test_folds=2, purge=5, embargo=3)
    for mine, wanted in zip(found, oracle["combinatorial_purged_6_2_purge5_embargo3"], strict=True):
        train = [int(mine.train[0]), int(mine.train[-1]), len(mine.train), int(mine.train.sum())]
        assert train == wanted["train"]
        assert [[int(t[0]), int(t[-1])] for t in mine.tests] == wanted["test_folds"]
    found = nb.cv.walk_forward(1256, train_size=252, test_size=60, gap=5)
    wanted = oracle["walk_forward_252_60_purge5"]
    assert [[[int(a[0]), int(a[-1])], [int(b[0]), int(b[-1])]] for a, b in found] == wanted


def test_splits_equal_those_of_skfolio() -> None:
    wanted = json.loads((Path(__file__).parent / "peers" / "splits.json").read_text())

    def ends(rows: np.ndarray) -> list[list[int]]:
        parts = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
        return [[int(part[0]), int(part[-1])] for part in parts if len(part)]

    for name, expanding in (("expanding", True), ("rolling", False)):
        found = nb.cv.walk_forward(500, train_size=120, test_size=40, gap=7, expanding=expanding)
        pairs = [[ends(np.asarray(train)), ends(np.asarray(test))] for train, test in found]
        assert pairs == wanted[f"walk_forward_{name}_120_40_7"]
    splits = nb.cv.combinatorial_purged(500, folds=6, test_folds=2, purge=5, embargo=3)
    found = [[ends(np.asarray(s.train)), [ends(np.asarray(test))[0] for test in s.tests]] for s in splits]
    assert found == wanted["combinatorial_6_2_5_3"]


def test_nothing_leaks() -> None:
    random = np.random.default_rng(0)
    ends = np.minimum(np.arange(300) + random.integers(0, 15, 300), 299)
    for train, test in nb.cv.purged_k_fold(ends.tolist(), folds=6, embargo=4):
        reach = ends[test].max()
        assert all(ends[row] < test[0] or row > reach + 4 for row in train)
    with pytest.raises(nb.InputError, match="splits"):
        nb.cv.time_series(10, splits=1)
    with pytest.raises(nb.InputError, match="at least 13"):
        nb.cv.walk_forward(10, train_size=8, test_size=5)
