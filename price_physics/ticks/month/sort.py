"""Sort the trades of a month by time, however many there are and however they arrived.

Blocks are sorted one by one and kept; beyond what memory should hold they wait in a temporary
file without a name, which no crash leaves behind. They come back in slices of time, each gathered
from every block that reaches into it and sorted: memory holds a slice, however long the month.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from price_physics.ticks.month import kernels
from price_physics.ticks.reading.rows import ORDERED_ID, TradeRows

MEMORY_ROWS = 1 << 25
SLICE_ROWS = 1 << 21
_SAMPLE = 1 << 10


@dataclass(frozen=True)
class Slice:
    """Consecutive rows of the month: sorted by time, then id, then arrival.

    Attributes
    ----------
    rows : TradeRows
    file : int32 array
        Number that the rows' file was added with.
    """

    rows: TradeRows
    file: NDArray[np.int32]


class TickSorter:
    """Collect the rows of a month in any order, then hand them over in order.

    Parameters
    ----------
    folder : Path, optional
        Where rows wait that memory should not hold; the system's temporary folder by default.
    memory_rows, slice_rows : int
        Rows kept in memory, and rows of a slice, about. The result does not depend on them.
    """

    def __init__(
        self,
        folder: Path | None = None,
        memory_rows: int = MEMORY_ROWS,
        slice_rows: int = SLICE_ROWS,
    ) -> None:
        self._folder, self._memory_rows, self._slice_rows = folder, memory_rows, slice_rows
        self._runs: list[_Run | _SpilledRun] = []
        self._spill: BinaryIO | None = None
        self._n_in_memory = 0
        self._turned: set[int] = set()

    def add(self, rows: TradeRows, file: int) -> None:
        """Keep some rows of a file; files and their rows come in the order of arrival."""
        if not rows.time_ns.size:
            return
        run = _Run(_sorted(rows), file)
        if self._n_in_memory + len(run) <= self._memory_rows:
            self._n_in_memory += len(run)
            self._runs.append(run)
            return
        if self._spill is None:
            self._spill = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        self._runs.append(_SpilledRun(run, self._spill))

    def turn(self, file: int) -> None:
        """Take the rows of a file as if they had arrived the other way round."""
        self._turned.add(file)

    def slices(self) -> Iterator[Slice]:
        """Hand over the rows in order; can be called again."""
        runs = self._in_order_of_arrival()
        for start_ns, stop_ns in self._spans():
            parts, files = [], []
            for run in runs:
                if run.last_ns < start_ns or run.first_ns >= stop_ns:
                    continue
                part = run.between(start_ns, stop_ns)
                if run.file in self._turned:
                    part = part.at(np.lexsort((-part.line, part.time_ns)))
                parts.append(part)
                files.append(np.full(part.time_ns.size, run.file, np.int32))
            rows = TradeRows.concatenate(parts) if len(parts) != 1 else parts[0]
            file = np.concatenate(files) if files else np.empty(0, np.int32)
            order = _order(rows)
            yield Slice(rows, file) if order is None else Slice(rows.at(order), file[order])

    def _in_order_of_arrival(self) -> "list[_Run | _SpilledRun]":
        """The runs, those of turned files last first; a file's runs follow one another."""
        runs: list[_Run | _SpilledRun] = []
        for file, group in groupby(self._runs, key=lambda run: run.file):
            own = list(group)
            runs += own[::-1] if file in self._turned else own
        return runs

    def _spans(self) -> list[tuple[int, int]]:
        """Spans of time, one after the other.

        Each is a run where runs followed one another, and of `slice_rows` rows, about, otherwise.
        """
        if not self._runs:
            return []
        pairs = zip(self._runs[:-1], self._runs[1:], strict=True)
        if all(before.last_ns <= after.first_ns for before, after in pairs):
            starts = np.unique([run.first_ns for run in self._runs])
        else:
            samples = np.sort(np.concatenate([run.samples for run in self._runs]))
            starts = np.unique(samples[:: max(1, self._slice_rows // _SAMPLE)])
        stop_ns = max(run.last_ns for run in self._runs) + 1
        return list(zip(starts.tolist(), [*starts[1:].tolist(), stop_ns], strict=True))

    def close(self) -> None:
        """Give the temporary file back."""
        self._runs.clear()
        if self._spill is not None:
            self._spill.close()


class _Run:
    """Sorted rows in memory."""

    def __init__(self, rows: TradeRows, file: int) -> None:
        self.rows, self.file = rows, file
        self.first_ns, self.last_ns = int(rows.time_ns[0]), int(rows.time_ns[-1])
        self.samples = rows.time_ns[::_SAMPLE].copy()

    def __len__(self) -> int:
        return self.rows.time_ns.size

    def between(self, start_ns: int, stop_ns: int) -> TradeRows:
        first, stop = np.searchsorted(self.rows.time_ns, [start_ns, stop_ns])
        return self.rows.at(slice(first, stop))


class _SpilledRun:
    """Sorted rows in a file, column after column; one time in 1,024 stays in memory."""

    def __init__(self, run: _Run, spill: BinaryIO) -> None:
        self.file, self.first_ns, self.last_ns = run.file, run.first_ns, run.last_ns
        self.samples = run.samples
        self._n_rows, self._spill = len(run), spill
        self._start = spill.seek(0, 2)
        for column in run.rows:
            spill.write(np.ascontiguousarray(column).data)

    def between(self, start_ns: int, stop_ns: int) -> TradeRows:
        first, stop = self._place(start_ns), self._place(stop_ns)
        columns, offset = [], self._start
        for kind in (column.dtype for column in TradeRows.empty()):
            columns.append(self._read(offset + first * kind.itemsize, kind, stop - first))
            offset += self._n_rows * kind.itemsize
        return TradeRows(*columns)

    def _place(self, time_ns: int) -> int:
        """The first row that is not earlier: by the samples, then among the rows between two."""
        sample = int(np.searchsorted(self.samples, time_ns))
        low = max(sample - 1, 0) * _SAMPLE
        high = min(sample * _SAMPLE, self._n_rows)
        times = self._read(self._start + low * 8, np.dtype(np.int64), high - low)
        return low + int(np.searchsorted(times, time_ns))

    def _read(self, offset: int, kind: np.dtype, count: int) -> NDArray:
        self._spill.seek(offset)
        return np.frombuffer(self._spill.read(count * kind.itemsize), kind)


def _sorted(rows: TradeRows) -> TradeRows:
    order = _order(rows)
    return rows if order is None else rows.at(order)


def _order(rows: TradeRows) -> NDArray[np.int64] | None:
    """Return the order by time, then id, then place; None when the rows are in it.

    Rows whose id does not order trades come after those of equal time whose id does.
    """
    orders = rows.id_kind == ORDERED_ID
    if kernels.in_order(rows.time_ns, rows.trade_id, orders):
        return None
    return np.lexsort((np.where(orders, rows.trade_id, 0), ~orders, rows.time_ns))
