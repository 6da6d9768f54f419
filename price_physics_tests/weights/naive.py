"""Slow, obvious references for the weights."""


def concurrency(label_start, label_end, n_bars):
    return [
        sum(s <= t <= e for s, e in zip(label_start, label_end, strict=True)) for t in range(n_bars)
    ]


def average_uniqueness(label_start, label_end, n_bars):
    alive = concurrency(label_start, label_end, n_bars)
    return [
        sum(1 / alive[t] for t in range(s, e + 1)) / (e + 1 - s)
        for s, e in zip(label_start, label_end, strict=True)
    ]


def positions(months, labels, bars):
    """(event time, first bar, last bar) of each label, by event time."""
    sequence = [
        (int(t), bool(p), m)
        for m in months
        for t, p in zip(bars[m]["close_time_ns"], bars[m]["partial"], strict=True)
    ]
    spans = []
    for stored in months:
        for row in labels[stored].to_dict("records"):
            first = max(
                i
                for i, (t, partial, _) in enumerate(sequence)
                if t == row["event_time_ns"] and not partial
            )
            last = max(i for i, (_, _, m) in enumerate(sequence) if m <= stored)
            ends = [i for i, (t, _, _) in enumerate(sequence) if t >= row["label_end_ns"]]
            spans.append((row["event_time_ns"], first, min([*ends, last])))
    return sorted(spans)
