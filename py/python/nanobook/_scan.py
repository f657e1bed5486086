"""Raw files as a Polars source: what Polars pushes down reaches the replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nanobook._lib import itch as _itch

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 131_072


def scan(path: str, table: str, options: dict[str, Any]) -> pl.LazyFrame:
    """The source of one table; options are those of the extension."""
    # First, because it says so when there is no polars.
    schema = _itch.empty_itch(options, table).to_polars().schema

    import polars as pl
    from polars.io.plugins import register_io_source

    midnight = _itch.midnight(path, options)

    def source(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        narrowed, columns = dict(options), with_columns
        if predicate is not None:
            # A limit counts rows before the filter, so a filter may not take any away earlier.
            if n_rows is None:
                narrow(predicate, narrowed, midnight, table)
            if columns is not None:
                used = set(columns) | set(predicate.meta.root_names())
                columns = [name for name in schema.names() if name in used]
        window = {
            "table": table,
            "columns": columns,
            "limit": n_rows,
            "batch_rows": min(batch_size or BATCH_ROWS, BATCH_ROWS),
            "late_breaks": True,
        }
        for frame in _itch.batches_itch(path, narrowed, window):
            data = pl.DataFrame(frame)
            if predicate is not None:
                data = data.filter(predicate)
            if with_columns is not None:
                data = data.select(with_columns)
            yield data

    return register_io_source(source, schema=schema, validate_schema=False)


def narrow(predicate: pl.Expr, options: dict[str, Any], midnight: int, table: str) -> None:
    """Narrows symbols and times of ``options`` by what a filter surely asks for.

    The filter is still applied to what comes, so a condition that is not understood costs time and nothing else.
    """
    try:
        tree = json.loads(predicate.meta.serialize(format="json"))
    except Exception:  # noqa: BLE001  An expression with Python code in it can't be serialised.
        return
    for condition in _conjuncts(tree):
        _narrow_by(condition, options, midnight, table)


def _conjuncts(tree: Any) -> Iterator[Any]:
    match tree:
        case {"BinaryExpr": {"op": "And" | "LogicalAnd", "left": left, "right": right}}:
            yield from _conjuncts(left)
            yield from _conjuncts(right)
        case {"Alias": [inner, *_]}:
            yield from _conjuncts(inner)
        case _:
            yield tree


_FLIPPED = {"Lt": "Gt", "LtEq": "GtEq", "Gt": "Lt", "GtEq": "LtEq", "Eq": "Eq"}


def _narrow_by(condition: Any, options: dict[str, Any], midnight: int, table: str) -> None:
    match condition:
        # Older versions compare times by their microseconds, cut down: no later than the times themselves.
        case {"BinaryExpr": {"op": "Lt", "left": {"Cast": {"expr": {"Column": "ts_event"}, "dtype": {"Literal": {"Datetime": _}}}}, "right": value}}:
            _compare("ts_event", "Lt", value, options, midnight, table)
        case {"BinaryExpr": {"op": "GtEq" | "Gt", "left": {"Cast": {"expr": {"Column": "ts_event"}, "dtype": {"Literal": {"Datetime": _}}}}, "right": value}}:
            _compare("ts_event", "GtEq", value, options, midnight, table)
        case {"BinaryExpr": {"op": op, "left": {"Column": name}, "right": value}} if op in _FLIPPED:
            _compare(name, op, value, options, midnight, table)
        case {"BinaryExpr": {"op": op, "left": value, "right": {"Column": name}}} if op in _FLIPPED:
            _compare(name, _FLIPPED[op], value, options, midnight, table)
        case {"Function": {"function": {"Boolean": {"IsIn": _}}, "input": [{"Column": "symbol"}, values]}}:
            found = _value(values)
            if found is not None and not isinstance(found, str):
                _keep_symbols(options, found)
        case {"Function": {"function": {"Boolean": {"IsBetween": {"closed": closed}}}, "input": [{"Column": name}, low, high]}}:
            _compare(name, "GtEq" if closed in ("Both", "Left") else "Gt", low, options, midnight, table)
            _compare(name, "LtEq" if closed in ("Both", "Right") else "Lt", high, options, midnight, table)


def _compare(name: str, op: str, tree: Any, options: dict[str, Any], midnight: int, table: str) -> None:
    if name not in ("symbol", "ts_event"):
        return
    value = _value(tree)
    if name == "symbol" and op == "Eq" and isinstance(value, str):
        _keep_symbols(options, [value])
    # Rows of intervals stand at their end, and what they count came before.
    if name != "ts_event" or not isinstance(value, int) or table == "bars" or options.get("every"):
        return
    ns = value - midnight
    if op in ("Gt", "GtEq", "Eq"):
        start = ns + (op == "Gt")
        options["start_ns"] = max(options.get("start_ns") or 0, start, 0)
    if op in ("Lt", "LtEq", "Eq"):
        end = max(ns + (op != "Lt"), 0)
        options["end_ns"] = min(options.get("end_ns", 2**64 - 1), end)


def _keep_symbols(options: dict[str, Any], values: Any) -> None:
    # A name that no symbol can have matches no row, and the replay would call it an error.
    asked = {value for value in values if isinstance(value, str) and 0 < len(value) <= 8 and value.isascii()}
    before = options.get("symbols")
    options["symbols"] = sorted(asked if before is None else asked & set(before))


def _value(tree: Any) -> Any:
    """A literal: text as ``str``, a moment as ns since the epoch, a list as ``list``; ``None`` for anything else."""
    import polars as pl

    match tree:
        # Older versions write a moment with a zone as a function of one without.
        case {"Literal": _} | {"Cast": _} | {"Function": {"function": {"TemporalExpr": {"ReplaceTimeZone": _}}}}:
            pass
        case _:
            return None
    if _has_column(tree):
        return None
    try:
        expression = pl.Expr.deserialize(json.dumps(tree).encode(), format="json")
        series = pl.select(expression).to_series()
    except Exception:  # noqa: BLE001  What can't be evaluated narrows nothing.
        return None
    if isinstance(series.dtype, pl.List) and len(series) == 1:
        return series[0].to_list()
    if series.dtype == pl.String:
        return series[0] if len(series) == 1 else series.to_list()
    if len(series) == 1 and isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone is None:
            return None
        return series.cast(pl.Datetime("ns", series.dtype.time_zone)).to_physical()[0]
    return None


def _has_column(tree: Any) -> bool:
    if isinstance(tree, dict):
        return "Column" in tree or any(_has_column(value) for value in tree.values())
    return isinstance(tree, list) and any(_has_column(value) for value in tree)
