from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from nanobook._lib.frame import Column, Frame
from nanobook.typing import FrameLike, VectorLike

@final
class Prices:
    def __new__(
        cls,
        prices: FrameLike,
        *,
        fields: Sequence[str],
        more: Mapping[str, FrameLike] | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> Prices: ...
    @property
    def symbols(self) -> list[str]: ...
    @property
    def times(self) -> list[int]: ...

@final
class View:
    """What a strategy sees at a row: prices up to it, and the account before its orders."""

    @property
    def row(self) -> int:
        """The row of the prices, from zero."""

    @property
    def ts(self) -> int:
        """The time of the row, ns since the epoch."""

    @property
    def cash(self) -> float: ...
    @property
    def equity(self) -> float: ...
    @property
    def symbols(self) -> list[str]: ...
    @property
    def qty(self) -> Column:
        """Shares of each symbol, negative when short."""

    @property
    def marks(self) -> Column:
        """The last known price of each symbol; NaN before the first."""

    @property
    def weights(self) -> Column:
        """The part of equity that each symbol is."""

    def prices(self, rows: int, name: str = "close") -> npt.NDArray[np.float64]:
        """The last ``rows`` rows of a kind of price up to this one, oldest first: rows by symbols, NaN where missing."""

@final
class Run:
    @property
    def equity(self) -> Frame: ...
    @property
    def holdings(self) -> Frame: ...
    @property
    def fills(self) -> Frame: ...
    @property
    def stop_events(self) -> Frame: ...
    @property
    def events(self) -> Frame: ...
    @property
    def targets(self) -> Frame: ...
    @property
    def positions(self) -> Frame: ...
    @property
    def drawdowns(self) -> Frame: ...
    @property
    def returns(self) -> Frame: ...
    @property
    def drawdown(self) -> Frame: ...
    @property
    def symbols(self) -> list[str]: ...
    @property
    def summary(self) -> tuple[int, int, float, tuple[int, int]]: ...
    @property
    def periods_per_year(self) -> float: ...
    def numbers(self, benchmark: VectorLike | None = None) -> list[tuple[str, float]]: ...
    def metrics(self, benchmark: VectorLike | None = None) -> Frame: ...
    def monthly(self) -> Frame: ...
    def yearly(self) -> Frame: ...

@final
class Portfolio:
    """Cash and positions of one account, from fills and marks. Average cost; crossing zero closes and opens."""

    def __new__(cls, cash: float) -> Portfolio: ...
    @property
    def cash(self) -> float: ...
    @property
    def fees(self) -> float: ...
    @property
    def realized(self) -> float: ...
    @property
    def equity(self) -> float: ...
    @property
    def weights(self) -> dict[str, float]: ...
    @property
    def positions(self) -> Frame: ...
    def qty(self, symbol: str) -> float: ...
    def fill(self, symbol: str, qty: float, price: float, *, fee: float = 0.0) -> None: ...
    def mark(self, symbol: str, price: float) -> None: ...
    def split(self, symbol: str, ratio: float) -> None: ...
    def dividend(self, symbol: str, per_share: float) -> None: ...

def run(
    weights: FrameLike, prices: Prices, settings: dict[str, Any], actions: FrameLike | None = None
) -> Run: ...
def run_strategy(
    decide: Callable[[View], Any], prices: Prices, settings: dict[str, Any], actions: FrameLike | None = None
) -> Run: ...
def sweep(
    make: Callable[[dict[str, Any]], Any],
    sets: Sequence[dict[str, Any]],
    columns: FrameLike,
    prices: Prices,
    settings: dict[str, Any],
    *,
    actions: FrameLike | None = None,
    times: Sequence[int] | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Frame: ...
def sweep_presets(
    presets: Sequence[Any],
    columns: FrameLike,
    prices: Prices,
    settings: dict[str, Any],
    *,
    actions: FrameLike | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Frame: ...
def preset_weights(preset: Any, prices: Prices) -> Frame: ...
def parameters(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> Frame: ...
def metrics(
    returns: VectorLike,
    *,
    benchmark: VectorLike | None = None,
    periods_per_year: float = 252.0,
    risk_free: float = 0.0,
) -> Frame: ...
def rolling_sharpe(
    returns: VectorLike, window: int, *, periods_per_year: float = 252.0, risk_free: float = 0.0
) -> Column: ...
def rolling_volatility(returns: VectorLike, window: int, *, periods_per_year: float = 252.0) -> Column: ...
def rolling_beta(returns: VectorLike, benchmark: VectorLike, window: int) -> Column: ...
def rolling_max_drawdown(equity: VectorLike, window: int) -> Column: ...
def drawdown_series(equity: VectorLike) -> Column: ...
