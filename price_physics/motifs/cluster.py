"""Which events are explained, and which of them belong together.

Selection and clustering only; attribution comes in as numbers and words come later.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

ATTENTION_BINS = 8
ATTENTION_WEIGHT = 0.5
"""Weight of the attention beside the price path, which weighs 1."""


@dataclass(frozen=True)
class Clusters:
    """Clusters of one side, largest first.

    Attributes
    ----------
    member : int64 array of shape (n_events,)
        Number of the cluster.
    distance : float64 array of shape (n_events,)
        To the cluster's centre, in feature space.
    """

    member: np.ndarray
    distance: np.ndarray

    @property
    def n_clusters(self) -> int:
        return int(self.member.max()) + 1 if len(self.member) else 0


def lean(p_up: np.ndarray, p_down: np.ndarray) -> np.ndarray:
    """How much the model leans up: p_up - p_down, or p_up where the head has no p_down."""
    return p_up - np.where(np.isnan(p_down), 0.0, p_down)


def confident_events(lean: np.ndarray, side: int, max_events: int) -> np.ndarray:
    """Choose the events that lean most to a side: beyond the median, the strongest first.

    The median, not zero, divides the sides: a model of a month that mostly rose may never lean
    down in absolute terms, yet has its least bullish pictures.

    Returns
    -------
    int64 array
        Positions in ascending order, at most `max_events`.

    Examples
    --------
    >>> confident_events(np.array([0.1, 0.5, 0.2, 0.4, 0.3]), side=1, max_events=8)
    array([1, 3])
    >>> confident_events(np.array([0.1, 0.5, 0.2, 0.4, 0.3]), side=-1, max_events=1)
    array([0])
    """
    if not len(lean):
        return np.empty(0, dtype=np.int64)
    order = np.argsort(-side * lean, kind="stable")
    beyond = side * lean[order] > side * np.median(lean)
    return np.sort(order[beyond][:max_events]).astype(np.int64)


def cluster_features(path: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Concatenate price shape and attention, each block scaled by its own dispersion.

    Parameters
    ----------
    path : float64 array of shape (n_events, n_points)
        Standardised price paths.
    profile : float64 array of shape (n_events, n_bins)
        Attention by fraction of the window; rows sum to 1.

    Returns
    -------
    float64 array of shape (n_events, n_points + ATTENTION_BINS)
    """
    bins = np.arange(profile.shape[1]) * ATTENTION_BINS // profile.shape[1]
    attention = profile @ np.eye(ATTENTION_BINS)[bins]
    # Centred on its mean, a path's early and late points count alike; slope and shape remain.
    centred = path - path.mean(axis=1, keepdims=True)
    return np.hstack([_unit_variance(centred), ATTENTION_WEIGHT * _unit_variance(attention)])


def cluster(features: np.ndarray, n_clusters: int, seed: int) -> Clusters:
    """Cluster by k-means and order the clusters by size, then by their first event.

    Parameters
    ----------
    features : float64 array of shape (n_events, n_features)
    n_clusters : int
        At least 1, at most the number of events; fewer come back when events coincide.
    seed : int
        Seed of the initial centres.
    """
    n_clusters = min(n_clusters, len(np.unique(features, axis=0)))
    with threadpool_limits(limits=1):  # sums over threads come in any order
        fit = KMeans(n_clusters, random_state=seed, n_init=10).fit(features)
    raw = fit.labels_.astype(np.int64)
    sizes = np.bincount(raw, minlength=n_clusters)
    first = np.array([int(np.argmax(raw == k)) for k in range(n_clusters)])
    rank = np.empty(n_clusters, dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(n_clusters)
    distance = np.sqrt(((features - fit.cluster_centers_[raw]) ** 2).sum(axis=1))
    return Clusters(member=rank[raw], distance=distance)


def _unit_variance(block: np.ndarray) -> np.ndarray:
    """Scale a block so that its squared distance to the mean event averages 1."""
    total = float(((block - block.mean(axis=0)) ** 2).sum(axis=1).mean())
    return block / np.sqrt(total) if total > 1e-20 else np.zeros_like(block)
