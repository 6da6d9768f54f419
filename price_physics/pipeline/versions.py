"""Version of the code and of the settings behind a partition, so that a stale one is seen.

The code version of a stage hashes the source of its own package, of every package before it in
the pipeline (which it may import) and of the leaves: a change to the report never marks a model
stale, a change to the labels marks everything after them.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

import price_physics
from price_physics.pipeline.dag import STAGES
from price_physics.study.market import Market
from price_physics.study.study import Study

PIPELINE = (
    "ticks",
    "bars",
    "labels",
    "regimes",
    "weights",
    "folds",
    "images",
    "model",
    "walk_forward",
    "motifs",
    "report",
)
LEAVES = ("errors.py", "months.py", "frames.py", "past.py", "schemas", "scores", "study", "store")
_SOURCE = (".py", ".j2", ".css")


@cache
def code_version(asset: str) -> str:
    """Hash the source that can have made a partition of `asset`."""
    root = Path(price_physics.__file__).parent
    packages = PIPELINE[: PIPELINE.index(STAGES[asset].make.split(".")[1]) + 1]
    digest = hashlib.sha256()
    for part in (*LEAVES, *packages):
        path = root / part
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.suffix in _SOURCE:
                digest.update(file.relative_to(root).as_posix().encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


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
