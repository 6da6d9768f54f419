"""What makes two studies one trial: settings, code, and the ticks that they stand on."""

from pathlib import Path

import pytest

from price_physics.months import Month
from price_physics.pipeline import trials
from price_physics.pipeline.trials import look_of
from price_physics.schemas.ticks import QUARANTINE, TICKS
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition, Store
from price_physics_tests.report import cases
from price_physics_tests.walk_forward import make

JAN = Month(2012, 1)
HOURS = make.hours(JAN, 1, 2, 3)


def ticks_of(folder: Path, price=(100.0, 101.0, 100.0), market="m", **quality) -> Partition:
    facts = {"empty": False, "generated": False, "market": market} | quality
    tables = (
        (TICKS, make.ticks(HOURS[: len(price)], list(price))),
        (QUARANTINE, QUARANTINE.empty()),
    )
    artefact = Artefact(tables=tables, documents={"quality": facts})
    return Store(folder / market).write((market, "ticks"), JAN, artefact, code_version="1")


def look(folder, study=None, of_market=None, **ticks):
    partition = ticks_of(folder, **ticks)
    return look_of(folder, study or cases.study(), of_market or cases.market(), partition)


def test_names_and_marks_in_the_settings_change_nothing(tmp_path):
    base = look(tmp_path)
    market = cases.market().model_copy(
        update={"name": "other", "files": ["elsewhere/*"], "symbol": "X", "synthetic": True}
    )
    renamed = look(tmp_path, cases.study(name="other", market="other"), market, market="other")
    assert (renamed.trial, renamed.settings, renamed.ticks) == (
        base.trial,
        base.settings,
        base.ticks,
    )
    assert not renamed.generated, "synthetic: true hides nothing"
    assert look(tmp_path, synthetic=True, rows_read=7).ticks == base.ticks, "rows alone count"


def test_settings_code_and_ticks_make_another(tmp_path, monkeypatch):
    base = look(tmp_path)
    other = look(tmp_path, cases.study(seed=8))
    assert other.trial != base.trial
    assert other.settings != base.settings
    assert look(tmp_path, price=(100.0, 101.0, 100.5)).ticks != base.ticks
    monkeypatch.setattr(trials, "code_version", lambda *_: "new")
    newer = look(tmp_path)
    assert newer.trial != base.trial
    assert newer.settings == base.settings


def test_a_declaration_makes_another_trial_of_the_same_settings(tmp_path):
    base = look(tmp_path)
    rule = {"fee_bps": 20.0, "slippage_bps": 5.0, "judged_in": "2012-05"}
    declared = look(tmp_path, cases.study(walk_forward=rule))
    assert (declared.declared, base.declared) == ("2012-05", None)
    assert declared.trial != base.trial
    assert declared.settings == base.settings


@pytest.mark.parametrize("generated", [False, True])
def test_only_marks_of_generated_dumps_hide_a_trial(tmp_path, generated):
    assert look(tmp_path, generated=generated).generated is generated


def test_months_without_ticks_are_of_their_own_market(tmp_path):
    empty = {"price": (), "empty": True}
    one = look(tmp_path, **empty)
    other = cases.market().model_copy(update={"name": "other"})
    assert look(tmp_path, of_market=other, **empty).ticks != one.ticks
