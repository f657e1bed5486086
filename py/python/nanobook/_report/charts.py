"""The pictures of a backtest, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanobook._report.series import Series, rolling_mean
from nanobook._report.svg import (
    Line,
    bar_chart,
    box_chart,
    heat_map,
    line_chart,
    numbers,
    percents,
    shorts,
    ticks,
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
    """Equity; a benchmark beside it starts with the same."""
    return line_chart("Equity", all_series[0].ts, _lines(all_series, "equity"))


def growth(all_series: Sequence[Series]) -> str:
    """Growth of one, on a logarithmic scale."""
    return line_chart("Growth of 1 (logarithmic)", all_series[0].ts, _lines(all_series, "growth"), axis=_times_one, log=True)


def matched(series: Series, benchmark: Series) -> str:
    """Growth of one beside a benchmark that is held, with borrowed money or with cash, at the strategy's volatility."""
    import numpy as np

    deviation = float(benchmark.returns.std())
    if len(series.returns) < 2 or not deviation > 0:
        return ""
    scale = float(series.returns.std()) / deviation
    held: Doubles = np.concatenate([[1.0], np.cumprod(1.0 + scale * benchmark.returns)])
    lines = [Line(series.growth, series.name, "c1"), Line(held, f"{scale:.2f} × {benchmark.name}", "c2")]
    return line_chart("Growth of 1 at the same volatility (logarithmic)", series.ts, lines, axis=_times_one, log=True)


def returns(series: Series) -> str:
    """The return of each row."""
    import numpy as np

    line = Line(np.r_[np.nan, series.returns], "", "c1")
    return line_chart("Returns of rows", series.ts, [line], axis=percents, zero=True, height=150)


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

    if series.turnover is None or series.ts.dtype.kind != "M" or not series.turnover.any():
        return ""
    months = series.ts.astype("datetime64[M]")
    starts = np.flatnonzero(np.r_[True, months[1:] != months[:-1]])
    sums = np.add.reduceat(np.nan_to_num(series.turnover / series.equity), starts)
    labels = [str(month) for month in months[starts]]
    return bar_chart("Turnover by month, part of equity", labels, [Line(sums, "", "c4")], axis=percents, height=150, signed=False)


def costs(series: Series) -> str:
    """What trading and holding has cost up to each row."""
    import numpy as np

    if series.cost is None or not series.cost.any():
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


def histogram(all_series: Sequence[Series]) -> str:
    """How often a month returned what."""
    import numpy as np

    months = [series.by("M")[1] for series in all_series]
    if len(months[0]) < 3:
        return ""
    low, high = min(float(found.min()) for found in months), max(float(found.max()) for found in months)
    # Bins around round numbers, which are their names.
    marks = ticks(low, high, min(max(int(np.sqrt(len(months[0])) * 1.5), 5), 24))
    if len(marks) < 2:
        return ""
    step = marks[1] - marks[0]
    middles = [marks[0] - step, *marks, marks[-1] + step]
    middles = [middle for middle in middles if low - step / 2 < middle < high + step / 2]
    edges = np.array([middles[0] - step / 2, *[middle + step / 2 for middle in middles]])
    labels = percents([round(middle, 12) for middle in middles])
    lines = [
        Line(np.histogram(found, bins=edges)[0].astype(float), series.name if len(all_series) > 1 else "", COLORS[at % len(COLORS)])
        for at, (series, found) in enumerate(zip(all_series, months))
    ]
    return bar_chart("Distribution of monthly returns: number of months", labels, lines, axis=numbers, signed=False)


def boxes(series: Series) -> str:
    """Quartiles of returns of rows, weeks, months, quarters and years."""
    groups: list[Doubles] = [series.returns] + [series.by(unit)[1] for unit in ("W", "M", "3M", "Y")]
    return box_chart("Quartiles of returns", ["rows", "weeks", "months", "quarters", "years"], groups)


def rolling(all_series: Sequence[Series], of: str) -> str:
    """Volatility, Sharpe or Sortino ratio over the last half year."""
    window = max(int(all_series[0].periods_per_year / 2), 2)
    if len(all_series[0].returns) < window:
        return ""
    lines = [
        Line(series.rolling(window, of), series.name if len(all_series) > 1 else "", COLORS[at % len(COLORS)])
        for at, series in enumerate(all_series)
    ]
    axis = percents if of == "volatility" else numbers
    title = {"volatility": "Volatility a year", "sharpe": "Sharpe ratio", "sortino": "Sortino ratio"}[of]
    return line_chart(f"{title} over the last {window} rows", all_series[0].ts, lines, axis=axis, zero=True, height=150)


def beta(series: Series, benchmark: Series) -> str:
    """Beta against the benchmark over the last half year and year."""
    import numpy as np

    a, b = series.returns, benchmark.returns
    lines = []
    for months, color in [(6, "c3"), (12, "c4")]:
        window = max(int(series.periods_per_year * months / 12), 2)
        values = np.full(len(series.ts), np.nan)
        if len(a) >= window:
            mean_a, mean_b = rolling_mean(a, window), rolling_mean(b, window)
            variance = rolling_mean(b * b, window) - mean_b**2
            with np.errstate(divide="ignore", invalid="ignore"):
                values[window:] = np.where(variance > 1e-18, (rolling_mean(a * b, window) - mean_a * mean_b) / variance, np.nan)
        lines.append(Line(values, f"{window} rows", color))
    return line_chart("Beta to the benchmark", series.ts, lines, axis=numbers, zero=True, height=150)
