"""The backtest once more, as plain as can be: one loop over rows, one over symbols, written from the design alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

DUST = 1e-12


@dataclass
class Case:
    """Prices are rows by symbols, NaN where missing; ``weights`` maps rows of prices to vectors, NaN to keep.

    Lots and stops are numbers for all symbols, or lists with one for each.
    """

    close: np.ndarray
    weights: dict[int, np.ndarray]
    open: np.ndarray | None = None
    high: np.ndarray | None = None
    low: np.ndarray | None = None
    vwap: np.ndarray | None = None
    volume: np.ndarray | None = None
    cash: float = 1e6
    fill: str = "close"
    lag: int = 0
    sizing: str = "pre_cost"
    overdraft: str = "scale"
    lot: float | list[float] = 0.0
    band: float = 0.0
    band_to: str = "target"
    min_order_value: float = 0.0
    max_turnover: float | None = None
    max_participation: float | None = None
    commission_bps: float = 0.0
    commission_per_share: float = 0.0
    commission_min: float = 0.0
    slippage_bps: float = 0.0
    half_spread_bps: float = 0.0
    impact_bps: float = 0.0
    borrow_bps: float = 0.0
    cash_bps: float = 0.0
    financing_bps: float | None = None
    periods: float = 252.0
    stop_fixed: float | list[float] = 0.0
    stop_trailing: float | list[float] = 0.0
    stop_atr: float | list[float] = 0.0
    stop_atr_period: int = 14
    stop_watch: str = "close"
    cooldown: int | None = None
    stale_after: int | None = None
    renormalize: bool = False
    actions: list[tuple[int, int, str, float]] = field(default_factory=list)


def whole(shares: float, lot: float) -> float:
    if lot <= 0:
        return shares
    lots = shares / lot
    nearest = float(round(lots))
    return (nearest if abs(lots - nearest) <= 1e-9 * max(1.0, abs(nearest)) else float(math.trunc(lots))) * lot


def of(number: float | list[float], i: int) -> float:
    return number[i] if isinstance(number, list) else number


class Twin:
    def __init__(self, case: Case) -> None:
        self.c = case
        self.rows, self.n = case.close.shape
        self.cash = case.cash
        self.q = [0.0] * self.n
        self.mark = [math.nan] * self.n
        self.missing = [0] * self.n
        self.entry = [math.nan] * self.n
        self.best = [math.nan] * self.n
        self.blocked = [0.0] * self.n
        self.before_close = [math.nan] * self.n
        self.ranges: list[list[float]] = [[] for _ in range(self.n)]
        self.atr = [math.nan] * self.n
        self.last = [max((t for t in range(self.rows) if not math.isnan(case.close[t, i])), default=-1) for i in range(self.n)]
        self.equity: list[float] = []
        self.cash_path: list[float] = []
        self.fills: list[tuple[int, int, float, float, float]] = []
        self.costs: list[float] = []
        self.held: list[list[float]] = []
        self.stops: list[tuple[int, int, str, float, float]] = []

    # Costs.
    def price(self, d: float, p: float, volume: float) -> float:
        c = self.c
        worse = (c.slippage_bps + c.half_spread_bps) / 1e4
        if c.impact_bps > 0:
            worse += c.impact_bps / 1e4 * math.sqrt(abs(d) / volume)
        return max(0.0, p * (1 + worse)) if d > 0 else max(0.0, p * (1 - worse))

    def fee(self, d: float, price: float) -> float:
        c = self.c
        return max(c.commission_min, c.commission_bps / 1e4 * abs(d) * price + c.commission_per_share * abs(d))

    def out(self, d: float, p: float, volume: float) -> float:
        price = self.price(d, p, volume)
        return d * price + self.fee(d, price)

    def book(self, t: int, i: int, d: float, p: float, volume: float) -> float:
        price = self.price(d, p, volume)
        fee = self.fee(d, price)
        before = self.q[i]
        self.cash -= d * price + fee
        self.q[i] = before + d
        self.turn(i, before, p)
        self.fills.append((t, i, d, price, fee))
        self.cost += fee + abs(d) * abs(price - p)
        return price

    def turn(self, i: int, before: float, p: float) -> None:
        """Where a position begins or ends, stops begin anew."""
        after = self.q[i]
        if after == 0:
            self.entry[i] = self.best[i] = math.nan
        elif before == 0 or before * after < 0:
            self.entry[i], self.best[i] = p, math.nan
            self.entered.add(i)

    def run(self) -> Twin:
        c = self.c
        delay = c.lag + (1 if c.fill.startswith("next") else 0)
        due = {}
        for row in sorted(c.weights):
            due[row + delay] = c.weights[row]
        column = {"close": c.close, "next_close": c.close, "next_open": c.open, "vwap": c.vwap}[c.fill]
        for t in range(self.rows):
            self.cost, self.entered = 0.0, set()
            self.act(t)
            self.pay_out(t)
            weights = due.get(t)
            is_order = weights is not None and not np.isnan(weights).all()
            if is_order:
                self.order(t, [float(w) for w in weights], column[t])
            self.watch(t, is_order)
            self.close_row(t)
        return self

    def act(self, t: int) -> None:
        mine = [a for a in self.c.actions if a[0] == t]
        for _, i, kind, value in mine:
            if kind == "dividend":
                self.cash += self.q[i] * value
        for _, i, kind, value in mine:
            if kind == "split":
                self.q[i] *= value
                for numbers in (self.mark, self.entry, self.best, self.before_close, self.atr):
                    numbers[i] /= value
                self.ranges[i] = [r / value for r in self.ranges[i]]

    def pay_out(self, t: int) -> None:
        for i in range(self.n):
            is_missing = math.isnan(self.c.close[t, i])
            self.missing[i] = self.missing[i] + 1 if is_missing else 0
            if not is_missing or self.q[i] == 0 or math.isnan(self.mark[i]):
                continue
            late = self.c.stale_after is not None and self.missing[i] > self.c.stale_after
            if self.last[i] < t or late:
                self.cash += self.q[i] * self.mark[i]
                self.fills.append((t, i, -self.q[i], self.mark[i], 0.0))
                self.q[i] = 0.0
                self.entry[i] = self.best[i] = math.nan

    def order(self, t: int, w: list[float], p: np.ndarray) -> None:
        c = self.c
        for i in range(self.n):
            if t < self.blocked[i] and not math.isnan(w[i]):
                w[i] = 0.0
        if c.renormalize:
            gross = sum(abs(x) for x in w if not math.isnan(x))
            for i in range(self.n):
                if math.isnan(p[i]) and (math.isnan(self.mark[i]) or self.last[i] < t) and not math.isnan(w[i]):
                    w[i] = 0.0
            left = sum(abs(x) for x in w if not math.isnan(x))
            if 0 < left < gross:
                w = [x * gross / left for x in w]
        value = self.cash
        for i in range(self.n):
            if self.q[i] != 0:
                value += self.q[i] * (self.mark[i] if math.isnan(p[i]) else float(p[i]))
        if value <= 0:
            return
        orders = self.size(t, w, p, value, value)
        if c.sizing == "post_cost":
            equity = value
            for _ in range(64):
                left = value - sum(self.out(d, float(p[i]), self.volume(t, i)) - d * float(p[i]) for i, d in orders)
                if left <= 0 or abs(left - equity) <= 1e-15 * value:
                    break
                equity = left
                orders = self.size(t, w, p, value, equity)
        if c.max_turnover is not None:
            traded = sum(abs(d) * float(p[i]) for i, d in orders)
            if traded > c.max_turnover * value:
                orders = self.cut(orders, c.max_turnover * value / traded, p, value, lambda d: True)
        if c.overdraft != "allow":
            orders = self.afford(t, orders, p, value)
        for i, d in orders:
            self.book(t, i, d, float(p[i]), self.volume(t, i))
            if math.isnan(self.mark[i]):
                self.mark[i] = float(p[i])

    def volume(self, t: int, i: int) -> float:
        return math.nan if self.c.volume is None else float(self.c.volume[t, i])

    def size(self, t: int, w: list[float], p: np.ndarray, value: float, equity: float) -> list[tuple[int, float]]:
        c, orders = self.c, []
        for i in range(self.n):
            price = float(p[i])
            if math.isnan(w[i]) or math.isnan(price):
                continue
            aim = w[i]
            if c.band > 0 and w[i] != 0:
                off = self.q[i] * price / value - w[i]
                if abs(off) < c.band:
                    continue
                if c.band_to == "edge":
                    aim += math.copysign(c.band, off)
            d = whole(aim * equity / price, of(c.lot, i)) - self.q[i]
            if abs(d) * price <= DUST * value:
                continue
            if abs(d) * price < c.min_order_value and w[i] != 0:
                continue
            if c.max_participation is not None or c.impact_bps > 0:
                volume = self.volume(t, i)
                if math.isnan(volume) or volume <= 0:
                    continue
                if c.max_participation is not None and abs(d) > c.max_participation * volume:
                    d = math.copysign(whole(c.max_participation * volume, of(c.lot, i)), d)
            if d != 0:
                orders.append((i, d))
        return orders

    def cut(self, orders, part, p, value, which):
        kept = []
        for i, d in orders:
            if which(d):
                d = whole(part * d, of(self.c.lot, i))
                if abs(d) * float(p[i]) <= DUST * value:
                    continue
            kept.append((i, d))
        return kept

    def afford(self, t, orders, p, value):
        out = lambda i, d: self.out(d, float(p[i]), self.volume(t, i))
        have = self.cash - sum(out(i, d) for i, d in orders if d < 0)
        buys = [(i, d) for i, d in orders if d > 0]
        need = sum(out(i, d) for i, d in buys)
        if need <= 0 or have - need >= -1e-12 * value:
            return orders
        if self.c.overdraft == "reject":
            return []
        low, high = 0.0, 1.0
        if have <= 0:
            high = 0.0
        for _ in range(100):
            middle = (low + high) / 2
            if sum(out(i, middle * d) for i, d in buys) <= have:
                low = middle
            else:
                high = middle
        return self.cut(orders, low, p, value, lambda d: d > 0)

    # Stops.
    def bar(self, t: int, i: int) -> tuple[float, float, float, float]:
        c = self.c
        get = lambda a: math.nan if a is None else float(a[t, i])
        return get(c.open), get(c.high), get(c.low), float(c.close[t, i])

    def see(self, i: int, bar) -> None:
        _, high, low, close = bar
        before, self.before_close[i] = self.before_close[i], close
        if math.isnan(before) or of(self.c.stop_atr, i) == 0:
            return
        k = self.c.stop_atr_period
        change = abs(close - before)
        if self.c.high is None or self.c.low is None:
            self.ranges[i] = (self.ranges[i] + [change])[-k:]
            self.atr[i] = sum(self.ranges[i]) / k if len(self.ranges[i]) == k else math.nan
            return
        spans = [high - low, abs(high - before), abs(low - before)]
        spans = [s for s in spans if not math.isnan(s)] + ([change] if math.isnan(high) or math.isnan(low) else [0.0])
        span = max(spans)
        self.ranges[i].append(span)
        seen = len(self.ranges[i])
        if seen == k:
            self.atr[i] = sum(self.ranges[i]) / k
        elif seen > k:
            self.atr[i] = (self.atr[i] * (k - 1) + span) / k

    def watch(self, t: int, is_order: bool) -> None:
        c = self.c
        if not (c.stop_fixed or c.stop_trailing or c.stop_atr):
            return
        intrabar = c.stop_watch == "intrabar"
        for i in range(self.n):
            bar = self.bar(t, i)
            opened, high, low, close = bar
            if math.isnan(close):
                continue
            if not intrabar:
                self.see(i, bar)
            if self.q[i] != 0:
                long = self.q[i] > 0
                sign = -1 if long else 1
                levels = []
                fixed, trailing, atr = of(c.stop_fixed, i), of(c.stop_trailing, i), of(c.stop_atr, i)
                if fixed:
                    levels.append((self.entry[i] * (1 + sign * fixed), "fixed"))
                if trailing:
                    levels.append((self.best[i] * (1 + sign * trailing), "trailing"))
                if atr:
                    kind = "mean_abs_change" if c.high is None or c.low is None else "atr"
                    levels.append((self.best[i] + sign * atr * self.atr[i], kind))
                levels = [one for one in levels if not math.isnan(one[0])]
                hit = None
                if levels and not is_order:
                    level = max(v for v, _ in levels) if long else min(v for v, _ in levels)
                    kind = [k for v, k in levels if v == level][-1]
                    beyond = lambda x: x <= level if long else x >= level
                    if not intrabar:
                        if beyond(close):
                            hit = close
                    elif beyond(opened):
                        hit = opened
                    elif beyond(low if long else high) or beyond(close):
                        hit = level
                if hit is None:
                    seen = close
                    if intrabar and (i not in self.entered or c.fill == "next_open"):
                        seen = high if long else low
                        seen = close if math.isnan(seen) else seen
                    both = [x for x in (self.best[i], seen) if not math.isnan(x)]
                    self.best[i] = max(both) if long else min(both)
                else:
                    volume = self.volume(t, i)
                    volume = volume if volume > 0 else math.inf
                    price = self.book(t, i, -self.q[i], hit, volume)
                    self.stops.append((t, i, kind, level, price))
                    if c.cooldown is not None:
                        self.blocked[i] = math.inf if c.cooldown < 0 else t + c.cooldown + 1
            if intrabar:
                self.see(i, bar)

    def close_row(self, t: int) -> None:
        c = self.c
        long = short = 0.0
        for i in range(self.n):
            if not math.isnan(c.close[t, i]):
                self.mark[i] = float(c.close[t, i])
            if self.q[i] != 0:
                value = self.q[i] * self.mark[i]
                long, short = (long + value, short) if value > 0 else (long, short - value)
        rate = c.cash_bps if self.cash >= 0 or c.financing_bps is None else c.financing_bps
        borrow = c.borrow_bps / 1e4 * short / c.periods
        self.cash += rate / 1e4 * self.cash / c.periods - borrow
        self.cost += borrow
        self.costs.append(self.cost)
        self.cash_path.append(self.cash)
        self.equity.append(self.cash + long - short)
        self.held.append(list(self.q))
