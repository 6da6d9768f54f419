"""The stage `labels`: triple-barrier labels, touched by ticks, candles or bars.

A label belongs to the month in which its horizon ends by the clock, touched earlier or not.
`policy` chooses the barriers, `sides` says which way they face, `kernels` finds the touches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.errors import StaleInputs
from price_physics.frames import FloatArray, IntArray, rows_of, stack
from price_physics.labels.driftless import driftless_odds, horizon_bars_of_events
from price_physics.labels.events import count_endless, count_merged, events_ending_in
from price_physics.labels.kernels import DROP, first_touch_bars
from price_physics.labels.paths import Paths, paths_of
from price_physics.labels.policy import are_fallback, multiples
from price_physics.labels.sides import SideArray, barrier_levels, event_sides, with_and_against
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.stops import expected_overstep, stop_price
from price_physics.store.artefact import Artefact, Highlight

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.outages import Outage
    from price_physics.study.study import Study

Events = dict[str, npt.NDArray[Any]]
"""Columns of the events that are labelled, by name."""


def build_labels(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Label every event whose horizon ends in the month.

    Events of m-1 get their barriers from policy m-2, events of m from policy m-1; with an in-sample
    policy, from those of m-1 and m.

    Parameters
    ----------
    past : Past
        BARS of m-2 to m; TICKS or CANDLES of m-1 and m, not read where bars touch the barriers;
        REGIME_FEATURES of m-1 and m; BARRIER_POLICY of m-2 and m-1 (in-sample m-1 and m), absent
        before the market's first month.

    Returns
    -------
    Artefact
        LABELS, by event time, and a document of counts. Bars that close at one moment are one
        event: the others are counted as merged. An event is dropped when its horizon of
        bars lasts over 28 days, when the primary model takes no side, or when the touching bar
        reaches both barriers and the study says so.

    Raises
    ------
    StaleInputs
        When a policy is absent that should be there, or tables were built from different bars or
        ticks.
    """
    events, dropped = _events(study, month, past)
    events |= _barriers(study, market, month, past, events)
    events |= _driftless(study, month, past, events)
    paths = paths_of(study, month, past, events["event_time_ns"])
    met, touch = _first_touch(paths, events)
    undecidable = met == DROP
    frame = _labelled(study, market, paths, events, met, touch)
    n_merged = count_merged(study, month, past.table(BARS))
    counts: dict[str, Any] = {"dropped": dropped, "bars_merged": n_merged}
    if study.labels.both_touched is not None:
        counts["undecidable"] = int(undecidable.sum())
    if study.labels.both_touched == "drop":
        dropped["both_touched"] = int(undecidable.sum())
        frame = frame[~undecidable].reset_index(drop=True)
    return Artefact(
        tables=((LABELS, frame),),
        documents={"counts": counts},
        highlights=_highlights(frame["label"], counts),
    )


def _highlights(label: pd.Series, counts: Mapping[str, Any]) -> dict[str, Highlight]:
    return {
        "labels/up": int((label == 1).sum()),
        "labels/flat": int((label == 0).sum()),
        "labels/down": int((label == -1).sum()),
        **{f"dropped/{reason}": n for reason, n in counts["dropped"].items()},
        **{name: n for name, n in counts.items() if name in ("undecidable", "bars_merged")},
    }


def _events(study: Study, month: Month, past: Past) -> tuple[Events, dict[str, int]]:
    """Find the events to label, with their sides; count the dropped ones by reason."""
    bars = past.table(BARS)
    event_time_ns, horizon_end_ns, price, atr = events_ending_in(study, month, bars)
    dropped = {"horizon_over_28_days": count_endless(study, month, bars)}
    features = past.table(REGIME_FEATURES, "event_time_ns", "regime", "trailing_return")
    times, regime, trailing_return = stack(
        REGIME_FEATURES, features, (month - 1, month), "event_time_ns", "regime", "trailing_return"
    )
    row = rows_of(event_time_ns, times, "regime_features")
    side = event_sides(study.labels, trailing_return[row])
    traded = side != 0
    if study.labels.side is not None:
        dropped["no_side"] = int((~traded).sum())
    events: Events = {
        "event_time_ns": event_time_ns,
        "side": side,
        "horizon_end_ns": horizon_end_ns,
        "price": price,
        "atr": atr,
        "regime": regime[row],
    }
    return {name: values[traded] for name, values in events.items()}, dropped


def _first_touch(paths: Paths, events: Events) -> tuple[SideArray, IntArray]:
    """Find the barrier that is touched first: +1 upper, -1 lower, 0 none, DROP unknown; and where.

    A bar that reaches both touched the one beyond which it opened, if there is one. A tick is a
    bar of one price: it never reaches both.
    """
    prices, event = paths.prices, paths.event
    upper, lower = _levels(events)
    horizon_ns = events["horizon_end_ns"] - prices.time_ns[event]
    met, touch, _ = first_touch_bars(
        prices.time_ns, prices.high, prices.low, event, upper, lower, horizon_ns, DROP
    )
    opened, both = prices.open[touch], met == DROP
    met[both & (opened >= upper)] = 1
    met[both & (opened <= lower)] = -1
    return met, touch


