"""price_physics as a contender, and the maker of everybody's data."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from price_physics.bars.build import build_bars
from price_physics.bars.kernels import dollar_bars, imbalance_bars
from price_physics.schemas import QUARANTINE, TICKS
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store
from price_physics.study import BarsConfig, Market
from price_physics.ticks.build import build_ticks
from price_physics_tests.benchmarks import data
from price_physics_tests.benchmarks.contender import Job, serve


def _load(ticks: str, *names: str) -> list[Any]:
    return [np.load(Path(ticks) / f"{name}.npy") for name in names]


def make(what: str, n: int, folder: str) -> Job:
    """Make data, unless it is there; the result is its path."""
    makers = {"arrays": data.arrays, "plain_csv": data.plain_csv, "zipped_csv": data.zipped_csv}
    return lambda: str(makers[what](n, Path(folder)))


def ingest(csv: str) -> Job:
    """Vendor file -> clean month on disk with every check on, starting without any index."""
    source, month = Path(csv), data.MONTH
    market = Market(name="bench", symbol="BENCH", files=["*"], first_month=month)

    def job() -> int:
        with tempfile.TemporaryDirectory(dir=source.parent) as folder:
            raw = Path(folder, "raw")
            raw.mkdir()
            os.link(source, raw / source.name)
            result = build_ticks(market, raw, month, scratch=Path(folder))
            artefact = Artefact(
                tables=((TICKS, result.ticks), (QUARANTINE, result.quarantine)),
                documents={"quality": result.quality},
            )
            store = Store(Path(folder, "store"))
            store.write(("bench", "ticks"), month, artefact, code_version="bench")
            result.ticks.file.close()
            return int(result.quality["ticks"])

    return job


def dollar_index(ticks: str, threshold: float) -> Job:
    price, qty = _load(ticks, "price", "qty")
    return lambda: len(dollar_bars(price, qty, threshold))


def dollar_table(ticks: str, threshold: float) -> Job:
    """The stage: every column of BARS, the partial bar included."""
    names = ("time_ns", "price", "qty", "tick_sign")
    frame = pd.DataFrame(dict(zip(names, _load(ticks, *names), strict=True)))
    frame["trade_id"] = pd.array([None] * len(frame), "Int64")
    frame = frame[TICKS.columns]
    config, month = BarsConfig(threshold_quote=threshold), data.MONTH
    return lambda: len(build_bars(config, month, {month: [frame]}))


def imbalance_index(ticks: str, expected_ticks: float, expected_quote: float) -> Job:
    """Between a tenth and ten times the expected ticks a bar; a span of nineteen bars."""
    price, qty, tick_sign = _load(ticks, "price", "qty", "tick_sign")
    guards = (int(expected_ticks / 10), int(expected_ticks * 10))

    def job() -> int:
        first = (expected_ticks, expected_quote, 19.0)
        return len(imbalance_bars(price, qty, tick_sign, *first, *guards))

    return job


def read_once(ticks: str) -> Job:
    """Read the arrays as fast as numpy does: the sum of each."""
    price, qty = _load(ticks, "price", "qty")
    return lambda: float(np.sum(price)) + float(np.sum(qty))


TASKS = {
    "make": make,
    "ingest": ingest,
    "dollar_index": dollar_index,
    "dollar_table": dollar_table,
    "imbalance_index": imbalance_index,
    "read_once": read_once,
}

if __name__ == "__main__":
    serve(TASKS, ["numba", "numpy", "pandas", "pyarrow"])
