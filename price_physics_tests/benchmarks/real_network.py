"""``python -m price_physics_tests.benchmarks.real_network``: the whole DAG on real candles.

Forty-three months of BTC at Bitfinex, from candles to the verdict, with a small network: how far
its probabilities are from what came, and what the driftless odds alone would have said of the same
events. `--blind` trains a second study of which the network knows no barriers. Where the candles
are not there it says so and measures nothing. A run that was ended goes on in the same `--folder`.
"""

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
import yaml

from price_physics.labels.odds import class_odds
from price_physics.months import Month
from price_physics.project import Project
from price_physics.schemas.walk_forward import SCORED
from price_physics.scores.mean_by_blocks import mean_by_blocks
from price_physics.store.partitions import Store
from price_physics_tests.benchmarks.harness import ROOT, keep
from price_physics_tests.benchmarks.real_candles import markets
from price_physics_tests.benchmarks.real_candles.measures import calibration_error, excess_log_loss

MARKET = "bitfinex_btcusd"
OFFSETS = {"network": "driftless", "blind": "none"}
"""Studies, by what is added to the network's logits."""
N_FIRST = 6
MOST_EXCESS, MOST_ERROR = 0.009, 0.05
EDITS: dict[str, dict[str, Any]] = {
    "bars": {
        "kind": "dollar",
        "threshold_quote": markets.THRESHOLDS["BTC"],
        "target_bars_a_day": markets.BARS_A_DAY,
        "clip_factor": 1e4,
    },
    "labels": {"horizon_minutes": 600, "both_touched": "stop_loss_first", "atr_period_bars": 14},
    "folds": {"n_splits": 3, "embargo_minutes": 600, "min_training_samples": 1000},
    "images": {"windows_bars": [32, 64], "size_pixels": 16, "channels": ["gasf", "gadf", "mtf"]},
    "model": {"width": 8, "head": "binary_take_profit", "batch_size": 128, "max_epochs": 4},
    "motifs": {"max_events": 32},
    "walk_forward": {"fee_bps": 5, "slippage_bps": 2, "min_confidence": 0.05},
}

HEAD = """# A network on real candles, through the whole DAG

Measured with `python -m price_physics_tests.benchmarks.real_network{blind} --accept`, {date}, torch
{torch} on Python {python}.

Five-minute candles of BTC in USD at Bitfinex, {first} to {last} (one-minute candles of
Zombie-3000/Bitfinex-historical-data at fc162575, aggregated). Every stage of the DAG, month by
month: dollar bars, about 40 a day, every bar an event; barriers at the 0.6 and 0.4 quantiles of the
last month's excursions; horizon of ten hours; images of 32 and 64 bars at 16 pixels; a network of
width 8, at most four epochs, trained anew every month on all labels known by then. The settings
were written down before the first run, and nothing was tuned after it.

{said}

Means are over months, each counts once; ± is one standard error over months. Excess log loss is
over that of the month's own rate, which nobody knows beforehand.

"""


class Served(NamedTuple):
    """What a model said of a month's events, and what came.

    Attributes
    ----------
    month : Month
        Of the events.
    n : int
        Events whose label is known.
    stated, came : float
        Mean probability of the take-profit, and its rate.
    excess, error : float
        Excess log loss and calibration error; see `real_candles.measures`.
    """

    month: Month
    n: int
    stated: float
    came: float
    excess: float
    error: float


def main(arguments: list[str]) -> int:
    """Run the studies, print the page; a missed target gives exit status 1."""
    from price_physics.orchestration.backfill import run_backfill

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--accept", action="store_true", help="keep it under benchmarks/results/")
    parser.add_argument("--blind", action="store_true", help="train without the odds as well")
    parser.add_argument("--folder", type=Path, required=True, help="where the store is made")
    options = parser.parse_args(arguments)
    if not markets.FOLDER.is_dir():
        print(f"Skipped: the real candles are not here: {markets.FOLDER}")
        return 0
    project = make_project(options.folder)
    names = list(OFFSETS) if options.blind else ["network"]
    for name in names:
        run_backfill(project, name)
    tables = {name: scored(project, name) for name in names}
    date = datetime.now(UTC).date().isoformat()
    text, passed = page(tables, verdict(project), date)
    print(text)
    if options.accept:
        keep(f"real_network-{date}", text)
    return 0 if passed else 1


