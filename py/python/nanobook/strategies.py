"""Strategies that are known by name: weights from closes, made in Rust, for one backtest or thousands in a sweep.

>>> import nanobook as nb, polars as pl
>>> days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 5), eager=True)
>>> prices = pl.DataFrame({"date": days, "A": [10.0, 11.0, 12.0, 11.0, 10.0], "B": [20.0, 20.0, 19.0, 22.0, 23.0]})
>>> nb.backtest(nb.strategies.MomentumTopK(lookback=1, skip=0, k=1, rebalance=1), prices, cash=100.0).rebalances
4
>>> grid = {"lookback": [1, 2], "k": [1, 2]}
>>> nb.sweep(grid, nb.strategies.MomentumTopK(skip=0, rebalance=1), prices)["rebalances"].to_list()
[4.0, 4.0, 3.0, 3.0]

Each strategy sets weights in some rows, from closes up to and with that row, so they trade at the close that they were made
from unless :func:`nanobook.backtest` is told ``lag=1`` or ``fill="next_close"``. A name without a price in the row, or
without one that is needed, gets no weight. Ties go to the symbol that comes first in the alphabet.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from nanobook._lib import backtest as _backtest
from nanobook._lib.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from nanobook.backtests import Prices
    from nanobook.typing import FrameLike

__all__ = ["InverseVolatility", "MomentumTopK", "MovingAverageCross", "Preset", "Rebalance"]

Rebalance: TypeAlias = Literal["week", "month", "quarter", "year"] | int
"""When weights are set: in the last row of each week, month, quarter or year, or every so many rows from the first."""


class Preset:
    """What the strategies of this module have in common."""

    _signal: ClassVar[str] = ""

    __slots__ = ()

    def weights(self, prices: FrameLike | Prices, *, columns: Mapping[str, str] | None = None) -> Frame:
        """The weights over some prices: ``ts`` and a column for each symbol, a row for each time they are set.

        >>> import nanobook as nb, polars as pl
        >>> days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 4), eager=True)
        >>> prices = pl.DataFrame({"date": days, "A": [10.0, 11.0, 12.0, 11.0], "B": [20.0, 20.0, 19.0, 22.0]})
        >>> cross = nb.strategies.MovingAverageCross(fast=1, slow=2, rebalance=1)
        >>> cross.weights(prices).to_polars()["A"].to_list()
        [0.5, 0.5, 0.0]
        """
        from nanobook.backtests import Prices

        if not isinstance(prices, Prices):
            prices = Prices(prices, columns=columns, fields=())
        return _backtest.preset_weights(self, prices._prices)

    def replace(self, **parameters: Any) -> Self:
        """The same with other parameters."""
        return dataclasses.replace(self, **parameters)  # type: ignore[type-var]


@dataclass(frozen=True)
class MomentumTopK(Preset):
    """Equal weights for the names that rose most (Jegadeesh and Titman, Journal of Finance 1993)."""

    lookback: int = 252
    """Rows back to the first price of the rise, more than ``skip``."""
    k: int = 10
    """How many names; fewer with prices share the whole."""
    skip: int = 21
    """Rows back to the second price; zero for the row itself."""
    rebalance: Rebalance = "month"
    """When weights are set; the last row of the prices is the end of no month."""
    start: int = 0
    """No weights before this row, so that the sets of a sweep can begin together."""
    gross: float = 1.0
    """What the weights sum to."""

    _signal: ClassVar[str] = "momentum_top_k"


@dataclass(frozen=True)
class MovingAverageCross(Preset):
    """An equal part for each name with prices, invested while its fast mean is above its slow one, else cash."""

    fast: int = 50
    """Closes of the fast mean."""
    slow: int = 200
    """Closes of the slow mean, more than ``fast``."""
    rebalance: Rebalance = "month"
    """When weights are set; the last row of the prices is the end of no month."""
    start: int = 0
    """No weights before this row."""
    gross: float = 1.0
    """What the weights sum to when all are invested."""

    _signal: ClassVar[str] = "moving_average_cross"


@dataclass(frozen=True)
class InverseVolatility(Preset):
    """Weights in proportion to one over the sample deviation of past returns."""

    lookback: int = 63
    """Returns, at least two; a name whose price did not move gets no weight."""
    rebalance: Rebalance = "month"
    """When weights are set; the last row of the prices is the end of no month."""
    start: int = 0
    """No weights before this row."""
    gross: float = 1.0
    """What the weights sum to."""

    _signal: ClassVar[str] = "inverse_volatility"
