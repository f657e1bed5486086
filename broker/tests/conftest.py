"""Starts a venue on loopback for clients by others. `FAKE_VENUE` is the built example `fake_venue`."""

import os
import subprocess

import pytest


def start(*args):
    program = os.environ.get("FAKE_VENUE")
    if not program:
        pytest.skip("FAKE_VENUE is not set: `./dev broker` sets it")
    return subprocess.Popen([program, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def binance():
    process = start("binance")
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.wait(timeout=10)
