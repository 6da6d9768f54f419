"""The ticks on which peers and we build bars: exact in binary, so that no sum can round."""

import random
from typing import Any

from price_physics.months import Month

MARCH = Month(2024, 3)


def peer_ticks(n: int = 610) -> dict[str, list[Any]]:
    """Return ``time_ns, price, qty, tick_sign`` of a quarter of an hour of trading.

    Prices are quarters and quantities eighths, so that sums are exact in any order. Some ticks
    share a millisecond, some minutes have no tick at all, and buyers and sellers take turns in
    pressing. Only ``random.Random.random`` is used, whose stream Python promises to keep.
    """
    draw = random.Random(11).random  # noqa: S311
    time_ms, level, is_buy = MARCH.start_ns // 10**6 + 12_345, 4000, True
    ticks: dict[str, list[Any]] = {"time_ns": [], "price": [], "qty": [], "tick_sign": []}
    for tick in range(n):
        gap = draw()
        time_ms += 0 if gap < 0.25 else 180_000 if gap > 0.995 else int(4_000 * gap**3)
        level += (draw() < 0.3) - (draw() < 0.3)
        pressed = tick % 200 < 100
        is_buy = is_buy if draw() < 0.4 else draw() < (0.65 if pressed else 0.35)
        ticks["time_ns"].append(time_ms * 10**6)
        ticks["price"].append((level - (tick == 0)) / 4)  # at once: a tick rule needs a change
        ticks["qty"].append((1 + int(80 * draw() ** 4)) / 8)
        ticks["tick_sign"].append(1 if is_buy else -1)
    return ticks
