"""Months as Dagster partitions.

Every edge maps a month to the same month: so a backfill of some months is a run a month, ticks to
report, and no month that nobody asked for. The IO manager hands over the months that
`pipeline.dag` says. An edge that maps to earlier months instead makes Dagster launch an asset at a
time, and every month downstream of the first.
"""

import warnings

import dagster as dg

from price_physics.months import Month
from price_physics.pipeline.dag import EVERY, MonthWindow
from price_physics.study.market import Market


def monthly_partitions(market: Market) -> dg.MonthlyPartitionsDefinition:
    """Months of a market; without a last month, every month that is over."""
    end = (market.last_month + 1).key if market.last_month else None
    return dg.MonthlyPartitionsDefinition(start_date=market.first_month.key, end_date=end)


def same_month() -> dg.PartitionMapping:
    """The edge from one asset to another."""
    return dg.IdentityPartitionMapping()


def month_before() -> dg.PartitionMapping:
    """The edge from an asset to itself: a model that may serve on."""
    with warnings.catch_warnings():
        # allow_nonexistent_upstream_partitions is marked beta; we rely on it and test it
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.TimeWindowPartitionMapping(
            start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True
        )


def window_in_words(window: MonthWindow) -> str:
    """Say which months a window holds.

    Examples
    --------
    >>> [window_in_words(window) for window in ((0, 0), (-1, -1), (-2, 0), (EVERY, 0))]
    ['m', 'm-1', 'm-2 to m', 'every month up to m']
    """
    first, last = ("m" if offset == 0 else f"m{offset}" for offset in window)
    if window[0] == EVERY:
        return f"every month up to {last}"
    return last if first == last else f"{first} to {last}"


def month_of(context: dg.AssetExecutionContext) -> Month:
    """Return the month that this run materialises."""
    return Month.parse(context.partition_key)
