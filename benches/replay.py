"""The replay beside its peers, on one synthetic day, in one run; prints a table of ratios of medians.

Run it as `./dev bench [--messages N] [--rounds N] [--keep]`, best on an idle machine. It makes a synthetic day
(20 million messages of 8,907 symbols unless told otherwise), raw and gzip, and lets each command and its peer take
turns. Figures are whole-process wall seconds, CPU seconds and peak memory as the operating system counts them, and the
nanoseconds a message of the in-process decoders. A ratio above 1 says that nanobook takes less.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NANOBOOK = os.environ["NANOBOOK"]
PEER = str(Path(sys.executable).parent / "itch2parquet")
DATE = "2020-01-30"


def run(command, out):
    """Runs a command that may write to `out`; its wall seconds, CPU seconds, peak MB, and MB written."""
    shutil.rmtree(out, ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        sys.exit(f"{command}: exit {process.returncode}: {error.decode()}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    written = sum(f.stat().st_size for f in Path(out).rglob("*.parquet") if f.stem.startswith(("part", *TABLES)))
    return {"wall": wall, "cpu": cpu, "memory": usage.ru_maxrss / 1024, "written": written / 1e6}


TABLES = ("bbo", "trades", "messages", "depth")


def compare(name, ours, theirs, out, rounds):
    """Runs two commands in turn and gives the row of the table."""
    figures = {"ours": [], "theirs": []}
    for _ in range(rounds):
        figures["ours"].append(run(ours, out))
        figures["theirs"].append(run(theirs, out))
    shutil.rmtree(out, ignore_errors=True)
    median = {
        who: {key: statistics.median(f[key] for f in runs) for key in runs[0]} for who, runs in figures.items()
    }
    ratios = [b["wall"] / a["wall"] for a, b in zip(figures["ours"], figures["theirs"], strict=True)]
    return name, median["ours"], median["theirs"], statistics.median(ratios)


def in_process(day):
    """Nanoseconds a message of the decoders and the books, and whole-process time of the peer's `verify`."""
    lines = subprocess.run(
        ["cargo", "bench", "--locked", "-q", "-p", "nanobook-benches", "--bench", "itch", "--", str(day)],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()
    figures = [json.loads(line) for line in lines if line.startswith("{")]
    return {f["name"]: f["ns_per_message"] for f in figures}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", help="folder for the synthetic day, used again when it is there")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(args.keep or scratch)
        folder.mkdir(parents=True, exist_ok=True)
        raw, packed = folder / "01302020.NASDAQ_ITCH50", folder / "01302020.NASDAQ_ITCH50.gz"
        for path in (raw, packed):
            if not path.exists():
                subprocess.run([NANOBOOK, "synth", "--messages", str(args.messages), path], check=True)
        out = Path(scratch) / "out"

        decoders = in_process(raw)
        nanos = {name: statistics.median(values) for name, values in decoders.items()}
        print(f"\n{args.messages:,} messages, {raw.stat().st_size / 1e6:,.0f} MB; medians\n")
        print("| one thread, in memory | ns a message | M messages/s |")
        print("|---|---|---|")
        for name, value in nanos.items():
            print(f"| {name} | {value:.1f} | {1e3 / value:.1f} |")
        fastest = min(nanos["decode itch5"], nanos["decode itchy"])
        print(f"\ndecode: {fastest / nanos['decode nanobook']:.2f} x the fastest peer decoder")

        def ours(*arguments):
            return [NANOBOOK, "replay", "--no-progress", "--threads", "2", "--out", str(out), *map(str, arguments)]

        def theirs(*arguments):
            return [PEER, "convert", str(arguments[0]), str(out), "--date", DATE, *map(str, arguments[1:])]

        pairs = [
            ("verify (all books)", [NANOBOOK, "verify", "--no-progress", "--threads", "1", str(raw)],
             [PEER, "verify", str(raw), "--date", DATE]),
            ("bbo + trades, raw", ours(raw, "--tables", "bbo,trades"), theirs(raw, "--tables", "bbo,trades")),
            ("bbo + trades, gzip", ours(packed, "--tables", "bbo,trades"), theirs(packed, "--tables", "bbo,trades")),
            ("mbo / messages", ours(raw, "--tables", "mbo"), theirs(raw, "--tables", "messages")),
            ("depth of 10", ours(raw, "--tables", "depth"), theirs(raw, "--tables", "depth", "--depth", "10")),
        ]
        print("\n| work | seconds | CPU s | peak MB | MB written | itch-book: seconds | CPU s | peak MB | MB written | ratio |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for name, our_command, their_command in pairs:
            name, a, b, ratio = compare(name, our_command, their_command, out, args.rounds)
            cells = [f"{f['wall']:.2f} | {f['cpu']:.2f} | {f['memory']:.0f} | {f['written']:.0f}" for f in (a, b)]
            print(f"| {name} | {cells[0]} | {cells[1]} | {ratio:.1f} |", flush=True)
            if name.startswith("verify"):
                seconds = nanos["book nanobook"] * args.messages / 1e9
                print(f"| parse + books in memory | {seconds:.2f} | | | | | | | | {b['wall'] / seconds:.1f} |")


if __name__ == "__main__":
    main()
