"""Globs, archives, checksums and blocks."""

import gzip
import hashlib
import zipfile

import pytest

from price_physics.errors import TickDataError
from price_physics.ticks.files import display_name, input_files, read_blocks, verify_checksum

from .helpers import market, put

LINES = b"".join(b"%d,5.0,1.0\n" % i for i in range(1000))


def test_files_come_sorted_and_once(tmp_path):
    for name in ("b.csv", "a.csv", "a.csv.CHECKSUM", "sub/c.csv"):
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


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.zip"])
@pytest.mark.parametrize("size", [1, 64, 1 << 20])
@pytest.mark.parametrize("data", [LINES, LINES[:-1], b""])
def test_blocks_are_whole_lines_and_all_of_the_file(tmp_path, name, size, data):
    blocks = list(read_blocks(put(tmp_path, data, name), name, size))
    assert b"".join(blocks) == data
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert all(blocks)


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
    assert b"".join(read_blocks(path, "t")) == b"1\n2\n"


def test_a_truncated_zip_stops(tmp_path):
    path = put(tmp_path, LINES, "t.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(TickDataError, match=r"t\.zip, after row 0: damaged or cut off"):
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


def test_an_exotic_compression_is_refused(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("t.csv", LINES)
    with pytest.raises(TickDataError, match="not deflated"):
        list(read_blocks(path, "t.zip"))


def test_a_line_without_end_is_refused(tmp_path):
    with pytest.raises(TickDataError, match=r"row 1: .*has no end"):
        list(read_blocks(put(tmp_path, b"x" * (3 << 20)), "t.csv", size=1 << 20))


def test_checksums_are_compared_where_there_are_any(tmp_path):
    path = put(tmp_path, LINES, "t.csv")
    verify_checksum(path, "t.csv")
    beside = tmp_path / "t.csv.CHECKSUM"
    beside.write_text(f"{hashlib.sha256(LINES).hexdigest()}  t.csv\n")
    verify_checksum(path, "t.csv")
    for wrong in ("0" * 64 + "  t.csv", ""):
        beside.write_text(wrong)
        with pytest.raises(TickDataError, match=r"t\.csv: sha256 is [0-9a-f]{64}, t\.csv\.CHECK"):
            verify_checksum(path, "t.csv")
