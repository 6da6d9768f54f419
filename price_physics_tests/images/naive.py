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


def unit(window, size):
    """The window, averaged in blocks where it is longer than the image, scaled to [0, 1]."""
    if len(window) > size:
        window = [sum(window[j] for j in block) / len(block) for block in blocks(len(window), size)]
    spread = max(window) - min(window)
    return [(p - min(window)) / (spread if spread > 1e-14 else 1.0) for p in window]


def recurrence(window, size):
    x = unit(window, size)
    pixels = [i * len(x) // size for i in range(size)]
    return [[abs(x[a] - x[b]) for b in pixels] for a in pixels]


def wavelet(window, size):
    x = unit(window, size)
    n_bars = len(x)
    n_scales = min(32, n_bars)
    largest = max(n_bars / 4, 1)
    coefficients = []
    for i in range(n_scales):
        scale = largest ** (i / (n_scales - 1))
        ricker = {
            u: (1 - (u / scale) ** 2) * math.exp(-((u / scale) ** 2) / 2)
            for u in range(-math.ceil(8 * scale), math.ceil(8 * scale) + 1)
        }
        above = sum(w for w in ricker.values() if w > 0)
        below = -sum(w for w in ricker.values() if w < 0)
        line = []
        for t in range(n_bars):
            total = 0.0
            for u, weight in ricker.items():
                price = x[max(0, min(n_bars - 1, t + u))]
                total += price * weight / (above if weight > 0 else below)
            line.append(total)
        coefficients.append(line)
    pixels = [i * n_bars // size for i in range(size)]
    return [[coefficients[r * n_scales // n_bars][t] for t in pixels] for r in pixels]


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
