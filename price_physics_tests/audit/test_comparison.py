"""What the audit sees between two partitions: every kind of difference, named."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from price_physics.audit.comparison import Comparison, compare_partitions
from price_physics.audit.findings import Audit, Coverage, utc
from price_physics.audit.splits import split_leaks
from price_physics.folds.runs import as_runs
from price_physics.months import Month
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.table import TableSchema, table
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition, Store

MONTH = Month(2020, 2)
T = MONTH.start_ns + 1000
TABLE = table(
    "things",
    "things",
    "known_at",
    time_ns=("i64", "when"),
    value=("f64?", "what"),
    word=("text", "how"),
    known_at=("i64", "from when"),
)


def frame(*rows: tuple[int, float, str, int]) -> pd.DataFrame:
    times = [(MONTH.start_ns + a, b, c, MONTH.start_ns + d) for a, b, c, d in rows]
    return pd.DataFrame(times, columns=TABLE.columns)


def written(folder: Path, artefact: Artefact) -> Partition:
    return Store(folder).write(("study", "bars"), MONTH, artefact, code_version="1")


def compared(tmp_path: Path, base: Artefact, tampered: Artefact, t_ns: int = T) -> Comparison:
    pair = written(tmp_path / "base", base), written(tmp_path / "tampered", tampered)
    return compare_partitions(*pair, t_ns)


def tables(*frames: pd.DataFrame, schema: TableSchema = TABLE) -> list[Artefact]:
    return [Artefact(tables=((schema, f),)) for f in frames]


PAST = [(1, 1.0, "a", 10), (2, np.nan, "b", 900), (3, 0.0, "c", 1000)]


def test_rows_known_later_may_change(tmp_path: Path) -> None:
    pair = tables(frame(*PAST, (4, 1.0, "d", 1001)), frame(*PAST, (5, 2.0, "e", 1002)))
    found = compared(tmp_path, *pair)
    assert found.leaks == []
    assert found.coverage == Coverage(rows={"things": 3}, felt=1)


def test_equal_partitions_are_counted(tmp_path: Path) -> None:
    found = compared(tmp_path, *tables(frame(*PAST), frame(*PAST)), t_ns=MONTH.start_ns + 900)
    assert found == Comparison([], Coverage(rows={"things": 2}))


@pytest.mark.parametrize(
    ("other", "column", "values", "n_rows"),
    [
        ([PAST[0], (2, 7.0, "b", 900), (3, 1.0, "c", 1000)], "value", ("None", "7.0"), 2),
        ([PAST[0], PAST[1], (3, -0.0, "c", 1000)], "value", ("0.0", "-0.0"), 1),
        ([PAST[0], (2, np.nan, "x", 900), PAST[2]], "word", ("'b'", "'x'"), 1),
        ([PAST[0], PAST[2]], "(row)", ("there", "(not there)"), 1),
        ([*PAST, (4, 0.0, "d", 1000)], "(row)", ("(not there)", "there"), 1),
        ([PAST[1], PAST[0], PAST[2]], "(order of rows)", ("", ""), 1),
    ],
)
def test_rows_known_by_then_may_not(
    tmp_path: Path, other: list, column: str, values: tuple[str, str], n_rows: int
) -> None:
    future = (50, 1.0, "z", 5000)
    found = compared(tmp_path, *tables(frame(*PAST, future), frame(*other, future)))
    (leak,) = found.leaks
    assert (leak.asset, leak.month, leak.member) == ("bars", "2020-02", "things.parquet")
    assert (leak.column, (leak.base, leak.tampered), leak.n_rows) == (column, values, n_rows)
    assert found.coverage.felt == 0


def test_a_row_is_named_by_its_key_and_time(tmp_path: Path) -> None:
    other = [PAST[0], (2, 7.0, "b", 900), PAST[2]]
    (leak,) = compared(tmp_path, *tables(frame(*PAST), frame(*other))).leaks
    when = MONTH.start_ns + 2
    assert leak.row == f"time_ns {when} (2020-02-01 00:00:00.000000002)"
    assert leak.known_at_ns == MONTH.start_ns + 900
    assert str(leak) == (
        "t = 2020-02-01 00:00:00.000001000: bars 2020-02, things.parquet, value, row time_ns "
        f"{when} (2020-02-01 00:00:00.000000002), known at 2020-02-01 00:00:00.000000900: "
        "depends on later ticks: None -> 7.0"
    )


def test_rows_with_one_key_go_in_turn(tmp_path: Path) -> None:
    """Trades without an id repeat each other; of three equal ones the second has changed."""
    same = (1, 1.0, "a", 1)
    changed = [same, (1, 1.0, "b", 1), same]
    (leak,) = compared(tmp_path, *tables(frame(same, same, same), frame(*changed))).leaks
    assert (leak.column, leak.n_rows) == ("word", 1)


def test_a_known_at_that_moves_is_a_leak(tmp_path: Path) -> None:
    """A touch that the future put off: the row is there, but known later."""
    other = [PAST[0], PAST[1], (3, 0.0, "c", 2000)]
    (leak,) = compared(tmp_path, *tables(frame(*PAST), frame(*other))).leaks
    assert leak.column == "known_at"
    assert leak.known_at_ns == MONTH.start_ns + 1000


def test_a_row_of_a_later_month_is_a_leak(tmp_path: Path) -> None:
    late = frame(*PAST).assign(known_at=MONTH.stop_ns)
    (leak,) = compared(tmp_path, *tables(late, late)).leaks
    assert leak.reason.startswith("the month ended at 2020-02-29 23:59:59.999999999")
    assert (leak.known_at_ns, leak.n_rows) == (MONTH.stop_ns, 3)


@pytest.mark.parametrize("known_at", ["when", "word"])
def test_a_table_without_known_at_fails(tmp_path: Path, known_at: str) -> None:
    schema = dataclasses.replace(TABLE, known_at=known_at)
    (leak,) = compared(tmp_path, *tables(frame(*PAST), frame(*PAST), schema=schema)).leaks
    assert leak.reason.startswith("no known_at: name an int64 column without nulls")


def test_a_table_that_hides_among_the_files_fails(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.table({"x": [1]}), sink)
    hidden = Artefact(files={"hidden.parquet": sink.getvalue().to_pybytes()})
    (leak,) = compared(tmp_path, hidden, hidden).leaks
    assert (leak.member, leak.reason[:12]) == ("hidden.parquet", "no known_at:")


NETWORK = {"a": np.zeros(3, np.float32), "b": np.arange(4.0)}
WHOLE = Artefact(
    documents={"summary": {"loss": 1.5, "folds": [{"auc": 0.5}, {"auc": 0.6}]}},
    tensors={"network": NETWORK},
    files={"plot.png": b"1234"},
)


def changed(**changes: Any) -> Artefact:
    return dataclasses.replace(WHOLE, **changes)


@pytest.mark.parametrize(
    ("tampered", "member", "column", "row", "values"),
    [
        (
            changed(documents={"summary": {"loss": 1.5, "folds": [{"auc": 0.5}, {"auc": 0.7}]}}),
            "summary.json",
            "folds[1].auc",
            "",
            ("0.6", "0.7"),
        ),
        (
            changed(documents={"summary": {"folds": [{"auc": 0.5}, {"auc": 0.6}]}}),
            "summary.json",
            "loss",
            "",
            ("1.5", "(not there)"),
        ),
        (
            changed(tensors={"network": {**NETWORK, "b": np.array([0.0, 1.0, 2.5, 3.0])}}),
            "network.safetensors",
            "b",
            "element 2",
            ("2.0", "2.5"),
        ),
        (
            changed(tensors={"network": {**NETWORK, "b": np.arange(5.0)}}),
            "network.safetensors",
            "b, shape",
            "",
            ("(4,)", "(5,)"),
        ),
        (changed(files={"plot.png": b"12"}), "plot.png", "", "", ("4 bytes", "2 bytes")),
        (changed(files={}), "plot.png", "(file)", "", ("there", "(not there)")),
        (changed(warm_up="too little"), "", "manifest warm_up", "", ("None", "too little")),
    ],
)
def test_nothing_of_a_month_that_was_over_may_change(
    tmp_path: Path, tampered: Artefact, member: str, column: str, row: str, values: tuple[str, str]
) -> None:
    found = compared(tmp_path, WHOLE, tampered, t_ns=MONTH.end_ns)
    (leak,) = found.leaks
    assert (leak.member, leak.column, leak.row) == (member, column, row)
    assert (leak.base, leak.tampered) == values
    assert (found.coverage.files, found.coverage.months) == (3, 1)
    before = compared(tmp_path, WHOLE, tampered, t_ns=MONTH.end_ns - 1)
    assert before.leaks == []
    assert before.coverage.files == before.coverage.months == 0


# ---------------------------------------------------------------------------- splits
def folds_of(tmp_path: Path, role: list[str], label_end: list[int]) -> Partition:
    start = MONTH.start_ns + np.arange(len(role))
    members = pd.DataFrame(
        {
            "event_time_ns": start,
            "label_end_ns": MONTH.start_ns + np.array(label_end),
            "known_at": MONTH.end_ns,
        }
    )
    fold, names = np.zeros(len(role), dtype=np.int32), np.array(role, dtype=object)
    roles = as_runs(fold, start, names, MONTH.end_ns)
    artefact = Artefact(
        tables=((FOLD_ROLES, roles), (FOLD_MEMBERS, members)),
        documents={"manifest": {"embargo_ns": 1}},
    )
    return written(tmp_path, artefact)


ROLES = [
    "train",
    "purged_by_test",
    "test",
    "test",
    "purged_by_test",
    "embargoed_by_test",
    "purged_by_early_stop",
    "early_stop",
]
ENDS = [1, 2, 4, 3, 5, 6, 7, 8]


def test_folds_that_do_not_touch(tmp_path: Path) -> None:
    """Events at 0 to 7. The test block is 2 to 4: its first label is the last to end."""
    assert split_leaks(folds_of(tmp_path, ROLES, ENDS)) == []


@pytest.mark.parametrize(
    ("place", "role", "what"),
    [
        (1, "train", "leading edge of test label"),
        (4, "train", "trailing edge of test label"),  # the one with the largest end
        (5, "train", "inside embargo of test label"),
        (6, "train", "leading edge of early_stop label"),
        (4, "early_stop", "trailing edge of test label"),
    ],
)
def test_folds_that_touch(tmp_path: Path, place: int, role: str, what: str) -> None:
    roles = [*ROLES[:place], role, *ROLES[place + 1 :]]
    leaks = split_leaks(folds_of(tmp_path, roles, ENDS))
    assert leaks
    assert leaks[0].row.startswith(f"fold 0, event_time_ns {MONTH.start_ns + place} ")
    assert leaks[0].tampered.startswith(what)


def test_a_member_that_ends_after_the_month(tmp_path: Path) -> None:
    ends = [*ENDS[:-1], MONTH.stop_ns - MONTH.start_ns]
    (leak,) = split_leaks(folds_of(tmp_path, ROLES, ends))
    assert (leak.member, leak.column) == ("members.parquet", "label_end_ns")


# ---------------------------------------------------------------------------- words
def audit_of(coverage: Coverage, leaks: list, gaps: list[str]) -> Audit:
    overrides = {"model.max_epochs": (8, 2)}
    return Audit("demo", ("2020-01", "2020-02"), (T,), overrides, leaks, {"bars": coverage}, gaps)


def test_the_result_in_words_and_json(tmp_path: Path) -> None:
    passed = audit_of(Coverage(rows={"things": 3, "others": 0}), [], [])
    assert passed.passed
    for words in (
        "model.max_epochs 8 -> 2",
        f"every tick changed after {utc(T)}",
        "no rows in others",
        "PASSED",
    ):
        assert words in passed.text()
    other = [PAST[0], (2, 7.0, "b", 900), PAST[2]]
    leaks = compared(tmp_path, *tables(frame(*PAST), frame(*other))).leaks
    failed = audit_of(Coverage(), leaks, [])
    assert "FAILED: bars knows the future (things.parquet, value)" in failed.text()
    document = json.loads(json.dumps(failed.document(), allow_nan=False))
    assert document["passed"] is False
    assert document["leaks"][0]["column"] == "value"
    assert "INCOMPLETE" in audit_of(Coverage(), [], ["nothing of bars was compared"]).text()


def test_empty_coverage_is_known() -> None:
    assert Coverage().is_empty
    assert Coverage(rows={"a": 0, "b": 0}, months=2, files=3).is_empty
    assert Coverage(months=2, warm_up=2, files=4).is_empty
    assert not Coverage(rows={"a": 0, "b": 1}).is_empty
    assert not Coverage(months=2, warm_up=1, files=4).is_empty
