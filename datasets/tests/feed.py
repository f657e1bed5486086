"""Writes and reads raw ITCH 5.0 messages, for cases that no file at hand has.

Everything is packed here from the specification, independently of the code under test.
"""

import random
import struct

#: Bytes of each message type.
LENGTHS = {
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40,
    "E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
}  # fmt: skip

#: Where the ticker of a message lies.
STOCK_AT = {
    "R": 11, "H": 11, "Y": 11, "L": 15, "K": 11, "J": 11, "h": 11, "A": 24, "F": 24, "P": 24, "Q": 19, "I": 28,
    "N": 11, "O": 11,
}  # fmt: skip

OPEN_NS = 34_200_000_000_000


def text(value, width):
    """Letters padded with spaces."""
    return value.encode("latin-1").ljust(width)


class Feed:
    """A session that grows message by message; a message without `ns` comes a microsecond after the last."""

    def __init__(self, ns=OPEN_NS):
        self.ns = ns
        self.bodies = []

    def put(self, tag, locate, payload, ns=None):
        self.ns = self.ns + 1000 if ns is None else ns
        head = tag.encode() + struct.pack(">HH", locate, 7) + self.ns.to_bytes(6, "big")
        self.bodies.append(head + payload)

    def raw(self, body):
        """A body as it is, whatever is wrong with it."""
        self.bodies.append(body)

    def data(self):
        return b"".join(struct.pack(">H", len(body)) + body for body in self.bodies)

    def event(self, code, **when):
        self.put("S", 0, code.encode(), **when)

    def directory(self, locate, stock, **when):
        rest = b"QN" + struct.pack(">I", 100) + b"NCZ PNN1N" + struct.pack(">I", 0) + b"N"
        self.put("R", locate, text(stock, 8) + rest, **when)

    def add(self, locate, ref, side, shares, price, stock="", mpid=None, **when):
        payload = struct.pack(">QcI8sI", ref, side.encode(), shares, text(stock, 8), price)
        if mpid is None:
            self.put("A", locate, payload, **when)
        else:
            self.put("F", locate, payload + text(mpid, 4), **when)

    def execute(self, locate, ref, shares, match, **when):
        self.put("E", locate, struct.pack(">QIQ", ref, shares, match), **when)

    def execute_at(self, locate, ref, shares, match, printable, price, **when):
        self.put("C", locate, struct.pack(">QIQcI", ref, shares, match, printable.encode(), price), **when)

    def reduce(self, locate, ref, shares, **when):
        self.put("X", locate, struct.pack(">QI", ref, shares), **when)

    def delete(self, locate, ref, **when):
        self.put("D", locate, struct.pack(">Q", ref), **when)

    def replace(self, locate, old, new, shares, price, **when):
        self.put("U", locate, struct.pack(">QQII", old, new, shares, price), **when)

    def hidden(self, locate, shares, price, match, stock="", **when):
        self.put("P", locate, struct.pack(">QcI8sIQ", 0, b"B", shares, text(stock, 8), price, match), **when)

    def cross(self, locate, shares, price, match, kind, stock="", **when):
        self.put("Q", locate, struct.pack(">Q8sIQc", shares, text(stock, 8), price, match, kind.encode()), **when)

    def void(self, locate, match, **when):
        self.put("B", locate, struct.pack(">Q", match), **when)

    def imbalance(self, locate, paired, imbalance, side, far, near, ref, stock="", **when):
        payload = struct.pack(">QQc8sIIIcc", paired, imbalance, side.encode(), text(stock, 8), far, near, ref, b"O", b" ")
        self.put("I", locate, payload, **when)

    def luld(self, locate, ref, upper, lower, stock="", **when):
        self.put("J", locate, text(stock, 8) + struct.pack(">IIII", ref, upper, lower, 0), **when)

    def ipo(self, locate, seconds, price, stock="", **when):
        self.put("K", locate, text(stock, 8) + struct.pack(">IcI", seconds, b"A", price), **when)

    def levels(self, one, two, three, **when):
        self.put("V", 0, struct.pack(">QQQ", one, two, three), **when)

    def listing(self, locate, low, high, near, near_ns, lower, upper, stock="", **when):
        payload = text(stock, 8) + b"Y" + struct.pack(">IIIQII", low, high, near, near_ns, lower, upper)
        self.put("O", locate, payload, **when)


def bodies(data):
    """The messages of a length-prefixed session, skipped ones included; a length of zero ends it."""
    at = 0
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        if length == 0:
            return
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


def is_whole(body):
    """Whether a message is of a known type and has that type's length."""
    return LENGTHS.get(chr(body[0])) == len(body)


SIZES = [0, 1, 5, 10, 50, 100, 100, 100, 100, 300, 4_294_967_295]


def faulty(seed, messages, own_refs):
    """A session full of faults.

    References are few, so that most messages name dead ones, live ones a second time, or live ones at any place of
    their queue; sizes are often zero or too large; prices are in a narrow band on both sides (so books are crossed
    most of the time) and sometimes zero; locates 5 and 6 have no directory entry; frames of unknown types and of
    wrong lengths stand in between.

    With `own_refs` every reference belongs to one locate, sides are `B` or `S` and no refused replace names a live
    order as its new one. Without, anything goes.
    """
    rng = random.Random(seed)
    feed = Feed()
    feed.event("O")
    for locate in range(1, 5):
        feed.directory(locate, f"SYM{locate}")
    match = 0
    for _ in range(messages):
        locate = rng.randrange(1, 7)
        stock = f"SYM{locate}"
        if own_refs:
            ref, other = (rng.randrange(1, 25) * 8 + locate for _ in range(2))
        else:
            ref, other = (rng.choice([*range(0, 40), 1 << 36, (1 << 64) - 1]) for _ in range(2))
        price = rng.choice([0, 1, 4_294_967_295] + list(range(999_900, 1_000_100, 10)) * 3)
        shares = rng.choice(SIZES)
        match += 1
        side = rng.choice("BS" if own_refs else "BSBSBSBSX ")
        kind = rng.random()
        if kind < 0.35:
            feed.add(locate, ref, side, shares, price, stock)
        elif kind < 0.40:
            feed.add(locate, ref, side, shares, price, stock, mpid=rng.choice(["NITE", "AA", "BBB", ""]))
        elif kind < 0.52:
            feed.execute(locate, ref, shares, match)
        elif kind < 0.60:
            feed.execute_at(locate, ref, shares, match, rng.choice("YYN "), price)
        elif kind < 0.70:
            feed.reduce(locate, ref, shares)
        elif kind < 0.76:
            feed.delete(locate, ref)
        elif kind < 0.92:
            if own_refs and shares * price == 0:
                other = ref
            feed.replace(locate, ref, other, shares, price)
        elif kind < 0.94:
            feed.hidden(locate, shares, price, match, stock)
        elif kind < 0.95:
            feed.cross(locate, shares * 3, price, match, rng.choice("OCH "), stock)
        elif kind < 0.965:
            feed.void(locate, rng.randrange(max(1, match - 50), match + 20))
        elif kind < 0.98:
            feed.imbalance(locate, shares, shares, "B", price, 0, price, stock)
        elif kind < 0.99:
            feed.raw(b"Z" + bytes(rng.randrange(40)))
        else:
            feed.raw(b"A" + bytes(11))
    return feed.data()
