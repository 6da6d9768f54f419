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
    n_outside : int
        Rows before the first month of the market, in files that feed it: none of its concern.
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
    n_outside: int = 0
    n_set_aside: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, Fault]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._start_ns, self._end_ns = self.month.start_ns, self.month.end_ns
        self._last_ns = self._n_forwards = self._n_backwards = 0
        self._n_faults: Counter[str] = Counter()
        self._faults: list[Fault] = []
        self._n_early = 0

    def wants(self, entry: FileEntry) -> bool:
        """Say whether a file holds any row of the month, good or bad."""
        return str(self.month) in entry.months

    def take(self, block: Block, number: int) -> None:
        """Take the rows of a block that are of the month."""
        start_ns, end_ns, rows = self._start_ns, self._end_ns, block.rows
        for fault in block.faults:
            self._n_early += fault.time_ns < start_ns
            if start_ns <= fault.time_ns <= end_ns:
                self._n_faults[fault.reason] += 1
                if len(self._faults) < MOST_LISTED:
                    self._faults.append(fault)
        time_ns = rows.time_ns
        if not time_ns.size:
            return
        if time_ns.min() < start_ns or time_ns.max() > end_ns:
            self._n_early += int((time_ns < start_ns).sum())
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
            self.n_outside += self._n_early if self.month == self.market.first_month else 0
            self.faults += [(number, fault) for fault in self._faults[: self.room]]
        self._last_ns = self._n_forwards = self._n_backwards = 0
        self._n_faults, self._faults, self._n_early = Counter(), [], 0

    @property
    def room(self) -> int:
        """Number of faults that can still be listed."""
        return max(0, MOST_LISTED - len(self.faults))

    def set_aside(self, places: Sequence[Place], n_rows: int, reason: Reason) -> None:
        """Send `n_rows` good rows to quarantine: count them, and list those at `places`."""
        self.n_set_aside[reason.words] += n_rows
        for number in self.files:
            found = sorted((line, time_ns) for n, line, time_ns in places if n == number)
            found = found[: self.room]
            text = self.texts(number, [line for line, _ in found])
            faults = [
                Fault(line, reason.words, raw, time_ns, True)
                for (line, time_ns), raw in zip(found, text, strict=True)
            ]
            self.faults += [(number, fault) for fault in faults]

    def texts(self, number: int, lines: Sequence[int]) -> list[str]:
        """Read some rows of a file again, given in order of lines."""
        file, path = self.files[number]
        return read_raw(path, file, np.array(lines, np.int64), self.market.encoding)


def places_of(rows: AnyRows, file: NDArray[np.int32]) -> list[Place]:
    """Return where rows stand, given the numbers of their files."""
    columns = (file, rows.line, rows.time_ns)
    return list(zip(*(column.tolist() for column in columns), strict=True))
