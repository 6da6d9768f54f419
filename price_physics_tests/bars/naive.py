"""Slow, obvious references for bars."""


def dollar_bars(price, qty, threshold):
    ends, notional = [], 0.0
    for tick, (p, q) in enumerate(zip(price, qty, strict=True)):
        notional += p * q
        if notional >= threshold:
            ends.append(tick)
            notional = 0.0
    return ends


def bars(ticks, ends):
    """Ticks are (time_ns, price, qty, sign); one dict a bar."""
    start, result = 0, []
    for end in ends:
        inside = ticks[start : end + 1]
        price = [p for _, p, _, _ in inside]
        volume = notional = bought = 0.0
        for _, p, q, sign in inside:
            volume += q
            notional += p * q
            bought += q if sign > 0 else 0.0
        result.append(
            {
                "open_time_ns": inside[0][0],
                "close_time_ns": inside[-1][0],
                "open": price[0],
                "high": max(price),
                "low": min(price),
                "close": price[-1],
                "volume": volume,
                "notional": notional,
                "buy_volume": bought,
                "vwap": min(max(notional / volume, min(price)), max(price)),
                "n_ticks": len(inside),
            }
        )
        start = end + 1
    return result
