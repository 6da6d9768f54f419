"""Globs, archives, checksums and blocks."""

import gzip
import hashlib
import zipfile

import pytest

from price_physics.errors import TickDataError
from price_physics.ticks.index import FileEntry
from price_physics.ticks.reading import blocks
from price_physics.ticks.reading.blocks import read_blocks
from price_physics.ticks.reading.files import (
    display_name,
    hash_file,
    input_files,
    verify_checksum,
)

from .helpers import market, put

LINES = b"".join(b"%d,5.0,1.0\n" % i for i in range(1000))


def test_files_come_sorted_and_once(tmp_path):
    for name in ("b.csv", "a.csv", "a.csv.CHECKSUM", "b.csv.SYNTHETIC", "sub/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        put(tmp_path, "x", name)
    found = input_files(market(files=["*", "a*.csv", "**/*.csv"]), tmp_path)
    assert [display_name(p, tmp_path) for p in found] == ["a.csv", "b.csv", "sub/c.csv"]


def test_an_empty_glob_names_folder_and_remedy(tmp_path):
    put(tmp_path, "x", "a.csv")
    with pytest.raises(TickDataError) as caught:
        input_files(market(files=["*.csv", "raw/*.zip"]), tmp_path)
    message = str(caught.value)
    assert "raw/*.zip" in message
    assert "*.csv," not in message
    assert str(tmp_path) in message
    assert "configs/markets/toy.yaml" in message


def test_a_glob_may_point_outside_the_project(tmp_path):
    path = put(tmp_path, "x", "a.csv")
    root = tmp_path / "project"
    root.mkdir()
    assert input_files(market(files=[str(path)]), root) == [path]
    assert display_name(path, root) == "../a.csv"


def text_of(blocks):
    return b"".join(block.data.tobytes() for block in blocks)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.zip"])
@pytest.mark.parametrize("size", [13, 64, 1 << 20])
@pytest.mark.parametrize("data", [LINES, LINES[:-1], b"", b"\n", LINES + b"\n\n"])
def test_blocks_are_whole_numbered_lines_and_all_of_the_file(tmp_path, name, size, data):
    blocks = list(read_blocks(put(tmp_path, data, name), name, size))
    cut = data == LINES[:-1]
    assert text_of(blocks) == data + b"\n" * cut
    assert [block.cut for block in blocks] == [False] * (len(blocks) - 1) + [cut] * bool(blocks)
    line = 1
    for block in blocks:
        assert 0 < block.data.size <= size + 1
        assert block.data[-1] == ord("\n")
        assert block.first_line == line
        assert block.n_lines == block.data.tobytes().count(b"\n")
        line += block.n_lines


def test_a_truncated_gzip_stops_and_says_after_which_row(tmp_path):
    path = put(tmp_path, b"".join(b"%d,5.0,1.0\n" % (i * 7919) for i in range(50_000)), "t.csv.gz")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(TickDataError, match=r"t\.csv\.gz, after row \d{4,5}: damaged or cut off"):
        list(read_blocks(path, "t.csv.gz"))


def test_a_gzip_with_a_wrong_crc_stops(tmp_path):
    path = put(tmp_path, LINES, "t.csv.gz")
    data = bytearray(path.read_bytes())
    data[-8] ^= 1  # the CRC32 is the first half of the trailer
    path.write_bytes(data)
    with pytest.raises(TickDataError, match="CRC check failed"):
        list(read_blocks(path, "t.csv.gz"))


def test_a_file_that_is_no_gzip_stops(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(LINES)
    with pytest.raises(TickDataError, match="Not a gzipped file"):
        list(read_blocks(path, "t.csv.gz"))


def test_a_corrupt_gzip_body_stops(tmp_path):
    path = put(tmp_path, LINES, "t.csv.gz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(TickDataError, match="damaged or cut off"):
        list(read_blocks(path, "t.csv.gz"))


def test_two_gzip_members_are_one_file(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"1\n") + gzip.compress(b"2\n"))
    assert text_of(read_blocks(path, "t")) == b"1\n2\n"


def test_a_truncated_zip_stops(tmp_path):
    path = put(tmp_path, LINES, "t.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(TickDataError, match=r"t\.zip: damaged or cut off"):
        list(read_blocks(path, "t.zip"))


def test_a_zip_with_a_wrong_crc_stops(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("t.csv", LINES)
    path.write_bytes(path.read_bytes().replace(b"999,5.0", b"999,6.0"))
    with pytest.raises(TickDataError, match="Bad CRC-32"):
        list(read_blocks(path, "t.zip"))


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["../t.csv"], "outside the archive"),
        (["a/../../t.csv"], "outside the archive"),
        (["/etc/t.csv"], "outside the archive"),
        (["..\\t.csv"], "outside the archive"),
        (["C:\\t.csv"], "outside the archive"),
        (["a.csv", "b.csv"], "expected a single .csv"),
        (["t.exe"], "expected a single .csv"),
        ([], "expected a single .csv"),
    ],
)
def test_a_zip_of_anything_but_one_csv_is_refused(tmp_path, names, complaint):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, LINES)
    with pytest.raises(TickDataError, match=complaint):
        list(read_blocks(path, "t.zip"))


