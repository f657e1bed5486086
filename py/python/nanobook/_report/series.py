"""What is drawn and tabled of a backtest: arrays, and the numbers of a tear sheet."""

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

    def rolling(self, window: int, of: str) -> Doubles:
        """Volatility, Sharpe or Sortino ratio a year over the last ``window`` returns; NaN before there are as many."""
        import numpy as np

        values = np.full(len(self.ts), np.nan)
        if len(self.returns) < window or window < 2:
            return values
        mean = _rolling_mean(self.returns, window)
        variance = np.maximum(_rolling_mean(self.returns**2, window) - mean**2, 0.0) * window / (window - 1)
        year = self.periods_per_year
        with np.errstate(divide="ignore", invalid="ignore"):
            if of == "volatility":
                found = np.sqrt(variance * year)
            elif of == "sharpe":
                found = np.where(variance > 1e-18, mean / np.sqrt(variance) * math.sqrt(year), np.nan)
            else:
                below = _rolling_mean(np.minimum(self.returns, 0.0) ** 2, window)
                found = np.where(below > 1e-18, mean / np.sqrt(below) * math.sqrt(year), np.nan)
        values[window:] = found
        return values

    def by(self, unit: str) -> tuple[npt.NDArray[Any], Doubles]:
        """Returns compounded by calendar ``M``onth, ``Y``ear, or ``W``eek (UTC), with the periods."""
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


def _rolling_mean(values: Doubles, window: int) -> Doubles:
    import numpy as np

    sums = np.cumsum(np.r_[0.0, values])
    return (sums[window:] - sums[:-window]) / window


def _part(over: float, under: float) -> float:
    return over / under if under else math.nan


