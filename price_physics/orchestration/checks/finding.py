"""What a check is: a function of a month, what it means, and what to do where it fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from price_physics.months import Month
from price_physics.past import Known
from price_physics.study.market import Market
from price_physics.study.study import Study


@dataclass(frozen=True)
class Case:
    """A month of an asset, and all that a check may look at.

    Attributes
    ----------
    found : Known
        The artefact that is about to be written, or the partition that stands.
    inputs : mapping of asset to {month: Known}
        What the asset reads.
    month : Month
    market : Market
    study : Study or None
        None for ticks, which belong to no study.
    before : Known or None
        The asset's own month before, where it stands.
    """

    found: Known
    inputs: Mapping[str, Mapping[Month, Known]]
    month: Month
    market: Market
    study: Study | None = None
    before: Known | None = None


@dataclass(frozen=True)
class Finding:
    """What a check found: whether all is well, in a sentence, and numbers that are plotted."""

    passed: bool
    text: str
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One check of an asset.

    Attributes
    ----------
    name : str
    look : callable (Case) -> Finding
    means : str
        What is true where it passes.
    remedy : str
        What to do where it fails.
    blocking : bool
        Whether a number would be wrong: then nothing is written, and nothing downstream runs.
    """

    name: str
    look: Callable[[Case], Finding]
    means: str
    remedy: str
    blocking: bool = False

    @property
    def description(self) -> str:
        """What the check's page says."""
        level = "Blocks: nothing is written." if self.blocking else "Warns."
        return f"{self.means} {level} Where it fails: {self.remedy}"


@dataclass(frozen=True)
class Evaluation:
    """A check, and what it found."""

    check: Check
    finding: Finding

    @property
    def blocks(self) -> bool:
        """Whether the month must not be written."""
        return self.check.blocking and not self.finding.passed


BUG = (
    "this is a fault of the program, or of the machine's memory; run the month again with the tag "
    "price_physics/again, and report it with the month's manifest if it comes back."
)
"""What to do where a number is wrong that no setting can make wrong."""


def none_of(wrong: Mapping[str, Any], well: str) -> Finding:
    """Pass where no count of wrong rows is above zero, else name them all."""
    counts = {name: int(n) for name, n in wrong.items() if n}
    if not counts:
        return Finding(True, well)
    return Finding(False, "; ".join(f"{n} rows: {name}" for name, n in counts.items()), counts)
