"""Types of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

__all__ = ["ArrowArrayExportable", "ArrowStreamExportable", "FrameLike", "MatrixLike", "VectorLike"]


@runtime_checkable
class ArrowStreamExportable(Protocol):
    """A table with the Arrow PyCapsule interface: polars, pyarrow, pandas, DuckDB, nanoarrow, :class:`nanobook.Frame`."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@runtime_checkable
class ArrowArrayExportable(Protocol):
    """An array or batch with the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> Any: ...


FrameLike: TypeAlias = "ArrowStreamExportable | ArrowArrayExportable | pl.LazyFrame"
"""A frame. Of a ``LazyFrame`` only the columns that are needed are collected."""

MatrixLike: TypeAlias = "FrameLike | npt.NDArray[np.float64] | Sequence[Sequence[float]]"
"""Rows by columns of numbers. A column of times in a frame is its index and left out."""

VectorLike: TypeAlias = "FrameLike | npt.NDArray[np.float64] | Sequence[float]"
"""Numbers: an array, a series, or a frame of one column."""
