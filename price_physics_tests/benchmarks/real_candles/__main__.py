"""``python -m price_physics_tests.benchmarks.real_candles``: what ``make real-candles`` runs.

Three markets of real candles through the project's own stages. Boosted trees stand in for the
network. Where the candles are not there it says so and measures nothing.
"""

import argparse
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from price_physics_tests.benchmarks.harness import keep
from price_physics_tests.benchmarks.real_candles import markets
from price_physics_tests.benchmarks.real_candles.page import page
from price_physics_tests.benchmarks.real_candles.walk import serve


def main(arguments: list[str]) -> int:
    """Measure everything, print the tables; a missed target gives exit status 1."""
    parser = argparse.ArgumentParser(prog="make real-candles", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="keep it under benchmarks/results/")
    parser.add_argument("--candles", type=Path, default=markets.FOLDER, help="where they lie")
    options = parser.parse_args(arguments)
    if not options.candles.is_dir():
        print(f"Skipped: the real candles are not here: {options.candles}")
        return 0
    served = measure(options.candles)
    date = datetime.now(UTC).date().isoformat()
    text, passed = page(
        served, f"{date}, NumPy {np.__version__} on Python {platform.python_version()}"
    )
    print(text)
    if options.accept:
        keep(f"real_candles-{date}", text)
    return 0 if passed else 1


def measure(folder: Path) -> dict[str, pd.DataFrame]:
    """Serve every market; the served events of all by horizon, see `walk.serve`."""
    start, tasks = time.monotonic(), [(h, n) for h in markets.HORIZONS for n in markets.THRESHOLDS]
    served: dict[str, list[pd.DataFrame]] = {horizon: [] for horizon in markets.HORIZONS}
    with ProcessPoolExecutor(2) as pool:
        futures = [pool.submit(_serve, name, markets.HORIZONS[h], folder) for h, name in tasks]
        for (horizon, name), future in zip(tasks, futures, strict=True):
            served[horizon].append(future.result())
            seconds = time.monotonic() - start
            print(f"{seconds:5.0f} s  {name}, {horizon}", file=sys.stderr, flush=True)
    return {horizon: pd.concat(of, ignore_index=True) for horizon, of in served.items()}


def _serve(name: str, horizon_minutes: float, folder: Path) -> pd.DataFrame:
    events = markets.events_of(name, horizon_minutes, folder)
    return serve(events, markets.FIRST_SERVED).assign(market=name, n_labels=len(events))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
