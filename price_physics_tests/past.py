"""A past in memory: what a stage may read, from frames."""

from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

from price_physics.months import Month
from price_physics.past import Past
from price_physics.schemas.table import TableSchema
from price_physics.store.artefact import Artefact


def past_of(
    tables: Mapping[TableSchema, Mapping[Month, pd.DataFrame]],
    documents: Mapping[tuple[str, str], Mapping[Month, dict]] | None = None,
    warm_up: Mapping[str, Mapping[Month, str | None]] | None = None,
) -> Past:
    """Months of tables by their schema, of documents by (asset, name), of reasons by asset.

    A schema without months is an asset that the stage reads and of which there is nothing.
    """
    documents, warm_up = documents or {}, warm_up or {}
    names = [schema.asset for schema in tables] + [asset for asset, _ in documents]
    assets: dict[str, defaultdict[Month, dict]] = {name: defaultdict(dict) for name in names}
    for schema, months in tables.items():
        for month, frame in months.items():
            parts = assets[schema.asset][month]
            parts["tables"] = (*parts.get("tables", ()), (schema, frame))
    for (asset, name), months in documents.items():
        for month, document in months.items():
            assets[asset][month].setdefault("documents", {})[name] = document
    for asset, reasons in warm_up.items():
        for month, reason in reasons.items():
            assets[asset][month]["warm_up"] = reason
    return Past(
        {a: {m: Artefact(**parts) for m, parts in months.items()} for a, months in assets.items()}
    )


def only_table(artefact: Artefact) -> pd.DataFrame:
    """The frame of an artefact that has one table."""
    ((schema, _),) = artefact.tables
    return artefact.table(schema.name)
