"""Raw NASDAQ TotalView-ITCH 5.0 files: replayed into tables, frames and books.

A path is a file (plain, gzip or zstd, told by its content), ``"-"`` for standard input, or :data:`SAMPLE`. The day of
the session comes from the file's name (``01302020.NASDAQ_ITCH50.gz``) unless ``date`` gives it.
"""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nanobook._lib import book as _book
from nanobook._lib import itch as _itch
from nanobook._lib.book import OrderBook
from nanobook._lib.frame import Frame
from nanobook._progress import progress_bar

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

__all__ = [
    "SAMPLE",
    "Inspection",
    "ReplayReport",
    "ReplayedDay",
    "book_itch",
    "catalog",
    "inspect_itch",
    "iter_itch",
    "read_itch",
    "replay_itch",
    "scan_itch",
    "synth_itch",
    "verify_itch",
]

SAMPLE: str = _itch.SAMPLE
"""A path that stands for a synthetic day of 50,000 messages and 40 symbols that is part of this package."""

TABLES: tuple[str, ...] = _itch.TABLES
"""The names of all tables."""

# Ctrl-C waits for work to clean up, but not for long.
atexit.register(_itch.remove_unfinished)

PathLike: TypeAlias = "str | os.PathLike[str]"
Framing: TypeAlias = Literal["length", "zero", "none"]
"""How messages are framed: two bytes of length before each (NASDAQ), two zero bytes, or nothing at all."""
PriceType: TypeAlias = Literal["float", "decimal", "fixed"]
"""Prices as ``Float64`` (exact for four decimals), ``Decimal(18, 9)``, or integers in units of 1e-9."""
Table: TypeAlias = Literal[
    "mbo",
    "bbo",
    "depth",
    "trades",
    "bars",
    "imbalance",
    "status",
    "instruments",
    "reg_sho",
    "luld",
    "mwcb",
    "ipo",
    "participants",
    "rpii",
    "direct_listing",
    "system_events",
]
TimeOfDay: TypeAlias = "str | dt.time"
"""A time in New York: ``"09:30"``, ``"15:59:59.5"``, or a ``datetime.time``."""


class ReplayReport:
    """What was seen of a session: counts, faults, and the state at its end; ``print`` shows all of it."""

    __slots__ = ("_text", "counts", "has_faults")

    counts: dict[str, Any]
    """Everything, as the manifest of a dataset has it."""
    has_faults: bool
    """Whether anything was odd: a fault, a skipped message, a missing end, a book crossed at the end."""

    def __init__(self, counts: dict[str, Any], text: str, has_faults: bool) -> None:
        self.counts = counts
        self._text = text
        self.has_faults = has_faults

    @property
    def messages(self) -> int:
        """Messages of the file."""
        return self.counts["messages"]

    @property
    def messages_by_type(self) -> dict[str, int]:
        """Messages of each type, by its letter."""
        return self.counts["messages_by_type"]

    @property
    def faults(self) -> dict[str, int]:
        """How often each kind of fault was seen."""
        return self.counts["faults"]

    def __repr__(self) -> str:
        return self._text


class ReplayedDay:
    """What :func:`replay_itch` wrote."""

    __slots__ = ("date", "files", "report")

    date: dt.date
    """The day of the session."""
    files: Frame
    """The files, with columns ``table, rows, bytes, path``."""
    report: ReplayReport
    """What was seen of the session."""

    def __init__(self, date: dt.date, files: Frame, report: ReplayReport) -> None:
        self.date = date
        self.files = files
        self.report = report

    def __repr__(self) -> str:
        return f"{self.report}{self.files}"


class Inspection:
    """What :func:`inspect_itch` counted."""

    __slots__ = ("_text", "counts", "symbols")

    counts: dict[str, Any]
    """Everything but the symbols."""
    symbols: Frame
    """The symbols of the directory with the number of their messages, most first; columns ``symbol, messages``."""

    def __init__(self, counts: dict[str, Any], symbols: Frame, text: str) -> None:
        self.counts = counts
        self.symbols = symbols
        self._text = text

    @property
    def messages(self) -> int:
        """Messages of the file."""
        return self.counts["messages"]

    def __repr__(self) -> str:
        return self._text


