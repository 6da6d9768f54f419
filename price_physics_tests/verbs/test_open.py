"""`open` prints the newest report's path, and shows it only where there is a screen."""

from pathlib import Path

import pytest

from price_physics.cli import main
from price_physics.project import Project
from price_physics.verbs import open as verb
from price_physics_tests.e2e.projects import make_project


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A project with two reports and no screen; what a browser was asked to open."""
    project: Project = make_project(tmp_path)
    for month in ("2012-02", "2012-03"):
        path = project.outputs / "demo" / "reports" / f"{month}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(month)
    (path.parent / "draft.html").write_text("no month")
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(tmp_path))
    monkeypatch.setattr(verb.sys, "platform", "linux")
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    asked: list[str] = []
    monkeypatch.setattr(verb.webbrowser, "open", lambda uri: asked.append(uri) or len(asked) == 1)
    return asked


def test_without_a_screen_the_path_is_printed(opened, tmp_path, capsys):
    assert main(["open"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/outputs/demo/reports/2012-03.html\n"
    assert not opened


def test_with_one_it_is_opened_too(opened, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("BROWSER", "something")
    assert main(["open", "--study", "demo", "--month", "2012-02"]) == 0
    assert opened == [(tmp_path / "outputs/demo/reports/2012-02.html").as_uri()]
    assert main(["open"]) == 0
    assert "no browser opened it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--month", "2012-04"],
            "--month 2012-04: no such report of demo; there are 2012-02, 2012-03",
        ),
        (["--study", "other"], "--study other: no "),
    ],
)
def test_what_is_not_there_is_named(opened, capsys, flags, message):
    assert main(["open", *flags]) == 1
    assert message in capsys.readouterr().err
