"""``python -m price_physics_tests.benchmarks.random_walks``: walks through the whole DAG.

Every walk is a market of its own, without drift, and a study of its own: ticks, bars, labels,
images, a small network, a walk-forward at hardly any cost, so that whatever the network believes is
traded, and a verdict over three months. An edge would be a lie, and so would "no edge" for want of
trades.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from price_physics.months import Month
from price_physics.walk_forward.decision import SIGNALS_FOR_BREAK_EVEN, TRADES_FOR_BOUND
from price_physics_tests.benchmarks.harness import keep
from price_physics_tests.e2e.projects import SMALL, make_project

FIRST, LAST = Month(2012, 1), Month(2012, 5)
TRADES_A_DAY = 60
YEARLY_VOLATILITY = 0.6
MOST_EDGES = 1
N_WALKS = 20

HEAD = """# Random walks through the whole DAG

Measured with `python -m price_physics_tests.benchmarks.random_walks --accept`, {date}, torch
{torch} on Python {python}. {n} driftless walks of five months, {trades} trades a day, volatility
60 % a year in clusters of days; the demo's study with a small network at 0.2 bps a side. {said}

| seed | verdict | days | trades | promising signals | largest p | net return | direction AUC |
|---|---|---|---|---|---|---|---|
"""


class Walk(NamedTuple):
    """What the report of a walk's last month says."""

    seed: int
    verdict: str
    n_days: int
    n_trades: int
    n_signals: int
    p: float | None
    net_return: float
    auc: float | None

    @property
    def for_want_of_trades(self) -> bool:
        """Whether it says "no edge" though nothing was there to tell it from."""
        told = self.n_trades >= TRADES_FOR_BOUND or self.n_signals >= SIGNALS_FOR_BREAK_EVEN
        return self.verdict == "no edge" and not told


def main(arguments: list[str]) -> int:
    """Run every walk, print the table; a missed target gives exit status 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--accept", action="store_true", help="keep it under benchmarks/results/")
    parser.add_argument("--walks", type=int, default=N_WALKS)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    begin, walks = time.monotonic(), []
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for walk in pool.map(run_walk, range(options.walks)):
            walks.append(walk)
            print(f"{time.monotonic() - begin:5.0f} s  {walk}", file=sys.stderr, flush=True)
    date = datetime.now(UTC).date().isoformat()
    text = page(walks, date)
    print(text)
    if options.accept:
        keep(f"random_walks-{date}", text)
    return 0 if passed(walks) else 1


def passed(walks: list[Walk]) -> bool:
    """At most one edge, and no "no edge" for want of trades."""
    n_edges = sum(walk.verdict == "edge" for walk in walks)
    return n_edges <= MOST_EDGES and not any(walk.for_want_of_trades for walk in walks)


def page(walks: list[Walk], date: str) -> str:
    """The table, a row a walk."""
    words = [walk.verdict for walk in walks]
    counts = ", ".join(f"{word} {words.count(word)}" for word in sorted(set(words)))
    said = f"{'PASSED' if passed(walks) else 'FAILED'}: {counts}; at most {MOST_EDGES} edge wanted."
    head = HEAD.format(
        date=date,
        torch=torch.__version__,
        python=platform.python_version(),
        n=len(walks),
        trades=TRADES_A_DAY,
        said=said,
    )
    return head + "".join(f"| {' | '.join(map(_cell, walk))} |\n" for walk in walks)


def run_walk(seed: int) -> Walk:
    """Build a walk's project, run every asset of every month, read its last report."""
    from price_physics.orchestration.backfill import run_backfill

    with tempfile.TemporaryDirectory() as folder:
        edits = {**SMALL, "folds.min_training_samples": 300}
        project = make_project(Path(folder), str(FIRST), str(LAST), edits, ticks=dump(seed))
        run_backfill(project, "demo")
        report = project.outputs / "demo" / "reports" / f"{LAST}.json"
        numbers = json.loads(report.read_text(encoding="utf-8"))
    verdict, head = numbers["verdict"], numbers["headline"]
    return Walk(
        seed,
        verdict["verdict"],
        verdict["n_days"],
        verdict["n_trades"],
        (verdict["worth"] or {}).get("n_signals", 0),
        verdict["p"],
        head["net_return"],
        head["direction_auc_pairs_within_months"],
    )


def dump(seed: int) -> bytes:
    """A driftless walk as bitcoincharts writes trades: second, price, quantity."""
    rng = np.random.default_rng([23, seed])
    n_days = (LAST.stop_ns - FIRST.start_ns) // (86_400 * 10**9)
    second = np.sort(rng.integers(0, 86_400 * n_days, TRADES_A_DAY * n_days))
    # volatility moves from day to day, half of it gone in about four days
    level = np.zeros(n_days)
    for day in range(1, n_days):
        level[day] = 0.84 * level[day - 1] + 0.27 * rng.normal()
    spread = YEARLY_VOLATILITY / np.sqrt(365 * TRADES_A_DAY) * np.exp(level - level.var() / 2)
    moves = spread[second // 86_400] * rng.standard_t(4, len(second)) / np.sqrt(2)
    price = 5 * np.exp(np.cumsum(moves))
    quantity = rng.exponential(20.0, len(second)) / price + 0.01
    rows = zip(second + FIRST.start_ns // 10**9, price, quantity, strict=True)
    return "".join(f"{t},{p:.6f},{q:.6f}\n" for t, p, q in rows).encode()


def _cell(value: object) -> str:
    if value is None:
        return "–"  # noqa: RUF001 - a dash is meant
    return f"{value:.4f}" if isinstance(value, float) else f"{value}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
