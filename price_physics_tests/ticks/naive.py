"""Slow, obvious references for ticks."""

from price_physics.months import Month


def read_bitcoincharts(text: str) -> list[tuple[int, float, float]]:
    """(time_ns, price, qty) of every line, good or not."""
    rows = []
    for line in text.splitlines():
        time, price, qty = line.split(",")
        rows.append((int(time) * 10**9, float(price), float(qty)))
    return rows


def count_by_month(rows) -> dict[str, int]:
    counts: dict[str, int] = {}
    for time_ns, *_ in rows:
        key = str(Month.of(time_ns))
        counts[key] = counts.get(key, 0) + 1
    return counts


def sort_and_part(rows):
    """Rows are (time_ns, id or None, price, qty, sign); gives kept, repeated, n_dropped."""
    order = sorted(
        range(len(rows)), key=lambda i: (rows[i][0], rows[i][1] is None, rows[i][1] or 0, i)
    )
    first_of_id, kept, repeated, n_dropped = {}, [], [], 0
    for i in order:
        trade_id = rows[i][1]
        if trade_id is None or trade_id not in first_of_id:
            first_of_id[trade_id] = rows[i]
            kept.append(i)
        elif rows[i] == first_of_id[trade_id]:
            n_dropped += 1
        else:
            repeated.append(i)
    return kept, sorted(repeated), n_dropped


def tick_rule(price, sign):
    signs = []
    for i in range(len(price)):
        if sign[i] != 0:
            signs.append(sign[i])
        elif i == 0 or price[i] > price[i - 1]:
            signs.append(1)
        elif price[i] < price[i - 1]:
            signs.append(-1)
        else:
            signs.append(signs[-1])
    return signs
