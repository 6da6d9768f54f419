"""How the YAML of a market or a study is read, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from price_physics.errors import ConfigError
from price_physics.study.bars import TimeBars
from price_physics.study.market import CandleMarket, Market
from price_physics.study.study import Study

MARKET: TypeAdapter[Market] = TypeAdapter(Market)
STUDY = TypeAdapter(Study)

_ConfigT = TypeVar("_ConfigT")
_Place = tuple[Any, ...]

_KINDED: set[_Place] = {
    (name,) for name, field in Study.model_fields.items() if field.discriminator == "kind"
}
"""Sections of a study that have a kind."""


def load_market(path: Path) -> Market:
    """Read one market; its name is the file's stem. Raises ConfigError."""
    return _load(path, MARKET, {()})


def load_study(path: Path) -> Study:
    """Read one study; its name is the file's stem. Raises ConfigError."""
    return _load(path, STUDY, _KINDED)


def load_configs(folder: Path) -> tuple[dict[str, Market], dict[str, Study]]:
    """Read ``markets/*.yaml`` and ``studies/*.yaml`` under `folder`, by name.

    Raises
    ------
    ConfigError
        When a file is impossible, or a study names a market that is not there.
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
    """Say what a study asks of its market that rows of its kind cannot give."""
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


def _load(path: Path, adapter: TypeAdapter[_ConfigT], unions: set[_Place]) -> _ConfigT:
    """Read a file; `unions` are the places of the keys or sections of which there are kinds."""
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader))
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = str(error).replace('in "<unicode string>", ', "")
        raise ConfigError(f"{path}: not valid YAML: {place}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of settings, found {data!r}")
    if "name" in data:
        raise ConfigError(f"{path}: name = {data['name']!r}: the file's name is the name; drop it")
    try:
        # JSON in strict mode takes lists for tuples but no text for numbers.
        strict_json = json.dumps({**data, "name": path.stem}, default=str)
        return adapter.validate_json(strict_json, strict=True)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {s}" for s in _explain(error, unions))) from error


def _explain(error: ValidationError, unions: set[_Place]) -> list[str]:
    """Say in the file's own words what is wrong with it, a sentence a fault.

    What a kind lacks is one sentence, however many keys.
    """
    needs: dict[str, list[str]] = {}
    sentences = []
    for fault in error.errors():
        place, kind = _without_kind(fault["loc"], unions)
        of_kind = kind is not None and len(place) == 2
        if of_kind and fault["type"] == "extra_forbidden":
            reason = f"kind: {kind} has no {place[1]}; remove it or correct its spelling"
        elif of_kind and (fault["type"] == "missing" or fault["input"] is None):
            needs.setdefault(f"{place[0]}: kind: {kind} needs", []).append(str(place[1]))
            continue
        else:
            reason = _reason(fault)
        sentences.append(f"{_shown(place, fault)}: {reason}")
    return [f"{start} {', '.join(keys)}" for start, keys in needs.items()] + sentences


def _without_kind(place: _Place, unions: set[_Place]) -> tuple[_Place, str | None]:
    """Where a fault is in the file, and the kind of the section that it is in, if that has any."""
    for depth in range(len(place)):
        if place[:depth] in unions:
            kind = str(place[depth]) if depth else None  # a market's key is no `kind:`
            return place[:depth] + place[depth + 1 :], kind
    return place, None


def _shown(place: _Place, fault: ErrorDetails) -> str:
    value = fault["input"]
    if fault["type"] == "union_tag_invalid":
        place, value = (*place, "kind"), value["kind"]
    key = ".".join(str(part) for part in place) or "(the whole file)"
    return key if fault["type"] == "missing" or isinstance(value, dict) else f"{key} = {value!r}"


def _reason(fault: ErrorDetails) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return "unknown key; remove it or correct its spelling"
        case "union_tag_invalid":
            *kinds, last = fault["ctx"]["expected_tags"].split(", ")
            return f"Input should be {', '.join(kinds)} or {last}"
        case "value_error":
            return str(fault["ctx"]["error"])
        case _:
            return fault["msg"]


def _refuse_repeated_keys(node: yaml.Node | None) -> None:
    """YAML keeps the last of two equal keys without a word; we do not."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_repeated_keys(child)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, child in node.value:
            if key.value in seen:
                raise yaml.YAMLError(f"key {key.value!r} is given twice\n{key.start_mark}")
            seen.add(key.value)
            _refuse_repeated_keys(child)