def _options(
    *,
    framing: Framing | None,
    allow_truncated: bool,
    date: str | dt.date | None = None,
    symbols: str | Iterable[str] | None = None,
    start: TimeOfDay | None = None,
    end: TimeOfDay | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """The options as the extension takes them."""

    def clock(time: TimeOfDay | None) -> str | None:
        return time if time is None or isinstance(time, str) else time.isoformat()

    return {
        "framing": framing,
        "allow_truncated": allow_truncated,
        "date": None if date is None else str(date),
        "symbols": [symbols] if isinstance(symbols, str) else None if symbols is None else list(symbols),
        "start": clock(start),
        "end": clock(end),
        **rest,
    }


def verify_itch(
    path: PathLike,
    *,
    framing: Framing | None = None,
    allow_truncated: bool = False,
) -> ReplayReport:
    """Builds all books of a raw file and reports what is odd; writes nothing.

    Parameters
    ----------
    path
        A file, ``"-"`` for standard input, or :data:`SAMPLE`.
    framing
        How messages are framed; found out unless named.
    allow_truncated
        Take a file that ends in the middle of a message for as much as there is.

    Raises
    ------
    SourceError
        When the file can't be read.
    FeedError
        When it is damaged or holds no message.

    Examples
    --------
    >>> import nanobook as nb
    >>> report = nb.verify_itch(nb.SAMPLE)
    >>> report.messages, report.has_faults
    (50000, False)
    """
    options = _options(framing=framing, allow_truncated=allow_truncated)
    counts, text, has_faults = _itch.verify_itch(os.fspath(path), options)
    return ReplayReport(json.loads(counts), text, has_faults)


def inspect_itch(
    path: PathLike,
    *,
    framing: Framing | None = None,
    allow_truncated: bool = False,
) -> Inspection:
    """Counts messages, symbols and times of a raw file without building books.

    Parameters and errors are those of :func:`verify_itch`.

    Examples
    --------
    >>> import nanobook as nb
    >>> seen = nb.inspect_itch(nb.SAMPLE)
    >>> seen.counts["messages_by_type"]["R"], len(seen.symbols)
    (40, 40)
    """
    options = _options(framing=framing, allow_truncated=allow_truncated)
    text, counts, symbols = _itch.inspect_itch(os.fspath(path), options)
    return Inspection(json.loads(counts), symbols, text)


def synth_itch(
    path: PathLike,
    *,
    messages: int = 1_000_000,
    symbols: int = 8907,
    seed: int = 1,
) -> int:
    """Writes a synthetic trading day, the same for the same seed, and returns its size unpacked in bytes.

    Parameters
    ----------
    path
        Its name should tell the day, as in ``01302020.NASDAQ_ITCH50``; ``.gz`` or ``.zst`` at its end packs it.
    messages
        Messages of the day.
    symbols
        Symbols of the directory.
    seed
        Same seed, same day.
    """
    return _itch.synth_itch(os.fspath(path), messages, symbols, seed)


def replay_itch(
    path: PathLike,
    out: PathLike,
    *,
    tables: Sequence[Table] | Literal["all"] | None = None,
    symbols: str | Iterable[str] | None = None,
    start: TimeOfDay | None = None,
    end: TimeOfDay | None = None,
    depth: int = 10,
    every: str | None = None,
    bars: str = "1m",
    price_type: PriceType = "float",
    sort: Literal["time", "symbol"] = "time",
    date: str | dt.date | None = None,
    framing: Framing | None = None,
    allow_truncated: bool = False,
    threads: int | None = None,
    progress: bool = True,
) -> ReplayedDay:
    """Replays a raw file into a Parquet dataset, ``OUT/<table>/date=YYYY-MM-DD/part-0.parquet``.

    A day is replaced as a whole, or stays as it was when the replay fails or is interrupted. The files are the same for
    any number of threads.

    Parameters
    ----------
    path
        A file, ``"-"`` for standard input, or :data:`SAMPLE`.
    out
        Folder of the dataset.
    tables
        Tables to write; every table but ``mbo`` and ``depth`` unless named.
    symbols
        Only rows of these; the books are built all the same.
    start, end
        Only rows from ``start`` on and before ``end``.
    depth
        Levels of each side in ``depth``.
    every
        ``depth`` at the end of every such interval (``"1s"``) in which it changed, instead of at every change.
    bars
        Interval of ``bars``.
    price_type
        Type of price columns.
    sort
        Order of rows: as they happened, or by symbol (smaller, and one symbol is read fast).
    date
        Day of the session, where the file's name does not tell it.
    framing, allow_truncated
        As for :func:`verify_itch`.
    threads
        Threads that encode; as many as there are cores unless named.
    progress
        Draw a bar in a terminal or notebook when it takes over a second.

    Examples
    --------
    >>> import nanobook as nb, tempfile
    >>> out = tempfile.mkdtemp()
    >>> day = nb.replay_itch(nb.SAMPLE, out, tables=["bbo", "trades"])
    >>> day.date
    datetime.date(2020, 1, 30)
    >>> day.files["table"].to_list()
    ['bbo', 'trades']
    """
    import datetime as dt

    with progress_bar(os.fspath(path), progress) as (in_terminal, tick):
        options = _options(
            framing=framing,
            allow_truncated=allow_truncated,
            date=date,
            symbols=symbols,
            start=start,
            end=end,
            tables=[tables] if isinstance(tables, str) else tables,
            depth=depth,
            every=every,
            bars=bars,
            price_type=price_type,
            sort=sort,
            threads=threads,
            progress=in_terminal,
        )
        (counts, text, has_faults), day, files = _itch.replay_itch(os.fspath(path), os.fspath(out), options, tick)
    return ReplayedDay(dt.date.fromisoformat(day), files, ReplayReport(json.loads(counts), text, has_faults))


def read_itch(
    path: PathLike,
    table: Table = "bbo",
    *,
    columns: Sequence[str] | None = None,
    symbols: str | Iterable[str] | None = None,
    start: TimeOfDay | None = None,
    end: TimeOfDay | None = None,
    limit: int | None = None,
    depth: int = 10,
    every: str | None = None,
    bars: str = "1m",
    price_type: PriceType = "float",
    date: str | dt.date | None = None,
    framing: Framing | None = None,
    allow_truncated: bool = False,
) -> Frame:
    """Replays a raw file and returns one table.

    Columns that are not asked for are never built, and instruments that are not asked for have no book. With ``end`` the
    replay ends once the feed's clock has reached it.

    Parameters
    ----------
    path
        A file, ``"-"`` for standard input, or :data:`SAMPLE`.
    table
        Which table.
    columns
        Its columns, in the table's order; all unless named.
    limit
        Only so many rows.
    symbols, start, end, depth, every, bars, price_type, date, framing, allow_truncated
        As for :func:`replay_itch`.

    Returns
    -------
    Frame
        Rows in the order of the feed. Times are UTC to the nanosecond, an absent value is null.

    Examples
    --------
    >>> import nanobook as nb
    >>> symbol = nb.inspect_itch(nb.SAMPLE).symbols["symbol"][0]
    >>> frame = nb.read_itch(nb.SAMPLE, "bbo", columns=["ts_event", "bid_px", "ask_px"], symbols=symbol, limit=3)
    >>> frame.shape
    (3, 3)
    """
    options = _options(
        framing=framing,
        allow_truncated=allow_truncated,
        date=date,
        symbols=symbols,
        start=start,
        end=end,
        depth=depth,
        every=every,
        bars=bars,
        price_type=price_type,
    )
    window = {"table": table, "columns": columns, "limit": limit, "late_breaks": True}
    return _itch.read_itch(os.fspath(path), options, window)


def iter_itch(
    path: PathLike,
    table: Table = "bbo",
    *,
    batch_rows: int = 131_072,
    columns: Sequence[str] | None = None,
    symbols: str | Iterable[str] | None = None,
    start: TimeOfDay | None = None,
    end: TimeOfDay | None = None,
    limit: int | None = None,
    depth: int = 10,
    every: str | None = None,
    bars: str = "1m",
    price_type: PriceType = "float",
    date: str | dt.date | None = None,
    framing: Framing | None = None,
    allow_truncated: bool = False,
) -> Iterator[Frame]:
    """Replays a raw file and yields one table in frames of at most ``batch_rows`` rows.

    The replay runs a few batches ahead and waits there, so memory is bounded by the books and some batches. It ends when
    the iterator is dropped or Ctrl-C is pressed. Of ``trades``, ``broken`` says what was known when the frame was made: a
    break that comes later is not in it (:func:`read_itch` has all of them).

    Other parameters are those of :func:`read_itch`.

    Examples
    --------
    >>> import nanobook as nb
    >>> sum(len(frame) for frame in nb.iter_itch(nb.SAMPLE, "mbo", batch_rows=10_000)) > 40_000
    True
    """
    options = _options(
        framing=framing,
        allow_truncated=allow_truncated,
        date=date,
        symbols=symbols,
        start=start,
        end=end,
        depth=depth,
        every=every,
        bars=bars,
        price_type=price_type,
    )
    window = {"table": table, "columns": columns, "limit": limit, "batch_rows": batch_rows, "late_breaks": False}
    return _itch.batches_itch(os.fspath(path), options, window)


def scan_itch(
    path: PathLike,
    table: Table = "bbo",
    *,
    symbols: str | Iterable[str] | None = None,
    start: TimeOfDay | None = None,
    end: TimeOfDay | None = None,
    depth: int = 10,
    every: str | None = None,
    bars: str = "1m",
    price_type: PriceType = "float",
    date: str | dt.date | None = None,
    framing: Framing | None = None,
    allow_truncated: bool = False,
) -> pl.LazyFrame:
    """One table of a raw file as a Polars ``LazyFrame``, replayed when it is collected.

    What Polars pushes down reaches the replay: only the columns that are used are built, ``head`` ends it early, and of a
    filter those conditions that narrow ``symbol`` (``==``, ``is_in``) or ``ts_event`` (``==``, ``<``, ``<=``, ``>``,
    ``>=``, ``is_between``) decide which books are kept and where the replay ends. The rest of the filter is applied to
    each batch. It works with the streaming engine, which holds a few batches at a time.

    Parameters are those of :func:`read_itch`.

    Examples
    --------
    >>> import nanobook as nb, polars as pl
    >>> lazy = nb.scan_itch(nb.SAMPLE, "trades").filter(pl.col("symbol") == "ZJVL")
    >>> daily = lazy.group_by("symbol").agg(pl.col("qty").sum())
    >>> daily.collect().columns
    ['symbol', 'qty']
    """
    from nanobook._scan import scan

    options = _options(
        framing=framing,
        allow_truncated=allow_truncated,
        date=date,
        symbols=symbols,
        start=start,
        end=end,
        depth=depth,
        every=every,
        bars=bars,
        price_type=price_type,
    )
    return scan(os.fspath(path), table, options)


def book_itch(
    path: PathLike,
    symbol: str,
    *,
    end: TimeOfDay | None = None,
    date: str | dt.date | None = None,
    framing: Framing | None = None,
    allow_truncated: bool = False,
) -> OrderBook:
    """The order book of one symbol as it stands before ``end``, or at the end of the day.

    Examples
    --------
    >>> import nanobook as nb
    >>> book = nb.book_itch(nb.SAMPLE, "ZJVL", end="12:00")
    >>> price, qty, orders = book.best_bid
    >>> len(book.depth(5))
    5
    """
    options = _options(framing=framing, allow_truncated=allow_truncated, date=date, end=end)
    return _book.book_itch(os.fspath(path), symbol, options)


def catalog(folder: PathLike) -> Frame:
    """The days and tables of a dataset that :func:`replay_itch` wrote: ``date, table, rows, bytes, source``."""
    return _itch.catalog(os.fspath(folder))
