"""What a newcomer does wrong, and what it is told: a class of ours that is also Python's, and words that help."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nanobook as nb

pl = pytest.importorskip("polars")

DAYS = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 3, 29), eager=True)
PRICES = pl.DataFrame({"date": DAYS, "A": [100.0 + at % 7 for at in range(89)], "B": [50.0 + at / 10 for at in range(89)]})
WEIGHTS = pl.DataFrame({"date": DAYS[[0, 30, 60]], "A": [0.5, 0.3, 0.6], "B": [0.5, 0.7, 0.4]})
TEXT = pl.col("date").cast(pl.String)

MISTAKES = {
    "a series": (lambda: nb.backtest(WEIGHTS["A"], PRICES), TypeError, r"not Series; \.to_frame\(\) makes one"),
    "a list": (lambda: nb.backtest([0.5, 0.5], PRICES), TypeError, "a frame is needed .*, not list"),
    "nothing": (lambda: nb.backtest(None, PRICES), TypeError, "a frame is needed .*, not NoneType"),
    "no rows": (lambda: nb.backtest(WEIGHTS, PRICES.clear()), ValueError, "prices has no rows"),
    "no dates": (lambda: nb.backtest(WEIGHTS, PRICES.drop("date")), KeyError, "no column of dates or times"),
    "dates as text": (lambda: nb.backtest(WEIGHTS.with_columns(TEXT), PRICES), KeyError, r"date \(Utf8View\), A \(Float64\)"),
    "an unknown symbol": (lambda: nb.backtest(WEIGHTS.rename({"A": "Q"}), PRICES), KeyError, "Q has weights .* and no prices"),
    "a cost as text": (lambda: nb.backtest(WEIGHTS, PRICES, cost="5bps"), TypeError, "cost is '5bps'; it takes basis points"),
    "stops as a number": (lambda: nb.backtest(WEIGHTS, PRICES, stops=0.1), TypeError, r"stops is 0.1; it takes nb.Stops"),
    "a wrong word": (lambda: nb.backtest(WEIGHTS, PRICES, fill="open"), ValueError, "none of close, next_open, next_close, vwap"),
    "results in a list": (lambda: nb.compare([1]), TypeError, "given by name"),
    "text to an indicator": (lambda: nb.ta.sma(["a"], window=1), TypeError, "numbers are needed: could not convert"),
    "no such file": (lambda: nb.read_itch("nothing.itch"), OSError, "nothing.itch: open: No such file"),
    "no such column": (lambda: nb.read_itch(nb.SAMPLE, "bbo", columns=["bid"]), KeyError, 'bbo has no column "bid"; it has ts_event'),
    "a symbol that is not listed": (lambda: nb.book_itch(nb.SAMPLE, "NOPE"), KeyError, "lists no symbol NOPE"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_of(name):
    make, builtin, words = MISTAKES[name]
    with pytest.raises(builtin, match=words) as caught:
        make()
    assert isinstance(caught.value, nb.NanobookError)


@pytest.mark.parametrize("package, call", [
    ("polars", "nb.scan_itch(nb.SAMPLE, 'bbo')"),
    ("polars", "nb.read_itch(nb.SAMPLE, 'bbo', limit=1).to_polars()"),
    ("pandas", "nb.read_itch(nb.SAMPLE, 'bbo', limit=1).to_pandas()"),
    ("pyarrow", "nb.read_itch(nb.SAMPLE, 'bbo', limit=1).to_arrow()"),
])  # fmt: skip
def test_a_package_that_is_not_there_is_named(package, call):
    program = f"""import sys; sys.modules[{package!r}] = None
import nanobook as nb
try: {call}
except nb.PackageError as error: print(isinstance(error, ImportError), error)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == f"True this needs the package {package}: pip install {package}", done.stderr


def test_python_guesses_a_misspelt_name():
    done = subprocess.run([sys.executable, "-c", "import nanobook; nanobook.backtst"], capture_output=True, text=True)
    assert "Did you mean: 'backtest'?" in done.stderr
