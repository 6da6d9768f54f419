"""Vendor files -> ticks -> bars."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.orchestration.assets.common import Site, asset_args
from price_physics.orchestration.checks import stopped, tick_check_results, tick_check_specs
from price_physics.orchestration.partitions import month_of
from price_physics.past import Past
from price_physics.pipeline.dag import tables_of
from price_physics.pipeline.versions import open_index
from price_physics.progress import reading_bar
from price_physics.project import Project
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import QUARANTINE
from price_physics.store.artefact import Artefact
from price_physics.study.market import Market

if TYPE_CHECKING:
    import pandas as pd

    from price_physics.store.spool import SpooledTable
    from price_physics.ticks.build import TicksResult
    from price_physics.ticks.build_candles import CandlesResult
    from price_physics.ticks.intake import Progress

GROUP = "market"


def build_ticks_asset(
    project: Project, market: Market, partitions: dg.MonthlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """Make the one asset that a market owns."""

    table = tables_of("ticks", market)[0]

    @dg.asset(
        **asset_args("ticks", market, None, partitions, GROUP, {"csv", "parquet"}, table),
        check_specs=tick_check_specs(dg.AssetKey([market.name, "ticks"]), partitions),
    )
    def ticks(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.Output[Artefact]]:
        """Clean ticks, or candles, of the month, rows set aside with a reason, a quality report."""
        project.data.mkdir(parents=True, exist_ok=True)  # for what memory should not hold
        with reading_bar(f"{market.name} {month_of(context)}") as progress:
            try:
                rows, result = _read_month(project, market, month_of(context), progress)
            except TickDataError as error:
                yield stopped(str(error))
                raise
        yield dg.Output(
            Artefact(
                tables=((table, rows), (QUARANTINE, result.quarantine)),
                documents={"quality": result.quality},
                synthetic=result.synthetic,
                inputs=result.inputs,
            ),
            metadata={"quality": dg.MetadataValue.json(result.quality)},
        )
        yield from tick_check_results(result.quality)

    return ticks


def _read_month(
    project: Project, market: Market, month: Month, progress: "Progress"
) -> "tuple[SpooledTable | pd.DataFrame, TicksResult | CandlesResult]":
    from price_physics.ticks.build import build_ticks
    from price_physics.ticks.build_candles import build_candles

    root, index = project.root, open_index(project, market)
    if market.candle_ns:
        of_candles = build_candles(market, root, month, index, progress)
        return of_candles.candles, of_candles
    of_ticks = build_ticks(market, root, month, index, project.data, progress)
    return of_ticks.ticks, of_ticks


def build_bars_asset(site: Site) -> dg.AssetsDefinition:
    """Make the bars of a study."""

    @dg.asset(**site.asset_args("bars", GROUP, {"numba", "parquet"}, BARS))
    def bars(context: dg.AssetExecutionContext, ticks: Mapping) -> Artefact:
        """Information-time bars; the month's last is closed by its end and flagged partial."""
        from price_physics.bars.build import build_bars

        return build_bars(site.study, site.market, month_of(context), Past({"ticks": ticks}))

    return bars
