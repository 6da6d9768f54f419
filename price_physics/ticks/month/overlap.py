"""Find stretches of trades without ids that are there twice: in two files, or twice in one.

Two equal trades without ids may both have happened: where a file ends and the next begins within a
second, or by chance. So a stretch counts only where it has several times, and holds most of what
the files have between its first and its last trade.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.ticks.reading.archives import compression_of
from price_physics.ticks.reading.rows import NO_ID

if TYPE_CHECKING:
    from price_physics.ticks.month.intake import Intake
    from price_physics.ticks.month.sort import Slice

_FEWEST_ROWS, _FEWEST_TIMES = 5, 3
_LEAST_SHARE = 0.5


@dataclass
class _Shared:
    """What two files share: how many rows of how many times, and the first and the last time."""

    n_rows: int = 0
    n_times: int = 0
    first_ns: int = np.iinfo(np.int64).max
    last_ns: int = 0


class Overlaps:
    """Collects, slice by slice, the rows of a month that equal one of another file."""

    def __init__(self) -> None:
        self._shared: dict[tuple[int, int], _Shared] = {}

    def add(self, part: Slice) -> None:
        """Look at the next slice; it holds all rows of its times."""
        rows, file = part.rows, part.file
        steps = np.diff(rows.line)
        one_file = not file.size or bool((file == file[0]).all())
        in_order = one_file and bool((steps > 0).all() or (steps < 0).all())
        if in_order or not (rows.id_kind == NO_ID).any():
            return
        new_time = np.r_[True, rows.time_ns[1:] != rows.time_ns[:-1]]
        at_time = np.cumsum(new_time) - 1
        n_at_time = np.bincount(at_time)[at_time]
        tied = np.flatnonzero(n_at_time > 1)
        if not tied.size:
            return
        columns = (rows.line, file, rows.qty, rows.price, rows.time_ns)
        tied = tied[np.lexsort([column[tied] for column in columns])]
        keys = (rows.qty[tied], rows.price[tied], rows.time_ns[tied])
        is_first = np.r_[True, np.logical_or.reduce([k[1:] != k[:-1] for k in keys])]
        first = tied[is_first][np.cumsum(is_first) - 1]
        no_id = (rows.id_kind[tied] == NO_ID) | (rows.id_kind[first] == NO_ID)
        # rows of one time stand together in a file, unless it repeats them
        far = rows.line[tied] - rows.line[first] > n_at_time[tied]
        again = no_id & ((file[tied] != file[first]) | far)
        pairs = np.stack([file[first[again]], file[tied[again]]], axis=1)
        times = rows.time_ns[tied[again]]
        for one, other in np.unique(pairs, axis=0).tolist():
            own = times[(pairs == (one, other)).all(axis=1)]
            shared = self._shared.setdefault((one, other), _Shared())
            shared.n_rows += own.size
            shared.n_times += np.unique(own).size
            shared.first_ns = min(shared.first_ns, int(own.min()))
            shared.last_ns = max(shared.last_ns, int(own.max()))

    def refuse(self, intake: Intake, slices: Callable[[], Iterator[Slice]]) -> None:
        """Stop where a stretch is there twice.

        Raises
        ------
        TickDataError
            Naming both files and the stretch.
        """
        for (one, other), shared in self._shared.items():
            if shared.n_rows < _FEWEST_ROWS or shared.n_times < _FEWEST_TIMES:
                continue
            lines = {number: _lines(slices, number, shared) for number in (one, other)}
            # of a file that repeats itself half of the rows are the first of two
            n_fewest = min(rows.size for rows in lines.values()) / (2 if one == other else 1)
            if shared.n_rows > _LEAST_SHARE * n_fewest:
                raise _twice(intake, one, other, shared, lines)


def _lines(slices: Callable[[], Iterator[Slice]], file: int, shared: _Shared) -> NDArray[np.int64]:
    """Return the sorted lines of a file within a stretch of time."""
    found = [np.empty(0, np.int64)]
    for part in slices():
        time_ns = part.rows.time_ns
        within = (time_ns >= shared.first_ns) & (time_ns <= shared.last_ns)
        found.append(part.rows.line[within & (part.file == file)])
    return np.sort(np.concatenate(found))


def _twice(
    intake: Intake,
    one: int,
    other: int,
    shared: _Shared,
    lines: dict[int, NDArray[np.int64]],
) -> TickDataError:
    market, (name, path) = intake.market, intake.files[other]
    first, last = (
        f"{pd.Timestamp(time_ns, tz='UTC'):%Y-%m-%d %H:%M:%S}"
        for time_ns in (shared.first_ns, shared.last_ns)
    )
    places = " and ".join(
        f"{intake.files[number][0]}, rows {rows[0]} to {rows[-1]}" for number, rows in lines.items()
    )
    rows = lines[other]
    cut = ""
    if one != other and compression_of(path) is None and rows[-1] - rows[0] + 1 == rows.size:
        cut = f", or cut them out of it: `sed -i {rows[0]},{rows[-1]}d {shlex.quote(name)}`"
    return TickDataError(
        f"market {market.name!r}, {intake.month}: {shared.n_rows} trades without ids are there "
        f"twice, from {first} to {last} UTC: {places}; leave {name} out of `files:` in "
        f"configs/markets/{market.name}.yaml{cut}"
    )
