"""``python -m price_physics_tests.benchmarks.faults``: what ``make faults`` runs.

Kills, flipped bits, full and read-only places, damaged databases, hostile files, many processes at
once: each is tried, and must hold. One that does not is named, and the exit status is 1.
"""

import argparse
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from price_physics_tests.benchmarks.faults import flips, hostile, kills, places, together, tracking
from price_physics_tests.benchmarks.faults.projects import Reference
from price_physics_tests.benchmarks.faults.rows import Outcome, Row, table, try_row
from price_physics_tests.benchmarks.harness import ROOT

PAGE = ROOT / "docs" / "faults.md"
N_KILLS = 230
HEAD = """# What is tried, and what holds

Tried with `make faults`, seed {seed}, {date}, Python {python}, {cores} cores, {minutes:.1f} \
minutes.

The project of all runs has three months of the sample, networks and a ledger. Processes are killed
by SIGKILL; a change is a file that is opened to write, renamed, removed or changed, a folder that
is made, a database that is opened. Same bytes are those of store, ledger, index and outputs as a
run leaves them to which nothing was done: every file of them, and no other. What a kill leaves
under a temporary name is swept by the next backfill once it is an hour old, so it is made older
here. SQLite has no checksums: a bit of a number that MLflow shows can flip unseen, but nothing is
computed from it.

"""


def main(arguments: list[str]) -> int:
    """Try everything, print the table; a fault that does not hold gives exit status 1."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--accept", action="store_true", help=f"keep it in {PAGE.name}")
    parser.add_argument("--seed", type=int, default=14)
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # what is refused in this process says so
    os.environ["OMP_NUM_THREADS"] = "1"  # two processes at a time fill two cores
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=_memory()))
    began = time.monotonic()
    try:
        outcomes = try_all(folder, options.seed)
    finally:
        logging.disable(logging.NOTSET)
        shutil.rmtree(folder, ignore_errors=True)
    head = HEAD.format(
        seed=options.seed,
        date=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        cores=os.cpu_count(),
        minutes=(time.monotonic() - began) / 60,
    )
    text = head + table(outcomes)
    print(text)
    if options.accept:
        PAGE.write_text(text, encoding="utf-8")
        print(f"written: {PAGE}", file=sys.stderr)
    return 0 if all(not outcome.broken for outcome in outcomes) else 1


def _memory() -> str | None:
    """Where files are made fast: a kill of a process loses nothing of a disk, of either kind."""
    place = Path("/dev/shm")  # noqa: S108 - a folder of our own is made there
    return str(place) if os.access(place, os.W_OK) else None


def try_all(folder: Path, seed: int) -> list[Outcome]:
    """Make the undisturbed run, then try every row."""
    print("an undisturbed run, with which all others are compared", file=sys.stderr, flush=True)
    reference = Reference(folder / "reference")
    rows = all_rows(reference, folder, seed)
    outcomes = []
    with tqdm(total=sum(len(row.cases) for row in rows), unit="fault", dynamic_ncols=True) as bar:
        for number, row in enumerate(rows):
            outcomes.append(try_row(row, folder / f"row {number}", bar))
    return outcomes


def all_rows(reference: Reference, folder: Path, seed: int) -> list[Row]:
    """Every kind of fault; kills at random moments fill up the number of kills."""
    points = kills.named_points(folder / "points")
    first = kills.first_databases(reference, folder / "first", 24, seed)
    runs = kills.whole_runs(reference, 8, seed)
    n_left = N_KILLS - sum(len(row.cases) for row in (points, first, runs))
    return [
        points,
        kills.random_moments(n_left, seed),
        first,
        runs,
        flips.of_partitions(reference, seed),
        flips.of_documents(reference, seed, 4),
        flips.of_dumps(seed, 4),
        flips.of_databases(reference, seed, 2),
        flips.rebuilt(reference, seed),
        hostile.of_configurations(),
        hostile.of_dumps(20),
        together.writers_and_readers(folder / "at once", 4.0),
        together.cold_starts(reference, folder / "cold"),
        places.of_places(reference),
        tracking.of_tracking(reference),
        together.thread_counts(reference),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
