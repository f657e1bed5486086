"""Pictures and pages: what they show is right, and they are whole and small."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import nanobook as nb
from nanobook._report import svg
from nanobook._report.series import Series
from nanobook._report.sheet import numbers

DAY = 86_400_000_000_000


class Result:
    """A result as far as pictures look at it."""

    def __init__(self, seed=1, rows=1500, drift=4e-4):
        rng = np.random.default_rng(seed)
        ret = rng.standard_t(4, rows - 1) * 0.008 + drift
        equity = 1e6 * np.r_[1.0, np.cumprod(1 + ret)]
        ts = [(16_436 + at) * DAY for at in range(rows)]
        gross = equity * (1 + 0.3 * np.sin(np.arange(rows) / 100))
        turnover = np.where(np.arange(rows) % 21 == 0, equity * 0.4, 0.0)
        data = {"ts": ts, "equity": equity, "cash": equity - gross, "gross": gross, "net": gross * 0.7, "turnover": turnover, "cost": turnover * 5e-4}
        self.equity = nb.Frame.from_dict(data, times=["ts"])


def table(page):
    cells = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td></tr>", page)
    return dict(cells)


def test_a_page_is_whole_small_and_needs_nothing_else(tmp_path):
    nb.report(Result(), tmp_path / "r.html", title="A <title> & more", benchmark=Result(2))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 1_000_000
    assert "<title>A &lt;title&gt; &amp; more</title>" in page
    for outside in ["http://", "https://", "<script", "<link", "@import", "url("]:
        assert outside not in page
    assert "prefers-color-scheme:dark" in page
    assert page.count("<svg") == 17
    assert "nan" not in page.lower().replace("nanobook", "") and "inf" not in table(page)["Sharpe"]
    HTMLParser().feed(page)
    for picture in re.findall(r"<svg.*?</svg>", page, re.S):
        ET.fromstring(picture)


def test_the_numbers_are_those_of_the_returns():
    series = Series.of(Result())
    found = {name: value for _, group in numbers(series) for name, value, _ in group}
    r, equity = series.returns, series.equity
    assert found["Total return"] == pytest.approx(equity[-1] / equity[0] - 1)
    assert found["Sharpe"] == pytest.approx(r.mean() / r.std(ddof=1) * 252**0.5)
    assert found["Sortino"] == pytest.approx(r.mean() / np.sqrt((np.minimum(r, 0) ** 2).mean()) * 252**0.5)
    assert found["Maximum drawdown"] == pytest.approx(min(equity[i] / equity[: i + 1].max() - 1 for i in range(len(equity))))
    assert found["Turnover a year"] == pytest.approx(0.4 * 72 / (1499 / 252), rel=1e-9)
    assert found["Mean net exposure"] == pytest.approx(0.7 * found["Mean gross exposure"])


def test_the_rarer_numbers_are_those_of_quantstats():
    """Their definitions, over pandas as quantstats has them."""
    pd = pytest.importorskip("pandas")
    series, other = Series.of(Result()), Series.of(Result(2))
    found = {name: value for _, group in numbers(series, other) for name, value, _ in group}
    r = pd.Series(series.returns, index=pd.DatetimeIndex(series.ts[1:]))
    b = pd.Series(other.returns, index=r.index)
    quarters = (1 + r).groupby([r.index.year, r.index.quarter]).prod() - 1
    months = (1 + r).groupby([r.index.year, r.index.month]).prod() - 1
    signs = np.sign(r)
    runs = signs.groupby((signs != signs.shift()).cumsum())
    close, n = abs(np.corrcoef(r[:-1], r[1:])[0, 1]), len(r)
    smooth = np.sqrt(1 + 2 * sum((n - lag) / n * close**lag for lag in range(1, n)))
    drawdown = pd.Series(series.drawdown)
    ulcer = np.sqrt((drawdown**2).mean())
    pitfall = -drawdown[drawdown <= drawdown.quantile(0.05)].mean() / r.std()
    expected = {
        "Smart Sharpe": r.mean() / r.std() * 252**0.5 / smooth,
        "Sortino / √2": found["Sortino"] / 2**0.5,
        "Quarters won": (quarters > 0).mean(),
        "Mean month that lost": months[months < 0].mean(),
        "Gain to pain of months": months.sum() / -months[months < 0].sum(),
        "Most rows won in a row": max(len(run) for _, run in runs if run.iloc[0] > 0),
        "Most rows lost in a row": max(len(run) for _, run in runs if run.iloc[0] < 0),
        "Outlier win ratio": r.quantile(0.99) / r[r > 0].mean(),
        "Outlier loss ratio": r.quantile(0.01) / r[r < 0].mean(),
        "Common sense ratio": found["Profit factor"] * found["Tail ratio"],
        "CPC index": found["Profit factor"] * found["Rows won"] * found["Payoff ratio"],
        "Expected return of a month": (1 + r).prod() ** (1 / len(months)) - 1,
        "Serenity index": r.sum() / (ulcer * pitfall),
        "R²": r.corr(b) ** 2,
        "Treynor ratio": ((1 + r).prod() - 1) / (r.cov(b) / b.var()),
        "Rows above the benchmark": (r > b).mean(),
        "Probabilistic Sharpe (above 0)": nb.stats.probabilistic_sharpe(series.returns),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_a_benchmark_stands_beside_the_numbers(tmp_path):
    nb.report(Result(), tmp_path / "r.html", benchmark=Result(2))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    rows = dict(re.findall(r"<tr><td>(Sharpe|Costs)</td><td>.*?</td><td>(.*?)</td></tr>", page))
    other = {name: value for _, group in numbers(Series.of(Result(2))) for name, value, _ in group}
    assert rows == {"Sharpe": svg.number(other["Sharpe"]), "Costs": "–"}
    assert "Growth of 1 at the same volatility" in page and "× benchmark" in page
    # Held at the strategy's volatility it has that volatility, and the benchmark's Sharpe ratio.
    scale = float(re.search(r"([\d.]+) × benchmark", page)[1])
    assert scale == pytest.approx(Series.of(Result()).returns.std() / Series.of(Result(2)).returns.std(), abs=0.005)


def test_moments_are_those_of_pandas():
    pd = pytest.importorskip("pandas")
    series = Series.of(Result())
    found = {name: value for _, group in numbers(series) for name, value, _ in group}
    returns = pd.Series(series.returns, index=pd.DatetimeIndex(series.ts[1:]))
    assert found["Skewness"] == pytest.approx(returns.skew())
    assert found["Excess kurtosis"] == pytest.approx(returns.kurt())
    monthly = (1 + returns).groupby([returns.index.year, returns.index.month]).prod() - 1
    assert series.by("M")[1] == pytest.approx(monthly.to_numpy())
    rolling = returns.rolling(126).std() * 252**0.5
    assert series.rolling(126, "volatility")[1:][125:] == pytest.approx(rolling.to_numpy()[125:])


def test_drawdowns_are_separate_and_sorted():
    series = Series.of(Result())
    falls = series.worst_drawdowns(100)
    depths = [fall["depth"] for fall in falls]
    assert depths == sorted(depths) and depths[0] == pytest.approx(series.drawdown.min())
    spans = sorted((fall["peak"], fall["recovery"] or 10**9) for fall in falls)
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))
    for fall in falls:
        assert series.drawdown[fall["peak"]] == 0.0
        assert fall["recovery"] is None or series.drawdown[fall["recovery"]] == 0.0


def test_pictures_can_be_chosen_shown_and_saved(tmp_path):
    plot = nb.plot(Result())
    assert len(plot.svgs) == 4 and plot._repr_html_().count("<svg") == 4
    assert "Returns by month" in plot.svgs[3]
    plot.save(tmp_path / "plot.html")
    assert (tmp_path / "plot.html").read_text().count("<svg") == 4
    nb.plot(Result(), "monthly").save(tmp_path / "monthly.svg")
    assert ET.parse(tmp_path / "monthly.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    with pytest.raises(nb.InputError, match="one picture, not 4"):
        plot.save(tmp_path / "plot.svg")
    with pytest.raises(nb.InputError, match="'pie' is none of"):
        nb.plot(Result(), "pie")


def test_a_notebook_shows_a_result():
    pl = pytest.importorskip("polars")
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 3, 1), eager=True)
    prices = pl.DataFrame({"date": days, "A": [100.0 + at for at in range(len(days))]})
    shown = nb.backtest(prices[:1].with_columns(A=1.0), prices)._repr_html_()
    assert "<pre>backtest of 61 rows" in shown and shown.count("<svg") == 2 and "<script" not in shown


def test_results_are_compared_on_the_same_rows(tmp_path):
    compared = nb.compare({"one": Result(1), "two": Result(2)})
    assert set(compared.metrics) == {"one", "two"}
    assert compared.metrics["one"]["Sharpe"] != compared.metrics["two"]["Sharpe"]
    compared.report(tmp_path / "c.html")
    assert "two" in (tmp_path / "c.html").read_text()
    assert "Sharpe" in repr(compared)
    with pytest.raises(nb.InputError, match="other rows"):
        nb.compare({"one": Result(1), "short": Result(2, rows=100)})


def test_short_flat_and_lost_equity_is_drawn_too(tmp_path):
    for values in [[1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 2.0, 0.0, 0.0], [1.0, -1.0, 2.0]]:
        class Small:
            equity = nb.Frame.from_dict({"ts": [at * DAY for at in range(len(values))], "equity": values}, times=["ts"])

        nb.report(Small(), tmp_path / "r.html")
        for picture in re.findall(r"<svg.*?</svg>", (tmp_path / "r.html").read_text(), re.S):
            ET.fromstring(picture)
            assert "nan" not in picture


def test_benchmarks_are_aligned_or_refused(tmp_path):
    pl = pytest.importorskip("polars")
    result = Result()
    index = pl.DataFrame({"day": pl.Series([(16_436 + at * 5) for at in range(300)]).cast(pl.Date), "level": np.linspace(100, 200, 300)})
    nb.report(result, tmp_path / "r.html", benchmark=index)
    assert "Tracking error" in (tmp_path / "r.html").read_text()
    with pytest.raises(nb.InputError, match="begins after"):
        nb.report(result, tmp_path / "r.html", benchmark=index.tail(10))
    with pytest.raises(nb.InputError, match="one column of times"):
        nb.report(result, tmp_path / "r.html", benchmark=index.drop("day"))
    with pytest.raises(nb.InputError, match="above zero"):
        nb.report(result, tmp_path / "r.html", benchmark=index.with_columns(level=0.0))


@pytest.mark.parametrize("low, high", [(0, 1), (-0.3, 0), (99.5, 100.5), (1e6, 3e6), (-1e-9, 1e-9)])
def test_ticks_are_round_and_inside(low, high):
    found = svg.ticks(low, high)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-9 * (high - low) <= value <= high + 1e-9 * (high - low) for value in found)


def test_thinning_keeps_the_extremes():
    values = np.random.default_rng(3).standard_normal(100_000)
    # One bucket after the other, as it was meant.
    edges = np.linspace(0, len(values), svg.MOST_BUCKETS + 1).astype(int)
    naive = {0, len(values) - 1}
    values[5000:5400] = np.nan
    for start, end in zip(edges[:-1], edges[1:]):
        if np.isfinite(values[start:end]).any():
            naive |= {start + int(np.nanargmin(values[start:end])), start + int(np.nanargmax(values[start:end]))}
    assert svg.thin(values).tolist() == sorted(naive)
    kept = values[svg.thin(values)]
    assert len(kept) <= 2 * svg.MOST_BUCKETS + 2
    assert kept.max() == np.nanmax(values) and kept.min() == np.nanmin(values)


def test_axes_have_the_digits_that_their_marks_need():
    assert svg.percents([0.0, 0.025, 0.05, 0.075]) == ["0.0 %", "2.5 %", "5.0 %", "7.5 %"]
    assert svg.percents([-0.001, -0.0005, 0.0]) == ["−0.10 %", "−0.05 %", "0.00 %"]
    assert svg.percents([0.0, 0.2, 0.4]) == ["0 %", "20 %", "40 %"]
    assert svg.numbers([0.0, 0.75, 1.5]) == ["0.00", "0.75", "1.50"]
    assert svg.number(-0.001) == "0.00" and svg.percent(-0.00001) == "0.0 %" and svg.number(-1234.5, 0) == "−1,234"


def test_names_of_many_lines_stand_below_the_title():
    def places(names):
        picture = ET.fromstring(nb.compare({name: Result(at, rows=60) for at, name in enumerate(names)}).plot().svgs[0])
        return {text.text: (float(text.get("x")), float(text.get("y"))) for text in picture.iter("text") if text.text in names}

    few = places(["one", "two"])
    assert {y for _, y in few.values()} == {17.0} and min(x for x, _ in few.values()) > 300
    names = [f"a way to weight {at}" for at in range(8)]
    many = places(names)
    assert len(many) == 8 and min(y for _, y in many.values()) > 30
    for row in {y for _, y in many.values()}:
        starts = sorted(x for x, y in many.values() if y == row)
        assert all(next_one - this >= 7 * len(names[0]) for this, next_one in zip(starts, starts[1:])) and starts[-1] < 700


def test_a_heat_map_of_many_cells_keeps_its_names_apart():
    narrow = nb.heat_map(np.zeros((2, 40)), rows=["a long name of a row", "b"], columns=range(40)).svgs[0]
    assert "<text class=\"v\"" not in narrow and "a long name of a row, 39: 0.00" in narrow
    wide = nb.heat_map(np.zeros((2, 12)), rows=["a", "b"], columns=[f"{at} names" for at in range(12)]).svgs[0]
    assert "font-size:" in wide and wide.count('class="v"') == 24
