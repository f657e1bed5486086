"""Pictures, pages and comparisons of backtests."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from nanobook._lib.frame import Frame
from nanobook.errors import DtypeError, InputError

if TYPE_CHECKING:
    from nanobook.typing import FrameLike, MatrixLike

__all__ = ["Comparison", "Plot", "compare", "heat_map", "plot", "report"]

Kind: TypeAlias = Literal["equity", "growth", "drawdown", "exposure", "monthly", "yearly", "worst", "turnover", "costs", "boxes", "histogram", "returns", "volatility", "sharpe", "sortino"]
"""A picture of a result."""


class HasEquity(Protocol):
    """A result: its table ``equity`` has columns ``ts, equity`` and maybe ``gross, net, turnover, cost``."""

    @property
    def equity(self) -> Frame: ...


class Plot:
    """Pictures, which a notebook shows; light or dark as the notebook is.

    Attributes
    ----------
    svgs
        The SVG text of each.
    """

    __slots__ = ("svgs", "title")

    def __init__(self, svgs: Sequence[str], title: str) -> None:
        self.svgs = list(svgs)
        self.title = title

    def _repr_html_(self) -> str:
        from nanobook._report.svg import THEMED

        pictures = "".join(self.svgs)
        return f'<div class="nb" style="max-width:760px"><style>{THEMED}</style>{pictures}</div>'

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the pictures as an HTML page, or a single one as SVG when the name ends in ``.svg``."""
        from nanobook._report.svg import THEMED, escape

        name = os.fspath(path)
        if name.endswith(".svg"):
            if len(self.svgs) != 1:
                raise InputError(f"an SVG file holds one picture, not {len(self.svgs)}; choose one kind")
            style = f'<svg xmlns="http://www.w3.org/2000/svg" class="nb"><style>{escape(THEMED)}</style>'
            text = style + self.svgs[0].replace("<svg ", '<svg class="nb" ', 1) + "</svg>"
            box = self.svgs[0].split('viewBox="', 1)[1].split('"', 1)[0]
            text = text.replace('class="nb">', f'class="nb" viewBox="{box}">', 1)
        else:
            body = "<body style=\"margin:0\"><div class='nb' style='background:var(--bg);padding:16px;min-height:100vh'>"
            inner = f"<div style='max-width:760px;margin:auto'>{''.join(self.svgs)}</div></div></body>"
            head = f"<!doctype html><meta charset='utf-8'><title>{escape(self.title)}</title><style>{THEMED}</style>"
            text = head + body + inner
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)

    def __repr__(self) -> str:
        return f"Plot of {len(self.svgs)} pictures; shown by notebooks, .save(\"plot.html\") writes a page"


def plot(result: HasEquity, *kinds: Kind) -> Plot:
    """Pictures of a result: equity, drawdown, exposure and a heat map of monthly returns, or those that are named.

    Parameters
    ----------
    result
        What :func:`nanobook.backtest` returns.
    kinds
        ``"equity"``, ``"growth"``, ``"drawdown"``, ``"exposure"``, ``"monthly"``, ``"yearly"``, ``"worst"``,
        ``"turnover"``, ``"costs"``, ``"boxes"``, ``"histogram"``, ``"returns"``, ``"volatility"``, ``"sharpe"``,
        ``"sortino"``.
    """
    from nanobook._report import charts
    from nanobook._report.series import Series

    series = Series.of(result)
    draw = {
        "equity": lambda: charts.equity([series]),
        "growth": lambda: charts.growth([series]),
        "drawdown": lambda: charts.drawdown([series]),
        "exposure": lambda: charts.exposure([series]),
        "monthly": lambda: charts.monthly(series),
        "yearly": lambda: charts.yearly([series]),
        "worst": lambda: charts.worst(series),
        "turnover": lambda: charts.turnover(series),
        "costs": lambda: charts.costs(series),
        "boxes": lambda: charts.boxes(series),
        "histogram": lambda: charts.histogram([series]),
        "returns": lambda: charts.returns(series),
        "volatility": lambda: charts.rolling([series], "volatility"),
        "sharpe": lambda: charts.rolling([series], "sharpe"),
        "sortino": lambda: charts.rolling([series], "sortino"),
    }
    for kind in kinds:
        if kind not in draw:
            raise InputError(f"picture {kind!r} is none of {', '.join(draw)}")
    chosen = kinds or ("equity", "drawdown", "exposure", "monthly")
    return Plot([picture for kind in chosen if (picture := draw[kind]())], "backtest")


