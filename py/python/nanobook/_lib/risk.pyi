from collections.abc import Sequence
from typing import Any, final

from nanobook._lib.frame import Frame
from nanobook.typing import FrameLike

@final
class RiskReport:
    @property
    def checks(self) -> Frame: ...
    @property
    def passed(self) -> bool: ...
    @property
    def failed(self) -> int: ...
    @property
    def warned(self) -> int: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...

def check(
    limits: str,
    orders: FrameLike,
    given: dict[str, Any],
    state: dict[str, Any],
    *,
    now: int,
    run_id: str = "",
) -> RiskReport: ...
def check_limits(limits: str) -> None: ...
def check_orders(
    limits: str,
    orders: Sequence[tuple[str, str, int, int]],
    equity_cents: int,
    positions: Sequence[tuple[str, int]],
    prices: Sequence[tuple[str, int]],
) -> list[tuple[str, str, str, str]]: ...
