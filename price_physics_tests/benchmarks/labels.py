"""Section ``labels``: first touches on ticks and bars, driftless odds, uniqueness, purged splits.

Where contenders do not do the same work, the row or the contender's docstring says so. Scans that
would take minutes are measured on fewer events, spread as evenly: the rates are compared.

The ticks are a month of one market on a grid of ten cents; barriers stand one and a half standard
deviations of ten hours from the event, so that three of four labels time out and the mean path is
nine of the ten hours long, 360,000 ticks. The bars are minutes, with barriers at one percent: a
fifth time out.
"""

from math import sqrt
from pathlib import Path

from price_physics_tests.benchmarks.data import HORIZON_NS, MONTH
from price_physics_tests.benchmarks.harness import OURS, RATE, Arena, Call, Figure

SIZE, UNIT = 30_000_000, "ticks"
TICKS_AN_EVENT = 30
EVENTS_A_SCANNED = 100
"""One event in so many is scanned: the scans would take minutes."""


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """Make the data and list what is to be measured.

    Parameters
    ----------
    arena : Arena
    n : int
        Ticks; there is an event, and a bar, for every 30 of them, and twice as many of either in
        the scaling figures.
    folder : Path
        Where the data is kept for the next time.
    full : bool
        Changes nothing here.
    """

    def made(what: str, size: int) -> str:
        args = {"what": what, "n": size, "folder": str(folder)}
        return arena.ask(Call(OURS, "make", args, alone=True))["result"]

    n_events = n // TICKS_AN_EVENT
    ticks, more_ticks = (made("arrays", size) for size in (n, 2 * n))
    bars = {"bars": made("bars", n_events)}
    return [
        *_tick_figures(n, n_events, ticks, more_ticks),
        *_bar_figures(n_events, bars),
        Figure(
            "driftless_odds",
            "driftless odds of events / limit",
            Call(OURS, "passage_odds", {"n_events": n_events}, rows=n_events),
            1.0,
            unit=RATE,
        ),
        *_weight_and_fold_figures(n_events, bars),
    ]


def _tick_figures(n: int, n_events: int, ticks: str, more_ticks: str) -> list[Figure]:
    n_scanned = n_events // EVENTS_A_SCANNED
    path = {"ticks": ticks, "width": barrier_width(n)}
    event = {"n_events": n_events, "n_checked": n_scanned}
    ours = Call(OURS, "tick_labels", {**path, **event}, rows=n_events)
    scanned = {**path, "n_events": n_scanned}
    more_events = {**path, "n_events": 2 * n_events, "n_checked": n_scanned}
    denser_path = {"ticks": more_ticks, "width": barrier_width(2 * n)}
    denser = {**denser_path, **event}
    return [
        Figure("first_touch", "first touch on ticks, pyramid built / limit", ours, 3.0, unit=RATE),
        Figure(
            "first_touch_finmlkit",
            f"first touch on ticks / finmlkit, on {n_scanned:,} of the events",
            ours,
            Call("finmlkit", "tick_labels", scanned, rows=n_scanned),
            1_000.0,
            unit=RATE,
        ),
        Figure(
            "first_touch_scan",
            f"first touch on ticks / early-exit scan under numba, on {n_scanned:,} of the events",
            ours,
            Call(OURS, "scan_labels", scanned, rows=n_scanned),
            1_000.0,
            unit=RATE,
            same_result=True,
        ),
        Figure(
            "first_touch_twice_the_events",
            "first touch on ticks, twice the events / limit",
            Call(OURS, "tick_labels", more_events),
            2.1,
            over=ours,
            unit="x",
        ),
        Figure(
            "first_touch_twice_the_ticks",
            "first touch on ticks, twice the ticks in the month, pyramid built / limit",
            Call(OURS, "tick_labels", denser),
            1.2,
            over=ours,
            unit="x",
        ),
        Figure(
            "first_touch_twice_the_ticks_searches",
            "the same, searches alone / limit",
            Call(OURS, "tick_searches", {**denser_path, "n_events": n_events}),
            1.2,
            over=Call(OURS, "tick_searches", {**path, "n_events": n_events}),
            unit="x",
        ),
    ]


def barrier_width(n_ticks: int) -> float:
    """One and a half standard deviations of the price over the horizon: +-0.1 in 2 of 3 ticks."""
    n_in_horizon = n_ticks * HORIZON_NS / (MONTH.stop_ns - MONTH.start_ns)
    return 1.5 * 0.1 * sqrt(2 / 3 * n_in_horizon)


def _bar_figures(n_bars: int, bars: dict[str, str]) -> list[Figure]:
    closes = Call(OURS, "bar_labels", bars, rows=n_bars)
    high_low = Call(OURS, "high_low_labels", bars, rows=n_bars)
    return [
        Figure("first_touch_bars", "first touch on bars' closes / limit", closes, 10.0, unit=RATE),
        Figure(
            "first_touch_high_low",
            "first touch on bars' highs and lows / limit",
            high_low,
            10.0,
            unit=RATE,
        ),
        Figure(
            "first_touch_bars_vectorbt",
            "first touch on bars' closes / vectorbt (labels only, horizon in bars)",
            closes,
            Call("vectorbt", "bar_labels", bars, rows=n_bars),
            2.5,
            unit=RATE,
            same_result=True,
        ),
    ]


def _weight_and_fold_figures(n_labels: int, bars: dict[str, str]) -> list[Figure]:
    uniqueness = Call(OURS, "uniqueness", bars, rows=n_labels)
    return [
        Figure("uniqueness", "average uniqueness / limit", uniqueness, 100.0, unit=RATE),
        Figure(
            "uniqueness_pymlfinance",
            "average uniqueness / pymlfinance",
            uniqueness,
            Call("pymlfinance", "uniqueness", bars, rows=n_labels),
            15.0,
            unit=RATE,
            same_result=True,
        ),
        Figure(
            "purged_k_fold_pymlfinance",
            "purged 5-fold / pymlfinance, before its lists are made",
            Call(OURS, "purged_k_fold", bars),
            Call("pymlfinance", "purged_k_fold", bars),
            2.0,
        ),
        Figure(
            "combinatorial_skfolio",
            "combinatorial 6 choose 2 / skfolio (purges rows)",
            Call(OURS, "combinatorial", bars),
            Call("skfolio", "combinatorial", bars),
            5.0,
        ),
    ]