def heat_map(
    values: MatrixLike,
    *,
    rows: Sequence[object],
    columns: Sequence[object],
    title: str = "",
    digits: int = 2,
    middle: float | None = None,
) -> Plot:
    """A table of coloured cells, such as a metric over two parameters of a sweep.

    Parameters
    ----------
    values
        Rows by columns of numbers; what is not finite stays empty.
    rows, columns
        Their names.
    digits
        Digits behind the point.
    middle
        The value without colour: below it is red, above it green. The median unless given.

    Examples
    --------
    >>> import nanobook as nb
    >>> nb.heat_map([[0.5, 1.0], [1.5, 2.0]], rows=["fast", "slow"], columns=["long", "short"])
    Plot of 1 pictures; shown by notebooks, .save("plot.html") writes a page
    """
    import numpy as np

    from nanobook._report import svg

    given: Any = values
    matrix = np.asarray(given.to_numpy() if hasattr(given, "to_numpy") else given, dtype=float)
    if matrix.shape != (len(rows), len(columns)):
        raise InputError(f"values are {matrix.shape}, their names {len(rows)} by {len(columns)}")
    finite = matrix[np.isfinite(matrix)]
    if middle is None:
        middle = float(np.median(finite)) if finite.size else 0.0
    names, heads = [str(name) for name in rows], [str(name) for name in columns]
    return Plot([svg.heat_map(title, names, heads, matrix, form=lambda v: svg.number(v, digits), middle=middle)], title or "heat map")


def report(
    result: HasEquity,
    path: str | os.PathLike[str],
    *,
    title: str = "Backtest",
    benchmark: HasEquity | FrameLike | None = None,
    risk_free: float = 0.0,
) -> None:
    """Writes a page about a result: numbers, pictures and tables in one HTML file that needs nothing else.

    Parameters
    ----------
    result
        What :func:`nanobook.backtest` returns.
    path
        The file to write.
    title
        Heading of the page.
    benchmark
        Another result, or a frame of a time and a level (price of an index); its last level at or before each row counts.
    risk_free
        The risk-free return of a row.

    Notes
    -----
    A year has the result's ``periods_per_year`` rows. Sharpe: mean over sample deviation, times the root of a year. Sortino:
    the downside deviation is over all rows. Value at risk: the 5 % quantile of returns; expected shortfall: the mean of what
    is not above it. Rolling figures are over half a year.
    """
    from nanobook._report.page import report_page

    page = report_page(result, title=title, benchmark=benchmark, risk_free=risk_free)
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


class Comparison:
    """Several results over the same rows, side by side."""

    __slots__ = ("_series",)

    def __init__(self, results: Mapping[str, HasEquity]) -> None:
        import numpy as np

        from nanobook._report.series import Series

        if not results:
            raise InputError("there is no result to compare")
        self._series = [Series.of(result, name) for name, result in results.items()]
        first = self._series[0]
        for series in self._series[1:]:
            if not np.array_equal(series.ts, first.ts):
                raise InputError(f"{series.name!r} has other rows than {first.name!r}: compare results over the same prices")

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The numbers of each result, by its name and theirs."""
        from nanobook._report.sheet import numbers

        return {s.name: {name: value for _, group in numbers(s) for name, value, _ in group} for s in self._series}

    def plot(self) -> Plot:
        """Growth, drawdown and returns by year."""
        from nanobook._report import charts

        pictures = [charts.growth(self._series), charts.drawdown(self._series), charts.yearly(self._series)]
        return Plot([picture for picture in pictures if picture], "comparison")

    def report(self, path: str | os.PathLike[str], *, title: str = "Comparison") -> None:
        """Writes a page about all of them."""
        from nanobook._report.page import compare_page

        with open(path, "w", encoding="utf-8") as file:
            file.write(compare_page(self._series, title=title))

    def __repr__(self) -> str:
        found = self.metrics
        names = list(found)
        width = max([len(name) for name in names] + [12])
        lines = ["".join([f"{'':<26}", *[f"{name:>{width + 2}}" for name in names]])]
        for label in ("Total return", "Return a year (CAGR)", "Volatility a year", "Sharpe", "Sortino", "Maximum drawdown"):
            lines.append("".join([f"{label:<26}", *[f"{found[name][label]:>{width + 2}.4f}" for name in names]]))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()


def compare(results: Mapping[str, HasEquity] | Any, **named: Any) -> Comparison:
    """Puts results side by side: ``nb.compare({"momentum": a, "equal weight": b})``."""
    if not isinstance(results, Mapping):
        raise DtypeError(f'results are given by name, {{"momentum": a, "equal weight": b}}, not as {type(results).__name__}')
    return Comparison({**results, **named})
