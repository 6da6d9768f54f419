"""Rows of the table: a fault, the cases in which it is tried, and those that do not hold."""

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm


@dataclass(frozen=True)
class Case:
    """One fault; `check` gets an empty folder, and raises where the promise does not hold."""

    name: str
    check: Callable[[Path], None]


@dataclass(frozen=True)
class Row:
    """A kind of fault.

    Attributes
    ----------
    fault, promise : str
        What is done, and what must hold.
    cases : sequence of Case
    at_once : int
        How many are tried at a time: one where they share this process's limits.
    """

    fault: str
    promise: str
    cases: Sequence[Case]
    at_once: int = 1


@dataclass(frozen=True)
class Outcome:
    """How many cases were tried, and what went wrong, by the name of the case."""

    fault: str
    promise: str
    tried: int
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return self.tried - len(self.broken)


def try_row(row: Row, folder: Path, bar: tqdm) -> Outcome:
    """Try every case of a row, each in a folder of its own, which goes once it has held."""
    broken = {}

    def attempt(numbered: tuple[int, Case]) -> tuple[Case, str]:
        number, case = numbered
        place = folder / f"{number:03d}"
        place.mkdir(parents=True)
        try:
            case.check(place)
        except Exception as error:  # noqa: BLE001 - of any kind: the table says which
            return case, _shortly(error)
        shutil.rmtree(place, ignore_errors=True)
        return case, ""

    with ThreadPoolExecutor(row.at_once) as pool:
        for case, problem in pool.map(attempt, enumerate(row.cases)):
            if problem:
                broken[case.name] = problem
                bar.write(f"NOT HELD: {row.fault}: {case.name}: {problem}")
            bar.set_description(row.fault[:40], refresh=False)
            bar.update()
    return Outcome(row.fault, row.promise, len(row.cases), broken)


def _shortly(error: BaseException) -> str:
    text = re.sub(r"\s+", " ", f"{type(error).__name__}: {error}".strip())
    return text if len(text) <= 400 else f"{text[:200]} ... {text[-195:]}"


def table(outcomes: Iterable[Outcome]) -> str:
    """Lay the outcomes out as Markdown; what did not hold is named below."""
    outcomes = list(outcomes)
    lines = ["| fault | what must hold | tried | held |", "|---|---|---|---|"]
    lines += [f"| {o.fault} | {o.promise} | {o.tried} | {o.held} |" for o in outcomes]
    tried, held = sum(o.tried for o in outcomes), sum(o.held for o in outcomes)
    lines += [f"| all of them | | {tried} | {held} |", ""]
    for outcome in outcomes:
        lines += [f"- NOT HELD: {outcome.fault}: {n}: {p}" for n, p in outcome.broken.items()]
    return "\n".join(lines).rstrip() + "\n"
