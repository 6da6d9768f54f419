"""What is known of the files: a file is read once, and believed as long as it stays the same."""

import json
import os
from dataclasses import asdict

import pytest

from price_physics.errors import TickDataError
from price_physics.ticks import look
from price_physics.ticks.index import FileEntry, FileIndex, MonthExtent, months_of
from price_physics.ticks.look import look_at_files
from price_physics.ticks.reading.rows import Block, Fault
from price_physics_tests.damage import flips

from .helpers import GENERIC, MAY, START, build_month, files_of, make_rows, market, put

JUNE = MAY.stop_ns // 10**9
JULY = (MAY + 1).stop_ns // 10**9
HEADER = "timestamp,price,qty\n"


@pytest.fixture
def dumps(tmp_path):
    folder = tmp_path / "dumps"
    folder.mkdir()
    put(folder, HEADER + f"{START},5,1\n{JUNE - 1},5,1\n{JUNE},6,1\n", "a.csv")
    put(folder, HEADER + f"{JUNE + 5},6,0\n{JUNE + 6},6,1\n", "b.csv")
    put(folder, HEADER + f"{JULY},7,1\n", "c.csv")
    return folder


# ---------------------------------------------------------------------------- what is read
def test_a_new_file_does_not_rescan_the_old_ones(dumps, tmp_path, was_read):
    path = tmp_path / "index" / "toy.json"
    look_at_files(GENERIC, dumps, FileIndex(GENERIC, path))
    assert was_read == ["a.csv", "b.csv", "c.csv"]
    was_read.clear()
    put(dumps, HEADER + f"{JULY + 9},8,1\n", "d.csv")
    entries = look_at_files(GENERIC, dumps, FileIndex(GENERIC, path))
    assert was_read == ["d.csv"]
    assert list(entries["a.csv"].months) == ["2012-05", "2012-06"]


def test_a_month_reads_the_files_that_feed_it(dumps, was_read):
    index = FileIndex(GENERIC)
    for month, files in ((MAY, ["a.csv", "b.csv", "c.csv"]), (MAY, ["a.csv"])):
        assert files_of(build_month(GENERIC, dumps, month, index).inputs) == ["a.csv"]
        assert was_read == files
        was_read.clear()
    inputs = build_month(GENERIC, dumps, MAY + 1, index).inputs
    assert files_of(inputs) == ["a.csv", "b.csv"]
    assert was_read == ["a.csv", "b.csv"]


@pytest.mark.parametrize("change", ["size", "mtime"])
def test_a_changed_file_is_read_again(dumps, was_read, change):
    index = FileIndex(GENERIC)
    look_at_files(GENERIC, dumps, index)
    was_read.clear()
    path = dumps / "c.csv"
    if change == "size":
        facts = path.stat()
        put(dumps, HEADER + f"{JULY},7,10\n", "c.csv")
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    else:
        os.utime(path, ns=(1, path.stat().st_mtime_ns - 1))
    look_at_files(GENERIC, dumps, index)
    assert was_read == ["c.csv"]


def test_a_file_that_cannot_be_trusted_is_not_remembered_and_the_others_are(
    dumps, tmp_path, was_read
):
    path = tmp_path / "toy.json"
    put(dumps, HEADER + f"{START},5", "b.csv")
    for read in (["a.csv", "b.csv"], ["b.csv"]):
        with pytest.raises(TickDataError, match=r"b\.csv, row 2"):
            look_at_files(GENERIC, dumps, FileIndex(GENERIC, path))
        assert was_read == read
        was_read.clear()
    assert list(json.loads(path.read_text())["files"]) == ["a.csv"]


def test_a_file_that_changes_while_it_is_read_stops(dumps, monkeypatch):
    read_file = look.read_file

    def grow(settings, path, file, *options):
        yield from read_file(settings, path, file, *options)
        with path.open("a") as stream:
            stream.write(f"{JULY},5,1\n")

    monkeypatch.setattr(look, "read_file", grow)
    with pytest.raises(TickDataError, match=r"a\.csv: changed while it was read"):
        look_at_files(GENERIC, dumps, FileIndex(GENERIC))


def test_progress_counts_the_bytes_that_are_read(dumps):
    index, seen = FileIndex(GENERIC), []
    sizes = [path.stat().st_size for path in sorted(dumps.iterdir())]
    look_at_files(GENERIC, dumps, index, lambda *state: seen.append(state))
    total = sum(sizes)
    done = [0, sizes[0], sizes[0] + sizes[1], total]
    assert seen == [
        (d, total, f) for d, f in zip(done, ["a.csv", "b.csv", "c.csv", ""], strict=True)
    ]
    seen.clear()
    look_at_files(GENERIC, dumps, index, lambda *state: seen.append(state))
    assert seen == [(0, 0, "")]


