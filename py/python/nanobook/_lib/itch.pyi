import os

SAMPLE: str

def verify_itch(
    path: str | os.PathLike[str],
    *,
    framing: str | None = None,
    allow_truncated: bool = False,
) -> tuple[str, str, bool]: ...
