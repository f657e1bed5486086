from collections.abc import Sequence
from typing import Any

def backtest_weights(
    weights: Sequence[Sequence[tuple[str, float]]],
    prices: Sequence[Sequence[tuple[str, int]]],
    initial_cash: int,
    cost_bps: float,
    basis: tuple[float, float],
    stops: tuple[float, float, float, int],
) -> dict[str, Any]: ...
