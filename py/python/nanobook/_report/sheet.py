"""The numbers of a tear sheet.

Conventions are those of quantstats, but for these: a year has ``periods_per_year`` rows, value at risk is the historical
quantile (and shortfalls the mean of what is not above it), months are compounded, recovery is of the compounded return, the
ulcer index is a mean over all rows, and the information ratio is a year's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from nanobook._report.series import Series

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nanobook._report.svg import Doubles

Numbers: TypeAlias = "list[tuple[str, float, str]]"
"""Name, value and kind (``%``, ``%%`` with more digits, ``x`` or ``n``) of each number of a group."""


def numbers(series: Series, benchmark: Series | None = None, *, risk_free: float = 0.0) -> list[tuple[str, Numbers]]:
    """The groups of a tear sheet with their numbers."""
    groups = [
        ("Return", _return(series)),
        ("Risk", _risk(series)),
        ("Ratios", _ratios(series, risk_free)),
        ("Wins and losses", _wins(series)),
        ("Rows", _rows(series, risk_free)),
    ]
    if benchmark is not None:
        groups.append(("Against " + benchmark.name, _against(series, benchmark, risk_free)))
    return groups


def part(over: float, under: float) -> float:
    """A quotient, NaN over zero."""
    return over / under if under else math.nan


def _mean(values: Doubles) -> float:
    return float(values.mean()) if len(values) else math.nan


def _most(values: Doubles) -> float:
    return float(values.max()) if len(values) else math.nan


def _least(values: Doubles) -> float:
    return float(values.min()) if len(values) else math.nan


def _sum(values: Doubles) -> float:
    return float(values.sum())


def _share(of: npt.NDArray[np.bool_]) -> float:
    """How many of all are true."""
    return part(int(of.sum()), len(of))


def _quantile(values: Doubles, at: float) -> float:
    import numpy as np

    return float(np.quantile(values, at)) if len(values) else math.nan


def _shortfall(values: Doubles) -> float:
    """The mean of what is not above the 5 % quantile."""
    return _mean(values[values <= _quantile(values, 0.05)])


def _deviation(values: Doubles) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _deepest(series: Series) -> float:
    return _least(series.drawdown) if len(series.returns) else math.nan


def _ulcer(series: Series) -> float:
    return math.sqrt(float((series.drawdown**2).mean()))


def _longest_run(of: npt.NDArray[np.bool_]) -> float:
    import numpy as np

    edges = np.flatnonzero(np.diff(np.r_[0, of.astype(int), 0]))
    return float((edges[1::2] - edges[::2]).max(initial=0))


def _return(series: Series) -> Numbers:
    r, (_, monthly), (_, yearly) = series.returns, series.by("M"), series.by("Y")
    grown = float(series.growth[-1])
    return [
        ("Total return", grown - 1.0, "%"),
        ("Return a year (CAGR)", series.cagr, "%"),
        ("Return a year over time in the market", part(series.cagr, _share(r != 0)), "%"),
        ("Expected return of a row", grown ** (1 / len(r)) - 1 if len(r) and grown > 0 else math.nan, "%%"),
        ("Expected return of a month", grown ** (1 / len(monthly)) - 1 if len(monthly) and grown > 0 else math.nan, "%"),
        ("Expected return of a year", grown ** (1 / len(yearly)) - 1 if len(yearly) and grown > 0 else math.nan, "%"),
        ("Best row", _most(r), "%"),
        ("Worst row", _least(r), "%"),
        ("Best month", _most(monthly), "%"),
        ("Worst month", _least(monthly), "%"),
        ("Best year", _most(yearly), "%"),
        ("Worst year", _least(yearly), "%"),
    ]


def _risk(series: Series) -> Numbers:
    import numpy as np

    r = series.returns
    falls = series.worst_drawdowns(10**9)
    lengths = np.array([(fall["recovery"] or len(series.equity) - 1) - fall["peak"] for fall in falls], dtype=float)
    depths = np.array([fall["depth"] for fall in falls])
    return [
        ("Volatility a year", _deviation(r) * math.sqrt(series.periods_per_year), "%"),
        ("Maximum drawdown", _deepest(series), "%"),
        ("Mean drawdown", _mean(depths) if len(falls) else 0.0, "%"),
        ("Longest drawdown (rows)", float(lengths.max(initial=0.0)), "n"),
        ("Mean drawdown (rows)", _mean(lengths) if len(falls) else 0.0, "n"),
        ("Ulcer index", _ulcer(series), "%"),
        ("Value at risk 95 % (row)", _quantile(r, 0.05), "%%"),
        ("Expected shortfall 95 % (row)", _shortfall(r), "%%"),
        ("Skewness", moment(r, 3), "x"),
        ("Excess kurtosis", moment(r, 4), "x"),
    ]


def _ratios(series: Series, risk_free: float) -> Numbers:
    import numpy as np

    r, root = series.returns, math.sqrt(series.periods_per_year)
    _, monthly = series.by("M")
    excess = r - risk_free
    below = math.sqrt(float((np.minimum(excess, 0.0) ** 2).mean())) if len(r) else math.nan
    sharpe = part(_mean(excess), _deviation(r)) * root
    sortino = part(_mean(excess), below) * root
    total, deepest = float(series.growth[-1] - 1.0), _deepest(series)
    gains, losses = r[r > 0], r[r < 0]
    profit = part(_sum(gains), -_sum(losses))
    tail = abs(part(_quantile(r, 0.95), _quantile(r, 0.05)))
    smooth = _smoothing(r)
    pitfall = part(_shortfall(series.drawdown), -_deviation(r)) if len(r) else math.nan
    return [
        ("Sharpe", sharpe, "x"),
        ("Probabilistic Sharpe (above 0)", _probabilistic_sharpe(excess), "%"),
        ("Smart Sharpe", part(sharpe, smooth), "x"),
        ("Sortino", sortino, "x"),
        ("Smart Sortino", part(sortino, smooth), "x"),
        ("Sortino / √2", sortino / math.sqrt(2), "x"),
        ("Calmar", part(series.cagr, -deepest), "x"),
        ("Omega", part(_sum(np.maximum(excess, 0)), _sum(np.maximum(-excess, 0))), "x"),
        ("Gain to pain", part(_sum(r), -_sum(losses)), "x"),
        ("Gain to pain of months", part(_sum(monthly), -_sum(monthly[monthly < 0])), "x"),
        ("Tail ratio", tail, "x"),
        ("Risk-return ratio (row)", part(_mean(r), _deviation(r)), "x"),
        ("Common sense ratio", profit * tail, "x"),
        ("Recovery factor", part(total, -deepest), "x"),
        ("Ulcer performance index", part(total - risk_free, _ulcer(series)), "x"),
        ("Serenity index", part(_sum(r) - risk_free, _ulcer(series) * pitfall), "x"),
    ]


def _wins(series: Series) -> Numbers:
    r = series.returns
    gains, losses = r[r > 0], r[r < 0]
    win = part(len(gains), len(gains) + len(losses))
    payoff = part(_mean(gains) if len(gains) else 0.0, -_mean(losses) if len(losses) else 0.0)
    profit = part(_sum(gains), -_sum(losses))
    (_, monthly), (_, quarterly), (_, yearly) = (series.by(unit) for unit in ("M", "3M", "Y"))
    return [
        ("Rows won", win, "%"),
        ("Months won", _share(monthly > 0), "%"),
        ("Quarters won", _share(quarterly > 0), "%"),
        ("Years won", _share(yearly > 0), "%"),
        ("Mean row that won", _mean(gains), "%%"),
        ("Mean row that lost", _mean(losses), "%%"),
        ("Mean month that won", _mean(monthly[monthly > 0]), "%"),
        ("Mean month that lost", _mean(monthly[monthly < 0]), "%"),
        ("Most rows won in a row", _longest_run(r > 0), "n"),
        ("Most rows lost in a row", _longest_run(r < 0), "n"),
        ("Payoff ratio", payoff, "x"),
        ("Profit factor", profit, "x"),
        ("CPC index", profit * win * payoff, "x"),
        ("Outlier win ratio", part(_quantile(r, 0.99), _mean(gains)), "x"),
        ("Outlier loss ratio", part(_quantile(r, 0.01), _mean(losses)), "x"),
        ("Kelly fraction", win - part(1 - win, payoff), "%"),
        ("Risk of ruin", ((1 - win) / (1 + win)) ** len(r), "%"),
    ]


def _rows(series: Series, risk_free: float) -> Numbers:
    import numpy as np

    r = series.returns
    n = len(r)
    found: Numbers = [
        ("Returns", float(n), "n"),
        ("Rows in a year", series.periods_per_year, "n"),
        ("Risk-free return of a row", risk_free, "%%"),
        ("Rows in the market", _share(r != 0), "%"),
    ]
    if series.turnover is not None and n:
        found.append(("Turnover a year", float(np.nansum(series.turnover / series.equity)) * series.periods_per_year / n, "%"))
    if series.cost is not None:
        found.append(("Costs", float(np.nansum(series.cost)), "n"))
    for name, values in [("Mean gross exposure", series.gross), ("Mean net exposure", series.net)]:
        if values is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                found.append((name, float(np.nanmean(values / series.equity)), "%"))
    return found


def _smoothing(r: Doubles) -> float:
    """By how much the correlation of returns with those before them makes a ratio look better."""
    import numpy as np

    n = len(r)
    if n < 3 or not float(r.std()) > 0:
        return math.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        close = abs(float(np.corrcoef(r[:-1], r[1:])[0, 1]))
    lags = np.arange(1, n)
    return math.sqrt(1 + 2 * float(((n - lags) / n * close**lags).sum()))


def _probabilistic_sharpe(excess: Doubles) -> float:
    import numpy as np

    from nanobook.stats import probabilistic_sharpe

    if len(excess) < 4 or not np.isfinite(excess).all() or not float(excess.std()) > 1e-15:
        return math.nan
    return probabilistic_sharpe(excess)


def moment(values: Doubles, order: int) -> float:
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


def _against(series: Series, benchmark: Series, risk_free: float) -> Numbers:
    import numpy as np

    a, b, year = series.returns, benchmark.returns, series.periods_per_year
    variance = float(b.var(ddof=1)) if len(b) > 1 else math.nan
    covariance = float(np.cov(a, b)[0, 1]) if len(a) > 1 else math.nan
    beta = part(covariance, variance)
    correlation = part(covariance, math.sqrt(variance) * _deviation(a))
    apart = a - b
    error = _deviation(apart)
    return [
        ("Beta", beta, "x"),
        ("Alpha a year", (_mean(a) - beta * _mean(b)) * year, "%"),
        ("Correlation", correlation, "x"),
        ("R²", correlation**2, "x"),
        ("Treynor ratio", part(float(series.growth[-1] - 1) - risk_free, beta), "x"),
        ("Tracking error a year", error * math.sqrt(year), "%"),
        ("Information ratio", part(_mean(apart), error) * math.sqrt(year), "x"),
        ("Rows above the benchmark", _share(apart > 0), "%"),
    ]
