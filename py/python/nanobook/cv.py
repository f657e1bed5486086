"""Splits into training and test rows that keep the future out of the past.

Each function gives a list of pairs of integer arrays, training rows and test rows, as scikit-learn's splitters yield.

>>> import nanobook as nb
>>> train, test = nb.cv.time_series(6, splits=2)[1]
>>> train.tolist(), test.tolist()
([0, 1, 2, 3], [4, 5])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from nanobook._lib import cv as _cv

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows: TypeAlias = npt.NDArray[np.int64]

__all__ = ["CombinatorialSplit", "combinatorial_purged", "purged_k_fold", "time_series", "walk_forward"]


class CombinatorialSplit(NamedTuple):
    """One choice of test folds."""

    train: Rows
    """Training rows."""
    tests: list[Rows]
    """Rows of each test fold."""
    paths: list[int]
    """The path to which each test fold belongs; a path tests every fold once."""


def _rows(pairs: list[tuple[int, int]]) -> Rows:
    import numpy as np

    ranges = [np.arange(start, end, dtype=np.int64) for start, end in pairs]
    return np.concatenate(ranges) if ranges else np.arange(0, dtype=np.int64)


def _all(splits: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]]) -> list[tuple[Rows, Rows]]:
    return [(_rows(train), _rows(test)) for train, test in splits]


def time_series(
    rows: int, *, splits: int = 5, test_size: int | None = None, max_train_size: int | None = None, gap: int = 0
) -> list[tuple[Rows, Rows]]:
    """Growing training sets, each followed by a test set; as scikit-learn's ``TimeSeriesSplit``."""
    return _all(_cv.time_series(rows, splits, test_size, max_train_size, gap))


def walk_forward(
    rows: int, *, train_size: int, test_size: int, gap: int = 0, expanding: bool = False, keep_last: bool = False
) -> list[tuple[Rows, Rows]]:
    """Windows that move on by the test window; as skfolio's ``WalkForward`` with ``purged_size=gap``."""
    return _all(_cv.walk_forward(rows, train_size, test_size, gap, expanding, keep_last))


def purged_k_fold(ends: Sequence[int], *, folds: int = 5, embargo: int = 0) -> list[tuple[Rows, Rows]]:
    """Folds of neighbouring rows, purged of labels that reach into the test fold.

    ``ends[row]`` is the last row that the label of ``row`` looks at.
    """
    return _all(_cv.purged_k_fold([int(end) for end in ends], folds, embargo))


def combinatorial_purged(
    rows: int, *, folds: int = 10, test_folds: int = 8, purge: int = 0, embargo: int = 0
) -> list[CombinatorialSplit]:
    """Every choice of test folds; as skfolio's ``CombinatorialPurgedCV``."""
    found = _cv.combinatorial_purged(rows, folds, test_folds, purge, embargo)
    return [CombinatorialSplit(_rows(train), [_rows([test]) for test in tests], paths) for train, tests, paths in found]
