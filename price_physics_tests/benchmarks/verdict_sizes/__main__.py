"""``python -m price_physics_tests.benchmarks.verdict_sizes``: what ``make verdict-sizes`` runs."""

import argparse
import platform
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from price_physics_tests.benchmarks.harness import keep
from price_physics_tests.benchmarks.verdict_sizes import looks, planted
from price_physics_tests.benchmarks.verdict_sizes.rows import Row

HEAD = """# How often the verdict is wrong, and how often it is right

Simulated with `make verdict-sizes`, seed {seed}, {date}, NumPy {numpy} on Python {python}.

Six steps a day, 60 % a year; log-normal volatility with a half-life of four days (sd of its
logarithm 0.5), t4 returns; "drift" adds 150 % a year. No costs unless said. What every book does
stands in `price_physics_tests/benchmarks/verdict_sizes/books.py`. ± is one standard error. Days
are cut into whole blocks of five from the first one on.
"""


def main(arguments: list[str]) -> int:
    """Simulate everything, print the table; a missed target gives exit status 1."""
    parser = argparse.ArgumentParser(prog="make verdict-sizes", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="keep it under benchmarks/results/")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--share", type=float, default=1.0, help="of all runs, for a trial")
    options = parser.parse_args(arguments)
    if options.accept and options.share < 1:
        parser.error("a trial on less cannot be accepted; drop --share")
    sections = measure(options.seed, options.share)
    date = datetime.now(UTC).date().isoformat()
    head = HEAD.format(
        seed=options.seed, date=date, numpy=np.__version__, python=platform.python_version()
    )
    text = page(head, sections)
    print(text)
    if options.accept:
        keep(f"verdict_sizes-{date}", text)
    return 0 if all(row.passed for rows in sections.values() for row in rows) else 1


def measure(seed: int, share: float) -> dict[str, list[Row]]:
    """Simulate every figure; a share below 1 takes fewer runs."""
    start = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - start:5.0f} s  {text}", file=sys.stderr, flush=True)

    def runs(n: int) -> int:
        return max(int(n * share), 1)

    sections = {}
    for name, rows in {
        f"Any of 24 monthly looks, 0.005, {runs(1_000):,} runs": lambda: looks.monthly_looks(
            seed, runs(1_000), say
        ),
        f"One look, 0.025, {runs(1_200):,} runs": lambda: looks.one_look(seed, runs(1_200), say),
        f"Power, 0.025, {runs(2_000):,} runs": lambda: looks.power(seed, runs(2_000)),
        f"Best of 20 trials, 0.025, 180 days, {runs(1_200):,} runs": lambda: looks.best_of_many(
            seed, runs(1_200)
        ),
        "Ledgers": lambda: planted.growing_ledgers(seed, runs(10_000)),
        f"Too dear, {runs(1_000):,} runs": lambda: planted.too_dear(seed, runs(1_000)),
        f"Share of the attainable Sharpe ratio, {runs(400_000):,} events, cost 1 ATR": lambda: (
            planted.attainable_sharpe(seed, runs(400_000))
        ),
    }.items():
        sections[name] = rows()
        say(name)
    return sections


def page(head: str, sections: dict[str, list[Row]]) -> str:
    """The table for people: every figure beside its target, one look as a matrix."""
    rows = [row for found in sections.values() for row in found]
    missed = [row.name for row in rows if not row.passed]
    said = f"MISSED: {'; '.join(missed)}." if missed else f"All {len(rows)} targets are met."
    lines = [head, said, ""]
    for name, found in sections.items():
        lines += [f"## {name}", ""]
        lines += _matrix(found) if name.startswith("One look") else _list(found)
        lines.append("")
    return "\n".join(lines)


def _list(rows: Iterable[Row]) -> list[str]:
    lines = ["| figure | measured | target | |", "|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row.name} | {_value(row)} | {row.target} | {_mark(row)} |")
    return lines


def _matrix(rows: Iterable[Row]) -> list[str]:
    """One line a book, one column a market and period; all have the same target."""
    lines, books = [], {}
    for row in rows:
        book, kind, days = row.name.rsplit(", ", 2)
        books.setdefault(book, {})[f"{kind} {days}"] = row
    columns = list(next(iter(books.values())))
    lines += [f"| {' | '.join(['book', *columns])} |", f"|{'---|' * (1 + len(columns))}"]
    for book, cells in books.items():
        values = [f"{_value(cells[c])}{'' if cells[c].passed else ' missed'}" for c in columns]
        lines.append(f"| {' | '.join([book, *values])} |")
    worst = max((row for row in books.values()), key=lambda c: max(r.value for r in c.values()))
    largest = max(worst.values(), key=lambda row: row.value)
    return [*lines, "", f"Each {largest.target}; the largest is {_value(largest)}: {largest.name}."]


def _value(row: Row) -> str:
    if float(row.value).is_integer() and row.error is None:
        return f"{row.value:.0f}"
    return f"{row.value:.3f}" + ("" if row.error is None else f" ± {row.error:.3f}")


def _mark(row: Row) -> str:
    return "met" if row.passed else "MISSED"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
