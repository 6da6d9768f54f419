"""The price path of a window as a shape: free of price level and of volatility.

One unit is a typical move: the root mean square bar change of the window times the square root
of its bars, so that a random walk ends about one unit from where it started, and a smooth trend
far beyond. Shape and slope both survive; the price scale does not.
"""

from dataclasses import dataclass

import numpy as np

N_POINTS = 32


@dataclass(frozen=True)
class StandardPaths:
    """Standardised paths of shape (n_events, N_POINTS), zero at the window's start.

    `early` and `late` hold the mean squared bar change of the window's first and last third, in
    squared typical moves, shape (n_events,).
    """

    path: np.ndarray
    early: np.ndarray
    late: np.ndarray


def standard_paths(close: np.ndarray, ends: np.ndarray, window: int) -> StandardPaths:
    """Cut, standardise and resample the windows that end at `ends`.

    Parameters
    ----------
    close : float64 array of shape (n_bars,)
        Closes, positive.
    ends : int64 array of shape (n_events,)
        Bar position of each event, at least ``window - 1``.
    window : int
        Bars in a window, at least 3.

    Returns
    -------
    StandardPaths
        A constant window gives zeros.

    Raises
    ------
    ValueError
        When a window would begin before the first bar.

    Examples
    --------
    >>> close = np.exp(np.linspace(0, 1, 65))
    >>> float(standard_paths(close, np.array([64]), 65).path[0, -1])
    8.0
    """
    if len(ends) and ends.min() < window - 1:
        raise ValueError(
            f"a window of {window} bars cannot end at bar {ends.min()}; pass earlier months too"
        )
    position = ends[:, None] + np.arange(1 - window, 1)
    changes = np.diff(np.log(close[position]), axis=1)
    unit = np.sqrt((changes**2).sum(axis=1, keepdims=True))
    changes = np.divide(changes, unit, out=np.zeros_like(changes), where=unit > 0)
    path = np.concatenate([np.zeros((len(ends), 1)), changes.cumsum(axis=1)], axis=1)
    third = max(1, (window - 1) // 3)
    return StandardPaths(
        path=_resample(path, N_POINTS),
        early=(changes[:, :third] ** 2).mean(axis=1),
        late=(changes[:, -third:] ** 2).mean(axis=1),
    )


def volatility_ratio(early: np.ndarray, late: np.ndarray) -> float:
    """Root mean square of the late changes over that of the early ones, over some events.

    The floor keeps the rounding of a still price from counting as movement: two still thirds
    are 1.
    """
    floor = 1e-12
    return float(np.sqrt((late.mean() + floor) / (early.mean() + floor)))


def _resample(path: np.ndarray, n_points: int) -> np.ndarray:
    """Interpolate each row linearly at `n_points` equally spaced times, both ends included."""
    where = np.linspace(0, path.shape[1] - 1, n_points)
    left = np.minimum(where.astype(np.int64), path.shape[1] - 2)
    share = where - left
    return path[:, left] * (1 - share) + path[:, left + 1] * share
