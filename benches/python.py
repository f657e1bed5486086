"""The Python package as its users meet it, beside its peers, in one run; medians over interleaved rounds.

    pip install target/wheels/*.whl itch-book polars pyarrow
    python benches/python.py [--only import,crossing,threads,report,scan,stop] [--rounds 7] [--day 01302020.NASDAQ_ITCH50]

Use a wheel of the release profile (`maturin build --release -m py/Cargo.toml`). Every engine's answer is checked before it is
timed, peers are run where they are installed, and a ratio of two engines is the median of the ratios of the rounds.

    import     fresh processes: seconds of `import nanobook`
    crossing   10 M rows by 5 columns from Polars and back
    threads    two threads that run backtests, beside one, and beside two processes: what the machine has to give
    report     the page of a backtest of 3,000 symbols by 2,520 rows, with a benchmark
    scan       one symbol of a day of 20 M messages, beside reading all of it with itch-book and filtering
    stop       Ctrl-C in a replay of that day: how long until the process has ended
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nanobook as nb
import numpy as np
import polars as pl
from backtest_engines import days, panel, wide

ROUNDS = 7
COST = 5.0


def has(package: str) -> bool:
    found = importlib.util.find_spec(package) is not None
    if not found:
        print(f"  ({package} is not installed)")
    return found


def rounds(count: int, engines: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each engine in each round, after one that warms up."""
    for run in engines.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(count):
        for name, run in engines.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(over: list[float], under: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under))


def time_import(_count: int) -> None:
    print("\nimport: median of 20 fresh processes")
    seconds: dict[str, list[float]] = {"nanobook": [], "numpy": [], "polars": []}
    for _ in range(20):
        for name, times in seconds.items():
            program = f"import time; start = time.perf_counter(); import {name}; print(time.perf_counter() - start)"
            times.append(float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout))
    for name, times in seconds.items():
        print(f"  import {name:<12} {1e3 * statistics.median(times):8.1f} ms (least {1e3 * min(times):.1f})")


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def crossing(count: int) -> None:
    data = pl.DataFrame({name: np.zeros(10_000_000) for name in "ABCDE"})
    before = resident()
    runs = {"to nanobook": lambda: nb.Frame(data), "and back": lambda: nb.Frame(data).to_polars()}
    seconds = rounds(20 * count, runs)
    print("\ncrossing: 10 M rows by 5 columns, 400 MB")
    for name, times in seconds.items():
        print(f"  {name:<12} {1e6 * statistics.median(times):8.0f} us")
    print(f"  memory grew by {(resident() - before) / 1e6:.1f} MB")


RUN = """
import sys
sys.path.insert(0, sys.argv[2])
from python import some_backtests
work = some_backtests()
work(2)
print("ready", flush=True)
for line in sys.stdin:
    work(int(line))
    print("done", flush=True)
"""


def some_backtests() -> Callable[[int], None]:
    prices, weights, at = panel(300, 1260, 1)
    dates = days(len(prices))
    given = wide(weights, dates[at]), wide(prices, dates)

    def work(times: int) -> None:
        for _ in range(times):
            nb.backtest(*given, cost=COST).equity.to_polars()

    return work


