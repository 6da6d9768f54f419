"""Versions of the code and the settings behind a partition, by which a stale one is recognised.

The code version of an asset is the meaning of all modules that its stage can import, and of those
that declare the settings it obeys: a change to the report never marks a model stale, one to the
labels marks whatever reads label code, and a comment marks nothing.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from price_physics.pipeline.dag import STAGES
from price_physics.source import source_version
from price_physics.store.atomic import write_atomically
from price_physics.store.sealed_json import seal, unseal
from price_physics.study.market import Market
from price_physics.study.study import Study

_log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]

READING = ("price_physics.past", "price_physics.store.partitions")
"""What every stage is handed its past by, and so imports for its type only."""

SECTIONS = {
    "bars": "bars",
    "events": "events",
    "labels": "labels",
    "barrier_policy": "barriers",
    "regime_features": "regimes",
    "folds": "folds",
    "images": "images",
    "model": "model",
    "walk_forward": "walk_forward",
    "motifs": "motifs",
    "market": "market",
    "outages": "outages",
}
"""Module in `study` that declares each section which a stage can obey. What settings mean is code
too, and a stage that is given a study does not import it."""


def code_version(asset: str, study: Study | None) -> str:
    """Hash the code that can make a partition of an asset of a study.

    Parameters
    ----------
    study : Study or None
        Its settings name some of the modules; None for ticks, which belong to no study.
    """
    stage = STAGES[asset]
    modules = [stage.make.partition(":")[0], *READING]
    if study is not None:
        modules += stage.named_by(study)
    obeyed = SECTIONS if "*" in stage.obeys else set(stage.obeys) & SECTIONS.keys()
    modules += (f"price_physics.study.{SECTIONS[section]}" for section in obeyed)
    names = tuple(sorted(modules))
    if _kept is None:
        return source_version(*names)
    key = " ".join(names)
    if key not in _kept:
        _kept[key] = source_version(*names)
    return _kept[key]


_kept: dict[str, str] | None = None


@contextmanager
def versions_kept(path: Path) -> Iterator[None]:
    """Keep the code versions that are asked for inside in a file, for the next process.

    Every run is a process, and parsing the package takes longer than loading Dagster. The file
    counts as long as not a byte of the package is another. Where it cannot be read or written,
    the versions are worked out every time, and a warning says so.
    """
    global _kept
    package = _digest_of_package()
    try:
        document = unseal(path.read_bytes())
    except (FileNotFoundError, ValueError):  # not there yet, or damaged: made anew
        document = {}
    except OSError as error:
        _warn(error)
        document = {}
    known: dict[str, str] = document["versions"] if document.get("package") == package else {}
    _kept = dict(known)
    yield
    if _kept != known and _digest_of_package() == package:  # no file was saved meanwhile
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, seal({"package": package, "versions": _kept}))
        except OSError as error:
            _warn(error)


def _warn(error: OSError) -> None:
    _log.warning("code versions are not kept, and every run works them out: %s", error)


def _digest_of_package() -> str:
    """Hash every file that can have a say in a code version, and how versions are made."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(ROOT.rglob("*")):
        if path.suffix == ".py" or path.parent.name == "templates":
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def settings_hash(asset: str, study: Study | None, market: Market) -> str:
    """Hash the settings that `asset` obeys directly; the rest reaches it through its inputs."""
    obeys = STAGES[asset].obeys
    settings: dict[str, object] = {}
    if study is not None:
        dump = study.model_dump(mode="json")
        settings = {key: dump[key] for key in dump if "*" in obeys or key in obeys}
    of_market = market.model_dump(mode="json", exclude={"last_month"})
    if "market" in obeys:
        settings["market"] = of_market
    if "outages" in obeys:
        settings["outages"] = of_market["outages"]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
