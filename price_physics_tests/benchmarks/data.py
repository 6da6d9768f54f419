"""Seeded ticks of one month: arrays in memory, and CSV in the layout of Binance's futures.

Also bars by the minute, as many as are asked for, with a label on each.

Synthetic: a walk on a grid of ten cents, heavy-tailed sizes, sides that come in runs, several
trades a millisecond; sorted by id and time, as such dumps are. Made in chunks, so that a hundred
million ticks need no more memory than one million.
"""

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from price_physics.labels.kernels import first_touch
from price_physics.months import Month

MONTH = Month(2024, 1)
SEED = 20240101
HEADER = b"id,price,qty,quote_qty,time,is_buyer_maker\n"
_CHUNK = 1_000_000

MINUTE_NS = 60 * 10**9
HORIZON_NS = 600 * MINUTE_NS
WIDTH = 0.01
"""Barriers of the bars, either side, as a fraction of the close."""


def chunks(n: int) -> Iterator[dict[str, NDArray]]:
    """Yield the columns ``id, price, qty, time_ms, is_buyer_maker``, a million rows at a time."""
    first_ms, stop_ms = MONTH.start_ns // 10**6, MONTH.stop_ns // 10**6
    level, is_buy = 420_000, True
    for start in range(0, n, _CHUNK):
        rng = np.random.default_rng([SEED, start])
        size = min(_CHUNK, n - start)
        begin, end = (first_ms + (stop_ms - first_ms) * i // n for i in (start, start + size))
        levels = level + np.cumsum(rng.integers(-1, 2, size))
        buys = is_buy ^ (np.cumsum(rng.random(size) < 0.3) % 2 == 1)
        yield {
            "id": np.arange(start, start + size) + 4_000_000_000,
            "price": np.round(levels * 0.1, 1),
            "qty": np.round(rng.lognormal(-3, 1.5, size) + 0.001, 3),
            "time_ms": np.sort(rng.integers(begin, end, size)),
            "is_buyer_maker": ~buys,
        }
        level, is_buy = int(levels[-1]), bool(buys[-1])


def arrays(n: int, folder: Path) -> Path:
    """Write ``time_ns, price, qty, tick_sign`` as .npy files; return their folder."""
    target = folder / f"ticks-{n}"
    if target.exists():
        return target
    parts = list(chunks(n))
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    sign = np.where(whole["is_buyer_maker"], -1, 1).astype(np.int8)
    columns = {"time_ns": whole["time_ms"] * 10**6, "tick_sign": sign}
    return _save({**columns, "price": whole["price"], "qty": whole["qty"]}, target)


def bars(n: int, folder: Path) -> Path:
    """Write minute bars and their labels as .npy files; return their folder.

    A walk of five basis points a minute: ``close_time_ns, high, low, close``. Each bar is an event
    with barriers at one percent and ten hours to go: its label lasts from its own position to
    ``label_end``, in time from ``close_time_ns`` to ``label_end_ns``. A fifth time out.
    """
    target = folder / f"bars-{n}"
    if target.exists():
        return target
    rng = np.random.default_rng([SEED, n])
    close = 40_000 * np.exp(np.cumsum(rng.normal(0, 5e-4, n)))
    time_ns = MONTH.start_ns + MINUTE_NS * np.arange(n)
    wick = np.abs(rng.normal(0, 3e-4, (2, n)))
    barriers = (close * (1 + WIDTH), close * (1 - WIDTH))
    _, label_end = first_touch(time_ns, close, np.arange(n), *barriers, HORIZON_NS)
    columns = {"close_time_ns": time_ns, "close": close, "label_end": label_end}
    columns |= {"high": close * (1 + wick[0]), "low": close * (1 - wick[1])}
    return _save({**columns, "label_end_ns": time_ns[label_end]}, target)


def plain_csv(n: int, folder: Path) -> Path:
    """Write the ticks as one CSV; return its path."""
    target = folder / f"BENCH-trades-{n}.csv"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = target.with_suffix(".part")
        with beside.open("wb") as file:
            _write_rows(n, file)
        beside.rename(target)
    return target


def zipped_csv(n: int, folder: Path) -> Path:
    """Write the ticks as one CSV inside a zip, as the exchange does; return its path."""
    target = folder / f"BENCH-trades-{n}.zip"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = target.with_suffix(".part")
        with (
            zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(f"{target.stem}.csv", "w", force_zip64=True) as file,
        ):
            _write_rows(n, file)
        beside.rename(target)
    return target


def _save(columns: dict[str, NDArray], target: Path) -> Path:
    beside = target.with_name(f"{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, column in columns.items():
        np.save(beside / f"{name}.npy", column)
    return beside.rename(target)


def _write_rows(n: int, file: io.BufferedIOBase) -> None:
    file.write(HEADER)
    options = pa.csv.WriteOptions(include_header=False)
    for part in chunks(n):
        quote_qty = np.round(part["price"] * part["qty"], 4)
        columns = [part[name] for name in ("id", "price", "qty")]
        columns += [quote_qty, part["time_ms"], part["is_buyer_maker"]]
        text = io.BytesIO()
        pa.csv.write_csv(pa.table(columns, HEADER.decode().strip().split(",")), text, options)
        file.write(text.getbuffer())
