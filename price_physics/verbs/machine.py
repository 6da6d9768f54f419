"""What the machine and its Python have, and what they lack."""

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from price_physics.project import Project
from price_physics.study.study import Study
from price_physics.verbs.finding import Finding

GB = 1e9
LEAST_MEMORY, LEAST_DISK = 2 * GB, 2 * GB
"""Bytes below which a run is likely to be killed, or to stop: reading ticks alone takes 1.9 GB."""
CGROUPS = Path("/sys/fs/cgroup")
CARDS = Path("/proc/driver/nvidia/gpus")


def machine(project: Project) -> Iterator[Finding]:
    """Look at cores, memory and disk."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", f"{cores} on {platform.machine()} {platform.system()}")
    total, limit = _memory(), _memory_limit()
    if total is None:
        yield Finding("memory", "this system does not say how much there is")
    else:
        least = min(total, limit or total)
        capped = f", this container may take {limit / GB:.1f} GB" if limit else ""
        remedy = "raise the container's limit (docker run -m 8g)" if limit else "close programs"
        text = f"{total / GB:.1f} GB{capped}"
        yield Finding("memory", text, remedy if least < LEAST_MEMORY else "")
    place = project.data if project.data.is_dir() else project.root
    free = shutil.disk_usage(place).free
    text = f"{free / GB:.1f} GB free in {place}"
    yield Finding("disk", text, "price-physics prune" if free < LEAST_DISK else "")
    if not os.access(place, os.W_OK):
        remedy = f"sudo chown -R $USER {shlex.quote(str(place))}"
        yield Finding("disk", f"{place} cannot be written to", remedy)


def python(project: Project) -> Iterator[Finding]:
    """Compare what is installed with ``constraints.txt``."""
    version = f"Python {platform.python_version()} in {sys.prefix}"
    path = project.root / "constraints.txt"
    if not path.is_file():
        yield Finding("python", f"{version}; no {path} to compare packages with")
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    installed = {name: _installed(name) for name in pinned}
    wrong = [
        f"{name} {there} instead of {pinned[name]}"
        for name, there in installed.items()
        if there is not None and there != pinned[name]
    ]
    wrong += [
        f"{name} is missing" for name in sorted(_needed() & pinned.keys()) if not installed[name]
    ]
    yield Finding("python", version)
    n = sum(there is not None for there in installed.values())
    text = f"{n} of {len(pinned)} pinned are installed"
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        command = f"{sys.executable} -m pip install -c constraints.txt -e '.[test]'"
        yield Finding("packages", f"{', '.join(wrong[:5])}{more}", command)
    else:
        yield Finding("packages", f"{text}, each as constraints.txt says")


def card(studies: list[Study]) -> Finding:
    """Ask torch for a CUDA card."""
    from price_physics.model.device import describe_device, resolve_device

    device = describe_device(resolve_device("auto"))
    if device["device"] == "cuda":
        return Finding("card", f"CUDA, {device['device_name']}, torch {device['torch']}")
    wanting = [study.name for study in studies if study.model.device == "cuda"]
    if wanting:
        return Finding(
            "card",
            f"no CUDA card, and {', '.join(wanting)} asks for one",
            f"set  model: device: auto  in configs/studies/{wanting[0]}.yaml",
        )
    if CARDS.is_dir() and any(CARDS.iterdir()):
        return Finding(
            "card",
            f"the driver shows a card, and torch {device['torch']} sees none",
            f"{sys.executable} -m pip install --force-reinstall -c constraints.txt torch",
        )
    return Finding("card", f"no CUDA: networks train on the CPU, {device['device_name']}")


def _installed(name: str) -> str | None:
    """Public version of a distribution: a build such as ``+cpu`` is no difference."""
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _needed() -> set[str]:
    """Names of what this package needs to run."""
    try:
        lines = metadata.requires("price-physics") or []
    except metadata.PackageNotFoundError:
        return set()
    return {line.split(";")[0].split(">")[0].strip() for line in lines if "extra ==" not in line}


def _memory() -> float | None:
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return None


def _memory_limit() -> float | None:
    """Limit of the control group that this process is in, or of one around it."""
    own = Path("/proc/self/cgroup")
    name = own.read_text().strip().rpartition("::")[2] if own.is_file() else "/"
    folder = CGROUPS / name.lstrip("/")
    places = [place / "memory.max" for place in (folder, *folder.parents)]
    places.append(CGROUPS / "memory" / "memory.limit_in_bytes")
    said = [place.read_text().strip() for place in places if place.is_file()]
    limits = [float(text) for text in said if text.isdigit() and float(text) < 1e15]
    return min(limits, default=None)
