"""The tables for people: every figure beside its target, met or missed."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from price_physics_tests.benchmarks.real_candles import markets, trees
from price_physics_tests.benchmarks.real_candles.measures import (
    Tenths,
    calibration_error,
    excess_log_loss,
    tenths,
)
from price_physics_tests.benchmarks.real_candles.walk import (
    BLIND,
    MODELS,
    ODDS_ALONE,
    OFFSET,
    VALUE,
    VALUES,
)

MOST = (0.008, 0.045)
"""Excess log loss and monthly calibration error of the offset, ten hours."""
BEFOREHAND = {BLIND: (0.021, 0.076), OFFSET: (0.0057, 0.042), ODDS_ALONE: (0.0068, 0.037)}
"""The same figures as they were measured before this script, on other labels of these markets."""
SPREAD_BEFOREHAND = 33.0
JUDGED = "ten hours"

HEAD = f"""# Driftless odds on real candles

Measured with `make real-candles`, {{when}}.

Five-minute candles of {", ".join(markets.THRESHOLDS)} in USD at Bitfinex, {markets.FIRST} to \
{markets.LAST} (one-minute candles of
Zombie-3000/Bitfinex-historical-data at fc162575, aggregated). Dollar bars, about \
{markets.BARS_A_DAY} a day, every bar
an event; barriers at the 0.6 and 0.4 quantiles of the last month's excursions; the binary head.
{trees.N_TREES} boosted trees of depth {trees.DEPTH}, fitted anew every month on all labels known \
by then, see the normalised
path of the last {markets.WINDOW} closes, trailing return and volatility, time of day and of week. \
Served months:
{markets.FIRST_SERVED} to {markets.LAST}. Means are over months of markets, each counts once; ± is \
one standard error over months.

Two settings follow what was known beforehand, which is given below too. Bars a day give about as
many labels as there were then (120,968). The horizon was a day at first; ten hours, as in the
examples, were taken because with them the odds alone, which learn nothing, have about the log loss
and the calibration that they had then. Both horizons stand below. Nothing else was tried.
"""
NOTES = """
Excess log loss is over that of the month's own rate, which nobody knows beforehand; labels overlap,
and the fewer there really are in a month the further its rate is from any chance: an excess is
the larger the longer the horizon. The trees of "blind" know no barriers; "odds alone" has learnt
nothing.

