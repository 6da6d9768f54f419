"""Write the pages that the code itself knows best: settings, vendors, assets, commands, glossary.

``conf.py`` calls `write_pages` before a build. Nothing here needs Sphinx.
"""

import argparse
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml

from price_physics import cli
from price_physics.pipeline.dag import EVERY, STAGES, MonthWindow
from price_physics.schemas.table import TableSchema
from price_physics.schemas.ticks import CANDLES
from price_physics.study.json_schema import schema_text
from price_physics.study.market import CandleColumns, CandleMarket, TradeColumns, TradeMarket
from price_physics.study.outages import Outage
from price_physics.study.study import Study
from price_physics.ticks.formats.generic import Generic
from price_physics.ticks.formats.registry import formats_of

GLOSSARY = Path(cli.__file__).parent / "report" / "glossary.yaml"


def write_pages(folder: Path) -> None:
    """Write every page whose text has changed; a page that has not is not built again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        path, text = folder / f"{name}.md", page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# ---------------------------------------------------------------------------- settings
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
    return _joined(parts)


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
    return _joined(parts)


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
    return _table(("setting", "value", "default", "meaning"), rows)


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


# ---------------------------------------------------------------------------- vendors
def vendors() -> str:
    """Every format that is recognised, with its columns."""
    parts = [
        "# Vendors",
        "A file's vendor is recognised by its first rows, whatever the file is called. Each is one "
        "module of `price_physics/ticks/formats/`; this page is made from them. Columns in "
        "brackets may be missing. A market's `vendor:` refuses files of all others.",
    ]
    for rows in ("trades", "candles"):
        parts.append(f"## Vendors of {rows}")
        for vendor, found in formats_of(rows).items():  # type: ignore[arg-type]
            module = importlib.import_module(f"price_physics.ticks.formats.{rows}.{vendor}")
            parts += [f"### `{vendor}`", *(inspect.getdoc(module) or "").split("\n\n")]
            for number, columns in enumerate(found.expects.split(" or ")):
                parts.append(f"{'or' if number else 'Columns:'} `{columns.replace('`', '')}`")
            if isinstance(found, Generic):
                names = [(f"`{k}`", ", ".join(f"`{n}`" for n in v)) for k, v in found.known.items()]
                parts.append(_table(("column", "names that need no mapping"), names))
    return _joined(parts)


# ---------------------------------------------------------------------------- assets, tables
def assets() -> str:
    """The DAG, and the columns of every table."""
    rows = [
        (
            f"`{name}`",
            stage.gives,
            ", ".join(f"`{a}` {_window(w)}" for a, w in stage.reads.items()) or "vendor files",
            ", ".join(f"`{s}`" for s in stage.obeys) or "none",
        )
        for name, stage in STAGES.items()
    ]
    parts = [
        "# Assets and their tables",
        "One row an asset, in order: made from `price_physics/pipeline/dag.py`. Partition m holds "
        "what is known when month m ends, and reads only months up to m.",
        _table(("asset", "gives", "reads, for month m", "obeys"), rows),
    ]
    for name, stage in STAGES.items():
        tables = (*stage.tables, CANDLES) if name == "ticks" else stage.tables
        parts += [f"## Tables of `{name}`"] if tables else []
        for table in tables:
            parts += [f"### `{name}/{table.name}`", _columns(table)]
    return _joined(parts)


def _window(window: MonthWindow) -> str:
    first, last = ("m" if k == 0 else f"m{k}" for k in window)
    if window[0] == EVERY:
        return f"up to {last}"
    return f"({first})" if first == last else f"({first} to {last})"


def _columns(table: TableSchema) -> str:
    described = table.descriptions
    return _table(
        ("column", "type", "meaning"),
        [(f"`{f.name}`", f"`{f.type}`", described[f.name]) for f in table.arrow],
    )


# ---------------------------------------------------------------------------- commands
def commands() -> str:
    """Every verb of ``price-physics`` and its flags, as ``--help`` says them."""
    parts = [
        "# Commands",
        "`price-physics` is in `.venv/bin`. Many of its verbs are also targets of `make`; `make "
        "help` lists those. This page is made from the parser of the command line.",
    ]
    for name, verb in verbs().items():
        usage = " ".join(verb.format_usage().removeprefix("usage: ").split())
        parts += [
            f"## `{name}`",
            f"{(verb.description or '').capitalize()}.",
            f"```text\n{usage}\n```",
        ]
        rows = [
            (
                f"`{', '.join(a.option_strings) or a.dest}`",
                (a.help or "") % {**vars(a), "prog": name},
            )
            for a in verb._actions
            if not isinstance(a, argparse._HelpAction)
        ]
        parts += [_table(("argument", "meaning"), rows)] if rows else []
    return _joined(parts)


def verbs() -> dict[str, argparse.ArgumentParser]:
    """The parsers of all verbs, by name."""
    actions = cli._parser()._actions
    return next(a.choices for a in actions if isinstance(a, argparse._SubParsersAction))


# ---------------------------------------------------------------------------- glossary
def terms() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every group's name and term of the glossary."""
    for group in yaml.safe_load(GLOSSARY.read_text(encoding="utf-8")):
        for term in group["terms"]:
            yield group["group"], term


def glossary() -> str:
    """Every word of the report, what it means and where it is computed."""
    parts, group = (
        [
            "# Glossary",
            "Every number and word of the report. The code counts where the two differ; each entry "
            "names the place.",
        ],
        None,
    )
    for name, term in terms():
        if name != group:
            parts, group = [*parts, f"## {name}"], name
        parts.append(_term(term))
    return _joined(parts)


def _term(term: dict[str, Any]) -> str:
    shown = [w for w in term["words"] if w != term["term"]]
    also = f"In the report: {'; '.join(shown)}. " if shown else ""
    module, name = term["code"].split(":")
    return (
        f"(term-{slug(term['term'])})=\n\n### {term['term']}\n\n{term['means']}\n\n"
        f"{also}Computed by `{name}` in `price_physics/{module.replace('.', '/')}.py`."
    )


def slug(title: str) -> str:
    """Name a title's anchor as Markdown readers do: `Net Sharpe, annual` is net-sharpe-annual."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


# ---------------------------------------------------------------------------- Markdown
def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [_row(head), _row(("---",) * len(head)), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(' '.join(c.split()).replace('|', chr(92) + '|') for c in cells)} |"


def _joined(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"


PAGES = {
    "study": study_settings,
    "market": market_settings,
    "vendors": vendors,
    "assets": assets,
    "commands": commands,
    "glossary": glossary,
}
"""Pages by the names of their files."""
