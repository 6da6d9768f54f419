"""The documentation: generated pages lack nothing, commands exist, links lead somewhere."""

import argparse
import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from price_physics.report.content import compose
from price_physics.report.curves import chain_months
from price_physics.report.evidence import Evidence
from price_physics.report.numbers import collect_numbers
from price_physics.study.json_schema import ADAPTERS
from price_physics.study.market import VENDORS
from price_physics.walk_forward.decision import EDGE
from price_physics_tests.report import cases

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HAND_WRITTEN = [
    *sorted(ROOT.glob("*.md")),
    *(p for p in sorted(DOCS.rglob("*.md")) if not {"_build", "generated"} & set(p.parts)),
]
_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _load_pages():
    """`docs/pages.py`, which belongs to no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        return importlib.import_module("pages")


PAGES = _load_pages()
GENERATED = {name: make() for name, make in PAGES.PAGES.items()}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


# ---------------------------------------------------------------------------- generated pages
@pytest.mark.parametrize("file", sorted(ADAPTERS))
def test_every_setting_has_its_row_with_its_description(file):
    schema = ADAPTERS[file].json_schema()
    page, found = GENERATED[file], 0
    models = [m for m in [schema, *schema["$defs"].values()] if "properties" in m]
    for model in models:
        for key, field in model["properties"].items():
            sections = {"$ref", "oneOf", "discriminator"} & field.keys()
            if key == "name" or (file == "study" and sections):  # a section has a heading
                assert key == "name" or f"## `{key}`" in page
                continue
            meaning = field["description"].replace("|", "\\|")
            assert re.search(rf"^\| `{key}` \|.*\| {re.escape(meaning)} \|$", page, re.MULTILINE), (
                key
            )
            found += 1
    assert found > 25


def test_every_vendor_has_its_columns():
    for vendors in VENDORS.values():
        for vendor in vendors:
            _, _, after = GENERATED["vendors"].partition(f"### `{vendor}`")
            assert "Columns: `" in after.split("###")[0], vendor


def test_every_verb_and_flag_has_its_row():
    for name, verb in PAGES.verbs().items():
        section = GENERATED["commands"].split(f"## `{name}`\n")[1].split("\n## ")[0]
        for flag in _flags(verb) - {"-h", "--help"}:
            assert f"`{flag}" in section, (name, flag)


def test_pages_are_written_only_when_they_change(tmp_path):
    PAGES.write_pages(tmp_path)
    assert {p.stem for p in tmp_path.iterdir()} == set(GENERATED)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    PAGES.write_pages(tmp_path)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before


# ---------------------------------------------------------------------------- glossary
def test_the_report_says_no_word_that_the_glossary_lacks():
    known = {w for _, t in PAGES.terms() for w in (t["term"], *t["words"])}
    said = set(_words(cases.arguments())) | set(_words(cases.arguments(word=EDGE, binary=True)))
    said |= set(_words(_with_labels()))
    assert sorted(said - known) == []
    assert len(said) > 120


def test_every_term_is_defined_once_and_computed_where_it_says():
    terms = [t for _, t in PAGES.terms()]
    names = [PAGES.slug(t["term"]) for t in terms]
    assert len(set(names)) == len(names)
    words = [w for t in terms for w in t["words"]]
    assert len(set(words)) == len(words)
    for term in terms:
        module, name = term["code"].split(":")
        path = ROOT / "price_physics" / f"{module.replace('.', '/')}.py"
        assert name in _names(path), f"{term['term']}: no {name} in {path}"


def _with_labels():
    """A report that has a section on labels, each of its rows."""
    given = cases.arguments()
    changes = {"labels": {"horizon_bars": 9, "path": "bars", "both_touched": "drop"}}
    given["study"] = cases.study(**changes)
    counts = {"dropped": {"horizon_over_28_days": 3, "no_side": 2, "both_touched": 1}}
    counts |= {"undecidable": 1, "bars_merged": 4}
    return given | {"label_counts": dict.fromkeys(given["label_counts"], counts)}


def _words(given: dict) -> Iterator[str]:
    """Every label of a report: tiles, headings, columns, and the names of rows."""
    evidence = Evidence(**given)
    document = compose(collect_numbers(evidence, chain_months(evidence.walk_forward)))
    yield document.verdict
    yield from (tile.label for tile in document.tiles)
    sections = [s for s in document.sections if s.title != "Parameters"]
    yield from (s.title for s in document.sections)
    for table in [document.conditions, *(t for s in sections for t in s.tables)]:
        if table.title and not table.title.startswith("For "):
            yield table.title
        if table.columns == ["Setting", "Value"]:  # the name of a version needs no definition
            continue
        yield from (c for c in table.columns if c != "What")
        if table.columns[0] in {
            "What",
            "Condition",
            "Cost",
            "Passive investor",
            "Came out",
            "Side",
        }:
            yield from (re.sub(r"^A \w+ (.*):.*", r"A candle \1", row[0]) for row in table.rows)
        if table.columns[:2] == ["Side", "Exit"]:
            yield from (row[1] for row in table.rows)


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
        n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)
    }


# ---------------------------------------------------------------------------- commands
def _commands(path: Path) -> Iterator[list[str]]:
    """Commands of shell blocks, and of inline code that begins like one, as words."""
    text = path.read_text(encoding="utf-8")
    blocks = [block for kind, block in _FENCE.findall(text) if kind in {"sh", "bash"}]
    inline = re.findall(r"`((?:make|price-physics) [^`\n]+)`", _FENCE.sub("", text))
    for words in [*(w for block in blocks for w in _lines(block)), *map(shlex.split, inline)]:
        yield from _parts(words)


def _lines(block: str) -> Iterator[list[str]]:
    """Split a block into lines of words; a quotation may go on over several lines."""
    begun = ""
    for line in block.splitlines(keepends=True):
        try:
            yield shlex.split(begun + line, comments=True)
            begun = ""
        except ValueError:  # no closing quotation yet
            begun += line
    assert not begun


def _parts(words: list[str]) -> Iterator[list[str]]:
    """Split a line at ``;`` and ``&&``; take off variables and the folder of the environment."""
    command: list[str] = []
    for word in [*words, ";"]:
        if word in {"&&", "|"} or word.endswith(";"):
            command += [word.rstrip(";")] if word.rstrip(";&|") else []
            while command and (command[0] == "do" or re.match(r"^[A-Z_]+=", command[0])):
                command = command[1:]
            if command:
                yield [command[0].removeprefix(".venv/bin/"), *command[1:]]
            command = []
        else:
            command.append(word)


def _flags(verb: argparse.ArgumentParser) -> set[str]:
    return {option for action in verb._actions for option in action.option_strings}


def _fault(command: list[str]) -> str | None:
    """Say what is wrong with a command; None where nothing is, or it is none of ours."""
    tool, *words = command
    if tool == "make":
        targets = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
        for word in words:
            name, given, _ = word.partition("=")
            if given and f"$({name})" not in MAKEFILE:
                return f"make knows no {name}="
            if not given and name not in targets:
                return f"make has no target {name}"
    if tool == "price-physics" and words:
        verbs = PAGES.verbs()
        if words[0].startswith("-"):
            return None
        if words[0] not in verbs:
            return f"no verb {words[0]}"
        flags = {word.split("=")[0] for word in words[1:] if word.startswith("--")}
        if unknown := flags - _flags(verbs[words[0]]):
            return f"{words[0]} has no {', '.join(sorted(unknown))}"
    if tool.startswith("python") and words[:1] == ["-m"] and words[1].startswith("price_physics"):
        place = ROOT / words[1].replace(".", "/")
        if not place.with_suffix(".py").exists() and not (place / "__main__.py").exists():
            return f"no module {words[1]}"
    return None


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_exists(path):
    faults = [f"{' '.join(c)}: {fault}" for c in _commands(path) if (fault := _fault(c))]
    assert faults == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("make nonsense", "make has no target nonsense"),
        ("make backfill STUDIES=demo", "make knows no STUDIES="),
        (".venv/bin/price-physics backfil --study demo", "no verb backfil"),
        ("A=1 price-physics audit --study demo --until 2012-03", "audit has no --until"),
        ("cd x && python -m price_physics.nowhere", "no module price_physics.nowhere"),
        ("for s in a b; do make backfill STUDY=$s; done", None),
        ("price-physics ledger export trials.jsonl", None),
    ],
)
def test_a_command_that_does_not_exist_is_found(line, fault):
    found = [_fault(command) for command in _parts(shlex.split(line))]
    assert next(filter(None, found), None) == fault


def test_readme_and_docs_show_commands():
    assert sum(1 for path in HAND_WRITTEN for _ in _commands(path)) > 40


# ---------------------------------------------------------------------------- links
def _anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    inside = path.parent == DOCS / "generated"
    text = GENERATED[path.stem] if inside else path.read_text(encoding="utf-8")
    return {PAGES.slug(h) for h in re.findall(r"^#+ (.*)$", _FENCE.sub("", text), re.MULTILINE)}


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for link in _LINK.findall(text):
        if re.match(r"(https?|mailto):", link):
            continue
        target, _, anchor = link.partition("#")
        place = (path.parent / target).resolve() if target else path
        made = place.parent == DOCS / "generated" and place.stem in GENERATED
        assert made or place.exists(), f"{path}: {link}"
        if anchor and place.suffix == ".md":
            assert anchor in _anchors(place), f"{path}: {link}"


def test_every_page_stands_in_the_contents():
    """The three pages that other branches write are named beforehand."""
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text(), re.DOTALL)
    entries = {line for block in blocks for line in block.splitlines() if line and line[0] != ":"}
    listed = {e for e in entries if "*" not in e}
    pages = {
        p.relative_to(DOCS).with_suffix("").as_posix() for p in HAND_WRITTEN if DOCS in p.parents
    }
    pages = {p for p in pages if not re.match(r"decisions/0|index$", p)}
    pages |= {f"generated/{name}" for name in GENERATED} | {"api"}
    assert sorted(pages - listed) == []
    assert listed - pages <= {"dagster", "faults", "security"}
