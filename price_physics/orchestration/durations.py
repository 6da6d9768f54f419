"""How long partitions took, from Dagster's own records, read without importing Dagster.

A manifest holds no time: the same inputs give the same bytes. Dagster keeps an index of every
materialisation, and beside it one SQLite database a run with the seconds of each step.
"""

import json
import logging
import os
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from price_physics.months import Month
from price_physics.project import Project

_log = logging.getLogger(__name__)

_LATEST = """
SELECT asset_key, partition, run_id, step_key, max(id) FROM event_logs
WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND partition IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM json_each(
    event, '$.dagster_event.event_specific_data.materialization.metadata_entries'
  ) AS entry
  WHERE json_extract(entry.value, '$.label') = 'computed'
    AND NOT json_extract(entry.value, '$.entry_data.value')
)
GROUP BY asset_key, partition
"""
"""What a run found in the store took it no time: only what was computed counts."""
_SECONDS = (
    "SELECT step_key, json_extract(event, '$.dagster_event.event_specific_data.duration_ms') / 1e3 "
    "FROM event_logs WHERE dagster_event_type = 'STEP_SUCCESS'"
)

Seconds = dict[tuple[str, str], dict[Month, float]]
"""By (owner, asset) and month."""


def home_of(project: Project) -> Path:
    """Where Dagster keeps its records: the folder that the user named, or the project's own."""
    named = os.environ.get("DAGSTER_HOME")
    return Path(named).resolve() if named else project.data / "dagster"


def measured_seconds(project: Project) -> Seconds:
    """Seconds of the latest computation of every partition that Dagster has a record of.

    Records that lie elsewhere, say in PostgreSQL, are as if there were none; so are those that
    cannot be read, with a warning. In a home that other code shares, its assets are passed over.
    """
    folder = home_of(project) / "history" / "runs"
    steps_of_run: dict[str, list[tuple[tuple[str, str], Month, str]]] = defaultdict(list)
    for asset_key, partition, run, step, _ in _rows(folder / "index.db", _LATEST):
        key, month = json.loads(asset_key), _month(partition)
        if len(key) == 2 and month is not None:
            steps_of_run[run].append(((key[0], key[1]), month, step))
    found: Seconds = defaultdict(dict)
    for run, steps in steps_of_run.items():
        seconds = dict(_rows(folder / f"{run}.db", _SECONDS))
        for key, month, step in steps:
            if step in seconds:
                found[key][month] = seconds[step]
    return found


def _month(partition: str) -> Month | None:
    """The month of our partition; None of one that is none of ours."""
    try:
        return Month.parse(partition)
    except ValueError:
        return None


def _rows(path: Path, query: str) -> list[tuple]:
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()
    except sqlite3.DatabaseError as error:  # damaged, held, or of another Dagster
        _log.warning("%s: %s; see  price-physics doctor", path, error)
        return []
