"""Gather a month from its files: good rows go to a collector, faults are counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from price_physics.ticks.month.kernels import count_steps
from price_physics.ticks.reading.read import read_raw
from price_physics.ticks.reading.reasons import Reason
from price_physics.ticks.reading.rows import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from price_physics.months import Month
    from price_physics.study.market import Market
    from price_physics.ticks.index import FileEntry
    from price_physics.ticks.reading.rows import AnyRows, Block

MOST_LISTED = 100_000
"""Rows that quarantine lists with their text, of a month and reading; all are counted."""

Place = tuple[int, int, int]
"""Where a row stands: number of its file, line, time."""


class Collector(Protocol):
    """Takes the good rows of a month, file by file; a file goes by its number."""

    def add(self, rows: Any, file: int) -> None: ...

    def turn(self, file: int) -> None:
        """Take a file, all of whose rows are there, as newest first."""


@dataclass
class Intake:
    """Gathers one month, while its files are read.

    Attributes
    ----------
    collector : Collector
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
    collector: Collector
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
        """Take the rows of a block that are of the month; in the first month earlier ones too."""
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
                self._n_faults[Reason.TOO_EARLY.words] += early_rows.size
                listed = rows.at(early_rows[: MOST_LISTED - len(self._early)])
                self._early += zip(listed.line.tolist(), listed.time_ns.tolist(), strict=True)
            rows = rows.at((time_ns >= start_ns) & (time_ns <= end_ns))
        if rows.time_ns.size:
            self.n_rows[number] += rows.time_ns.size
            forwards, backwards = count_steps(rows.time_ns, self._last_ns)
            self._n_forwards += forwards
            self._n_backwards += backwards
            self._last_ns = int(rows.time_ns[-1])
            self.collector.add(rows, number)

    def end_file(self, number: int, file: str, path: Path, entry: FileEntry) -> None:
        """Settle a file that has been read whole; if it holds nothing of the month, forget it."""
        if self._n_backwards > self._n_forwards:
            self.collector.turn(number)  # newest first: so are rows of one time
            self.n_backwards += self._n_forwards - 1  # the first row is a step forward, too
        else:
            self.n_backwards += self._n_backwards
        if self.wants(entry):
            self.files[number] = file, path
            self.n_rows[number] += sum(self._n_faults.values())
            self.n_set_aside += self._n_faults
            early = _faults_at(path, file, self._early, Reason.TOO_EARLY)
            found = sorted([*self._faults, *early], key=lambda fault: fault.line)
            self.faults += [(number, fault) for fault in found[: self.room]]
        self._last_ns = self._n_forwards = self._n_backwards = 0
        self._n_faults, self._faults, self._early = Counter(), [], []

    @property
    def room(self) -> int:
        """Number of faults that can still be listed."""
        return max(0, MOST_LISTED - len(self.faults))

    def set_aside(self, places: Sequence[Place], n_rows: int, reason: Reason) -> None:
        """Send `n_rows` good rows to quarantine: count them, and list those at `places`."""
        self.n_set_aside[reason.words] += n_rows
        for number, (file, path) in self.files.items():
            found = sorted((line, time_ns) for n, line, time_ns in places if n == number)
            faults = _faults_at(path, file, found[: self.room], reason)
            self.faults += [(number, fault) for fault in faults]


def places_of(rows: AnyRows, file: NDArray[np.int32]) -> list[Place]:
    """Return where rows stand, given the numbers of their files."""
    columns = (file, rows.line, rows.time_ns)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _faults_at(
    path: Path, file: str, rows: Sequence[tuple[int, int]], reason: Reason
) -> list[Fault]:
    """Make faults of rows of a file, given by line and time in order of lines."""
    text = read_raw(path, file, np.array([line for line, _ in rows], np.int64))
    return [
        Fault(line, reason.words, raw, time_ns, True)
        for (line, time_ns), raw in zip(rows, text, strict=True)
    ]
