"""Write the pages that the code itself knows best: settings, vendors, assets, commands, glossary.

``conf.py`` calls `write_pages` before a build. Nothing here needs Sphinx.
"""

import argparse
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from markdown_text import joined, slug, table_of
from setting_pages import market_settings, study_settings

from price_physics import cli
from price_physics.pipeline.dag import EVERY, STAGES, MonthWindow
from price_physics.schemas.table import TableSchema
from price_physics.schemas.ticks import CANDLES
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
                parts.append(table_of(("column", "names that need no mapping"), names))
    return joined(parts)


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
        table_of(("asset", "gives", "reads, for month m", "obeys"), rows),
    ]
    for name, stage in STAGES.items():
        tables = (*stage.tables, CANDLES) if name == "ticks" else stage.tables
        parts += [f"## Tables of `{name}`"] if tables else []
        for table in tables:
            parts += [f"### `{name}/{table.name}`", _columns(table)]
    return joined(parts)


def _window(window: MonthWindow) -> str:
    first, last = ("m" if k == 0 else f"m{k}" for k in window)
    if window[0] == EVERY:
        return f"up to {last}"
    return f"({first})" if first == last else f"({first} to {last})"


def _columns(table: TableSchema) -> str:
    described = table.descriptions
    return table_of(
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
        parts += [table_of(("argument", "meaning"), rows)] if rows else []
    return joined(parts)


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
    return joined(parts)


def _term(term: dict[str, Any]) -> str:
    shown = [w for w in term["words"] if w != term["term"]]
    also = f"In the report: {'; '.join(shown)}. " if shown else ""
    module, name = term["code"].split(":")
    return (
        f"(term-{slug(term['term'])})=\n\n### {term['term']}\n\n{term['means']}\n\n"
        f"{also}Computed by `{name}` in `price_physics/{module.replace('.', '/')}.py`."
    )


PAGES = {
    "study": study_settings,
    "market": market_settings,
    "vendors": vendors,
    "assets": assets,
    "commands": commands,
    "glossary": glossary,
}
"""Pages by the names of their files."""
