"""What can go wrong: each class is also the builtin that a caller would catch."""

__all__ = [
    "ConnectionLostError",
    "DtypeError",
    "FeedError",
    "InputError",
    "MissingError",
    "NanobookError",
    "NoAnswerError",
    "OrderError",
    "PackageError",
    "SourceError",
    "UnsupportedError",
    "VenueError",
]


class NanobookError(Exception):
    """Any error of this package; the message says where and what to do."""

    row: int | None = None
    """Row of the frame, from 0, where the error is about one."""
    column: str | None = None
    """Column of the frame, where the error is about one."""
    symbol: str | None = None
    """Symbol, where the error is about one."""


class InputError(NanobookError, ValueError):
    """An argument, or a value in a frame, that can't be used."""


class MissingError(NanobookError, KeyError):
    """A column, order or symbol that is not there."""

    # The one of KeyError quotes its message.
    __str__ = Exception.__str__


class DtypeError(NanobookError, TypeError):
    """A column of the wrong type, or an object that is no frame."""


class SourceError(NanobookError, OSError):
    """A file or folder that can't be read or written."""


class FeedError(NanobookError, ValueError):
    """A raw file that is damaged, cut, or no feed at all."""


class PackageError(NanobookError, ImportError):
    """A package that a function needs is not installed."""


class UnsupportedError(NanobookError, NotImplementedError, AttributeError):
    """Something that this build lacks; :func:`nanobook.capabilities` lists what it has."""


class ConnectionLostError(NanobookError, ConnectionError):
    """There is no connection to a venue: ``connect`` is the next step. What it has of us is not known meanwhile."""


class NoAnswerError(NanobookError, TimeoutError):
    """A venue did not answer in time; that is no answer, and never an empty one."""


class VenueError(NanobookError, RuntimeError):
    """A venue answered with an error or asks for a pause, or is not the account that was meant."""


class OrderError(NanobookError, RuntimeError):
    """An order that is not confirmed: refused, never sent, or with an outcome that nobody knows.

    Of an order whose outcome is unknown ask by its id, and never send it again.
    """

    state: str = "unknown"
    """``rejected``, ``denied`` or ``unknown``."""
    client_order_id: str | None = None
    """The id to ask by."""
