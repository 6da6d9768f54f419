"""Copies for people: what is worth opening, under the names they know.

    outputs/<study>/reports/2012-05.html|md|json
                    plots/2012-05/equity.png ...
                    motifs/2012-05/motifs.md, long-1.png ...
                    artifacts/2012-05/out_of_fold.parquet, network.safetensors ...

The store is the truth; these files can be deleted at any time.
"""

import shutil
from pathlib import Path

from price_physics.months import Month
from price_physics.store.artefact import Artefact, serialise
from price_physics.store.atomic import write_atomically

ARTIFACTS = {
    "model": ("out_of_fold.parquet", "learning_curves.parquet", "network.safetensors",
              "architecture.json", "summary.json"),
    "folds": ("manifest.json", "roles.parquet"),
    "predictions": ("predictions.parquet",),
    "walk_forward": ("trades.parquet", "daily.parquet", "equity.parquet"),
}  # fmt: skip


def publish(outputs: Path, owner: str, asset: str, month: Month, artefact: Artefact) -> None:
    """Write the members of an artefact that people open."""
    if asset == "motifs":  # their number changes: none of an earlier run may stay
        shutil.rmtree(outputs / owner / _place(asset, month, ""), ignore_errors=True)
    for name, content in _chosen(asset, artefact):
        write_atomically(outputs / owner / _place(asset, month, name), content)


def _chosen(asset: str, artefact: Artefact) -> list[tuple[str, bytes]]:
    if asset in ARTIFACTS:
        wanted = ARTIFACTS[asset]
        return [(b.name, b.content) for b in serialise(artefact) if b.name in wanted]
    return list(artefact.files.items())


def _place(asset: str, month: Month, name: str) -> Path:
    if asset == "report" and name.startswith("report."):
        return Path("reports", f"{month}{Path(name).suffix}")
    if asset == "motifs":
        return Path("motifs", str(month), name)
    if asset in ARTIFACTS:
        prefix = "folds-" if name == "manifest.json" else ""
        return Path("artifacts", str(month), prefix + name)
    return Path("plots", str(month), name)
