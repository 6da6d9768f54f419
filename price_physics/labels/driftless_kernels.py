"""Compute first passages of driftless Brownian motion out of an interval: two formulas, one loop.

Arrays and floats only. `driftless` checks the input and documents its meaning.
"""

import math

import numpy as np
from numba import njit

LONG = 0.25
"""A horizon is long when its spread is above this share of the distance between the barriers.

Then the series needs at most eleven terms; below it, two images per barrier suffice. What either
leaves out is below 2e-15.
"""
_NEGLIGIBLE = 1e-17


@njit(cache=True, nogil=True)
def first_passages(upper, lower, spread):
    """Return the chances of each path: upper barrier first, none, lower barrier first.

    Parameters
    ----------
    upper, lower : float64 array of shape (n,)
        Distances to the barriers, positive, possibly infinite.
    spread : float64 array of shape (n,)
        Standard deviation over the horizon, at least 0, possibly infinite.

    Returns
    -------
    up, none, down : float64 array of shape (n,)
    """
    n = len(upper)
    up, none, down = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        # Two products, because the sum of the distances could overflow.
        if spread[i] > LONG * upper[i] + LONG * lower[i]:
            up[i], none[i], down[i] = by_series(upper[i], lower[i], spread[i])
        else:
            up[i], none[i], down[i] = by_images(upper[i], lower[i], spread[i])
    return up, none, down


@njit(cache=True, nogil=True)
def by_images(upper, lower, spread):
    """Compute a short horizon's first passage: each barrier and its reflection in the other one.

    The chance of the upper barrier is ``erfc(x) - erfc(x + 2 y) + erfc(3 x + 2 y) - ...``, with x
    and y the distances over ``sqrt(2) * spread``; the third image is twice the interval away. An
    infinite barrier is never reached, and with a spread of 0 neither is.
    """
    unit = math.sqrt(2.0) * spread
    x, y = _in_units(upper, unit), _in_units(lower, unit)
    up = max(math.erfc(x) - math.erfc(x + 2.0 * y), 0.0)
    down = max(math.erfc(y) - math.erfc(y + 2.0 * x), 0.0)
    return up, max(1.0 - (up + down), 0.0), down


@njit(cache=True, nogil=True)
def by_series(upper, lower, spread):
    """Compute a long horizon's first passage, by the eigenfunctions of the interval.

    With ``t = pi * near / (near + far)`` and ``q = exp(-(pi * spread / (near + far))**2 / 2)``, the
    nearer barrier has ``far / (near + far) - 2 / pi * sum of sin(n t) / n * q**(n * n)``. For the
    farther one near and far change places, which changes the sign of ``sin(n t)`` for even n. Both
    distances must be finite, and the spread above `LONG` times their sum.
    """
    near, far = min(upper, lower), max(upper, lower)
    ratio = near / far
    share = ratio / (1.0 + ratio)
    root = math.pi * (spread / far) / (1.0 + ratio)
    q = math.exp(-0.5 * root * root)
    # Sines by their recurrence; powers without the first, which may be far below rounding errors.
    sine, before, twice = math.sin(math.pi * share), 0.0, 2.0 * math.cos(math.pi * share)
    power, step, sign, n = 1.0, q * q * q, 1.0, 1.0
    of_near = of_far = 0.0
    while power > _NEGLIGIBLE:
        term = power * sine / n
        of_near += term
        of_far += sign * term
        sine, before = twice * sine - before, sine
        power, step, sign, n = power * step, step * q * q, -sign, n + 1.0
    scale = 2.0 / math.pi * q
    none = scale * (of_near + of_far)
    nearer = 1.0 / (1.0 + ratio) - scale * of_near
    farther = max(share - scale * of_far, 0.0)
    return (nearer, none, farther) if upper <= lower else (farther, none, nearer)


@njit(cache=True, nogil=True)
def _in_units(distance, unit):
    return distance / unit if unit > 0.0 and distance < np.inf else np.inf
