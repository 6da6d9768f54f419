"""Files that would crash, hang or exhaust the memory of a careless reader are refused."""

import os
from pathlib import Path

import pytest

from price_physics.errors import ConfigError
from price_physics.study.reading import load_configs, load_market
from price_physics.study.yaml_file import read_mapping

from .hostile import FILES, PATHS

CASES = Path(__file__).parents[3] / "shared" / "cases" / "yaml"
KEPT = sorted({path.parents[2].name for path in CASES.glob("*/configs/*/*.yaml")} - {"dir_named"})
"""But for the folder named like a file: nothing keeps an empty one, so a test makes it."""


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "s.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    FILES,
)
def test_a_hostile_file_is_refused_in_a_sentence_that_names_it(tmp_path, content, sentence):
    path = written(tmp_path, content)
    with pytest.raises(ConfigError) as raised:
        read_mapping(path)
    assert str(raised.value).startswith(str(path))
    assert sentence in str(raised.value)
    assert len(str(raised.value)) < len(str(path)) + 400


def test_references_that_unfold_to_little_are_read(tmp_path):
    path = written(tmp_path, "\ufeffa: &a {x: 1}\nb: [*a, *a]\nc:\n  <<: *a\n  y: ä\n")
    x = {"x": 1}
    assert read_mapping(path) == {"a": x, "b": [x, x], "c": {"x": 1, "y": "ä"}}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs, and links need a privilege")
@pytest.mark.parametrize(
    ("make", "sentence"),
    PATHS,
)
def test_a_path_that_is_no_file_is_named_and_not_opened(tmp_path, make, sentence):
    (tmp_path / "markets").mkdir()
    path = tmp_path / "markets" / "m.yaml"
    make(path)
    with pytest.raises(ConfigError) as raised:
        load_configs(tmp_path)
    assert str(raised.value).startswith(f"{path}{sentence}")


def test_a_name_that_no_file_system_could_hold_with_its_suffixes_is_refused(tmp_path):
    path = tmp_path / f"{'a' * 230}.yaml"
    path.write_text("symbol: X\nfiles: [x.csv]\nfirst_month: 2012-01\n")
    with pytest.raises(ConfigError, match=r"name = 'aaa.*should match pattern"):
        load_market(path)


@pytest.mark.skipif(not CASES.exists(), reason="the cases beside the repository are not here")
@pytest.mark.parametrize("case", KEPT)
def test_the_cases_that_went_wrong(case):
    with pytest.raises(ConfigError, match=r"\.yaml"):
        load_configs(CASES / case / "configs")
