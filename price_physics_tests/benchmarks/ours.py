"""price_physics as a contender, and the maker of everybody's data."""

import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from price_physics.bars.kernels import dollar_bars, imbalance_bars
from price_physics.bars.ticks import bars_of_ticks
from price_physics.folds.purged import CombinatorialPurgedCV, PurgedKFold
from price_physics.labels.driftless import driftless_odds
from price_physics.labels.kernels import (
    STOP_LOSS_FIRST,
    _pyramid,
    _touch,
    first_touch,
    first_touch_bars,
)
from price_physics.schemas.ticks import TICKS
from price_physics.store.partitions import Store
from price_physics.study.bars import DollarBars
from price_physics.study.market import TradeMarket
from price_physics.ticks.build import build_ticks
from price_physics.weights.kernels import average_uniqueness
from price_physics_tests.benchmarks import data, images, inference, training
from price_physics_tests.benchmarks.contender import Job, serve
from price_physics_tests.labels.naive import first_touch_scan


def _load(ticks: str, *names: str) -> list[Any]:
    return [np.load(Path(ticks) / f"{name}.npy") for name in names]


def make(what: str, n: int, folder: str) -> Job:
    """Make data, unless it is there; the result is its path."""
    makers = {"arrays": data.arrays, "bars": data.bars}
    makers |= {"plain_csv": data.plain_csv, "zipped_csv": data.zipped_csv}
    return lambda: str(makers[what](n, Path(folder)))


def ingest(csv: str) -> Job:
    """Vendor file -> clean month on disk with every check on, starting without any index."""
    source, month = Path(csv), data.MONTH
    market = TradeMarket(name="bench", symbol="BENCH", files=["*"], first_month=month)

    def job() -> int:
        with tempfile.TemporaryDirectory(dir=source.parent) as folder:
            raw = Path(folder, "raw")
            raw.mkdir()
            os.link(source, raw / source.name)
            artefact = build_ticks(market, month, raw, scratch=Path(folder))
            store = Store(Path(folder, "store"))
            store.write(("bench", "ticks"), month, artefact, code_version="bench")
            return int(artefact.document("quality")["ticks"])

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
    config, month = DollarBars(threshold_quote=threshold), data.MONTH
    return lambda: len(bars_of_ticks(config, month, {month: [frame]}))


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


# ---------------------------------------------------------------------------- labels
def _paths(ticks: str, n_events: int, width: float) -> tuple[Any, ...]:
    """Events spread evenly over the ticks, with barriers at a width in price."""
    time_ns, price = _load(ticks, "time_ns", "price")
    event = np.arange(n_events) * (len(price) // n_events)
    return time_ns, price, event, price[event] + width, price[event] - width, data.HORIZON_NS


def tick_labels(ticks: str, n_events: int, width: float, n_checked: int) -> Job:
    """First touches of the ticks; the result is a checksum of every so many."""
    case = _paths(ticks, n_events, width)
    return lambda: _checksum(first_touch(*case), n_events // n_checked)


def tick_searches(ticks: str, n_events: int, width: float) -> Job:
    """The same but for the pyramid, which stands; the result is how many reach a barrier."""
    time_ns, price, event, upper, lower, horizon_ns = _paths(ticks, n_events, width)
    nodes, bits = _pyramid(price, price, n_events)
    path = (time_ns, price, price, nodes, bits, event, upper, lower)

    def job() -> int:
        label, touch = np.zeros(n_events, np.int8), np.empty(n_events, np.int64)
        _touch(*path, np.array([horizon_ns]), np.array([1], np.int8), label, touch)  # type: ignore[call-arg]
        return int(np.count_nonzero(label))

    return job


def scan_labels(ticks: str, n_events: int, width: float) -> Job:
    """The same by a compiled loop over each path that stops at the touch."""
    *case, horizon_ns = _paths(ticks, n_events, width)
    horizons = np.full(n_events, horizon_ns)
    return lambda: _checksum(first_touch_scan(*case, horizons))


def _checksum(found: tuple[Any, ...], every: int = 1) -> str:
    """Of labels and touches: results are compared, and only numbers are shown."""
    label, touch = (np.ascontiguousarray(column[::every]) for column in found[:2])
    return f"{zlib.crc32(label):08x} {zlib.crc32(touch):08x}"


def bar_labels(bars: str) -> Job:
    """First touches of the closes; the result is a checksum of the labels alone."""
    time_ns, close = _load(bars, "close_time_ns", "close")
    event, upper, lower = np.arange(len(close)), close * (1 + data.WIDTH), close * (1 - data.WIDTH)

    def job() -> str:
        label, _ = first_touch(time_ns, close, event, upper, lower, data.HORIZON_NS)
        return f"{zlib.crc32(label):08x}"

    return job


def high_low_labels(bars: str) -> Job:
    """First touches of the whole bars; the result is how many bars touch both sides."""
    time_ns, high, low, close = _load(bars, "close_time_ns", "high", "low", "close")
    event, upper, lower = np.arange(len(close)), close * (1 + data.WIDTH), close * (1 - data.WIDTH)
    case = (time_ns, high, low, event, upper, lower, data.HORIZON_NS, STOP_LOSS_FIRST)
    return lambda: first_touch_bars(*case)[2]


def passage_odds(n_events: int) -> Job:
    """Barriers of 1 to 5 ATR either side, horizons of 1 to 1,000 bars; the sum of a chance."""
    rng = np.random.default_rng(0)
    side = np.where(rng.random(n_events) < 0.5, 1, -1)
    take_profit, stop_loss = rng.uniform(1, 5, (2, n_events))
    n_bars = 10 ** rng.uniform(0, 3, n_events)
    return lambda: f"{driftless_odds(side, take_profit, stop_loss, n_bars)[1].sum():.6f}"


def uniqueness(bars: str) -> Job:
    (end,) = _load(bars, "label_end")
    start = np.arange(len(end))
    return lambda: f"{average_uniqueness(start, end, len(end)).mean():.6f}"


def purged_k_fold(bars: str) -> Job:
    """Five splits, the checks of the labels included."""
    labels = _load(bars, "close_time_ns", "label_end_ns")
    return lambda: _n_trained(PurgedKFold(5, *labels).split(labels[0]))


def combinatorial(bars: str) -> Job:
    """Six choose two: fifteen splits, the checks of the labels included."""
    labels = _load(bars, "close_time_ns", "label_end_ns")
    return lambda: _n_trained(CombinatorialPurgedCV(6, 2, *labels).split(labels[0]))


def _n_trained(splits: Any) -> int:
    return sum(len(train) for train, _ in splits)


TASKS = {
    "make": make,
    "ingest": ingest,
    "dollar_index": dollar_index,
    "dollar_table": dollar_table,
    "imbalance_index": imbalance_index,
    "read_once": read_once,
    "tick_labels": tick_labels,
    "tick_searches": tick_searches,
    "scan_labels": scan_labels,
    "bar_labels": bar_labels,
    "high_low_labels": high_low_labels,
    "passage_odds": passage_odds,
    "uniqueness": uniqueness,
    "purged_k_fold": purged_k_fold,
    "combinatorial": combinatorial,
    **images.TASKS,
    **training.TASKS,
    **inference.TASKS,
}

if __name__ == "__main__":
    serve(TASKS, ["numba", "numpy", "pandas", "pyarrow"])
