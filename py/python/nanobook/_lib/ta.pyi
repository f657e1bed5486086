from collections.abc import Sequence
from typing import Any, final

from nanobook.typing import MatrixLike, VectorLike

@final
class Stream:
    def __new__(cls, name: str, parameters: Sequence[float]) -> Stream: ...
    @property
    def lookback(self) -> int: ...
    def update(self, row: Sequence[float]) -> list[float]: ...

def run(
    name: str, parameters: Sequence[float], inputs: Sequence[VectorLike | MatrixLike], threads: int | None
) -> list[Any]: ...
