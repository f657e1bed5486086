"""Backtests: weights and prices in, equity, holdings, fills and metrics out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from nanobook._lib import backtest as _backtest
from nanobook._lib.backtest import Portfolio, View
from nanobook._lib.frame import Column, Frame
from nanobook.errors import DtypeError, InputError
from nanobook.strategies import Preset

if TYPE_CHECKING:
    import os

    from nanobook.reports import Kind, Plot
    from nanobook.typing import FrameLike

__all__ = [
    "BacktestResult",
    "CostModel",
    "Portfolio",
    "Prices",
    "Stops",
    "Strategy",
    "View",
    "backtest",
    "drawdown_series",
    "metrics",
    "rolling_beta",
    "rolling_max_drawdown",
    "rolling_sharpe",
    "rolling_volatility",
    "sweep",
]

Fill: TypeAlias = Literal["close", "next_open", "next_close", "vwap"]
"""Where orders are filled: at the close or the volume-weighted price of the row, or at the next row's open or close."""


class Strategy(Protocol):
    """A function that is shown each row of the prices and gives weights.

    It gives them by symbol (absent is zero) or for all symbols in their order, or ``None`` to leave positions alone. It sees
    prices up to its row and the account before its orders; what it raises ends the run, with its own traceback.

    Examples
    --------
    >>> import nanobook as nb, numpy as np, polars as pl
    >>> def reversal(view: nb.View) -> dict[str, float] | None:
    ...     if view.row < 5:
    ...         return None
    ...     change = view.prices(6)[-1] / view.prices(6)[0] - 1
    ...     return {view.symbols[int(np.argmin(change))]: 0.9}
    >>> days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 3, 29), eager=True)
    >>> prices = pl.DataFrame({"date": days, "A": [100.0 + i % 7 for i in range(89)], "B": [50.0 + i / 10 for i in range(89)]})
    >>> nb.backtest(reversal, prices).rebalances
    84
    """

    def __call__(self, view: View, /) -> Mapping[str, float] | Sequence[float] | None: ...


drawdown_series = _backtest.drawdown_series
metrics = _backtest.metrics
rolling_beta = _backtest.rolling_beta
rolling_max_drawdown = _backtest.rolling_max_drawdown
rolling_sharpe = _backtest.rolling_sharpe
rolling_volatility = _backtest.rolling_volatility


@dataclass(frozen=True)
class CostModel:
    """What trading and holding cost; every number for one side, so a round trip pays twice.

    Slippage, half-spread and impact make the price of a fill worse; commission comes out of cash beside it.
    """

    commission_bps: float = 0.0
    """Commission, in basis points of the traded value."""
    slippage_bps: float = 0.0
    """How much worse a fill is than the price of its row."""
    commission_min: float = 0.0
    """The least commission of an order."""
    commission_per_share: float = 0.0
    """Commission for each share."""
    half_spread_bps: float = 0.0
    """Half of the spread, in basis points of the price."""
    impact_bps: float = 0.0
    """Square-root impact of an order as large as the row's volume. Needs volumes."""
    borrow_bps: float = 0.0
    """What a short position pays a year."""
    cash_bps: float = 0.0
    """What cash earns a year."""
    financing_bps: float | None = None
    """What negative cash pays a year; the rate that cash earns unless given."""

    @staticmethod
    def zero() -> CostModel:
        """Nothing costs anything."""
        return CostModel()


@dataclass(frozen=True)
class Stops:
    """When positions are closed between rows of weights. Zero is no stop; the tightest level counts."""

    fixed: float | Mapping[str, float] = 0.0
    """A part of the entry price, between 0 and 1; one number or one by symbol."""
    trailing: float | Mapping[str, float] = 0.0
    """A part of the best price since entry, between 0 and 1."""
    atr: float | Mapping[str, float] = 0.0
    """Multiples of the average range below the best price since entry: Wilder's true range where prices have highs and
    lows, else the mean absolute change of closes."""
    atr_period: int = 14
    """Rows of the average range."""
    watch: Literal["close", "intrabar"] = "close"
    """Looks at closes and fills there; or at lows and highs, and fills at the level, or the open where it gapped."""
    cooldown: int | None = None
    """Rows that a stopped name stays flat, whatever the weights say; -1 for good; ``None`` until the next weights."""


