"""Pre-trade risk in Rust and in Python, side by side on 1,000 orders against 5,000 positions.

    python benches/risk.py          # rounds of both in turn: medians of the processor's time, and their ratio

The Rust side is `cargo bench -p nanobook-benches --bench risk`, which this starts: the same orders, positions, quotes
and limits, and rows of the same checks, in exact decimals. Here they are floats, dictionaries and tuples. Before the
clock runs, the rows of both are compared: how many of each check, and that all of them pass.
"""

import collections
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 7

POSITIONS, ORDERS = 5_000, 1_000


def world():
    symbols = [f"S{i:05}" for i in range(POSITIONS)]
    quotes = {s: (50 + i / 100, 50.02 + i / 100, 0.0, "live") for i, s in enumerate(symbols)}
    positions = {s: 100 + i % 7 for i, s in enumerate(symbols)}
    rules = {s: (1, 1, "USD", "trading") for s in symbols}
    orders = [
        (f"run-{i}", symbols[i * 5], 1 if i % 2 == 0 else -1, 10 + i % 13, 50.01 + i * 5 / 100)
        for i in range(ORDERS)
    ]
    return orders, positions, quotes, rules


def check(orders, positions, quotes, rules, equity=1e8, cash=5e7, power=5e7):
    rows = []

    def row(code, subject, limit, observed, holds):
        rows.append((code, subject, limit, observed, "pass" if holds else "fail"))

    ids, sides, buys, sells = {}, {}, {}, {}
    for oid, symbol, side, qty, price in orders:
        ids[oid] = ids.get(oid, 0) + 1
        sides.setdefault(symbol, []).append((side, price))
        book = buys if side > 0 else sells
        book[symbol] = book.get(symbol, 0) + qty
    for code in ("KILL_SWITCH", "HALTED", "MARKET_CLOSED", "ACCOUNT_MODE", "RECONCILE_DIRTY"):
        row(code, "account", None, None, True)
    batch = cost = fees = opening = 0.0
    for oid, symbol, side, qty, price in orders:
        rule, quote = rules.get(symbol), quotes.get(symbol)
        row("INSTRUMENT_UNKNOWN", symbol, None, None, rule is not None)
        row("INSTRUMENT_HALTED", symbol, None, None, rule[3] == "trading")
        ticks = round(price * 100)
        row("TICK_SIZE", symbol, rule[0], price, abs(ticks - price * 100) < 1e-6)
        row("LOT_STEP", symbol, rule[1], qty, qty > 0 and qty % rule[1] == 0)
        row("MIN_QTY", symbol, rule[1], qty, qty >= rule[1])
        row("MAX_QTY", symbol, None, qty, True)
        row("MIN_NOTIONAL", symbol, None, None, True)
        bid, ask, at, kind = quote
        row("QUOTE_ONE_SIDED", symbol, None, None, bid > 0 and ask > 0)
        row("QUOTE_CROSSED", symbol, ask, bid, bid <= ask)
        row("QUOTE_DELAYED", symbol, None, None, kind == "live")
        row("QUOTE_STALE", symbol, 60, at, at <= 60)
        mid = (bid + ask) / 2
        spread = (ask - bid) / mid * 1e4
        row("SPREAD_TOO_WIDE", symbol, 50, spread, spread <= 50)
        off = abs(price - mid) / mid * 1e4
        row("PRICE_COLLAR", symbol, 500, off, off <= 500)
        through = max(price - ask, 0) / ask * 1e4 if side > 0 else max(bid - price, 0) / bid * 1e4
        row("LIMIT_PRICE_SIDE_SANE", symbol, 100, through, through <= 100)
        row("MAX_ORDER_QTY", symbol, 100_000, qty, qty <= 100_000)
        value = price * qty
        row("MAX_ORDER_NOTIONAL", symbol, 1e6, value, value <= 1e6)
        same = [p for s, p in sides[symbol] if s == side]
        other = [p for s, p in sides[symbol] if s != side]
        count = ids[oid] - 1 + len(same) - 1
        row("DUPLICATE_ORDER", symbol, 0, count, count == 0)
        crosses = any(price >= p if side > 0 else price <= p for p in other)
        row("SELF_CROSS", symbol, None, None, not crosses)
        batch += value
        fees += value * 1e-4
        if side > 0:
            cost += value
            opening += value
        elif sells[symbol] > max(positions.get(symbol, 0), 0):
            opening += value
    equity -= fees
    cost += fees
    row("MAX_BATCH_NOTIONAL", "batch", 1e8, batch, batch <= 1e8)
    row("MAX_ORDERS_PER_RUN", "batch", 2_000, len(orders), len(orders) <= 2_000)
    row("MAX_TURNOVER", "batch", 1, batch / equity, batch / equity <= 1)
    gross = short = low_sum = high_sum = 0.0
    for symbol, held in positions.items():
        bid, ask, _, _ = quotes[symbol]
        mid = (bid + ask) / 2
        low, high = held - sells.get(symbol, 0), held + buys.get(symbol, 0)
        worst = max(abs(low), abs(high))
        gross += worst * mid
        short += max(-low, 0) * mid
        low_sum += low * mid
        high_sum += high * mid
        if symbol in sides:
            value = worst * mid
            row("MAX_POSITION_NOTIONAL", symbol, 1e7, value, value <= 1e7)
            row("MAX_WEIGHT", symbol, 0.1, value / equity, value / equity <= 0.1)
            row("SHORT_NOT_ALLOWED", symbol, 0, max(-low, 0), low >= 0)
            row("REDUCE_ONLY", symbol, None, None, True)
    net = max(abs(low_sum), abs(high_sum)) / equity
    row("LEVERAGE", "account", 1, gross / equity, gross / equity <= 1)
    row("NET_EXPOSURE", "account", 2, net, net <= 2)
    row("SHORT_EXPOSURE", "account", 1, short / equity, short / equity <= 1)
    row("BUYING_POWER", "account", power, opening + fees, opening + fees <= power)
    row("CASH", "account", 0, cash - cost, cash >= cost)
    buffer = (cash - cost) / equity
    row("MIN_CASH_BUFFER", "account", 0.01, buffer, buffer >= 0.01)
    return rows


