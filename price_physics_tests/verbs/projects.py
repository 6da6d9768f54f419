"""Projects whose store holds a stand-in for every partition: current, and made in no time."""

from pathlib import Path

from price_physics.months import Month
from price_physics.pipeline import freshness
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.pipeline.inputs import file_versions
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.project import Project
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store
from price_physics.study.reading import load_configs
from price_physics_tests.e2e.projects import make_project

FIRST, LAST = Month(2012, 1), Month(2012, 3)
LOOK = {"look": {"entry": "", "ticks": "none", "trial": "t"}}


def filled_project(folder: Path) -> Project:
    """The demo over three months, every partition current, nothing computed."""
    project = make_project(folder, str(FIRST), str(LAST))
    fill(project, LAST)
    return project


def fill(project: Project, last: Month) -> None:
    """Write a current partition of every asset, up to a month."""
    markets, studies = load_configs(project.configs)
    study, market = studies["demo"], markets["bitstamp_usd"]
    store = Store(project.store)
    for month in Month.span(FIRST, last):
        for asset in STAGES:
            files = {f"{asset}.txt": f"{asset} of {month}".encode()}
            store.write(
                (owner_of(asset, study.name, market.name), asset),
                month,
                Artefact(files=files, documents=LOOK if asset == "walk_forward" else {}),
                code_version=code_version(asset, study),
                config_hash=settings_hash(asset, study, market),
                inputs=file_versions(project, market, month)
                if asset == "ticks"
                else freshness._input_versions(project, store, market, study, asset, month),
            )


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file that holds it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
