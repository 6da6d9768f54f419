"""Estimate what memory a stage takes before it starts; refuse what the machine has not.

A stage's memory grows with the rows that it reads, which the manifests of its inputs tell. Ticks
are counted apart: they become bars piece by piece, so what they need is known when the bars are
counted.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from price_physics.errors import MachineError
from price_physics.past import Past
from price_physics.pipeline.dag import STAGES, tables_of
from price_physics.schemas.ticks import TICKS
from price_physics.store.artefact import Artefact
from price_physics.study.bars import TimeBars

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.store.partitions import Partition
    from price_physics.study.market import Market
    from price_physics.study.study import Study

_log = logging.getLogger(__name__)

BYTES_A_BAR = 310
BYTES_A_ROW = {
    "regime_features": 190,
    "excursions": 200,
    "barrier_policy": 20,
    "labels": 150,
    "weights": 100,
    "images": 260,
    "folds": 180,
    "model": 310,
    "probabilities": 300,
    "predictions": 300,
    "walk_forward": 200,
    "report": 140,
    "motifs": 110,
}
"""What a stage's peak grows by with each row of its inputs, ticks apart, its output included.

Measured on 2026-11-30 as the difference of peaks between three months of 182,000 and of 455,000
events, where every other tick closes a bar and every bar is an event, and rounded up. The model and
the folds have the figure between 91,000 and 182,000 events, which was larger; `barrier_policy`
did not leave its fixed costs. `probabilities` has what `predictions` took while it asked the
network itself; what either takes alone was not measured. In the model an event is about seven rows,
2 kB. A bar is 306 bytes, at 2 and at 6 million bars. What does not grow, such as images in a cache
of 1 GiB, is left out.
"""

BYTES_A_TICK = {"excursions": 60, "labels": 60, "walk_forward": 60}
"""Where ticks are held at once: 47 bytes for prices and times, 57 while a touch is looked for,
measured at 10 million ticks."""

_GB = 1e9
_SIZES = (
    *("interval_minutes", "threshold_ticks", "threshold_base", "threshold_quote"),
    "expected_ticks",
)
_DROPPED = ("inactive_file", "active_file", "slab_reclaimable")
"""Counted as used in a cgroup, and dropped by the kernel as soon as somebody needs the room."""
Months = Mapping["Month", "Partition"]


def check_memory(
    asset: str, study: Study, market: Market, month: Month, inputs: Mapping[str, Months]
) -> None:
    """Refuse a month of an asset for which the memory does not suffice; say so above half of it.

    Raises
    ------
    MachineError
        With both figures, and what to change.
    """
    available = available_bytes()
    if available is None:
        return
    n_ticks = {m: p.n_rows for m, p in inputs.get("ticks", {}).items()}
    if asset == "bars":
        n = n_ticks[month]  # there can be no more bars
        if 2 * n * BYTES_A_BAR > available:
            n = _count_bars(study, market, month, inputs["ticks"])
        needed, what = n * BYTES_A_BAR, "bars"
    else:
        others = [months for name, months in inputs.items() if name != "ticks"]
        n = sum(p.n_rows for months in others for p in months.values())
        needed, what = n * BYTES_A_ROW[asset], "rows to read"
        of_ticks = sum(n_ticks.values()) * _bytes_a_tick(asset, study)
        if of_ticks > needed:
            n, what = sum(n_ticks.values()), "ticks"
        needed += of_ticks
    if 2 * needed <= available:
        return
    said = (
        f"{study.name} {month}, {asset}: {n:,} {what} take about {needed / _GB:.1f} GB of "
        f"memory, {available / _GB:.1f} GB are available"
    )
    if needed <= available:
        _log.warning("%s", said)
        return
    raise MachineError(f"{said}; {_remedy(asset, study, what)}")


def _bytes_a_tick(asset: str, study: Study) -> int:
    """What a stage takes for each tick; bars alone are read where bars touch the barriers."""
    if study.labels.path == "bars" and asset in ("excursions", "labels"):
        return 0
    return BYTES_A_TICK.get(asset, 0)


def _count_bars(study: Study, market: Market, month: Month, ticks: Months) -> int:
    """Count the bars of a month, a piece of its ticks at a time; one in two pieces counts twice."""
    schema, make, n = tables_of("ticks", market)[0], STAGES["bars"].function(), 0
    if not market.candle_ns:
        study, ticks = _scaled(study, month, ticks), {month: ticks[month]}
    for piece in ticks[month].chunks(schema.name):
        past = Past({"ticks": {**ticks, month: Artefact(tables=((schema, piece),))}})
        n += len(make(study, market, month, past).tables[0][1])
    return n


def _scaled(study: Study, month: Month, ticks: Months) -> Study:
    """Give a study the threshold of a month, which no piece then looks for in the month before."""
    from price_physics.bars.ticks import bar_scale

    if isinstance(study.bars, TimeBars) or study.bars.target_bars_a_day is None:
        return study
    scale = bar_scale(study.bars, month, Past({"ticks": ticks}).chunks(TICKS))
    name = next(name for name in _SIZES if hasattr(study.bars, name))
    bars = study.bars.model_copy(update={"target_bars_a_day": None, name: scale})
    return study.model_copy(update={"bars": bars})


def _remedy(asset: str, study: Study, what: str) -> str:
    bars = study.bars.model_dump()
    machine = "close other programs, or take a machine with more memory; then run it again"
    if what == "ticks" and asset == "walk_forward":
        return machine
    if what == "ticks":
        return (
            f"set labels.path: bars and labels.both_touched in configs/studies/{study.name}.yaml, "
            f"so that bars touch the barriers; or {machine}"
        )
    if bars.get("target_bars_a_day"):
        fewer = f"lower bars.target_bars_a_day (it is {bars['target_bars_a_day']:g})"
    else:
        name = next(name for name in _SIZES if name in bars)
        fewer = f"raise bars.{name} (it is {bars[name]:g})"
    if asset != "bars":
        setting = "cusum_bps" if study.events.kind == "cusum" else "every_n_bars"
        fewer += f" or events.{setting} (it is {getattr(study.events, setting):g})"
    return f"{fewer} in configs/studies/{study.name}.yaml; or {machine}"


def available_bytes(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Memory that this process can still take: the machine's, or less in a container.

    None where nobody says: elsewhere than on Linux.
    """
    try:
        told = dict(line.split(":") for line in (proc / "meminfo").read_text().splitlines())
        free = [int(told["MemAvailable"].split()[0]) * 1024]
        groups = (proc / "self" / "cgroup").read_text().splitlines()
    except (OSError, KeyError):
        return None
    for line in groups:
        _, kinds, path = line.split(":", 2)
        if kinds == "":
            root, names = cgroups, ("memory.max", "memory.current", "")
        elif "memory" in kinds.split(","):
            root = cgroups / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        else:
            continue
        own = root / path.lstrip("/")
        free += [
            _left(group, *names) for group in (own, *own.parents) if group.is_relative_to(root)
        ]
    return max(0, min(free))


def _left(group: Path, limit: str, used: str, prefix: str) -> int:
    """What a limit leaves, and what the kernel drops for us; without a limit a lot."""
    try:
        most = int((group / limit).read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        dropped = sum(int(stat.get(prefix + name, 0)) for name in _DROPPED)
        return most - int((group / used).read_text()) + dropped
    except (OSError, ValueError):  # no such group here, or "max"
        return sys.maxsize
