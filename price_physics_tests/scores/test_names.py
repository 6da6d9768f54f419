"""One score, one definition; two averages, two names: in code, summary, MLflow and report."""

import ast
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import price_physics
from price_physics.model.summary import summarise
from price_physics.months import Month
from price_physics.orchestration.tracked import numbers_in
from price_physics.report.build import write_report
from price_physics.report.evidence import Evidence
from price_physics.report.scores import score_numbers
from price_physics_tests.report import cases

PACKAGE = Path(price_physics.__file__).parent
FOLDS, MONTHS = "direction_auc_mean_of_folds", "direction_auc_pairs_within_months"


@cache
def trees():
    return [
        (path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text("utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def names_in(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.alias | ast.FunctionDef):
            yield node.name.rpartition(".")[2]
        elif isinstance(node, ast.Attribute):
            yield node.attr


def test_ranks_of_an_auc_are_computed_in_one_module():
    ranking = {"rankdata", "rank", "roc_auc_score", "mannwhitneyu", "auc_score"}
    assert [name for name, tree in trees() if ranking & set(names_in(tree))] == ["scores/auc.py"]


def test_every_score_is_defined_once_on_the_ground_floor():
    where = {}
    for name, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(name)
    floor = {name for name, found in where.items() if any(f.startswith("scores/") for f in found)}
    assert {"auc", "log_loss", "brier_score", "confusion_matrix", "reliability_table"} <= floor
    assert {name: where[name] for name in floor if len(where[name]) > 1} == {}


@pytest.fixture(scope="module")
def rows():
    """1,020 events of three months of different lengths, as scored and as out-of-fold rows."""
    rng = np.random.default_rng(4)
    sizes = {Month(2012, 3): 40, Month(2012, 4): 320, Month(2012, 5): 660}
    scored = {}
    for month, n in sizes.items():
        time_ns = month.start_ns + np.arange(n) * ((month.stop_ns - month.start_ns) // n)
        frame = cases.scored(month, rng, n=n)
        scored[month] = frame.assign(event_time_ns=time_ns, known_at=time_ns + cases.HOUR)
    fold = np.repeat(np.arange(3, dtype=np.int32), list(sizes.values()))
    return scored, fold


def test_two_averages_of_the_same_rows_have_two_names(rows):
    scored, fold = rows
    p = np.concatenate([frame[["p_down", "p_flat", "p_up"]] for frame in scored.values()])
    label = np.concatenate([frame["label"].to_numpy(np.int8) for frame in scored.values()])
    summary = summarise(p, label, fold)
    report = score_numbers(scored)
    assert len(fold) == 1_020
    assert abs(summary[FOLDS] - report["direction"][MONTHS]) > 0.001
    assert summary[FOLDS] == pytest.approx(np.mean(list(report["month_auc"].values())))
    by_count = summary["calibration_by_class"]["up"]["error"]
    assert by_count != report["reliability"]["calibration_error_equal_width"]

    told, logged = set(summary), set(numbers_in(summary))
    seen = {*report["direction"], *report["reliability"]}
    for names in (told, logged):
        assert {FOLDS, "calibration_error_equal_count"} <= names
    assert {MONTHS, "calibration_error_equal_width"} <= seen
    assert not (told | logged) & seen


@pytest.mark.slow
def test_the_report_prints_both_by_name():
    files = write_report(Evidence(**cases.arguments()))
    numbers = json.loads(files["report.json"])
    for shown in (files["report.html"].decode(), files["report.md"].decode()):
        assert "Direction AUC within months" in shown
        assert "direction AUC, mean of folds" in shown
        assert "calibration error, bins of equal count" in shown
        assert "Calibration error over bins of equal width, out of sample" in shown
    assert MONTHS in numbers["headline"]
    assert FOLDS in numbers["models"][-1]["summary"]
    assert list(loose(numbers)) == []


def loose(document):
    """Find the keys that do not say what they average over."""
    if isinstance(document, dict):
        yield from (key for key in document if key in ("direction_auc", "calibration_error"))
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from loose(part)
