"""Pages of settings: every key of a study and of a market, from the models' JSON schemas."""

import inspect
import json
from typing import Any, get_args

from markdown_text import joined, table_of

from price_physics.study.json_schema import schema_text
from price_physics.study.market import CandleColumns, CandleMarket, TradeColumns, TradeMarket
from price_physics.study.outages import Outage
from price_physics.study.study import Study


def study_settings() -> str:
    """Every setting of a study, section by section."""
    schema = json.loads(schema_text("study"))
    plain = {n: p for n, p in schema["properties"].items() if not _models(Study, n)}
    parts = [
        "# Settings of a study",
        "`configs/studies/<name>.yaml`; the file's name is the study's. Made from "
        "`price_physics/study/`, from which `configs/study.schema.json` comes too.",
        _settings(schema, {**schema, "properties": plain}),
    ]
    for name in [n for n in schema["properties"] if n not in plain]:
        models = _models(Study, name)
        parts += [f"## `{name}`", *_prose(inspect.getmodule(models[0]))]
        for model in models:
            found = schema["$defs"][model.__name__]
            if len(models) > 1:
                parts.append(f"### {_kinds(found)}")
            parts += [found["description"], _settings(schema, found)]
    return joined(parts)


def market_settings() -> str:
    """Every setting of a market of trades and of one of candles."""
    schema = json.loads(schema_text("market"))
    parts = [
        "# Settings of a market",
        "`configs/markets/<name>.yaml`; the file's name is the market's. With `candle_minutes` its "
        "rows are candles, without they are trades.",
    ]
    titles = {
        TradeMarket: "A market of trades",
        TradeColumns: "`columns` of trades",
        CandleMarket: "A market of candles",
        CandleColumns: "`columns` of candles",
        Outage: "One of `outages`",
    }
    for model, title in titles.items():
        found = schema["$defs"][model.__name__]
        parts += [f"## {title}", found["description"], _settings(schema, found)]
    return joined(parts)


def _models(owner: type, name: str) -> list[Any]:
    """Return the models that a section may be; none where the setting is a plain value."""
    annotation = owner.model_fields[name].annotation  # type: ignore[attr-defined]
    found = get_args(annotation) or (annotation,)
    return [m for m in found if inspect.isclass(m) and hasattr(m, "model_fields")]


def _kinds(model: dict[str, Any]) -> str:
    kind = model["properties"]["kind"]
    return ", ".join(f"`kind: {k}`" for k in kind.get("enum", [kind.get("const")]))


def _prose(module: Any) -> list[str]:
    """What a section's module says of it, without its name."""
    first, *rest = (inspect.getdoc(module) or "").split("\n\n")
    told = first.split(": ", 1)[-1].replace("\n", " ")
    return [told[0].upper() + told[1:], *rest]


def _settings(schema: dict[str, Any], model: dict[str, Any]) -> str:
    rows = [
        (
            f"`{name}`",
            _values(schema, found),
            _default(found, name in model.get("required", ())),
            found.get("description", ""),
        )
        for name, found in model["properties"].items()
    ]
    return table_of(("setting", "value", "default", "meaning"), rows)


def _default(found: dict[str, Any], required: bool) -> str:
    if required:
        return "required"
    default = found.get("default")
    if isinstance(default, dict):
        return "as below"
    return "none" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"


def _values(schema: dict[str, Any], found: dict[str, Any]) -> str:
    """Put the type of a value into words."""
    if "$ref" in found:
        name = found["$ref"].rsplit("/", 1)[-1]
        inner = schema["$defs"][name]
        return _values(schema, inner) if "properties" not in inner else "a section, see below"
    if "anyOf" in found or "oneOf" in found:
        choices = [_values(schema, f) for f in found.get("anyOf") or found["oneOf"]]
        return ", or ".join(dict.fromkeys(choices))
    if "enum" in found or "const" in found:
        values = found.get("enum") or [found["const"]]
        return ", ".join(f"`{json.dumps(v) if isinstance(v, bool) else v}`" for v in values)
    kind = found.get("type", "anything")
    if kind == "array":
        if "prefixItems" in found:
            return f"[{', '.join(_values(schema, f) for f in found['prefixItems'])}]"
        return f"list of: {_values(schema, found['items'])}"
    if kind == "object":
        if inner := found.get("additionalProperties") or None:
            return f"mapping to: {_values(schema, inner)}"
        if patterns := found.get("patternProperties"):
            return f"mapping to: {_values(schema, next(iter(patterns.values())))}"
        return "mapping"
    return _bounded({"integer": "whole number", "null": "`null`"}.get(kind, kind), found)


def _bounded(kind: str, found: dict[str, Any]) -> str:
    bounds = [
        f"{words} {found[key]:,}" if isinstance(found[key], int) else f"{words} {found[key]:.3g}"
        for key, words in (
            ("exclusiveMinimum", "above"),
            ("minimum", "from"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in found
    ]
    if found.get("pattern", "").startswith(r"^\d{4}"):
        return "month, `YYYY-MM`"
    return " ".join([kind, *bounds])
