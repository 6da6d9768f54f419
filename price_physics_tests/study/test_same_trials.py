"""A study that was looked at stays the trial that it was: its settings hash as they always did.

``golden/hashes.json`` was made when training sets could be thinned and models could serve on.
Without those keys and the network's offset, and with the demo's former `min_confidence`, all 37
studies have the dumps of commit 0d61560, before kinds were classes.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from price_physics.study.reading import load_configs, load_market, load_study
from price_physics.study.trial import config_hash

from .variants import MARKETS, STUDIES

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs" / "studies" / "demo.yaml"
BITSTAMP = ROOT / "configs" / "markets" / "bitstamp_usd.yaml"
GOLDEN = json.loads((Path(__file__).parent / "golden" / "hashes.json").read_text())


def changed(source: Path, tmp_path: Path, sections: dict[str, Any]) -> Path:
    path = tmp_path / source.name
    path.write_text(yaml.safe_dump(yaml.safe_load(source.read_text()) | sections))
    return path


def dumped(config: Any) -> str:
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("folder", ["configs", "configs/examples"])
def test_files_of_the_repository(folder: str) -> None:
    markets, studies = load_configs(ROOT / folder)
    found = {
        f"{folder}/studies/{name}": [
            config_hash(study, markets[study.market]),
            dumped(study),
            dumped(markets[study.market]),
        ]
        for name, study in studies.items()
    }
    expected = {k: v for k, v in GOLDEN["files"].items() if k.startswith(f"{folder}/studies/")}
    assert found == expected


@pytest.mark.parametrize("name", STUDIES)
def test_studies_of_every_kind(tmp_path: Path, name: str) -> None:
    study = load_study(changed(DEMO, tmp_path, STUDIES[name]))
    assert [config_hash(study, load_market(BITSTAMP)), dumped(study)] == GOLDEN["studies"][name]
    assert type(study).model_validate(study.model_dump()) == study


@pytest.mark.parametrize("name", MARKETS)
def test_markets_of_both_kinds(tmp_path: Path, name: str) -> None:
    market = load_market(changed(BITSTAMP, tmp_path, MARKETS[name]))
    assert [config_hash(load_study(DEMO), market), dumped(market)] == GOLDEN["markets"][name]


def test_the_order_of_settings_is_that_of_the_files() -> None:
    """The report lists them in it."""
    bars = load_study(DEMO).bars.model_dump()
    assert list(bars) == ["kind", "threshold_quote", "target_bars_a_day", "clip_factor"]