def _labelled(
    study: Study, market: Market, paths: Paths, events: Events, met: SideArray, touch: IntArray
) -> pd.DataFrame:
    """Build LABELS of all events; an undecidable one is a loss."""
    side, price, atr = events["side"], events["price"], events["atr"]
    prices = paths.prices
    upper, lower = _levels(events)
    # A short's take-profit is the lower barrier; an undecidable event is a loss to either side.
    up, down, unknown = met == 1, met == -1, met == DROP
    label = np.where(unknown, -1, met * side).astype(np.int8)
    # Where nothing traded in the horizon the position is worth what it was at the event.
    last_price = np.where(touch > paths.event, prices.close[touch], price)
    # A tick stops at its price, which is beyond the barrier as the open of a bar may be.
    overstep = 0.0 if prices.are_ticks else expected_overstep(prices.open, prices.close)[touch]
    opened = prices.open[touch]
    stop_of_long = stop_price(1, lower, opened, overstep)
    stop_of_short = stop_price(-1, upper, opened, overstep)
    long_exit = np.select([up, down | unknown], [upper, stop_of_long], last_price)
    short_exit = np.select([down, up | unknown], [lower, stop_of_short], last_price)
    outcome_long, outcome_short = (long_exit - price) / atr, (price - short_exit) / atr
    rise, fall = paths.excursions_in_atr(touch, price, atr)
    favourable, adverse = with_and_against(side, rise, fall)
    label_end_ns = np.where(met != 0, prices.time_ns[touch], events["horizon_end_ns"])
    counts_bars = study.labels.horizon_bars is not None
    columns = {
        **events,
        "label": label,
        "label_end_ns": label_end_ns,
        "upper": upper,
        "lower": lower,
        "exit_price": np.where(side > 0, long_exit, short_exit),
        "outcome_atr": np.where(side > 0, outcome_long, outcome_short),
        "outcome_short_atr": np.where(side > 0, outcome_short, outcome_long),
        "favourable_atr": favourable,
        "adverse_atr": adverse,
        "crosses_outage": _crosses(market.outages, events["event_time_ns"], label_end_ns),
        # only its last bar tells when a horizon of bars ends, and whether within 28 days
        "known_at": events["horizon_end_ns"] if counts_bars else label_end_ns,
    }
    return pd.DataFrame(columns, columns=LABELS.columns)


def _levels(events: Events) -> tuple[FloatArray, FloatArray]:
    names = ("side", "price", "atr", "take_profit_multiple", "stop_loss_multiple")
    return barrier_levels(*(events[name] for name in names))


def _by_month(month: Month, events: Events) -> tuple[tuple[Month, slice], tuple[Month, slice]]:
    """Which events are of the month before, and which of the month."""
    first_of_month = int(np.searchsorted(events["event_time_ns"], month.start_ns))
    return (month - 1, slice(first_of_month)), (month, slice(first_of_month, None))


def _driftless(study: Study, month: Month, past: Past, events: Events) -> Events:
    """Driftless odds of every event, by column."""
    bars, times = past.table(BARS), events["event_time_ns"]
    n_bars = [
        horizon_bars_of_events(study.labels, bars, event_month, times[part])
        for event_month, part in _by_month(month, events)
        if event_month in bars
    ]
    names = ("side", "take_profit_multiple", "stop_loss_multiple")
    side, take_profit, stop_loss = (events[name] for name in names)
    odds = driftless_odds(side, take_profit, stop_loss, np.concatenate(n_bars))
    return dict(zip(ODDS, odds, strict=True))


def _barriers(study: Study, market: Market, month: Month, past: Past, events: Events) -> Events:
    """Multiples of every event, each from the policy that serves its month, or the fallback."""
    policies = past.table(BARRIER_POLICY)
    parts = []
    for event_month, part in _by_month(month, events):
        policy_month = event_month - study.barrier_policy.lag_months
        regime, price, atr = (events[name][part] for name in ("regime", "price", "atr"))
        if len(regime) and policy_month >= market.first_month and policy_month not in policies:
            raise StaleInputs(
                f"barrier_policy of {policy_month} is not there, and {len(regime)} events of "
                f"{event_month} need it"
            )
        policy = policies.get(policy_month)
        pair = multiples(study, policy, regime, price, atr)
        parts.append((*pair, are_fallback(study, policy, regime)))
    names = ("take_profit_multiple", "stop_loss_multiple", "at_fallback")
    return {
        name: np.concatenate(of) for name, of in zip(names, zip(*parts, strict=True), strict=True)
    }


def _crosses(outages: list[Outage], start_ns: IntArray, end_ns: IntArray) -> npt.NDArray[np.bool_]:
    """Whether each closed interval meets a known outage."""
    crosses = np.zeros(len(start_ns), dtype=np.bool_)
    for outage in outages:
        crosses |= (start_ns <= outage.end_ns) & (end_ns >= outage.start_ns)
    return crosses
