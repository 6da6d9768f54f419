"""vectorbt, with its Rust engine: breakout labels, the nearest it has to a triple barrier.

``vbt.BOLB`` labels every bar by whichever threshold a later close reaches first; its horizon counts
bars. It gives labels and nothing else: no touch, no end of the label. Its engine is called
directly, without the frames around it, and is faster than its numba one here.
"""

from pathlib import Path

from price_physics_tests.benchmarks.contender import Job, serve

_WIDTH, _HORIZON_BARS = 0.01, 600


def bar_labels(bars: str) -> Job:
    """Label every bar; the result is a checksum of the labels."""
    import zlib

    import numpy as np
    from vectorbt.labels.dispatch import breakout_labels

    close = np.load(Path(bars) / "close.npy")[:, None]
    width = np.float64(_WIDTH)

    def job() -> str:
        found = breakout_labels(close, _HORIZON_BARS, width, width, wait=1, engine="rust")
        return f"{zlib.crc32(found[:, 0].astype(np.int8)):08x}"

    return job


if __name__ == "__main__":
    serve({"bar_labels": bar_labels}, ["vectorbt", "vectorbt-rust", "numba", "numpy", "pandas"])
