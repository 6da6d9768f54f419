"""Triple-barrier labels of one month, touched by ticks.

A label belongs to the month in which its horizon ends by the clock, touched earlier or not.
How the barriers are chosen is in `policy`, how a touch is found in `kernels`.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.errors import PartitionMissing
from price_physics.labels.events import events_ending_in
from price_physics.labels.frames import FloatArray, IntArray, rows_of, stack
from price_physics.labels.kernels import first_touch
from price_physics.labels.paths import excursions_in_atr, last_tick_at
from price_physics.labels.policy import multiples
from price_physics.months import Month
from price_physics.schemas import LABELS, REGIME_FEATURES, TICKS
from price_physics.study import Market, Outage, Study


def build_labels(
    study: Study,
    market: Market,
    month: Month,
    bars: Mapping[Month, pd.DataFrame],
    ticks: Mapping[Month, pd.DataFrame],
    features: Mapping[Month, pd.DataFrame],
    policies: Mapping[Month, pd.DataFrame],
) -> pd.DataFrame:
    """Label every event whose horizon ends in the month.

    An event of m-1 stands between the barriers of policy m-2, one of m between those of m-1.

    Parameters
    ----------
    bars : mapping of Month to DataFrame
        BARS of m-2 to m.
    ticks : mapping of Month to DataFrame
        TICKS of m-1 and m.
    features : mapping of Month to DataFrame
        REGIME_FEATURES of m-1 and m.
    policies : mapping of Month to DataFrame
        BARRIER_POLICY of m-2 and m-1, absent before the market's first month.

    Returns
    -------
    DataFrame
        LABELS, by event time.

    Raises
    ------
    PartitionMissing
        When a policy is absent that should be there.
    StoreError
        When the tables were built from different bars or ticks.
    """
    event_time_ns, horizon_end_ns, price, atr = events_ending_in(study, month, bars)
    take_profit, stop_loss = _barriers(
        study, market, month, event_time_ns, price, atr, features, policies
    )
    upper, lower = price + take_profit * atr, price - stop_loss * atr
    time_ns, tick_price = stack(TICKS, ticks, (month - 1, month), "time_ns", "price")
    event_tick = last_tick_at(time_ns, event_time_ns, study.bars.kind == "time")
    label, touch_tick = first_touch(
        time_ns, tick_price, event_tick, upper, lower, horizon_end_ns - time_ns[event_tick]
    )
    label_end_ns = np.where(label == 0, horizon_end_ns, time_ns[touch_tick])
    # Where nothing traded in the horizon the position is worth what it was at the event.
    last_price = np.where(touch_tick > event_tick, tick_price[touch_tick], price)
    exit_price = np.where(label == 1, upper, last_price)
    favourable, adverse = excursions_in_atr(tick_price, event_tick, touch_tick, price, atr)
    columns = {
        "event_time_ns": event_time_ns,
        "label": label,
        "label_end_ns": label_end_ns,
        "horizon_end_ns": horizon_end_ns,
        "price": price,
        "atr": atr,
        "take_profit_multiple": take_profit,
        "stop_loss_multiple": stop_loss,
        "upper": upper,
        "lower": lower,
        "exit_price": exit_price,
        "outcome_atr": (exit_price - price) / atr,
        "outcome_short_atr": (price - np.where(label == -1, lower, last_price)) / atr,
        "favourable_atr": favourable,
        "adverse_atr": adverse,
        "crosses_outage": _crosses(market.outages, event_time_ns, label_end_ns),
        # when a horizon of bars ends, and whether within 28 days, only its last bar tells
        "known_at": label_end_ns if study.labels.horizon_bars is None else horizon_end_ns,
    }
    return pd.DataFrame(columns, columns=LABELS.columns)


def _barriers(
    study: Study,
    market: Market,
    month: Month,
    event_time_ns: IntArray,
    price: FloatArray,
    atr: FloatArray,
    features: Mapping[Month, pd.DataFrame],
    policies: Mapping[Month, pd.DataFrame],
) -> tuple[FloatArray, FloatArray]:
    """Multiples of every event, each from the policy of the month before its own."""
    times, regimes = stack(REGIME_FEATURES, features, (month - 1, month), "event_time_ns", "regime")
    regime = regimes[rows_of(event_time_ns, times, "regime_features")]
    first_of_month = int(np.searchsorted(event_time_ns, month.start_ns))
    pairs = []
    for policy_month, part in (
        (month - 2, slice(first_of_month)),
        (month - 1, slice(first_of_month, None)),
    ):
        n_events = len(regime[part])
        if n_events and policy_month >= market.first_month and policy_month not in policies:
            raise PartitionMissing(
                f"barrier_policy of {policy_month} is not there, and {n_events} events of "
                f"{policy_month + 1} stand on it; materialise barrier_policy of {policy_month}"
            )
        policy = policies.get(policy_month)
        pairs.append(multiples(study, policy, regime[part], price[part], atr[part]))
    return (
        np.concatenate([take_profit for take_profit, _ in pairs]),
        np.concatenate([stop_loss for _, stop_loss in pairs]),
    )


def _crosses(outages: list[Outage], start_ns: IntArray, end_ns: IntArray) -> npt.NDArray[np.bool_]:
    """Whether each closed interval meets a known outage."""
    crosses = np.zeros(len(start_ns), dtype=np.bool_)
    for outage in outages:
        crosses |= (start_ns <= outage.end_ns) & (end_ns >= outage.start_ns)
    return crosses
