"""What every asset has in common, taken from the table in `orchestration.dag`."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from price_physics.months import Month
from price_physics.orchestration.io_manager import MonthTables
from price_physics.orchestration.partitions import window_mapping
from price_physics.pipeline.dag import owner_of, reads_of, tables_of
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.project import Project
from price_physics.schemas.table import TableSchema
from price_physics.store.artefact import Artefact, Highlight
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.study import Study


@dataclass(frozen=True)
class Site:
    """A study on its market in a project: what the assets of a study close over."""

    project: Project
    market: Market
    study: Study
    partitions: dg.MonthlyPartitionsDefinition

    @property
    def rows(self) -> str:
        """Name of the table of the market's rows: ticks or candles."""
        return tables_of("ticks", self.market)[0].name

    def prices(self, ticks: Mapping[Month, Partition]) -> MonthTables:
        """The market's rows without what no path needs: ticks are long."""
        if self.market.candle_ns:
            return MonthTables(ticks, self.rows)
        return MonthTables(ticks, self.rows, "time_ns", "price")

    def asset_args(
        self, name: str, group: str, kinds: set[str], table: TableSchema | None = None
    ) -> dict[str, Any]:
        """Arguments of ``@dg.asset`` for an asset of this study."""
        return asset_args(name, self.market, self.study, self.partitions, group, kinds, table)


def asset_args(
    name: str,
    market: Market,
    study: Study | None,
    partitions: dg.MonthlyPartitionsDefinition,
    group: str,
    kinds: set[str],
    table: TableSchema | None = None,
) -> dict[str, Any]:
    """Arguments of ``@dg.asset``: key, edges, partitions, versions, columns for the UI."""
    study_name = study.name if study else ""
    settings = settings_hash(name, study, market)
    metadata = {"dagster/column_schema": _column_schema(table)} if table else {}
    return {
        "name": name,
        "key_prefix": owner_of(name, study_name, market.name),
        "ins": {
            upstream: dg.AssetIn(
                key=[owner_of(upstream, study_name, market.name), upstream],
                partition_mapping=window_mapping(window),
            )
            for upstream, window in reads_of(name, study).items()
        },
        "partitions_def": partitions,
        "group_name": group,
        "kinds": kinds,
        "io_manager_key": "store",
        "code_version": f"{code_version(name, study)}-{settings}",
        "metadata": metadata,
    }


def shown(context: dg.AssetExecutionContext, artefact: Artefact) -> Artefact:
    """Put the highlights of an artefact on the asset's page."""
    context.add_output_metadata({k: _metadata(v) for k, v in artefact.highlights.items()})
    return artefact


def _metadata(value: Highlight) -> dg.MetadataValue | float:
    """A number, Markdown, or a small picture, which the UI takes as a data URI in Markdown."""
    if isinstance(value, bytes):
        return dg.MetadataValue.md(f"![](data:image/png;base64,{b64encode(value).decode()})")
    return dg.MetadataValue.md(value) if isinstance(value, str) else value


def _column_schema(schema: TableSchema) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=str(field.type),
                description=schema.descriptions[field.name],
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in schema.arrow
        ]
    )
