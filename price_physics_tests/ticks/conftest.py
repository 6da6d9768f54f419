"""Fixtures that several tests of ticks share."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from price_physics import source
from price_physics.ticks import look
from price_physics.ticks.formats import candles, trades
from price_physics_tests.sources import forget


@pytest.fixture
def was_read(monkeypatch):
    """The names of the files that are read, in order."""
    names = []
    read_file = look.read_file

    def spy(settings, path, file, *options):
        names.append(file)
        return read_file(settings, path, file, *options)

    monkeypatch.setattr(look, "read_file", spy)
    return names


class Code:
    """A copy of the package whose versions count; vendors that only it has can be imported."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._before: dict[Path, str | None] = {}

    def edit(self, file: str, change: Callable[[str], str]) -> None:
        """Change a module of ``ticks/``, or write a new one."""
        path = self._kept(file)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        changed = change(text)
        assert changed != text
        path.write_text(changed, encoding="utf-8")
        self.forget()

    def remove(self, file: str) -> None:
        """Remove a module of ``ticks/``."""
        self._kept(file).unlink()
        self.forget()

    def restore(self) -> None:
        """Undo every change."""
        for path, text in self._before.items():
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text, encoding="utf-8")
        self.forget()

    def _kept(self, file: str) -> Path:
        """The path of a module, whose text is kept."""
        path = self.root / "ticks" / file
        text = path.read_text(encoding="utf-8") if path.exists() else None
        self._before.setdefault(path, text)
        return path

    def forget(self) -> None:
        """A new process would read the sources again."""
        importlib.invalidate_caches()
        forget()


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package; a test that changes it puts it back."""
    copy = tmp_path_factory.mktemp("code") / "price_physics"
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(Path(source.__file__).parent, copy, ignore=ignored)


@pytest.fixture
def code(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Code]:
    copy = Code(copied)
    monkeypatch.setattr(source, "_ROOT", copy.root)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    for package in (trades, candles):
        folder = copy.root / "ticks" / "formats" / package.__name__.rpartition(".")[2]
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    copy.forget()
    yield copy
    copy.restore()
    for name in set(sys.modules) - before:
        if name.startswith((trades.__name__, candles.__name__)):
            del sys.modules[name]