class Prices:
    """Prices, taken once, for as many backtests as wanted; the columns are borrowed, not copied.

    Parameters
    ----------
    prices
        Long (a time, a symbol, ``close`` and what else there is of ``open, high, low, vwap, volume``) or wide (a time and a
        column of closes for each symbol). A missing price is null or NaN.
    columns
        Other names of columns: ``{"time": "date", "symbol": "ticker", "close": "adj_close"}``.
    fields
        What to take of a long frame beside closes.
    open, high, low, vwap, volume
        Further wide frames, with the times and symbols of ``prices``.
    """

    __slots__ = ("_prices",)

    def __init__(
        self,
        prices: FrameLike,
        *,
        columns: Mapping[str, str] | None = None,
        fields: Iterable[str] = ("open", "high", "low", "vwap", "volume"),
        open: FrameLike | None = None,
        high: FrameLike | None = None,
        low: FrameLike | None = None,
        vwap: FrameLike | None = None,
        volume: FrameLike | None = None,
    ) -> None:
        given = {"open": open, "high": high, "low": low, "vwap": vwap, "volume": volume}
        more = {name: frame for name, frame in given.items() if frame is not None}
        self._prices = _backtest.Prices(
            prices, fields=list(fields), more=more or None, columns=dict(columns) if columns else None
        )

    @property
    def symbols(self) -> list[str]:
        """The symbols, in order."""
        return self._prices.symbols

    def __repr__(self) -> str:
        return f"Prices of {len(self.symbols)} symbols at {len(self._prices.times)} times"


