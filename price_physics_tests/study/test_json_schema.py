"""What an editor knows of a YAML: every key with a description, every kind, vendor and network."""

import json
from pathlib import Path
from typing import Any

import pytest

from price_physics.study.json_schema import ADAPTERS, FOLDER, schema_text
from price_physics.study.market import VENDORS
from price_physics.study.model import ARCHITECTURES

from .variants import STUDIES

SCHEMAS = {file: json.loads(schema_text(file)) for file in ADAPTERS}
YAMLS = sorted(FOLDER.rglob("*.yaml"))
KINDS = {
    "bars": 10,
    "events": 2,
    "barrier_policy": 5,
}


def properties(file: str) -> dict[str, Any]:
    """Every key of a file, by model and name."""
    schema = ADAPTERS[file].json_schema()
    models = {"": schema, **schema["$defs"]}
    return {
        f"{model}.{key}": found
        for model, fields in models.items()
        for key, found in fields.get("properties", {}).items()
    }


@pytest.mark.parametrize("file", ADAPTERS)
def test_every_key_has_a_description_of_one_sentence(file: str) -> None:
    found = {key: field.get("description", "") for key, field in properties(file).items()}
    assert len(found) > 30
    wrong = {k: d for k, d in found.items() if not d.endswith(".") or "\n" in d or ". " in d}
    assert wrong == {}


@pytest.mark.parametrize("file", ADAPTERS)
def test_the_schemas_in_the_repository_are_up_to_date(file: str) -> None:
    written = (FOLDER / f"{file}.schema.json").read_text(encoding="utf-8")
    assert written == schema_text(file), "run python -m price_physics.study.json_schema"


@pytest.mark.parametrize("path", YAMLS, ids=lambda p: p.relative_to(FOLDER).as_posix())
def test_every_yaml_names_its_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").split("\n")[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    file = {"markets": "market", "studies": "study"}[path.parent.name]
    assert named == f"../{file}.schema.json"  # also where an example is copied to
    assert (path.parent / named).resolve() == FOLDER / f"{file}.schema.json"


def test_there_are_yamls() -> None:
    assert len(YAMLS) >= 8


@pytest.mark.parametrize("section", KINDS)
def test_a_section_is_one_of_its_kinds(section: str) -> None:
    schema = SCHEMAS["study"]
    one_of = [
        schema["$defs"][m["$ref"].split("/")[-1]] for m in schema["properties"][section]["oneOf"]
    ]
    kinds: list[str] = []
    for model in one_of:
        kind = model["properties"]["kind"]
        kinds += kind.get("enum") or [kind["const"]]
        assert ("kind" in model.get("required", ())) == ("default" not in kind)
    assert len(kinds) == len(set(kinds)) == KINDS[section]
    assert sum("default" in model["properties"]["kind"] for model in one_of) == 1
    used = {s[section].get("kind") for s in STUDIES.values() if section in s} - {None}
    assert used <= set(kinds)


def test_vendors_and_networks_are_listed() -> None:
    models = SCHEMAS["market"]["$defs"]
    for name, vendors in (("TradeMarket", VENDORS["trades"]), ("CandleMarket", VENDORS["candles"])):
        assert models[name]["properties"]["vendor"]["anyOf"][0]["enum"] == vendors
    architecture = SCHEMAS["study"]["$defs"]["ModelConfig"]["properties"]["architecture"]
    assert architecture["enum"] == ARCHITECTURES


@pytest.mark.parametrize("file", ADAPTERS)
def test_a_file_does_not_say_its_name(file: str) -> None:
    assert '"name": {' not in schema_text(file)
