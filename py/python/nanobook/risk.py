"""Pre-trade risk checks: over frames, whole, and with the classic calls."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nanobook._lib import risk as _risk
from nanobook._lib.frame import Frame
from nanobook._lib.risk import RiskReport
from nanobook.errors import InputError

if TYPE_CHECKING:
    from nanobook.typing import FrameLike

__all__ = ["RiskEngine", "RiskReport"]

_OFF = [
    "price_collar_bps",
    "limit_through_bps",
    "max_quote_age_s",
]
"""Checks with a number that the classic calls have no input for."""

_SWITCHES = ["tick_size", "lot_size", "min_notional", "buying_power", "cash", "live_quotes", "duplicate_order", "self_cross"]


class RiskEngine:
    """Judges orders against limits, with the whole account after them in the worst case; what is not known fails.

    Parameters
    ----------
    max_position_pct
        Largest value of a position, a part of equity.
    max_leverage
        Largest value of all positions, long and short, over equity.
    allow_short, max_short_pct
        Whether positions may be below zero, and their largest value over equity.
    max_order_value_cents, max_batch_value_cents
        Largest value of an order, and of all orders of a call; zero for no limit.
    max_trade_usd
        An order of more is a warning.

    :meth:`check` runs every check over frames. :meth:`from_toml` has all limits; the arguments here are the classic ones.

    Examples
    --------
    >>> import nanobook as nb
    >>> risk = nb.RiskEngine(max_position_pct=0.25, max_leverage=1.5)
    >>> checks = risk.check_order("AAPL", "buy", 100, 185_00, equity_cents=1_000_000_00, positions=[("AAPL", 200)])
    >>> {check["status"] for check in checks}
    {'PASS'}
    """

    __slots__ = ("_hard", "_limits", "_soft")

    def __init__(
        self,
        max_position_pct: float = 0.25,
        max_leverage: float = 1.5,
        *,
        allow_short: bool = True,
        max_short_pct: float = 0.30,
        max_trade_usd: float = 100_000.0,
        max_order_value_cents: int = 10_000_000,
        max_batch_value_cents: int = 100_000_000,
    ) -> None:
        for name, value in [("max_position_pct", max_position_pct), ("max_leverage", max_leverage)]:
            if not value > 0:
                raise InputError(f"{name} {value} is not above zero")
        for name, amount in [
            ("max_short_pct", max_short_pct),
            ("max_trade_usd", max_trade_usd),
            ("max_order_value_cents", max_order_value_cents),
            ("max_batch_value_cents", max_batch_value_cents),
        ]:
            if not amount >= 0:
                raise InputError(f"{name} {amount} is below zero")
        limits: dict[str, Any] = {
            "max_weight": max_position_pct,
            "max_leverage": max_leverage,
            "max_short_exposure": max_short_pct,
            "short": "allow" if allow_short else "refuse",
        }
        if max_order_value_cents:
            limits["max_order_notional"] = max_order_value_cents / 100
        if max_batch_value_cents:
            limits["max_batch_notional"] = max_batch_value_cents / 100
        self._hard = _toml(limits)
        warned = {"limit": max_trade_usd, "severity": "soft"}
        self._limits = _lines(limits if not max_trade_usd or "max_order_notional" in limits else {**limits, "max_order_notional": warned})
        self._soft = _toml({"max_order_notional": max_trade_usd, "max_leverage": None}) if max_trade_usd else None
        _risk.check_limits(self._hard)

    @classmethod
    def from_toml(cls, limits: str | os.PathLike[str]) -> RiskEngine:
        """With all limits, from TOML: a text, or the path of a file. What it does not name is as in the Rust crate.

        A limit is a number, which is hard, or ``{ limit = 0.1, severity = "soft" }``; a check that has no number is
        ``"hard"``, ``"soft"`` or ``"off"``. The keys are those of ``nanobook_risk::Limits``; an unknown one is an error.

        Examples
        --------
        >>> import nanobook as nb
        >>> risk = nb.RiskEngine.from_toml('max_leverage = 1.5\\nrestricted = ["GME"]')
        >>> nb.RiskEngine.from_toml("max_levrage = 1.5")
        Traceback (most recent call last):
        ...
        nanobook.errors.InputError: ...unknown field `max_levrage`...
        """
        text = Path(limits).read_text() if isinstance(limits, os.PathLike) else limits
        _risk.check_limits(text)
        engine = cls.__new__(cls)
        engine._hard, engine._soft, engine._limits = text, None, text
        return engine

    def check(
        self,
        orders: FrameLike,
        *,
        account: FrameLike | Mapping[str, Any] | None = None,
        positions: FrameLike | Sequence[Any] | None = None,
        working: FrameLike | Sequence[Any] | None = None,
        quotes: FrameLike | None = None,
        instruments: FrameLike | None = None,
        volumes: FrameLike | None = None,
        located: FrameLike | None = None,
        plan: FrameLike | None = None,
        targets: FrameLike | None = None,
        targets_as_of: int | None = None,
        proceeds: Literal["ignored", "sold_first"] = "ignored",
        start_equity: float | str | None = None,
        peak_equity: float | str | None = None,
        traded: float | str | None = None,
        kill_switch: bool | None = None,
        halted: bool | None = None,
        reduce_only: bool | None = None,
        market_open: bool | None = None,
        account_id: str | None = None,
        paper: bool | None = None,
        unexplained: int | None = None,
        orders_sent: int | None = None,
        messages_sent: int | None = None,
        runs: int | None = None,
        now: int | None = None,
        run_id: str = "",
    ) -> RiskReport:
        """Runs every check that is on: the whole account after the orders, in the worst case over what may still trade.

        **What is not given is not known, and what needs it fails.** The frames are those that a broker gives; numbers of any
        type become exact decimals, doubles to the nearest 1e-9. An empty list is a frame without rows: there are none.

        Parameters
        ----------
        orders
            ``symbol, side, qty``; ``price`` (null or absent: a market order), ``tif``, ``client_order_id``, ``order_type``,
            ``stop_px``. A side is ``"buy"``, ``"sell"``, +1 or -1.
        account
            One row, or a mapping: ``account_id, currency, cash, is_paper``; ``equity, buying_power``.
        positions
            ``symbol, position_qty``; ``available_qty, avg_px, market_px``.
        working
            Orders that may still trade, in full, ours and others'; the columns of ``orders`` and ``filled_qty, status``.
        quotes
            ``ts_event, symbol, bid_px, ask_px``; ``bid_qty, ask_qty, last_px, data_type``. Of what is traded and what is held.
        instruments
            ``symbol, currency, tick, lot, status``; ``base, min_qty, max_qty, min_price, max_price, min_notional, max_notional``.
        volumes, located
            ``symbol, qty``: average daily volumes, and what may be sold short where that must be located.
        plan
            The orders that were approved, as ``orders``.
        targets, targets_as_of
            ``symbol, weight``, and when they were made (nanoseconds).
        proceeds
            Whether the sells are filled before the buys leave (``"sold_first"``) and pay for them.
        start_equity, peak_equity, traded
            The day so far: equity when it began, the highest equity, value of what was traded.
        kill_switch, halted, reduce_only, market_open
            The state of trading.
        account_id, paper
            The account that is meant, and whether it is paper.
        unexplained
            How many open orders and positions nothing explains.
        orders_sent, messages_sent, runs
            What was done in the window of the rate limits.
        now
            The time, nanoseconds since 1970 UTC; the computer's unless given.

        Returns
        -------
        RiskReport
            ``passed`` says whether the orders may be sent; ``checks`` is the frame ``risk_checks``.

        Raises
        ------
        InputError, MissingError, DtypeError
            When a frame can't be read; the message names row and column.

        Examples
        --------
        >>> import nanobook as nb
        >>> frame = nb.Frame.from_dict
        >>> report = nb.RiskEngine(max_position_pct=0.25).check(
        ...     frame({"symbol": ["AAPL"], "side": ["buy"], "qty": [100], "price": [185.0]}),
        ...     account={"account_id": "DU1", "currency": "USD", "cash": 1e6, "equity": 1e6, "buying_power": 1e6, "is_paper": True},
        ...     positions=frame({"symbol": ["AAPL"], "position_qty": [200]}),
        ...     working=[],
        ...     quotes=frame({"ts_event": [0], "symbol": ["AAPL"], "bid_px": [184.99], "ask_px": [185.01], "data_type": ["live"]}, times=["ts_event"]),
        ...     instruments=frame({"symbol": ["AAPL"], "currency": ["USD"], "tick": ["0.01"], "lot": [1], "status": ["trading"]}),
        ...     kill_switch=False, halted=False, reduce_only=False, market_open=True,
        ...     account_id="DU1", paper=True, unexplained=0, now=0,
        ... )
        >>> report.passed, report.failed
        (True, 0)
        >>> report.checks.columns[2:6]
        ['check_code', 'level', 'subject', 'order_index']
        """
        if isinstance(account, Mapping):
            account = _row(account)
        frames: dict[str, Any] = {
            "account": account,
            "positions": positions,
            "working": working,
            "quotes": quotes,
            "instruments": instruments,
            "volumes": volumes,
            "located": located,
            "plan": plan,
            "targets": targets,
        }
        state: dict[str, Any] = {
            "targets_as_of": targets_as_of,
            "proceeds": proceeds,
            "start_equity": _money(start_equity),
            "peak_equity": _money(peak_equity),
            "traded": _money(traded),
            "kill_switch": kill_switch,
            "halted": halted,
            "reduce_only": reduce_only,
            "market_open": market_open,
            "account_id": account_id,
            "paper": paper,
            "unexplained": unexplained,
            "orders_sent": orders_sent,
            "messages_sent": messages_sent,
            "runs": runs,
        }
        at = time.time_ns() if now is None else now
        return _risk.check(self._limits, orders, frames, state, now=at, run_id=run_id)

    def check_order(
        self,
        symbol: str,
        side: Literal["buy", "sell"],
        quantity: int,
        price_cents: int,
        equity_cents: int,
        positions: Sequence[tuple[str, int]] = (),
        prices: Mapping[str, int] | None = None,
    ) -> list[dict[str, str]]:
        """The checks of one order: ``name``, ``status`` (``PASS``, ``WARN``, ``FAIL``) and ``detail`` of each.

        Positions are symbols with shares. Those of other symbols want a price in ``prices`` (cents): without one, what
        depends on them fails.
        """
        return self.check_batch([(symbol, side, quantity, price_cents)], equity_cents, positions, prices=prices)

    def check_batch(
        self,
        orders: Sequence[tuple[str, str, int, int]],
        equity_cents: int,
        positions: Sequence[tuple[str, int]] = (),
        target_weights: Sequence[tuple[str, float]] = (),
        *,
        prices: Mapping[str, int] | None = None,
    ) -> list[dict[str, str]]:
        """The checks of orders (symbol, side, quantity, cents) together; see :meth:`check_order`.

        ``target_weights`` are judged by the positions that the orders lead to.
        """
        given: Any = [list(orders), equity_cents, list(positions), list((prices or {}).items())]
        rows = _risk.check_orders(self._hard, *given)
        if self._soft is not None:
            found = _risk.check_orders(self._soft, *given)
            rows += [(code, about, "warn", why) for code, about, status, why in found if code == "MAX_ORDER_NOTIONAL" and status == "fail"]
        return [{"name": code, "status": status.upper(), "detail": f"{about}: {why}"} for code, about, status, why in rows]

    def __repr__(self) -> str:
        return f"RiskEngine({self._hard!r})"


def _toml(limits: Mapping[str, Any]) -> str:
    lines = [f'{name} = {{ limit = 0, severity = "off" }}' for name in _OFF]
    lines += [f'{name} = "off"' for name in _SWITCHES]
    return "\n".join(lines) + "\n" + _lines(limits)


def _money(value: float | str | None) -> str | None:
    return None if value is None else format(Decimal(repr(value) if isinstance(value, float) else value), "f")


def _row(values: Mapping[str, Any]) -> Frame:
    """A frame of one row; numbers as text, which is exact, and flags as they are."""
    texts = {name: value if isinstance(value, str) else _money(value) for name, value in values.items() if not isinstance(value, bool)}
    flags = {name: int(value) for name, value in values.items() if isinstance(value, bool)}
    return Frame.from_dict({name: [value] for name, value in {**texts, **flags}.items()})


def _lines(limits: Mapping[str, Any]) -> str:
    lines = []
    for name, value in limits.items():
        if value is None:
            lines.append(f'{name} = {{ limit = 0, severity = "off" }}')
        elif isinstance(value, Mapping):
            lines.append(f'{name} = {{ limit = {value["limit"]}, severity = "{value["severity"]}" }}')
        elif isinstance(value, str):
            lines.append(f'{name} = "{value}"')
        else:
            lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"
