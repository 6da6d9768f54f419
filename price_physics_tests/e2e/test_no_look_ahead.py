"""Promise one: change every tick after a month ends, and nothing known at its end changes."""

import numpy as np
import pytest

from price_physics.months import Month
from price_physics.project import Project
from price_physics_tests.e2e.conftest import run
from price_physics_tests.e2e.projects import SAMPLE, contents, make_project, partitions_of

CUT = Month(2012, 3)


def tampered_sample(seed: int) -> bytes:
    """Rewrite every tick after the cut: other prices and sizes, some deleted, some added."""
    rng = np.random.default_rng(seed)
    lines = []
    for line in SAMPLE.read_text().splitlines():
        time, price, amount = line.split(",")
        if int(time) * 10**9 <= CUT.end_ns:
            lines.append(line)
        elif rng.random() < 0.8:
            factor = np.exp(rng.normal(0.2, 0.1))
            lines.append(f"{time},{float(price) * factor:.4f},{float(amount) * 3 + 0.5:.4f}")
            if rng.random() < 0.1:
                lines.append(f"{int(time) + 7},{float(price) * 2:.4f},1.0")
    return ("\n".join(lines) + "\n").encode()


def test_nothing_known_at_the_end_of_a_month_depends_on_later_ticks(
    small_run: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Ticks to report, trained networks, calibrations, thresholds and predictions included."""
    folder = tmp_path_factory.mktemp("tampered")
    tampered = partitions_of(run(make_project(folder, ticks=tampered_sample(seed=5))))
    changed = set()
    for (asset, month), partition in partitions_of(small_run).items():
        same = contents(partition) == contents(tampered[asset, month])
        if Month.parse(month) <= CUT:
            assert same, f"{asset} of {month} changed with ticks after {CUT}"
        elif not same:
            changed.add(asset)
    assert partitions_of(small_run)["model", str(CUT)].warm_up is None
    # the tampering bites: had it changed nothing, the test above would prove nothing
    assert {"ticks", "bars", "labels", "predictions", "walk_forward", "report"} <= changed
