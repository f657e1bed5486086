"""The names and signatures of the classic package, over the same kernels as everything else.

Money and prices are whole cents, shares are whole, cash may go below zero, and every period trades at its price.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from nanobook._lib.frame import Frame
from nanobook.errors import DtypeError, InputError, UnsupportedError

if TYPE_CHECKING:
    from nanobook._lib.backtest import Portfolio as Account
    from nanobook.backtests import CostModel

__all__ = [
    "ClassicResult",
    "Metrics",
    "Portfolio",
    "Position",
    "backtest_weights",
    "capabilities",
    "compute_metrics",
    "parse_itch",
    "py_backtest_weights",
    "py_capabilities",
    "run_backtest",
    "sweep_equal_weight",
]

@dataclass(frozen=True)
class Metrics:
    """What a series of returns was worth; as in :func:`nanobook.metrics`, with the classic names."""

    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    sortino: float
    max_drawdown: float
    """The deepest fall from a peak, a positive part of it."""
    calmar: float
    num_periods: int
    winning_periods: int
    losing_periods: int
    cvar_95: float
    """The mean of the worst five per cent of returns."""
    win_rate: float
    """Periods won of all periods."""
    profit_factor: float
    payoff_ratio: float
    kelly: float

    def __repr__(self) -> str:
        shown = ", ".join(f"{f.name}={getattr(self, f.name):.4g}" for f in fields(self))
        return f"Metrics({shown})"


def compute_metrics(
    returns: Sequence[float],
    periods_per_year: float = 252.0,
    risk_free: float = 0.0,
) -> Metrics | None:
    """The metrics of returns, one for each period; ``None`` without any.

    Sharpe is of the sample deviation, Sortino's downside is about the risk-free return over all periods, ``cvar_95`` is
    the mean of the worst ``ceil(0.05 n)`` returns; a ratio over zero is zero, a factor over zero infinite.

    Examples
    --------
    >>> import nanobook as nb
    >>> nb.compute_metrics([0.01, -0.02, 0.03]).num_periods
    3
    """
    import numpy as np

    r = np.asarray(returns, dtype=float)
    n = len(r)
    if n == 0:
        return None
    if not np.isfinite(r).all():
        row = int(np.flatnonzero(~np.isfinite(r))[0])
        error = InputError(f"return {row} is {r[row]}, not a finite number")
        error.row = row
        raise error
    growth = np.cumprod(1.0 + r)
    total = float(growth[-1] - 1.0)
    cagr = float(growth[-1] ** (periods_per_year / n) - 1.0) if growth[-1] > 0 else -1.0
    deviation = float(r.std(ddof=1)) if n > 1 else 0.0
    excess = r - risk_free
    below = math.sqrt(float((np.minimum(excess, 0.0) ** 2).mean()))
    root = math.sqrt(periods_per_year)
    curve = np.concatenate([[1.0], growth])
    fall = float((1.0 - curve / np.maximum.accumulate(curve)).max())
    gains, losses = r[r > 0], r[r < 0]
    worst = np.sort(r)[: math.ceil(0.05 * n)]
    lost = -float(losses.sum())
    win_rate = len(gains) / n
    payoff = float(gains.mean()) / -float(losses.mean()) if len(gains) and len(losses) else 0.0
    return Metrics(
        total_return=total,
        cagr=cagr,
        volatility=deviation * root,
        sharpe=float(excess.mean()) / deviation * root if deviation > 1e-15 else 0.0,
        sortino=float(excess.mean()) / below * root if below > 1e-15 else 0.0,
        max_drawdown=fall,
        calmar=cagr / fall if fall > 0 else 0.0,
        num_periods=n,
        winning_periods=len(gains),
        losing_periods=len(losses),
        cvar_95=float(worst.mean()),
        win_rate=win_rate,
        profit_factor=float(gains.sum()) / lost if lost > 0 else math.inf if len(gains) else 0.0,
        payoff_ratio=payoff,
        kelly=win_rate - (1 - win_rate) / payoff if payoff > 0 else 0.0,
    )


_STOPS = ("fixed_stop_pct", "trailing_stop_pct", "atr_multiple", "atr_period")


def backtest_weights(
    weight_schedule: Sequence[Sequence[tuple[str, float]]],
    price_schedule: Sequence[Sequence[tuple[str, int]]],
    initial_cash: int,
    cost_bps: float,
    periods_per_year: float = 252.0,
    risk_free: float = 0.0,
    stop_cfg: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Runs a weight for each symbol and period over prices in cents.

    The weights of a period are the whole target and trade at its prices, in whole shares, all costs on one side; a symbol
    that a period does not name is sold. Stops are looked at after that, at the same price; a stopped symbol stays out
    until the next period, whose weights buy it again.

    Parameters
    ----------
    weight_schedule, price_schedule
        For each period, symbols with their part of equity, and with their price in cents.
    initial_cash
        Cents.
    cost_bps
        Basis points of the value of every trade.
    periods_per_year, risk_free
        Periods in a year; the risk-free return of one.
    stop_cfg
        ``fixed_stop_pct``, ``trailing_stop_pct`` (parts of one), ``atr_multiple``, ``atr_period``.

    Returns
    -------
    dict
        ``returns`` (one a period; the first is the cost of entering), ``equity_curve`` (cents; one more, the first is the
        initial cash), ``final_cash``, ``metrics`` (:class:`Metrics`), ``holdings`` and ``symbol_returns`` (by period,
        symbol with weight or return), ``stop_events`` (``period_index, symbol, trigger_price, exit_price, reason``).

    Raises
    ------
    InputError
        When the schedules do not fit each other, or a weight or price can't be.

    Examples
    --------
    >>> import nanobook as nb
    >>> result = nb.backtest_weights([[("A", 1.0)]] * 2, [[("A", 100_00)], [("A", 110_00)]], 1_000_00, 0)
    >>> result["equity_curve"]
    [100000, 100000, 110000]
    """
    from nanobook._lib.classic import backtest_weights as run

    periods = len(price_schedule)
    if len(weight_schedule) != periods:
        raise InputError(f"there are {len(weight_schedule)} periods of weights and {periods} of prices")
    if periods == 0:
        raise InputError("there is no period")
    if not initial_cash > 0:
        raise InputError(f"initial_cash {initial_cash} is not above zero")
    given = {name: value for name, value in (stop_cfg or {}).items() if value is not None}
    unknown = sorted(set(given) - set(_STOPS))
    if unknown:
        raise InputError(f"stop_cfg has {', '.join(unknown)}; it takes {', '.join(_STOPS)}")
    fixed, trailing, atr = (float(given.get(name, 0.0)) for name in _STOPS[:3])
    try:
        found = run(
            weight_schedule,
            price_schedule,
            initial_cash,
            cost_bps,
            (periods_per_year, risk_free),
            (fixed, trailing, atr, given.get("atr_period", 14)),
        )
    except (TypeError, OverflowError) as error:
        raise DtypeError(f"{error}; schedules are lists of (symbol, weight) and (symbol, cents)") from None
    return {**found, "metrics": compute_metrics(found["returns"], periods_per_year, risk_free)}


