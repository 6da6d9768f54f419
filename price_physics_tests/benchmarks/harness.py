"""Run contenders in turn, several times, and say by how much one is faster.

Every contender is a process of its own, in its own environment, kept alive over the rounds: it
loads and compiles first, then answers one request a round, so that a noisy minute of the machine
falls on all of them. The harness itself stays small, for a child starts with its parent's peak
of memory.
"""

import json
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Self

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
WORKSHOP = ROOT / ".bench"
PINS = Path(__file__).parent / "peers"
PACKAGE = "price_physics_tests.benchmarks"
OURS = "ours"
RATE = "M rows/s"


def keep(name: str, text: str) -> None:
    """Keep a page among the accepted results, and say where."""
    path = RESULTS / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    print(f"written: {path}", file=sys.stderr)


class BenchmarkError(RuntimeError):
    """A contender failed, or contenders that must agree do not."""


@dataclass(frozen=True)
class Call:
    """One request to a contender.

    `alone` means a fresh process, once, without a warm-up: what is measured is then its peak of
    memory in GB, not its time. `rows` is what a rate counts.
    """

    contender: str
    task: str
    args: dict[str, Any]
    alone: bool = False
    rows: int = 0


@dataclass(frozen=True)
class Figure:
    """One row of the table: our value against a peer's, or against a limit.

    `over` divides our value by that of another call of ours. The ratio is peer / ours, or ours /
    peer where the unit is `RATE`, at least `target` when the figure is met; None is a figure to
    know, not to meet. With `same_result` all must report the same result; lists of numbers are the
    same when none differs by more than `tolerance`.
    """

    name: str
    text: str
    ours: Call
    peer: Call | float
    target: float | None = 1.0
    over: Call | None = None
    unit: str = "s"
    same_result: bool = False
    tolerance: float = 0.0

    @property
    def calls(self) -> list[Call]:
        return [c for c in (self.ours, self.over, self.peer) if isinstance(c, Call)]

    def value(self, call: Call, answer: dict[str, Any]) -> float:
        """Take what is measured out of an answer, in the unit of the figure."""
        if self.unit == RATE:
            return call.rows / answer["seconds"] / 1e6
        return answer["peak_gb" if call.alone else "seconds"]


@dataclass(frozen=True)
class Outcome:
    """A figure, measured; results are what the calls counted, such as bars."""

    figure: Figure
    ours: float
    peer: float
    results: list[Any]

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.figure.unit == RATE else self.peer / self.ours

    @property
    def judged(self) -> list[str]:
        """The target, and whether it is met."""
        if self.figure.target is None:
            return ["", ""]
        return [f"{self.figure.target:g}", "yes" if self.ratio >= self.figure.target else "NO"]


class Contender:
    """A process that answers requests; its noise goes to ``.bench/logs``."""

    def __init__(self, name: str) -> None:
        self.name = name
        python, module = sys.executable, f"{PACKAGE}.{OURS}"
        if name != OURS:
            python, module = str(environment(name)), f"{PACKAGE}.peers.{name}"
        self.log = WORKSHOP / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [python, "-m", module],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.versions: dict[str, str] = self._answer()

    def ask(self, call: Call) -> dict[str, Any]:
        """Send one request and wait. Raises BenchmarkError with the end of the log."""
        request = {"task": call.task, "args": call.args, "timed": not call.alone}
        with suppress(BrokenPipeError):  # the missing answer says why
            print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            tail = "\n".join(self.log.read_text().splitlines()[-15:])
            raise BenchmarkError(f"{self.name} stopped without an answer; {self.log} ends:\n{tail}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.stdout.close()
        self._process.wait()


def environment(name: str) -> Path:
    """Return the interpreter of a peer's environment, with exactly what its pins name."""
    folder, pins = WORKSHOP / name, PINS / f"{name}.txt"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "pins.txt"
    if stamp.exists() and stamp.read_text() == pins.read_text():
        return python
    say(f"setting up {folder.relative_to(ROOT)} from {pins.name}: a minute or two, once")
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(pins)], cwd=folder, check=True)
    stamp.write_text(pins.read_text())
    return python


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)


