"""Copies for people: the files that they open, under the names that they know.

    outputs/<study>/reports/2012-05.html|md|json
                    plots/2012-05/equity.png ...
                    motifs/2012-05/motifs.md, long-1.png ...
                    artifacts/2012-05/out_of_fold.parquet, network.safetensors ...

The store is the truth; these files can be deleted at any time, the next backfill brings them back.
"""

import hashlib
import shutil
from pathlib import Path

from price_physics.store.atomic import write_atomically
from price_physics.store.partitions import Partition

PUBLISHED: dict[str, tuple[str, ...]] = {
    "images": ("contact_sheet.png",),
    "folds": ("manifest.json", "roles.parquet"),
    "model": (
        "out_of_fold.parquet",
        "learning_curves.parquet",
        "network.safetensors",
        "architecture.json",
        "summary.json",
    ),
    "predictions": ("predictions.parquet",),
    "walk_forward": ("trades.parquet", "daily.parquet", "equity.parquet"),
    "report": ("report.html", "report.md", "report.json", "*.png"),
    "motifs": ("motifs.md", "*.png"),
}
"""Members of each asset that people open."""


def publish(outputs: Path, partition: Partition) -> None:
    """Copy the members of a partition that people open, over any older copies."""
    places = _places(outputs, partition)
    if partition.key[1] == "motifs" and places:
        # the number of motifs changes: pictures of an earlier run must go
        shutil.rmtree(next(iter(places.values())).parent, ignore_errors=True)
    for name, path in places.items():
        write_atomically(path, partition.file(name))


def publish_missing(outputs: Path, partition: Partition) -> None:
    """Copy those members of a partition that people open whose copy is missing or not the same."""
    for name, path in _places(outputs, partition).items():
        if not _is_copy(path, partition, name):
            write_atomically(path, partition.file(name))


def _is_copy(path: Path, partition: Partition, name: str) -> bool:
    if not path.is_file() or path.stat().st_size != partition.size_of(name):
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == partition.sha256_of(name)


def _places(outputs: Path, partition: Partition) -> dict[str, Path]:
    owner, asset = partition.key
    wanted = PUBLISHED.get(asset, ())
    names = [n for n in partition.file_names if any(Path(n).match(w) for w in wanted)]
    return {n: outputs / owner / _place(asset, str(partition.month), n) for n in names}


def _place(asset: str, month: str, name: str) -> Path:
    if asset == "report" and name.startswith("report."):
        return Path("reports", month + Path(name).suffix)
    if asset in ("images", "report"):
        return Path("plots", month, name)
    if asset == "motifs":
        return Path("motifs", month, name)
    return Path("artifacts", month, "folds-manifest.json" if name == "manifest.json" else name)