def test_an_encrypted_zip_is_refused(tmp_path):
    path = put(tmp_path, LINES, "t.zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # flag in the central directory
    path.write_bytes(data)
    with pytest.raises(TickDataError, match="encrypted"):
        list(read_blocks(path, "t.zip"))


@pytest.mark.slow
def test_no_bit_of_a_zip_s_directory_stops_with_another_error(tmp_path):
    """Some ask for a version, or a kind of patch, that nobody implements."""
    data = put(tmp_path, LINES, "t.zip").read_bytes()
    start, n_refused = data.index(b"PK\x01\x02"), 0
    for bit in range(46 * 8):
        changed = bytearray(data)
        changed[start + bit // 8] ^= 1 << bit % 8
        path = tmp_path / "t.zip"
        path.write_bytes(changed)
        try:
            assert text_of(read_blocks(path, "t.zip")) == LINES
        except TickDataError as error:
            assert str(error).startswith("t.zip")  # noqa: PT017
            n_refused += 1
    assert n_refused > 100


def test_an_exotic_compression_is_refused(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("t.csv", LINES)
    with pytest.raises(TickDataError, match="not deflated"):
        list(read_blocks(path, "t.zip"))


def test_a_line_without_end_is_refused(tmp_path):
    with pytest.raises(TickDataError, match=r"row 2: a line of over \d+ bytes; this is not a CSV"):
        list(read_blocks(put(tmp_path, b"1\n" + b"x" * (3 << 20)), "t.csv", size=1 << 20))


def test_a_nul_is_refused_with_its_row(tmp_path):
    path = put(tmp_path, LINES.replace(b"\n777,", b"\n7\x007,"))
    for size in (64, 1 << 20):
        with pytest.raises(TickDataError, match=r"t\.csv, row 778: holds a NUL byte"):
            list(read_blocks(path, "t.csv", size))


# ---------------------------------------------------------------------------- bombs
@pytest.mark.parametrize("name", ["t.csv.gz", "t.zip"])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, name, monkeypatch):
    monkeypatch.setattr(blocks, "FREE_BYTES", 1 << 16)
    monkeypatch.setattr(blocks, "_CHUNK_BYTES", 1 << 12)
    path = put(tmp_path, b"1335830400,5.0,1.0\n" * 1_000_000, name)
    with pytest.raises(TickDataError, match="refused as a bomb") as caught:
        list(read_blocks(path, name, 1 << 16))
    n_read = int(str(caught.value).split("its first ")[1].split()[0])
    assert n_read < path.stat().st_size / 2


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.zip"])
def test_what_is_dense_or_small_is_no_bomb(tmp_path, name, monkeypatch):
    assert text_of(read_blocks(put(tmp_path, b"1\n" * 100_000, name), name)) == b"1\n" * 100_000
    monkeypatch.setattr(blocks, "FREE_BYTES", 0)
    assert text_of(read_blocks(put(tmp_path, LINES, name), name)) == LINES


def test_a_bomb_behind_honest_bytes_is_refused_too(tmp_path, monkeypatch):
    """The ratio counts what has been read so far, so that junk in front buys little."""
    monkeypatch.setattr(blocks, "FREE_BYTES", 1 << 16)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(LINES * 3) + gzip.compress(b"1,5.0,1.0\n" * 1_000_000))
    with pytest.raises(TickDataError, match="refused as a bomb"):
        list(read_blocks(path, "t.csv.gz"))


@pytest.mark.parametrize("claimed", [10, 1000])
def test_a_zip_that_lies_about_its_size_is_refused(tmp_path, claimed):
    path = put(tmp_path, LINES, "t.zip")
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(mark) + place
        assert int.from_bytes(data[start : start + 4], "little") == len(LINES)
        data[start : start + 4] = claimed.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(TickDataError, match=r"t\.zip.*Bad CRC-32"):
        list(read_blocks(path, "t.zip"))


# ---------------------------------------------------------------------------- beside the file


def test_checksums_are_compared_where_there_are_any(tmp_path):
    path = put(tmp_path, LINES, "t.csv")
    actual = hash_file(path)
    assert actual == hashlib.sha256(LINES).hexdigest()
    verify_checksum(path, "t.csv", actual)
    beside = tmp_path / "t.csv.CHECKSUM"
    for right in (f"{actual}  t.csv\n", actual.upper()):
        beside.write_text(right)
        verify_checksum(path, "t.csv", actual)
    for wrong in ("0" * 64 + "  t.csv", ""):
        beside.write_text(wrong)
        with pytest.raises(TickDataError, match=r"t\.csv: sha256 is [0-9a-f]{64}, t\.csv\.CHECK"):
            verify_checksum(path, "t.csv", actual)


def test_a_generator_s_mark_lies_beside_its_file(tmp_path):
    path = put(tmp_path, LINES, "t.csv.gz")
    assert not FileEntry.of(path).is_synthetic
    (tmp_path / "t.csv.gz.SYNTHETIC").touch()
    assert FileEntry.of(path).is_synthetic
