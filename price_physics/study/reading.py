"""Read the YAML of a market or a study, and check that the two fit each other."""

import json
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from price_physics.errors import ConfigError
from price_physics.study.bars import TimeBars
from price_physics.study.market import CandleMarket, Market, TradeMarket
from price_physics.study.messages import Kinds, explain
from price_physics.study.study import Study
from price_physics.study.yaml_file import read_mapping

MARKET: TypeAdapter[Market] = TypeAdapter(Market)
STUDY = TypeAdapter(Study)

_MARKET_KINDS: Kinds = {(): {"trades": TradeMarket, "candles": CandleMarket}}
_STUDY_KINDS: Kinds = {
    (section,): {
        kind: model
        for model in get_args(field.annotation)
        for kind in get_args(model.model_fields["kind"].annotation)
    }
    for section, field in Study.model_fields.items()
    if field.discriminator == "kind"
}

_ConfigT = TypeVar("_ConfigT")


def load_market(path: Path) -> Market:
    """Read one market; its name is the file's stem. Raises ConfigError."""
    return _load(path, MARKET, _MARKET_KINDS)


def load_study(path: Path) -> Study:
    """Read one study; its name is the file's stem. Raises ConfigError."""
    return _load(path, STUDY, _STUDY_KINDS)


def load_configs(folder: Path) -> tuple[dict[str, Market], dict[str, Study]]:
    """Read ``markets/*.yaml`` and ``studies/*.yaml`` under `folder`, by name.

    Raises
    ------
    ConfigError
        When a file is impossible, or a study names a market that does not exist.
    """
    markets = {p.stem: load_market(p) for p in sorted((folder / "markets").glob("*.yaml"))}
    studies = {p.stem: load_study(p) for p in sorted((folder / "studies").glob("*.yaml"))}
    for study in studies.values():
        if study.market not in markets:
            raise ConfigError(
                f"{folder / 'studies' / study.name}.yaml: market = {study.market!r}: no such file "
                f"{folder / 'markets' / study.market}.yaml; there are {sorted(markets) or 'none'}"
            )
        if wrong := _mismatch(study, markets[study.market]):
            raise ConfigError(f"{folder / 'studies' / study.name}.yaml: {wrong}")
    return markets, studies


def _mismatch(study: Study, market: Market) -> str:
    """Say what a study asks of its market that the market's rows cannot give."""
    bars, labels = study.bars, study.labels
    if not isinstance(market, CandleMarket):
        if labels.path == "ticks" and labels.both_touched is not None:
            return (
                f"labels.both_touched = {labels.both_touched!r}: a trade never touches both "
                "barriers; remove it, or set labels.path: bars"
            )
        return ""
    if labels.both_touched is None:
        return (
            f"labels.both_touched: the rows of market {market.name!r} are candles, and one may "
            "touch both barriers; set it to drop or stop_loss_first"
        )
    if bars.expects_flow:
        return (
            f"bars.kind = {bars.kind!r} counts the sides of trades, and the rows of market "
            f"{market.name!r} are candles; choose time, tick, volume or dollar"
        )
    interval = bars.interval_minutes if isinstance(bars, TimeBars) else None
    for name, value in (
        ("bars.interval_minutes", interval),
        ("labels.horizon_minutes", labels.horizon_minutes),
    ):
        if value is not None and round(value * 60e9) % market.candle_ns:
            return (
                f"{name} = {value!r} is no multiple of the {market.candle_minutes:g} minutes of a "
                f"candle of market {market.name!r}"
            )
    return ""


def _load(path: Path, adapter: TypeAdapter[_ConfigT], kinds: Kinds) -> _ConfigT:
    data = read_mapping(path)
    if "name" in data:
        raise ConfigError(f"{path}: name = {data['name']!r}: the file's name is the name; drop it")
    try:
        # JSON in strict mode takes lists for tuples but no text for numbers.
        strict_json = json.dumps({**data, "name": path.stem}, default=str)
        return adapter.validate_json(strict_json, strict=True)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {s}" for s in explain(error, kinds))) from error
