"""The pictures of a backtest, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanobook._report.series import Series
from nanobook._report.svg import (
    Line,
    bar_chart,
    box_chart,
    heat_map,
    line_chart,
    numbers,
    percent,
    percents,
    shorts,
)

if TYPE_CHECKING:
    from nanobook._report.svg import Doubles

COLORS = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _times_one(values: Sequence[float]) -> list[str]:
    return [f"{value:g} ×" for value in values]


def _lines(all_series: Sequence[Series], of: str) -> list[Line]:
    several = len(all_series) > 1
    return [
        Line(getattr(series, of), series.name if several else "", COLORS[at % len(COLORS)])
        for at, series in enumerate(all_series)
    ]


def equity(all_series: Sequence[Series]) -> str:
    """Equity; of several, growth of one on a logarithmic scale."""
    first = all_series[0]
    if len(all_series) == 1:
        return line_chart("Equity", first.ts, [Line(first.equity, "", "c1", fill=False)])
    return growth(all_series)


def growth(all_series: Sequence[Series]) -> str:
    """Growth of one, on a logarithmic scale."""
    return line_chart("Growth of 1 (logarithmic)", all_series[0].ts, _lines(all_series, "growth"), axis=_times_one, log=True)


def drawdown(all_series: Sequence[Series]) -> str:
    """How far equity is below its peak."""
    lines = _lines(all_series, "drawdown")
    if len(lines) == 1:
        lines[0].color, lines[0].fill = "c2", True
    return line_chart("Drawdown", all_series[0].ts, lines, axis=percents, zero=True, height=170)


def worst(series: Series) -> str:
    """Growth with the five deepest falls shaded."""
    falls = series.worst_drawdowns(5)
    last = len(series.equity) - 1
    marks = [(fall["peak"], fall["recovery"] or last) for fall in falls]
    line = Line(series.growth, "", "c1")
    return line_chart("The five deepest drawdowns", series.ts, [line], axis=_times_one, marks=marks)


def exposure(all_series: Sequence[Series]) -> str:
    """Gross and net exposure as parts of equity."""
    lines = []
    for at, series in enumerate(all_series):
        if series.gross is None or series.net is None:
            continue
        if len(all_series) == 1:
            lines = [Line(series.gross / series.equity, "gross", "c1"), Line(series.net / series.equity, "net", "c2")]
        else:
            lines.append(Line(series.gross / series.equity, series.name, COLORS[at % len(COLORS)]))
    title = "Exposure, part of equity" if len(all_series) == 1 else "Gross exposure, part of equity"
    return line_chart(title, all_series[0].ts, lines, axis=percents, zero=True, height=170)


def turnover(series: Series) -> str:
    """Turnover by month, both sides, as a part of equity."""
    import numpy as np

    if series.turnover is None or series.ts.dtype.kind != "M":
        return ""
    months = series.ts.astype("datetime64[M]")
    starts = np.flatnonzero(np.r_[True, months[1:] != months[:-1]])
    sums = np.add.reduceat(np.nan_to_num(series.turnover / series.equity), starts)
    labels = [str(month) for month in months[starts]]
    return bar_chart("Turnover by month, part of equity", labels, [Line(sums, "", "c4")], axis=percents, height=150, signed=False)


def costs(series: Series) -> str:
    """What trading and holding has cost up to each row."""
    import numpy as np

    if series.cost is None:
        return ""
    return line_chart("Costs so far", series.ts, [Line(np.cumsum(np.nan_to_num(series.cost)), "", "c4")], axis=shorts, zero=True, height=150)


def monthly(series: Series) -> str:
    """Returns by month and year as a heat map."""
    import numpy as np

    periods, returns = series.by("M")
    years, yearly = series.by("Y")
    if not len(periods):
        return ""
    values = np.full((len(years), 13), np.nan)
    row = {str(year): at for at, year in enumerate(years)}
    for period, value in zip(periods, returns):
        text = str(period)
        values[row[text[:4]], int(text[5:]) - 1] = value
    values[:, 12] = yearly
    names = [str(year) for year in years][::-1]
    return heat_map("Returns by month, %", names, [*MONTHS, "year"], values[::-1], apart=12)


def yearly(all_series: Sequence[Series]) -> str:
    """Returns by year as bars."""
    years, _ = all_series[0].by("Y")
    lines = [Line(s.by("Y")[1], s.name if len(all_series) > 1 else "", COLORS[at % len(COLORS)]) for at, s in enumerate(all_series)]
    return bar_chart("Returns by year", [str(year) for year in years], lines, axis=percents) if len(years) else ""


def histogram(series: Series) -> str:
    """How often a month returned what."""
    import numpy as np

    _, returns = series.by("M")
    if len(returns) < 3:
        return ""
    bins = min(max(int(np.sqrt(len(returns)) * 1.5), 5), 40)
    counts, edges = np.histogram(returns, bins=bins)
    # Enough digits to tell the middle of a bin from the next one.
    digits = max(0, 1 - int(np.floor(np.log10(max(100 * (edges[1] - edges[0]), 1e-6)))) - 1)
    labels = [percent((low + high) / 2, digits) for low, high in zip(edges[:-1], edges[1:])]
    line = Line(counts.astype(float), "", "c1")
    return bar_chart("Distribution of monthly returns: number of months", labels, [line], axis=numbers, signed=False)


def boxes(series: Series) -> str:
    """Quartiles of returns of rows, weeks, months and years."""
    groups: list[Doubles] = [series.returns] + [series.by(unit)[1] for unit in "WMY"]
    return box_chart("Quartiles of returns", ["rows", "weeks", "months", "years"], groups)


def rolling(all_series: Sequence[Series], of: str) -> str:
    """Volatility, Sharpe or Sortino ratio over the last half year."""
    window = max(int(all_series[0].periods_per_year / 2), 2)
    lines = [
        Line(series.rolling(window, of), series.name if len(all_series) > 1 else "", COLORS[at % len(COLORS)])
        for at, series in enumerate(all_series)
    ]
    axis = percents if of == "volatility" else numbers
    title = {"volatility": "Volatility a year", "sharpe": "Sharpe ratio", "sortino": "Sortino ratio"}[of]
    return line_chart(f"{title} over the last {window} rows", all_series[0].ts, lines, axis=axis, zero=True, height=150)


def beta(series: Series, benchmark: Series) -> str:
    """Beta against the benchmark over the last half year."""
    import numpy as np

    from nanobook._report.series import _rolling_mean

    window = max(int(series.periods_per_year / 2), 2)
    a, b = series.returns, benchmark.returns
    values = np.full(len(series.ts), np.nan)
    if len(a) >= window:
        mean_a, mean_b = _rolling_mean(a, window), _rolling_mean(b, window)
        variance = _rolling_mean(b * b, window) - mean_b**2
        with np.errstate(divide="ignore", invalid="ignore"):
            values[window:] = np.where(variance > 1e-18, (_rolling_mean(a * b, window) - mean_a * mean_b) / variance, np.nan)
    line = Line(values, "", "c3")
    return line_chart(f"Beta over the last {window} rows", series.ts, [line], axis=numbers, zero=True, height=150)
