"""The stubs say what the extension has, and the package is typed throughout."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import pytest

pytest.importorskip("mypy")


def run(*arguments, folder):
    return subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True)


def test_the_package_is_marked_as_typed():
    assert (files("nanobook") / "py.typed").is_file()


def test_the_stubs_are_those_of_the_extension(tmp_path):
    allowed = tmp_path / "allowed.txt"
    # An extension module lists its names by itself.
    allowed.write_text(r"nanobook\._lib(\..*)?\.__all__" + "\n")
    done = run("mypy.stubtest", "nanobook._lib", "--allowlist", str(allowed), folder=tmp_path)
    assert done.returncode == 0, done.stdout


USE = """
import polars as pl
import nanobook as nb

frame: nb.Frame = nb.read_itch(nb.SAMPLE, "bbo", columns=["bid_px"])
column: nb.Column = frame["bid_px"]
part: nb.Frame = frame[1:2]
data: pl.DataFrame = frame.to_polars()
lazy: pl.LazyFrame = nb.scan_itch(nb.SAMPLE)
best: tuple[float, int, int] | None = nb.OrderBook().best_bid
order: int = nb.Exchange().submit_limit("buy", 1, 1).order_id
result: nb.BacktestResult = nb.backtest(data, data)
"""

WRONG = """
import nanobook as nb

nb.read_itch(nb.SAMPLE, "quotes")
nb.Exchange().submit_limit("hold", 1, 1)
nb.Frame(1)
nb.backtest(1, 2)
"""


def test_uses_are_checked(tmp_path):
    (tmp_path / "use.py").write_text(USE)
    done = run("mypy", "--strict", "use.py", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    (tmp_path / "wrong.py").write_text(WRONG)
    done = run("mypy", "wrong.py", folder=tmp_path)
    for line in range(4, 8):
        assert f"wrong.py:{line}: error" in done.stdout, done.stdout


def test_the_package_itself_is_checked(tmp_path):
    done = run("mypy", "-p", "nanobook", folder=tmp_path)
    assert done.returncode == 0, done.stdout
