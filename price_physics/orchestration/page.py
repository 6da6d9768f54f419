"""An asset as its page shows it before any month is computed: edges, groups, columns, checks."""

from datetime import timedelta
from typing import Any

import dagster as dg

from price_physics.orchestration.checks import check_specs
from price_physics.orchestration.columns import lineage_of
from price_physics.orchestration.io_manager import WINDOW
from price_physics.orchestration.partitions import month_before, same_month, window_in_words
from price_physics.orchestration.step import Scope
from price_physics.pipeline.dag import STAGES, owner_of, reads_of, tables_of
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.schemas.table import TableSchema

MONTHLY = dg.FreshnessPolicy.cron("0 6 10 * *", lower_bound_delta=timedelta(days=9))
"""By the tenth, two days after its schedule, a month is there; none before the first counts."""


def asset_arguments(name: str, scope: Scope) -> dict[str, Any]:
    """Arguments of ``@dg.asset``: key, edges, partitions, versions, and what the UI shows."""
    stage, study, market = STAGES[name], scope.study, scope.market
    reads = reads_of(name, study)
    tables = tables_of(name, market)
    key = dg.AssetKey([scope.owner, name])
    return {
        "name": name,
        "key_prefix": scope.owner,
        "ins": {
            upstream: dg.AssetIn(
                key=[owner_of(upstream, scope.owner, market.name), upstream],
                partition_mapping=same_month() if upstream != name else month_before(),
                metadata={WINDOW: list(window)},
            )
            for upstream, window in reads.items()
        },
        "partitions_def": scope.partitions,
        "description": _description(stage.gives, reads),
        "group_name": stage.group,
        "kinds": set(stage.kinds),
        "owners": [f"team:{scope.owner}"],
        "io_manager_key": "store",
        "code_version": f"{code_version(name, study)}-{settings_hash(name, study, market)}",
        "metadata": _metadata(name, scope, tables),
        # of a market that is over no month is awaited
        "freshness_policy": None if market.last_month else MONTHLY,
        "check_specs": check_specs(name, market, key, scope.partitions),
        # one run of a study at a time keeps its months in order; months of ticks have no order
        "pool": study.name if study else None,
    }


def _description(gives: str, reads: dict[str, tuple[int, int]]) -> str:
    """What an asset gives, and which months it reads: its edges say the same month."""
    if not reads:
        return gives
    read = "; ".join(f"{name} of {window_in_words(window)}" for name, window in reads.items())
    return f"{gives}\n\nMonth m reads: {read}."


def _metadata(name: str, scope: Scope, tables: tuple[TableSchema, ...]) -> dict[str, Any]:
    if not tables:
        return {}
    lineage = lineage_of(name, scope.owner, scope.market)
    return {
        "dagster/column_schema": _column_schema(tables[0]),
        **({"dagster/column_lineage": lineage} if lineage else {}),
    }


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