def _settings(cost: CostModel | float | None, stops: Stops | None, others: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(cost, CostModel):
        try:
            cost = CostModel(commission_bps=float(cost or 0.0))
        except (TypeError, ValueError):
            raise DtypeError(f"cost is {cost!r}; it takes basis points as a number, or a CostModel") from None
    if not isinstance(stops, Stops | None):
        raise DtypeError(f"stops is {stops!r}; it takes nb.Stops(fixed=..., trailing=..., atr=...)")
    settings = dict(others)
    if settings.pop("margin", False):
        settings["overdraft"] = "allow"
    for name in ("lot",):
        if isinstance(settings.get(name), Mapping):
            settings[name] = dict(settings[name])
    settings.update(asdict(cost))
    for name, value in (asdict(stops) if stops else {}).items():
        settings[f"stop_{name}"] = dict(value) if isinstance(value, Mapping) else value
    return settings


def _fields(settings: dict[str, Any]) -> list[str]:
    """What of a long frame is needed: no more is read."""
    wanted = []
    if settings.get("fill") == "next_open" or settings.get("stop_watch") == "intrabar":
        wanted.append("open")
    if settings.get("fill") == "vwap":
        wanted.append("vwap")
    if settings.get("stop_atr") or settings.get("stop_watch") == "intrabar":
        wanted += ["high", "low"]
    if settings.get("impact_bps") or settings.get("max_participation") is not None:
        wanted.append("volume")
    return wanted


class BacktestResult:
    """What a backtest has found. Every table is a frame, made when it is asked for."""

    __slots__ = ("_run",)

    def __init__(self, run: Any) -> None:
        self._run = run

    @property
    def equity(self) -> Frame:
        """``ts, equity, cash, gross, net, turnover, cost, ret`` and the parts of the cost, for each row of prices.

        Everything but ``ret`` is in currency; ``ret`` is null in the first row. ``scaled`` is the part of the buys that
        there was cash for, ``stale`` the number of held names without a price.
        """
        return self._run.equity

    @property
    def holdings(self) -> Frame:
        """``ts, symbol, qty, price, value, weight, stale``: what is held at the end of each row."""
        return self._run.holdings

    @property
    def fills(self) -> Frame:
        """``ts, symbol, side, qty, price, value, commission, slippage, spread, impact, reason``."""
        return self._run.fills

    @property
    def positions(self) -> Frame:
        """``symbol, qty, avg_price, price, value, realized, unrealized`` at the end."""
        return self._run.positions

    @property
    def targets(self) -> Frame:
        """``ts, symbol, weight`` as they applied; null keeps a position."""
        return self._run.targets

    @property
    def stop_events(self) -> Frame:
        """``ts, symbol, reason, level, trigger, exit_price, qty``."""
        return self._run.stop_events

    @property
    def events(self) -> Frame:
        """``ts, symbol, kind, wanted, done``: what could not be traded and why, pay-outs, splits, dividends."""
        return self._run.events

    @property
    def drawdowns(self) -> Frame:
        """``peak, trough, recovery, depth, periods``: each fall from a peak; ``recovery`` is null while it lasts."""
        return self._run.drawdowns

    @property
    def drawdown(self) -> Frame:
        """``ts, drawdown``: how far equity is below its peak, zero or negative."""
        return self._run.drawdown

    @property
    def returns(self) -> Frame:
        """``ts, ret`` of all rows but the first, which has no return."""
        return self._run.returns

    @property
    def metrics(self) -> dict[str, float]:
        """Numbers by name, as empyrical and quantstats define them; NaN where one can't be said."""
        return dict(self._run.numbers())

    def metrics_frame(self, benchmark: Any = None) -> Frame:
        """``metric, value``; with the returns of a benchmark (one for each of :attr:`returns`) also alpha, beta and the like."""
        return self._run.metrics(benchmark)

    @property
    def monthly(self) -> Frame:
        """``year, month, ret, periods``: returns compounded by calendar month."""
        return self._run.monthly()

    @property
    def yearly(self) -> Frame:
        """``year, month, ret, periods``: returns compounded by year; ``month`` is null."""
        return self._run.yearly()

    @property
    def periods_per_year(self) -> float:
        """Rows in a year, as the backtest was told."""
        return self._run.periods_per_year

    def plot(self, *kinds: Kind) -> Plot:
        """Pictures: equity, drawdown, exposure and returns by month, or those that are named; see :func:`nanobook.plot`."""
        from nanobook.reports import plot

        return plot(self, *kinds)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str = "Backtest",
        benchmark: BacktestResult | FrameLike | None = None,
        risk_free: float = 0.0,
    ) -> None:
        """Writes a page with numbers, pictures and tables that needs nothing else; see :func:`nanobook.report`."""
        from nanobook.reports import report

        report(self, path, title=title, benchmark=benchmark, risk_free=risk_free)

    @property
    def symbols(self) -> list[str]:
        """The symbols of the prices."""
        return self._run.symbols

    @property
    def rebalances(self) -> int:
        """Rows in which weights applied."""
        return self._run.summary[1]

    @property
    def final_equity(self) -> float:
        """Equity in the last row."""
        return self._run.summary[2]

    @property
    def unused_weights(self) -> tuple[int, int]:
        """Rows of weights that came too late to trade, and rows that a later one of the same row of prices replaced."""
        return self._run.summary[3]

    def __repr__(self) -> str:
        rows, rebalances, equity, _ = self._run.summary
        found = self.metrics
        lines = [f"backtest of {rows:,} rows, {rebalances:,} rebalances, final equity {equity:,.2f}"]
        for name in ("total_return", "annual_return", "volatility", "sharpe", "sortino", "max_drawdown", "cost"):
            lines.append(f"  {name:<14} {found[name]:>16,.4f}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{self!r}</pre>{self.plot('equity', 'drawdown')._repr_html_()}"


def backtest(
    weights: FrameLike | Strategy | Preset,
    prices: FrameLike | Prices | None = None,
    *,
    cash: float = 1_000_000.0,
    fill: Fill = "close",
    lag: int = 0,
    cost: CostModel | float | None = None,
    stops: Stops | None = None,
    sizing: Literal["pre_cost", "post_cost"] = "pre_cost",
    overdraft: Literal["scale", "allow", "reject"] = "scale",
    margin: bool = False,
    lot: float | Mapping[str, float] = 0.0,
    no_trade_band: float = 0.0,
    band_to: Literal["target", "edge"] = "target",
    min_order_value: float = 0.0,
    max_turnover: float | None = None,
    max_participation: float | None = None,
    long_only: bool = False,
    gross_limit: float | None = None,
    on_null: Literal["error", "hold", "zero"] = "error",
    on_missing: Literal["error", "renormalize"] = "error",
    stale_after: int | None = None,
    periods_per_year: float = 252.0,
    risk_free: float = 0.0,
    actions: FrameLike | None = None,
    columns: Mapping[str, str] | None = None,
    open: FrameLike | None = None,
    high: FrameLike | None = None,
    low: FrameLike | None = None,
    vwap: FrameLike | None = None,
    volume: FrameLike | None = None,
) -> BacktestResult:
    """Runs weights over prices.

    A row of weights is the whole target at its time: zero, or a symbol that a long frame lacks at that time, is exit.
    It trades in the first row of prices at or after its time; between, positions drift. All orders of a row are sized at
    once from equity at the prices of the fill before costs, so sales pay for buys and the order of symbols does not matter.

    Parameters
    ----------
    weights
        Long (a time, a symbol, ``weight``) or wide (a time and a column for each symbol); a strategy of
        :mod:`nanobook.strategies`; or a function that is shown each row (:class:`View`) and gives weights.
    prices
        A frame or :class:`Prices`; ``None`` when the frame of weights has prices too.
    cash
        Cash at the start.
    fill, lag
        Where orders are filled, and rows that weights wait beside. ``"vwap"`` is the price of the row itself: whoever
        computes weights from its close gives ``lag=1``.
    cost
        A :class:`CostModel`, or a commission in basis points.
    stops
        When positions are closed between rows of weights.
    sizing
        Weights are parts of equity before or after the costs of the row's orders.
    overdraft, margin
        What happens without enough cash: buys are scaled, cash goes negative (``margin=True`` says the same), or none of the
        row's orders is sent.
    lot
        The smallest amount of shares, for all or by symbol; targets are cut toward zero. Zero for fractions.
    no_trade_band, band_to
        A name whose weight is off by less is left alone, unless it is to be closed; orders go to the target or the edge.
    min_order_value, max_turnover, max_participation
        Limits: value of an order, part of equity that a row trades, part of the row's volume. What they cut is in
        :attr:`BacktestResult.events`.
    long_only, gross_limit
        Weights that break these are errors.
    on_null
        What a null or NaN weight means.
    on_missing
        What a weight on a name without a price means: an error before its first price (a weight after its last one stays
        cash), or the other weights grow.
    stale_after
        A held name without a price for more rows is closed at its last one. At the end of its data it is in any case.
    periods_per_year, risk_free
        Rows in a year; the risk-free return of a row.
    actions
        Splits and cash dividends over raw prices: a time (ex date), ``symbol``, ``kind`` (``"dividend"`` or ``"split"``),
        ``value``.
    columns
        Other names of columns: ``{"time": "date", "symbol": "ticker", "close": "adj_close"}``.
    open, high, low, vwap, volume
        Further wide frames.

    Raises
    ------
    InputError
        With ``row``, ``column`` and ``symbol`` where the input is wrong.

    Examples
    --------
    >>> import numpy as np, nanobook as nb, polars as pl
    >>> days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 3), eager=True)
    >>> prices = pl.DataFrame({"date": days, "A": [10.0, 11.0, 11.0], "B": [20.0, 20.0, 19.0]})
    >>> weights = pl.DataFrame({"date": days[[0, 2]], "A": [0.5, 0.0], "B": [0.5, 1.0]})
    >>> result = nb.backtest(weights, prices, cash=100.0)
    >>> result.equity["equity"].to_list()
    [100.0, 105.0, 102.5]
    """
    others = dict(
        cash=cash,
        fill=fill,
        lag=lag,
        sizing=sizing,
        overdraft=overdraft,
        margin=margin,
        lot=lot,
        no_trade_band=no_trade_band,
        band_to=band_to,
        min_order_value=min_order_value,
        max_turnover=max_turnover,
        max_participation=max_participation,
        long_only=long_only,
        gross_limit=gross_limit,
        on_null=on_null,
        on_missing=on_missing,
        stale_after=stale_after,
        periods_per_year=periods_per_year,
        risk_free=risk_free,
    )
    settings = _settings(cost, stops, others)
    if prices is None:
        prices = weights  # type: ignore[assignment]
    if not isinstance(prices, Prices):
        prices = Prices(
            prices,  # type: ignore[arg-type]
            columns=columns,
            fields=_fields(settings),
            open=open,
            high=high,
            low=low,
            vwap=vwap,
            volume=volume,
        )
    if isinstance(weights, Preset):
        weights = weights.weights(prices)
    is_frame = hasattr(weights, "__arrow_c_stream__") or hasattr(weights, "__arrow_c_array__")
    either: Any = weights
    if callable(weights) and not is_frame:
        return BacktestResult(_backtest.run_strategy(either, prices._prices, settings, actions))
    return BacktestResult(_backtest.run(either, prices._prices, settings, actions))


def sweep(
    params: Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]],
    make: Callable[[dict[str, Any]], Any] | Preset | type[Preset],
    prices: FrameLike | Prices,
    *,
    times: Any = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cost: CostModel | float | None = None,
    stops: Stops | None = None,
    actions: FrameLike | None = None,
    columns: Mapping[str, str] | None = None,
    **settings: Any,
) -> Frame:
    """Runs many parameter sets over one panel of prices, on many threads.

    Parameters
    ----------
    params
        A grid (each name with its values; every combination is run, the last name fastest) or a list of sets.
    make
        A strategy of :mod:`nanobook.strategies`, whose parameters ``params`` sets: it never asks Python, and what sets have
        in common is computed once. Or a function that gives the weights of a set: a frame or a strategy, or one of them and
        a dictionary of settings of :func:`backtest` for this set. It is called from several threads, one at a time within
        Python.
    prices
        A frame or :class:`Prices`.
    times
        When weights come as arrays: the times of their rows (anything that NumPy makes ``datetime64`` of); their columns
        are the symbols of the prices, in order.
    threads
        As many as there are processors unless given. The answer does not depend on it.
    progress
        Called with how many are done, and of how many.
    cost, stops, actions, columns, settings
        As :func:`backtest` has them.

    Returns
    -------
    Frame
        A row for each set, in the order asked for: its parameters, final equity, costs, every metric, and ``error``: what
        went wrong with it, null when nothing did. An error in one set does not lose the others.

    Examples
    --------
    >>> import nanobook as nb, polars as pl
    >>> days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 3), eager=True)
    >>> prices = pl.DataFrame({"date": days, "A": [10.0, 11.0, 12.0], "B": [20.0, 20.0, 19.0]})
    >>> def weights(p):
    ...     return pl.DataFrame({"date": days[:1], "A": [p["part"]], "B": [1 - p["part"]]})
    >>> nb.sweep({"part": [0.0, 0.5, 1.0]}, weights, prices, cash=100.0)["final_equity"].to_list()
    [95.0, 107.5, 120.0]

    A thousand sets of a strategy that is known by name take a fraction of a second:

    >>> grid = {"lookback": [1, 2], "k": [1]}
    >>> found = nb.sweep(grid, nb.strategies.MomentumTopK(skip=0, rebalance=1), prices, cash=100.0)
    >>> found["final_equity"].to_list()
    [109.0909090909091, 100.0]
    """
    if isinstance(params, Mapping):
        names = list(params)
        sets = [dict(zip(names, values)) for values in itertools.product(*params.values())]
    else:
        sets = [dict(one) for one in params]
        names = list(dict.fromkeys(name for one in sets for name in one))
    all_settings = _settings(cost, stops, dict(settings))
    if not isinstance(prices, Prices):
        prices = Prices(prices, columns=columns, fields=("open", "high", "low", "vwap", "volume"))
    if isinstance(make, Preset) or (isinstance(make, type) and issubclass(make, Preset)):
        return _backtest.sweep_presets(
            [_preset(make, one) for one in sets],
            _columns(names, sets),
            prices._prices,
            all_settings,
            actions=actions,
            threads=threads,
            progress=progress,
        )
    if times is not None:
        import numpy as np

        times = np.asarray(times).astype("datetime64[ns]").astype("int64").tolist()
    return _backtest.sweep(
        make,
        sets,
        _columns(names, sets),
        prices._prices,
        all_settings,
        actions=actions,
        times=times,
        threads=threads,
        progress=progress,
    )


def _preset(make: Preset | type[Preset], parameters: dict[str, Any]) -> Preset:
    """A strategy with the parameters of one set."""
    try:
        return make(**parameters) if isinstance(make, type) else make.replace(**parameters)
    except TypeError:
        known = ", ".join(field.name for field in fields(make))  # type: ignore[arg-type]
        raise InputError(f"a set names {', '.join(parameters)}; the strategy has {known}") from None


def _columns(names: list[str], sets: list[dict[str, Any]]) -> Any:
    """The parameters as columns: numbers where all are, else text."""
    return _backtest.parameters(names, [[one.get(name) for one in sets] for name in names])
