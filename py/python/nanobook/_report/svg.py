"""Charts as SVG text that takes its colours from the page, so that one picture is right in light and dark."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Doubles: TypeAlias = "npt.NDArray[np.float64]"
    Times: TypeAlias = "npt.NDArray[np.datetime64]"

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 760, 64, 16, 28, 24
"""Size of a chart and of its margins, in CSS pixels."""

MOST_BUCKETS = 700
"""Buckets that a long line is drawn by, each with its lowest and highest value: as many as there are pixels."""

STYLE = """
.nb{--fg:#1f2328;--muted:#59636e;--grid:#d1d9e0;--line:#e6eaef;--bg:#fff;--card:#f6f8fa;--c1:#0969da;--c2:#bc4c00;--c3:#1a7f37;--c4:#8250df;--c5:#9a6700;--c6:#bf3989;--c7:#1b7c83;--c8:#6e7781;--up:26,127,55;--down:207,34,46;
color:var(--fg);font:13px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;font-variant-numeric:tabular-nums}
.nb svg{display:block;width:100%;height:auto;font:11px system-ui,-apple-system,"Segoe UI",sans-serif}
.nb text{fill:var(--muted)}.nb .t{fill:var(--fg);font-weight:600;font-size:12.5px}.nb .v{fill:var(--fg)}
.nb .g{stroke:var(--line);stroke-width:1}.nb .z{stroke:var(--muted);stroke-width:1}
.nb path.l{fill:none;stroke-width:1.5;stroke-linejoin:round}
.nb .up{fill:rgb(var(--up))}.nb .down{fill:rgb(var(--down))}
"""

DARK = """--fg:#e6edf3;--muted:#9198a1;--grid:#3d444d;--line:#262c36;--bg:#0d1117;--card:#151b23;--c1:#4493f8;--c2:#f0883e;--c3:#3fb950;--c4:#ab7df8;--c5:#d29922;--c6:#db61a2;--c7:#39c5cf;--c8:#8b949e;--up:63,185,80;--down:248,81,73"""

THEMED = (
    STYLE
    + f"@media (prefers-color-scheme:dark){{.nb{{{DARK}}}}}\n"
    + f'[data-jp-theme-light="false"] .nb,.vscode-dark .nb,[data-theme="dark"] .nb,.nb[data-theme="dark"]{{{DARK}}}\n'
    + '[data-jp-theme-light="true"] .nb,.vscode-light .nb,[data-theme="light"] .nb{'
    + STYLE.split("{", 1)[1].split(";\ncolor", 1)[0]
    + "}\n"
)
"""The style of all pictures, dark where the reader's system or notebook is."""


def escape(text: object) -> str:
    """Text for use in HTML."""
    return html.escape(str(text))


def percent(value: float, digits: int = 1) -> str:
    """A part of one as per cent, with a true minus sign."""
    return "–" if not math.isfinite(value) else f"{number(value * 100, digits)} %"


def number(value: float, digits: int = 2) -> str:
    """A number with thousands separated, with a true minus sign; what is rounded to zero has none."""
    if not math.isfinite(value):
        return "–"
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def short(value: float) -> str:
    """A number of currency in a few characters: 1.2 M."""
    for size, suffix in [(1e9, " bn"), (1e6, " M"), (1e3, " k")]:
        if abs(value) >= size:
            return f"{value / size:.4g}{suffix}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two values."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    step = 10 ** math.floor(math.log10(span / count))
    for factor in (1, 2, 2.5, 5, 10):
        if span / (step * factor) <= count:
            step *= factor
            break
    first = math.ceil(low / step - 1e-9)
    return [round(at * step, 12) for at in range(first, math.floor(high / step + 1e-9) + 1)]


Axis: TypeAlias = "Callable[[Sequence[float]], list[str]]"
"""What is written beside the marks of an axis."""


