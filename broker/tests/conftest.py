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


class Gateway:
    """The gateway's address and a way to tell it what happens."""

    def __init__(self, process):
        self.process = process
        host, port = process.stdout.readline().strip().split(":")
        self.host, self.port = host, int(port)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "done"


@pytest.fixture
def gateway():
    process = start("ibkr")
    yield Gateway(process)
    process.stdin.close()
    process.wait(timeout=10)
