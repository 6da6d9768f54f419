"""Each kind of bars has keys of its own; what a file cannot mean is refused with a reason."""

import pytest
import yaml

from price_physics.errors import ConfigError
from price_physics.study.reading import load_study

from ..study.make import bars_of
from ..ticks.helpers import ROOT
from .helpers import CONFIGS, FLOW


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_dump_has_the_keys_of_its_kind_and_reads_back(config):
    dump = config.model_dump(mode="json")
    assert bars_of(**dump) == config
    without_default = {key for key, value in dump.items() if value is not None}
    assert set(config.model_fields_set) <= without_default
    assert ("target_bars_a_day" in dump) == (config.kind != "time")
    assert ("expected_buy_fraction" in dump) == config.expects_flow


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "kind: dollar needs threshold_quote"),
        ({"kind": "volume", "threshold_quote": 5}, "kind: volume needs threshold_base"),
        ({"threshold_quote": 5, "threshold_base": 5}, "kind: dollar has no threshold_base"),
        ({"kind": "time", "interval_minutes": 5, "target_bars_a_day": 9}, "time has no target_"),
        ({"kind": "time", "interval_minutes": 0}, "greater than or equal"),
        ({"kind": "tick", "threshold_ticks": 0}, "greater than or equal to 1"),
        ({"kind": "tick", "threshold_ticks": 5, "max_ticks": 9}, "kind: tick has no max_ticks"),
        ({"kind": "tick_run", "expected_ticks": 5}, "needs span_bars, min_ticks, max_ticks"),
        ({"kind": "dollar_run", **FLOW}, "kind: dollar_run needs expected_quote"),
        ({"kind": "volume_run", "expected_base": None, **FLOW}, "needs expected_base"),
        ({"kind": "tick_run", "expected_base": 1, **FLOW}, "tick_run has no expected_base"),
        ({"kind": "tick_run", **FLOW, "min_ticks": 5}, r"4.0 lies outside \[min_ticks 5, max"),
        ({"kind": "tick_run", **FLOW, "max_ticks": 3}, r"lies outside \[min_ticks 1, max_ticks 3"),
        ({"kind": "tick_run", **FLOW, "expected_buy_fraction": 1.5}, "less than or equal to 1"),
        ({"kind": "tick_runs", **FLOW}, "Input should be 'time'"),
    ],
)
def test_impossible_bars_are_refused(settings, message, tmp_path):
    data = yaml.safe_load((ROOT / "configs/studies/demo.yaml").read_text())
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(data | {"bars": settings}))
    with pytest.raises(ConfigError, match=message):
        load_study(path)


def test_the_message_names_the_file_and_the_section(tmp_path):
    data = yaml.safe_load((ROOT / "configs/studies/demo.yaml").read_text())
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(data | {"bars": {"kind": "tick", "threshold_base": 1}}))
    with pytest.raises(ConfigError, match=r"demo\.yaml: bars: .*kind: tick needs threshold_ticks"):
        load_study(path)
    bars = {"kind": "dollar_imbalance", "expected_quote": 50, **FLOW}
    path.write_text(yaml.safe_dump(data | {"bars": bars}))
    assert load_study(path).bars == bars_of(**bars)