def digits_of(values: Sequence[float]) -> int:
    """The fewest digits behind the point with which none of these round numbers loses any."""
    most = max((abs(value) for value in values), default=0.0)
    for digits in range(6):
        if all(abs(round(value, digits) - value) <= 1e-9 * most for value in values):
            return digits
    return 6


def percents(values: Sequence[float]) -> list[str]:
    """Parts of one as per cent, with as many digits as they need."""
    digits = digits_of([value * 100 for value in values])
    return [percent(value, digits) for value in values]


def numbers(values: Sequence[float]) -> list[str]:
    """Numbers with as many digits as they need."""
    digits = digits_of(values)
    return [number(value, digits) for value in values]


def shorts(values: Sequence[float]) -> list[str]:
    """Numbers of currency in a few characters."""
    return [short(value) for value in values]


@dataclass
class Line:
    """A line of a chart: its values over the chart's times, its name and its colour (``c1`` to ``c8``)."""

    values: Doubles
    name: str = ""
    color: str = "c1"
    fill: bool = False


def thin(values: Doubles) -> npt.NDArray[np.intp]:
    """Indices of a long line that draw the same picture: the lowest and the highest value of each bucket."""
    import numpy as np

    n = len(values)
    if n <= 2 * MOST_BUCKETS:
        return np.arange(n)
    edges = np.linspace(0, n, MOST_BUCKETS + 1).astype(int)
    places = edges[:-1, None] + np.arange(np.diff(edges).max())
    inside = places < edges[1:, None]
    places = np.minimum(places, n - 1)
    inside &= np.isfinite(values[places])
    low = np.where(inside, values[places], np.inf).argmin(axis=1)
    high = np.where(inside, values[places], -np.inf).argmax(axis=1)
    rows = np.flatnonzero(inside.any(axis=1))
    return np.unique(np.concatenate([[0, n - 1], places[rows, low[rows]], places[rows, high[rows]]]))


