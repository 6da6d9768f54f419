"""Write and read JSON documents that contain their own sha256, so that a flipped bit is noticed."""

import hashlib
import json
from typing import Any

from price_physics.store.artefact import canonical_json

_SEAL = "sha256"


def seal(document: dict[str, Any]) -> bytes:
    """Write a document with the sha256 of its canonical form added.

    Examples
    --------
    >>> sorted(json.loads(seal({"a": 1}))), unseal(seal({"a": 1}))
    (['a', 'sha256'], {'a': 1})
    """
    return canonical_json({**document, _SEAL: _digest(document)})


def unseal(raw: bytes) -> dict[str, Any]:
    """Read what `seal` wrote.

    Raises
    ------
    ValueError
        When the bytes are not those that `seal` wrote.
    """
    document = json.loads(raw)
    said = {k: v for k, v in document.items() if k != _SEAL} if isinstance(document, dict) else {}
    if seal(said) != raw:
        raise ValueError("the document does not match its own checksum")
    return said


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(document)).hexdigest()
