"""Open a vendor dump whatever it is compressed by: known by its first bytes, not by its name.

What a name says counts only where the bytes say nothing: a damaged archive is no plain text.
"""

import bz2
import codecs
import gzip
import io
import lzma
import shlex
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, NoReturn, cast

import pyarrow as pa

from price_physics.errors import TickDataError

DAMAGES = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    NotImplementedError,  # of zipfile, where the damage claims a method that it does not know
)
"""What reading a damaged archive raises."""

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\0": "xz",
}
_SUFFIXES = {".gz": "gzip", ".zip": "zip", ".bz2": "bzip2", ".zst": "zstd", ".xz": "xz"}

_TO_PARQUET = (
    "python -c 'import sys, pyarrow.feather as f, pyarrow.parquet as p; "
    'p.write_table(f.read_table(sys.argv[1]), sys.argv[1] + ".parquet")\' {}'
)
_REFUSED = {
    # what it is: (its first bytes, its suffixes, a command that makes something readable of it)
    "Arrow IPC, called Feather": ((b"ARROW1", b"FEA1"), (".feather", ".arrow"), _TO_PARQUET),
    "parquet": ((b"PAR1",), (), "mv {0} {0}.parquet"),
    "7z": ((b"7z\xbc\xaf\x27\x1c",), (".7z",), "7z x {}"),
    "RAR": ((b"Rar!\x1a\x07",), (".rar",), "unrar x {}"),
    "LZ4": ((b"\x04\x22\x4d\x18",), (".lz4",), "lz4 -d {}"),
    "Brotli": ((), (".br",), "brotli -d {}"),
    "compress": ((b"\x1f\x9d",), (".z",), "gzip -d {}"),
}
_CHUNK_BYTES = 1 << 16


def compression_of(path: Path) -> str | None:
    """Name what a file is compressed by; None for plain text.

    Examples
    --------
    >>> compression_of(Path("not/there.csv.zst"))
    'zstd'
    """
    if path.is_file():
        head = _head(path)
        for magic, name in _MAGIC.items():
            if head.startswith(magic):
                return name
    return _SUFFIXES.get(path.suffix.lower())


def refuse_unreadable(path: Path, file: str) -> None:
    """Stop at a kind of file that is not read, by its name.

    Raises
    ------
    TickDataError
        With a command that unpacks or converts it.
    """
    head = _head(path)
    for name, (magics, suffixes, command) in _REFUSED.items():
        if head.startswith(magics) or path.suffix.lower() in suffixes:
            raise TickDataError(
                f"{file}: is {name}, which is not read here; convert it, "
                f"`{command.format(shlex.quote(file))}`, and let `files:` name what comes out: "
                "parquet, or csv, plain or in gzip, zip, bzip2, xz or zstd"
            )


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(16)


@contextmanager
def decompressed(raw: BinaryIO, path: Path, file: str) -> Iterator[io.BufferedIOBase]:
    """Open a file as the stream of its text, bytes as they are.

    Raises
    ------
    TickDataError
        When an archive holds anything but one plain CSV.
    """
    kind = compression_of(path)
    if kind == "gzip":
        with gzip.GzipFile(fileobj=raw) as stream:
            yield stream
    elif kind == "bzip2":
        with bz2.BZ2File(raw) as unzipped:
            yield cast(io.BufferedIOBase, unzipped)
    elif kind == "xz":
        with lzma.LZMAFile(raw) as unpacked:
            yield cast(io.BufferedIOBase, unpacked)
    elif kind == "zstd":
        with pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd") as native:
            yield cast(io.BufferedIOBase, _OneRead(native))
    elif kind == "zip":
        with (
            zipfile.ZipFile(raw) as archive,
            archive.open(_only_member(archive, file)) as member,
        ):
            yield cast(io.BufferedIOBase, member)
    else:
        yield cast(io.BufferedIOBase, raw)


class _OneRead:
    """A stream of pyarrow under the names of one of Python."""

    def __init__(self, native: Any) -> None:
        self.readinto1 = native.readinto
        self.read1 = native.read


class Recoded:
    """A stream of text in another encoding, as UTF-8.

    Parameters
    ----------
    stream : stream with `read1`
    encoding : str
        One that Python knows.
    file : str
        The name for messages.
    """

    def __init__(self, stream: io.BufferedIOBase, encoding: str, file: str) -> None:
        self._stream, self._encoding, self._file = stream, encoding, file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._waiting, self._ended = b"", False

    def readinto1(self, view: memoryview) -> int:
        """Fill as much of a view as there is; 0 at the end."""
        while not self._waiting and not self._ended:
            data = self._stream.read1(_CHUNK_BYTES)
            self._ended = not data
            try:
                self._waiting = self._decoder.decode(data, self._ended).encode()
            except UnicodeError as error:
                raise TickDataError(
                    f"{self._file}: is not in `encoding: {self._encoding}` ({error}); correct it "
                    "in the market's YAML"
                ) from error
        n_bytes = min(len(view), len(self._waiting))
        view[:n_bytes] = self._waiting[:n_bytes]
        self._waiting = self._waiting[n_bytes:]
        return n_bytes


def refuse_binary(data: bytes, row: int, file: str) -> NoReturn:
    """Stop at a NUL byte, saying what it means.

    Parameters
    ----------
    data : bytes
        The first bytes of its block.
    row : int
        The line of the NUL, from 1.
    file : str
        The name for messages.

    Raises
    ------
    TickDataError
        Always.
    """
    if row == 1 and data[257:262] == b"ustar":
        raise TickDataError(
            f"{file}: is a tar archive; unpack it, `tar -xf {shlex.quote(file)}`, and let `files:` "
            "name what comes out"
        )
    wide = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}.get(data[:2])
    n_first, n_second = data[::2].count(0), data[1::2].count(0)  # of each pair of bytes
    if wide is None and 4 * max(n_first, n_second) > len(data) > 2 and not min(n_first, n_second):
        wide = "utf-16-be" if n_first else "utf-16-le"
    if row == 1 and wide:
        raise TickDataError(
            f"{file}, row 1: is text in {wide.upper()}; set `encoding: {wide}` in the market's YAML"
        )
    raise TickDataError(f"{file}, row {row}: holds a NUL byte; download it again")


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
