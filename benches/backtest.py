"""The backtest beside its peers: warm, interleaved rounds, medians of ratios, every answer checked before it is timed.

    python benches/backtest.py [--rounds 9] [--cases a,b,d,growth,sweep] [--peers] [--classic FOLDER]

From frames in memory to the equity frame: 5 bps of traded value, filled at the close, weights that sum to 0.95, one thread
but for sweeps. The yardstick is a numba kernel of the same semantics over the same columns, which turns blocks of them into
rows. Each engine lives in a process of its own (`backtest_engines.py`), so its memory is its own; in each round they run one
after the other, so that a busy moment of the machine hits neighbours alike.

Peers are run where they are installed: `pip install numba vectorbt vectorbt-rust phasor-trader polars-backtest pandas`. The
package nanobook of PyPI has the name of this one and goes to a folder of its own:
`pip install --no-deps --target FOLDER nanobook==0.19.2`, then `--classic FOLDER`. Of a sweep the peers run as many sets as
`--peer-sets` says (300 need 1 to 4 GB), and their time is multiplied up to the whole number.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ENGINES = Path(__file__).with_name("backtest_engines.py")
OTHER_RULES = ("polars-backtest", "nanobook 0.19 (PyPI)")
OURS = ["nanobook wide", "nanobook long", "nanobook wide, all tables", "nanobook long, all tables"]
PEERS = ["phasor-trader", "vectorbt-rust", "vectorbt", "polars-backtest", "nanobook 0.19 (PyPI)"]


class Engine:
    """An engine in its own process, ready for one case."""

    def __init__(self, name: str, classic: str | None, **case: int) -> None:
        environment = dict(os.environ)
        if "PyPI" in name:
            environment["PYTHONPATH"] = classic or ""
        # No more threads than the case has: some engines would take all there are.
        environment["POLARS_MAX_THREADS"] = environment["RAYON_NUM_THREADS"] = str(case.get("threads", 1))
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.name = name
        self.process = subprocess.Popen([sys.executable, str(ENGINES)], env=environment, text=True, **pipes)
        said = self.ask({"prepare": {"engine": name, **case}})
        self.answer: float = said.get("answer", float("nan"))
        self.error: str | None = said.get("error")
        self.rounds: list[dict[str, float]] = []

    def ask(self, what: dict[str, object]) -> dict:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        except BrokenPipeError:
            return {"error": "the process ended"}

    def run(self) -> None:
        said = self.ask({"run": 1})
        if "error" in said:
            self.error = said["error"]
        else:
            self.rounds.append(said)

    def stop(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait()

    def median(self, what: str) -> float:
        return statistics.median(one[what] for one in self.rounds)

    def times(self, other: Engine, what: str = "wall") -> float:
        """The median of how many times as long this one takes, round by round."""
        return statistics.median(a[what] / b[what] for a, b in zip(self.rounds, other.rounds))


def measure(names: list[str], rounds: int, classic: str | None, **case: int) -> dict[str, Engine]:
    """Engines that work, after their rounds; the first is the yardstick, which the answers of the others are held to."""
    engines = {}
    for name in names:
        engine = Engine(name, classic, **case)
        if engine.error:
            print(f"  {name}: not run, {engine.error}")
            engine.stop()
            continue
        engines[name] = engine
        off = abs(engine.answer / engines[names[0]].answer - 1)
        if name in OTHER_RULES:
            print(f"  {name}: its own rules, final equity off by {off:.1e}")
        else:
            assert off < 1e-6, f"{name}: final equity off by {off:.1e}"
    try:
        for _ in range(rounds):
            for engine in engines.values():
                engine.run()
    finally:
        for engine in engines.values():
            engine.stop()
    return {name: engine for name, engine in engines.items() if engine.rounds}


def show(engines: dict[str, Engine]) -> None:
    yardstick = next(iter(engines.values()))
    for name, engine in engines.items():
        wall, cpu = 1e3 * engine.median("wall"), 1e3 * engine.median("cpu")
        times = f"{engine.times(yardstick):8.2f} x {yardstick.name}"
        print(f"  {name:<28} {wall:10.2f} ms {cpu:10.2f} ms cpu {times} {engine.median('memory'):8.0f} MB")


def compare(symbols: int, rows: int, every: int, rounds: int, with_peers: bool, classic: str | None) -> None:
    print(f"\n{symbols} symbols x {rows} rows, weights every {every} rows; memory is over the inputs")
    names = ["numba", *OURS]
    if with_peers:
        # One that takes a missing weight for an exit, and one without a row of prices that trades nothing, only know this case.
        names += PEERS if every == 1 else PEERS[:3]
    engines = measure(names, rounds, classic, symbols=symbols, rows=rows, every=every)
    show(engines)
    for name in PEERS:
        if name in engines:
            ours = engines["nanobook long" if name == "polars-backtest" else "nanobook wide"]
            print(f"  {name} takes {engines[name].times(ours):.0f} times as long as {ours.name}")


def growth(rounds: int) -> None:
    print("\nnanobook wide, weights every row, and how time and memory grow")
    for symbols, rows in ((50, 2520), (500, 630), (500, 2520), (500, 10_080), (3_000, 2520)):
        for name in ("nanobook wide", "nanobook long"):
            engine = measure([name], rounds, None, symbols=symbols, rows=rows, every=1)[name]
            wall, cells = engine.median("wall"), symbols * rows
            shape = f"{symbols:>6} symbols x {rows:>6} rows"
            print(f"  {name:<14} {shape} {1e3 * wall:9.2f} ms {1e9 * wall / cells:7.2f} ns a cell {engine.median('memory'):6.0f} MB")


def sweeps(rounds: int, peer_sets: int, classic: str | None) -> None:
    print("\ntop-k momentum every 21 rows, 50 symbols x 2,520 rows, Sharpe and drawdown of each set")
    shape = dict(symbols=50, rows=2520)
    for sets, threads in ((100, 2), (1_000, 1), (1_000, 2), (4_000, 2)):
        print(f" {sets} sets, {threads} threads")
        show(measure(["numba, fused", "nanobook"], rounds, None, sets=sets, threads=threads, **shape))
    print(" 1000 sets, 2 threads, weights from a NumPy function")
    show(measure(["numba, fused", "nanobook, callback"], min(rounds, 3), None, sets=1_000, threads=2, **shape))
    if not peer_sets:
        return
    print(f" {peer_sets} sets, 2 threads, weights of the peers made beforehand")
    names = ["numba, fused", "nanobook", "phasor-trader, sets", "vectorbt-rust, sets"]
    engines = measure(names, min(rounds, 3), classic, sets=peer_sets, threads=2, **shape)
    show(engines)
    for name in names[2:]:
        if name in engines and "nanobook" in engines:
            print(f"  {name} take {engines[name].times(engines['nanobook']):.0f} times as long as nanobook")
            whole = engines[name].median("wall") * 1_000 / peer_sets
            print(f"  {name}: {whole:.1f} s for 1,000 at that rate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cases", default="a,b,d,growth,sweep")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--peer-sets", type=int, default=300)
    parser.add_argument("--classic", help="folder with the package nanobook of PyPI")
    asked = parser.parse_args()
    cases = asked.cases.split(",")
    for case, symbols, rows, every in (("a", 500, 2520, 1), ("b", 500, 2520, 21), ("d", 3000, 2520, 1)):
        if case in cases:
            compare(symbols, rows, every, asked.rounds, asked.peers, asked.classic)
    if "growth" in cases:
        growth(asked.rounds)
    if "sweep" in cases:
        sweeps(asked.rounds, asked.peer_sets if asked.peers else 0, asked.classic)


if __name__ == "__main__":
    main()
