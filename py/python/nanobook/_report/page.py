"""A page of a backtest: one HTML file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nanobook._report import charts
from nanobook._report.series import Series
from nanobook._report.sheet import Numbers, numbers
from nanobook._report.svg import THEMED, escape, number, percent

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>
:root{{color-scheme:light dark}}
{style}
body{{margin:0}}
.page{{background:var(--bg);min-height:100vh;padding:24px}}
.inner{{max-width:1240px;margin:0 auto}}
h1{{font-size:22px;margin:0 0 2px}} .sub{{color:var(--muted);margin:0 0 18px}}
.cards{{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:10px;margin-bottom:18px}}
.card{{background:var(--card);border-radius:8px;padding:10px 12px}}
.card b{{display:block;font-size:19px;font-weight:600}} .card span{{color:var(--muted);font-size:12px}}
.two{{display:grid;grid-template-columns:minmax(0,760px) minmax(390px,1fr);gap:32px;align-items:start}}
@media(max-width:960px){{.two{{grid-template-columns:minmax(0,1fr)}}}}
.chart{{margin-bottom:18px}}
.wide,.two>div{{overflow-x:auto}} .pair{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));gap:10px 32px}}
table{{border-collapse:collapse;width:100%;margin-bottom:18px}}
caption{{text-align:left;font-weight:600;padding:0 0 4px}}
td,th{{padding:3px 6px;border-bottom:1px solid var(--line);text-align:right;font-weight:400}}
td,th{{white-space:nowrap}} .wide td,.wide th{{padding:3px 12px}} tr.group td{{font-weight:600;padding-top:12px}}
th{{color:var(--muted)}} td:first-child,th:first-child{{text-align:left;padding-left:0}}
.foot{{color:var(--muted);font-size:12px;margin-top:12px}}
@media print{{.page{{padding:0}}.chart,table{{break-inside:avoid}}}}
</style></head>
<body class="nb page"><div class="inner">
<h1>{title}</h1><p class="sub">{subtitle}</p>
{cards}
{body}
<p class="foot">{foot}</p>
</div></body></html>
"""


def say(value: float, kind: str) -> str:
    """A number of the tear sheet as text."""
    match kind:
        case "%":
            return percent(value)
        case "%%":
            return percent(value, 3)
        case "x":
            return number(value, 2)
        case _:
            return number(value, 0)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(_row(row, len(heads)) for row in rows)
    thead = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return f"<table><caption>{escape(caption)}</caption>{thead}<tbody>{body}</tbody></table>"


def _row(cells: Sequence[str], width: int) -> str:
    """A row of a table; a single cell among many columns is the heading of those below."""
    if len(cells) == 1 and width > 1:
        return f'<tr class="group"><td colspan="{width}">{escape(cells[0])}</td></tr>'
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _sheet(groups: Sequence[tuple[str, Numbers]], series: Series, other: Series | None, risk_free: float) -> list[str]:
    """The numbers as tables, those of a benchmark beside them."""
    if other is None:
        return [_table(name, [], [[label, say(value, kind)] for label, value, kind in group]) for name, group in groups]
    theirs = {label: say(value, kind) for _, group in numbers(other, risk_free=risk_free) for label, value, kind in group}
    tables = []
    for name, group in groups[:-1]:
        rows = [[label, say(value, kind), theirs.get(label, "–")] for label, value, kind in group]
        tables.append(_table(name, ["", series.name, other.name], rows))
    name, group = groups[-1]
    return [*tables, _table(name, [], [[label, say(value, kind)] for label, value, kind in group])]


def _day(series: Series, row: int | None) -> str:
    if row is None:
        return "not yet"
    return str(series.ts[row].astype("datetime64[D]")) if series.ts.dtype.kind == "M" else str(series.ts[row])


def _falls_table(series: Series) -> str:
    rows = []
    last = len(series.equity) - 1
    for fall in series.worst_drawdowns(10):
        length = (fall["recovery"] if fall["recovery"] is not None else last) - fall["peak"]
        rows.append(
            [_day(series, fall["peak"]), _day(series, fall["trough"]), _day(series, fall["recovery"]), percent(fall["depth"]), f"{length:,}"]
        )
    return _table("The ten deepest drawdowns", ["peak", "trough", "recovered", "depth", "rows"], rows)


def _years_table(all_series: Sequence[Series]) -> str:
    years, _ = all_series[0].by("Y")
    columns = [series.by("Y")[1] for series in all_series]
    rows = [[str(year), *[percent(float(column[at])) for column in columns]] for at, year in enumerate(years)]
    return _table("Returns by year", ["year", *[series.name for series in all_series]], rows[::-1])


