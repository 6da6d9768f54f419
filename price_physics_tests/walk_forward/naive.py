"""Slow, obvious references: one tick after the other, cash and units instead of formulae."""

from typing import Any

import numpy as np


def signal(
    row: Any, time_ns: list[int], price: list[float], latency_ns: int, stop_ns: int
) -> dict[str, Any]:
    """Walk one signal over the ticks; `stop_ns` is the last moment known."""
    is_long = row.side > 0
    out: dict[str, Any] = {"state": "pending", "entry": None, "exit": None, "price": None}
    stopped_at = None
    instants_that_touch = {
        t for t, p in zip(time_ns, price, strict=True) if p >= row.upper or p <= row.lower
    }
    for i, (t, p) in enumerate(zip(time_ns, price, strict=True)):
        if t <= row.event_time_ns:
            continue
        touches = t <= row.horizon_end_ns and (p >= row.upper or p <= row.lower)
        if out["state"] == "pending":
            if t > row.horizon_end_ns:
                return out | {"state": "cancelled", "time": row.horizon_end_ns}
            if t < row.event_time_ns + latency_ns:
                if touches:
                    return out | {"state": "cancelled", "time": t}
                continue
            out |= {"state": "live", "entry": i}
        if stopped_at is None and touches:
            if (p >= row.upper) == is_long:
                level = row.upper if is_long else row.lower
                return out | {"state": "take_profit", "exit": i, "price": level, "time": t}
            stopped_at = t
            if latency_ns == 0:
                return out | {"state": "stop_loss", "exit": i, "price": p, "time": t}
            continue
        if stopped_at is not None:
            if t >= stopped_at + latency_ns:
                return out | {"state": "stop_loss", "exit": i, "price": p, "time": t}
        elif t >= row.horizon_end_ns + latency_ns:
            if t == row.horizon_end_ns and t in instants_that_touch:
                continue  # a touch at exactly the horizon's end counts: wait for it
            return out | {"state": "time_out", "exit": i, "price": p, "time": t}
    if out["state"] == "pending" and row.horizon_end_ns <= stop_ns:
        return out | {"state": "cancelled", "time": row.horizon_end_ns}
    return out


class Account:
    """Cash and units; a clipped book of weights on top of it."""

    def __init__(self, cost_a_side: float, carried: dict[int, float], price: float):
        self.cost_a_side, self.live, self.last = cost_a_side, dict(carried), price
        self.equity, self.costs, self.turnover = 1.0, 0.0, 0.0
        self.book = self._clipped()
        self.units = self.book * self.equity / price if price else 0.0

    def _clipped(self) -> float:
        return float(np.clip(sum(self.live.values()), -1, 1)) if self.live else 0.0

    def see(self, price: float) -> None:
        self.equity += self.units * (price - self.last)
        self.last = price

    def trade(self, market: float, fill: float) -> None:
        """Move the book to where the live positions want it, at `fill`."""
        before, self.book = self.book, self._clipped()
        change = self.book - before
        if change == 0:
            return
        bought = change * self.equity / market  # units bought at the fill, worth the market
        paid = self.cost_a_side * self.equity * abs(change)
        self.equity += bought * (market - fill) - paid
        self.costs += paid
        self.turnover += abs(change)
        self.units = self.book * self.equity / market


def month_equity(
    walked: list[dict[str, Any]],
    weight: list[float],
    price: list[float],
    first: int,
    cost_a_side: float,
) -> tuple[list[float], Account]:
    """Equity after every tick of the month (from `first` on; the last is the month's end)."""
    carried = {
        s: weight[s]
        for s, w in enumerate(walked)
        if w["entry"] is not None
        and w["entry"] < first
        and (w["exit"] is None or w["exit"] >= first)
    }
    account = Account(cost_a_side, carried, price[first - 1] if first else price[0])
    equities = []
    for i in range(first, len(price)):
        account.see(price[i])
        leaving = [s for s, w in enumerate(walked) if w["exit"] == i]
        # a take-profit, and a stop that is held to its level, trade alone
        apart = [
            s
            for s in leaving
            if walked[s]["state"] == "take_profit" or walked[s]["price"] != price[i]
        ]
        entering = [s for s, w in enumerate(walked) if w["entry"] == i]
        at_once = [s for s in leaving if s in entering]
        for s in leaving:
            if s not in at_once and s in apart:
                del account.live[s]
                account.trade(price[i], walked[s]["price"])
        for s in leaving:
            if s not in at_once and s not in apart:
                del account.live[s]
        account.live |= {s: weight[s] for s in entering}
        account.trade(price[i], price[i])
        for s in at_once:
            del account.live[s]
            account.trade(price[i], walked[s]["price"])
        equities.append(account.equity)
    return equities, account


def toss(sums: dict[int, float], squares: float, others: Any = ()) -> tuple[float, float]:
    """p and t of a trial among others: every block's coins, one after the other."""

    def luck(trial: dict[int, float]) -> Any:
        coins = {
            k: np.random.default_rng([0, k]).integers(0, 2, 20_000) * 2 - 1 for k in sorted(trial)
        }
        root = sum(s * s for s in trial.values()) ** 0.5
        return sum(coins[k] * trial[k] for k in sorted(trial)) / root

    root = sum(s * s for s in sums.values()) ** 0.5
    t = min(1.0, root / squares**0.5) * sum(sums.values()) / root
    best = np.max([luck(sums), *map(luck, others)], axis=0)
    return (1 + int((best >= t - 1e-12).sum())) / 20_001, t
