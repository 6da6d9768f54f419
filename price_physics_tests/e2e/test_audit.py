"""Promise one: change every tick after a moment, and nothing that was known by then changes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from price_physics.months import Month
from price_physics.orchestration.audit.moments import parse_moment
from price_physics.orchestration.audit.run import CAPS, run_audit
from price_physics.orchestration.dag import STAGES
from price_physics.project import Project
from price_physics.schemas import FEATURE_COLUMNS
from price_physics_tests.e2e.projects import SMALL, make_project

FIRST, LAST = Month(2012, 2), Month(2012, 4)
AMID_MARCH = parse_moment("2012-03-15T03:25:24")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three months: the first trains, the second is predicted, traded and reported."""
    edits = {**SMALL, "model.max_epochs": 1, "images.size_pixels": 8}
    return make_project(tmp_path, str(FIRST), str(LAST), edits)


def test_nothing_depends_on_later_ticks(project: Project) -> None:
    """Ticks to motifs, trained networks, calibrations, thresholds and predictions included."""
    found = run_audit(project, "demo", moments_ns=[AMID_MARCH, LAST.start_ns - 1], caps=CAPS)
    assert found.passed, found.text()
    assert list(found.coverage) == list(STAGES)
    for asset, coverage in found.coverage.items():
        assert coverage.months == 3, asset
        assert coverage.felt == 2, f"{asset} did not notice the tampering"
    compared = {table: n for c in found.coverage.values() for table, n in c.rows.items()}
    assert [table for table, n in compared.items() if n == 0] == []
    assert found.coverage["model"].warm_up == 0
    assert found.coverage["predictions"].months - found.coverage["predictions"].warm_up == 1


def test_scaling_predictions_over_the_whole_month(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is given features in units of the month it predicts."""
    from price_physics.model import predict as module

    predict = module.predict

    def scaled(study: Any, month: Month, model: Any, bars: Any, windows: Any, features: Any) -> Any:
        columns = features[FEATURE_COLUMNS]
        of_month = (columns - columns.mean()) / columns.std()
        whole = pd.concat([features[["event_time_ns"]], of_month, features[["regime"]]], axis=1)
        return predict(study, month, model, bars, windows, whole.replace(np.nan, 0.0))

    monkeypatch.setattr(module, "predict", scaled)
    found = run_audit(project, "demo", moments_ns=[AMID_MARCH], assets=["predictions"], caps=CAPS)
    assert {leak.asset for leak in found.leaks} == {"predictions"}
    assert "p_up" in {leak.column for leak in found.leaks}
