"""A version means what a computation can import, and nothing else."""

import ast
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from price_physics import source
from price_physics.pipeline.dag import STAGES
from price_physics_tests.sources import forget

ENTRIES = {a: s.make.partition(":")[0] for a, s in STAGES.items()}
CHECKPOINTS = "price_physics.model.train"
"""Whose version is in every checkpoint."""

Edit = Callable[[str, Callable[[str], str]], set[str]]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package."""
    copy = tmp_path_factory.mktemp("copied") / "price_physics"
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(Path(source.__file__).parent, copy, ignore=ignored)


@pytest.fixture
def edit(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edit]:
    """Edit a file of a copy of the package; gives the assets whose version that changed."""
    monkeypatch.setattr(source, "_ROOT", copied)
    kept: dict[Path, str | None] = {}

    def versions() -> dict[str, str]:
        forget()
        return {asset: source.source_version(entry) for asset, entry in ENTRIES.items()}

    def changed(file: str, change: Callable[[str], str]) -> set[str]:
        before, path = versions(), copied / file
        text = path.read_text(encoding="utf-8") if path.exists() else None
        kept.setdefault(path, text)
        path.write_text(change(text or ""), encoding="utf-8")
        after = versions()
        return {asset for asset in ENTRIES if before[asset] != after[asset]}

    yield changed
    for path, text in kept.items():
        path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    forget()


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def reaching(module: str) -> set[str]:
    """Assets whose closure holds a module."""
    return {asset for asset, entry in ENTRIES.items() if module in source.closure(entry)}


@pytest.mark.parametrize(
    "file",
    ["ticks/reading/lines.py", "labels/kernels.py", "errors.py", "study/bars.py", "frames.py"],
)
def test_a_comment_changes_nothing(edit: Edit, file: str) -> None:
    assert edit(file, lambda text: f"# first\n{text}\n\n# last\n") == set()


def test_a_docstring_changes_nothing(edit: Edit) -> None:
    assert (
        edit(
            "labels/kernels.py", lambda text: f'"""Other words."""\n{text[text.index("import") :]}'
        )
        == set()
    )
    assert edit("frames.py", replaced('"""Join columns', '"""Add columns')) == set()
    assert edit("study/bars.py", replaced("Length of a bar in minutes.", "Its length.")) == set()


def test_a_constant_of_a_kernel_changes_whoever_reaches_it(edit: Edit) -> None:
    expected = reaching("price_physics.weights.kernels")
    assert "weights" in expected
    assert not expected & {"ticks", "bars", "labels", "images"}
    assert edit("weights/kernels.py", lambda text: f"{text}\nTWO = 2\n") == expected


def test_a_kernel_of_labels_changes_neither_images_nor_models(edit: Edit) -> None:
    expected = reaching("price_physics.labels.kernels")
    assert {"excursions", "labels", "walk_forward"} <= expected
    assert not expected & {"regime_features", "weights", "images", "folds", "model", "motifs"}
    assert edit("labels/kernels.py", lambda text: f"{text}\nTWO = 2\n") == expected
    assert "price_physics.labels.kernels" not in source.closure(CHECKPOINTS)


def test_a_kernel_of_events_changes_whoever_finds_events(edit: Edit) -> None:
    changed = edit("events/kernels.py", lambda text: f"{text}\nTWO = 2\n")
    assert {"regime_features", "excursions", "labels", "images"} <= changed
    assert not changed & {"ticks", "bars", "folds", "report"}


def test_a_new_module_that_nobody_imports_changes_nothing(edit: Edit) -> None:
    assert edit("model/networks/tiny.py", lambda _: "WIDTH = 3\n") == set()
    assert edit("labels/other.py", lambda _: "WIDTH = 3\n") == set()


def test_what_only_a_type_checker_imports_is_not_imported(edit: Edit) -> None:
    before = "import numpy as np\n"
    for line in ("if TYPE_CHECKING:\n    from price_physics.report import build\n",):
        header = f"from typing import TYPE_CHECKING\n{line}"
        assert edit("weights/kernels.py", replaced(before, before + header))
        assert "price_physics.report.build" not in source.closure("price_physics.weights.build")


def test_a_release_marks_nothing(edit: Edit) -> None:
    assert edit("__init__.py", lambda text: f'{text}\n__version__ = "9.9.9"\n') == set()


def test_a_meaning_is_what_is_there_and_nothing_else() -> None:
    plain = ast.parse("def f(a, b=1):\n    return None\n")
    more = ast.parse("def f(a, b=1):\n    return\n")
    meaning = source._meaning(plain)
    assert "type_params" not in meaning  # which Python 3.12 added, empty
    assert "decorator_list" not in meaning
    assert meaning != source._meaning(more)


def test_templates_belong_to_the_report(edit: Edit) -> None:
    template = next(p.name for p in (source._ROOT / "report/templates").iterdir())
    assert edit(f"report/templates/{template}", lambda text: text + " ") == {"report"}


def test_a_closure_holds_packages_and_what_functions_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "price_physics"
    (root / "a").mkdir(parents=True)
    for name, text in {
        "__init__": "",
        "a/__init__": "from price_physics import deep",
        "a/entry": "def f():\n    from price_physics.a.lazy import g\n",
        "a/lazy": "import price_physics.loop",
        "loop": "import price_physics.a.lazy",
        "deep": "",
        "unseen": "",
    }.items():
        (root / f"{name}.py").write_text(text)
    monkeypatch.setattr(source, "_ROOT", root)
    forget()
    names = source.closure("price_physics.a.entry")
    forget()
    short = {name.removeprefix("price_physics").lstrip(".") for name in names}
    assert short == {"", "a", "a.entry", "a.lazy", "loop", "deep"}


def test_an_unknown_module_is_refused() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module price_physics\.nowhere"):
        source.closure("price_physics.nowhere")
