"""A motif in plain words: how price moves, where it closes, where the network looks.

Deterministic and scale-free. It describes and claims nothing: no forecasts, no outcomes, no
plots belong here.
"""

from dataclasses import dataclass

import numpy as np

TURN = 0.2
"""A turning point reverses at least this share of the path's range."""

_SIDEWAYS = 0.35
_THIRDS = ("first", "middle", "last")
_QUARTERS = ("first", "second", "third", "last")


@dataclass(frozen=True)
class Shape:
    """What the words describe: the mean of a motif's events.

    Attributes
    ----------
    path : float64 array of shape (n_points,)
        Mean price path in typical moves (see `motifs.paths`).
    spread : float
        Standard deviation of the events around it, mean over time, same unit.
    volatility_ratio : float
        Root mean square bar change in the window's last third over that in its first third.
    attention : float64 array of shape (n_bins,)
        Share of the attribution by fraction of the window; sums to 1.
    """

    path: np.ndarray
    spread: float
    volatility_ratio: float
    attention: np.ndarray


def describe(shape: Shape) -> str:
    """Put one shape into a plain sentence without a full stop.

    Examples
    --------
    >>> even = np.full(4, 0.25)
    >>> describe(Shape(np.linspace(0, 2, 32), 0.5, 1.0, even))
    'rises strongly and steadily, closing near its high; the network looks at the window evenly'
    >>> describe(Shape(np.abs(np.linspace(-1, 1, 32)), 0.5, 2.0, np.array([0.1, 0.1, 0.3, 0.5])))
    'falls to a low in the middle third, then climbs back to where it began, closing near its \
high, its moves growing; the network looks at the last quarter (50 % of its attention)'
    """
    clauses = [f"{_movement(shape.path)}, {_close(shape.path)}"]
    clauses += [c for c in (_volatility(shape.volatility_ratio), _agreement(shape)) if c]
    return f"{', '.join(clauses)}; {_attention(shape.attention)}"


def describe_all(shapes: list[Shape]) -> list[str]:
    """Describe several shapes; where words coincide, add the number that tells them apart."""
    words = [describe(s) for s in shapes]
    for text in sorted({w for w in words if words.count(w) > 1}):
        group = [i for i, w in enumerate(words) if w == text]
        for i, number in zip(group, _telling_numbers([shapes[i] for i in group]), strict=True):
            words[i] = f"{text} ({number})" if number else text
    return words


def _telling_numbers(shapes: list[Shape]) -> list[str]:
    """One quantity that differs between all the shapes, at the fewest digits that show it."""
    measures = (
        ("net move {} typical moves", [s.path[-1] - s.path[0] for s in shapes], "+"),
        (
            "attention to the last quarter {} %",
            [100 * _fold(s.attention, 4)[-1] for s in shapes],
            "",
        ),
        ("range {} typical moves", [float(np.ptp(s.path)) for s in shapes], ""),
        ("spread {} typical moves", [s.spread for s in shapes], ""),
        ("moves late over early {}", [s.volatility_ratio for s in shapes], ""),
    )
    for digits in (1, 2, 4):
        for template, values, sign in measures:
            shown = [format(v, f"{sign}.{digits}f") for v in values]
            if len(set(shown)) == len(shown):
                return [template.format(text) for text in shown]
    combined = [
        ", ".join(t.format(f"{v[i]:.4f}") for t, v, _ in measures) for i in range(len(shapes))
    ]
    return combined if len(set(combined)) > 1 else [""] * len(shapes)


# ---------------------------------------------------------------------------- price
def turning_points(path: np.ndarray, threshold: float) -> list[int]:
    """Positions where the path turns by at least `threshold`, its two ends included.

    Examples
    --------
    >>> turning_points(np.array([0.0, 1.0, 2.0, 0.5, 3.0]), 1.0)
    [0, 2, 3, 4]
    """
    pivots, direction, extreme, low, high = [0], 0, 0, 0, 0
    for i, value in enumerate(path):
        low, high = (i if value < path[low] else low), (i if value > path[high] else high)
        if direction == 0:
            if max(value - path[low], path[high] - value) >= threshold:
                direction, extreme = (1 if value - path[low] >= threshold else -1), i
        elif direction * (value - path[extreme]) > 0:
            extreme = i
        elif direction * (path[extreme] - value) >= threshold:
            pivots.append(extreme)
            direction, extreme = -direction, i
    return [*pivots, len(path) - 1]


