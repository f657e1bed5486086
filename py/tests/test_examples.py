"""Every script under examples runs, prints something, and its own assertions hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("polars")

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))


ARGUMENTS = {"momentum": ["prices/sp500_20_daily_1990_2022.csv.gz"]}
"""Files beside the project that a script wants."""


PICTURES = {"momentum": ["momentum.svg"], "sweep": ["sweep.html"]}
"""Files that a script writes where it runs."""


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(script, tmp_path, request):
    files = ARGUMENTS.get(script.stem, [])
    folder = request.getfixturevalue("shared") if files else None
    done = subprocess.run(
        [sys.executable, str(script), *[str(folder / name) for name in files]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:__main__"},
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3
    for picture in PICTURES.get(script.stem, []):
        assert "<svg" in (tmp_path / picture).read_text()
