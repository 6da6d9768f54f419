"""The way in from a shell: the real ``dagster`` command, on a cold home, in a subprocess."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from price_physics.months import Month
from price_physics.pipeline.dag import STAGES
from price_physics.store.partitions import Store
from price_physics_tests.e2e.projects import ROOT, make_project, partitions_of


def test_materialise_everything_for_the_first_month(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", first_month="2011-09")
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    command = [
        str(Path(sys.executable).parent / "dagster"),
        *("asset", "materialize", "-m", "price_physics.definitions"),
        *("--select", "*", "--partition", "2011-09-01"),
    ]
    done = subprocess.run(
        command,
        cwd=project.root,
        env={**os.environ, "DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert set(partitions_of(project)) == {(asset, "2011-09") for asset in STAGES}
    month = Month(2011, 9)
    store = Store(project.store)
    ticks = store.read(("bitstamp_usd", "ticks"), month).table("ticks")
    assert len(ticks) == 134
    assert ticks["price"].iloc[0] == 5.8
    bars = store.read(("demo", "bars"), month).table("bars")
    assert bars["n_ticks"].sum() == 134
    assert store.read(("demo", "predictions"), month).warm_up
    assert (project.outputs / "demo" / "reports" / "2011-09.html").exists()
