"""Files that would crash, hang or exhaust the memory of a careless reader are refused."""

import os
from pathlib import Path

import pytest

from price_physics.errors import ConfigError
from price_physics.study.reading import load_configs, load_market
from price_physics.study.yaml_file import MOST_BYTES, MOST_NODES, read_mapping

CASES = Path(__file__).parents[3] / "shared" / "cases" / "yaml"
KEPT = sorted({path.parents[2].name for path in CASES.glob("*/configs/*/*.yaml")} - {"dir_named"})
"""But for the folder named like a file: nothing keeps an empty one, so a test makes it."""
LAUGHS = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "s.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("symbol: é\n".encode("latin-1"), "line 1: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"a: 1\nb: \x81\n", "line 2: byte 0x81 is not UTF-8"),
        ("symbol: X\n".encode("utf-16"), "is UTF-16 or UTF-32; save it as UTF-8"),
        ("symbol: X\n".encode("utf-16-le"), "is UTF-16 or UTF-32; save it as UTF-8"),
        ("symbol: X\n".encode("utf-32"), "is UTF-16 or UTF-32; save it as UTF-8"),
        ("a: 2012-13-01\n", "2012-13-01' cannot be read: month must be in 1..12; correct it, or"),
        ("a: {b: [2012-02-31]}\n", "'2012-02-31' cannot be read: day "),
        ("2012-02-31: 1\n", "'2012-02-31' cannot be read: day "),
        ("a: 2012-02-20 25:00:00\n", "cannot be read: hour must be in 0..23"),
        ("&a {a: *a}\n", "&a refers to itself"),
        ("a: &b [1, {c: *b}]\n", "&b refers to itself"),
        (LAUGHS, "more than 10,000 keys and values, references unfolded"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "more than 20 levels deep"),
        ("{a: " * 3_000 + "1" + "}" * 3_000, "more than 20 levels deep"),
        ("\n".join(f"{'  ' * i}a:" for i in range(400)), "more than 20 levels deep"),
        ("a: " + "9" * 5_001, "a value of 5,001 characters, at most 2,000"),
        ("a: [" + "1, " * MOST_NODES + "1]", "more than 10,000 keys and values"),
        ("a: 1\n" * (MOST_BYTES // 5 + 1), "holds 1,000,005 bytes, settings at most 1,000,000"),
        ("? [a, b]\n: 1\n", "a key is not text"),
        ("? {a: b}\n: 1\n", "a key is not text"),
        ("2001-01-01: 1\n", "key datetime.date(2001, 1, 1) is not text; correct or remove it"),
        ("a: {1: 2}\n", "key 1 is not text"),
        ("a: [{true: 2}]\n", "key True is not text"),
        ("a: *nobody\n", "undefined alias"),
        ("a: !!python/object:os.system {}\n", "could not determine a constructor"),
        ("a: !!timestamp abc\n", "'abc' cannot be read"),
        ("a: !!bool abc\n", "'abc' cannot be read"),
        ("a: !!int ''\n", "'' cannot be read"),
        ("- 1\n", "expected a mapping of settings, found [1]"),
        ("", "expected a mapping of settings, found None"),
        ("a: 1\n---\nb: 2\n", "expected a single document"),
        ("a: \0\n", "not valid YAML"),
    ],
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


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs, and links need a privilege")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (pipe, ": is a pipe, socket or device, not a file; remove or rename it"),
        (device, ": is a pipe, socket or device, not a file"),
        (dangling, " (a link to nowhere): cannot be read: No such file or directory"),
        (loop, " (a link to m.yaml): cannot be read: Too many levels of symbolic links"),
        (Path.mkdir, ": is a folder, not a file"),
    ],
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
