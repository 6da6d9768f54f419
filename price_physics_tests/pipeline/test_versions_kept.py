"""Code versions are kept between processes for as long as not a byte of the package changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from price_physics.pipeline import versions
from price_physics.pipeline.versions import code_version, versions_kept


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    versions._kept = None


def keep(path: Path, asset: str = "ticks") -> str:
    with versions_kept(path):
        return code_version(asset, None)


def test_a_second_process_parses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index" / "versions.json"
    plain = code_version("ticks", None)
    assert keep(path) == plain
    monkeypatch.setattr(versions, "source_version", lambda *_: pytest.fail("parsed again"))
    assert keep(path) == plain


@pytest.mark.parametrize("damage", [b"", b"{", b'{"versions": {}}'])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "versions.json"
    plain = keep(path)
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert keep(path) == plain
    assert path.read_bytes() == whole


def test_another_byte_of_the_package_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "versions.json"
    keep(path)
    root = tmp_path / "package"
    root.mkdir()
    (root / "module.py").write_text("x = 1\n")
    monkeypatch.setattr(versions, "ROOT", root)
    monkeypatch.setattr(versions, "source_version", lambda *_: "another")
    assert keep(path) == "another"


@pytest.mark.parametrize("parent_is_a_file", [False, True])
def test_a_place_that_cannot_be_read_or_written_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, parent_is_a_file: bool
) -> None:
    path = tmp_path / "data" / "versions.json"
    if parent_is_a_file:
        path.parent.write_text("")
    else:
        path.mkdir(parents=True)
    assert keep(path) == code_version("ticks", None)
    assert "code versions are not kept" in caplog.text
    assert str(path) in caplog.text