# ---------------------------------------------------------------------------- what is kept
def test_entries_survive_between_runs(dumps, tmp_path):
    path = tmp_path / "deep" / "toy.json"
    first = look_at_files(GENERIC, dumps, FileIndex(GENERIC, path))
    kept = FileIndex(GENERIC, path)
    assert {name: kept.get(name, dumps / name) for name in first} == first
    assert asdict(first["a.csv"].months["2012-05"]) == {
        "rows": 2,
        "faults": 0,
        "first_ns": START * 10**9,
        "last_ns": (JUNE - 1) * 10**9,
    }
    assert first["b.csv"].months["2012-06"].faults == 1


def test_entries_made_under_other_settings_are_not_believed(dumps, tmp_path, was_read):
    path = tmp_path / "toy.json"
    look_at_files(GENERIC, dumps, FileIndex(GENERIC, path))
    same = market(name="other", outages=[], strict_gaps=True, first_month="2012-01")
    assert FileIndex(same, path).get("a.csv", dumps / "a.csv") is not None
    others = [{"symbol": "X"}, {"vendor": None}, {"contract_size": 2.0}]
    others += [{"header": ["timestamp", "price", "qty"]}, {"columns": {"side": "side"}}]
    for other in others:
        assert FileIndex(market(**other), path).get("a.csv", dumps / "a.csv") is None


def test_two_runs_at_once_keep_what_both_have_learned(dumps, tmp_path):
    path = tmp_path / "toy.json"
    one, other = FileIndex(GENERIC, path), FileIndex(GENERIC, path)
    entry = FileEntry(1, 2, [[], []], "ff", "", {"2012-05": MonthExtent(3)})
    one.put("x.csv", entry)
    one.save()
    other.put("y.csv", entry)
    other.save()
    assert list(json.loads(path.read_text())["files"]) == ["x.csv", "y.csv"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"7", b"{}", b"\xff", b"\0"])
def test_a_damaged_index_is_made_again(dumps, tmp_path, caplog, content):
    path = tmp_path / "toy.json"
    first = look_at_files(GENERIC, dumps, FileIndex(GENERIC, path))
    path.write_bytes(content)
    assert look_at_files(GENERIC, dumps, FileIndex(GENERIC, path)) == first
    assert f"{path} is damaged" in caplog.text
    assert FileIndex(GENERIC, path).get("a.csv", dumps / "a.csv") is not None


@pytest.mark.slow
def test_no_flipped_bit_of_an_index_is_believed(dumps, tmp_path):
    path = tmp_path / "toy.json"
    look_at_files(GENERIC, dumps, FileIndex(GENERIC, path))
    for damaged in flips(path.read_bytes(), 400):
        path.write_bytes(damaged)
        assert FileIndex(GENERIC, path).get("a.csv", dumps / "a.csv") is None


# ---------------------------------------------------------------------------- what is counted
def test_an_entry_counts_by_month_whatever_the_order():
    entry = FileEntry(0, 0, [[], []])
    times = [JULY * 10**9, MAY.start_ns, MAY.end_ns, MAY.stop_ns]
    entry.add(Block(make_rows(times), [Fault(9, "bad", "x", MAY.end_ns, False)], "generic"))
    entry.add(Block(make_rows([MAY.start_ns + 1]), [], "generic"))
    assert {name: (e.rows, e.faults) for name, e in entry.months.items()} == {
        "2012-05": (3, 1),
        "2012-06": (1, 0),
        "2012-07": (1, 0),
    }
    may = entry.months["2012-05"]
    assert (may.first_ns, may.last_ns) == (MAY.start_ns, MAY.end_ns)


def test_files_hold_together_what_each_holds():
    one = FileEntry(
        0, 0, [[], []], "", "", {"2012-05": MonthExtent(2, 1, 10, 20), "2012-06": MonthExtent(0, 3)}
    )
    two = FileEntry(0, 0, [[], []], "", "", {"2012-05": MonthExtent(1, 0, 5, 7)})
    whole = months_of([one, two])
    assert whole == {MAY: MonthExtent(3, 1, 5, 20), MAY + 1: MonthExtent(0, 3)}
    assert one.months["2012-05"] == MonthExtent(2, 1, 10, 20)
