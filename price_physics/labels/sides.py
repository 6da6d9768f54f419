"""The side of an event's trade, and the barriers for that side.

Without a primary model every event is a long. With one the take-profit stands where the side
wins: below the price of a short (López de Prado 2018, section 3.6). Multiples come from `policy`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from price_physics.frames import FloatArray, IntArray

if TYPE_CHECKING:
    from price_physics.study.labels import LabelsConfig

SideArray = npt.NDArray[np.int8]


def event_sides(config: LabelsConfig, trailing_return: FloatArray) -> SideArray:
    """Choose the side of every event: +1 long, -1 short, 0 where the primary model takes none.

    Parameters
    ----------
    config : LabelsConfig
        Its `side` is the primary model.
    trailing_return : float64 array of shape (n_events,)
        From REGIME_FEATURES: known at the event.

    Examples
    --------
    >>> from price_physics.study.labels import LabelsConfig
    >>> config = LabelsConfig(horizon_minutes=5, side="reversal")
    >>> event_sides(config, np.array([0.01, -0.02, 0.0]))
    array([-1,  1,  0], dtype=int8)
    """
    if config.side is None:
        return np.ones(len(trailing_return), np.int8)
    trend = np.sign(trailing_return).astype(np.int8)
    return trend if config.side == "trend" else -trend


def barrier_levels(
    side: SideArray | IntArray,
    price: FloatArray,
    atr: FloatArray,
    take_profit: FloatArray,
    stop_loss: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Upper and lower barrier, as prices; multiples are in ATR.

    Examples
    --------
    >>> one = np.ones(2)
    >>> barrier_levels(np.array([1, -1]), 100 * one, 2 * one, 3 * one, one)
    (array([106., 102.]), array([98., 94.]))
    """
    above = np.where(side > 0, take_profit, stop_loss)
    below = np.where(side > 0, stop_loss, take_profit)
    return price + above * atr, price - below * atr


def with_and_against(
    side: SideArray | IntArray, rise: FloatArray, fall: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Turn a rise and a fall into the favourable and the adverse move of the side."""
    return np.where(side > 0, rise, fall), np.where(side > 0, fall, rise)
