"""Boosted trees for two classes that start from given log-odds.

They stand in for the network: what they may start from is `model.offset` of a study. scikit-learn's
histogram trees take no such start, so these are grown here.
"""

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

N_TREES = 100
DEPTH = 3
RATE = 0.05
"""Share of every tree that is added."""
LEAST = 200
"""Fewest events of a leaf: labels overlap, so few of them say little."""
SHRINK = 1.0
"""Added to the curvature of every leaf."""
N_BINS = 64

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trees:
    """A constant and trees, all to be added to the offset.

    `edges` (n_features, N_BINS - 1) cut the features into bins. A tree is whole: node 0 is its
    root, nodes 2 i + 1 and 2 i + 2 are below node i, and right is where the bin is above `cut`.
    """

    constant: float
    edges: Floats
    feature: npt.NDArray[np.int64]  # (n_trees, 2**DEPTH - 1)
    cut: npt.NDArray[np.int64]  # the same
    leaf: Floats  # (n_trees, 2**DEPTH)

    def log_odds(self, features: Floats, offset: Floats) -> Floats:
        """Log-odds (n,) of events with features (n, n_features) and offset (n,)."""
        bins = _binned(features, self.edges)
        total = offset + self.constant
        for feature, cut, leaf in zip(self.feature, self.cut, self.leaf, strict=True):
            total += leaf[_leaf_of(bins, feature, cut)]
        return total


def fit(features: Floats, won: npt.NDArray[np.bool_], offset: Floats) -> Trees:
    """Boost trees on what an offset leaves of the log loss.

    Parameters
    ----------
    features : float64 array of shape (n, n_features)
        Finite.
    won : bool array of shape (n,)
    offset : float64 array of shape (n,)
        Log-odds that every event starts from; 0 everywhere for trees that start from nothing.

    Notes
    -----
    With p the chances so far, a leaf is ``RATE * sum(won - p) / (sum(p (1 - p)) + SHRINK)``, a
    Newton step, and a split is the one that gains most of ``sum(won - p)**2 / (sum(p (1 - p)) +
    SHRINK)`` (Friedman 2001, Greedy function approximation, Annals of Statistics 29; Chen and
    Guestrin 2016, XGBoost). Nothing is drawn: the same events give the same trees.
    """
    edges = np.quantile(features, np.arange(1, N_BINS) / N_BINS, axis=0).T.copy()
    bins = _binned(features, edges)
    constant = _best_constant(won, offset)
    total = offset + constant
    grown = []
    for _ in range(N_TREES):
        p = chance(total)
        feature, cut, leaf = _grow(bins, won - p, p * (1 - p), DEPTH, N_BINS, LEAST, SHRINK)
        leaf *= RATE
        total += leaf[_leaf_of(bins, feature, cut)]
        grown.append((feature, cut, leaf))
    return Trees(constant, edges, *(np.array(part) for part in zip(*grown, strict=True)))


def chance(log_odds: Floats) -> Floats:
    """Probability of log-odds."""
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _best_constant(won: npt.NDArray[np.bool_], offset: Floats) -> float:
    """The constant with the least log loss, by Newton's method."""
    constant = 0.0
    for _ in range(50):
        p = chance(offset + constant)
        step = (won - p).sum() / (p * (1 - p)).sum()
        constant += float(np.clip(step, -1, 1))
        if abs(step) < 1e-12:
            return constant
    raise ValueError(f"{int(won.sum())} of {len(won)} events won: give events of both classes")


def _binned(features: Floats, edges: Floats) -> npt.NDArray[np.uint8]:
    """Bins (n_features, n): how many edges lie below each value."""
    columns = zip(edges, features.T, strict=True)
    return np.stack([np.searchsorted(cuts, of).astype(np.uint8) for cuts, of in columns])


@numba.njit(cache=True)
def _leaf_of(bins, feature, cut):
    n_inner = len(feature)
    leaf = np.empty(bins.shape[1], np.int64)
    for row in range(bins.shape[1]):
        node = 0
        while node < n_inner:
            node = 2 * node + 1 + (bins[feature[node], row] > cut[node])
        leaf[row] = node - n_inner
    return leaf


@numba.njit(cache=True)
def _grow(bins, gradient, curvature, depth, n_bins, least, shrink):
    n_features, n_rows = bins.shape
    n_inner = 2**depth - 1
    feature = np.zeros(n_inner, np.int64)
    cut = np.full(n_inner, n_bins, np.int64)  # no split: all rows go left
    node = np.zeros(n_rows, np.int64)
    for level in range(depth):
        first, n_nodes = 2**level - 1, 2**level
        best = np.full(n_nodes, 1e-12)
        for f in range(n_features):
            sums = np.zeros((n_nodes, n_bins, 3))
            of = bins[f]
            for row in range(n_rows):
                cell = sums[node[row] - first, of[row]]
                cell[0] += gradient[row]
                cell[1] += curvature[row]
                cell[2] += 1
            for i in range(n_nodes):
                g, h, n = sums[i, :, 0].sum(), sums[i, :, 1].sum(), sums[i, :, 2].sum()
                g_left, h_left, n_left = 0.0, 0.0, 0.0
                for b in range(n_bins - 1):
                    g_left += sums[i, b, 0]
                    h_left += sums[i, b, 1]
                    n_left += sums[i, b, 2]
                    if n_left < least or n - n_left < least:
                        continue
                    g_right, h_right = g - g_left, h - h_left
                    gain = (
                        g_left**2 / (h_left + shrink)
                        + g_right**2 / (h_right + shrink)
                        - g**2 / (h + shrink)
                    )
                    if gain > best[i]:
                        best[i] = gain
                        feature[first + i], cut[first + i] = f, b
        for row in range(n_rows):
            at = node[row]
            node[row] = 2 * at + 1 + (bins[feature[at], row] > cut[at])
    sums = np.zeros((n_inner + 1, 2))
    for row in range(n_rows):
        sums[node[row] - n_inner, 0] += gradient[row]
        sums[node[row] - n_inner, 1] += curvature[row]
    return feature, cut, sums[:, 0] / (sums[:, 1] + shrink)
