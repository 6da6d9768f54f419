"""A program that builds a month from a zipped CSV and prints the most memory it held.

    python -m price_physics_tests.ticks.peak_memory FOLDER

Blocks are small and the sorter may keep few rows, so that the month passes through the disk.
"""

import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from price_physics.store import spool
from price_physics.ticks import look
from price_physics.ticks.build import build_ticks
from price_physics.ticks.month import trades
from price_physics.ticks.month.sort import TickSorter
from price_physics.ticks.reading.read import read_file

from .helpers import MAY, market
from .hostile import forget_peak, peak_mb, warm_up

SETTINGS = market(header=["trade_id", "timestamp", "price", "qty"])


def write_month(folder: Path, n_rows: int, n_pieces: int = 5) -> None:
    """Trades all over May; every piece of the file spans the month."""
    options = pa.csv.WriteOptions(include_header=False)
    span_ms = (MAY.stop_ns - MAY.start_ns) // 10**6
    ids = np.arange(n_rows // n_pieces) * n_pieces
    path = folder / "a.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.csv", "w") as stream,
    ):
        for piece in range(n_pieces):
            times = MAY.start_ns // 10**6 + (ids + piece) * span_ms // n_rows
            price = 5000 + (ids + piece) % 977 / 8
            table = pa.table([ids + piece, times, price, 1 + ids % 7], ["i", "t", "p", "q"])
            pa.csv.write_csv(table, stream, options)


def main() -> None:
    spool.ROW_GROUP = 1 << 16
    look.read_file = partial(read_file, block_bytes=1 << 20)
    trades.TickSorter = partial(TickSorter, memory_rows=1 << 16, slice_rows=1 << 16)
    folder = Path(sys.argv[1])
    warm_up()
    forget_peak()
    start = time.perf_counter()
    result = build_ticks(SETTINGS, MAY, folder / "files", scratch=folder)
    print(result.document("quality")["ticks"], peak_mb(), time.perf_counter() - start)


if __name__ == "__main__":
    main()
