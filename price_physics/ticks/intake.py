"""Files in: the rows of one month go to the sorter, its faults to a list, the rest is counted.

A file that holds nothing of the month is read only if the index does not know it yet.
"""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.study.market import Market
from price_physics.ticks.files import (
    display_name,
    hash_file,
    input_files,
    verify_checksum,
)
from price_physics.ticks.index import FileEntry, FileIndex
from price_physics.ticks.kernels import count_steps
from price_physics.ticks.read import read_file, read_raw
from price_physics.ticks.rows import Block, Fault

TOO_EARLY = "before the first month of the market"
_SAVE_EVERY_S = 20.0
MOST_LISTED = 100_000
"""Rows that quarantine lists with their text, of a month and reading; all are counted."""

Progress = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all, and the file being read."""


class Sorter(Protocol):
    """Takes the good rows of a month, file by file; a file goes by its number."""

    def add(self, rows: Any, file: int) -> None: ...

    def turn(self, file: int) -> None: ...


def look_at_files(
    market: Market, root: Path, index: FileIndex, progress: Progress | None = None
) -> dict[str, FileEntry]:
    """Read the files that the index does not know, and return what every file holds, by name.

    Raises
    ------
    TickDataError
        When there is no file, or an unknown one cannot be trusted.
    """
    return take_in(market, root, index, None, progress)


def take_in(
    market: Market,
    root: Path,
    index: FileIndex,
    intake: "Intake | None",
    progress: Progress | None = None,
) -> dict[str, FileEntry]:
    """Read the files that feed the intake's month, and those that the index does not know."""
    paths = {display_name(path, root): path for path in input_files(market, root)}
    known = {file: index.get(file, path) for file, path in paths.items()}
    wanted = [f for f, e in known.items() if e is None or (intake and intake.wants(e))]
    total, done = sum(paths[file].stat().st_size for file in wanted), 0
    entries: dict[str, FileEntry] = {}
    saved_s = time.monotonic()
    try:
        for number, (file, path) in enumerate(paths.items()):
            entry = known[file]
            if entry is None or file in wanted:
                if progress:
                    progress(done, total, file)
                entry = _read_whole(market, path, file, number, intake)
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
    """Stop where a file is there twice: without ids each of its trades would count twice."""
    seen: dict[str, str] = {}
    for file, entry in entries.items():
        if seen.setdefault(entry.sha256, file) != file:
            raise TickDataError(
                f"{file} and {seen[entry.sha256]} hold the same bytes; remove one of them"
            )


def _read_whole(
    market: Market, path: Path, file: str, number: int, intake: "Intake | None"
) -> FileEntry:
    entry = FileEntry.of(path)
    with ThreadPoolExecutor(1) as hasher:
        digest = hasher.submit(hash_file, path)  # beside the reading
        for block in read_file(market, path, file):
            entry.add(block)
            if intake:
                intake.take(block, number)
        entry.sha256 = digest.result()
    verify_checksum(path, file, entry.sha256)
    now = FileEntry.of(path)
    if (now.size, now.mtime_ns, now.sidecars) != (entry.size, entry.mtime_ns, entry.sidecars):
        raise TickDataError(f"{file}: changed while it was read; run again when it is complete")
    if intake:
        intake.end_file(number, file, path, entry)
    return entry


@dataclass
class Intake:
    """What is gathered for one month.

    Attributes
    ----------
    sorter : Sorter
        Takes the good rows.
    files : dict of int to (str, Path)
        Names and places of the files that feed the month.
    n_rows : Counter of int
        Rows of the month, good and bad, by file.
    n_backwards : int
        Rows earlier than the row of the month before them in their file; where most are, it is
        newest first, and those count that are later.
    n_set_aside : Counter of str
        Rows for quarantine, by reason.
    faults : list of (int, Fault)
        The same with their file, up to `MOST_LISTED`.
    """

    market: Market
    month: Month
    sorter: Sorter
    files: dict[int, tuple[str, Path]] = field(default_factory=dict)
    n_rows: Counter[int] = field(default_factory=Counter)
    n_backwards: int = 0
    n_set_aside: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, Fault]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._start_ns, self._end_ns = self.month.start_ns, self.month.end_ns
        self._last_ns = self._n_forwards = self._n_backwards = 0
        self._n_faults: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._early: list[tuple[int, int]] = []

    @property
    def _is_first(self) -> bool:
        return self.month == self.market.first_month

    def wants(self, entry: FileEntry) -> bool:
        """Say whether a file holds any row of the month, good or bad."""
        return str(self.month) in entry.months

    def take(self, block: Block, number: int) -> None:
        """Take what a block holds of the month; in the first month also what is earlier."""
        start_ns, end_ns, rows = self._start_ns, self._end_ns, block.rows
        for fault in block.faults:
            early = self._is_first and fault.time_ns < start_ns
            if early or start_ns <= fault.time_ns <= end_ns:
                self._n_faults[fault.reason] += 1
                if len(self._faults) < MOST_LISTED:
                    self._faults.append(fault)
        time_ns = rows.time_ns
        if not time_ns.size:
            return
        if time_ns.min() < start_ns or time_ns.max() > end_ns:
            if self._is_first:
                early_rows = np.flatnonzero(time_ns < start_ns)
                self._n_faults[TOO_EARLY] += early_rows.size
                listed = rows.at(early_rows[: MOST_LISTED - len(self._early)])
                self._early += zip(listed.line.tolist(), listed.time_ns.tolist(), strict=True)
            rows = rows.at((time_ns >= start_ns) & (time_ns <= end_ns))
        if rows.time_ns.size:
            self.n_rows[number] += rows.time_ns.size
            forwards, backwards = count_steps(rows.time_ns, self._last_ns)
            self._n_forwards += forwards
            self._n_backwards += backwards
            self._last_ns = int(rows.time_ns[-1])
            self.sorter.add(rows, number)

    def end_file(self, number: int, file: str, path: Path, entry: FileEntry) -> None:
        """Settle a file: one that holds nothing of the month leaves nothing behind."""
        if self._n_backwards > self._n_forwards:
            self.sorter.turn(number)  # newest first: ties, too, stand the other way round
            self.n_backwards += self._n_forwards - 1  # the first row is a step forward, too
        else:
            self.n_backwards += self._n_backwards
        if self.wants(entry):
            self.files[number] = file, path
            self.n_rows[number] += sum(self._n_faults.values())
            self.n_set_aside += self._n_faults
            text = read_raw(path, file, np.array([line for line, _ in self._early], np.int64))
            early = [
                Fault(line, TOO_EARLY, raw, time_ns, True)
                for (line, time_ns), raw in zip(self._early, text, strict=True)
            ]
            found = sorted([*self._faults, *early], key=lambda fault: fault.line)
            room = MOST_LISTED - len(self.faults)
            self.faults += [(number, fault) for fault in found[:room]]
        self._last_ns = self._n_forwards = self._n_backwards = 0
        self._n_faults, self._faults, self._early = Counter(), [], []
