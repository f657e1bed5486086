"""Brokers that tell the truth or say that they do not know: a paper account, Interactive Brokers, Binance.

What became of a request is an :class:`Outcome`: the venue **confirmed** it, the venue **rejected** it, it was **denied**
before anything was sent, or it is **unknown**; then ask for the order by its id, and never send it again. A question that
failed raises; an empty frame means that the venue said so. Answers are frames with exact decimals, the same for all
venues.

Nothing here has met a real venue yet; the tests run against servers on loopback that speak the venues' dialects.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nanobook._lib import broker as _broker
from nanobook._lib.frame import Frame
from nanobook.errors import InputError, OrderError

if TYPE_CHECKING:
    from nanobook.backtests import CostModel
    from nanobook.typing import FrameLike

__all__ = ["BinanceBroker", "Broker", "Capabilities", "IbkrBroker", "Margin", "Outcome", "PaperBroker", "Session"]

Number: TypeAlias = "int | float | str | Decimal"
"""A price or quantity: exact as text or ``Decimal``; a float is the shortest number that reads as it."""

Side: TypeAlias = Literal["buy", "sell"]
TimeInForce: TypeAlias = Literal["day", "gtc", "ioc", "fok"]


@dataclass(frozen=True)
class Session:
    """Whom a connection reached."""

    account_id: str
    """The account."""
    is_paper: bool
    """Whether its money is play money."""
    clock_offset_ns: int
    """The venue's clock less ours, in nanoseconds."""


@dataclass(frozen=True)
class Capabilities:
    """What a venue can do; what it can't is denied before anything is sent."""

    venue: str
    """``paper``, ``ibkr`` or ``binance``."""
    fractional: bool
    """Whether quantities may have fractions, as far as lots allow."""
    short: bool
    """Whether positions may be below zero."""
    market_orders: bool
    """Whether market orders are taken."""
    tifs: tuple[str, ...]
    """How long orders may live."""
    unique_ids: bool
    """Whether a second open order with the same id is refused. Where it is not, only this process keeps them apart."""
    fee_in_asset: bool
    """Whether fees are taken from what was bought."""
    hours: bool
    """Whether the venue has hours, so that an instrument can be closed."""
    margin: bool
    """Whether the venue works out what an order would do to margin."""
    visibility_lag_ns: int
    """How long after it was accepted an order may be missing from answers."""


@dataclass(frozen=True)
class Margin:
    """What an order would do to an account's margin. What the venue does not say is None."""

    currency: str | None
    initial_before: Decimal | None
    """Margin that is needed to take positions on, before the order."""
    initial_after: Decimal | None
    maintenance_before: Decimal | None
    """Margin that is needed to keep positions, before the order."""
    maintenance_after: Decimal | None
    equity_before: Decimal | None
    """Equity that counts for margin, before the order."""
    equity_after: Decimal | None
    fee: Decimal | None
    """What the order costs; None while only its bounds are known."""
    min_fee: Decimal | None
    max_fee: Decimal | None
    fee_currency: str | None
    warning: str | None


@dataclass(frozen=True)
class Outcome:
    """What became of a request that changes something. Only positive evidence makes it anything but unknown."""

    state: Literal["confirmed", "rejected", "denied", "unknown"]
    """Confirmed: the venue has it. Rejected: the venue refused it. Denied: it was never sent. Unknown: ask by its id."""
    client_order_id: str
    """Our id, by which to ask."""
    symbol: str
    """The instrument."""
    order: Frame | None
    """The order as it stands, one row; None unless confirmed."""
    code: int | None
    """The venue's code of a refusal."""
    text: str
    """How the order stands, or why it is not confirmed."""

    @property
    def confirmed(self) -> bool:
        """Whether the venue has it."""
        return self.state == "confirmed"

    def confirmed_order(self) -> Frame:
        """The order as it stands.

        Raises
        ------
        OrderError
            When it is not confirmed; ``state`` says which of the three it is.
        """
        if self.order is not None:
            return self.order
        words = self.text if self.code is None else f"{self.text} ({self.code})"
        error = OrderError(f"{self.symbol}, {self.client_order_id}: {self.state}: {words}")
        error.state, error.client_order_id, error.symbol = self.state, self.client_order_id, self.symbol
        raise error


