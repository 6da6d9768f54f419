"""Pixels one at a time, in plain Python: what the tensor code must equal."""

import math
from itertools import pairwise


def blocks(n_bars, size):
    """Bars behind each pixel of an image: a list of positions."""
    if n_bars <= size:
        return [[i * n_bars // size] for i in range(size)]
    bounds = [i * n_bars // size for i in range(size + 1)]
    return [list(range(bounds[i], bounds[i + 1])) for i in range(size)]


def gramian(window, size, sample_range, difference):
    pixels = [sum(window[j] for j in block) / len(block) for block in blocks(len(window), size)]
    low, high = sample_range
    spread = max(pixels) - min(pixels)
    spread = spread if spread > 1e-14 else 1.0
    cos = [(p - min(pixels)) / spread * (high - low) + low for p in pixels]
    angle = [math.acos(max(-1.0, min(1.0, c))) for c in cos]
    if difference:
        return [[math.sin(a - b) for b in angle] for a in angle]
    return [[math.cos(a + b) for b in angle] for a in angle]


def quantile_edges(window, n_bins):
    ranked = sorted(window)
    edges = []
    for k in range(1, n_bins):
        place = (len(window) - 1) * k / n_bins
        i = math.floor(place)
        edges.append(ranked[i] + (ranked[min(i + 1, len(ranked) - 1)] - ranked[i]) * (place - i))
    if n_bins == 2:
        return edges
    return [e for e, after in pairwise(edges) if after - e > 1e-8] + edges[-1:]


def transition_field(window, size, n_bins):
    edges = quantile_edges(window, n_bins)
    state = [sum(edge < price for edge in edges) for price in window]
    counts = [[0] * n_bins for _ in range(n_bins)]
    for a, b in pairwise(state):
        counts[a][b] += 1

    def probability(a, b):
        return counts[a][b] / (sum(counts[a]) or 1)

    image = []
    for rows in blocks(len(window), size):
        line = []
        for columns in blocks(len(window), size):
            cells = [probability(state[r], state[c]) for r in rows for c in columns]
            line.append(sum(cells) / len(cells))
        image.append(line)
    return image
