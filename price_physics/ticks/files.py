"""Find and open vendor dumps: globs, gzip, zip, checksums, blocks of whole lines.

Bytes only: what the lines mean is ``read`` and ``parse``. Archives are streamed and never
extracted to disk.
"""

import glob
import gzip
import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import cast

from price_physics.errors import TickDataError
from price_physics.study import Market

BLOCK_BYTES = 16 << 20
_LONGEST_LINE = 1 << 20


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
        Each file once. ``.CHECKSUM`` files are read beside their dump, not listed.

    Raises
    ------
    TickDataError
        When a glob matches no file.
    """
    found: set[Path] = set()
    empty = []
    for pattern in market.files:
        matches = {root / name for name in glob.glob(pattern, root_dir=root, recursive=True)}
        matches = {p for p in matches if p.is_file() and p.suffix != ".CHECKSUM"}
        found |= matches
        if not matches:
            empty.append(pattern)
    if empty:
        raise TickDataError(
            f"market {market.name!r}: no file matches {', '.join(empty)} in {root.resolve()}; put "
            f"the vendor's files there, or correct `files:` in configs/markets/{market.name}.yaml"
        )
    return sorted(found)


def display_name(path: Path, root: Path) -> str:
    """Name a file relative to the project, with forward slashes, as tables and messages do."""
    return Path(os.path.relpath(path, root)).as_posix()


def verify_checksum(path: Path, file: str) -> None:
    """Compare a dump with the ``.CHECKSUM`` beside it, where there is one (Binance).

    Raises
    ------
    TickDataError
        When they differ.
    """
    beside = path.with_name(path.name + ".CHECKSUM")
    if not beside.exists():
        return
    expected = beside.read_text(encoding="utf-8", errors="replace").split()[:1]
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if [actual] != [word.lower() for word in expected]:
        raise TickDataError(
            f"{file}: sha256 is {actual}, {beside.name} says {''.join(expected)!r}; download both "
            "again"
        )


def read_blocks(path: Path, file: str, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Stream a plain, gzipped or zipped text file in blocks of whole lines.

    Parameters
    ----------
    path : Path
        ``.gz``, ``.zip`` with a single CSV, or anything else as plain text.
    file : str
        The name for messages.
    size : int
        Bytes of a block, about.

    Yields
    ------
    bytes
        Whole lines, each with its newline; the file's last one may lack it.

    Raises
    ------
    TickDataError
        When the file is truncated, its CRC is wrong, or the archive is not one plain CSV.
    """
    n_lines = 0
    pending: list[bytes] = []
    n_pending = 0
    try:
        with _open(path, file) as stream:
            # read1 hands over what could be decompressed before a damage, so that we can say where
            while chunk := stream.read1(size):
                pending.append(chunk)
                n_pending += len(chunk)
                if n_pending < size:
                    continue
                block = b"".join(pending)
                cut = block.rfind(b"\n") + 1
                if cut == 0 and n_pending > _LONGEST_LINE:
                    raise TickDataError(
                        f"{file}, row {n_lines + 1}: {block[:60]!r}... has no end within "
                        f"{n_pending} bytes; this is not a CSV"
                    )
                if cut:
                    yield block[:cut]
                    n_lines += block.count(b"\n", 0, cut)
                pending, n_pending = [block[cut:]], len(block) - cut
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        row = n_lines + b"".join(pending).count(b"\n")
        raise TickDataError(
            f"{file}, after row {row}: damaged or cut off: {error}; download it again"
        ) from error
    if n_pending:
        yield b"".join(pending)


@contextmanager
def _open(path: Path, file: str) -> Iterator[io.BufferedIOBase]:
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as stream:
            yield stream
    elif path.suffix == ".zip":
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(_only_member(archive, file)) as member,
        ):
            yield cast(io.BufferedIOBase, member)
    else:
        with path.open("rb") as stream:
            yield stream


def _only_member(archive: zipfile.ZipFile, file: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    names = [member.orig_filename for member in members]
    for name in names:
        outside = ".." in PurePosixPath(name.replace("\\", "/")).parts
        if outside or PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor:
            raise TickDataError(f"{file}: member {name!r} points outside the archive; refused")
    if len(members) != 1 or not names[0].lower().endswith(".csv"):
        raise TickDataError(
            f"{file}: holds {names[:5]} ({len(names)} members), expected a single .csv; repack it"
        )
    if members[0].flag_bits & 1:
        raise TickDataError(f"{file}: member {names[0]!r} is encrypted; repack it without a key")
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise TickDataError(f"{file}: member {names[0]!r} is not deflated; repack it as plain zip")
    return members[0]
