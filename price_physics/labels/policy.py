"""The stage `barrier_policy`: past excursions -> barriers of the next month, in multiples of ATR.

The policy of m uses excursions whose horizon ended by the end of m and serves events of m+1; an
in-sample one serves events of m. `sides` turns multiples into prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.errors import StaleInputs
from price_physics.frames import FloatArray, IntArray, rows_of, stack
from price_physics.labels.sides import event_sides, with_and_against
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.store.artefact import Artefact
from price_physics.study.barriers import PercentBarriers, QuantileBarriers

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study

EVERY_REGIME = -1
FALLBACK, CARRIED = "fallback", "carried"
REGIMES = (0, 1, 2)

_PolicyRow = tuple[int, float, float, int, str]
"""Columns of BARRIER_POLICY up to `source`."""


def build_policy(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Choose the take-profit and stop-loss multiples for the events of the next month.

    Parameters
    ----------
    past : Past
        EXCURSIONS up to m, of which kind "month" uses the last `lookback_months`. REGIME_FEATURES
        up to m, read only for kind "regime" and for sides.

    Returns
    -------
    Artefact
        BARRIER_POLICY: one row per regime for kind "regime", otherwise one row that serves every
        regime. A sample of fewer than `min_events` takes over the multiples of the last month with
        a large enough sample; before there is one, the study's fallback. Kinds "fixed" and
        "percent" take the study's numbers. An in-sample policy is marked.

    Raises
    ------
    StoreError
        When an excursion's event has no regime.
    """
    frame = _policy_frame(_policy_rows(study, month, past), month)
    return Artefact(
        tables=((BARRIER_POLICY, frame),),
        in_sample=study.barrier_policy.in_sample,
        highlights={"policy": frame.to_markdown(index=False)},
    )


def _policy_rows(study: Study, month: Month, past: Past) -> list[_PolicyRow]:
    config = study.barrier_policy
    if not isinstance(config, QuantileBarriers):
        return [(EVERY_REGIME, *config.levels, 0, config.kind)]
    rows = _quantiles(study, config, month, past)
    if config.kind != "month" or rows[0][-1] != FALLBACK:  # samples of other kinds never shrink
        return rows
    for earlier in sorted((m for m in past.of(EXCURSIONS.asset) if m < month), reverse=True):
        last = _quantiles(study, config, earlier, past)
        if last[0][-1] != FALLBACK:
            return [(*row[:-1], CARRIED) for row in last]
    return rows


def _quantiles(
    study: Study, config: QuantileBarriers, month: Month, past: Past
) -> list[_PolicyRow]:
    """Compute multiples from the excursions known by the end of a month, or take the fallback."""
    excursions, features = past.table(EXCURSIONS), past.table(REGIME_FEATURES)
    months = [m for m in excursions if m <= month]
    if config.kind == "month":
        months = [m for m in months if m > month - config.lookback_months]
    event_time_ns, favourable, adverse = stack(
        EXCURSIONS, excursions, months, "event_time_ns", "favourable_atr", "adverse_atr"
    )
    served: tuple[int, ...] = (EVERY_REGIME,)
    regime = np.full(len(event_time_ns), EVERY_REGIME)
    if config.kind == "regime":
        served, regime = REGIMES, _feature("regime", event_time_ns, month, features)
    if study.labels.side is not None:  # excursions are those of a long: swap them for a short
        trailing_return = _feature("trailing_return", event_time_ns, month, features)
        side = event_sides(study.labels, trailing_return)
        favourable, adverse = with_and_against(side, favourable, adverse)
        traded = side != 0
        regime, favourable, adverse = regime[traded], favourable[traded], adverse[traded]
    rows = []
    for value in served:
        rng = np.random.default_rng([study.seed, month.year, month.month, value + 1])
        sample = _sample(np.flatnonzero(regime == value), config.max_events, rng)
        rows.append((value, *_multiples_of(favourable[sample], adverse[sample], config)))
    return rows