def make_project(folder: Path) -> Project:
    """Write a market of the candles and both studies, where they are not yet."""
    demo = yaml.safe_load((ROOT / "configs" / "studies" / "demo.yaml").read_text())
    market = {
        "symbol": "BTCUSD",
        "files": [str(markets.FOLDER / "BTCUSD.parquet")],
        "candle_minutes": 5,
        "first_month": str(markets.FIRST),
        "last_month": str(markets.LAST),
    }
    _write(folder / "configs" / "markets" / f"{MARKET}.yaml", market)
    for name, offset in OFFSETS.items():
        study = demo | {"description": f"BTC at Bitfinex, {name}", "market": MARKET} | EDITS
        study["model"] = EDITS["model"] | {"offset": offset}
        _write(folder / "configs" / "studies" / f"{name}.yaml", study)
    (folder / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
    return Project(folder)


def scored(project: Project, study: str) -> pd.DataFrame:
    """Return every event that a network served and whose label is known; SCORED, by time."""
    store, key = Store(project.store), (study, "walk_forward")
    months = Month.span(markets.FIRST, markets.LAST)
    parts = [store.read(key, month).table(SCORED.name) for month in months]
    events = pd.concat(parts).sort_values("event_time_ns", ignore_index=True)
    return events.assign(side=events["label_side"])


def verdict(project: Project) -> dict[str, Any]:
    """Read the last report's verdict and headline."""
    path = project.outputs / "network" / "reports" / f"{markets.LAST}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def by_month(events: pd.DataFrame, p: np.ndarray) -> list[Served]:
    """Hold probabilities of the take-profit, aligned with SCORED rows, against what came."""
    won = events["label"].to_numpy() == 1
    month = np.array([Month.of(int(t)).key for t in events["event_time_ns"]])
    served = []
    for key in np.unique(month):
        rows = month == key
        stated, came = float(p[rows].mean()), float(won[rows].mean())
        excess, error = (of(p[rows], won[rows]) for of in (excess_log_loss, calibration_error))
        served.append(Served(Month.parse(key), int(rows.sum()), stated, came, excess, error))
    return served


def page(tables: dict[str, pd.DataFrame], report: dict[str, Any], date: str) -> tuple[str, bool]:
    """The page, and whether both targets are met."""
    network = tables["network"]
    models = {name: by_month(t, t["p_up"].to_numpy()) for name, t in tables.items()}
    models["odds alone"] = by_month(network, class_odds(network, 2)[:, 1])
    first = models["network"][:N_FIRST]
    excess = float(np.mean([m.excess for m in models["network"]]))
    stated, came = (float(np.mean([getattr(m, of) for m in first])) for of in ("stated", "came"))
    passed = excess <= MOST_EXCESS and abs(stated - came) <= MOST_ERROR
    head, said = report["headline"], report["verdict"]
    text = HEAD.format(
        blind=" --blind" if "blind" in tables else "",
        date=date,
        torch=torch.__version__,
        python=platform.python_version(),
        first=markets.FIRST,
        last=markets.LAST,
        said=f'Verdict "{said["verdict"]}", {said["n_trades"]} trades, net return '
        f"{head['net_return']:+.1%}. {'Both targets are met' if passed else 'A target is missed'}.",
    )
    text += "| figure | measured | target | |\n|---|---|---|---|\n"
    for value, most, name in (
        (excess, MOST_EXCESS, "excess log loss, mean over months"),
        (
            abs(stated - came),
            MOST_ERROR,
            f"the first {N_FIRST} served months: {stated:.3f} predicted, {came:.3f} came",
        ),
    ):
        text += (
            f"| {name} | {value:.4f} | at most {most} | {'met' if value <= most else 'MISSED'} |\n"
        )
    text += _farthest(network, first)
    text += "\n| model | excess log loss | calibration error | AUC |\n|---|---|---|---|\n"
    for name, months in models.items():
        table = tables.get(name, network)
        p = table["p_up"] if name in tables else class_odds(network, 2)[:, 1]
        cells = [_mean([m.excess for m in months]), _mean([m.error for m in months])]
        text += f"| {name} | {cells[0]} | {cells[1]} | {_auc(p, table['label'] == 1):.4f} |\n"
    text += f"\n## Months\n\n| month | events | {' | '.join(models)} | came |\n"
    text += f"|---|---|{'---|' * len(models)}---|\n"
    for row, month in enumerate(models["network"]):
        stated = " | ".join(f"{months[row].stated:.3f}" for months in models.values())
        text += f"| {month.month} | {month.n} | {stated} | {month.came:.3f} |\n"
    return text, passed


def _farthest(network: pd.DataFrame, first: list[Served]) -> str:
    """How far the worst of the first months is off, and how well its rate is known at all."""
    worst = max(first, key=lambda m: m.error)
    time_ns = network["event_time_ns"].to_numpy(np.int64)
    rows = (time_ns >= worst.month.start_ns) & (time_ns <= worst.month.end_ns)
    gap = (network["label"] == 1).to_numpy(np.float64) - network["p_up"].to_numpy(np.float64)
    found = mean_by_blocks(gap[rows], time_ns[rows])
    n_near = sum(m.error <= MOST_ERROR for m in first)
    missed = "" if n_near == len(first) else " Read month by month the second target is missed."
    return (
        f"\nOf these months {n_near} of {len(first)} are within {MOST_ERROR} each.{missed} The "
        f"farthest is {worst.month}, by {worst.error:.4f}; by blocks of five days the gap is "
        f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}).\n"
    )


def _auc(p: Any, won: pd.Series) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(won, np.asarray(p)))


def _mean(values: list[float]) -> str:
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.4f} ± {error:.4f}"


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
