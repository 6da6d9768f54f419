"""Checks of every asset with tables: order, when a row is known, how many rows there are."""

import numpy as np

from price_physics.orchestration.checks.finding import BUG, Case, Check, Finding, none_of
from price_physics.past import Known
from price_physics.pipeline.dag import STAGES
from price_physics.schemas.table import TableSchema
from price_physics.schemas.ticks import CANDLES, TICKS
from price_physics.schemas.walk_forward import TRADES
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition
from price_physics.store.spool import SpooledTable

_MOST_TIMES = 10.0
_FEW_ROWS = 50


def n_rows(found: Known, schema: TableSchema) -> int:
    """Rows of a table, without loading what is stored."""
    if isinstance(found, Partition):
        return int(found.manifest["files"][f"{schema.name}.parquet"]["rows"])
    if isinstance(found, Artefact):
        rows = {table.name: rows for table, rows in found.tables}[schema.name]
        return rows.n_rows if isinstance(rows, SpooledTable) else len(rows)
    return len(found.table(schema.name))


def _in_order(case: Case, schema: TableSchema) -> Finding:
    """Events once each, in order; where a table has none, its rows in the order of time."""
    columns = schema.columns
    by_event = columns[0] == "event_time_ns" and schema is not TRADES  # those stand by their end
    column = columns[0] if by_event else schema.known_at
    step = np.diff(case.found.table(schema.name, [column])[column].to_numpy(np.int64))
    wrong = int((step <= 0).sum() if by_event else (step < 0).sum())
    return none_of(
        {f"{column} not after the row before": wrong}, f"{len(step) + 1} rows in order of {column}"
    )


def _known_in_time(case: Case, schemas: tuple[TableSchema, ...]) -> Finding:
    late, early = 0, 0
    for schema in schemas:
        events = [c for c in ("event_time_ns",) if c in schema.columns]
        frame = case.found.table(schema.name, list({schema.known_at, *events}))
        known = frame[schema.known_at].to_numpy(np.int64)
        late += int((known > case.month.end_ns).sum())
        for event in events:
            early += int((known < frame[event].to_numpy(np.int64)).sum())
    return none_of(
        {"known after the month ends": late, "known before their own event": early},
        f"every row of {len(schemas)} tables is known by the end of {case.month}",
    )


def _like_the_month_before(case: Case, schema: TableSchema) -> Finding:
    rows = n_rows(case.found, schema)
    numbers: dict[str, float | int | str] = {"rows": rows}
    if case.before is None:
        return Finding(True, f"{rows} rows; no month before to compare with", numbers)
    if not case.before.holds(schema):  # made by other code, or of a market of candles
        return Finding(True, f"{rows} rows; the month before holds no {schema.name}", numbers)
    before = n_rows(case.before, schema)
    numbers["rows_before"] = before
    if case.found.warm_up or case.before.warm_up or before < _FEW_ROWS:
        return Finding(True, f"{rows} rows, {before} before: too few to compare", numbers)
    passed = before / _MOST_TIMES <= rows <= before * _MOST_TIMES
    return Finding(passed, f"{rows} rows, {before} in the month before", numbers)


def table_checks(asset: str, candles: bool) -> tuple[Check, ...]:
    """The checks that every asset with tables has."""
    schemas = _tables(asset, candles)
    if not schemas:
        return ()
    first = schemas[0]
    checks = [
        Check(
            "rows_like_neighbours",
            lambda case: _like_the_month_before(case, first),
            f"There are between a tenth and {_MOST_TIMES:.0f} times the rows of the month before.",
            "look at the month's ticks: a file may be cut short, or there twice, or the venue has "
            "changed; if the market is really like that, nothing need be done.",
        )
    ]
    if asset == "ticks":  # too long to load; what reads them puts them in order, or stops
        return tuple(checks)
    ordered = Check(
        "rows_in_order",
        lambda case: _in_order(case, first),
        f"Rows of {first.name} stand in order of time, and no event is there twice.",
        BUG,
        blocking=True,
    )
    known = Check(
        "known_in_time",
        lambda case: _known_in_time(case, schemas),
        "No row is known after the month ends, nor before the event that it is about.",
        BUG,
        blocking=True,
    )
    unordered = ("barrier_policy", "motifs")  # rows a regime, rows a motif
    return (*checks, *(() if asset in unordered else (ordered,)), known)


def _tables(asset: str, candles: bool) -> tuple[TableSchema, ...]:
    if asset == "ticks":
        return (CANDLES if candles else TICKS,)
    return STAGES[asset].tables
