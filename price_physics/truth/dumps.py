"""Synthetic dumps on disk: packed as the vendor packs them, streamed, and marked as synthetic.

The ticks do not depend on the vendor: one seed gives one market in every format. Beside every
data file lies ``<file name>.SYNTHETIC``, which says so to people and to the reader of ticks. It
is written first, so that the file is never there unmarked.
"""

import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from price_physics import __version__
from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.store.atomic import write_atomically
from price_physics.truth.exchange import PRICE_DECIMALS, QTY_DECIMALS, Ticks, exchange_ticks
from price_physics.truth.vendors import DUMP_FORMATS, DumpFormat, csv_blocks

SIDECAR_SUFFIX = ".SYNTHETIC"

_FAST = 1  # zlib's level: six takes several times as long for a fifth less
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class SyntheticMarket:
    """A market that does not exist.

    Attributes
    ----------
    symbol : str
        Letters, digits, ``-`` and ``_``; it names the files.
    first_month : Month
    n_months : int
        The files of a longer market begin with those of the shorter one.
    ticks_a_day : int
        Average: a month holds exactly this many times its days.
    seed : int
    """

    symbol: str
    first_month: Month
    n_months: int
    ticks_a_day: int
    seed: int

    def ticks(self) -> Iterator[Ticks]:
        """Generate the ticks, hour by hour; raises as `exchange_ticks`."""
        return exchange_ticks(self.first_month, self.n_months, self.ticks_a_day, self.seed)


def write_synthetic_dumps(
    market: SyntheticMarket,
    vendor: str,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write the dumps of a market that does not exist, in a vendor's format.

    Parameters
    ----------
    market : SyntheticMarket
    vendor : str
        One of ``DUMP_FORMATS``.
    folder : Path
        Created; files of the same names are replaced.
    progress : callable, optional
        Called with (days done, days in all).

    Returns
    -------
    list of Path
        The data files in order of time, without checksums and sidecars; a day without a trade has
        none. Same arguments, same bytes.

    Raises
    ------
    ConfigError
        For an unknown vendor, a symbol that cannot name a file, or a number out of range.
    """
    if vendor not in DUMP_FORMATS:
        raise ConfigError(f"vendor {vendor!r}: choose one of {', '.join(DUMP_FORMATS)}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", market.symbol):
        raise ConfigError(
            f"symbol {market.symbol!r}: use letters, digits, '-' and '_', as in BTCUSDT"
        )
    ticks = market.ticks()
    if progress:
        ticks = _counted(ticks, market, progress)
    dump, paths = DUMP_FORMATS[vendor], []
    length = len("2024-01") if dump.period == "month" else len("2024-01-01")
    for period, hours in groupby(ticks, lambda hour: _day(hour)[:length]):
        path = folder / dump.name.format(symbol=market.symbol, period=period)
        sidecar = path.with_name(path.name + SIDECAR_SUFFIX)
        mark = json.dumps(_mark(market, vendor, period[: len("2024-01")]), indent=2)
        write_atomically(sidecar, f"{mark}\n".encode())
        _write_file(path, dump, hours, market)
        paths.append(path)
    return paths


def _mark(market: SyntheticMarket, vendor: str, month: str) -> dict[str, object]:
    """The content of the file that marks a dump."""
    return {
        "synthetic": True,
        "generator": "price-physics synthetic-ticks",
        "version": __version__,
        "symbol": market.symbol,
        "month": month,
        "first_month": str(market.first_month),
        "ticks_a_day": market.ticks_a_day,
        "seed": market.seed,
        "vendor": vendor,
    }


def _day(ticks: Ticks) -> str:
    return datetime.fromtimestamp(ticks.hour_start_us // 1_000_000, tz=UTC).strftime("%Y-%m-%d")


def _counted(
    ticks: Iterator[Ticks], market: SyntheticMarket, progress: Callable[[int, int], None]
) -> Iterator[Ticks]:
    """Pass the hours on, and report every day that is done."""
    start_us = market.first_month.start_ns // 1_000
    n_days = ((market.first_month + market.n_months).start_ns // 1_000 - start_us) // _DAY_US
    done = 0
    for hour in ticks:
        over = (hour.hour_start_us - start_us) // _DAY_US
        if over > done:
            progress(done := over, n_days)
        yield hour
    progress(n_days, n_days)


def _write_file(
    path: Path, dump: DumpFormat, hours: Iterator[Ticks], market: SyntheticMarket
) -> None:
    """Write one data file and, beside a zip, its checksum."""

    def write_text(file: BinaryIO) -> None:
        header = f"{dump.header}\n" if dump.header else ""
        with _packed(file, path) as packed, ThreadPoolExecutor(1) as compressor:
            written = compressor.submit(packed.write, header.encode())
            for ticks in hours:
                for block in csv_blocks(dump.columns(ticks, market.symbol, market.seed)):
                    written.result()  # one block is packed while the next is made
                    written = compressor.submit(packed.write, block)
            written.result()

    if path.suffix == ".parquet":
        write_atomically(path, lambda file: _write_parquet(file, hours))
        return
    write_atomically(path, write_text)
    if path.suffix == ".zip":
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        line = f"{digest}  {path.name}\n"
        write_atomically(path.with_name(f"{path.name}.CHECKSUM"), line.encode())


@contextmanager
def _packed(file: BinaryIO, path: Path) -> Iterator[IO[bytes]]:
    """Open the packed file for rows; its bytes depend on neither clock nor platform."""
    if path.suffix == ".gz":
        with gzip.GzipFile("", "wb", _FAST, file, mtime=0) as packed:
            yield packed  # type: ignore[misc]
    elif path.suffix == ".zip":
        # A name makes a member dated 1980. Its size is unknown, and may exceed 4 GiB.
        with (
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST) as archive,
            archive.open(f"{path.stem}.csv", "w", force_zip64=True) as packed,
        ):
            yield packed
    else:
        yield file


def _write_parquet(file: BinaryIO, hours: Iterator[Ticks]) -> None:
    """Write the columns of the generic format, typed: times in microseconds, floats, a boolean."""
    schema = pa.schema(
        {
            "timestamp": pa.int64(),
            "price": pa.float64(),
            "qty": pa.float64(),
            "trade_id": pa.int64(),
            "is_buyer_maker": pa.bool_(),
        }
    )
    with pq.ParquetWriter(file, schema) as writer:
        for ticks in hours:
            price = ticks.price_ticks / 10**PRICE_DECIMALS
            qty = ticks.qty_lots / 10**QTY_DECIMALS
            columns = [ticks.time_us, price, qty, ticks.trade_id, ticks.is_buyer_maker]
            writer.write_table(pa.Table.from_arrays([pa.array(c) for c in columns], schema=schema))
