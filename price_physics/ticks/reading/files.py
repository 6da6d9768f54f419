"""Find vendor dumps, name them, hash them and compare them with what lies beside them."""

from __future__ import annotations

import glob
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from price_physics.errors import TickDataError
from price_physics.ticks.reading.odd_files import refuse_loops, refuse_odd_file

if TYPE_CHECKING:
    from price_physics.study.market import Market

SIDECARS = (".CHECKSUM", ".SYNTHETIC")
"""Files that lie beside a dump and speak of it."""


def input_files(market: Market, root: Path) -> list[Path]:
    """List the market's vendor files, sorted by path.

    Parameters
    ----------
    market : Market
        Its `files` are globs, relative to `root`; ``**`` stands for any depth.
    root : Path
        Folder of the project.

    Returns
    -------
    list of Path
        Each file once. ``.CHECKSUM`` and ``.SYNTHETIC`` files are read beside their dump, not
        listed.

    Raises
    ------
    TickDataError
        When a glob matches no file, or what is none: a pipe, a device, a link to nothing, a loop.
    """
    found: set[Path] = set()
    empty = []
    for pattern in market.files:
        refuse_loops(pattern, root)
        matches = {root / name for name in glob.glob(pattern, root_dir=root, recursive=True)}
        for path in sorted(matches):
            for beside in (path, *sidecars_of(path)):
                if os.path.lexists(beside):
                    refuse_odd_file(beside, display_name(beside, root))
        matches = {p for p in matches if p.is_file() and p.suffix not in SIDECARS}
        found |= matches
        if not matches:
            empty.append(pattern)
    if empty:
        raise TickDataError(
            f"market {market.name!r}: no file matches {', '.join(empty)} in {root.resolve()}; put "
            f"the vendor's files there, or correct `files:` in configs/markets/{market.name}.yaml"
        )
    return sorted(found)


def sidecars_of(path: Path) -> list[Path]:
    """List what may lie beside a dump, and speak of it."""
    return [path.with_name(path.name + suffix) for suffix in SIDECARS]


def display_name(path: Path, root: Path) -> str:
    """Name a file relative to the project, with forward slashes, as tables and messages do."""
    return Path(os.path.relpath(path, root)).as_posix()


def hash_file(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify_checksum(path: Path, file: str, actual: str) -> None:
    """Compare a dump's sha256 with the ``.CHECKSUM`` beside it, where there is one (Binance).

    Raises
    ------
    TickDataError
        When they differ.
    """
    beside = path.with_name(path.name + ".CHECKSUM")
    if not beside.is_file():
        return
    expected = beside.read_text(encoding="utf-8", errors="replace").split()[:1]
    if [actual] != [word.lower() for word in expected]:
        raise TickDataError(
            f"{file}: sha256 is {actual}, {beside.name} says {''.join(expected)!r}; download both "
            "again"
        )
