"""Count what a month's ticks say about themselves, and score the month.

Nothing is said of later months, so that a report does not change when one arrives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from price_physics.ticks.month import kernels
from price_physics.ticks.month.clean import identical_without_id
from price_physics.ticks.reading.rows import NO_ID, ORDERED_ID, TradeRows

if TYPE_CHECKING:
    from price_physics.months import Month

DAY_NS = 86_400 * 10**9
_SILENCE_FACTOR = 10
_SPIKE_FACTOR = 8
_SIDES_WEIGHT = 0.5


@dataclass
class Histogram:
    """Counts and sums of positive values in buckets a thousandth wide: medians in one pass."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(kernels.N_BUCKETS, np.int64))
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(kernels.N_BUCKETS))

    def median(self) -> float | None:
        """The mean of the values in the bucket of the (lower) median; None without values."""
        total = int(self.counts.sum())
        if total == 0:
            return None
        place = int(np.searchsorted(np.cumsum(self.counts), (total + 1) // 2))
        return float(self.sums[place] / self.counts[place])

    def above(self, threshold: float) -> int:
        """Count the values in buckets whose mean exceeds the threshold."""
        means = self.sums / np.maximum(self.counts, 1)
        return int(self.counts[means > threshold].sum())


class QualityCounts:
    """Counts a month's ticks, slice by slice.

    Parameters
    ----------
    month : Month
    last_before_ns : int, optional
        The last trade before the month, so that a silence over its start is seen.
    """

    def __init__(self, month: Month, last_before_ns: int | None = None) -> None:
        self._month = month
        self._last_ns = -1 if last_before_ns is None else last_before_ns
        self._gaps, self._changes, self._spikes = Histogram(), Histogram(), Histogram()
        self._last_price = np.array([np.nan, 0.0])
        self._longest_ns, self._longest_start_ns = 0, -1
        n_days = (month.stop_ns - month.start_ns) // DAY_NS
        self.ticks_by_day = np.zeros(n_days, np.int64)
        self.n_ticks = self.n_inferred = self.n_identical = 0
        self._n_ids, self._n_steps_of_one, self._last_id = 0, 0, -2
        self._lowest_id, self._highest_id = np.iinfo(np.int64).max, -1
        self._first_ns: int | None = None

    def add(self, rows: TradeRows, path: NDArray[np.float64] | None = None) -> None:
        """Count the next ticks of the month; `sign` is 0 where it had to be inferred.

        Spikes are looked for along the path, by default of the ticks' prices.
        """
        time_ns = rows.time_ns
        if not time_ns.size:
            return
        longest, start_ns = kernels.count_gaps(
            time_ns, self._last_ns, self._gaps.counts, self._gaps.sums
        )
        if longest > self._longest_ns:
            self._longest_ns, self._longest_start_ns = longest, start_ns
        kernels.count_changes(
            rows.price if path is None else path,
            self._last_price,
            self._changes.counts,
            self._changes.sums,
            self._spikes.counts,
            self._spikes.sums,
        )
        starts = self._month.start_ns + DAY_NS * np.arange(len(self.ticks_by_day) + 1)
        self.ticks_by_day += np.diff(np.searchsorted(time_ns, starts))
        self.n_ticks += time_ns.size
        self.n_inferred += int((rows.sign == 0).sum())
        self.n_identical += identical_without_id(rows) if (rows.id_kind == NO_ID).any() else 0
        orders = rows.id_kind == ORDERED_ID
        self.add_ids(rows.trade_id if orders.all() else rows.trade_id[orders])
        self._last_ns = int(time_ns[-1])
        self._first_ns = int(time_ns[0]) if self._first_ns is None else self._first_ns

    def add_ids(self, ids: NDArray[np.int64]) -> None:
        """Count the next ids that order ticks, or the numbers of candles."""
        if ids.size:
            self._n_steps_of_one += int((np.diff(ids) == 1).sum()) + (ids[0] == self._last_id + 1)
            self._n_ids += ids.size
            self._lowest_id = min(self._lowest_id, int(ids.min()))
            self._highest_id = max(self._highest_id, int(ids.max()))
            self._last_id = int(ids[-1])

    @property
    def n_ids(self) -> int:
        """Ticks with an integer id."""
        return self._n_ids

    @property
    def missing_ids(self) -> int | None:
        """Ids between the month's first and last that no tick has; None without integer ids."""
        if not self._n_ids:
            return None
        return self._highest_id - self._lowest_id + 1 - self._n_ids

    @property
    def missing_ids_share(self) -> float | None:
        """Share of the ids that are missing; None where ids are not dense.

        They are dense when most ticks have the id after that of the tick before: ids that
        several instruments share have gaps that mean nothing.
        """
        missing = self.missing_ids
        if missing is None or 2 * self._n_steps_of_one < self._n_ids:
            return None
        return missing / (missing + self._n_ids)

    def report(self) -> dict[str, Any]:
        """Return what was counted, as JSON."""
        typical, size = self._gaps.median(), self._changes.median()
        silent = self._longest_ns == 0
        return {
            "ticks": self.n_ticks,
            "sides_inferred": self.n_inferred,
            "sides_inferred_share": self.n_inferred / self.n_ticks if self.n_ticks else None,
            "identical_rows_kept": self.n_identical,
            "missing_ids": self.missing_ids,
            "missing_ids_share": self.missing_ids_share,
            "first_tick_ns": self._first_ns,
            "last_tick_ns": self._last_ns if self.n_ticks else None,
            "typical_gap_seconds": None if typical is None else typical / 1e9,
            "silences_over_ten_typical_gaps": (
                0 if typical is None else self._gaps.above(_SILENCE_FACTOR * typical)
            ),
            "longest_silence_seconds": None if silent else self._longest_ns / 1e9,
            "longest_silence_start_ns": None if silent else self._longest_start_ns,
            "reverting_spikes": 0 if size is None else self._spikes.above(_SPIKE_FACTOR * size),
        }


def score(report: dict[str, Any]) -> float | None:
    """Rate a month from 0 to 1: the product of what each kind of fault leaves; None if empty.

    The `completeness`, and the shares of rows out of order, dropped as duplicates and in spikes,
    and half the share of sides inferred, each taken from 1.
    """
    whole = completeness(report)
    if whole is None:
        return None
    shares = [
        report["duplicates_dropped"] / report["rows_read"],
        report["rows_out_of_order"] / report["rows_read"],
        report["reverting_spikes"] / report["ticks"],
        _SIDES_WEIGHT * report["sides_inferred_share"],
    ]
    return whole * float(np.prod([1.0 - share for share in shares]))


def completeness(report: dict[str, Any]) -> float | None:
    """Rate from 0 to 1 how much of a month is there; None if it is empty.

    The shares of rows in quarantine, and of days and (dense) ids missing, each taken from 1.
    """
    if not report["ticks"]:
        return None
    shares = [
        report["quarantined"] / report["rows_read"],
        len(report["missing_days"]) / report["days"],
        report["missing_ids_share"] or 0.0,
    ]
    return float(np.prod([1.0 - share for share in shares]))
