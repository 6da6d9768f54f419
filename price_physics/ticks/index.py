"""The index of files: which months each file holds.

A file's name says nothing for certain, so a file is read whole to know. It is read again only when
it changes, or when what reads it changes: the code that reads all files, or its vendor's format.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from price_physics.months import Month
from price_physics.source import source_version
from price_physics.store.atomic import write_atomically
from price_physics.store.locks import held
from price_physics.store.sealed_json import seal, unseal
from price_physics.ticks.formats.registry import format_version
from price_physics.ticks.reading.files import SIDECARS
from price_physics.ticks.reading.rows import kind_of_rows

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.ticks.reading.rows import Block

_log = logging.getLogger(__name__)

_READER = "price_physics.ticks.look"
"""The module that makes entries. It imports no vendor's format: an entry names its own."""

_SETTINGS = {
    "symbol",
    "vendor",
    "columns",
    "header",
    "contract_size",
    "contract_is_inverse",
    "candle_minutes",
    "encoding",
    "side_words",
}
"""The market's settings that can change what is read of a file."""


@dataclass
class MonthExtent:
    """What a file holds of one month; times are those of good rows, None without any."""

    rows: int = 0
    faults: int = 0
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass
class FileEntry:
    """A file, and what lies beside it, as they were when it was read.

    Attributes
    ----------
    size, mtime_ns : int
    sidecars : list of list of int
        The same of each of ``files.SIDECARS``; empty where it is not there.
    sha256 : str
    first_fault : str
        The first row set aside, for messages.
    months : dict of str to MonthExtent
    vendor, vendor_version : str
        The format that the file is of, and the version of its code.
    """

    size: int
    mtime_ns: int
    sidecars: list[list[int]]
    sha256: str = ""
    first_fault: str = ""
    months: dict[str, MonthExtent] = field(default_factory=dict)
    vendor: str = ""
    vendor_version: str = ""

    @property
    def is_synthetic(self) -> bool:
        """Whether a generator marked the file: ``<name>.SYNTHETIC`` lies beside it."""
        return bool(self.sidecars[SIDECARS.index(".SYNTHETIC")])

    @classmethod
    def of(cls, path: Path) -> FileEntry:
        """Return what can be said of a file before it is read."""
        beside = [path.with_name(path.name + suffix) for suffix in SIDECARS]
        sizes = [[p.stat().st_size, p.stat().st_mtime_ns] if p.is_file() else [] for p in beside]
        return cls(path.stat().st_size, path.stat().st_mtime_ns, sizes)

    def add(self, block: Block) -> None:
        """Count the rows and faults of a block by month."""
        self.vendor, time_ns = block.vendor, block.rows.time_ns
        if time_ns.size:
            first, last = Month.of(int(time_ns.min())), Month.of(int(time_ns.max()))
            if first == last:
                self._widen(first, time_ns)
            else:
                ordinal = time_ns.view("datetime64[ns]").astype("datetime64[M]").view(np.int64)
                for months in np.unique(ordinal):
                    self._widen(Month(1970, 1) + int(months), time_ns[ordinal == months])
        if block.faults:
            self.first_fault = self.first_fault or str(block.faults[0])
            times = np.array([fault.time_ns for fault in block.faults], "datetime64[ns]")
            ordinals, counts = np.unique(times.astype("datetime64[M]"), return_counts=True)
            for months, count in zip(ordinals.view(np.int64), counts, strict=True):
                self._of(Month(1970, 1) + int(months)).faults += int(count)

    def _of(self, month: Month) -> MonthExtent:
        return self.months.setdefault(str(month), MonthExtent())

    def _widen(self, month: Month, time_ns: np.ndarray) -> None:
        extent, first, last = self._of(month), int(time_ns.min()), int(time_ns.max())
        extent.rows += time_ns.size
        extent.first_ns = first if extent.first_ns is None else min(first, extent.first_ns)
        extent.last_ns = last if extent.last_ns is None else max(last, extent.last_ns)


class FileIndex:
    """Entries of a market's files, kept between runs.

    Parameters
    ----------
    market : Market
        Entries made under other settings of reading (vendor, columns, symbol ...), or by other
        code, are forgotten.
    path : Path, optional
        Where it is kept between runs; without one it is kept in memory only.
    """

    def __init__(self, market: Market, path: Path | None = None) -> None:
        settings = market.model_dump(mode="json", include=_SETTINGS)
        version = json.dumps([source_version(_READER), settings])
        self._version = sha256(version.encode()).hexdigest()[:16]
        self._kind = kind_of_rows(market)
        self._path = path
        self._entries = self._load()

    def get(self, file: str, path: Path) -> FileEntry | None:
        """Return what is known of a file, unless it or what reads it has changed."""
        entry, now = self._entries.get(file), FileEntry.of(path)
        if entry is None or entry.vendor_version != format_version(self._kind, entry.vendor):
            return None
        known = (entry.size, entry.mtime_ns, entry.sidecars)
        return entry if known == (now.size, now.mtime_ns, now.sidecars) else None

    def put(self, file: str, entry: FileEntry) -> None:
        """Remember a file."""
        self._entries[file] = entry

    def save(self) -> None:
        """Write the index, with what other processes learned meanwhile."""
        if self._path is None:
            return
        lock = self._path.with_suffix(".lock")
        busy = f"another process keeps {self._path} locked ({lock}); wait for it, or end it"
        with held(lock, 60, busy):
            self._entries = self._load() | self._entries
            files = {name: asdict(entry) for name, entry in sorted(self._entries.items())}
            write_atomically(self._path, seal({"version": self._version, "files": files}))

    def _load(self) -> dict[str, FileEntry]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            document = unseal(self._path.read_bytes())
        except ValueError as error:
            _log.warning("%s is damaged (%s): every file is read again", self._path, error)
            return {}
        if document.get("version") != self._version:
            return {}
        return {name: _entry(facts) for name, facts in document["files"].items()}


def months_of(entries: Iterable[FileEntry]) -> dict[Month, MonthExtent]:
    """Sum up what several files hold, by month."""
    whole: dict[Month, MonthExtent] = {}
    for entry in entries:
        for name, extent in entry.months.items():
            sum_ = whole.setdefault(Month.parse(name), MonthExtent())
            sum_.rows += extent.rows
            sum_.faults += extent.faults
            if extent.first_ns is not None and extent.last_ns is not None:
                first, last = sum_.first_ns, sum_.last_ns
                sum_.first_ns = extent.first_ns if first is None else min(first, extent.first_ns)
                sum_.last_ns = extent.last_ns if last is None else max(last, extent.last_ns)
    return whole


def last_before_ns(entries: Mapping[str, FileEntry], month: Month) -> int | None:
    """Return the time of the last row before a month, in any file."""
    extents = months_of(entries.values())
    return max((e.last_ns for m, e in extents.items() if m < month and e.last_ns), default=None)


def inputs_of(entries: Mapping[str, FileEntry], month: Month) -> dict[str, str]:
    """Name all that a month's ticks are made from: they are stale when any of it changes."""
    inputs = {"last trade before": str(last_before_ns(entries, month))}
    for file, entry in entries.items():
        if str(month) in entry.months:
            inputs[file] = entry.sha256
            inputs[f"format {entry.vendor}"] = entry.vendor_version
            if entry.is_synthetic:
                inputs[f"{file}.SYNTHETIC"] = "there"
    return inputs


def _entry(facts: dict[str, Any]) -> FileEntry:
    months = {name: MonthExtent(**extent) for name, extent in facts.pop("months").items()}
    return FileEntry(**facts, months=months)
