"""pymlfinance, in Rust: average uniqueness and purged k-fold; its splits for the golden files.

It takes a list of tuples and nothing else: the list is made beforehand. Its splits give lists, made
anew at every look: they are not looked at while it is timed.
"""

from pathlib import Path
from typing import Any

from price_physics_tests.benchmarks.contender import Job, serve


def _spans(bars: str) -> list[tuple[int, int]]:
    import numpy as np

    return list(enumerate(np.load(Path(bars) / "label_end.npy").tolist()))


def uniqueness(bars: str) -> Job:
    from pymlfinance.sampling import average_uniqueness

    spans = _spans(bars)
    return lambda: f"{average_uniqueness(spans, len(spans)).mean():.6f}"


def purged_k_fold(bars: str) -> Job:
    """Five splits by position; it checks nothing of the labels."""
    from pymlfinance.modeling import PurgedKFold

    spans = _spans(bars)
    return lambda: len(PurgedKFold(5, 0.0).split(spans, len(spans)))


def golden_splits(labels: dict[str, list[int]], settings: list[dict[str, Any]]) -> Job:
    """Split the labels, once with every setting; and weigh them, as bars are their times."""
    from pymlfinance.modeling import PurgedKFold
    from pymlfinance.sampling import average_uniqueness

    spans = list(zip(labels["start"], labels["end"], strict=True))

    def job() -> dict[str, Any]:
        found = []
        for one in settings:
            splits = PurgedKFold(**one).split(spans, len(spans))
            found.append({"settings": one, "splits": [[s.train, s.test] for s in splits]})
        uniqueness = average_uniqueness(spans, max(labels["end"]) + 1).tolist()
        return {"purged_k_fold": found, "average_uniqueness": uniqueness}

    return job


if __name__ == "__main__":
    tasks = {
        "uniqueness": uniqueness,
        "purged_k_fold": purged_k_fold,
        "golden_splits": golden_splits,
    }
    serve(tasks, ["pymlfinance", "numpy"])
