"""Entries are added, never lost unnoticed, and merged by the ticks that were looked at."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from price_physics.errors import StoreError
from price_physics.walk_forward.ledger import (
    add_entries,
    export_entries,
    parse_entries,
    read_entries,
    read_trials,
    record_entry,
    trials_version,
)
from price_physics.walk_forward.statistics import sharpe_ratio
from price_physics_tests.damage import flips
from price_physics_tests.walk_forward.make import FEB, JAN, MAR

TICKS = {JAN: "ticks of january", FEB: "ticks of february", MAR: "ticks of march"}


def entry(trial, month, net=(0.01, -0.02, 0.03), ticks=None, **changes):
    net = np.asarray(net, dtype=float)
    return {
        "trial": trial,
        "settings": f"settings of {trial}",
        "declared": None,
        "month": str(month),
        "ticks": ticks or TICKS[month],
        "study": f"study {trial}",
        "market": "m",
        "n_days": len(net),
        "in_sample": False,
        "block_sums": {"100": float(net[:2].sum()), "101": float(net[2:].sum())},
        "sum_of_squares": float(net @ net),
        **changes,
    }


def up_to(month):
    return {m: ticks for m, ticks in TICKS.items() if m <= month}


def test_a_trial_is_all_of_its_months(tmp_path):
    first, second = [0.01, -0.02, 0.03], [0.005, 0.0, -0.01, 0.02]
    record_entry(tmp_path, entry("b", JAN, first))
    record_entry(tmp_path, entry("b", FEB, second))
    record_entry(tmp_path, entry("a", FEB))
    a, b = read_trials(tmp_path, "m", up_to(MAR))
    assert (a["trial"], b["trial"], b["month"], b["n_days"]) == ("a", "b", "2012-02", 7)
    assert b["block_sums"] == {"100": pytest.approx(-0.005), "101": pytest.approx(0.04)}
    assert b["sharpe_daily"] == pytest.approx(sharpe_ratio(np.array(first + second)))


def test_an_old_month_does_not_see_later_entries(tmp_path):
    record_entry(tmp_path, entry("a", JAN))
    before, version = (
        read_trials(tmp_path, "m", up_to(JAN)),
        trials_version(tmp_path, "m", up_to(JAN)),
    )
    record_entry(tmp_path, entry("a", FEB))
    record_entry(tmp_path, entry("b", FEB))
    assert read_trials(tmp_path, "m", up_to(JAN)) == before
    assert trials_version(tmp_path, "m", up_to(JAN)) == version
    record_entry(tmp_path, entry("b", JAN))
    assert trials_version(tmp_path, "m", up_to(JAN)) != version


def test_the_market_is_its_ticks_whatever_it_is_called(tmp_path):
    record_entry(tmp_path, entry("a", JAN, market="renamed", study="copied"))
    record_entry(tmp_path, entry("b", JAN, ticks="of another market"))
    assert [t["trial"] for t in read_trials(tmp_path, "m", up_to(JAN))] == ["a"]
    assert read_trials(tmp_path, "m", {}) == []


def test_looking_again_is_one_trial_and_the_latest_counts(tmp_path):
    for net in ([0.01, 0.02], [0.01, 0.02], [0.03, 0.02], [0.03, 0.02]):
        record_entry(tmp_path, entry("a", JAN, net))
    assert len(read_entries(tmp_path)) == 2, "nothing is taken back"
    (trial,) = read_trials(tmp_path, "m", up_to(JAN))
    assert trial["block_sums"]["100"] == pytest.approx(0.05)


def test_an_in_sample_look_counts_without_a_number(tmp_path):
    known = entry("a", JAN)
    for name in ("block_sums", "sum_of_squares"):
        del known[name]
    record_entry(tmp_path, known | {"in_sample": True})
    (trial,) = read_trials(tmp_path, "m", up_to(JAN))
    assert (trial["in_sample"], trial["sharpe_daily"]) == (True, None)
    assert "block_sums" not in trial


@pytest.mark.parametrize("net", [[0.01], [0.0, 0.0], [0.1, 0.1, 0.1]])
def test_days_that_never_vary_have_no_ratio(tmp_path, net):
    record_entry(tmp_path, entry("a", JAN, net))
    assert read_trials(tmp_path, "m", up_to(JAN))[0]["sharpe_daily"] is None


# ---------------------------------------------------------------------------- lost entries
def three(folder):
    for name in "abc":
        record_entry(folder, entry(name, JAN))
    path = folder / "ledger.jsonl"
    return path, path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("kept", [(1, 2), (0, 2), (0, 1), (), (1, 0, 2)])
def test_a_lost_or_moved_entry_is_noticed_and_the_remedy_named(tmp_path, kept):
    path, lines = three(tmp_path)
    path.write_bytes(b"".join(lines[n] for n in kept))
    with pytest.raises(StoreError, match=r"ledger\.jsonl.*price-physics ledger import"):
        read_trials(tmp_path, "m", up_to(JAN))


def test_a_ledger_that_is_gone_is_noticed(tmp_path):
    path, _ = three(tmp_path)
    path.unlink()
    with pytest.raises(StoreError, match="the last of 0 entries is gone"):
        record_entry(tmp_path, entry("d", JAN))


@pytest.mark.skipif(os.name == "nt", reason="the remedy is for a shell")
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"{")])
def test_the_remedy_of_a_lost_or_torn_ledger_can_be_pasted(tmp_path, damage):
    """A `make` that only writes down what it was asked for stands for the backfills."""
    path, _ = three(tmp_path / "led ger")
    damage(path)
    with pytest.raises(StoreError) as raised:
        read_entries(path.parent)
    pasted = re.search(r"run  (mv .* done)  in which", str(raised.value))
    (tmp_path / "configs" / "studies").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / "configs" / "studies" / f"{name}.yaml").touch()
    script = f'make() {{ echo "$@"; }}; {pasted[1]}'
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "backfill STUDY=a\nbackfill STUDY=b\n"
    assert read_entries(path.parent) == []


@pytest.mark.parametrize("text", [b"{", b"[1]", b'{"trial": "a"}'])
def test_a_torn_entry_is_named(tmp_path, text):
    path, lines = three(tmp_path)
    path.write_bytes(lines[0] + text + b"\n" + lines[2])
    with pytest.raises(StoreError, match=r"ledger\.jsonl, line 2: not a trial"):
        read_entries(tmp_path)


def test_a_changed_entry_is_noticed(tmp_path):
    path, lines = three(tmp_path)
    path.write_bytes(b"".join(lines).replace(b'"n_days": 3', b'"n_days": 4', 1))
    with pytest.raises(StoreError, match="line 2: does not follow"):
        read_entries(tmp_path)


def test_every_flipped_bit_of_a_ledger_is_noticed(tmp_path):
    three(tmp_path)
    for name, n in (("ledger.jsonl", 180), ("last_digest", 20)):
        path = tmp_path / name
        whole = path.read_bytes()
        for damaged in flips(whole.rstrip(), n):
            path.write_bytes(damaged + b"\n")
            with pytest.raises(StoreError, match=r"ledger\.jsonl"):
                read_entries(tmp_path)
        path.write_bytes(whole)
    assert len(read_entries(tmp_path)) == 3


def test_a_kill_between_the_two_files_goes_on(tmp_path):
    _, lines = three(tmp_path)
    head = tmp_path / "last_digest"
    before = head.read_text()
    record_entry(tmp_path, entry("d", JAN))
    after = head.read_text()
    head.write_text(before)
    assert len(read_entries(tmp_path)) == len(lines) + 1
    record_entry(tmp_path, entry("d", JAN))  # as the rerun does: the last entry is named again
    assert head.read_text() == after
    record_entry(tmp_path, entry("e", JAN))
    assert head.read_text() != before


def test_numbers_json_has_not_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        record_entry(tmp_path, entry("a", JAN, n_days=float("nan")))


def test_no_ledger_yet(tmp_path):
    assert read_trials(tmp_path / "none", "m", up_to(JAN)) == []


def test_the_remedy_can_be_pasted_wherever_the_ledger_lies(tmp_path):
    folder = tmp_path / "it's here"
    path, lines = three(folder)
    path.write_bytes(lines[0])
    with pytest.raises(StoreError) as raised:
        read_entries(folder)
    moves = str(raised.value).partition("or run  ")[2].partition("; for f in")[0]
    assert [shlex.split(move) for move in moves.split("; ")] == [
        ["mv", str(p), f"{p}.damaged"] for p in (path, folder / "last_digest")
    ]


# ---------------------------------------------------------------------------- sharing
def test_two_ledgers_become_one_and_keep_what_each_had(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    record_entry(ours, entry("a", JAN))
    for name in "ab":
        record_entry(theirs, entry(name, JAN))
    assert export_entries(theirs, tmp_path / "shared.jsonl") == 2
    shared = parse_entries((tmp_path / "shared.jsonl").read_bytes(), "theirs")
    assert add_entries(ours, shared) == 1
    assert add_entries(ours, shared) == 0
    assert [e["trial"] for e in read_entries(ours)] == ["a", "b"]
    assert read_trials(ours, "m", up_to(JAN)) == read_trials(theirs, "m", up_to(JAN))


def test_an_export_with_a_gap_is_refused(tmp_path):
    _, lines = three(tmp_path)
    with pytest.raises(StoreError, match=r"theirs, line 1: does not follow.*export it again"):
        parse_entries(b"".join(lines[1:]), "theirs")


def test_an_export_of_an_earlier_version_has_no_end_and_is_taken_with_a_warning(tmp_path, caplog):
    _, lines = three(tmp_path)
    assert parse_entries(b"".join(lines), "theirs") == [json.loads(line) for line in lines]
    assert "theirs, line 3: the export has no end" in caplog.text
    assert parse_entries(lines[0], "theirs")
    with pytest.raises(StoreError, match="does not follow"):
        parse_entries(lines[0] + lines[2], "theirs")


def test_no_bit_and_no_line_of_an_export_is_lost_unseen(tmp_path, caplog):
    """Nothing follows the last entry but the end, which names its digest."""
    three(tmp_path)
    path = tmp_path / "ours.jsonl"
    export_entries(tmp_path, path)
    lines = path.read_bytes().splitlines(keepends=True)
    for content in [*flips(b"".join(lines).rstrip(), 200), b""]:
        with pytest.raises(StoreError, match=r"ours\.jsonl, line .*ledger export"):
            parse_entries(content, str(path))
    assert not caplog.text
    for n in range(1, len(lines)):
        parse_entries(b"".join(lines[:n]), str(path))
        assert f"line {n}: the export has no end" in caplog.text


# ---------------------------------------------------------------------------- earlier versions
def former(folder, month, key="trial", text=None):
    path = folder / "m" / "old" / f"{month}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {key: "old", "market": "m", "month": str(month), "sharpe_daily": 0.1}
    path.write_text(text or json.dumps(known))


@pytest.mark.parametrize("key", ["trial", "config_hash"])
def test_an_entry_of_an_earlier_version_is_still_read(tmp_path, key):
    former(tmp_path, JAN, key)
    former(tmp_path, MAR, key)
    record_entry(tmp_path, entry("a", JAN))
    found = read_trials(tmp_path, "m", up_to(FEB))
    assert [(t["trial"], t["month"]) for t in found] == [("a", "2012-01"), ("old", "2012-01")]
    assert found[1]["sharpe_daily"] == 0.1
    assert "block_sums" not in found[1]
    assert len(read_trials(tmp_path, "other", up_to(FEB))) == 1


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_torn_entry_of_an_earlier_version_is_named(tmp_path, text):
    former(tmp_path, JAN, text=text)
    with pytest.raises(StoreError, match=r"2012-01\.json: not a trial"):
        read_trials(tmp_path, "m", up_to(JAN))
