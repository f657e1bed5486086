"""`bbo`, `trades`, `mbo` and `depth` are row for row those of the Python package itch-book 0.2.1.

The two differ in names, and in what they say where there is nothing to say. Every difference has its rule here; the
code below applies these rules and nothing else, and then every column of every row must be equal.

Rows and their heads
  1  `seq`: the peer numbers messages that it decodes, we number all frames. Both start at 1. So they are equal where
     no frame is skipped, and else our n-th whole message is the peer's number n.
  2  `instrument_id` is the peer's `locate`.
  3  `symbol`: the peer knows names from `R` alone and writes "" without one. We also take the ticker of the first
     message that has one, from there on, and write null before.
Values
  4  A price of fixed type is the peer's mantissa times 100,000 (1e-9 instead of 1e-4); of float type the same number.
  5  Nothing is null for us and 0 (prices of float type: NaN) for the peer, in prices, and in the quantity and count of
     an empty side or level.
  6  Sums of a level are u64 for us and u32, modulo 2^32, for the peer.
  7  Sides are 1 and -1 for us, `B` and `S` for the peer; unknown is null, and `N`.
trades
  8  `kind` E, C, P, Q is displayed, displayed_at_price, hidden, cross. The peer has a row for `B`, we have none.
  9  `side`: we name the aggressor, the peer the resting order.
 10  `order_id` of P and Q: null, and 0. `cross_type`: null but for Q, the peer writes `N`, also for a blank one.
 11  `broken`: by a later `B` of the same match number, for the peer also by an earlier one.
 12  An execution (`E`, printable `C`) of an unknown order has a row of ours, with null side and, for `E`, null price;
     the peer has none. Its quantity and time are those of the peer's `messages` row.
mbo (the peer's `messages`)
 13  `action`: A and F add, E and C execute, X reduce, D delete, U replace.
 14  `price` of a C: we say where the order rests, the peer what was paid (which is in our `trades`). Where it rests
     is the price of the last row of the peer that put the order into the book. An add or a replace has the price of
     its message, also when that is zero and refused (for the peer as in rules 4 and 5).
 15  Message about an unknown order: `leaves_qty` null and 0, `price` null and 0 (C: the message's for the peer),
     `qty` of a delete null and 0.
 16  `match_id`: the peer's `messages` have none, so those of its `trades` are compared; and the wire where neither
     has one (an unprintable C, an unknown order).
 17  `printable`: null but for executions, the peer writes true.
 18  `old_order_id`: null but for U, the peer writes 0.
 19  `mpid`: text for us; the peer numbers the texts by first appearance (0: none) and does not tell them. A blank one
     is null for us.
Books: where the two would differ in what rests, the peer is given the session in other words, see `in_peer_words`
 20  We keep books by stock locate, the peer has one map of orders for all. So the peer gets a number of its own for
     each pair of locate and reference. This also covers references that it refuses: 0, and from 2^36 on.
 21  An add whose side is neither `B` nor `S` is refused by us; the peer sells. So the peer gets reference 0, which it
     refuses. The byte itself stays in its row, and is null in ours.
 22  A replace without quantity or price removes the old order and adds none. The peer also removes a live order of the
     new reference. So the peer gets 0 for a new reference.
"""

import struct
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from feed import STOCK_AT, bodies, faulty, is_whole
from support import DATE, DIRECTORY, PREMARKET, SYNTHETIC, assert_same, read, replay, shared, whole_premarket

PEER = Path(sys.executable).with_name("itch2parquet")
KINDS = {"E": "displayed", "C": "displayed_at_price", "P": "hidden", "Q": "cross"}
ACTIONS = {"A": "add", "F": "add", "E": "execute", "C": "execute", "X": "reduce", "D": "delete", "U": "replace"}
SIDES = {"B": 1, "S": -1}


