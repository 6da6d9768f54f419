"""Look at a market's files: read those that the index does not know, or that somebody wants.

What becomes of their rows is not known here: a taker is given them block by block.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from price_physics.errors import TickDataError
from price_physics.ticks.formats.registry import format_version
from price_physics.ticks.index import FileEntry
from price_physics.ticks.reading.files import (
    display_name,
    hash_file,
    input_files,
    verify_checksum,
)
from price_physics.ticks.reading.read import read_file
from price_physics.ticks.reading.rows import kind_of_rows

if TYPE_CHECKING:
    from price_physics.progress import Progress
    from price_physics.study.market import Market
    from price_physics.ticks.index import FileIndex
    from price_physics.ticks.reading.rows import Block

_SAVE_EVERY_S = 20.0


class Taker(Protocol):
    """Takes what files hold, file by file; a file goes by its number."""

    def wants(self, entry: FileEntry) -> bool:
        """Say whether a file that is known has to be read again."""

    def take(self, block: Block, number: int) -> None:
        """Take a block of a file."""

    def end_file(self, number: int, file: str, path: Path, entry: FileEntry) -> None:
        """Settle a file that has been read whole."""


def look_at_files(
    market: Market,
    root: Path,
    index: FileIndex,
    progress: Progress | None = None,
    taker: Taker | None = None,
) -> dict[str, FileEntry]:
    """Read the files that the index does not know, and those that a taker wants.

    Parameters
    ----------
    market : Market
    root : Path
        Folder that the market's globs are relative to.
    index : FileIndex
        It learns what it did not know.
    progress : callable (bytes done, bytes in all, file), optional
    taker : Taker, optional
        Is given every block of every file that is read.

    Returns
    -------
    dict of str to FileEntry
        What every file holds, by name.

    Raises
    ------
    TickDataError
        When there is no file, one that is read cannot be trusted, or one is there twice.
    """
    paths = {display_name(path, root): path for path in input_files(market, root)}
    known = {file: index.get(file, path) for file, path in paths.items()}
    wanted = {f for f, e in known.items() if e is None or (taker and taker.wants(e))}
    total, done = sum(paths[file].stat().st_size for file in wanted), 0
    entries: dict[str, FileEntry] = {}
    saved_s = time.monotonic()
    try:
        for number, (file, path) in enumerate(paths.items()):
            entry = known[file]
            if entry is None or file in wanted:
                if progress:
                    progress(done, total, file)
                entry = _read_whole(market, path, file, number, taker)
                index.put(file, entry)
                done += entry.size
                if time.monotonic() - saved_s > _SAVE_EVERY_S:
                    index.save()
                    saved_s = time.monotonic()
            entries[file] = entry
    finally:
        index.save()
    if progress:
        progress(done, total, "")
    _refuse_copies(entries)
    return entries


def _refuse_copies(entries: dict[str, FileEntry]) -> None:
    """Stop where a file is there twice: without ids each of its rows would count twice."""
    seen: dict[str, str] = {}
    for file, entry in entries.items():
        if seen.setdefault(entry.sha256, file) != file:
            raise TickDataError(
                f"{file} and {seen[entry.sha256]} hold the same bytes; remove one of them"
            )


def _read_whole(
    market: Market, path: Path, file: str, number: int, taker: Taker | None
) -> FileEntry:
    entry = FileEntry.of(path)
    with ThreadPoolExecutor(1) as hasher:
        digest = hasher.submit(hash_file, path)  # beside the reading
        for block in read_file(market, path, file):
            entry.add(block)
            if taker:
                taker.take(block, number)
        entry.sha256 = digest.result()
    entry.vendor_version = format_version(kind_of_rows(market), entry.vendor) or ""
    verify_checksum(path, file, entry.sha256)
    now = FileEntry.of(path)
    if (now.size, now.mtime_ns, now.sidecars) != (entry.size, entry.mtime_ns, entry.sidecars):
        raise TickDataError(f"{file}: changed while it was read; run again when it is complete")
    if taker:
        taker.end_file(number, file, path, entry)
    return entry
