"""The quality report of one month of ticks: counts and facts, JSON-able.

It says nothing about other months, nor about the bytes of files that hold them, so that it does
not change when a later month arrives. It judges nothing: what stops a month is in ``read``.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_SILENCE_FACTOR = 10
_SPIKE_FACTOR = 8


def gaps(time_ns: NDArray[np.int64]) -> dict[str, Any]:
    """Measure the silences between consecutive trades.

    The typical gap is the median of those that are not zero. Put the last trade before the
    month first, so that a silence over the month's start is seen.
    """
    gap = np.diff(time_ns)
    if not (gap > 0).any():
        return {
            "typical_gap_seconds": None,
            "silences_over_ten_typical_gaps": 0,
            "longest_silence_seconds": None,
            "longest_silence_start_ns": None,
        }
    typical = float(np.median(gap[gap > 0]))
    longest = int(gap.argmax())
    return {
        "typical_gap_seconds": typical / 1e9,
        "silences_over_ten_typical_gaps": int((gap > _SILENCE_FACTOR * typical).sum()),
        "longest_silence_seconds": int(gap[longest]) / 1e9,
        "longest_silence_start_ns": int(time_ns[longest]),
    }


def reverting_spikes(price: NDArray[np.float64]) -> int:
    """Count single ticks far from both neighbours, on the same side of them.

    Far is more than eight times the median size of the month's price changes (in logs, zeros
    left out); reverting is coming back by at least half of the jump at once.

    Examples
    --------
    >>> reverting_spikes(np.array([100, 100.1, 100, 150, 100.1, 100, 100.1]))
    1
    """
    change = np.diff(np.log(price))
    size = np.abs(change)
    if not (size > 0).any():
        return 0
    far = size > _SPIKE_FACTOR * np.median(size[size > 0])
    out, back = change[:-1], change[1:]
    reverts = (np.sign(out) == -np.sign(back)) & (np.abs(out + back) <= np.abs(out) / 2)
    return int((far[:-1] & far[1:] & reverts).sum())


def missing_ids(ticks: pd.DataFrame) -> int | None:
    """Count the ids between the month's first and last that no tick has; None without ids."""
    ids = ticks["trade_id"].dropna().to_numpy(np.int64)
    return int(ids.max()) - int(ids.min()) + 1 - ids.size if ids.size else None


def out_of_order(rows: pd.DataFrame) -> int:
    """Count the rows that are earlier than the row before them in the same file."""
    step = np.diff(rows["time_ns"])
    return int(((step < 0) & (np.diff(rows["file"]) == 0)).sum())


def identical_without_id(ticks: pd.DataFrame) -> int:
    """Count the ticks without an id that equal an earlier one in time, price and quantity."""
    without = ticks[ticks["trade_id"].isna()]
    return int(without.duplicated(["time_ns", "price", "qty"]).sum())
