"""A file that appears or changes requests the months that it touches, once."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from price_physics.errors import TickDataError
from price_physics.orchestration import sensors
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.schedules import is_due
from price_physics.orchestration.sensors import cheap_assets
from price_physics.project import Project
from price_physics_tests.e2e.projects import make_project

pytestmark = pytest.mark.e2e

OLD_S = 1_400_000_000


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = make_project(tmp_path, "2012-01", "2012-06", ticks=rows(1))
    settle(csv(found))
    return found


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def rows(month: int, price: float = 5) -> bytes:
    start = int(datetime(2012, month, 1, tzinfo=UTC).timestamp())
    return "".join(f"{start + 3600 * k},{price + k % 3},1\n" for k in range(600)).encode()


def csv(project: Project, name: str = "bitstampUSD") -> Path:
    return project.data / "sample" / "bitstamp_usd" / f"{name}.csv"


def settle(path: Path, at_s: int = OLD_S) -> None:
    """Let a file look as if it had been there for long."""
    os.utime(path, (at_s, at_s))


def evaluate(
    project: Project, instance: dg.DagsterInstance, cursor: str | None = None
) -> tuple[list[str], str | None]:
    """Months requested, and the cursor."""
    definitions = build_definitions(project)
    (sensor,) = definitions.sensors or []
    repository = definitions.get_repository_def()
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=repository,
        sensor_name="bitstamp_usd_files",
    )
    found = sensor(context)  # type: ignore[operator]
    if isinstance(found, dg.SkipReason):
        return [found.skip_message or ""], cursor
    return [r.partition_key for r in found.run_requests], found.cursor


def test_a_new_file_requests_its_month_once(project: Project, instance: dg.DagsterInstance) -> None:
    months, cursor = evaluate(project, instance)
    assert months == ["2012-01-01"]
    (skipped,), cursor = evaluate(project, instance, cursor)
    assert "no file of bitstamp_usd is new or changed" in skipped
    definitions = build_definitions(project)
    dg.materialize(
        list(definitions.assets or []),  # type: ignore[arg-type]
        partition_key="2012-01-01",
        instance=instance,
        resources=definitions.resources,
        selection=[dg.AssetKey(["bitstamp_usd", "ticks"])],
    )
    csv(project, "march").write_bytes(rows(3))
    settle(csv(project, "march"))
    months, cursor = evaluate(project, instance, cursor)
    assert months == ["2012-03-01"], "January's ticks stand as they were"
    csv(project).write_bytes(rows(1, price=6))
    settle(csv(project), OLD_S + 9)
    assert evaluate(project, instance, cursor)[0] == ["2012-01-01", "2012-03-01"]


def test_a_file_that_is_changed_back_requests_its_month_again(
    project: Project, instance: dg.DagsterInstance
) -> None:
    """Dagster starts no second run of a key; a month may have failed, or been made of the other."""
    keys: list[str | None] = []
    cursor = None
    for price in (5, 7, 5):
        csv(project).write_bytes(rows(1, price))
        settle(csv(project), OLD_S + price)
        (sensor,) = build_definitions(project).sensors or []
        context = dg.build_sensor_context(instance, cursor=cursor)
        found = sensor(context)  # type: ignore[operator]
        keys += [request.run_key for request in found.run_requests]
        cursor = found.cursor
    assert len(set(keys)) == len(keys) == 3


def test_a_file_that_is_being_written_is_waited_for(
    project: Project, instance: dg.DagsterInstance
) -> None:
    csv(project, "february").write_bytes(rows(2)[:-8])
    assert "still being written" in evaluate(project, instance)[0][0]
    settle(csv(project, "february"))
    with pytest.raises(TickDataError, match="is cut off"):
        evaluate(project, instance)


def test_training_is_left_to_the_schedule_until_its_time_is_over(
    project: Project, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sensor,) = build_definitions(project).sensors or []

    def requested() -> set[str]:
        (request,) = sensor(dg.build_sensor_context(instance)).run_requests  # type: ignore[operator]
        return {key.path[-1] for key in request.asset_selection}

    assert {"model", "report"} <= requested()
    monkeypatch.setattr(sensors, "is_due", lambda month, now: False)
    assert requested() == set(cheap_assets())
    assert {"ticks", "labels", "folds"} <= requested()
    assert not {"model", "predictions", "walk_forward", "report", "motifs"} & requested()


def test_when_a_month_is_due() -> None:
    from price_physics.months import Month

    assert not is_due(Month(2012, 12), datetime(2013, 1, 8, 5, tzinfo=UTC))
    assert is_due(Month(2012, 12), datetime(2013, 1, 8, 6, tzinfo=UTC))
