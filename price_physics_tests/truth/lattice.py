"""What the pipeline makes of a lattice market, in a few lines of NumPy."""

import numpy as np

from price_physics.months import Month
from price_physics.truth import markets


def windows_and_labels(kind, first_month, episodes_a_day, seed, month=None):
    """Closes of the 32 pattern bars (n, 32) and the first touch of 0.23 %: -1, 0, +1.

    Of one month of a market that begins with `first_month`: by default of that one.
    """
    month = month or first_month
    n_months = month - first_month + 1
    ticks = markets.lattice_market(kind, first_month, n_months, episodes_a_day, seed)
    ticks = ticks[ticks["time_ns"] >= month.start_ns]
    price = ticks["price"].to_numpy().reshape(-1, markets.TICKS_AN_EPISODE)
    n_pattern = markets.TICKS_A_BAR * markets.PATTERN_BARS
    moved = price[:, n_pattern:] / price[:, n_pattern - 1 : n_pattern] - 1
    hit = np.abs(moved) >= 0.0023
    label = np.sign(moved[np.arange(len(price)), hit.argmax(axis=1)]).astype(int) * hit.any(axis=1)
    return price[:, markets.TICKS_A_BAR - 1 : n_pattern : markets.TICKS_A_BAR], label


def split(kind, episodes_a_day, seed):
    """Windows and directions of events that moved: the first half, the second, and its signs."""
    month = Month(2012, 1)
    closes, label = windows_and_labels(kind, month, episodes_a_day, seed)
    sign = markets.outcome_signs(kind, month, 1, episodes_a_day, seed)
    half, moved = len(label) // 2, label != 0
    first, second = moved[:half], moved[half:]
    train, test = closes[:half][first], closes[half:][second]
    return train, label[:half][first] > 0, test, label[half:][second] > 0, sign[half:][second]
