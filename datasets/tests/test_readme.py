"""The Python and SQL examples of the README run as they stand, on the sample day."""

import re
from pathlib import Path

import duckdb
import pytest

from support import run

README = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    run("replay", "--sample", "--out", tmp_path / "data")
    monkeypatch.chdir(tmp_path)


def test_python_examples_run(dataset):
    # Those that need the Python package are run where it is installed.
    readers = [block for block in blocks("python") if "import nanobook" not in block]
    assert readers
    for block in readers:
        names = {}
        exec(block, names)
        assert names["spread"].columns == ["ts_event", "mid", "spread"]


def test_sql_examples_run(dataset):
    assert blocks("sql")
    for block in blocks("sql"):
        rows = duckdb.sql(block).fetchall()
        assert rows and all(volume > 0 for _, volume, _ in rows)