def _text(name: str, value: Number) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise InputError(f"{name} {value!r} is no number")
    if isinstance(value, float):
        value = Decimal(repr(value))
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _names(symbols: str | Sequence[str]) -> list[str]:
    return [symbols] if isinstance(symbols, str) else list(symbols)


def _cents(value: int) -> str:
    return str(Decimal(value).scaleb(-2))


def _first(frame: Frame, column: str) -> Any:
    return frame[column].to_list()[0]


class Broker:
    """What every broker here can do. Calls wait for the venue without the GIL; Ctrl-C ends a question, not an order."""

    __slots__ = ("_handle", "_known", "_sent")

    def __init__(self, handle: _broker.Handle) -> None:
        self._handle = handle
        self._known: set[str] = set()
        self._sent: dict[str, str] = {}

    def connect(self) -> Session:
        """Connects, or connects anew, and checks that account and mode are those that were meant.

        Raises
        ------
        ConnectionLostError, NoAnswerError
            When the venue can't be reached.
        VenueError
            When it refuses us, or is not the account that was meant.
        """
        return Session(*self._handle.connect())

    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        return Capabilities(**self._handle.capabilities())

    def clock(self) -> int:
        """The venue's time, nanoseconds since 1970 UTC. The cheapest question there is: whether anybody is there."""
        return self._handle.clock()

    def account(self) -> Frame:
        """What the account is worth, one row: ``ts_event, account_id, currency, equity, cash, buying_power, is_paper``."""
        return self._handle.account()

    def positions(self) -> Frame:
        """All positions that are not zero: ``account_id, symbol, position_qty, available_qty, avg_px, market_px``."""
        return self._handle.positions()

    def instruments(self, symbols: str | Sequence[str]) -> Frame:
        """The venue's rules (``symbol, currency, base, tick, lot, min_qty, …, status``); what it does not know is left out."""
        names = _names(symbols)
        found = self._handle.instruments(names)
        self._known.update(names)
        return found

    def quotes(self, symbols: str | Sequence[str]) -> Frame:
        """Quotes: ``ts_event, symbol, bid_px, bid_qty, ask_px, ask_qty, last_px, data_type``. A side that is missing is null,
        and what has no quote is left out."""
        return self._handle.quotes(_names(symbols))

    def submit(
        self,
        symbol: str,
        side: Side,
        qty: Number,
        *,
        price: Number | None = None,
        tif: TimeInForce = "day",
        client_order_id: str | None = None,
    ) -> Outcome:
        """Sends an order, once.

        Parameters
        ----------
        price
            The worst price; a market order without.
        tif
            Binance has no ``"day"``.
        client_order_id
            Ours: 1 to 36 letters, digits, ``-`` and ``_``; a random one unless given. Fix it before sending where a
            second process may send again.

        Returns
        -------
        Outcome
            Its ``state`` says what became of it. Nothing that a venue says of the order is raised.

        Raises
        ------
        ConnectionLostError, NoAnswerError, VenueError
            When the rules of an instrument that was not asked for before can't be had; nothing was sent then.
        """
        id_ = client_order_id or f"nb-{uuid.uuid4().hex}"
        order = self._order(symbol, side, qty, price, tif, id_)
        self._learn(symbol)
        return self._outcome(self._handle.submit(order), id_, symbol)

    def margin(
        self,
        symbol: str,
        side: Side,
        qty: Number,
        *,
        price: Number | None = None,
        tif: TimeInForce = "day",
    ) -> Margin:
        """What an order would do to margin, without placing it.

        Raises
        ------
        UnsupportedError
            When the venue does not work it out (``capabilities().margin``).
        """
        found = self._handle.margin(self._order(symbol, side, qty, price, tif, f"nb-{uuid.uuid4().hex}"))
        words = {"currency", "fee_currency", "warning"}
        values: dict[str, Any] = {
            name: value if name in words or value is None else Decimal(value) for name, value in found.items()
        }
        return Margin(**values)

    def cancel(self, client_order_id: str, symbol: str) -> Outcome:
        """Asks for an order to be cancelled. Confirmed says how it stands then: it may have filled before."""
        return self._outcome(self._handle.cancel(client_order_id, symbol), client_order_id, symbol)

    def order(self, client_order_id: str, symbol: str) -> Frame:
        """The orders with an id, newest last. None *now*: the venue may learn of one within its visibility lag."""
        return self._handle.order(client_order_id, symbol)

    def open_orders(self) -> Frame:
        """All orders that can still trade, ours and others'."""
        return self._handle.open_orders()

    def fills_since(self, symbols: str | Sequence[str], since: int = 0) -> Frame:
        """Executions since a time (nanoseconds since 1970 UTC), oldest first, each once, corrected."""
        return self._handle.fills_since(_names(symbols), since)

    # The classic calls.

    def submit_order(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        order_type: Literal["limit", "market"] = "market",
        limit_price_cents: int | None = None,
        client_order_id: str | None = None,
    ) -> str:
        """The classic call: sends an order and gives its id, by which :meth:`order_status` and :meth:`cancel_order` ask.

        Raises
        ------
        OrderError
            When it is not confirmed; its ``state`` says whether it was rejected, denied, or nobody knows.
        """
        if (order_type == "limit") != (limit_price_cents is not None):
            raise InputError(f"order_type {order_type!r} with limit_price_cents {limit_price_cents}: limit orders have one")
        price = None if limit_price_cents is None else _cents(limit_price_cents)
        tif: TimeInForce = "gtc" if self.capabilities().venue == "binance" else "day"
        outcome = self.submit(symbol, side, quantity, price=price, tif=tif, client_order_id=client_order_id)
        outcome.confirmed_order()
        return outcome.client_order_id

    def _symbol_of(self, order_id: str) -> str:
        if order_id not in self._sent:
            raise InputError(f"{order_id} was not sent by this broker; ask with its symbol")
        return self._sent[order_id]

    def order_status(self, order_id: str) -> dict[str, Any]:
        """The classic call: ``status``, ``filled_quantity``, ``remaining_quantity`` and ``avg_fill_price_cents`` of an order
        that this object sent."""
        found = self.order(order_id, self._symbol_of(order_id))
        if len(found) == 0:
            return {"status": "unknown", "filled_quantity": None, "remaining_quantity": None, "avg_fill_price_cents": None}
        row = {name: values[-1] for name, values in found.to_dict().items()}
        average = row["avg_px"]
        return {
            "status": row["status"],
            "filled_quantity": row["filled_qty"],
            "remaining_quantity": row["leaves_qty"],
            "avg_fill_price_cents": None if average is None else float(average) * 100,
        }

    def cancel_order(self, order_id: str) -> None:
        """The classic call: cancels an order that this object sent.

        Raises
        ------
        OrderError
            When that is not confirmed.
        """
        self.cancel(order_id, self._symbol_of(order_id)).confirmed_order()

    def quote(self, symbol: str) -> dict[str, int | None]:
        """The classic call: ``bid_cents``, ``ask_cents`` and ``last_cents`` of an instrument.

        Raises
        ------
        MissingError
            When the venue has no quote of it.
        """
        found = self.quotes(symbol)
        if len(found) == 0:
            from nanobook.errors import MissingError

            raise MissingError(f"there is no quote of {symbol}")
        sides = {name: _first(found, f"{name}_px") for name in ("bid", "ask", "last")}
        return {f"{name}_cents": None if px is None else round(Decimal(str(px)) * 100) for name, px in sides.items()}

    def _learn(self, symbol: str) -> None:
        """Asks for an instrument's rules before its first order: without them an order is denied."""
        if symbol not in self._known:
            self.instruments(symbol)

    def _order(
        self, symbol: str, side: str, qty: Number, price: Number | None, tif: str, id_: str
    ) -> tuple[str, str, str, str | None, str, str]:
        limit = None if price is None else _text("price", price)
        return (symbol, side, _text("qty", qty), limit, tif, id_)

    def _outcome(self, answer: Any, id_: str, symbol: str) -> Outcome:
        state, order, code, text = answer
        if state in ("confirmed", "unknown"):
            self._sent[id_] = symbol
        return Outcome(state, id_, symbol, order, code, text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PaperBroker(Broker):
    """A paper account on the matching engine.

    Orders fill against quotes: of a frame, of a replayed day (its table ``bbo``), or of another broker. With ``path`` it
    lives in a file, and goes on where it was left.

    Parameters
    ----------
    cash
        What a new account starts with.
    quotes
        A frame with ``ts_event, symbol, bid_px, bid_qty, ask_px, ask_qty``, or a broker that is asked for them.
    path
        The account's file; without, it ends with the process.
    cost
        Commissions come out of cash; slippage and half-spread move the market's prices away from ours.
    latency_ns
        How long an order or a cancel takes to the market.
    depth
        The part of a quoted quantity that can be had.
    short, leverage
        Whether positions may be below zero, and what can be spent as a multiple of equity.
    sessions
        Times (nanoseconds) from which to which the market is open; always unless given.
    tick, lot, instruments
        Rules of all instruments, or a frame with rules of each; ``tick=None`` refuses what is not in that frame.
    start
        The first time (nanoseconds) of a clock that :meth:`advance` moves; the computer's clock unless given.

    Examples
    --------
    >>> import nanobook as nb
    >>> quotes = nb.Frame.from_dict(
    ...     {"ts_event": [1], "symbol": ["AAPL"], "bid_px": [199.99], "bid_qty": [300], "ask_px": [200.0], "ask_qty": [60]},
    ...     times=["ts_event"],
    ... )
    >>> broker = nb.PaperBroker(100_000, quotes=quotes, start=1)
    >>> broker.connect().account_id
    'PAPER'
    >>> outcome = broker.submit("AAPL", "buy", 100, price=200)
    >>> outcome.state, outcome.text  # sixty were on offer
    ('confirmed', 'partially_filled')
    >>> broker.positions().to_dict()["symbol"]
    ['AAPL']
    """

    __slots__ = ()

    def __init__(
        self,
        cash: Number = 1_000_000,
        *,
        account_id: str = "PAPER",
        currency: str = "USD",
        quotes: FrameLike | Broker | None = None,
        path: str | os.PathLike[str] | None = None,
        cost: CostModel | None = None,
        latency_ns: int = 0,
        depth: float = 1.0,
        short: bool = False,
        leverage: float = 1.0,
        sessions: Sequence[tuple[int, int]] | None = None,
        tick: Number | None = "0.01",
        lot: Number = 1,
        instruments: FrameLike | None = None,
        start: int | None = None,
    ) -> None:
        names = ["commission_bps", "commission_per_share", "commission_min", "slippage_bps", "half_spread_bps"]
        settings = {
            "cash": _text("cash", cash),
            "account_id": account_id,
            "currency": currency,
            "costs": [0.0 if cost is None else getattr(cost, name) for name in names],
            "latency_ns": latency_ns,
            "depth": depth,
            "short": short,
            "leverage": leverage,
            "sessions": None if sessions is None else [tuple(session) for session in sessions],
            "tick": None if tick is None else _text("tick", tick),
            "lot": _text("lot", lot),
            "start": start,
            "path": None if path is None else os.fspath(path),
        }
        other = quotes._handle if isinstance(quotes, Broker) else None
        table = None if isinstance(quotes, Broker) else quotes
        super().__init__(_broker.paper(settings, quotes=table, broker=other, instruments=instruments))

    def advance(self, to: int) -> None:
        """Lets the time run up to ``to`` (nanoseconds): quotes come, orders arrive and trade."""
        self._handle.advance(to)


class IbkrBroker(Broker):
    """Interactive Brokers through TWS or IB Gateway on this machine, server version 213 and up.

    Parameters
    ----------
    host, port
        The gateway, on this machine: port 4002 is IB Gateway for paper accounts, 4001 for live ones, 7497 and 7496 are those
        of TWS. Its port is not encrypted, so a gateway elsewhere is reached through a tunnel.
    client_id
        Our number among the gateway's clients; orders belong to the number that placed them.
    account_id
        The account; the only one behind the login unless given.
    paper
        Whether it must be a paper account. Live must be asked for.
    fractional, short
        Whether the account may hold fractions of a share, or less than nothing.
    hours
        In which hours orders are sent: ``"regular"``, ``"extended"`` (limit orders), or ``"any"``, when the gateway holds
        them until they may trade. At other times they are denied.
    timeout_ms
        How long to wait for an answer.
    messages_per_second
        The venue cuts connections beyond 50.

    Examples
    --------
    >>> import nanobook as nb
    >>> broker = nb.IbkrBroker("127.0.0.1", 4002, client_id=1)
    >>> broker.capabilities().margin
    True
    >>> broker.positions()
    Traceback (most recent call last):
    ...
    nanobook.errors.ConnectionLostError: not connected to ibkr
    """

    __slots__ = ()

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 4002,
        client_id: int = 17,
        *,
        account_id: str | None = None,
        paper: bool = True,
        currency: str = "USD",
        fractional: bool = False,
        short: bool = False,
        hours: Literal["regular", "extended", "any"] = "regular",
        timeout_ms: int = 10_000,
        messages_per_second: int = 45,
    ) -> None:
        settings = {
            "address": f"{host}:{port}",
            "client_id": client_id,
            "account_id": account_id or "",
            "paper": paper,
            "currency": currency,
            "fractional": fractional,
            "short": short,
            "hours": hours,
            "timeout_ms": timeout_ms,
            "messages_per_second": messages_per_second,
        }
        super().__init__(_broker.ibkr(settings))