def _recent_table(all_series: Sequence[Series]) -> str:
    """Returns up to the last row over spans that people ask for."""
    import numpy as np

    first = all_series[0]
    if first.ts.dtype.kind != "M":
        return ""
    end = first.ts[-1].astype("datetime64[D]")
    month = end.astype("datetime64[M]")
    spans: list[tuple[str, Any]] = [
        ("This month", month.astype("datetime64[D]")),
        ("This year", end.astype("datetime64[Y]").astype("datetime64[D]")),
    ]
    for name, months in [("3 months", 3), ("6 months", 6), ("1 year", 12), ("3 years", 36), ("5 years", 60), ("10 years", 120)]:
        day = end - month.astype("datetime64[D]")
        spans.append((name, (month - months).astype("datetime64[D]") + day))
    rows = []
    for name, start in spans:
        at = int(np.searchsorted(first.ts, start.astype(first.ts.dtype))) - 1
        if at < 0:
            continue
        years = (end - start) / np.timedelta64(365, "D")
        cells = []
        for series in all_series:
            ratio = float(series.equity[-1] / series.equity[at])
            cells.append(percent(ratio ** (1 / years) - 1 if years > 1.5 else ratio - 1) + (" a year" if years > 1.5 else ""))
        rows.append([name, *cells])
    rows.append(["all, a year", *[percent(series.cagr) for series in all_series]])
    return _table("Up to the last row", ["", *[series.name for series in all_series]], rows)


def _positions_table(positions: Any) -> str:
    """The largest positions that are held at the end."""
    if positions is None:
        return ""
    data = positions.select(["symbol", "qty", "price", "value"]).to_dict()
    rows = [row for row in zip(*data.values()) if row[1]]
    rows.sort(key=lambda row: -abs(row[3] or 0.0))
    return _first("Positions at the end", list(data), rows)


def _stops_table(stops: Any) -> str:
    """The first stops."""
    if stops is None:
        return ""
    data = stops.select(["ts", "symbol", "reason", "exit_price"]).to_dict()
    return _first("Stops", ["day", "symbol", "reason", "price"], list(zip(*data.values())))


def _first(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]], most: int = 10) -> str:
    """The first rows as a table; nothing of none."""
    if not rows:
        return ""
    more = f" (first {most} of {len(rows):,})" if len(rows) > most else ""
    return _table(caption + more, heads, [[_cell(value) for value in row] for row in rows[:most]])


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return number(value, 2)
    return str(value)[:10] if hasattr(value, "year") else str(value)


def report_page(result: Any, *, title: str, benchmark: Any = None, risk_free: float = 0.0) -> str:
    """The page of one result."""
    import numpy as np

    series = Series.of(result, "strategy")
    all_series = [series]
    other = None
    if benchmark is not None:
        other = benchmark_series(benchmark, series)
        all_series.append(other)
    groups = numbers(series, other, risk_free=risk_free)
    found = {name: say(value, kind) for _, group in groups for name, value, kind in group}
    cards = "".join(
        f'<div class="card"><b>{escape(found[name])}</b><span>{escape(label)}</span></div>'
        for name, label in [
            ("Total return", "total return"),
            ("Return a year (CAGR)", "return a year"),
            ("Volatility a year", "volatility a year"),
            ("Sharpe", "Sharpe ratio"),
            ("Sortino", "Sortino ratio"),
            ("Maximum drawdown", "maximum drawdown"),
            ("Calmar", "Calmar ratio"),
        ]
    )
    cards = f'<div class="cards">{cards}</div>'
    pictures = [
        charts.equity(all_series),
        charts.growth(all_series),
        charts.matched(series, other) if other is not None else "",
        charts.drawdown(all_series),
        charts.monthly(series),
        charts.yearly(all_series),
        charts.histogram(all_series),
        charts.returns(series),
        charts.boxes(series),
        charts.worst(series),
        charts.rolling(all_series, "volatility"),
        charts.rolling(all_series, "sharpe"),
        charts.rolling(all_series, "sortino"),
        charts.beta(series, other) if other is not None else "",
        charts.exposure([series]) if series.gross is not None else "",
        charts.turnover(series),
        charts.costs(series),
    ]
    tables = _sheet(groups, series, other, risk_free)
    tables += [_recent_table(all_series), _years_table(all_series) if series.ts.dtype.kind == "M" else "", _falls_table(series)]
    tables += [_positions_table(getattr(result, "positions", None)), _stops_table(getattr(result, "stop_events", None))]
    span = f"{_day(series, 0)} to {_day(series, -1)}, {len(series.equity):,} rows, {number(float(series.equity[0]), 0)} to {number(float(series.equity[-1]), 0)}"
    if not np.isfinite(series.equity).all() or math.isnan(float(series.equity[-1])):
        span += "; some rows of equity are no numbers"
    body = f'<div class="two"><div>{_charts(pictures)}</div><div>{"".join(tables)}</div></div>'
    return _page(title, span, cards, body)


