"""Runs whose process is gone: a kill leaves them started, and what waits for them queued."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from price_physics.errors import MachineError
from price_physics.machine_faults import machine_faults

EVERY_S = 60.0
"""Seconds between two looks for dead runs."""

_log = logging.getLogger(__name__)

_ALIVE = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_NEWEST = 1_000


def close_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark as failed every run whose process on this machine is gone; return how many.

    A run that names no process is left alone: Dagster's own monitoring closes one that never began.
    """
    n = 0
    for record in instance.get_run_records(dg.RunsFilter(statuses=_ALIVE), limit=_NEWEST):
        run = record.dagster_run
        pid = _pid(instance, run.run_id)
        if pid is None or _is_alive(pid):
            continue
        instance.report_run_failed(
            run, f"its process {pid} is gone: it was killed; launch it again to continue"
        )
        n += 1
    return n


@contextmanager
def dead_runs_closed(instance: dg.DagsterInstance) -> Iterator[None]:
    """Close dead runs now and about once a minute: until then each keeps its study's pool."""
    close_dead_runs(instance)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY_S):
            try:
                with machine_faults():
                    close_dead_runs(instance)
            except MachineError as error:  # a database that is held for long: the next look does it
                _log.warning("dead runs are not closed yet: %s", error)

    watcher = threading.Thread(target=watch, daemon=True, name="close dead runs")
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _pid(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """Process that executes a run, as the run's own events say; None where none says so."""
    pid = None
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        metadata = event.engine_event_data.metadata if event else {}
        if "pid" in metadata:
            pid = int(str(metadata["pid"].value))
    return pid


def _is_alive(pid: int) -> bool:
    if os.name == "nt":  # there is no signal that only asks
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
