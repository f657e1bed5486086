"""Market data, backtests and research over Arrow.

Every function takes frames of polars, pyarrow, pandas, DuckDB, or anything else with the Arrow PyCapsule interface,
without copying them, and returns :class:`Frame` or objects whose tables are frames. A frame becomes polars with
``.to_polars()``, and ``pl.DataFrame(frame)``, ``pa.table(frame)`` and ``duckdb.sql("from frame")`` work as they are.

>>> import nanobook as nb
>>> nb.verify_itch(nb.SAMPLE).messages
50000
"""

from nanobook._lib import __version__
from nanobook._lib.book import OrderBook
from nanobook._lib.exchange import Exchange, MultiExchange
from nanobook._lib.frame import Column, Frame
from nanobook.errors import (
    ConnectionLostError,
    DtypeError,
    FeedError,
    InputError,
    MissingError,
    NanobookError,
    NoAnswerError,
    OrderError,
    PackageError,
    SourceError,
    UnsupportedError,
    VenueError,
)

# Modules are loaded when one of their names is used, so that the import takes no time that nobody needs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from nanobook import cv, optimize, stats, strategies, ta, volatility
    from nanobook._classic_numbers import (
        py_atr,
        py_bbands,
        py_macd,
        py_quintile_spread,
        py_rsi,
        py_spearman,
        py_time_series_split,
    )
    from nanobook._classic_weights import (
        inverse_cdar_weights,
        inverse_cvar_weights,
        optimize_cdar,
        optimize_cvar,
        optimize_hrp,
        optimize_max_sharpe,
        optimize_min_variance,
        optimize_risk_parity,
    )
    from nanobook.backtests import (
        BacktestResult,
        CostModel,
        Prices,
        Stops,
        Strategy,
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
    from nanobook.brokers import BinanceBroker, IbkrBroker, Outcome, PaperBroker
    from nanobook.classic import (
        Metrics,
        Portfolio,
        backtest_weights,
        capabilities,
        compute_metrics,
        parse_itch,
        py_backtest_weights,
        py_capabilities,
        run_backtest,
        sweep_equal_weight,
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
    from nanobook.lookahead import check_lookahead
    from nanobook.reports import Comparison, Plot, compare, heat_map, plot, report
    from nanobook.risk import RiskEngine, RiskReport
    from nanobook.volatility import garch_ewma_forecast, garch_forecast

__all__ = [
    "SAMPLE",
    "BacktestResult",
    "BinanceBroker",
    "Column",
    "Comparison",
    "ConnectionLostError",
    "CostModel",
    "DtypeError",
    "Exchange",
    "FeedError",
    "Frame",
    "IbkrBroker",
    "InputError",
    "Inspection",
    "Metrics",
    "MissingError",
    "MultiExchange",
    "NanobookError",
    "NoAnswerError",
    "OrderBook",
    "OrderError",
    "Outcome",
    "PackageError",
    "PaperBroker",
    "Plot",
    "Portfolio",
    "Prices",
    "ReplayReport",
    "ReplayedDay",
    "RiskEngine",
    "RiskReport",
    "SourceError",
    "Stops",
    "Strategy",
    "UnsupportedError",
    "VenueError",
    "View",
    "__version__",
    "backtest",
    "backtest_weights",
    "book_itch",
    "capabilities",
    "catalog",
    "check_lookahead",
    "compare",
    "compute_metrics",
    "cv",
    "drawdown_series",
    "garch_ewma_forecast",
    "garch_forecast",
    "heat_map",
    "inspect_itch",
    "inverse_cdar_weights",
    "inverse_cvar_weights",
    "iter_itch",
    "metrics",
    "optimize",
    "optimize_cdar",
    "optimize_cvar",
    "optimize_hrp",
    "optimize_max_sharpe",
    "optimize_min_variance",
    "optimize_risk_parity",
    "parse_itch",
    "plot",
    "py_atr",
    "py_backtest_weights",
    "py_bbands",
    "py_capabilities",
    "py_macd",
    "py_quintile_spread",
    "py_rsi",
    "py_spearman",
    "py_time_series_split",
    "read_itch",
    "replay_itch",
    "report",
    "rolling_beta",
    "rolling_max_drawdown",
    "rolling_sharpe",
    "rolling_volatility",
    "run_backtest",
    "scan_itch",
    "stats",
    "strategies",
    "sweep",
    "sweep_equal_weight",
    "synth_itch",
    "ta",
    "verify_itch",
    "volatility",
]

_HOMES = {
    "nanobook._classic_numbers": "py_atr py_bbands py_macd py_quintile_spread py_rsi py_spearman py_time_series_split",
    "nanobook._classic_weights": "inverse_cdar_weights inverse_cvar_weights optimize_cdar optimize_cvar optimize_hrp optimize_max_sharpe optimize_min_variance optimize_risk_parity",
    "nanobook.backtests": "BacktestResult CostModel Prices Stops Strategy View backtest drawdown_series metrics rolling_beta rolling_max_drawdown rolling_sharpe rolling_volatility sweep",
    "nanobook.brokers": "BinanceBroker IbkrBroker Outcome PaperBroker",
    "nanobook.classic": "Metrics Portfolio backtest_weights capabilities compute_metrics parse_itch py_backtest_weights py_capabilities run_backtest sweep_equal_weight",
    "nanobook.itch": "SAMPLE Inspection ReplayReport ReplayedDay book_itch catalog inspect_itch iter_itch read_itch replay_itch scan_itch synth_itch verify_itch",
    "nanobook.lookahead": "check_lookahead",
    "nanobook.reports": "Comparison Plot compare heat_map plot report",
    "nanobook.risk": "RiskEngine RiskReport",
    "nanobook.volatility": "garch_ewma_forecast garch_forecast",
}
"""The module of each name that is loaded late."""

_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    from importlib import import_module
    from importlib.util import find_spec

    plain = name.removeprefix("py_")
    if name in _HOME:
        found = getattr(import_module(_HOME[name]), name)
    elif plain != name and plain in __all__:
        found = getattr(import_module("nanobook"), plain)
    elif not name.startswith("_") and find_spec(f"nanobook.{name}"):
        return import_module(f"nanobook.{name}")
    else:
        from nanobook.classic import classic_name

        return classic_name(name, globals())
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
