"""The path on which mlfinpy and we label: a close a minute, events on some of them."""

import random
from typing import Any

from price_physics.months import Month

MARCH = Month(2024, 3)
MINUTE_NS = 60 * 10**9
SETTINGS = [
    {"multiples": [1, 1], "target": 0.0203, "minutes": 60},
    {"multiples": [2, 2], "target": 0.0203, "minutes": 90},
    {"multiples": [1, 2], "target": 0.0203, "minutes": 60},
    {"multiples": [1, 1], "target": 0.03125, "minutes": 60},
]
"""No price meets the first target exactly; the last is 1/32, met exactly from multiples of 4."""


def peer_path(n: int = 900) -> dict[str, list[Any]]:
    """Return ``time_ns, price, event``: a walk on a grid of 1/8 around 64.

    Every seventh bar is an event, and every bar at a multiple of 4. Only ``random.Random.random``
    is used, whose stream Python promises to keep.
    """
    draw = random.Random(5).random  # noqa: S311
    level, price = 512, []
    for _ in range(n):
        level += int(7 * draw()) - 3
        price.append(level / 8)
    event = [i for i in range(n - 90) if i % 7 == 0 or price[i] % 4 == 0]
    time_ns = [MARCH.start_ns + MINUTE_NS * i for i in range(n)]
    return {"time_ns": time_ns, "price": price, "event": event}
