"""Anchored walk-forward: every month is served by trees that know only the months before it."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.labels.odds import log_offset
from price_physics.months import Month
from price_physics.walk_forward.outcomes import BINARY, bets, past_outcomes
from price_physics_tests.benchmarks.real_candles import trees
from price_physics_tests.benchmarks.real_candles.markets import FEATURES

BLIND, OFFSET, ODDS_ALONE = "blind", "offset", "odds alone"
MODELS = (BLIND, OFFSET, ODDS_ALONE)
VALUE, MEANS, MULTIPLES = "by the odds", "constant W and L", "W and L from multiples alone"
VALUES = (VALUE, MEANS, MULTIPLES)


def serve(events: pd.DataFrame, first: Month) -> pd.DataFrame:
    """Predict a market's events of `first` and all later months, and say what they are worth.

    Parameters
    ----------
    events : DataFrame
        As of `markets.events_of`.

    Returns
    -------
    DataFrame
        The served events with `won`, `returned` (gross, bps), a probability of each of MODELS and
        a gross value in bps, of the trees with offset, of each of VALUES.
    """
    months = [m for m in sorted(set(events["event_month"])) if m >= first]
    return pd.concat([_month(events, m) for m in months], ignore_index=True)


def _month(events: pd.DataFrame, month: Month) -> pd.DataFrame:
    known = (events["label_month"] < month).to_numpy(np.bool_)
    past = events[known & ~events["at_fallback"].to_numpy(np.bool_)]
    served = events[(events["event_month"] == month).to_numpy(np.bool_)].reset_index(drop=True)
    bps = (served["atr"] / served["price"] * 1e4).to_numpy(np.float64)
    served = served.assign(
        won=served["label"] == 1,
        returned=served["outcome_atr"] * bps,
        **{name: _probability(name, past, served) for name in MODELS},
    )
    return served.assign(**{name: worth * bps for name, worth in _values(past, served).items()})


def log_odds_of(events: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Log-odds of a take-profit by the driftless odds."""
    other, win = log_offset("driftless", events, 2).T
    return np.asarray(win - other)


def _probability(name: str, past: pd.DataFrame, served: pd.DataFrame) -> npt.NDArray[np.float64]:
    if name == ODDS_ALONE:
        return trees.chance(log_odds_of(served))
    knows = float(name == OFFSET)
    seen, won = past[FEATURES].to_numpy(np.float64), past["label"].to_numpy() == 1
    fitted = trees.fit(seen, won, knows * log_odds_of(past))
    offset = knows * log_odds_of(served)
    return trees.chance(fitted.log_odds(served[FEATURES].to_numpy(np.float64), offset))


def _values(past: pd.DataFrame, served: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    """Gross values in ATR; all know the outcomes of the events that trained, none a later one."""
    p = served[OFFSET].to_numpy(np.float64)
    outcome, won = past["outcome_atr"].to_numpy(np.float64), past["label"].to_numpy() == 1
    take, stop = (
        served[f"{name}_multiple"].to_numpy(np.float64) for name in ("take_profit", "stop_loss")
    )
    (bet,) = bets(BINARY, past_outcomes(past, BINARY), served.assign(p_up=p))
    return {
        VALUE: bet.gross,
        MEANS: p * outcome[won].mean() + (1 - p) * outcome[~won].mean(),
        MULTIPLES: p * take - (1 - p) * stop,
    }
