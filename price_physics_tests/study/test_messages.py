"""What is said of a wrong file: the place as the file has it, and the kind where that helps."""

from pathlib import Path
from typing import Any

import pytest

from price_physics.errors import ConfigError
from price_physics.study.model import ARCHITECTURES
from price_physics.study.reading import load_market, load_study

from .test_same_trials import BITSTAMP, DEMO, changed
from .variants import FLOW, LEVELS

NETWORKS = " or ".join([", ".join(map(repr, ARCHITECTURES[:-1])), repr(ARCHITECTURES[-1])])
FIXED = {"kind": "fixed", "take_profit_multiple": 1, "stop_loss_multiple": 1}
PERCENT = {"kind": "percent", "take_profit_percent": 1, "stop_loss_percent": 1}


@pytest.mark.parametrize(
    ("section", "settings", "sentences"),
    [
        (
            "bars",
            {"kind": "dollars", "threshold_quote": 50},
            "bars.kind = 'dollars': Input should be 'time', 'tick', 'volume', 'dollar', "
            "'tick_imbalance', 'tick_run', 'volume_imbalance', 'volume_run', 'dollar_imbalance' "
            "or 'dollar_run'",
        ),
        ("bars", {}, "bars: kind: dollar needs threshold_quote"),
        ("bars", 7, "bars = 7: Input should be an object"),
        ("bars", {"threshold_quote": -1}, "bars.threshold_quote = -1: Input should be greater"),
        (
            "bars",
            {"threshold_quote": 50, "interval_minutes": 5},
            "bars.interval_minutes = 5: kind: dollar has no interval_minutes; remove it, or set "
            "kind to time",
        ),
        (
            "bars",
            {"threshold_quot": 50},
            "bars: kind: dollar needs threshold_quote\n"
            "bars.threshold_quot = 50: unknown key; remove it or correct its spelling",
        ),
        (
            "bars",
            {"threshold_quote": 50, "clip_factor": None},
            "bars.clip_factor = None: Input should be a valid number",
        ),
        (
            "bars",
            {"kind": "tick_run", **FLOW, "min_ticks": 50},
            "bars: expected_ticks 40.0 lies outside [min_ticks 50, max_ticks 400]",
        ),
        ("events", {"kind": "cusum"}, "events: kind: cusum needs cusum_bps"),
        (
            "events",
            {"cusum_bps": 5},
            "events.cusum_bps = 5: kind: every has no cusum_bps; remove it, or set kind to cusum",
        ),
        (
            "events",
            {"kind": "cusum", "cusum_bps": 5, "every_n_bars": 2},
            "events.every_n_bars = 2: kind: cusum has no every_n_bars; remove it, or set kind to "
            "every",
        ),
        ("labels", {}, "labels: give horizon_minutes or horizon_bars, one of them"),
        ("labels", {"horizon_bars": 3, "horizon_minutes": 5}, "labels: give horizon_minutes or"),
        ("labels", {"horizon_bars": 3, "path": "bars"}, "labels: path: bars needs both_touched"),
        (
            "labels",
            {"horizon_bars": 3, "side": "long"},
            "labels.side = 'long': Input should be 'trend' or 'reversal'",
        ),
        (
            "barrier_policy",
            {"kind": "fixed"},
            "barrier_policy: kind: fixed needs take_profit_multiple, stop_loss_multiple",
        ),
        (
            "barrier_policy",
            {"kind": "month"},
            "barrier_policy: kind: month needs take_profit_bounds, stop_loss_bounds, "
            "fallback_take_profit, fallback_stop_loss",
        ),
        (
            "barrier_policy",
            {**FIXED, "in_sample": True},
            "barrier_policy.in_sample = True: kind: fixed has no in_sample; remove it",
        ),
        (
            "barrier_policy",
            {**PERCENT, "min_events": 9},
            "barrier_policy.min_events = 9: kind: percent has no min_events; remove it, or set "
            "kind to month, regime or global",
        ),
        (
            "barrier_policy",
            {**LEVELS, "take_profit_bounds": [1, "8"]},
            "barrier_policy.take_profit_bounds.1 = '8': Input should be a valid number",
        ),
        (
            "barrier_policy",
            {**LEVELS, "take_profit_bounds": [1]},
            "barrier_policy.take_profit_bounds.1: Field required",
        ),
        (
            "model",
            {"architecture": "dropout"},
            f"model.architecture = 'dropout': Input should be {NETWORKS}",
        ),
    ],
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
    [
        ({"symbol": 5}, "symbol = 5: Input should be a valid string"),
        ({"sybmol": "X"}, "sybmol = 'X': unknown key; remove it or correct its spelling"),
        ({"candle_minutes": True}, "candle_minutes = True: Input should be a valid number"),
        (
            {"candle_minutes": 1, "vendor": "kraken"},
            "vendor = 'kraken': vendor: kraken has rows of trades; drop candle_minutes",
        ),
        (
            {"candle_minutes": 1, "vendor": "layout"},
            "vendor = 'layout': Input should be 'binance_klines', 'generic' or 'kraken_ohlcvt'",
        ),
        (
            {"candle_minutes": 1, "columns": {"price": "p", "qty": "q"}},
            "columns: price, qty: keys for trades; correct them, or drop candle_minutes",
        ),
        (
            {"outages": [{"start": "2012-01-01", "reason": "x"}]},
            "outages.0.end: Field required",
        ),
    ],
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
