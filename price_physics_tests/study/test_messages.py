"""What is said of a wrong file: the place as the file has it, and the kind where that helps."""

from pathlib import Path
from typing import Any

import pytest

from price_physics.errors import ConfigError
from price_physics.study.reading import load_market, load_study

from .hostile import MARKETS, SECTIONS
from .test_same_trials import BITSTAMP, DEMO, changed


@pytest.mark.parametrize(
    ("section", "settings", "sentences"),
    SECTIONS,
)
def test_a_wrong_section(tmp_path: Path, section: str, settings: Any, sentences: str) -> None:
    path = changed(DEMO, tmp_path, {section: settings})
    with pytest.raises(ConfigError) as error:
        load_study(path)
    expected = [f"{path}: {sentence}" for sentence in sentences.split("\n")]
    found = str(error.value).split("\n")
    assert len(found) == len(expected)
    assert [f[: len(e)] for f, e in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("settings", "sentence"),
    MARKETS,
)
def test_a_wrong_market(tmp_path: Path, settings: dict[str, Any], sentence: str) -> None:
    path = changed(BITSTAMP, tmp_path, settings)
    with pytest.raises(ConfigError) as error:
        load_market(path)
    assert str(error.value).startswith(f"{path}: {sentence}")
    assert "\n" not in str(error.value)


def test_a_market_without_candles_may_say_so(tmp_path: Path) -> None:
    market = load_market(changed(BITSTAMP, tmp_path, {"candle_minutes": None}))
    assert (market.rows, market.candle_ns) == ("trades", 0)
    assert "candle_minutes" not in market.model_dump()