class BinanceBroker(Broker):
    """Binance spot, on the test network unless live is asked for.

    Parameters
    ----------
    api_key, api_secret
        The key, and the shared secret or the PEM of an Ed25519 key. Better leave them out: then they come from the
        environment (``BINANCE_API_KEY``, ``BINANCE_API_SECRET``) or from files that only their owner can read, and are in
        no string of Python's, which can't be wiped.
    key_file, secret_file
        Those files.
    testnet
        False for the live venue.
    base_url
        Another server that is not the live one: ``https``, or anything on this machine.
    account_id
        The account (``uid``), when it must be a certain one.
    cash_asset, assets
        The asset that counts as cash, and those that are looked at besides; all unless given.
    own_filters
        Whether the account's own filters are asked for before its first order of an instrument.

    Examples
    --------
    >>> import nanobook as nb
    >>> broker = nb.BinanceBroker("key", "secret", base_url="http://127.0.0.1:1")
    >>> broker.capabilities().tifs
    ('gtc', 'ioc', 'fok')
    """

    __slots__ = ()

    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        *,
        key_file: str | os.PathLike[str] | None = None,
        secret_file: str | os.PathLike[str] | None = None,
        testnet: bool = True,
        base_url: str | None = None,
        account_id: str | None = None,
        cash_asset: str = "USDT",
        assets: Sequence[str] | None = None,
        own_filters: bool = True,
        recv_window_ms: int = 5_000,
        timeout_ms: int = 10_000,
    ) -> None:
        settings: Mapping[str, Any] = {
            "key": api_key,
            "key_file": None if key_file is None else os.fspath(key_file),
            "secret": api_secret,
            "secret_file": None if secret_file is None else os.fspath(secret_file),
            "testnet": testnet,
            "base_url": base_url,
            "account_id": account_id,
            "cash_asset": cash_asset,
            "assets": None if assets is None else list(assets),
            "own_filters": own_filters,
            "recv_window_ms": recv_window_ms,
            "timeout_ms": timeout_ms,
        }
        super().__init__(_broker.binance(dict(settings)))
