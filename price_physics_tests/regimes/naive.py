"""Slow, obvious references for the regime features."""

import math

from price_physics_tests.labels import naive


def feature_rows(study, months, bars):
    """One dictionary an event of the last of `months`, by event time."""
    return_ns = round(study.regime_features.return_minutes * 60e9)
    volatility_ns = round(study.regime_features.volatility_minutes * 60e9)
    sequence, events = [], []
    for m in months:
        for time_ns, bar in sorted(naive.events(bars[m], study.events).items()):
            events.append((m, time_ns, len(sequence) + bar))
        for time_ns, close in zip(bars[m]["close_time_ns"], bars[m]["close"], strict=True):
            sequence.append((int(time_ns), float(close)))
    rows = []
    for m, time_ns, bar in events:
        before = [close for t, close in sequence[: bar + 1] if t <= time_ns - return_ns]
        reference = before[-1] if before else sequence[0][1]
        squares = [
            math.log(sequence[i][1] / sequence[i - 1][1]) ** 2
            for i in range(1, bar + 1)
            if sequence[i][0] > time_ns - volatility_ns
        ]
        rows.append(
            {
                "month": m,
                "event_time_ns": time_ns,
                "trailing_return": math.log(sequence[bar][1] / reference),
                "trailing_volatility": math.sqrt(math.fsum(squares)),
            }
        )
    earlier = sorted(row["trailing_volatility"] for row in rows if row["month"] < months[-1])
    last = [row for row in rows if row["month"] == months[-1]]
    for row in last:
        row["regime"] = 1
        if len(earlier) >= 30:
            row["regime"] = sum(
                row["trailing_volatility"] > interpolated(earlier, q) for q in (1 / 3, 2 / 3)
            )
    return last


def interpolated(ordered, q):
    """Quantile with linear interpolation."""
    at = q * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
