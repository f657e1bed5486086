from collections.abc import Sequence
from typing import TypeAlias

_Pairs: TypeAlias = list[tuple[int, int]]

def time_series(
    rows: int, splits: int, test_size: int | None, max_train_size: int | None, gap: int
) -> list[tuple[_Pairs, _Pairs]]: ...
def walk_forward(
    rows: int, train_size: int, test_size: int, gap: int, expanding: bool, keep_last: bool
) -> list[tuple[_Pairs, _Pairs]]: ...
def purged_k_fold(ends: Sequence[int], folds: int, embargo: int) -> list[tuple[_Pairs, _Pairs]]: ...
def combinatorial_purged(
    rows: int, folds: int, test_folds: int, purge: int, embargo: int
) -> list[tuple[_Pairs, _Pairs, list[int]]]: ...
