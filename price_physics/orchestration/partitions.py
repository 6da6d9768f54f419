"""Months as Dagster partitions, and windows of months as partition mappings."""

import warnings

import dagster as dg

from price_physics.months import Month
from price_physics.pipeline.dag import MonthWindow
from price_physics.study.market import Market


def monthly_partitions(market: Market) -> dg.MonthlyPartitionsDefinition:
    """Months of a market; without a last month, every month that is over."""
    end = (market.last_month + 1).key if market.last_month else None
    return dg.MonthlyPartitionsDefinition(start_date=market.first_month.key, end_date=end)


def window_mapping(window: MonthWindow) -> dg.TimeWindowPartitionMapping:
    """Map partition m to the months of a window; months before the market's first are absent."""
    with warnings.catch_warnings():
        # allow_nonexistent_upstream_partitions is marked beta; we rely on it and test it
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.TimeWindowPartitionMapping(
            start_offset=window[0],
            end_offset=window[1],
            allow_nonexistent_upstream_partitions=True,
        )


def month_of(context: dg.AssetExecutionContext) -> Month:
    """Return the month that this run materialises."""
    return Month.parse(context.partition_key)