def compare_page(all_series: Sequence[Series], *, title: str) -> str:
    """The page of several results side by side."""
    groups = [numbers(series) for series in all_series]
    names = [series.name for series in all_series]
    rows: list[Sequence[str]] = []
    for at, (name, first) in enumerate(groups[0]):
        rows.append([name])
        for row, (label, _, kind) in enumerate(first):
            rows.append([label, *[say(group[at][1][row][1], kind) if row < len(group[at][1]) else "–" for group in groups]])
    pictures = [
        charts.growth(all_series),
        charts.drawdown(all_series),
        charts.yearly(all_series),
        charts.rolling(all_series, "volatility"),
        charts.rolling(all_series, "sharpe"),
        charts.exposure(all_series) if all(series.gross is not None for series in all_series) else "",
    ]
    months = [
        charts.monthly(series).replace("Returns by month, %", f"Returns by month, %: {escape(series.name)}")
        for series in all_series
    ]
    leader = all_series[0]
    span = f"{_day(leader, 0)} to {_day(leader, -1)}, {len(leader.equity):,} rows"
    years = _years_table(all_series) if leader.ts.dtype.kind == "M" else ""
    table = _table("Numbers", ["", *names], rows)
    lines, maps = (f'<div class="pair">{_charts(some)}</div>' for some in (pictures, months))
    body = f'{lines}<div class="wide">{table}</div>{maps}<div class="wide">{years}</div>'
    return _page(title, span, "", body)


def _charts(pictures: Sequence[str]) -> str:
    return "".join(f'<div class="chart">{picture}</div>' for picture in pictures if picture)


def _page(title: str, subtitle: str, cards: str, body: str) -> str:
    from nanobook._lib import __version__

    return PAGE.format(
        title=escape(title),
        subtitle=escape(subtitle),
        style=THEMED,
        cards=cards,
        body=body,
        foot=escape(f"nanobook {__version__}. Times are UTC. Ratios: see the documentation of nanobook.reports."),
    )


def benchmark_series(benchmark: Any, series: Series) -> Series:
    """A benchmark on the rows of a result: a result, or a frame of a time and a price or level."""
    import numpy as np

    from nanobook._lib.frame import Frame
    from nanobook.errors import InputError

    if hasattr(benchmark, "equity"):
        table = benchmark.equity.select(["ts", "equity"])
    else:
        table = Frame(benchmark)
    kinds = dict(zip(table.columns, table.dtypes))
    times = [name for name, kind in kinds.items() if kind.startswith(("date", "datetime"))]
    values = [name for name, kind in kinds.items() if kind[0] in "fiu" and kind[1:].isdigit()]
    if len(times) != 1 or len(values) != 1:
        raise InputError(f"a benchmark has one column of times and one of levels, not {', '.join(kinds)}")
    at = np.asarray(table[times[0]].to_numpy()).astype("datetime64[ns]")
    levels = np.asarray(table[values[0]].to_numpy(), dtype=float)
    order = np.argsort(at, kind="stable")
    at, levels = at[order], levels[order]
    place = np.searchsorted(at, series.ts.astype("datetime64[ns]"), side="right") - 1
    if len(at) == 0 or place[0] < 0:
        raise InputError(f"the benchmark begins after the first row, {series.ts[0]}")
    level = levels[place]
    if not (np.isfinite(level).all() and (level > 0).all()):
        row = int(np.flatnonzero(~(np.isfinite(level) & (level > 0)))[0])
        raise InputError(f"the benchmark is {level[row]} at {series.ts[row]}: levels are above zero")
    name = getattr(benchmark, "name", None)
    equity = series.equity[0] * level / level[0]
    return Series(name if isinstance(name, str) else "benchmark", series.ts, equity, equity[1:] / equity[:-1] - 1.0, series.periods_per_year)
