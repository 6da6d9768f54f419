"""Words differ when shapes differ, and do not when only the scale does."""

import itertools

import numpy as np
import pytest

from price_physics.motifs.paths import standard_paths, volatility_ratio
from price_physics.motifs.words import Shape, describe, describe_all, turning_points

N = 65
T = np.linspace(0, 1, N)
EVEN = np.full(64, 1 / 64)


def bump(centre, width):
    return np.exp(-(((T - centre) / width) ** 2))


CANONICAL = {
    "rise": T,
    "fall": -T,
    "v": np.abs(T - 0.5),
    "inverted v": -np.abs(T - 0.5),
    "flat then rise": np.maximum(T - 0.6, 0),
    "rise then flat": np.minimum(T, 0.4),
    "flat then fall": -np.maximum(T - 0.6, 0),
    "fall then flat": -np.minimum(T, 0.4),
    "accelerating rise": T**2,
    "slowing rise": 1 - (1 - T) ** 2,
    "accelerating fall": -(T**2),
    "spike up": bump(0.5, 0.05),
    "spike down": -bump(0.5, 0.05),
    "early spike": bump(0.15, 0.05),
    "double dip": -bump(0.25, 0.1) - bump(0.75, 0.1),
    "double top": bump(0.25, 0.1) + bump(0.75, 0.1),
    "step up": 1 / (1 + np.exp(-(T - 0.5) * 200)),
    "step down": -1 / (1 + np.exp(-(T - 0.5) * 200)),
    "late step up": 1 / (1 + np.exp(-(T - 0.9) * 200)),
    "early low": np.abs(T - 0.2),
    "late low": np.abs(T - 0.8),
    "zigzag up": T + 0.3 * np.sin(2 * np.pi * T * 1.5),
    "zigzag down": -T - 0.3 * np.sin(2 * np.pi * T * 1.5),
    "swings": np.sin(2 * np.pi * 4 * T),
    "rise with a dip": T - 0.3 * bump(0.5, 0.1),
    "flat": np.zeros(N),
}


def shape_of(curve, *, level=100.0, size=0.05, attention=EVEN, ratio=None):
    """The standardised shape of a price curve, as `build_motifs` would make it."""
    found = standard_paths(level * np.exp(size * curve), np.array([N - 1]), N)
    if ratio is None:
        ratio = volatility_ratio(found.early, found.late)
    return Shape(found.path[0], 0.5, ratio, attention)


def test_canonical_shapes_are_told_apart_without_a_number():
    texts = {name: describe(shape_of(c, ratio=1.0)) for name, c in CANONICAL.items()}
    for a, b in itertools.combinations(texts, 2):
        assert texts[a] != texts[b], (a, b, texts[a])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("rise", "rises strongly and steadily"),
        ("v", "falls to a low in the middle third, then climbs back to where it began"),
        ("early low", "falls to a low in the first third, then climbs above where it began"),
        ("flat then rise", "holds flat, then rises in the last third, closing near its high"),
        ("rise then flat", "rises in the first third, then holds flat"),
        ("spike up", "spikes up in the middle third and comes straight back"),
        ("double dip", "dips twice, with lows in the first third and the last third"),
        ("step down", "holds flat, drops in the middle third, then holds flat"),
        ("accelerating rise", "rises strongly and ever faster, closing near its high"),
        ("rise with a dip", "rises strongly and steadily with a shallow dip in the middle third"),
        ("flat", "moves sideways, closing in the middle of its range"),
    ],
)
def test_words_say_what_the_curve_does(name, says):
    assert says in describe(shape_of(CANONICAL[name]))


@pytest.mark.parametrize("name", sorted(CANONICAL))
def test_price_level_and_volatility_do_not_matter(name):
    curve = CANONICAL[name]
    reference = describe(shape_of(curve))
    assert describe(shape_of(curve, level=60_000.0)) == reference
    assert describe(shape_of(curve, size=0.001)) == reference


def test_volatility_and_attention_and_agreement_are_told():
    walk = np.random.default_rng(1).standard_normal(N)
    growing, calming = ((walk * g).cumsum() for g in (1 + 4 * T, 5 - 4 * T))
    assert "its moves growing" in describe(shape_of(growing))
    assert "its moves calming" in describe(shape_of(calming))
    late = np.where(np.arange(64) >= 48, 0.41 / 16, 0.59 / 48)
    said = "the network looks at the last quarter (41 % of its attention)"
    assert said in describe(shape_of(T, attention=late))
    assert "looks at the window evenly" in describe(shape_of(T))
    half = np.where(np.arange(64) < 32, 0.58 / 32, 0.42 / 32)
    assert "first half (58 % of its attention)" in describe(shape_of(T, attention=half))
    path = shape_of(T).path
    assert "events much alike" in describe(Shape(path, 0.1, 1.0, EVEN))
    assert "vary widely" in describe(Shape(path, 99.0, 1.0, EVEN))


def test_equal_words_are_extended_by_a_number_that_differs():
    path = shape_of(T).path
    shapes = [Shape(scale * path, 0.5, 1.0, EVEN) for scale in (1.0, 0.9, 0.8)]
    assert len({describe(s) for s in shapes}) == 1
    texts = describe_all(shapes)
    assert len(set(texts)) == 3
    assert texts[0].endswith("(net move +8.0 typical moves)")
    assert texts[1].endswith("(net move +7.2 typical moves)")


def test_close_numbers_get_more_digits_and_other_measures_serve_too():
    path = shape_of(T).path
    near = describe_all([Shape(path * s, 0.5, 1.0, EVEN) for s in (1.0, 1.001)])
    assert near[0].endswith("(net move +8.00 typical moves)")
    assert near[1].endswith("(net move +8.01 typical moves)")
    spread = describe_all([Shape(path, s, 1.0, EVEN) for s in (0.5, 0.6)])
    assert spread[0].endswith("(spread 0.5 typical moves)")


def test_identical_shapes_keep_identical_words():
    shape = shape_of(T)
    assert describe_all([shape, shape]) == [describe(shape)] * 2


def test_a_still_third_counts_as_still_despite_rounding():
    step = 1 / (1 + np.exp(-(T - 0.5) * 400))
    assert shape_of(step).volatility_ratio == pytest.approx(1.0, abs=1e-6)
    assert "growing" in describe(shape_of(np.maximum(T - 0.6, 0)))


def test_turning_points_ignore_small_reversals():
    path = np.array([0.0, 2.0, 1.5, 3.0, 1.0, 2.5])
    assert turning_points(path, 1.0) == [0, 3, 4, 5]
    assert turning_points(path, 0.4) == [0, 1, 2, 3, 4, 5]
    assert turning_points(np.zeros(4), 1.0) == [0, 3]