def threads(count: int) -> None:
    each = 40
    work = some_backtests()

    def two_threads() -> None:
        both = [threading.Thread(target=work, args=(each,)) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()

    folder = str(Path(__file__).parent)
    processes = [
        subprocess.Popen([sys.executable, "-c", RUN, "", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"

    def two_processes() -> None:
        for process in processes:
            process.stdin.write(f"{each}\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout.readline() == "done\n"

    seconds = rounds(count, {"one thread": lambda: work(each), "two threads": two_threads, "two processes": two_processes})
    for process in processes:
        process.stdin.close()
        process.wait()
    print(f"\nthreads: {each} backtests each of 300 symbols by 1,260 rows")
    for name, times in seconds.items():
        print(f"  {name:<14} {statistics.median(times):7.3f} s   {ratio(times, seconds['one thread']):5.2f} x one thread")
    print(f"  two threads took {ratio(seconds['two threads'], seconds['two processes']):.2f} x the time of two processes")


def report(count: int) -> None:
    prices, weights, at = panel(3_000, 2_520, 21)
    dates = days(len(prices))
    frame = wide(prices, dates)
    result = nb.backtest(wide(weights, dates[at]), frame, cost=COST, stops=nb.Stops(trailing=0.2))
    benchmark = frame.select("date", "S0000")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        # The first makes the tables that are kept afterwards.
        start = time.perf_counter()
        result.report(page, benchmark=benchmark)
        first = time.perf_counter() - start
        seconds = rounds(count, {"page": lambda: result.report(page, benchmark=benchmark)})
        size = page.stat().st_size
    print("\nreport: 3,000 symbols by 2,520 rows, with stops and a benchmark")
    print(f"  first {first:.2f} s, again {statistics.median(seconds['page']):.2f} s, {size / 1e3:.0f} kB")


def scan(count: int, day: Path) -> None:
    listed = nb.inspect_itch(day).symbols["symbol"].to_list()
    chosen = {"busiest": listed[0], "middle": listed[len(listed) // 2]}
    print(f"\nscan: bbo of one symbol, {day.stat().st_size / 1e6:,.0f} MB")
    peer = has("itch_book")
    for what, symbol in chosen.items():
        ours = lambda: nb.scan_itch(day, "bbo").filter(pl.col("symbol") == symbol).collect()
        engines: dict[str, Callable[[], object]] = {"scan_itch(...).filter(...)": ours}
        if peer:
            import itch_book

            table = next(iter(itch_book.open(str(day)).batches(tables=("symbols",)))).symbols
            locate = table["locate"][table["symbol"].index(symbol)]

            def everything() -> pl.DataFrame:
                # The number of the symbol is given, and each batch is filtered as it comes.
                batches = itch_book.open(str(day)).batches(tables=("bbo",))
                return pl.concat([itch_book.to_polars(b.bbo).filter(pl.col("locate") == locate) for b in batches])

            def its_own() -> pl.DataFrame:
                batches = itch_book.open(str(day)).batches(tables=("bbo",), symbols=symbol)
                return pl.concat([itch_book.to_polars(b.bbo) for b in batches])

            mine, theirs = ours(), everything()
            assert mine.height == theirs.height == its_own().height > 0
            assert mine["ts_event"].equals(theirs["ts_event"])
            assert mine["bid_px"].equals(theirs["bid_px"].fill_nan(None))
            engines |= {"itch-book, all, filtered": everything, "itch-book, its own symbols=": its_own}
        seconds = rounds(count, engines)
        print(f"  {what}: {symbol}, {ours().height:,} rows")
        for name, times in seconds.items():
            print(f"    {name:<28} {statistics.median(times):7.2f} s   {ratio(times, seconds['scan_itch(...).filter(...)']):6.1f} x")


REPLAY = "import sys, nanobook as nb; nb.replay_itch(sys.argv[1], sys.argv[2], tables='all', progress=False)"


def stop(count: int, day: Path) -> None:
    delays = []
    with tempfile.TemporaryDirectory() as folder:
        for at in range(count):
            out = Path(folder) / f"out{at}"
            process = subprocess.Popen([sys.executable, "-c", REPLAY, day, out], stderr=subprocess.DEVNULL)
            while not list(out.glob(".nanobook-*/bbo")):
                time.sleep(0.01)
            time.sleep(0.1 * at)
            start = time.perf_counter()
            process.send_signal(signal.SIGINT)
            assert process.wait() != 0, "the replay was faster than Ctrl-C"
            delays.append(time.perf_counter() - start)
            assert not out.exists(), list(out.rglob("*"))
    print(f"\nstop: Ctrl-C ended the process after {statistics.median(delays):.3f} s (most {max(delays):.3f}), nothing left")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="import,crossing,threads,report,scan,stop")
    parser.add_argument("--messages", type=int, default=20_000_000)
    parser.add_argument("--day", type=Path, help="a raw file; a synthetic day is made unless it is given")
    asked = parser.parse_args()
    parts = asked.only.split(",")
    print(json.dumps({"date": str(dt.date.today()), "nanobook": nb.__version__, "polars": pl.__version__, "cores": os.cpu_count()}))
    simple = {"import": time_import, "crossing": crossing, "threads": threads, "report": report}
    for name, part in simple.items():
        if name in parts:
            part(asked.rounds)
    if {"scan", "stop"} & set(parts):
        with tempfile.TemporaryDirectory() as folder:
            day = asked.day
            if day is None:
                day = Path(folder) / "01302020.NASDAQ_ITCH50"
                nb.synth_itch(day, messages=asked.messages, symbols=8_907)
            if "scan" in parts:
                scan(min(asked.rounds, 3), day)
            if "stop" in parts:
                stop(asked.rounds, day)


if __name__ == "__main__":
    main()
