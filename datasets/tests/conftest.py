"""What the cross-checks share: the command must be there, and synthetic days are made once."""

import pytest

from support import NANOBOOK, run


def pytest_sessionstart(session):
    if not NANOBOOK.is_file():
        raise pytest.UsageError(f"no command at {NANOBOOK}: build it, or name it in the variable NANOBOOK")


def pytest_configure(config):
    # A skipped test says why without being asked.
    if "s" not in config.option.reportchars:
        config.option.reportchars += "s"


@pytest.fixture(scope="session")
def large_day(tmp_path_factory):
    """A synthetic day of five million messages."""
    path = tmp_path_factory.mktemp("large") / "01302020.NASDAQ_ITCH50"
    run("synth", "--messages", 5_000_000, path)
    yield path
    path.unlink()


@pytest.fixture(scope="session")
def small_days(tmp_path_factory):
    """Two synthetic days of 300,000 messages over 300 symbols, 2020-01-30 and 2020-01-31."""
    folder = tmp_path_factory.mktemp("small")
    paths = [folder / "01302020.NASDAQ_ITCH50", folder / "01312020.NASDAQ_ITCH50"]
    for seed, path in enumerate(paths, 1):
        run("synth", "--messages", 300_000, "--symbols", 300, "--seed", seed, path)
    return paths
