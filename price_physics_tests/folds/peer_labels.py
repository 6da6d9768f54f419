"""The labels that peers and we split: many short ones, and some that outlast their successors."""

import random
from typing import Any

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "mlfinpy": [{"n_splits": 3, "pct_embargo": 0.0}, {"n_splits": 3, "pct_embargo": 0.05}],
    "pymlfinance": [{"n_splits": 3, "embargo_pct": 0.0}, {"n_splits": 3, "embargo_pct": 0.1}],
    "skfolio": [
        {"n_folds": 3, "n_test_folds": 2, "purged_size": rows, "embargo_size": 0}
        for rows in (0, 3, 15)
    ],
}
"""With what each of them splits; an embargo of theirs is a share, or a number, of the rows."""


def peer_labels(n: int = 60) -> dict[str, list[int]]:
    """Return ``start, end``: one label every ten, 25 to 155 long.

    The first and the last of every twenty are short: mlfinpy refuses a block with a label that is
    over before its first is, and takes the last end of a block for its largest. Only
    ``random.Random.random`` is used, whose stream Python promises to keep.
    """
    draw = random.Random(4).random  # noqa: S311
    length = [(25, 45, 75, 155)[int(4 * draw())] for _ in range(n)]
    start = [10 * i for i in range(n)]
    length[::20] = length[19::20] = [25] * (n // 20)
    return {"start": start, "end": [s + e for s, e in zip(start, length, strict=True)]}