def numbers(series: Series, benchmark: Series | None = None, *, risk_free: float = 0.0) -> list[tuple[str, list[tuple[str, float, str]]]]:
    """The table of a tear sheet: groups of name, value and kind (``%``, ``x`` or ``n``).

    Conventions are those of quantstats, without its annual 365.25 days: a year has ``periods_per_year`` rows. Sharpe is
    of the sample deviation, Sortino's downside is over all rows, value at risk is the historical quantile.
    """
    import numpy as np

    r, year = series.returns, series.periods_per_year
    n = len(r)
    excess = r - risk_free
    total = float(series.growth[-1] - 1.0)
    years = n / year if n else math.nan
    cagr = float(series.growth[-1] ** (1 / years) - 1.0) if n and series.growth[-1] > 0 else math.nan
    deviation = float(r.std(ddof=1)) if n > 1 else math.nan
    below = math.sqrt(float((np.minimum(excess, 0.0) ** 2).mean())) if n else math.nan
    drawdown = series.drawdown
    deepest = float(drawdown.min()) if n else math.nan
    gains, losses = r[r > 0], r[r < 0]
    win = _part(len(gains), len(gains) + len(losses))
    payoff = _part(float(gains.mean()) if len(gains) else 0.0, -float(losses.mean()) if len(losses) else 0.0)
    quantile = float(np.quantile(r, 0.05)) if n else math.nan
    tail = r[r <= quantile]
    falls = series.worst_drawdowns(10**9)
    length = [(fall["recovery"] or len(series.equity) - 1) - fall["peak"] for fall in falls]
    months, monthly = series.by("M")
    years_, yearly = series.by("Y")
    ulcer = math.sqrt(float((drawdown**2).mean()))
    groups = [
        (
            "Return",
            [
                ("Total return", total, "%"),
                ("Return a year (CAGR)", cagr, "%"),
                ("Best row", float(r.max()) if n else math.nan, "%"),
                ("Worst row", float(r.min()) if n else math.nan, "%"),
                ("Best month", float(monthly.max()) if len(monthly) else math.nan, "%"),
                ("Worst month", float(monthly.min()) if len(monthly) else math.nan, "%"),
                ("Best year", float(yearly.max()) if len(yearly) else math.nan, "%"),
                ("Worst year", float(yearly.min()) if len(yearly) else math.nan, "%"),
                ("Mean return of a row", float(r.mean()) if n else math.nan, "%%"),
                ("Mean return of a month", float(monthly.mean()) if len(monthly) else math.nan, "%"),
            ],
        ),
        (
            "Risk",
            [
                ("Volatility a year", deviation * math.sqrt(year), "%"),
                ("Maximum drawdown", deepest, "%"),
                ("Longest drawdown (rows)", float(max(length, default=0)), "n"),
                ("Mean drawdown", float(np.mean([fall["depth"] for fall in falls])) if falls else 0.0, "%"),
                ("Ulcer index", ulcer, "%"),
                ("Value at risk 95 % (row)", quantile, "%%"),
                ("Expected shortfall 95 % (row)", float(tail.mean()) if len(tail) else math.nan, "%%"),
                ("Skewness", _moment(r, 3), "x"),
                ("Excess kurtosis", _moment(r, 4), "x"),
            ],
        ),
        (
            "Ratios",
            [
                ("Sharpe", _part(float(excess.mean()) if n else math.nan, deviation) * math.sqrt(year), "x"),
                ("Sortino", _part(float(excess.mean()) if n else math.nan, below) * math.sqrt(year), "x"),
                ("Calmar", _part(cagr, -deepest), "x"),
                ("Omega", _part(float(np.maximum(excess, 0).sum()), float(np.maximum(-excess, 0).sum())), "x"),
                ("Gain to pain", _part(float(r.sum()), -float(losses.sum())), "x"),
                ("Tail ratio", abs(_part(float(np.quantile(r, 0.95)), quantile)) if n else math.nan, "x"),
                ("Recovery factor", _part(total, -deepest), "x"),
                ("Profit factor", _part(float(gains.sum()), -float(losses.sum())), "x"),
                ("Payoff ratio", payoff, "x"),
                ("Kelly fraction", win - _part(1 - win, payoff), "%"),
            ],
        ),
        (
            "Rows",
            [
                ("Returns", float(n), "n"),
                ("Rows won", win, "%"),
                ("Months won", _part(float((monthly > 0).sum()), len(monthly)), "%"),
                ("Years won", _part(float((yearly > 0).sum()), len(yearly)), "%"),
                *([("Turnover a year", float(np.nansum(series.turnover / series.equity)) / years, "%")] if series.turnover is not None and n else []),
                *([("Costs", float(np.nansum(series.cost)), "n")] if series.cost is not None else []),
                *([("Mean gross exposure", _mean_part(series.gross, series.equity), "%")] if series.gross is not None else []),
                *([("Mean net exposure", _mean_part(series.net, series.equity), "%")] if series.net is not None else []),
            ],
        ),
    ]
    if benchmark is not None:
        groups.append(("Against " + benchmark.name, _against(series, benchmark)))
    return groups


def _mean_part(values: Doubles, equity: Doubles) -> float:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmean(values / equity))


def _moment(values: Doubles, order: int) -> float:
    """Skewness or excess kurtosis, corrected for bias as pandas does."""
    n = len(values)
    if n < 4:
        return math.nan
    centered = values - values.mean()
    second = float((centered**2).mean())
    if second < 1e-30:
        return math.nan
    if order == 3:
        return float((centered**3).mean()) / second**1.5 * math.sqrt(n * (n - 1)) / (n - 2)
    excess = float((centered**4).mean()) / second**2 - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)


def _against(series: Series, benchmark: Series) -> list[tuple[str, float, str]]:
    import numpy as np

    a, b, year = series.returns, benchmark.returns, series.periods_per_year
    variance = float(b.var(ddof=1)) if len(b) > 1 else math.nan
    covariance = float(np.cov(a, b)[0, 1]) if len(a) > 1 else math.nan
    beta = _part(covariance, variance)
    apart = a - b
    error = float(apart.std(ddof=1)) if len(a) > 1 else math.nan
    return [
        ("Return of the benchmark", float(benchmark.growth[-1] - 1), "%"),
        ("Beta", beta, "x"),
        ("Alpha a year", float(a.mean() - beta * b.mean()) * year, "%"),
        ("Correlation", _part(covariance, math.sqrt(variance) * float(a.std(ddof=1))), "x"),
        ("Tracking error a year", error * math.sqrt(year), "%"),
        ("Information ratio", _part(float(apart.mean()), error) * math.sqrt(year), "x"),
    ]
