"""Read vendor dumps as text, compressed or plain, in blocks of whole lines.

What the lines mean is not known here. Archives are streamed and never extracted to disk, and a bomb
is refused after its first megabytes.
"""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.ticks.kernels import count_lines
from price_physics.ticks.reading.archives import (
    DAMAGES,
    Recoded,
    decompressed,
    refuse_binary,
    refuse_unreadable,
)
from price_physics.ticks.reading.rows import decoded, shown

BLOCK_BYTES = 8 << 20
MOST_RATIO = 200
"""Decompressed bytes a compressed one may stand for; dumps of trades reach 20."""
MOST_BYTES = 1 << 40
FREE_BYTES = 16 << 20
"""What any archive may hold, however well it was compressed."""
_LONGEST_LINE = 1 << 20
_CHUNK_BYTES = 1 << 16  # as many compressed bytes of a zip are read ahead of the count of a bomb


@dataclass(frozen=True)
class LineBlock:
    """Whole lines of a file.

    Attributes
    ----------
    data : uint8 array
        Every line with its newline, the file's last one too.
    first_line, n_lines : int
        Number of the first line, from 1, and how many there are.
    cut : bool
        Whether the file lacks the newline at its very end, here added.
    """

    data: NDArray[np.uint8]
    first_line: int
    n_lines: int
    cut: bool

    def texts(self, lines: Sequence[int]) -> list[str]:
        """Return as much of some lines, given by their numbers, as tables and messages hold."""
        split = self.data.tobytes().split(b"\n") if len(lines) else []
        return [shown(decoded(split[line - self.first_line])) for line in lines]


def read_blocks(
    path: Path, file: str, size: int = BLOCK_BYTES, encoding: str | None = None
) -> Iterator[LineBlock]:
    """Stream a text file, plain or compressed, in blocks of whole lines.

    The next block is read and decompressed while the caller works on this one.

    Parameters
    ----------
    path : Path
        Plain text, gzip, bzip2, xz, zstd, or a zip with a single CSV, by its first bytes.
    file : str
        The name for messages.
    size : int
        Bytes of a block, at most; no line may be longer.
    encoding : str, optional
        What it is turned from into UTF-8; by default bytes are taken as they are.

    Raises
    ------
    TickDataError
        When the file is truncated, its CRC is wrong, the archive is not one plain CSV or a bomb,
        is of a kind that is not read, it holds a NUL, or its lines have no end.
    """
    refuse_unreadable(path, file)
    with (
        ThreadPoolExecutor(1) as reader,
        _refuse_damage(file),
        path.open("rb") as raw,
        decompressed(raw, path, file) as stream,
    ):
        text = Recoded(stream, encoding, file) if encoding else stream
        fill = _Filler(text, raw, file, size)
        line, ahead = 1, reader.submit(fill, b"")
        while True:
            buffer, n_bytes = ahead.result()
            if fill.damage:
                row = line - 1 + _count_lines(buffer, n_bytes)
                raise TickDataError(
                    f"{file}, after row {row}: damaged or cut off: {fill.damage}; download it again"
                ) from fill.damage
            ended, cut = fill.ended, fill.ended and n_bytes > 0 and buffer[n_bytes - 1] != 10
            if cut:
                buffer[n_bytes] = 10
                n_bytes += 1
            stop = buffer.rfind(b"\n", 0, n_bytes) + 1
            if n_bytes - stop > min(_LONGEST_LINE, size - 1):
                raise TickDataError(
                    f"{file}, row {line + _count_lines(buffer, stop)}: a line of over "
                    f"{n_bytes - stop} bytes; this is not a CSV"
                )
            if not ended:
                ahead = reader.submit(fill, bytes(buffer[stop:n_bytes]))
            nul = buffer.find(b"\0", 0, stop)
            if nul >= 0:
                row = line + _count_lines(buffer, nul)
                refuse_binary(bytes(buffer[: min(stop, 512)]), row, file)
            if stop:
                n_lines = _count_lines(buffer, stop)
                yield LineBlock(np.frombuffer(buffer, np.uint8, stop), line, n_lines, cut)
                line += n_lines
            if ended:
                return


def _count_lines(buffer: bytearray, n_bytes: int) -> int:
    return count_lines(np.frombuffer(buffer, np.uint8, n_bytes))


class _Filler:
    """Fill a new buffer from a stream, up to its end, a damage or the buffer's size."""

    def __init__(
        self, stream: io.BufferedIOBase | Recoded, raw: BinaryIO, file: str, size: int
    ) -> None:
        self._stream, self._raw, self._file, self._size = stream, raw, file, size
        self._n_read = 0
        self.ended = False
        self.damage: Exception | None = None

    def __call__(self, kept: bytes) -> tuple[bytearray, int]:
        """Put `kept` first, then what the stream gives; returns the buffer and its bytes."""
        buffer = bytearray(self._size + 1)  # a newline may be added
        buffer[: len(kept)] = kept
        at = len(kept)
        with memoryview(buffer) as view:
            while at < self._size:
                try:
                    # what could be decompressed before a damage is handed over
                    n_bytes = self._stream.readinto1(view[at : min(at + _CHUNK_BYTES, self._size)])
                except DAMAGES as error:
                    self.damage = error
                    break
                if not n_bytes:
                    self.ended = True
                    break
                at += n_bytes
                self._n_read += n_bytes
                most = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * self._raw.tell()))
                if self._n_read > most:
                    raise TickDataError(
                        f"{self._file}: its first {self._raw.tell()} bytes decompress to more than "
                        f"{most}, over {MOST_RATIO} times as many; refused as a bomb"
                    )
        return buffer, at


@contextmanager
def _refuse_damage(file: str) -> Iterator[None]:
    """Turn what opening or closing a damaged archive raises into our message."""
    try:
        yield
    except DAMAGES as error:
        raise TickDataError(f"{file}: damaged or cut off: {error}; download it again") from error