class Arena:
    """The contenders of a section, started when they are first needed."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[str, Contender] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, call: Call) -> dict[str, Any]:
        if call.alone:
            with Contender(call.contender) as contender:
                return contender.ask(call)
        if call.contender not in self._running:
            entered = self._stack.enter_context(Contender(call.contender))
            self._running[call.contender] = entered
        return self._running[call.contender].ask(call)

    @property
    def versions(self) -> dict[str, dict[str, str]]:
        return {name: contender.versions for name, contender in self._running.items()}

    def measure(self, figure: Figure, rounds: int) -> Outcome:
        """Ask every call of a figure once a round, in turn, and take medians."""
        values: list[list[float]] = [[] for _ in figure.calls]
        results: list[Any] = [None] * len(values)
        for _ in range(1 if figure.ours.alone else rounds):
            for place, call in enumerate(figure.calls):
                answer = self.ask(call)
                values[place].append(figure.value(call, answer))
                results[place] = answer["result"]
            say(".", end="")
        if figure.same_result and not all(
            agree(results[0], other, figure.tolerance) for other in results
        ):
            raise BenchmarkError(f"{figure.name}: contenders disagree: {results}")
        medians = [median(v) for v in values]
        ours = medians[0] / medians[1] if figure.over else medians[0]
        peer = medians[-1] if isinstance(figure.peer, Call) else figure.peer
        return Outcome(figure, ours, peer, results)


def agree(a: Any, b: Any, tolerance: float) -> bool:
    """Compare two results.

    Examples
    --------
    >>> agree([1.0, 2.0], [1.0, 2.01], 0.1), agree([1.0, 2.0], [1.0, 2.2], 0.1)
    (True, False)
    >>> agree([1.0], [1.0, 1.0], 0.1), agree([1.0], [float("nan")], 0.1), agree("ab", "ab", 0.0)
    (False, False, True)
    """
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))
    return a == b


def measure_all(arena: Arena, figures: Iterable[Figure], rounds: int) -> list[Outcome]:
    """Measure figure by figure, telling where it is."""
    figures, outcomes = list(figures), []
    for number, figure in enumerate(figures, start=1):
        say(f"[{number}/{len(figures)}] {figure.text} ", end="")
        outcomes.append(arena.measure(figure, rounds))
        say(f" {outcomes[-1].ratio:.2f}")
    return outcomes


# ---------------------------------------------------------------------------- what is shown
def table(outcomes: list[Outcome]) -> str:
    """Lay the outcomes out for people."""
    from tabulate import tabulate

    rows = []
    for outcome in outcomes:
        figure = outcome.figure
        results = " / ".join(f"{r:,}" for r in outcome.results if isinstance(r, int))
        values = [shown(v, figure.unit) for v in (outcome.ours, outcome.peer)]
        rows.append([figure.text, *values, f"{outcome.ratio:.2f}", *outcome.judged, results])
    headers = ["figure", "ours", "peer or limit", "ratio", "target", "met", "counted"]
    return tabulate(rows, headers, disable_numparse=True)


def shown(value: float, unit: str) -> str:
    """Write a value with its unit.

    Examples
    --------
    >>> shown(0.01349, "s"), shown(1.5, "s"), shown(3.04, "x"), shown(2.1, "GB")
    ('13.5 ms', '1.50 s', '3.04 x', '2.10 GB')
    >>> shown(7.1, RATE), shown(0.00213, RATE)
    ('7.10 M rows/s', '0.00213 M rows/s')
    """
    if unit == RATE and value < 0.01:
        return f"{value:.3g} {unit}"
    return f"{value * 1e3:.1f} ms" if unit == "s" and value < 1 else f"{value:.2f} {unit}"


def figures_json(outcomes: list[Outcome]) -> dict[str, dict[str, float]]:
    """Shape the outcomes as ``{name: {"ours", "peer", "ratio"}}``; ratio above 1 is good."""
    return {o.figure.name: {"ours": o.ours, "peer": o.peer, "ratio": o.ratio} for o in outcomes}


@dataclass(frozen=True)
class Circumstances:
    """When and where a section ran."""

    size: int
    unit: str
    rounds: int
    versions: dict[str, dict[str, str]]
    date: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())
    machine: dict[str, Any] = field(default_factory=lambda: machine())


def machine() -> dict[str, Any]:
    """Describe this machine."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }
