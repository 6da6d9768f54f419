"""Draw the samples that train by their uniqueness, where there are more than a fit can use.

Uniqueness depends on outcomes, so nothing but training may be drawn by it.
"""

import numpy as np

from price_physics.frames import FloatArray, IntArray


def drawn_by_uniqueness(uniqueness: FloatArray, most: int | None) -> tuple[IntArray, float]:
    """Draw at most so many samples, the more likely the more unique, evenly spaced in uniqueness.

    A sample is drawn with probability ``min(1, u / w)``, where `w` makes these add up to `most`.
    Those that are drawn stand for the others too: they weigh ``u`` over that probability, which is
    ``max(u, w)``.

    Parameters
    ----------
    uniqueness : float64 array of shape (n_samples,)
        Average uniqueness, above 0, by time.
    most : int, or None
        None draws all.

    Returns
    -------
    drawn : int64 array
        `most` positions, in order; all of them where there are no more.
    least_weight : float
        `w`; 0 where all are drawn.

    References
    ----------
    Madow (1949), On the theory of systematic sampling, II.

    Examples
    --------
    >>> drawn_by_uniqueness(np.array([0.5, 0.5, 1.0, 0.25, 0.25, 0.5]), 3)
    (array([1, 2, 5]), 1.0)
    """
    n = len(uniqueness)
    if most is None or n <= most:
        return np.arange(n), 0.0
    # With the k most unique drawn for certain, w is what the others add up to, over most - k.
    by_size = np.sort(uniqueness)[::-1]
    others = np.cumsum(by_size[::-1])[::-1]
    weights = others[:most] / (most - np.arange(most))
    n_certain = int(np.argmax(by_size[:most] <= weights))
    least_weight = float(weights[n_certain])
    certain = np.argsort(-uniqueness, kind="stable")[:n_certain]
    rest = np.delete(np.arange(n), certain)
    upto = np.cumsum(uniqueness[rest])
    share = upto * ((most - n_certain) / upto[-1])
    drawn = rest[np.diff(np.ceil(share - 0.5), prepend=0.0) > 0]
    return np.sort(np.concatenate([certain, drawn])), least_weight
