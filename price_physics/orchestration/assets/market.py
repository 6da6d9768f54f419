"""Vendor files -> ticks -> bars."""

from collections.abc import Iterator, Mapping

import dagster as dg

from price_physics.errors import TickDataError
from price_physics.orchestration.assets.common import Site, asset_args
from price_physics.orchestration.checks import stopped, tick_check_results, tick_check_specs
from price_physics.orchestration.io_manager import MonthChunks
from price_physics.orchestration.partitions import month_of
from price_physics.orchestration.progress import reading_bar
from price_physics.orchestration.versions import open_index
from price_physics.project import Project
from price_physics.schemas import BARS, QUARANTINE, TICKS
from price_physics.store.artefact import Artefact
from price_physics.study import Market

GROUP = "market"


def build_ticks_asset(
    project: Project, market: Market, partitions: dg.MonthlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """Make the one asset that a market owns."""

    @dg.asset(
        **asset_args(
            "ticks",
            market,
            None,
            partitions,
            GROUP,
            {"csv", "parquet"},
            TICKS,
        ),
        check_specs=tick_check_specs(dg.AssetKey([market.name, "ticks"]), partitions),
    )
    def ticks(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.Output[Artefact]]:
        """Clean ticks of the month, rows set aside with a reason, and a quality report."""
        from price_physics.ticks.build import build_ticks

        project.data.mkdir(parents=True, exist_ok=True)  # for what memory should not hold
        with reading_bar(f"{market.name} {month_of(context)}") as progress:
            try:
                result = build_ticks(
                    market,
                    project.root,
                    month_of(context),
                    open_index(project, market),
                    project.data,
                    progress,
                )
            except TickDataError as error:
                yield stopped(str(error))
                raise
        yield dg.Output(
            Artefact(
                tables=((TICKS, result.ticks), (QUARANTINE, result.quarantine)),
                documents={"quality": result.quality},
                synthetic=result.synthetic,
                inputs=result.inputs,
            ),
            metadata={"quality": dg.MetadataValue.json(result.quality)},
        )
        yield from tick_check_results(result.quality)

    return ticks


def build_bars_asset(site: Site) -> dg.AssetsDefinition:
    """Make the bars of a study."""

    @dg.asset(**site.asset_args("bars", GROUP, {"numba", "parquet"}, BARS))
    def bars(context: dg.AssetExecutionContext, ticks: Mapping) -> Artefact:
        """Information-time bars; the month's last is closed by its end and flagged partial."""
        from price_physics.bars.build import build_bars

        frame = build_bars(site.study.bars, month_of(context), MonthChunks(ticks, "ticks"))
        return Artefact(tables=((BARS, frame),))

    return bars
