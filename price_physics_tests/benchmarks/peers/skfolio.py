"""skfolio: combinatorial purged splits, timed and for the golden files.

It knows no labels: it purges a number of rows on either side of what is tested.
"""

from pathlib import Path
from typing import Any

from price_physics_tests.benchmarks.contender import Job, serve


def combinatorial(bars: str) -> Job:
    """Six choose two; as many rows purged as the longest label has, which is what is safe."""
    import numpy as np
    from skfolio.model_selection import CombinatorialPurgedCV

    end = np.load(Path(bars) / "label_end.npy")
    longest = int((end - np.arange(len(end))).max())
    rows = np.zeros((len(end), 1))

    def job() -> int:
        splits = CombinatorialPurgedCV(6, 2, purged_size=longest).split(rows)
        return sum(len(train) for train, _ in splits)

    return job


def golden_splits(labels: dict[str, list[int]], settings: list[dict[str, Any]]) -> Job:
    """Split as many rows as there are labels, once with every setting."""
    import numpy as np
    from skfolio.model_selection import CombinatorialPurgedCV

    rows = np.zeros((len(labels["start"]), 1))

    def job() -> dict[str, Any]:
        found = []
        for one in settings:
            splits = CombinatorialPurgedCV(**one).split(rows)
            pairs = [[train.tolist(), np.concatenate(tests).tolist()] for train, tests in splits]
            found.append({"settings": one, "splits": pairs})
        return {"combinatorial": found}

    return job


if __name__ == "__main__":
    tasks = {"combinatorial": combinatorial, "golden_splits": golden_splits}
    serve(tasks, ["skfolio", "numpy", "scikit-learn"])
