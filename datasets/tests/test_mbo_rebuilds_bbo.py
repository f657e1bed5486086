"""Replaying the table `mbo` by its documented rules gives the table `bbo`.

The rules, for the rows of one instrument in order of `seq`, beginning with an empty book:

- A row whose `leaves_qty` is null names an order that does not rest: nothing happens.
- `add`: with `leaves_qty` 0 the book refused it, and nothing happens. Else an order of the same id that rests leaves
  first, and the new one rests with `side`, `price` and `leaves_qty`.
- `execute`, `reduce`, `delete`: the order rests with `leaves_qty`, and leaves at 0.
- `replace`: `old_order_id` leaves. With `leaves_qty` 0 that is all. Else `order_id` is added as above.
- After each row, `bbo` has a row with its `ts_event` and `seq` when the best price, or the whole quantity at it, of
  either side is not what it was. A change of the number of orders alone gives none.
"""

from collections import defaultdict

import polars as pl
import pytest

from feed import faulty
from support import DIRECTORY, PREMARKET, SYNTHETIC, assert_same, read, replay, run, shared

NO_LEVEL = (None, None, None)


class NaiveBook:
    """Orders by id and levels by price, without any thought of speed."""

    def __init__(self):
        self.orders = {}
        self.levels = {1: {}, -1: {}}

    def place(self, order_id, side, price, qty):
        self.take(order_id)
        self.orders[order_id] = (side, price, qty)
        level = self.levels[side].setdefault(price, [0, 0])
        level[0] += qty
        level[1] += 1

    def take(self, order_id):
        if order_id not in self.orders:
            return
        side, price, qty = self.orders.pop(order_id)
        level = self.levels[side][price]
        level[0] -= qty
        level[1] -= 1
        if level[1] == 0:
            del self.levels[side][price]

    def leave(self, order_id, qty):
        side, price, before = self.orders[order_id]
        if qty == 0:
            self.take(order_id)
        else:
            self.orders[order_id] = (side, price, qty)
            self.levels[side][price][0] += qty - before

    def apply(self, row):
        leaves = row["leaves_qty"]
        if leaves is None:
            return
        action, order_id = row["action"], row["order_id"]
        if action == "replace":
            self.take(row["old_order_id"])
        if action in ("add", "replace"):
            if leaves > 0:
                self.place(order_id, row["side"], row["price"], leaves)
        else:
            self.leave(order_id, leaves)

    def best(self, side):
        levels = self.levels[side]
        if not levels:
            return NO_LEVEL
        price = max(levels) if side == 1 else min(levels)
        return (price, *levels[price])


def rebuilt(mbo, schema):
    """The `bbo` that the rows of `mbo` make."""
    books = defaultdict(NaiveBook)
    quotes = {}
    rows = []
    for row in mbo.iter_rows(named=True):
        instrument = row["instrument_id"]
        book = books[instrument]
        book.apply(row)
        bid, ask = book.best(1), book.best(-1)
        quote = (bid[:2], ask[:2])
        if quote != quotes.get(instrument, (NO_LEVEL[:2], NO_LEVEL[:2])):
            quotes[instrument] = quote
            rows.append((row["ns"], row["seq"], instrument, row["symbol"], *bid, *ask))
    plain = {name: (pl.Int64 if name == "ts_event" else dtype) for name, dtype in schema.items()}
    return pl.DataFrame(rows, schema=plain, orient="row")


def check(out):
    ns = pl.col("ts_event").dt.epoch("ns")
    mbo = read(out, "mbo").with_columns(ns=ns).drop("ts_event")
    bbo = read(out, "bbo").with_columns(ts_event=ns)
    assert bbo.height > 0
    assert_same(bbo, rebuilt(mbo, bbo.schema), "bbo", "what mbo makes")


def test_sample_day(tmp_path):
    out = tmp_path / "out"
    run("replay", "--sample", "--out", out, "--tables", "mbo,bbo", "--price-type", "fixed", "--no-progress")
    check(out)


def test_synthetic_day(tmp_path, small_days):
    check(replay(small_days[0], tmp_path / "out", "--price-type", "fixed", date=None, tables="mbo,bbo"))


@pytest.mark.parametrize("name", [PREMARKET, SYNTHETIC])
def test_shared_file(tmp_path, name):
    arguments = ["--allow-truncated", "--price-type", "fixed"]
    check(replay(shared(name), tmp_path / "out", *arguments, tables="mbo,bbo"))


@pytest.mark.parametrize(
    ("name", "framing"),
    [("20101224.TEST_ITCH_50.zero_prefix.gz", "zero"), ("no_prefix.itch", "none")],
)
def test_shared_file_that_the_peer_refuses(tmp_path, name, framing):
    source = shared(name)
    out = replay(source, tmp_path / "named", "--framing", framing, "--price-type", "fixed", tables="mbo,bbo")
    check(out)
    found = replay(source, tmp_path / "found", "--price-type", "fixed", tables="mbo,bbo")
    assert_same(read(found, "bbo"), read(out, "bbo"), "bbo", "the one with named framing")


def test_shared_file_without_orders(tmp_path):
    out = replay(shared(DIRECTORY), tmp_path / "out", tables="mbo,bbo")
    assert read(out, "mbo").height == 0
    assert read(out, "bbo").height == 0


@pytest.mark.parametrize("own_refs", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_faulty_stream(tmp_path, seed, own_refs):
    session = tmp_path / "session.itch"
    session.write_bytes(faulty(seed, 10_000, own_refs))
    check(replay(session, tmp_path / "out", "--price-type", "fixed", tables="mbo,bbo"))