class Peer:
    """What the peer made of a session, said in our words as far as that needs no other table."""

    def __init__(self, source, folder, price_type, levels, date, wire=None):
        arguments = ["--tables", "bbo,trades,messages,depth", "--price-type", price_type, "--depth", str(levels)]
        command = [PEER, "convert", source, folder, "--no-md5", "--date", date, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.folder, self.price_type, self.wire = folder, price_type, wire

    def read(self, table, columns=None):
        """Rules 1, 2, 3 and 4."""
        frame = pl.read_parquet(self.folder / f"{table}.parquet", columns=columns)
        head = [pl.col("seq"), pl.col("locate").cast(pl.UInt32).alias("instrument_id")]
        symbol = pl.col("symbol").cast(pl.String)
        rest = [self.price(name) if "px" in name or name == "price" else pl.col(name) for name in frame.columns[4:]]
        frame = frame.select("ts_event", *head, symbol, *rest)
        if self.wire is None:
            return frame
        known = self.wire.filter(pl.col("peer_seq").is_not_null()).select("peer_seq", "wire_seq", "wire_symbol")
        joined = frame.join(known, left_on="seq", right_on="peer_seq", how="left", maintain_order="left")
        symbol = pl.when(pl.col("symbol") == "").then("wire_symbol").otherwise("symbol")
        return joined.with_columns(seq=pl.col("wire_seq"), symbol=symbol).drop("wire_seq", "wire_symbol")

    def price(self, name):
        column = pl.col(name)
        if self.price_type == "float":
            return column.fill_nan(None)
        return pl.when(column != 0).then(column * 100_000).alias(name)


def modulo(column):
    """Rule 6, for our side."""
    return (pl.col(column) % (1 << 32)).alias(column)


def side(column, values=SIDES):
    """Rule 7, for the peer's side; what is no side is null (rule 21)."""
    return pl.col(column).replace_strict(values, default=None, return_dtype=pl.Int8).alias("side")


def compare_levels(ours_at, peer, table, levels):
    """`bbo` and `depth`: rules 5 and 6."""
    for level in levels:
        head = ["ts_event", "seq", "instrument_id", "symbol"]
        names = [f"{side}_{field}{level}" for side in ("bid", "ask") for field in ("px", "qty", "count")]
        peer_names = [name.replace("qty", "sz").replace("count", "ct") for name in names]
        ours = read(ours_at, table, columns=head + names)
        ours = ours.with_columns(modulo(name) for name in names if "qty" in name)
        theirs = peer.read(table, columns=["ts_event", "seq", "locate", "symbol", *peer_names])
        theirs = theirs.rename(dict(zip(peer_names, names, strict=True)))
        empty = [name for name in names if "px" not in name]
        count = {name: pl.col(name.split("_")[0] + f"_count{level}") for name in empty}
        theirs = theirs.with_columns(
            pl.when(count[name] != 0).then(pl.col(name)).cast(ours.schema[name]).alias(name) for name in empty
        )
        assert_same(ours, theirs, table)


def unknown_executions(peer_messages, mbo):
    """Rule 12: prints of ours that the peer has no row for, from its `messages` rows."""
    rows = peer_messages.filter((pl.col("side") == "N") & pl.col("type").is_in(["E", "C"]) & pl.col("printable"))
    match_ids = mbo.select("seq", match_number="match_id")
    rows = rows.join(match_ids, on="seq", how="left", maintain_order="left")
    kind = pl.col("type").alias("kind")
    cross = pl.lit("N").alias("cross_type")
    broken = pl.lit(True).alias("broken")
    size = pl.col("size").cast(pl.UInt64)
    head = ["ts_event", "seq", "instrument_id", "symbol"]
    return rows.select(*head, kind, "price", size, "side", "order_id", "match_number", cross, broken)


def compare_trades(ours, peer_trades, peer_messages, mbo):
    """Rules 8 to 12."""
    voids = peer_trades.filter(pl.col("kind") == "B").group_by("match_number").agg(void=pl.col("seq").max())
    trades = peer_trades.filter(pl.col("kind") != "B")
    theirs = pl.concat([trades, unknown_executions(peer_messages, mbo)]).sort("seq", maintain_order=True)
    theirs = theirs.join(voids, on="match_number", how="left", maintain_order="left")
    displayed = pl.col("kind").is_in(["E", "C"])
    is_cross = (pl.col("kind") == "Q") & (pl.col("cross_type") != "N")
    theirs = theirs.select(
        "ts_event",
        "seq",
        "instrument_id",
        "symbol",
        pl.col("kind").replace_strict(KINDS),
        "price",
        pl.col("size").alias("qty"),
        side("side", {"B": -1, "S": 1}),
        pl.when(displayed).then("order_id").alias("order_id"),
        pl.col("match_number").alias("match_id"),
        pl.when(is_cross).then("cross_type").alias("cross_type"),
        (pl.col("broken") & (pl.col("void") > pl.col("seq"))).fill_null(value=False).alias("broken"),
    )
    assert_same(ours, theirs, "trades")


def resting_price(messages):
    """Rule 14: the price at which the order of every row rests."""
    placed = messages.filter(pl.col("type").is_in(["A", "F", "U"]) & (pl.col("remaining") > 0))
    placed = placed.select("seq", "resting_key", resting="price").sort("seq")
    rows = messages.select("seq", "resting_key").sort("seq")
    return rows.join_asof(placed, on="seq", by="resting_key", strategy="backward", check_sortedness=False)["resting"]


def compare_mbo(ours, messages, peer_trades, wire):
    """Rules 13 to 19."""
    kind = pl.col("type")
    unknown = (pl.col("side") == "N") & ~kind.is_in(["A", "F"])
    executed = kind.is_in(["E", "C"])
    messages = messages.with_columns(resting_price(messages))
    prints = peer_trades.filter(pl.col("kind").is_in(["E", "C"])).select("seq", match_id="match_number")
    messages = messages.join(prints, on="seq", how="left", maintain_order="left")
    if wire is None:
        untold = executed & pl.col("match_id").is_null()
        told = messages.select(untold).to_series()
        assert ours.filter(told)["match_id"].null_count() == 0
        messages = messages.with_columns(pl.when(told).then(ours["match_id"]).otherwise("match_id").alias("match_id"))
        numbers = pl.DataFrame({"number": messages["mpid"], "mpid": ours["mpid"]}).filter(pl.col("number") > 0)
        names = numbers.unique(maintain_order=True)
        assert names["number"].to_list() == list(range(1, names.height + 1)), "an MPID has two numbers, or two names"
        messages = messages.with_columns(mpid=pl.when(pl.col("mpid") > 0).then(ours["mpid"]))
    else:
        said = wire.select("wire_seq", wire_match="match_id", wire_mpid="mpid")
        messages = messages.join(said, left_on="seq", right_on="wire_seq", how="left", maintain_order="left")
        agreed = pl.col("match_id").is_null() | (pl.col("match_id") == pl.col("wire_match"))
        assert messages.select(agreed.all()).item()
        assert messages.select(((pl.col("mpid") > 0) == (kind == "F")).all()).item()
        messages = messages.with_columns(match_id="wire_match", mpid="wire_mpid")
    placed = kind.is_in(["A", "F", "U"])
    price = pl.when(placed).then(pl.col("price").fill_null(0)).when(unknown).then(None)
    price = price.when(kind == "C").then("resting").otherwise("price")
    theirs = messages.select(
        "ts_event",
        "seq",
        "instrument_id",
        "symbol",
        kind.replace_strict(ACTIONS).alias("action"),
        side("side"),
        price.alias("price"),
        pl.when(~(unknown & (kind == "D"))).then(pl.col("size").cast(pl.UInt64)).alias("qty"),
        "order_id",
        pl.when(kind == "U").then("old_order_id").alias("old_order_id"),
        pl.when(~unknown).then(pl.col("remaining").cast(pl.UInt64)).alias("leaves_qty"),
        "match_id",
        pl.when(executed).then("printable").alias("printable"),
        "mpid",
    )
    assert_same(ours, theirs, "mbo")


def compare(ours, peer, levels):
    """All four tables."""
    wire = peer.wire
    compare_levels(ours, peer, "bbo", [""])
    compare_levels(ours, peer, "depth", [f"_{level:02}" for level in range(levels)])
    trades, messages = peer.read("trades"), peer.read("messages")
    messages = messages.with_columns(resting_key="order_id")
    if wire is not None:
        ids = wire.select("wire_seq", "order", "old_order")
        swap = {"left_on": "seq", "right_on": "wire_seq", "how": "left", "maintain_order": "left"}
        trades = trades.join(ids, **swap).with_columns(order_id="order").drop("order", "old_order")
        messages = messages.join(ids, **swap).with_columns(order_id="order", old_order_id="old_order")
        messages = messages.drop("order", "old_order")
    mbo = read(ours, "mbo")
    compare_trades(read(ours, "trades"), trades, messages.drop("resting_key"), mbo)
    compare_mbo(mbo, messages, trades, wire)


def in_peer_words(data):
    """The session for the peer (rules 20, 21, 22), and what the wire says about each message."""
    numbers, names, rows, said = {}, {}, [], bytearray()

    def number(*pair):
        return numbers.setdefault(pair, len(numbers) + 1)

    peer_seq = 0
    for seq, body in enumerate(bodies(data), 1):
        row = {"wire_seq": seq, "peer_seq": None, "wire_symbol": None, "order": 0, "old_order": 0}
        row |= {"match_id": None, "mpid": None}
        rows.append(row)
        if is_whole(body):
            peer_seq += 1
            tag, locate = chr(body[0]), int.from_bytes(body[1:3], "big")
            if tag in STOCK_AT and (tag == "R" or names.get(locate) is None):
                stock = body[STOCK_AT[tag] :][:8].decode().rstrip()
                names[locate] = stock or None
            row |= {"peer_seq": peer_seq, "wire_symbol": names.get(locate)}
            changed = bytearray(body)
            if tag in "AFECXD":
                row["order"], = struct.unpack_from(">Q", body, 11)
                refused = tag in "AF" and body[19:20] not in (b"B", b"S")
                struct.pack_into(">Q", changed, 11, 0 if refused else number(locate, row["order"]))
            elif tag == "U":
                row["old_order"], row["order"], shares, price = struct.unpack_from(">QQII", body, 11)
                new = number(locate, row["order"]) if shares and price else 0
                struct.pack_into(">QQ", changed, 11, number(locate, row["old_order"]), new)
            if tag in "EC":
                row["match_id"], = struct.unpack_from(">Q", body, 23)
            if tag == "F":
                row["mpid"] = body[36:40].decode().rstrip() or None
            body = bytes(changed)
        said += struct.pack(">H", len(body)) + body
    schema = dict.fromkeys(["wire_seq", "peer_seq", "order", "old_order", "match_id"], pl.UInt64)
    schema |= {"wire_symbol": pl.String, "mpid": pl.String}
    return bytes(said), pl.DataFrame(rows, schema_overrides=schema)


@pytest.mark.parametrize("price_type", ["fixed", "float"])
@pytest.mark.parametrize("name", [PREMARKET, DIRECTORY, SYNTHETIC])
def test_shared_file(tmp_path, name, price_type):
    source = shared(name)
    ours = replay(source, tmp_path / "ours", "--allow-truncated", "--price-type", price_type)
    plain = whole_premarket(tmp_path) if name == PREMARKET else source
    compare(ours, Peer(plain, tmp_path / "peer", price_type, 10, DATE), 10)


def test_five_million_messages(tmp_path, large_day):
    ours = replay(large_day, tmp_path / "ours", "--price-type", "fixed", date="2020-01-30", tables="bbo,trades,mbo,depth")
    compare(ours, Peer(large_day, tmp_path / "peer", "fixed", 10, "2020-01-30"), 10)


@pytest.mark.parametrize("levels", [1, 2, 3, 10])
@pytest.mark.parametrize("own_refs", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_faulty_stream(tmp_path, seed, own_refs, levels):
    data = faulty(1000 * levels + seed, 5000, own_refs)
    session = tmp_path / "session.itch"
    session.write_bytes(data)
    price_type = ["fixed", "float"][seed % 2]
    ours = replay(session, tmp_path / "ours", "--price-type", price_type, "--depth", levels)
    words, wire = in_peer_words(data)
    if own_refs:
        # Both read the very same bytes; the wire is asked for names and match numbers only.
        words = data
    theirs = tmp_path / "peer.itch"
    theirs.write_bytes(words)
    compare(ours, Peer(theirs, tmp_path / "peer", price_type, levels, DATE, wire), levels)
