"""Artefacts that tell which version of them was read, and a writer that never ends."""

from pathlib import Path

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.schemas.ticks import TICKS
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store

KEY = ("demo", "ticks")
MONTH = Month(2012, 3)


def make_artefact(n: int = 5, price: float = 4.9) -> Artefact:
    """One of every kind of file; every row of the table has the price."""
    frame = pd.DataFrame(
        {
            "time_ns": np.arange(n, dtype="int64") + MONTH.start_ns,
            "trade_id": pd.array([None] * n, dtype="Int64"),
            "price": np.full(n, price),
            "qty": np.ones(n),
            "tick_sign": np.ones(n, dtype="int8"),
        }
    )
    return Artefact(
        tables=((TICKS, frame),),
        documents={"quality": {"rows_read": n, "share": None}},
        tensors={"network": {"weight": np.eye(3, dtype="float32"), "steps": np.array(7)}},
        files={"sheet.png": b"\x89PNG"},
        warm_up="too young",
    )


def write_version(root: Path, price: float, n: int = 20_000) -> None:
    """Write one version of the partition."""
    Store(root).write(KEY, MONTH, make_artefact(n, price), code_version="1")


def write_for_ever(root: Path, first: int = 1, step: int = 1) -> None:
    """Write version after version, each of another price."""
    version = first
    while True:
        write_version(root, float(version))
        version += step


def version_of(root: Path, n: int = 20_000) -> float:
    """The price of the version that is read; raises where it is none, or more than one."""
    partition = Store(root).read(KEY, MONTH)
    ticks = partition.table("ticks")
    partition.verify()
    assert len(ticks) == n, f"{len(ticks)} rows of {n}"
    assert ticks["price"].nunique() == 1, "rows of two versions"
    return float(ticks["price"].iloc[0])
