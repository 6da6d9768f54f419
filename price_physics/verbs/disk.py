"""What each study takes on disk, by stage."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from price_physics.project import Project


def disk_lines(project: Project, study: str | None) -> Iterator[str]:
    """Say what each study takes by stage, and what all share."""
    owners = {path.name for path in project.store.glob("[!.]*")}
    for owner in sorted(owners if study is None else owners & {study}):
        folders = {path.name: path for path in sorted((project.store / owner).glob("*"))}
        folders["outputs"] = project.outputs / owner
        folders["checkpoints"] = project.data / "checkpoints" / owner
        folders["mlflow"] = project.data / "mlflow" / "artifacts" / owner
        sizes = {name: bytes_of(path) for name, path in folders.items()}
        yield f"{size_text(sum(sizes.values())):>12}  {owner}"
        yield from (f"{size_text(size):>12}    {name}" for name, size in sizes.items() if size)
    if study is None:
        for name in ("ledger", "dagster", "index", "mlflow"):
            yield f"{size_text(bytes_of(project.data / name)):>12}  data/{name}"


def bytes_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else [path]:
        with suppress(FileNotFoundError):  # replaced meanwhile
            total += file.lstat().st_size if file.is_file() else 0
    return total


def size_text(n_bytes: int) -> str:
    """Say bytes as people do."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
