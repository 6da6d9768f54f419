"""How the YAML of a market or a study is read, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import (
    ValidationError,
)

from price_physics.errors import ConfigError
from price_physics.study.market import Market
from price_physics.study.study import Study

_ConfigT = TypeVar("_ConfigT", Market, Study)


def load_market(path: Path) -> Market:
    """Read one market; its name is the file's stem. Raises ConfigError."""
    return _load(path, Market)


def load_study(path: Path) -> Study:
    """Read one study; its name is the file's stem. Raises ConfigError."""
    return _load(path, Study)


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
    """Say what a study asks of its market that rows of its sort cannot give."""
    bars, labels, minutes = study.bars, study.labels, market.candle_minutes
    if minutes is None:
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
    for name, value in (
        ("bars.interval_minutes", bars.interval_minutes),
        ("labels.horizon_minutes", labels.horizon_minutes),
    ):
        if value is not None and round(value * 60e9) % market.candle_ns:
            return (
                f"{name} = {value!r} is no multiple of the {minutes:g} minutes of a candle of "
                f"market {market.name!r}"
            )
    return ""


def _load(path: Path, model: type[_ConfigT]) -> _ConfigT:
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
        return model.model_validate_json(strict_json, strict=True)
    except ValidationError as error:
        lines = [f"{path}: {_explain(e)}" for e in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def _explain(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "(the whole file)"
    value = error["input"]
    shown = "" if error["type"] == "missing" or isinstance(value, dict) else f" = {value!r}"
    if error["type"] == "extra_forbidden":
        return f"{key}{shown}: unknown key; remove it or correct its spelling"
    return f"{key}{shown}: {error['msg']}"


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
