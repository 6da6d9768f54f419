"""Files that must be refused, and a program that refuses them and reports what it took.

    python -m price_physics_tests.ticks.hostile FOLDER

Every folder in FOLDER is a market's: one good file and one that cannot be trusted.
"""

import gzip
import io
import json
import resource
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from price_physics.errors import TickDataError
from price_physics.study.market import TradeMarket
from price_physics.ticks.build import build_ticks
from price_physics.ticks.index import FileIndex

from .helpers import MAY, START

TOY = TradeMarket(name="toy", symbol="TOY", files=["*"], first_month="2012-05")
HEADER = b"timestamp,price,qty\n"
GOOD = HEADER + b"".join(b"%d,%d.5,1.25\n" % (START + 60 * i, 5 + i % 7) for i in range(2000))
BOMB_LINE = b"1335830400,5,1\n"
WITH_SYMBOL = b"symbol,timestamp,price,qty\nTOY,%d,5,1\nEUR,%d,5,1\n" % (START, START)


# ---------------------------------------------------------------------------- how to damage
def flipped(data: bytes, place: int, bit: int = 3) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


def zip_flag(data: bytes, offset: int, value: bytes) -> bytes:
    """Write into the entry of the only member in the central directory."""
    start = data.index(b"PK\x01\x02") + offset
    return data[:start] + value + data[start + len(value) :]


def zip_sizes(data: bytes, size: int) -> bytes:
    """Claim another size of the only member, in both of its headers."""
    start = data.index(b"PK\x03\x04") + 22
    return zip_flag(
        data[:start] + size.to_bytes(4, "little") + data[start + 4 :],
        24,
        size.to_bytes(4, "little"),
    )


def parquet(times=None, n_rows: int = 2000, **options) -> bytes:
    times = [START + 60 * i for i in range(n_rows)] if times is None else times
    columns = {"timestamp": times, "price": np.arange(len(times)) + 5.5, "qty": [1.25] * len(times)}
    stream = io.BytesIO()
    pq.write_table(pa.table(columns | options.pop("extra", {})), stream, **options)
    return stream.getvalue()


