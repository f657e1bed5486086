from collections.abc import Sequence

def check_limits(limits: str) -> None: ...
def check_orders(
    limits: str,
    orders: Sequence[tuple[str, str, int, int]],
    equity_cents: int,
    positions: Sequence[tuple[str, int]],
    prices: Sequence[tuple[str, int]],
) -> list[tuple[str, str, str, str]]: ...
