"""Vendor files -> ticks -> bars."""

from collections.abc import Iterator, Mapping

import dagster as dg

from price_physics.errors import TickDataError
from price_physics.orchestration.assets.common import Site, asset_args
from price_physics.orchestration.checks import stopped, tick_check_results, tick_check_specs
from price_physics.orchestration.io_manager import MonthChunks
from price_physics.orchestration.partitions import month_of
from price_physics.pipeline.dag import tables_of
from price_physics.pipeline.inputs import open_index
from price_physics.progress import reading_bar
from price_physics.project import Project
from price_physics.schemas.bars import BARS
from price_physics.store.artefact import Artefact
from price_physics.study.market import Market

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
        from price_physics.ticks.build import build_ticks

        month, index = month_of(context), open_index(project, market)
        project.data.mkdir(parents=True, exist_ok=True)  # for what memory should not hold
        with reading_bar(f"{market.name} {month}") as progress:
            try:
                artefact = build_ticks(
                    market,
                    month,
                    project.root,
                    index=index,
                    scratch=project.data,
                    progress=progress,
                )
            except TickDataError as error:
                yield stopped(str(error))
                raise
        quality = artefact.document("quality")
        yield dg.Output(artefact, metadata={"quality": dg.MetadataValue.json(quality)})
        yield from tick_check_results(quality)

    return ticks


def build_bars_asset(site: Site) -> dg.AssetsDefinition:
    """Make the bars of a study."""

    @dg.asset(**site.asset_args("bars", GROUP, {"numba", "parquet"}, BARS))
    def bars(context: dg.AssetExecutionContext, ticks: Mapping) -> Artefact:
        """Information-time bars; the month's last is closed by its end and flagged partial."""
        from price_physics.bars.build import build_bars
        from price_physics.bars.candles import build_bars_of_candles

        build = build_bars_of_candles if site.market.candle_ns else build_bars
        frame = build(site.study.bars, month_of(context), MonthChunks(ticks, site.rows))
        return Artefact(tables=((BARS, frame),))

    return bars
