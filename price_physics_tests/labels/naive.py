"""Slow, obvious references for the labels: the fast code must equal them."""

import math

import numpy as np
from numba import njit

from price_physics.months import Month

_TIMES = ("open_time_ns", "close_time_ns")


def wilder_atr(high, low, close, period):
    ranges = []
    for i in range(len(high)):
        if i == 0:
            ranges.append(high[0] - low[0])
        else:
            ranges.append(
                max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1]))
            )
    atr = []
    for i in range(len(high)):
        if i < period - 1:
            atr.append(math.nan)
        elif i == period - 1:
            atr.append(sum(ranges[:period]) / period)
        else:
            atr.append((atr[-1] * (period - 1) + ranges[i]) / period)
    return atr


def first_touch(time_ns, price, event_tick, upper, lower, horizon_ns):
    labels, touches = [], []
    for e, tick in enumerate(event_tick):
        start, end = time_ns[tick], time_ns[tick] + horizon_ns[e]
        path = [i for i in range(len(time_ns)) if start < time_ns[i] <= end]
        ups = [i for i in path if price[i] >= upper[e]]
        downs = [i for i in path if price[i] <= lower[e]]
        if ups and (not downs or ups[0] < downs[0]):
            labels.append(1)
            touches.append(ups[0])
        elif downs:
            labels.append(-1)
            touches.append(downs[0])
        else:
            labels.append(0)
            touches.append(path[-1] if path else tick)
    return labels, touches


@njit(cache=True)
def first_touch_scan(time_ns, price, event_tick, upper, lower, horizon_ns):
    """The obvious loop with an early exit, compiled: what the pyramid must equal and outrun."""
    label = np.zeros(len(event_tick), dtype=np.int8)
    touch = event_tick.copy()
    for e in range(len(event_tick)):
        event_ns = time_ns[event_tick[e]]
        for i in range(event_tick[e] + 1, len(time_ns)):
            if time_ns[i] > event_ns + horizon_ns[e]:
                break
            if time_ns[i] > event_ns:
                touch[e] = i
                if price[i] >= upper[e] or price[i] <= lower[e]:
                    label[e] = 1 if price[i] >= upper[e] else -1
                    break
    return label, touch


def first_touch_bars(close_time_ns, high, low, event_bar, upper, lower, horizon_ns, both):
    labels, touches, n_undecidable = [], [], 0
    for e, bar in enumerate(event_bar):
        start, end = close_time_ns[bar], close_time_ns[bar] + horizon_ns[e]
        path = [i for i in range(len(close_time_ns)) if start < close_time_ns[i] <= end]
        hits = [i for i in path if high[i] >= upper[e] or low[i] <= lower[e]]
        touches.append((hits or path or [bar])[0 if hits else -1])
        if not hits:
            labels.append(0)
        elif high[hits[0]] >= upper[e] and low[hits[0]] <= lower[e]:
            labels.append(both)
            n_undecidable += 1
        else:
            labels.append(1 if high[hits[0]] >= upper[e] else -1)
    return labels, touches, n_undecidable


def events(bars, config):
    """Event time -> position of its bar, of one month."""
    found = {}
    for i in range(config.offset_bars, len(bars), config.every_n_bars):
        if not bars["partial"].iloc[i]:
            found[int(bars["close_time_ns"].iloc[i])] = i
    # Other bars, no events themselves, may close at the same instant later on.
    for i in range(len(bars)):
        time_ns = int(bars["close_time_ns"].iloc[i])
        if time_ns in found and not bars["partial"].iloc[i]:
            found[time_ns] = max(found[time_ns], i)
    return found


def label_rows(study, world):
    """One dictionary a label of the whole market but its barriers' multiples, by event time."""
    path = [
        (int(t), float(p))
        for m in world.months
        for t, p in zip(world.ticks[m]["time_ns"], world.ticks[m]["price"], strict=True)
    ]
    rows = []
    for m in world.months:
        frames = [world.bars[k] for k in (m - 1, m) if k in world.bars]
        columns = [[float(v) for f in frames for v in f[c]] for c in ("high", "low", "close")]
        atr = wilder_atr(*columns, study.labels.atr_period_bars)
        opened, closed = ([int(t) for f in frames for t in f[c]] for c in _TIMES)
        before = len(atr) - len(world.bars[m])
        for time_ns, bar in sorted(events(world.bars[m], study.events).items()):
            width = atr[before + bar]
            if not width > 1e-12 * float(world.bars[m]["close"].iloc[bar]):
                continue
            end_ns = time_ns + study.labels.longest_horizon_ns
            rows.append(
                {
                    "event_time_ns": time_ns,
                    "event_month": m,
                    "price": float(world.bars[m]["close"].iloc[bar]),
                    "atr": width,
                    "horizon_end_ns": end_ns,
                    "n_bars": bars_of_horizon(study.labels, opened, closed, before + bar),
                    "path": [(t, p) for t, p in path if time_ns < t <= end_ns],
                }
            )
    return rows


def bars_of_horizon(config, open_ns, close_ns, bar):
    """How many bars a horizon holds, if they last what the last 14 did on average."""
    if config.horizon_bars is not None:
        return config.horizon_bars
    first = max(0, bar - 13)
    since = close_ns[first - 1] if first else open_ns[0]
    return config.longest_horizon_ns / ((close_ns[bar] - since) / (bar + 1 - first))


