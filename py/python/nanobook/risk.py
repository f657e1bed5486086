"""Pre-trade risk checks, with the classic calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from nanobook._lib import risk as _risk
from nanobook.errors import InputError

__all__ = ["RiskEngine"]

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

    Examples
    --------
    >>> import nanobook as nb
    >>> risk = nb.RiskEngine(max_position_pct=0.25, max_leverage=1.5)
    >>> checks = risk.check_order("AAPL", "buy", 100, 185_00, equity_cents=1_000_000_00, positions=[("AAPL", 200)])
    >>> {check["status"] for check in checks}
    {'PASS'}
    """

    __slots__ = ("_hard", "_soft")

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
        self._soft = _toml({"max_order_notional": max_trade_usd, "max_leverage": None}) if max_trade_usd else None
        _risk.check_limits(self._hard)

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
    for name, value in limits.items():
        if value is None:
            lines.append(f'{name} = {{ limit = 0, severity = "off" }}')
        elif isinstance(value, str):
            lines.append(f'{name} = "{value}"')
        else:
            lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"
