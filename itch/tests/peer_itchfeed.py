"""Compares every field of every message type with the parser `itchfeed` (PyPI, 1.6.4).

    cargo run -p nanobook-itch --example dump_fields -- 1 23000 feed.itch fields.jsonl
    python itch/tests/peer_itchfeed.py feed.itch fields.jsonl

`feed.itch` was written by our encoder, `fields.jsonl` holds what our decoder read from it. The peer
decodes the same bytes; each field must be the same, no field may be missing on either side, and the
peer's own encoder must give back our bytes. Exit code 1 and the first differences otherwise.
"""

import json
import os
import sys
from collections import Counter

# The pure Python parser is the one compared, whatever else is installed.
os.environ["ITCH_NO_CPP"] = "1"

from itch.parser import MessageParser  # noqa: E402

# Our names are those of the specification. Where the peer has another name for the same field, it
# stands here by message type.
PEER_NAMES = {
    "R": {"luld_reference_price_tier": "luld_ref"},
    "V": {"level_1": "level1_price", "level_2": "level2_price", "level_3": "level3_price"},
    "K": {
        "ipo_quotation_release_time": "ipo_release_time",
        "ipo_quotation_release_qualifier": "ipo_release_qualifier",
    },
    "J": {"auction_collar_extension": "auction_collar_extention"},
    "U": {"original_order_reference_number": "order_reference_number"},
    "I": {"price_variation_indicator": "variation_indicator"},
}

# Known limits of the peer, none of which is a difference in a field:
# - It stops at a system event `C` (end of messages); the feed has none.
# - It divides prices by a power of ten in `decode()`; the raw attributes are compared instead.
# - It describes each class in attributes that are no fields of the message:
DESCRIPTIONS = {"description", "message_format", "message_pack_format", "message_size", "price_precision"}


def same(ours, theirs):
    """Integers as they are; text and codes as bytes, hexadecimal on our side."""
    if isinstance(theirs, bytes):
        return isinstance(ours, str) and bytes.fromhex(ours) == theirs
    return type(theirs) is int and ours == theirs


def frames(data):
    """The messages of a length-prefixed feed."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


def main():
    feed, fields = sys.argv[1:]
    with open(feed, "rb") as file:
        data = file.read()
    differences = []
    compared = Counter()
    count = 0
    with open(fields, encoding="ascii") as lines:
        messages = MessageParser().parse_stream(data)
        for count, (message, raw, line) in enumerate(zip(messages, frames(data), lines, strict=True), 1):
            ours = json.loads(line)
            tag = bytes.fromhex(ours["message_type"]).decode("ascii")
            names = PEER_NAMES.get(tag, {})
            seen = set()
            for name, value in ours.items():
                peer_name = names.get(name, name)
                seen.add(peer_name)
                theirs = getattr(message, peer_name, None)
                if not same(value, theirs):
                    differences.append(f"message {count} ({tag}), {name}: ours {value!r}, theirs {theirs!r}")
            missed = set(message.get_attributes()) - seen - DESCRIPTIONS
            missed = {name for name in missed if not name.startswith("_")}
            if missed:
                differences.append(f"message {count} ({tag}): we have no {sorted(missed)}")
            if message.to_bytes() != raw:
                differences.append(f"message {count} ({tag}): the peer encodes other bytes")
            compared[tag] += len(ours)
    for difference in differences[:20]:
        print(difference)
    print(f"{count} messages, {len(compared)} types, {sum(compared.values())} fields, {len(differences)} differences")
    return 1 if differences or len(compared) != 23 else 0


if __name__ == "__main__":
    sys.exit(main())