def odds(row, take_profit, stop_loss, side=1):
    """Driftless chances of the upper barrier, none and the lower one, term by term."""
    above, below = (take_profit, stop_loss) if side > 0 else (stop_loss, take_profit)
    sigma = 1 / 1.596
    width, spread = above + below, sigma * math.sqrt(row["n_bars"])

    def first(own, other):
        decay = (math.pi * spread / width) ** 2 / 2
        waves = [math.sin(n * math.pi * own / width) / n for n in range(1, 400)]
        terms = (wave * math.exp(-n * n * decay) for n, wave in enumerate(waves, start=1))
        return other / width - 2 / math.pi * sum(terms)

    up, down = first(above, below), first(below, above)
    return up, 1 - up - down, down


def outcome(row, upper, lower):
    """Label, its end, exit price and the path walked until then."""
    for i, (time_ns, price) in enumerate(row["path"]):
        if price >= upper:
            return 1, time_ns, upper, row["path"][: i + 1]
        if price <= lower:
            return -1, time_ns, price, row["path"][: i + 1]
    last = row["path"][-1][1] if row["path"] else row["price"]
    return 0, row["horizon_end_ns"], last, row["path"]


def excursions(row, path):
    """Largest rise and fall along a path, in ATR and at least 0."""
    prices = [price for _, price in path] + [row["price"]]
    rise = (max(prices) - row["price"]) / row["atr"]
    fall = (row["price"] - min(prices)) / row["atr"]
    return rise, fall


def overstep(opened, close, i):
    """How far a stop of row i is expected to leave beyond its level: 0.73 of the mean step between
    rows, over the last hundred."""
    steps = [abs(opened[k] - close[k - 1]) for k in range(max(i - 99, 1), i + 1)]
    return 0.73 * (sum(steps) / len(steps)) if steps else 0.0


def after_latency(opened, high, low, close, i):
    """How far beyond its level a stop of row i is expected to leave after a latency: between 0 and
    `overstep`, by how far the highs and lows of all rows before reach."""
    steps = [abs(opened[k] - close[k - 1]) for k in range(1, i + 1)]
    excess, squares, ranges = 0.0, 0.0, 0.0
    for o, h, b, c in zip(opened[:i], high[:i], low[:i], close[:i], strict=True):
        x = (c - o) * (c - o) - (h - c) * (h - o) - (b - c) * (b - o)
        excess, squares, ranges = excess + x, squares + x * x, ranges + h - b
    share = 1.0
    if ranges and sum(steps):
        step = sum(steps) / len(steps)
        beyond = (excess + 2.0 * math.sqrt(squares)) / (2 * ranges * step)
        share = min(max(beyond / 0.73, 0.0), 1.0)
    return overstep(opened, close, i) * share


def with_oversteps(frames, known_at):
    """Rows of two months in order, as (known at, open, high, low, close, overstep)."""
    columns = [known_at, "open", "high", "low", "close"]
    rows = [tuple(row) for frame in frames for row in frame[columns].to_numpy(object)]
    opened, close = [row[1] for row in rows], [row[4] for row in rows]
    return [(*row, overstep(opened, close, i)) for i, row in enumerate(rows)]


def rows_with_bars(study, world):
    """`label_rows`, each with the bars known after its event and within its horizon."""
    bars = {}
    for m in world.months:
        frames = [world.bars[k] for k in (m - 1, m) if k in world.bars]
        bars[m] = with_oversteps(frames, "known_at")
    for row in (rows := label_rows(study, world)):
        start, end = row["event_time_ns"], row["horizon_end_ns"]
        known = bars[min(Month.of(end), world.months[-1])]
        row["bars"] = [bar for bar in known if start < bar[0] <= end]
        row["ticks"] = [(t, p, p, p, p, 0.0) for t, p in row["path"]]
    return rows


def trade(row, path, side, take_profit, stop_loss):
    """Label of a trade on `side`, its end, exit, how far price rose and fell; None if undecidable.

    `path` holds (known at, open, high, low, close, overstep). A bar that opens beyond a barrier met
    that one. A stop leaves at that open, or else beyond its level by the overstep.
    """
    take = row["price"] + side * take_profit * row["atr"]
    stop = row["price"] - side * stop_loss * row["atr"]
    highest = lowest = last = row["price"]
    label, end_ns = 0, row["horizon_end_ns"]
    for time_ns, opened, high, low, close, beyond in path:
        highest, lowest, last = max(highest, high), min(lowest, low), close
        wins = high >= take if side > 0 else low <= take
        loses = low <= stop if side > 0 else high >= stop
        if wins and loses and side * (opened - take) >= 0:
            loses = False
        if wins and loses and side * (opened - stop) <= 0:
            wins = False
        if wins or loses:
            label, end_ns = 1 if wins else -1, time_ns
            last = take
            if loses:
                last = opened if side * (opened - stop) <= 0 else stop - side * beyond
            if wins and loses:
                label = None
            break
    rise, fall = (highest - row["price"]) / row["atr"], (row["price"] - lowest) / row["atr"]
    return label, end_ns, last, rise, fall