Tenths are of all served events by their value before costs; what came is before costs too, with
95 % intervals by blocks of five days. All three values have the same probabilities, of the trees
with offset, and know outcomes of the training events only.
"""


class Row(NamedTuple):
    """One figure beside its target, or beside what was measured before; then it has no `passed`."""

    name: str
    value: str
    target: str
    passed: bool | None = None


def page(served: dict[str, pd.DataFrame], when: str) -> tuple[str, bool]:
    """The page, and whether all targets are met.

    Parameters
    ----------
    served : dict of str to DataFrame
        Served events of all markets by horizon: `walk.serve`, with `market` and `n_labels`.
    when : str
        Date and versions.
    """
    months = {horizon: by_month(events) for horizon, events in served.items()}
    values = {
        horizon: {name: _tenths(events, name) for name in VALUES}
        for horizon, events in served.items()
    }
    rows = targets(months[JUDGED], values[JUDGED][VALUE])
    missed = [row.name for row in rows if row.passed is False]
    said = f"MISSED: {'; '.join(missed)}." if missed else "All targets are met."
    words = {True: "met", False: "MISSED", None: ""}
    lines = [HEAD.format(when=when), said, ""]
    lines += ["| figure, horizon of ten hours | measured | target | |", "|---|---|---|---|"]
    lines += [f"| {row.name} | {row.value} | {row.target} | {words[row.passed]} |" for row in rows]
    lines.append(NOTES)
    for horizon, events in served.items():
        n_labels = int(events.groupby("market")["n_labels"].first().sum())
        lines += [f"## Horizon of {horizon}: {n_labels:,} labels, {len(events):,} served", ""]
        lines += [*_models(months[horizon], horizon), "", *_values(values[horizon]), ""]
    return "\n".join(lines), not missed


def by_month(events: pd.DataFrame) -> pd.DataFrame:
    """Excess log loss and calibration error of every model: a row a month of a market.

    Columns are `market`, `month` and pairs (model, 0 or 1).
    """
    rows = []
    for (market, month), of in events.groupby(["market", "event_month"], sort=True):
        won, row = of["won"].to_numpy(np.bool_), {"market": market, "month": month}
        for name in MODELS:
            p = of[name].to_numpy(np.float64)
            row |= {(name, 0): excess_log_loss(p, won), (name, 1): calibration_error(p, won)}
        rows.append(row)
    return pd.DataFrame(rows)


def mean_and_error(months: pd.DataFrame, model: str, which: int) -> tuple[float, float]:
    """Mean over months of markets; markets move together, so months are what is independent."""
    of_month = months.groupby("month")[[(model, which)]].mean()[(model, which)]
    error = of_month.std() / np.sqrt(len(of_month))
    return float(months[(model, which)].mean()), float(error)


def targets(months: pd.DataFrame, value: Tenths) -> list[Row]:
    """Every figure that has a target, then the order of outcomes beside what was known before."""
    rows = []
    for which, name in enumerate(("excess log loss", "monthly calibration error")):
        mean, error = mean_and_error(months, OFFSET, which)
        blind, _ = mean_and_error(months, BLIND, which)
        said = f"{mean:.4f} ± {error:.4f} (blind {blind:.4f})"
        target = f"at most {MOST[which]} (blind {BEFOREHAND[BLIND][which]} beforehand)"
        rows.append(Row(f"{name}, trees with the offset", said, target, mean <= MOST[which]))
    gap, low, high = value.spread
    highest = Row(
        "outcome of the highest tenth of value less the lowest, bps",
        f"{gap:+.0f} ({low:+.0f} to {high:+.0f})",
        f"{SPREAD_BEFOREHAND:+.0f} beforehand",
    )
    name = "steps from tenth to tenth at which outcomes rise"
    return [*rows, highest, Row(name, f"{value.n_up} of 9", "9 of 9 beforehand")]


def _tenths(events: pd.DataFrame, name: str) -> Tenths:
    stated, returned = (events[c].to_numpy(np.float64) for c in (name, "returned"))
    return tenths(stated, returned, events["event_time_ns"].to_numpy(np.int64))


def _models(months: pd.DataFrame, horizon: str) -> list[str]:
    names = list(markets.THRESHOLDS)
    of_markets = [months[months["market"] == name] for name in names]
    lines = [
        f"| model | excess log loss | {', '.join(names)} | calibration error | {', '.join(names)} "
        "| beforehand |",
        "|---|---|---|---|---|---|",
    ]
    for model in MODELS:
        cells = [model]
        for which in (0, 1):
            mean, error = mean_and_error(months, model, which)
            parts = (f"{mean_and_error(of, model, which)[0]:.4f}" for of in of_markets)
            cells += [f"{mean:.4f} ± {error:.4f}", ", ".join(parts)]
        before = " / ".join(map(str, BEFOREHAND[model])) if horizon == JUDGED else ""
        lines.append(f"| {' | '.join([*cells, before])} |")
    return lines


def _values(values: dict[str, Tenths]) -> list[str]:
    lines = [
        f"| tenth | {' | '.join(f'{name}: stated | came' for name in values)} |",
        f"|{'---|' * (1 + 2 * len(values))}",
    ]
    for i in range(10):
        cells = [str(i + 1)]
        for value in values.values():
            mean, low, high = value.came[i]
            cells += [f"{value.stated[i]:+.0f}", f"{mean:+.0f} ({low:+.0f} to {high:+.0f})"]
        lines.append(f"| {' | '.join(cells)} |")
    for text, cell in (
        ("highest less lowest", lambda v: "{:+.0f} ({:+.0f} to {:+.0f})".format(*v.spread)),
        ("rises", lambda v: f"{v.n_up} of 9"),
    ):
        cells = [part for value in values.values() for part in ("", cell(value))]
        lines.append(f"| {' | '.join([text, *cells])} |")
    return lines