def _movement(path: np.ndarray) -> str:
    extent = float(np.ptp(path))
    if extent < _SIDEWAYS:
        return "moves sideways"
    pivots = turning_points(path, TURN * extent)
    n_legs = len(pivots) - 1
    if n_legs == 1:
        return _one_leg(path)
    if n_legs == 2:
        return _two_legs(path, pivots[1])
    up = path[pivots[1]] > path[pivots[0]]
    places = [_third(p / (len(path) - 1)) for p in pivots[1:-1]]
    if n_legs == 3:
        first, back, again = (
            ("rises", "falls back", "rises") if up else ("falls", "recovers", "falls")
        )
        return f"{first} until the {places[0]}, {back} until the {places[1]} and {again} again"
    if n_legs == 4:
        what, ends = ("peaks twice", "highs") if up else ("dips twice", "lows")
        return f"{what}, with {ends} in the {places[0]} and the {places[2]}"
    return f"{'rises' if up else 'falls'} first and swings {n_legs - 1} times"


def _one_leg(path: np.ndarray) -> str:
    """Rise or fall: when it happens, how suddenly, and how much it gives back on the way."""
    sign = 1.0 if path[-1] >= path[0] else -1.0
    done = np.maximum.accumulate(sign * (path - path[0])) / (sign * (path[-1] - path[0]))
    start, half, stop = (float(np.argmax(done >= q)) / (len(path) - 1) for q in (0.1, 0.5, 0.9))
    up = sign > 0
    verb = ("jumps" if up else "drops") if stop - start <= 0.15 else ("rises" if up else "falls")
    where = f"in the {_third(half)}"
    if start > 0.3 and stop < 0.7:
        text = f"holds flat, {verb} {where}, then holds flat"
    elif start > 0.4:
        text = f"holds flat, then {verb} {where}"
    elif stop < 0.6:
        text = f"{verb} {where}, then holds flat"
    else:
        text = f"{verb} {_strength(path)}{_pace(half)}"
    back = np.maximum.accumulate(sign * path) - sign * path
    if back.max() >= 0.08 * np.ptp(path):
        dip = "dip" if up else "rally"
        text += f" with a shallow {dip} in the {_third(int(back.argmax()) / (len(path) - 1))}"
    return text


def _two_legs(path: np.ndarray, turn: int) -> str:
    out, back = abs(path[turn] - path[0]), abs(path[-1] - path[turn])
    up = path[turn] > path[0]
    place = f"in the {_third(turn / (len(path) - 1))}"
    height = np.abs(path - path[[0, -1]].mean())
    beyond = height >= 0.5 * height[turn]
    if beyond.mean() <= 0.2 and min(out, back) >= 0.75 * max(out, back):
        return f"spikes {'up' if up else 'down'} {place} and comes straight back"
    first = f"rises to a high {place}" if up else f"falls to a low {place}"
    verb = "falls" if up else "climbs"
    if back < 0.75 * out:
        return f"{first}, then gives back a part" if up else f"{first}, then recovers a part"
    if back > out / 0.75:
        return f"{first}, then {verb} {'below' if up else 'above'} where it began"
    return f"{first}, then {verb} back to where it began"


def _strength(path: np.ndarray) -> str:
    net = abs(path[-1] - path[0])
    return "strongly and " if net >= 1.6 else "gently and " if net < 0.8 else ""


def _pace(half: float) -> str:
    return "ever faster" if half > 0.65 else "ever more slowly" if half < 0.35 else "steadily"


def _third(fraction: float) -> str:
    return f"{_THIRDS[min(int(3 * fraction), 2)]} third"


def _close(path: np.ndarray) -> str:
    extent = float(np.ptp(path))
    place = (path[-1] - path.min()) / extent if extent > 0 else 0.5
    if place > 0.85:
        return "closing near its high"
    if place < 0.15:
        return "closing near its low"
    part = "upper part" if place > 0.6 else "lower part" if place < 0.4 else "middle"
    return f"closing in the {part} of its range"


# ---------------------------------------------------------------------------- the rest
def _volatility(ratio: float) -> str:
    return "its moves growing" if ratio > 1.4 else "its moves calming" if ratio < 1 / 1.4 else ""


def _agreement(shape: Shape) -> str:
    extent = float(np.ptp(shape.path))
    if shape.spread > 1.2 * extent:
        return "though its events vary widely"
    return "its events much alike" if shape.spread < 0.25 * extent else ""


def _fold(attention: np.ndarray, n_bins: int) -> np.ndarray:
    bins = np.arange(len(attention)) * n_bins // len(attention)
    return np.bincount(bins, weights=attention, minlength=n_bins)


def _attention(attention: np.ndarray) -> str:
    quarters, halves = _fold(attention, 4), _fold(attention, 2)
    top, half = int(quarters.argmax()), int(halves.argmax())
    if quarters[top] >= 0.31:
        share = f"{100 * quarters[top]:.0f} % of its attention"
        return f"the network looks at the {_QUARTERS[top]} quarter ({share})"
    if halves[half] >= 0.55:
        share = f"{100 * halves[half]:.0f} % of its attention"
        return f"the network looks at the {('first', 'second')[half]} half ({share})"
    return "the network looks at the window evenly"
