"""``python -m price_physics_tests.benchmarks.peer_labels``: ask peers for labels and splits again.

Writes ``price_physics_tests/labels/golden/mlfinpy.json`` and
``price_physics_tests/folds/golden/<peer>.json``: the peer's versions, and what it makes of the path
in ``price_physics_tests/labels/peer_path.py`` and of the labels in
``price_physics_tests/folds/peer_labels.py``.
"""

from price_physics_tests.benchmarks.harness import ROOT
from price_physics_tests.benchmarks.peer_bars import write_golden
from price_physics_tests.folds import peer_labels
from price_physics_tests.labels import peer_path

LABELS = ROOT / "price_physics_tests" / "labels" / "golden"
SPLITS = ROOT / "price_physics_tests" / "folds" / "golden"


def main() -> None:
    path = {"path": peer_path.peer_path(), "settings": peer_path.SETTINGS}
    write_golden(LABELS / "mlfinpy.json", "golden_labels", path)
    for peer, settings in peer_labels.SETTINGS.items():
        args = {"labels": peer_labels.peer_labels(), "settings": settings}
        write_golden(SPLITS / f"{peer}.json", "golden_splits", args)


if __name__ == "__main__":
    main()
