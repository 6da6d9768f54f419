"""What killed writers leave is swept, and what a writer may still be at is not."""

import os
import time

from price_physics.pipeline.leftovers import OLD_S, sweep_leftovers
from price_physics.project import Project


def test_old_temporary_files_go_and_all_else_stays(tmp_path):
    project = Project(tmp_path)
    names = [
        project.outputs / "demo" / "reports" / ".tmp-a",
        project.data / "checkpoints" / "demo" / "2012-01" / ".tmp-b",
        project.data / "index" / ".tmp-c",
        project.ledger / ".tmp-d",
    ]
    kept = [
        project.outputs / "other" / ".tmp-e",
        project.outputs / "demo" / "reports" / "2012-01.html",
        project.ledger / "ledger.jsonl",
        project.data / "index" / ".tmp-young",
    ]
    for path in [*names, *kept]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        old = time.time() - (0 if path.name == ".tmp-young" else OLD_S + 60)
        os.utime(path, (old, old))
    assert sweep_leftovers(project, "demo") == len(names)
    assert [path for path in [*names, *kept] if path.exists()] == kept
    assert sweep_leftovers(project, "demo") == 0
