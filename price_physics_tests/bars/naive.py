"""Slow, obvious references for bars."""

import math


def amount(unit, price, qty):
    return {"tick": 1.0, "volume": qty, "dollar": price * qty}[unit]


def threshold_ends(ticks, unit, threshold):
    ends, total = [], 0.0
    for i, (_, price, qty, _) in enumerate(ticks):
        total += amount(unit, price, qty)
        if total >= threshold:
            ends.append(i)
            total = 0.0
    return ends


def time_ends(ticks, first_ns, interval_ns):
    """The last tick of every interval that has any."""
    interval = [(tick[0] - first_ns) // interval_ns for tick in ticks]
    return [i for i in range(len(ticks)) if i + 1 == len(ticks) or interval[i + 1] > interval[i]]


def imbalance_ends(ticks, unit, config, scale):
    weight = 2 / (config.span_bars + 1)
    size = config.expected_size
    buys = config.expected_buy_fraction
    of_bar = {"ticks": scale, "theta": scale * (size * (buys - (1 - buys)))}
    of_bar["squares"] = scale * (size * size)
    ends, bar = [], {"ticks": 0, "theta": 0.0, "squares": 0.0}
    for i, (_, price, qty, sign) in enumerate(ticks):
        v = amount(unit, price, qty)
        bar["ticks"] += 1
        bar["theta"] += sign * v
        bar["squares"] += v * v
        balanced = math.sqrt(scale * of_bar["squares"] / of_bar["ticks"])
        reached = abs(bar["theta"]) >= max(abs(of_bar["theta"]), balanced)
        if (reached and bar["ticks"] >= config.min_ticks) or bar["ticks"] >= config.max_ticks:
            ends.append(i)
            of_bar = {key: old + weight * (bar[key] - old) for key, old in of_bar.items()}
            bar = {"ticks": 0, "theta": 0.0, "squares": 0.0}
    return ends


def run_ends(ticks, unit, config, scale):
    weight = 2 / (config.span_bars + 1)
    size = config.expected_size
    buys = config.expected_buy_fraction
    of_bar = {"ticks": scale, "bought": scale * (size * buys), "sold": scale * (size * (1 - buys))}
    of_bar["both"] = scale * size
    ends, bar = [], {"ticks": 0, "bought": 0.0, "sold": 0.0, "both": 0.0}
    for i, (_, price, qty, sign) in enumerate(ticks):
        v = amount(unit, price, qty)
        bar["ticks"] += 1
        bar["bought" if sign > 0 else "sold"] += v
        bar["both"] += v
        balanced = scale * of_bar["both"] / of_bar["ticks"] / 2
        expected = max(of_bar["bought"], of_bar["sold"], balanced)
        reached = max(bar["bought"], bar["sold"]) >= expected
        if (reached and bar["ticks"] >= config.min_ticks) or bar["ticks"] >= config.max_ticks:
            ends.append(i)
            of_bar = {key: old + weight * (bar[key] - old) for key, old in of_bar.items()}
            bar = {"ticks": 0, "bought": 0.0, "sold": 0.0, "both": 0.0}
    return ends


def bar_ends(ticks, config, scale, first_ns):
    """Position of the last tick of every bar; the last bar may be open."""
    unit, _, family = config.kind.partition("_")
    if unit == "time":
        return time_ends(ticks, first_ns, round(config.interval_minutes * 60e9))
    if family == "imbalance":
        return imbalance_ends(ticks, unit, config, scale)
    if family == "run":
        return run_ends(ticks, unit, config, scale)
    return threshold_ends(ticks, unit, scale)


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


def month_of_bars(ticks, config, scale, month):
    """Every column of BARS."""
    ends = bar_ends(ticks, config, scale, month.start_ns)
    is_open = bool(ticks) and ends[-1:] != [len(ticks) - 1]
    found = bars(ticks, [*ends, len(ticks) - 1] if is_open else ends)
    for i, bar in enumerate(found):
        bar["partial"] = is_open and i == len(found) - 1
        if config.kind == "time":
            interval_ns = round(config.interval_minutes * 60e9)
            interval = (bar["close_time_ns"] - month.start_ns) // interval_ns
            end_ns = month.start_ns + (interval + 1) * interval_ns - 1
            bar["close_time_ns"] = min(end_ns, month.end_ns)
            bar["partial"] = end_ns > month.end_ns
        bar["known_at"] = month.end_ns if bar["partial"] else bar["close_time_ns"]
    return found
