"""Market data, backtests and research over Arrow.

Every function takes frames of polars, pyarrow, pandas, DuckDB, or anything else with the Arrow PyCapsule interface,
without copying them, and returns :class:`Frame` or objects whose tables are frames. A frame becomes polars with
``.to_polars()``, and ``pl.DataFrame(frame)``, ``pa.table(frame)`` and ``duckdb.sql("from frame")`` work as they are.

>>> import nanobook as nb
>>> report = nb.verify_itch(nb.SAMPLE)
>>> report.messages
50000
"""

from nanobook._lib import __version__
from nanobook._lib.book import OrderBook
from nanobook._lib.exchange import Exchange, MultiExchange
from nanobook._lib.frame import Column, Frame
from nanobook.backtests import (
    BacktestResult,
    CostModel,
    Portfolio,
    Prices,
    Stops,
    View,
    backtest,
    drawdown_series,
    metrics,
    rolling_beta,
    rolling_max_drawdown,
    rolling_sharpe,
    rolling_volatility,
    sweep,
)
from nanobook.errors import (
    DtypeError,
    FeedError,
    InputError,
    MissingError,
    NanobookError,
    PackageError,
    SourceError,
    UnsupportedError,
)
from nanobook.itch import (
    SAMPLE,
    Inspection,
    ReplayReport,
    ReplayedDay,
    book_itch,
    catalog,
    inspect_itch,
    iter_itch,
    read_itch,
    replay_itch,
    scan_itch,
    synth_itch,
    verify_itch,
)

__all__ = [
    "SAMPLE",
    "BacktestResult",
    "Column",
    "CostModel",
    "DtypeError",
    "Exchange",
    "FeedError",
    "Frame",
    "InputError",
    "Inspection",
    "MissingError",
    "MultiExchange",
    "NanobookError",
    "OrderBook",
    "PackageError",
    "Portfolio",
    "Prices",
    "ReplayReport",
    "ReplayedDay",
    "SourceError",
    "Stops",
    "UnsupportedError",
    "View",
    "__version__",
    "backtest",
    "book_itch",
    "catalog",
    "drawdown_series",
    "inspect_itch",
    "iter_itch",
    "metrics",
    "read_itch",
    "replay_itch",
    "rolling_beta",
    "rolling_max_drawdown",
    "rolling_sharpe",
    "rolling_volatility",
    "scan_itch",
    "sweep",
    "synth_itch",
    "verify_itch",
]