def multiples(
    study: Study,
    policy: pd.DataFrame | None,
    regime: IntArray,
    price: FloatArray,
    atr: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Look up the take-profit and stop-loss multiples of events.

    Parameters
    ----------
    policy : DataFrame or None
        BARRIER_POLICY that serves the events' month. Before the first it is None, and the study's
        fallback is used.
    regime : int array of shape (n_events,)
    price, atr : float64 array of shape (n_events,)
        Close and ATR of the events' bars: they turn a percentage into a multiple.

    Returns
    -------
    take_profit, stop_loss : float64 array of shape (n_events,)
        In ATR.

    Raises
    ------
    StaleInputs
        When the policy does not serve one of the regimes.
    """
    config = study.barrier_policy
    n_events = len(regime)
    if not isinstance(config, QuantileBarriers):
        take_profit, stop_loss = config.levels
        unit = price / 100 / atr if isinstance(config, PercentBarriers) else np.ones(n_events)
        return take_profit * unit, stop_loss * unit
    if policy is None:
        return (
            np.full(n_events, config.fallback_take_profit),
            np.full(n_events, config.fallback_stop_loss),
        )
    row = _row_of(policy, regime)
    return (
        policy["take_profit_multiple"].to_numpy(np.float64)[row],
        policy["stop_loss_multiple"].to_numpy(np.float64)[row],
    )


def are_fallback(
    study: Study, policy: pd.DataFrame | None, regime: IntArray
) -> npt.NDArray[np.bool_]:
    """Tell which events have the study's fallback barriers: no month had enough excursions by then.

    Parameters
    ----------
    policy, regime
        As in `multiples`.
    """
    config = study.barrier_policy
    if not isinstance(config, QuantileBarriers) or config.are_pinned:
        return np.zeros(len(regime), dtype=np.bool_)
    if policy is None:
        return np.ones(len(regime), dtype=np.bool_)
    fallback: npt.NDArray[np.bool_] = (policy["source"] == FALLBACK).to_numpy(np.bool_)
    return fallback[_row_of(policy, regime)]


def _row_of(policy: pd.DataFrame, regime: IntArray) -> IntArray:
    """Return the row of BARRIER_POLICY that serves each event."""
    served = policy["regime"].to_numpy(np.int64)
    if EVERY_REGIME in served:
        regime = np.full(len(regime), EVERY_REGIME)
    unserved = np.setdiff1d(regime, served)
    if len(unserved):
        raise StaleInputs(
            f"barrier policy serves regimes {served.tolist()}, not {unserved.tolist()}: it was "
            "built for other settings"
        )
    order = np.argsort(served)
    return order[np.searchsorted(served, regime, sorter=order)]


def _policy_frame(rows: list[_PolicyRow], month: Month) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=BARRIER_POLICY.columns[:-1])
    return frame.astype({"regime": np.int8}).assign(known_at=np.int64(month.end_ns))


def _feature(
    column: str, event_time_ns: IntArray, month: Month, features: Mapping[Month, pd.DataFrame]
) -> Any:
    months = [m for m in features if m <= month]
    times, values = stack(REGIME_FEATURES, features, months, "event_time_ns", column)
    return values[rows_of(event_time_ns, times, "regime_features")]


def _sample(members: IntArray, max_events: int, rng: np.random.Generator) -> IntArray:
    if len(members) <= max_events:
        return members
    return np.sort(rng.choice(members, max_events, replace=False))


def _multiples_of(
    favourable: FloatArray, adverse: FloatArray, config: QuantileBarriers
) -> tuple[float, float, int, str]:
    """Return the columns take_profit_multiple to source of one row."""
    n_events = len(favourable)
    if n_events < config.min_events:
        return config.fallback_take_profit, config.fallback_stop_loss, n_events, FALLBACK
    pair = []
    for values, quantile, bounds in (
        (favourable, config.take_profit_quantile, config.take_profit_bounds),
        (adverse, config.stop_loss_quantile, config.stop_loss_bounds),
    ):
        winsorised = np.minimum(values, np.quantile(values, config.winsor_quantile))
        pair.append(float(np.clip(np.quantile(winsorised, quantile), *bounds)))
    return pair[0], pair[1], n_events, "quantile"
