"""Raw NASDAQ TotalView-ITCH 5.0 files."""

from __future__ import annotations

import json
import os
from typing import Any, Literal, TypeAlias

from nanobook._lib import itch as _itch

__all__ = ["SAMPLE", "ReplayReport", "verify_itch"]

SAMPLE: str = _itch.SAMPLE
"""A path that stands for a synthetic day of 50,000 messages and 40 symbols that is part of this package."""

Framing: TypeAlias = Literal["length", "zero", "none"]
"""How messages are framed: two bytes of length before each (NASDAQ), two zero bytes, or nothing at all."""


class ReplayReport:
    """What was seen of a session: counts, faults, and the state at its end.

    Attributes are the keys of :attr:`counts`, such as ``messages``, ``faults`` or ``live_orders``; ``print`` shows all
    of it.
    """

    __slots__ = ("_text", "counts", "has_faults")

    counts: dict[str, Any]
    """Everything, as the manifest of a dataset has it."""
    has_faults: bool
    """Whether anything was odd: a fault, a skipped message, a missing end, a book crossed at the end."""

    def __init__(self, counts: dict[str, Any], text: str, has_faults: bool) -> None:
        self.counts = counts
        self._text = text
        self.has_faults = has_faults

    @property
    def messages(self) -> int:
        """Messages of the file."""
        return self.counts["messages"]

    @property
    def faults(self) -> dict[str, int]:
        """How often each kind of fault was seen."""
        return self.counts["faults"]

    def __repr__(self) -> str:
        return self._text


def verify_itch(
    path: str | os.PathLike[str],
    *,
    framing: Framing | None = None,
    allow_truncated: bool = False,
) -> ReplayReport:
    """Builds all books of a raw file and reports what is odd; writes nothing.

    Parameters
    ----------
    path
        A file (plain, gzip or zstd, told by its content), ``"-"`` for standard input, or :data:`SAMPLE`.
    framing
        How messages are framed; found out unless named.
    allow_truncated
        Take a file that ends in the middle of a message for as much as there is.

    Raises
    ------
    SourceError
        When the file can't be read.
    FeedError
        When it is damaged or holds no message.

    Examples
    --------
    >>> import nanobook as nb
    >>> report = nb.verify_itch(nb.SAMPLE)
    >>> report.messages, report.has_faults
    (50000, False)
    """
    counts, text, has_faults = _itch.verify_itch(os.fspath(path), framing=framing, allow_truncated=allow_truncated)
    return ReplayReport(json.loads(counts), text, has_faults)
