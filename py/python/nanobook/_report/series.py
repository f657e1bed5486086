"""What is drawn and tabled of a backtest: arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nanobook._report.svg import Doubles, Times


@dataclass
class Series:
    """The equity of one backtest row by row, or of a benchmark."""

    name: str
    ts: Times
    equity: Doubles
    returns: Doubles
    """One for each row but the first."""
    periods_per_year: float
    gross: Doubles | None = None
    net: Doubles | None = None
    turnover: Doubles | None = None
    cost: Doubles | None = None

    @classmethod
    def of(cls, result: Any, name: str = "strategy") -> Series:
        """The series of a result, whose table ``equity`` has ``ts, equity, gross, net, turnover, cost``."""
        import numpy as np

        table = result.equity

        def column(name: str) -> Doubles | None:
            return table[name].to_numpy() if name in table.columns else None

        equity = np.asarray(table["equity"].to_numpy(), dtype=float)
        return cls(
            name=name,
            ts=table["ts"].to_numpy(),
            equity=equity,
            returns=_changes(equity),
            periods_per_year=float(getattr(result, "periods_per_year", 252.0)),
            gross=column("gross"),
            net=column("net"),
            turnover=column("turnover"),
            cost=column("cost"),
        )

    @classmethod
    def of_returns(cls, name: str, ts: Times, returns: Doubles, start: float, periods_per_year: float) -> Series:
        """The series of returns, one for each time but the first."""
        import numpy as np

        growth = np.concatenate([[1.0], np.cumprod(1.0 + np.nan_to_num(returns))])
        return cls(name, ts, start * growth, returns, periods_per_year)

    @property
    def growth(self) -> Doubles:
        """Equity over equity at the start."""
        return self.equity / self.equity[0]

    @property
    def drawdown(self) -> Doubles:
        """How far equity is below its peak: never above zero."""
        import numpy as np

        return self.equity / np.maximum.accumulate(self.equity) - 1.0

    @property
    def cagr(self) -> float:
        """The return a year, compounded; NaN of one row or when everything is lost."""
        n, last = len(self.returns), float(self.growth[-1])
        return last ** (self.periods_per_year / n) - 1.0 if n and last > 0 else math.nan

    def rolling(self, window: int, of: str) -> Doubles:
        """Volatility, Sharpe or Sortino ratio a year over the last ``window`` returns; NaN before there are as many."""
        import numpy as np

        values = np.full(len(self.ts), np.nan)
        if len(self.returns) < window or window < 2:
            return values
        mean = rolling_mean(self.returns, window)
        variance = np.maximum(rolling_mean(self.returns**2, window) - mean**2, 0.0) * window / (window - 1)
        year = self.periods_per_year
        with np.errstate(divide="ignore", invalid="ignore"):
            if of == "volatility":
                found = np.sqrt(variance * year)
            elif of == "sharpe":
                found = np.where(variance > 1e-18, mean / np.sqrt(variance) * math.sqrt(year), np.nan)
            else:
                below = rolling_mean(np.minimum(self.returns, 0.0) ** 2, window)
                found = np.where(below > 1e-18, mean / np.sqrt(below) * math.sqrt(year), np.nan)
        values[window:] = found
        return values

    def by(self, unit: str) -> tuple[npt.NDArray[Any], Doubles]:
        """Returns compounded by calendar ``M``onth, ``3M`` (quarter), ``Y``ear, or ``W``eek (UTC), with the periods."""
        import numpy as np

        if self.ts.dtype.kind != "M" or len(self.ts) < 2:
            return np.array([], dtype="datetime64[M]"), np.array([])
        periods = self.ts[1:].astype(f"datetime64[{unit}]")
        starts = np.flatnonzero(np.r_[True, periods[1:] != periods[:-1]])
        ends = np.r_[starts[1:], len(periods)]
        return periods[starts], self.equity[ends] / self.equity[starts] - 1.0

    def worst_drawdowns(self, count: int = 10) -> list[dict[str, Any]]:
        """The deepest falls: rows of the peak, the trough and the recovery (``None`` while it lasts), and the depth."""
        import numpy as np

        below = self.drawdown < -1e-12
        edges = np.flatnonzero(np.diff(np.r_[False, below, False].astype(int)))
        found = []
        for start, end in zip(edges[::2], edges[1::2]):
            trough = start + int(np.argmin(self.drawdown[start:end]))
            recovered = int(end) if end < len(self.equity) else None
            found.append(
                {"peak": int(start) - 1, "trough": trough, "recovery": recovered, "depth": float(self.drawdown[trough])}
            )
        return sorted(found, key=lambda fall: fall["depth"])[:count]


def _changes(equity: Doubles) -> Doubles:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return equity[1:] / equity[:-1] - 1.0


def rolling_mean(values: Doubles, window: int) -> Doubles:
    """Means of the last ``window`` values, from the first row that has as many."""
    import numpy as np

    sums = np.cumsum(np.r_[0.0, values])
    return (sums[window:] - sums[:-window]) / window
