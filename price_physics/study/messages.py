"""Messages for a wrong file: where the fault is, in the file's own words, and what to do.

Pydantic puts the kind of a section into the place of a fault, where the file has none. It is taken
out here, and named where it matters: for what a kind needs, and what belongs to another kind.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Place = tuple[Any, ...]
Kinds = Mapping[Place, Mapping[str, type[BaseModel]]]
"""The model of each kind, for every place in a file that may be of several kinds."""


def explain(error: ValidationError, kinds: Kinds) -> list[str]:
    """Say what is wrong with a file: one sentence a fault, one for all that a kind lacks.

    Parameters
    ----------
    error : ValidationError
    kinds : mapping of place to mapping of kind to model
        Sections with a key `kind`; the place ``()`` where the whole file is of several kinds.
    """
    needs: dict[str, list[str]] = {}
    sentences = []
    for fault in error.errors():
        place, section, kind = _in_file(fault["loc"], kinds)
        key = str(place[-1]) if place else ""
        models = kinds[section] if section and len(place) == len(section) + 1 else {}
        if kind in models and _lacks(models[kind], key, fault):
            needs.setdefault(f"{_dotted(section)}: kind: {kind} needs", []).append(key)
            continue
        others = [other for other, model in models.items() if key in model.model_fields]
        if fault["type"] == "extra_forbidden" and others:
            reason = f"kind: {kind} has no {key}; remove it, or set kind to {_one_of(others)}"
        else:
            reason = _reason(fault)
        sentences.append(f"{_shown(place, fault)}: {reason}")
    return [f"{start} {', '.join(keys)}" for start, keys in needs.items()] + sentences


def _in_file(place: Place, kinds: Kinds) -> tuple[Place, Place, str]:
    """The place as the file has it, the section of several kinds around it, and its kind."""
    for depth in range(len(place)):
        if place[:depth] in kinds:
            return place[:depth] + place[depth + 1 :], place[:depth], str(place[depth])
    return place, (), ""


def _lacks(model: type[BaseModel], key: str, fault: ErrorDetails) -> bool:
    field = model.model_fields.get(key)
    absent = fault["type"] == "missing" or fault["input"] is None
    return absent and field is not None and field.is_required()


def _shown(place: Place, fault: ErrorDetails) -> str:
    value = fault["input"]
    if fault["type"] == "union_tag_invalid":
        place, value = (*place, "kind"), value["kind"]
    if fault["type"] == "missing" or isinstance(value, dict):
        return _dotted(place)
    return f"{_dotted(place)} = {value!r}"


def _dotted(place: Place) -> str:
    return ".".join(str(part) for part in place) or "(the whole file)"


def _reason(fault: ErrorDetails) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return "unknown key; remove it or correct its spelling"
        case "union_tag_invalid":
            return f"Input should be {_one_of(fault['ctx']['expected_tags'].split(', '))}"
        case "value_error":
            return str(fault["ctx"]["error"])
        case _:
            return fault["msg"]


def _one_of(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
