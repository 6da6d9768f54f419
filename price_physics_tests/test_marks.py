"""Marks: declared, and on every test that runs the DAG, so that `make fast` is fast."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "price_physics_tests"
RUNS_THE_DAG = {"run_backfill", "run_audit", "materialise", "materialize", "execute_in_process"}


def names_in(tree: ast.AST) -> set[str]:
    """Every name that code uses, imports or asks of an object."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                names.add(name)
    return names


def marks_of(tree: ast.Module) -> set[str]:
    """The marks of a whole module: those of its `pytestmark`."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="pytestmark")]):
                return names_in(node.value) - {"pytest", "mark"}
    return set()


def test_marks_are_declared():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert "--strict-markers" in settings["addopts"]
    assert {mark.split(":")[0] for mark in settings["markers"]} >= {"e2e", "slow", "gpu"}


def test_everything_under_e2e_is_marked(request: pytest.FixtureRequest):
    """As far as pytest collected it: all of it in `make test`."""
    items = [item for item in request.session.items if TESTS / "e2e" in item.path.parents]
    assert [item.nodeid for item in items if item.get_closest_marker("e2e") is None] == []


def test_a_module_that_runs_the_dag_says_so_and_no_other():
    wrong = []
    for path in sorted(TESTS.glob("**/test_*.py")):
        tree = ast.parse(path.read_text())
        runs = sorted(names_in(tree) & RUNS_THE_DAG)
        if path.parent.name != "e2e" and bool(runs) != ("e2e" in marks_of(tree)):
            wrong.append(f"{path.relative_to(TESTS)}: {runs or 'marked e2e, runs nothing'}")
    assert wrong == []
