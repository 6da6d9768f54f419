import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from price_physics.walk_forward.statistics import (
    deflated_sharpe_ratio,
    expected_maximum,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
)


@pytest.mark.parametrize(("n_trials", "expected"), [(100, 0.900397), (46, 0.950502)])
def test_golden_deflated_sharpe(n_trials, expected):
    value = deflated_sharpe_ratio(2.5 / math.sqrt(250), 1250, -3, 10, 0.5 / 250, n_trials)
    assert value == pytest.approx(expected, abs=5e-7)


def test_golden_benchmark_of_the_deflated_sharpe():
    assert math.sqrt(0.5 / 250) * expected_maximum(100) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("skew", "kurtosis", "expected"), [(0, 3, 0.9817), (-2.448, 10.164, 0.9134)]
)
def test_golden_probabilistic_sharpe(skew, kurtosis, expected):
    value = probabilistic_sharpe_ratio(0.458, 24, skew, kurtosis)
    assert value == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("a_year", "years"), [(250, 2.731), (52, 2.829), (12, 3.240)])
def test_golden_minimum_track_record(a_year, years):
    root = math.sqrt(a_year)
    n = minimum_track_record_length(2 / root, 0, 3, benchmark=1 / root)
    assert n / a_year == pytest.approx(years, abs=5e-4)


@pytest.mark.parametrize(("n", "expected"), [(1, 0.0), (10, 1.5746), (100, 2.5306)])
def test_golden_expected_maximum(n, expected):
    assert expected_maximum(n) == pytest.approx(expected, abs=5e-5)


def test_one_trial_deflates_nothing():
    arguments = (0.1, 200, -0.5, 5.0)
    assert deflated_sharpe_ratio(*arguments, 0.01, 1) == probabilistic_sharpe_ratio(*arguments)


@given(st.floats(0.01, 0.5), st.floats(-2, 2), st.floats(0.1, 10))
def test_the_track_record_is_what_the_probability_asks_for(sharpe, skew, excess):
    kurtosis = skew**2 + 1 + excess
    n = minimum_track_record_length(sharpe, skew, kurtosis, confidence=0.9)
    enough = probabilistic_sharpe_ratio(sharpe, math.ceil(n) + 1, skew, kurtosis)
    assert enough >= 0.9 - 1e-9
    if n > 3:
        assert probabilistic_sharpe_ratio(sharpe, math.floor(n) - 1, skew, kurtosis) <= 0.9


def test_no_track_record_is_long_enough_for_a_loser():
    assert minimum_track_record_length(-0.1, 0, 3) == math.inf


def test_moments_no_distribution_has_are_refused():
    with pytest.raises(ValueError, match="Pearson"):
        probabilistic_sharpe_ratio(0.1, 100, 0, 0)  # excess kurtosis handed over by mistake


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="n_obs = 1"):
        probabilistic_sharpe_ratio(0.1, 1, 0, 3)
    with pytest.raises(ValueError, match="n_trials = 0"):
        expected_maximum(0)
    with pytest.raises(ValueError, match="negative"):
        deflated_sharpe_ratio(0.1, 100, 0, 3, -1.0, 2)
    with pytest.raises(ValueError, match="confidence"):
        minimum_track_record_length(0.1, 0, 3, confidence=0.2)


def test_certainty_at_the_edge_of_the_moments():
    # Returns of two values only: skew 1, kurtosis 2, and 1 - SR + SR**2 / 4 = 0 at SR 2.
    assert probabilistic_sharpe_ratio(2.0, 10, 1.0, 2.0) == 1.0
    assert probabilistic_sharpe_ratio(2.0, 10, 1.0, 2.0, benchmark=2.0) == 0.5


def test_sharpe_ratio():
    assert sharpe_ratio(np.array([0.01, 0.03])) == pytest.approx(0.02 / (0.01 * math.sqrt(2)))
    assert sharpe_ratio(np.array([0.01])) is None
    assert sharpe_ratio(np.full(9, 0.1)) is None