def bomb_gzip(line: bytes) -> bytes:
    """Over 200 MB: one member again and again, for a gzip may have many."""
    member = gzip.compress(line * ((4 << 20) // len(line)), 9)
    return gzip.compress(HEADER + BOMB_LINE * 100) + member * 52


def bomb_zip() -> bytes:
    """Over 200 MB: a full flush makes pieces of a deflated stream repeatable."""
    piece = BOMB_LINE * ((4 << 20) // len(BOMB_LINE))
    packer, check, n_pieces = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.crc32(HEADER), 52
    body = packer.compress(HEADER) + packer.flush(zlib.Z_FULL_FLUSH)
    repeated = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    body += repeated * n_pieces + packer.flush()
    for _ in range(n_pieces):
        check = zlib.crc32(piece, check)
    data = zipped(("t.csv", b""), method=zipfile.ZIP_STORED)
    size = len(HEADER) + len(piece) * n_pieces
    facts = (
        b"\x08\x00"
        + data[10:14]
        + b"".join(n.to_bytes(4, "little") for n in (check, len(body), size))
    )
    central = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    local = data[:8] + facts + data[26:central] + body
    directory = data[central : central + 10] + facts + data[central + 28 : end]
    return (
        local
        + directory
        + data[end : end + 16]
        + len(local).to_bytes(4, "little")
        + data[end + 20 :]
    )


def unicode_parquet() -> bytes:
    offsets = pa.py_buffer(np.array([0, 2], np.int32))
    note = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(b"\xff\xfe")])
    return parquet([START], extra={"note": note})


def many_rows_parquet() -> bytes:
    """Two million times the same row, in a few kilobytes."""
    stream, n_rows = io.BytesIO(), 1_000_000
    row = {"timestamp": np.full(n_rows, START), "price": np.ones(n_rows), "qty": np.ones(n_rows)}
    table = pa.table(row)
    with pq.ParquetWriter(stream, table.schema, compression="zstd") as writer:
        for _ in range(2):
            writer.write_table(table)
    return stream.getvalue()


def wide_parquet() -> bytes:
    """A megabyte of one letter in each of 20 rows."""
    return parquet(n_rows=20, extra={"note": ["x" * (1 << 20)] * 20}, use_dictionary=False,
                   compression="zstd")  # fmt: skip


# ---------------------------------------------------------------------------- the list
Make = Callable[[], bytes]
CASES: dict[str, tuple[str, Make, str]] = {
    # what it is: (name of the file, its bytes, what the message must say)
    "gzip, truncated": ("t.csv.gz", lambda: gzip.compress(GOOD)[:-2000], "cut off"),
    "gzip, without its trailer": ("t.csv.gz", lambda: gzip.compress(GOOD)[:-8], "cut off"),
    "gzip, a bit of the body": ("t.csv.gz", lambda: flipped(gzip.compress(GOOD), 4000), "damaged"),
    "gzip, a bit of the checksum": ("t.csv.gz", lambda: flipped(gzip.compress(GOOD), -8), "CRC"),
    "gzip, a bit of the length": ("t.csv.gz", lambda: flipped(gzip.compress(GOOD), -3), "length"),
    "gzip, a bit of the first byte": ("t.csv.gz", lambda: flipped(gzip.compress(GOOD), 0), "gzip"),
    "gzip, rubbish behind": ("t.csv.gz", lambda: gzip.compress(GOOD) + b"rubbish", "damaged"),
    "gzip, plain text instead": ("t.csv.gz", lambda: GOOD, "Not a gzipped"),
    "gzip, empty": ("t.csv.gz", lambda: b"", "no row"),
    "gzip, of nothing": ("t.csv.gz", lambda: gzip.compress(b""), "no row"),
    "gzip, bomb of trades": ("t.csv.gz", lambda: bomb_gzip(BOMB_LINE), "bomb"),
    "gzip, bomb of blank lines": ("t.csv.gz", lambda: bomb_gzip(b"\n"), "bomb"),
    "gzip, bomb of rubbish lines": ("t.csv.gz", lambda: bomb_gzip(b"x\n"), "bomb|not 3"),
    "gzip, rubbish lines": ("t.csv.gz", lambda: gzip.compress(GOOD + b"x\n" * 10**6), "not 3"),
    "gzip, bomb of zeros": ("t.csv.gz", lambda: bomb_gzip(b"\0"), "NUL|not a CSV"),
    "gzip, bomb of one line": ("t.csv.gz", lambda: bomb_gzip(b"x"), "not a CSV"),
    "gzip, cut inside a row": ("t.csv.gz", lambda: gzip.compress(GOOD[:-7]), "cut off"),
    "zip, truncated": ("t.zip", lambda: zipped(("t.csv", GOOD))[:-2000], "not a zip"),
    "zip, its head lost": ("t.zip", lambda: zipped(("t.csv", GOOD))[2000:], "damaged"),
    "zip, a bit of the body": ("t.zip", lambda: flipped(zipped(("t.csv", GOOD)), 4000), "damaged"),
    "zip, another checksum": ("t.zip", lambda: zip_flag(zipped(("t.csv", GOOD)), 16, b"?"), "CRC"),
    "zip, a bit of the directory": (
        "t.zip",
        lambda: zip_flag(zipped(("t.csv", GOOD)), 6, b"\xff"),
        "zip file version",
    ),
    "zip, plain text instead": ("t.zip", lambda: GOOD, "not a zip"),
    "zip, empty": ("t.zip", lambda: b"", "not a zip"),
    "zip, of nothing": ("t.zip", lambda: zipped(("t.csv", b"")), "no row"),
    "zip, no member": ("t.zip", zipped, "single .csv"),
    "zip, two members": ("t.zip", lambda: zipped(("a.csv", GOOD), ("b.csv", GOOD)), "single .csv"),
    "zip, a program": ("t.zip", lambda: zipped(("t.exe", GOOD)), "single .csv"),
    "zip, a member above": ("t.zip", lambda: zipped(("../t.csv", GOOD)), "outside"),
    "zip, a member above, windows": ("t.zip", lambda: zipped(("..\\t.csv", GOOD)), "outside"),
    "zip, an absolute member": ("t.zip", lambda: zipped(("/tmp/t.csv", GOOD)), "outside"),  # noqa: S108
    "zip, an absolute member, windows": ("t.zip", lambda: zipped(("C:\\t.csv", GOOD)), "outside"),
    "zip, encrypted": ("t.zip", lambda: zip_flag(zipped(("t.csv", GOOD)), 8, b"\1"), "encrypted"),
    "zip, exotic": (
        "t.zip",
        lambda: zipped(("t.csv", GOOD), method=zipfile.ZIP_LZMA),
        "not deflated",
    ),
    "zip, claims to be smaller": (
        "t.zip",
        lambda: zip_sizes(zipped(("t.csv", GOOD)), 1000),
        "CRC",
    ),
    "zip, bomb": ("t.zip", bomb_zip, "bomb"),
    "zip, bomb that claims to be small": ("t.zip", lambda: zip_sizes(bomb_zip(), 1000), "CRC"),
    "parquet, truncated": ("t.parquet", lambda: parquet()[:-100], "damaged"),
    "parquet, its head lost": ("t.parquet", lambda: parquet()[3000:], "damaged"),
    "parquet, a bit of a page": (
        "t.parquet",
        lambda: flipped(parquet(write_page_checksum=True), 3000),
        "damaged",
    ),
    "parquet, a bit of a page, beside a checksum": (
        "t.parquet",
        lambda: flipped(parquet(compression="none", use_dictionary=False), 3000),
        "sha256",
    ),
    "parquet, a bit of the footer": ("t.parquet", lambda: flipped(parquet(), -6, 7), "damaged"),
    "parquet, plain text instead": ("t.parquet", lambda: GOOD, "damaged"),
    "parquet, empty": ("t.parquet", lambda: b"", "damaged"),
    "parquet, of nothing": ("t.parquet", lambda: parquet([]), "no row"),
    "parquet, no text": ("t.parquet", unicode_parquet, "UTF8"),
    "parquet, bomb of rows": ("t.parquet", many_rows_parquet, "bomb"),
    "parquet, bomb of a column": ("t.parquet", wide_parquet, "bomb"),
    "parquet, two symbols": (
        "t.parquet",
        lambda: parquet([START, START], extra={"symbol": ["TOY", "EUR"]}),
        "is of 'EUR'",
    ),
    "parquet, mixed units": ("t.parquet", lambda: parquet([START, START * 1000]), "in ms"),
    "parquet, unknown columns": (
        "t.parquet",
        lambda: parquet().replace(b"timestamp", b"timestomp"),
        "no known format",
    ),
    "text, cut inside a row": ("t.csv", lambda: GOOD[:-7], "cut off"),
    "text, cut inside a row, a newline added": ("t.csv", lambda: GOOD[:-7] + b"\n", "cut off"),
    "text, a bit, beside a checksum": ("t.csv", lambda: flipped(GOOD, 3000, 0), "sha256"),
    "text, another's checksum": ("t.csv", lambda: GOOD, "sha256"),
    "text, a NUL": ("t.csv", lambda: GOOD[:3000] + b"\0" + GOOD[3000:], "NUL"),
    "text, UTF-8 mark": ("t.csv", lambda: b"\xef\xbb\xbf" + GOOD, "byte order mark"),
    "text, UTF-16 mark": ("t.csv", lambda: GOOD.decode().encode("utf-16"), "UTF-16"),
    "text, UTF-16": ("t.csv", lambda: GOOD.decode().encode("utf-16-be"), "UTF-16-BE"),
    "text, empty": ("t.csv", lambda: b"", "no row"),
    "text, blank": ("t.csv", lambda: b" \r\n\n" * 1000, "no row"),
    "text, two symbols": ("t.csv", lambda: WITH_SYMBOL, "is of 'EUR'"),
    "text, s and ms": ("t.csv", lambda: GOOD + b"%d000,5,1\n" % START, "in ms"),
    "text, s and ISO 8601": ("t.csv", lambda: GOOD + b"2012-05-01T00:00:00Z,5,1\n", "ISO 8601"),
    "text, unknown schema": ("t.csv", lambda: b"when,what\n1,2\n", "no known format"),
    "text, another schema half-way": ("t.csv", lambda: GOOD + b"1,2\n" * 9000 + GOOD, "not 3"),
    "text, one endless line": ("t.csv", lambda: b"1" * (20 << 20), "not a CSV"),
    "text, a picture": ("t.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 99, "NUL"),
}  # fmt: skip


def write_cases(folder: Path) -> None:
    """Make a market's folder for every case."""
    for number, case in enumerate(CASES):
        write_case(case, folder / f"{number:02d}")


def write_case(case: str, folder: Path) -> None:
    """Make a market's folder: one good file, and the one that cannot be trusted."""
    name, make, _ = CASES[case]
    files = folder / "files"
    files.mkdir(parents=True)
    (files / "a.csv").write_bytes(GOOD)
    (files / name).write_bytes(make())
    if ("checksum" in case and "beside" in case) or "another's" in case:
        (files / f"{name}.CHECKSUM").write_text("0" * 64 + f"  {name}\n")


# ---------------------------------------------------------------------------- the program
def peak_mb() -> float:
    """The most memory this program ever held; what ``getrusage`` says begins with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget_peak() -> None:
    """Begin anew with what is held now: compiling takes memory, too."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")


def refuse(folder: Path) -> dict[str, object]:
    """Build a month of a market; say what came of it, and what it took."""
    before, start, error = peak_mb(), time.perf_counter(), ""
    scratch = folder / "scratch"
    scratch.mkdir()
    index = FileIndex(TOY, folder / "index.json")
    try:
        build_ticks(TOY, MAY, folder / "files", index=index, scratch=scratch)
    except TickDataError as refusal:
        error = str(refusal)
    seconds = time.perf_counter() - start
    known = json.loads((folder / "index.json").read_text())["files"]
    left = [path.name for path in scratch.iterdir()]
    return {
        "error": error,
        "seconds": seconds,
        "mb": peak_mb() - before,
        "left": left,
        "known": list(known),
    }


def warm_up() -> None:
    """Compile, and touch every way of reading once."""
    with tempfile.TemporaryDirectory() as name:
        files = Path(name)
        (files / "a.csv").write_bytes(GOOD + b"x\n" + GOOD[-20:])
        (files / "b.csv.gz").write_bytes(gzip.compress(GOOD))
        (files / "c.zip").write_bytes(zipped(("c.csv", GOOD)))
        (files / "d.parquet").write_bytes(parquet())
        for path in sorted(files.iterdir()):  # one by one: they hold the same trades
            build_ticks(TOY.model_copy(update={"files": [path.name]}), MAY, files)


def main() -> None:
    warm_up()
    forget_peak()
    folders = sorted(Path(sys.argv[1]).iterdir())
    baseline = peak_mb()
    found = {folder.name: refuse(folder) for folder in folders}
    print(json.dumps({"baseline_mb": baseline, "peak_mb": peak_mb(), "cases": found}))


if __name__ == "__main__":
    main()