def x_ticks(times: Times) -> list[tuple[int, str]]:
    """Where on the axis of times something is written, and what: years, or months, or days of a short span."""
    import numpy as np

    if times.dtype.kind != "M":
        n = len(times)
        return [(at, str(times[at])) for at in range(0, n, max(1, n // 6))]
    span = (times[-1] - times[0]) / np.timedelta64(1, "D")
    unit = "Y" if span > 900 else "M" if span > 60 else "D"
    parts = times.astype(f"datetime64[{unit}]")
    starts = [at for at in range(1, len(parts)) if parts[at] != parts[at - 1]]
    step = max(1, math.ceil(len(starts) / 9))
    return [(at, str(parts[at])) for at in starts[::step]]


LETTER = 6.9
"""Width of a letter of a chart, about, in CSS pixels."""

LEGEND = 16
"""Height of a row of names of lines."""


class Chart:
    """A picture in the making: a title, axes, and what is drawn between them.

    Names of lines stand at the right of the title where they have room, and in rows of their own where they have not.
    """

    def __init__(self, title: str, height: int = 220, lines: Sequence[Line] = ()) -> None:
        self.title, self.height, self.top = title, height, TOP
        self.parts: list[str] = []
        named = [line for line in lines if line.name]
        widths = [round(LETTER * len(line.name)) + 36 for line in named]
        x, y = WIDTH - RIGHT - sum(widths), 13
        if named and x < 7.5 * len(title) + 12:
            x, y = 0, 13 + LEGEND + 4
        for line, width in zip(named, widths):
            if x > 0 and x + width > WIDTH - RIGHT:
                x, y = 0, y + LEGEND
            self.parts.append(f'<line x1="{x}" x2="{x + 14}" y1="{y}" y2="{y}" stroke="var(--{line.color})" stroke-width="2.5"/>')
            self.parts.append(f'<text x="{x + 18}" y="{y + 4}">{escape(line.name)}</text>')
            x += width
        if y > 13:
            self.top += y - 13
            self.height += y - 13

    def y(self, low: float, high: float, *, log: bool = False) -> Callable[[float], float]:
        """A scale from values to pixels."""
        if log:
            low, high = math.log(low), math.log(high)
        span = (high - low) or 1.0
        room = self.height - self.top - BOTTOM

        def place(value: float) -> float:
            value = math.log(value) if log else value
            return self.top + room * (1 - (value - low) / span)

        return place

    def grid(self, places: Sequence[tuple[float, str]], zero: float | None = None) -> None:
        """Horizontal lines with their values beside them."""
        for y, text in places:
            style = "z" if zero is not None and abs(y - zero) < 1e-6 else "g"
            self.parts.append(f'<line class="{style}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            self.parts.append(f'<text x="{LEFT - 8}" y="{y + 3.5:.1f}" text-anchor="end">{escape(text)}</text>')

    def svg(self) -> str:
        """The picture."""
        title = f'<text class="t" x="{0}" y="17">{escape(self.title)}</text>'
        body = "".join(self.parts)
        label = escape(self.title)
        return f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{label}">{title}{body}</svg>'


def line_chart(
    title: str,
    times: Times,
    lines: Sequence[Line],
    *,
    axis: Axis = shorts,
    log: bool = False,
    zero: bool = False,
    height: int = 220,
    marks: Sequence[tuple[int, int]] = (),
) -> str:
    """Lines over time; ``zero`` keeps zero in the picture, ``marks`` shades spans of rows."""
    import numpy as np

    chart = Chart(title, height, lines)
    finite = np.concatenate([line.values[np.isfinite(line.values)] for line in lines]) if lines else np.array([])
    if len(times) < 2 or finite.size == 0:
        chart.parts.append(f'<text x="{WIDTH / 2}" y="{height / 2}" text-anchor="middle">too few rows</text>')
        return chart.svg()
    low, high = float(finite.min()), float(finite.max())
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    log = log and low > 0
    if low == high:
        low, high = low - abs(low) * 0.01 - 1e-9, high + abs(high) * 0.01 + 1e-9
    y = chart.y(low, high, log=log)
    values = _log_ticks(low, high) if log else ticks(low, high)
    chart.grid([(y(value), text) for value, text in zip(values, axis(values))], y(0.0) if zero else None)
    seconds = times.astype("datetime64[s]").astype(float) if times.dtype.kind == "M" else np.arange(len(times), dtype=float)
    x = LEFT + (WIDTH - LEFT - RIGHT) * (seconds - seconds[0]) / ((seconds[-1] - seconds[0]) or 1.0)
    for at, text in x_ticks(times):
        if LEFT + 12 <= x[at] <= WIDTH - RIGHT - 12:
            chart.parts.append(f'<text x="{x[at]:.1f}" y="{chart.height - 6}" text-anchor="middle">{escape(text)}</text>')
    for start, end in marks:
        left, width = x[start], max(x[end] - x[start], 1.0)
        room = chart.height - chart.top - BOTTOM
        chart.parts.append(f'<rect x="{left:.1f}" y="{chart.top}" width="{width:.1f}" height="{room}" fill="rgba(var(--down),.14)"/>')
    for line in lines:
        chart.parts.append(_path(line, x, y, y(0.0) if zero else y(low)))
    return chart.svg()


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]
    return found if len(found) >= 3 else ticks(low, high)


def _path(line: Line, x: Doubles, y: Callable[[float], float], base: float) -> str:
    import numpy as np

    pieces: list[list[str]] = [[]]
    for at in thin(line.values):
        value = line.values[at]
        if np.isfinite(value):
            pieces[-1].append(f"{x[at]:.1f},{y(float(value)):.1f}")
        elif pieces[-1]:
            pieces.append([])
    drawn = [piece for piece in pieces if piece]
    path = "".join("M" + "L".join(piece) for piece in drawn)
    shape = ""
    if line.fill:
        for piece in drawn:
            first, last = piece[0].split(",")[0], piece[-1].split(",")[0]
            shape += f'<path d="M{first},{base:.1f}L{"L".join(piece)}L{last},{base:.1f}Z" fill="var(--{line.color})" opacity=".18"/>'
    return shape + f'<path class="l" d="{path}" stroke="var(--{line.color})"/>'


def bar_chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[Line],
    *,
    axis: Axis = percents,
    height: int = 220,
    signed: bool = True,
) -> str:
    """Bars for each label; one series is coloured by sign when ``signed``."""
    import numpy as np

    chart = Chart(title, height, series)
    values = np.concatenate([line.values for line in series]) if series else np.array([])
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        chart.parts.append(f'<text x="{WIDTH / 2}" y="{height / 2}" text-anchor="middle">too few rows</text>')
        return chart.svg()
    low, high = min(float(finite.min()), 0.0), max(float(finite.max()), 0.0)
    high = high if high > low else 1.0
    y = chart.y(low, high)
    marks = ticks(low, high)
    chart.grid([(y(value), text) for value, text in zip(marks, axis(marks))], y(0.0))
    slot = (WIDTH - LEFT - RIGHT) / len(labels)
    width = max(min(slot * 0.8 / len(series), 40.0), 0.6)
    every = max(1, math.ceil((LETTER * max(map(len, labels)) + 10) / slot))
    for at, label in enumerate(labels):
        middle = LEFT + slot * (at + 0.5)
        for place, line in enumerate(series):
            value = float(line.values[at])
            if not math.isfinite(value):
                continue
            top, bottom = min(y(value), y(0.0)), max(y(value), y(0.0))
            x = middle - width * len(series) / 2 + width * place
            color = ' class="up"' if value >= 0 else ' class="down"'
            if len(series) > 1 or not signed:
                color = f' fill="var(--{line.color})"'
            chart.parts.append(f'<rect{color} x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(bottom - top, 0.5):.1f}"/>')
        if at % every == 0:
            chart.parts.append(f'<text x="{middle:.1f}" y="{chart.height - 6}" text-anchor="middle">{escape(label)}</text>')
    return chart.svg()


def heat_map(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Doubles,
    *,
    form: Callable[[float], str] = lambda value: percent(value, 1).removesuffix(" %"),
    strong: float | None = None,
    middle: float = 0.0,
    apart: int | None = None,
) -> str:
    """A table of coloured cells: red below ``middle``, green above, full colour at ``strong`` from it.

    Column ``apart`` stands apart and has its own strength, as sums do.
    """
    import numpy as np

    height = TOP + 20 + 22 * len(rows) + 6
    chart = Chart(title, height)
    left = max(LEFT, LETTER * max(map(len, rows), default=0) + 14)
    cell = (WIDTH - left - RIGHT - (8 if apart is not None else 0)) / max(len(columns), 1)
    inner = np.delete(values, apart, axis=1) if apart is not None else values
    strengths = {False: strong or _strength(inner - middle), True: _strength(values[:, apart] - middle) if apart is not None else 1.0}
    texts = [[form(float(value)) if math.isfinite(value) else "" for value in row] for row in values]
    head, inside = _font(columns, cell), _font([text for row in texts for text in row], cell)
    for at, name in enumerate(columns):
        x = left + cell * (at + 0.5) + (8 if apart is not None and at >= apart else 0)
        shown = f'<text{head} x="{x:.1f}" y="{TOP + 12}" text-anchor="middle">{escape(name)}</text>'
        chart.parts.append(shown if head is not None else "")
    for row, name in enumerate(rows):
        top = TOP + 20 + 22 * row
        chart.parts.append(f'<text x="{left - 8:.1f}" y="{top + 14.5}" text-anchor="end">{escape(name)}</text>')
        for at, column in enumerate(columns):
            value = float(values[row, at])
            if not math.isfinite(value):
                continue
            x = left + cell * at + (8 if apart is not None and at >= apart else 0)
            part = min(abs(value - middle) / strengths[at == apart], 1.0)
            color = "up" if value >= middle else "down"
            told = f"<title>{escape(name)}, {escape(column)}: {escape(texts[row][at])}</title>"
            chart.parts.append(
                f'<rect x="{x + 0.5:.1f}" y="{top + 0.5}" width="{cell - 1:.1f}" height="21" fill="rgba(var(--{color}),{part * 0.55:.2f})">{told}</rect>'
            )
            if inside is not None:
                chart.parts.append(
                    f'<text class="v"{inside} x="{x + cell / 2:.1f}" y="{top + 14.5}" text-anchor="middle">{escape(texts[row][at])}</text>'
                )
    return chart.svg()


def _font(texts: Sequence[str], width: float) -> str | None:
    """The style with which the longest of some texts fits; ``None`` when it would be too small to read."""
    size = 11 * (width - 4) / (LETTER * max(map(len, texts), default=1) or 1)
    return None if size < 6.5 else "" if size >= 11 else f' style="font-size:{size:.1f}px"'


def _strength(values: Any) -> float:
    import numpy as np

    finite = np.abs(values[np.isfinite(values)])
    found = float(np.quantile(finite, 0.95)) if finite.size else 1.0
    return found or 1.0


def box_chart(title: str, labels: Sequence[str], groups: Sequence[Doubles], *, height: int = 240) -> str:
    """Boxes from the first to the third quartile with the median, whiskers to the last values within 1.5 ranges, and what
    is beyond as points."""
    import numpy as np

    chart = Chart(title, height)
    groups = [group[np.isfinite(group)] for group in groups]
    filled = [group for group in groups if group.size]
    if not filled:
        return chart.svg()
    low, high = min(float(g.min()) for g in filled), max(float(g.max()) for g in filled)
    y = chart.y(low, high if high > low else low + 1.0)
    marks = ticks(low, high)
    chart.grid([(y(value), text) for value, text in zip(marks, percents(marks))], y(0.0) if low < 0 < high else None)
    slot = (WIDTH - LEFT - RIGHT) / len(groups)
    for at, (label, group) in enumerate(zip(labels, groups)):
        middle = LEFT + slot * (at + 0.5)
        chart.parts.append(f'<text x="{middle:.1f}" y="{height - 6}" text-anchor="middle">{escape(label)}</text>')
        if not group.size:
            continue
        first, median, third = (float(q) for q in np.quantile(group, [0.25, 0.5, 0.75]))
        reach = 1.5 * (third - first)
        inside = group[(group >= first - reach) & (group <= third + reach)]
        bottom, top = (float(inside.min()), float(inside.max())) if inside.size else (first, third)
        width = min(slot * 0.5, 60.0)
        for start, end in [(bottom, first), (third, top)]:
            chart.parts.append(f'<line class="z" x1="{middle:.1f}" x2="{middle:.1f}" y1="{y(start):.1f}" y2="{y(end):.1f}"/>')
        chart.parts.append(
            f'<rect x="{middle - width / 2:.1f}" y="{y(third):.1f}" width="{width:.1f}" height="{max(y(first) - y(third), 1):.1f}" fill="var(--c1)" opacity=".35"/>'
            f'<line x1="{middle - width / 2:.1f}" x2="{middle + width / 2:.1f}" y1="{y(median):.1f}" y2="{y(median):.1f}" stroke="var(--c1)" stroke-width="2"/>'
        )
        beyond = group[(group < bottom) | (group > top)]
        for value in beyond[np.argsort(np.abs(beyond - median))[-60:]]:
            chart.parts.append(f'<circle cx="{middle:.1f}" cy="{y(float(value)):.1f}" r="1.4" fill="var(--c1)" opacity=".5"/>')
    return chart.svg()
