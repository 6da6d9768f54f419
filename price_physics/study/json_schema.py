"""The JSON schemas of a market's and a study's file, so that an editor completes and checks them.

``python -m price_physics.study.json_schema`` writes them beside the YAMLs.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from price_physics.study.reading import MARKET, STUDY

FOLDER = Path(__file__).parents[2] / "configs"
ADAPTERS: dict[str, TypeAdapter[Any]] = {"market": MARKET, "study": STUDY}


def schema_text(file: str) -> str:
    """Return the JSON schema of one kind of file as text, as it lies in ``configs/``.

    Parameters
    ----------
    file : {"market", "study"}
    """
    schema = ADAPTERS[file].json_schema()
    for model in (schema, *schema.get("$defs", {}).values()):
        # The file's name is the name: no YAML has the key `name`.
        if "name" in model.get("required", ()):
            model["required"].remove("name")
            del model["properties"]["name"]
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    for name in ADAPTERS:
        path = FOLDER / f"{name}.schema.json"
        path.write_text(schema_text(name), encoding="utf-8")
        print(path)
