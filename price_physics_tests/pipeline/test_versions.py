"""A row of the DAG's table names the sections of the study that its stage reads, and no other."""

import ast
from functools import cache

import pytest

from price_physics import source
from price_physics.pipeline.dag import STAGES
from price_physics.study.study import Study

NO_SETTINGS = {"name", "description", "market"}
"""A partition lies under its study's name, and what a market says has words of its own."""

NOT_CALLED = {
    "labels": {"seed"},  # of labels.policy it takes the multiples, not the fit
    "probabilities": {"seed"},  # likewise
    "walk_forward": {"events"},  # of labels.events it takes the ends of horizons
}
"""Sections read by functions that a stage imports the module of, and does not call."""


@cache
def sections_in(module: str) -> frozenset[str]:
    """Sections of a study that a module names: ``study.labels``, ``self.study.labels``."""
    found = set()
    for node in ast.walk(ast.parse(source._path(module).read_bytes())):
        match node:
            case ast.Attribute(value=ast.Name(id="study") | ast.Attribute(attr="study"), attr=name):
                found.add(name)
    return frozenset(found & Study.model_fields.keys() - NO_SETTINGS)


@pytest.mark.parametrize("asset", [a for a, stage in STAGES.items() if "*" not in stage.obeys])
def test_a_stage_obeys_what_it_reads_of_the_study(asset: str) -> None:
    modules = source.closure(STAGES[asset].make.partition(":")[0])
    read = frozenset().union(*map(sections_in, modules)) - NOT_CALLED.get(asset, set())
    assert set(STAGES[asset].obeys) - {"market", "outages"} == read


def test_no_exception_is_out_of_date() -> None:
    for asset, sections in NOT_CALLED.items():
        modules = source.closure(STAGES[asset].make.partition(":")[0])
        assert sections <= frozenset().union(*map(sections_in, modules))
        assert not sections & set(STAGES[asset].obeys)