def rust():
    """Milliseconds of a run with its memory used again and of one without, and how many rows there are of each check."""
    # The name is none of criterion's: what it prints before it measures is enough here.
    command = ["cargo", "bench", "--quiet", "-p", "nanobook-benches", "--bench", "risk", "--", "nothing"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    rows = re.findall(r"^rows (\w+) (\d+)$", done.stdout, re.MULTILINE)
    [times] = re.findall(r"^cpu ([\d.]+) ([\d.]+)$", done.stdout, re.MULTILINE)
    return [float(ms) for ms in times], {code: int(count) for code, count in rows}


def python(inputs):
    start = time.process_time()
    for _ in range(20):
        check(*inputs)
    return (time.process_time() - start) * 1e3 / 20


def main():
    inputs = world()
    rows = check(*inputs)
    assert all(row[4] == "pass" for row in rows), [row for row in rows if row[4] != "pass"][:5]
    ours = collections.Counter(row[0] for row in rows)
    # The first builds what is measured, too.
    _, theirs = rust()
    differ = {code: (ours[code], theirs.get(code)) for code in ours if ours[code] != theirs.get(code)}
    assert not differ and set(ours) == set(theirs), (differ, set(ours) ^ set(theirs))
    reused, fresh, naive = [], [], []
    for _ in range(ROUNDS):
        (once, anew), _ = rust()
        reused.append(once)
        fresh.append(anew)
        naive.append(python(inputs))
    naive = statistics.median(naive)
    print(f"{len(rows)} rows of {len(ours)} checks, the same in both; time of the processor, medians of {ROUNDS} rounds")
    for name, times in [("Rust, memory used again", reused), ("Rust, memory of its own", fresh)]:
        ms = statistics.median(times)
        print(f"{name}: {ms:.3f} ms    Python: {naive:.2f} ms    ratio: {naive / ms:.1f}")


if __name__ == "__main__":
    main()
