"""Replay a day and look at a book: which symbol is busiest, and what does its book look like before noon?

    python book.py [01302020.NASDAQ_ITCH50.gz]
"""

import sys

import nanobook as nb

path = sys.argv[1] if len(sys.argv) > 1 else nb.SAMPLE

seen = nb.inspect_itch(path)
print(seen)
symbol = seen.symbols["symbol"][0]

# The book before noon in New York, built from the messages of one symbol; the others have no book at all.
book = nb.book_itch(path, symbol, end="12:00")
print(f"\n{symbol} before noon: {book}")
print(book.depth(5))

# Orders stand in the order of the queue: what has to trade before the last order of the best bid does?
bids = book.orders("buy").to_dict()
best = [order_id for price, order_id in zip(bids["price"], bids["order_id"]) if price == bids["price"][0]]
ahead, qty = book.queue_position(best[-1])
print(f"\norder {best[-1]} at the best bid: {ahead} orders with {qty} shares are before it")
assert ahead == len(best) - 1

# The same rows as a table: applied one after the other, they are the book.
rows = nb.read_itch(path, "mbo", symbols=symbol, end="12:00")
again = nb.OrderBook()
again.apply(rows)
assert again.best_bid == book.best_bid and len(again) == len(book)
print(f"{len(rows):,} rows of mbo give the same book")
