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


def order(rows):
    """Rows are (time_ns, id, price, qty, sign); an id is an integer, a text or None."""

    def key(i):
        trade_id = rows[i][1]
        orders = isinstance(trade_id, int)
        return (rows[i][0], not orders, trade_id if orders else 0, i)

    return sorted(range(len(rows)), key=key)


def part(rows):
    """Sort rows, as `order` takes them, and part them into kept, conflicts and dropped."""
    first_of_id, kept, conflicts, dropped = {}, [], [], []
    for i in order(rows):
        trade_id = rows[i][1]
        if trade_id is None or trade_id not in first_of_id:
            first_of_id[trade_id] = rows[i]
            kept.append(i)
        elif rows[i] == first_of_id[trade_id]:
            dropped.append(i)
        else:
            conflicts.append(i)
    return kept, sorted(conflicts), sorted(dropped)


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
