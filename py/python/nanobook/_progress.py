"""A bar for long work: the extension's own in a terminal, one of HTML in a notebook."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Tick: TypeAlias = "Callable[[int, int | None], None]"

_PATIENCE = 1.0
"""Seconds of work without a bar."""

_EVERY = 0.2
"""Seconds between two pictures of it: each is a message to the notebook."""


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def progress_bar(name: str, wanted: bool) -> Iterator[tuple[bool, Tick | None]]:
    """Whether the extension may draw in the terminal, and what it calls instead in a notebook."""
    if not (wanted and _in_notebook()):
        yield wanted, None
        return
    from IPython.display import HTML, display  # type: ignore[import-not-found]

    started = time.monotonic()
    due = started + _PATIENCE
    handle = None

    def tick(read: int, size: int | None) -> None:
        nonlocal handle, due
        now = time.monotonic()
        if now < due:
            return
        due, elapsed = now + _EVERY, now - started
        text = f"{os.path.basename(name)}: {read / 1e6:,.0f} MB, {read / 1e6 / elapsed:,.0f} MB/s"
        value = f'value="{read}" max="{size}"' if size else ""
        page = HTML(f'<progress {value} style="width:20em"></progress> <small>{text}</small>')
        if handle is None:
            handle = display(page, display_id=True)
        else:
            handle.update(page)

    try:
        yield False, tick
    finally:
        if handle is not None:
            handle.update(HTML(""))
