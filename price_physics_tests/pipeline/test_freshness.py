"""A walk-forward whose look the ledger has lost is made again, which writes it down again."""

import pytest

from price_physics.months import Month
from price_physics.pipeline import freshness
from price_physics.project import Project
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store
from price_physics.walk_forward.ledger import record_entry
from price_physics_tests.report import cases

JAN = Month(2012, 1)
ENTRY = {"trial": "t", "month": str(JAN), "ticks": "x", "settings": "s"}


@pytest.mark.parametrize("asset", ["walk_forward", "bars"])
def test_a_lost_look_is_made_again(tmp_path, monkeypatch, asset):
    project = Project(tmp_path)
    monkeypatch.setattr(freshness, "_input_versions", lambda *_: {})
    monkeypatch.setattr(freshness, "code_version", lambda *_: "code")
    monkeypatch.setattr(freshness, "settings_hash", lambda *_: "settings")
    entry = record_entry(tmp_path / "elsewhere", ENTRY)
    artefact = Artefact(documents={"look": {"entry": entry, "trial": "t", "ticks": "x"}})
    market, study = cases.market(), cases.study()
    Store(project.store).write(
        (study.name, asset), JAN, artefact, code_version="code", config_hash="settings"
    )

    def current():
        return freshness.is_current(project, market, study, asset, JAN)

    assert current() is (asset == "bars")
    record_entry(project.ledger, ENTRY)
    assert current()
