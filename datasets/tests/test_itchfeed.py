"""Runs `itch/tests/peer_itchfeed.py`: every field of every message type as the package itchfeed decodes it."""

import os
import shutil
import subprocess
import sys

import pytest

from support import REPO

SCRIPT = REPO / "itch" / "tests" / "peer_itchfeed.py"


@pytest.mark.parametrize("seed", [1, 2])
def test_every_field(tmp_path, seed):
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not there to build the example dump_fields")
    feed, fields = tmp_path / "feed.itch", tmp_path / "fields.jsonl"
    build = ["cargo", "run", "--quiet", "--profile", os.environ.get("NANOBOOK_PROFILE", "ci"), "-p", "nanobook-itch"]
    dump = [*build, "--example", "dump_fields", "--", str(seed), "23000", feed, fields]
    subprocess.run(dump, cwd=REPO, check=True)
    done = subprocess.run([sys.executable, SCRIPT, feed, fields], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "23 types" in done.stdout
    assert " 0 differences" in done.stdout