@dataclass(frozen=True)
class Position:
    """Shares of a symbol and what they have cost, in cents."""

    symbol: str
    quantity: int
    avg_entry_price: float
    total_cost: float
    realized_pnl: float

    def unrealized_pnl(self, price: float) -> float:
        """What the position has gained at a price."""
        return self.quantity * price - self.total_cost


class Portfolio:
    """Cash and positions of one account: the account itself (fills and marks), and the classic period-by-period calls.

    Parameters
    ----------
    cash
        Cash at the start, in any unit; the classic calls take cents.
    cost_model
        What :meth:`rebalance_simple` pays; nothing unless given.

    Examples
    --------
    >>> import nanobook as nb
    >>> portfolio = nb.Portfolio(1_000_000_00, nb.CostModel(commission_bps=5))
    >>> portfolio.rebalance_simple([("AAPL", 0.6)], [("AAPL", 150_00)])
    >>> portfolio.record_return([("AAPL", 155_00)])
    >>> portfolio.qty("AAPL"), portfolio.cash
    (4000.0, 39970000.0)
    """

    __slots__ = ("_account", "_cost", "_equity", "_prices", "_returns")

    def __init__(self, cash: float, cost_model: CostModel | None = None) -> None:
        if not cash > 0:
            raise InputError(f"cash {cash} is not above zero")
        self._account = _account(float(cash))
        self._cost = cost_model
        self._equity = [float(cash)]
        self._returns: list[float] = []
        self._prices: dict[str, float] = {}

    @property
    def cash(self) -> float:
        """Cash."""
        return self._account.cash

    @property
    def fees(self) -> float:
        """What has been paid for trading."""
        return self._account.fees

    @property
    def realized(self) -> float:
        """What closed positions have gained, before fees."""
        return self._account.realized

    @property
    def equity(self) -> float:
        """Cash and positions at their marks."""
        return self._account.equity

    @property
    def weights(self) -> dict[str, float]:
        """The part of equity that each symbol is."""
        return self._account.weights

    @property
    def positions(self) -> Frame:
        """``symbol, qty, avg_price, price, value, realized, unrealized``."""
        return self._account.positions

    def qty(self, symbol: str) -> float:
        """Shares of a symbol, negative when short."""
        return self._account.qty(symbol)

    def fill(self, symbol: str, qty: float, price: float, *, fee: float = 0.0) -> None:
        """Books a trade: ``qty`` shares bought, or sold when negative."""
        self._account.fill(symbol, qty, price, fee=fee)

    def mark(self, symbol: str, price: float) -> None:
        """Says what a symbol is worth."""
        self._account.mark(symbol, price)

    def split(self, symbol: str, ratio: float) -> None:
        """Multiplies shares by ``ratio``."""
        self._account.split(symbol, ratio)

    def dividend(self, symbol: str, per_share: float) -> None:
        """Pays cash for each share; shorts pay it."""
        self._account.dividend(symbol, per_share)

    def position(self, symbol: str) -> Position | None:
        """The position in a symbol; ``None`` when there is none."""
        return next((found for found in self._positions() if found.symbol == symbol and found.quantity), None)

    def _positions(self) -> list[Position]:
        columns = self._account.positions.to_dict()
        rows = zip(columns["symbol"], columns["qty"], columns["avg_price"], columns["realized"])
        return [Position(symbol, int(qty), avg, qty * avg, realized) for symbol, qty, avg, realized in rows]

    def _mark_all(self, prices: Sequence[tuple[str, float]]) -> None:
        for symbol, price in prices:
            if not price > 0:
                error = InputError(f"{symbol} has price {price}, not above zero")
                error.symbol = symbol
                raise error
            self._prices[symbol] = float(price)
            self._account.mark(symbol, float(price))

    def rebalance_simple(self, targets: Sequence[tuple[str, float]], prices: Sequence[tuple[str, float]]) -> None:
        """Trades to weights at prices, in whole shares; what ``targets`` does not name is sold."""
        self._mark_all(prices)
        given, wanted = dict(prices), dict(targets)
        equity = self._account.equity
        for symbol in sorted({*wanted, *self._account.weights}):
            if symbol not in given:
                error = InputError(f"{symbol} has no price")
                error.symbol = symbol
                raise error
        for symbol in sorted({*wanted, *self._account.weights}):
            price = float(given[symbol])
            target = math.trunc(equity * wanted.get(symbol, 0.0) / price)
            trade = target - self._account.qty(symbol)
            if trade:
                self._account.fill(symbol, trade, price, fee=self._fee(trade, price))

    def _fee(self, qty: float, price: float) -> float:
        cost = self._cost
        if cost is None:
            return 0.0
        value = abs(qty) * price
        bps = cost.commission_bps + cost.slippage_bps + cost.half_spread_bps
        return max(value * bps / 1e4 + abs(qty) * cost.commission_per_share, cost.commission_min)

    def record_return(self, prices: Sequence[tuple[str, float]]) -> None:
        """Marks positions at prices and notes the return since the last time."""
        self._mark_all(prices)
        equity = self._account.equity
        self._returns.append(equity / self._equity[-1] - 1.0)
        self._equity.append(equity)

    def total_equity(self, prices: Sequence[tuple[str, float]]) -> float:
        """Cash and positions at prices."""
        self._mark_all(prices)
        return self._account.equity

    def current_weights(self, prices: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
        """The part of equity that each symbol is at prices."""
        self._mark_all(prices)
        return sorted(self._account.weights.items())

    def returns(self) -> list[float]:
        """The returns that were noted."""
        return list(self._returns)

    def equity_curve(self) -> list[float]:
        """Equity at the start, and each time that a return was noted."""
        return list(self._equity)

    def snapshot(self, prices: Sequence[tuple[str, float]]) -> dict[str, Any]:
        """``cash, equity, num_positions, total_realized_pnl`` and ``weights`` by symbol, at prices."""
        self._mark_all(prices)
        return {
            "cash": self.cash,
            "equity": self.equity,
            "num_positions": sum(found.quantity != 0 for found in self._positions()),
            "total_realized_pnl": self.realized,
            "weights": self.weights,
        }

    def save_json(self, path: str | os.PathLike[str]) -> None:
        """Writes cash, positions, costs, returns and equity to a file, in the layout of the classic package."""
        state = {
            "cash": self.cash,
            "positions": [(found.symbol, asdict(found)) for found in self._positions()],
            "cost_model": None if self._cost is None else asdict(self._cost),
            "returns": self._returns,
            "equity_curve": self._equity,
            "prev_equity": self._equity[-1],
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(state, file, indent=2)

    @classmethod
    def load_json(cls, path: str | os.PathLike[str]) -> Portfolio:
        """Reads a file of :meth:`save_json`, or of the classic package's. Prices are not in it.

        Raises
        ------
        InputError
            When the file is not one.
        """
        from nanobook.backtests import CostModel

        with open(path, encoding="utf-8") as file:
            text = file.read()
        try:
            state = json.loads(text)
            positions = [Position(**found) for _, found in state["positions"]]
            costs = dict(state["cost_model"] or {})
            # The classic package's name.
            costs["commission_min"] = costs.pop("min_trade_fee", costs.get("commission_min", 0.0))
            cost = CostModel(**costs)
            equity, returns = [float(value) for value in state["equity_curve"]], [float(value) for value in state["returns"]]
            cash = float(state["cash"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{os.fspath(path)} is not a saved portfolio: {error}") from None
        spent = sum(found.total_cost - found.realized_pnl for found in positions)
        portfolio = cls(equity[0], cost)
        portfolio._account = _account(cash + spent)
        for found in positions:
            # A share that is sold at once for what the symbol has gained.
            if found.realized_pnl:
                portfolio.fill(found.symbol, 1, found.avg_entry_price)
                portfolio.fill(found.symbol, -1, found.avg_entry_price + found.realized_pnl)
            if found.quantity:
                portfolio.fill(found.symbol, found.quantity, found.avg_entry_price)
        portfolio._equity, portfolio._returns = equity, returns
        return portfolio

    def compute_metrics(self, periods_per_year: float = 252.0, risk_free: float = 0.0) -> Metrics | None:
        """The metrics of the returns that were noted."""
        return compute_metrics(self._returns, periods_per_year, risk_free)

    def __repr__(self) -> str:
        return f"Portfolio: cash {self.cash:,.2f}, equity {self.equity:,.2f}, {len(self.positions)} positions"


def _account(cash: float) -> Account:
    from nanobook._lib.backtest import Portfolio as Account

    return Account(cash)


@dataclass(frozen=True)
class ClassicResult:
    """What :func:`run_backtest` returns."""

    portfolio: Portfolio
    metrics: Metrics | None


def run_backtest(
    strategy: Callable[[int, dict[str, int], Portfolio], Sequence[tuple[str, float]]],
    price_series: Sequence[Mapping[str, int]],
    initial_cash: int,
    cost_model: CostModel | None = None,
    periods_per_year: float = 252.0,
    risk_free: float = 0.0,
) -> ClassicResult:
    """Calls a strategy with each period's number, prices in cents and the portfolio, and trades to the weights it gives.

    What the strategy raises ends the run. :func:`nanobook.backtest` with a function is the same over frames, and faster.
    """
    portfolio = Portfolio(initial_cash, cost_model)
    for period, prices in enumerate(price_series):
        targets = strategy(period, dict(prices), portfolio)
        portfolio.rebalance_simple(targets, list(prices.items()))
        portfolio.record_return(list(prices.items()))
    return ClassicResult(portfolio, portfolio.compute_metrics(periods_per_year, risk_free))


def sweep_equal_weight(
    n_params: int,
    price_series: Sequence[Sequence[tuple[str, int]]],
    initial_cash: int,
    periods_per_year: float = 12.0,
    risk_free: float = 0.0,
) -> list[Metrics | None]:
    """The metrics of equal weights in every period, without costs, ``n_params`` times the same.

    It is here because the classic package has it; :func:`nanobook.sweep` tries parameters.
    """
    weights = [[(symbol, 1 / len(prices)) for symbol, _ in prices] for prices in price_series]
    found = backtest_weights(weights, price_series, initial_cash, 0.0, periods_per_year, risk_free)
    return [found["metrics"]] * n_params


def parse_itch(path: str | os.PathLike[str]) -> Frame:
    """The order messages of a raw file: the table ``mbo`` of :func:`nanobook.read_itch`.

    Times are those of the day that the file's name tells, or of 1970-01-01.
    """
    from nanobook.itch import read_itch

    try:
        return read_itch(path, "mbo")
    except InputError as error:
        if "session's date" not in str(error):
            raise
        return read_itch(path, "mbo", date="1970-01-01")


def _has(module: str, name: str) -> bool:
    import importlib

    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False


_CAPABILITIES = {
    "backtest_stops": ("nanobook._lib.backtest", "run"),
    "backtest_holdings": ("nanobook._lib.backtest", "run"),
    "itch": ("nanobook._lib.itch", "read_itch"),
    "garch_forecast": ("nanobook.volatility", "garch_forecast"),
    "garch_ewma_forecast": ("nanobook.volatility", "garch_ewma_forecast"),
    "optimize_min_variance": ("nanobook", "optimize_min_variance"),
    "optimize_max_sharpe": ("nanobook", "optimize_max_sharpe"),
    "optimize_risk_parity": ("nanobook", "optimize_risk_parity"),
    "optimize_cvar": ("nanobook", "optimize_cvar"),
    "optimize_cdar": ("nanobook", "optimize_cdar"),
    "optimize_hrp": ("nanobook", "optimize_hrp"),
    "inverse_cvar_weights": ("nanobook", "inverse_cvar_weights"),
    "inverse_cdar_weights": ("nanobook", "inverse_cdar_weights"),
    "risk_checks": ("nanobook._lib.risk", "check"),
    "paper_broker": ("nanobook._lib.broker", "paper"),
    "ibkr_broker": ("nanobook._lib.broker", "ibkr"),
    "binance_broker": ("nanobook._lib.broker", "binance"),
    "matching": ("nanobook._lib.exchange", "Exchange"),
}


def capabilities() -> list[str]:
    """The names of what this build can do; what it lacks is absent here and raises :class:`UnsupportedError`.

    Examples
    --------
    >>> import nanobook as nb
    >>> "matching" in nb.capabilities()
    True
    """
    return [name for name, place in _CAPABILITIES.items() if _has(*place)]


_LACKING = {*_CAPABILITIES, "IbkrBroker", "BinanceBroker"}
"""Names that the classic package had and a build may lack."""

_ELSEWHERE = {
    "BookSnapshot": "Exchange.depth gives a frame",
    "LevelSnapshot": "Exchange.depth gives a frame",
    "Event": "Exchange.events gives a frame",
    "Order": "Exchange.get_order gives one",
    "Position": "Portfolio.position gives one",
    "Trade": "Exchange.trades gives a frame",
    "SubmitResult": "Exchange.submit_limit gives one",
    "CancelResult": "Exchange.cancel gives one",
    "ModifyResult": "Exchange.modify gives one",
    "StopSubmitResult": "Exchange.submit_stop_market gives one",
}
"""Classes that the classic package named and nobody has to."""


def classic_name(name: str, names: Mapping[str, Any]) -> Any:
    """What a classic name stands for: ``py_NAME`` is ``NAME``.

    Raises
    ------
    UnsupportedError
        When the classic package had it and this build lacks it.
    """
    plain = name.removeprefix("py_")
    if name != plain and plain in names:
        return names[plain]
    if plain in _LACKING:
        raise UnsupportedError(f"this build has no {name}; nanobook.capabilities() lists what it has")
    if name in _ELSEWHERE:
        raise UnsupportedError(f"the classic package's class {name} has no name here: {_ELSEWHERE[name]}")
    raise AttributeError(f"module 'nanobook' has no attribute {name!r}")


py_backtest_weights = backtest_weights
py_capabilities = capabilities
