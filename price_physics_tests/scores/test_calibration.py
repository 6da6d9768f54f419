"""Calibration errors by hand, and their floors against perfectly calibrated probabilities."""

import numpy as np
import pytest

from price_physics.scores.calibration import (
    calibration_error_equal_count,
    calibration_error_equal_width,
    equal_count_bins,
    reliability_table,
)

RNG = np.random.default_rng(0)


def test_perfect_calibration_shows_the_floor_and_overconfidence_more():
    errors, floors = [], []
    for _ in range(200):
        p = RNG.uniform(0.2, 0.8, 1_000)
        error, floor = calibration_error_equal_count(p, RNG.random(1_000) < p)
        errors.append(error)
        floors.append(floor)
    assert np.mean(errors) == pytest.approx(np.mean(floors), rel=0.05)
    came = RNG.random(1_000) < 0.5
    p = np.where(RNG.random(1_000) < 0.5, 0.9, 0.1)
    error, floor = calibration_error_equal_count(p, came)
    assert error > 5 * floor


def test_calibration_error_by_hand():
    came = [False, True, True, True]
    error, floor = calibration_error_equal_count([0.1, 0.2, 0.9, 0.8], came, n_bins=2)
    assert error == pytest.approx((0.7 + 0.3) / 4)
    assert floor == pytest.approx(np.sqrt(2 / np.pi * np.mean([0.09, 0.16, 0.09, 0.16]) * 2 / 4))


def test_reliability_table():
    table = reliability_table(np.array([0.0, 0.05, 0.55, 1.0]), np.array([0, 1, 1, 1]))
    assert table["n_events"].tolist() == [2, 1, 1]
    assert table["lower"].tolist() == [0.0, 0.5, 0.9]
    assert table["mean_probability"].tolist() == pytest.approx([0.025, 0.55, 1.0])
    assert table["frequency"].tolist() == [0.5, 1.0, 1.0]
    assert reliability_table(np.empty(0), np.empty(0)).empty


def test_the_two_kinds_of_bins_give_two_numbers():
    p, came = np.array([0.11, 0.12, 0.13, 0.14, 0.15, 0.85]), np.array([0, 1, 0, 0, 0, 1])
    assert [rows.tolist() for rows in equal_count_bins(p, 2)] == [[0, 1, 2], [3, 4, 5]]
    by_count = calibration_error_equal_count(p, came, n_bins=2)
    by_width = calibration_error_equal_width(reliability_table(p, came, n_bins=2))
    assert by_count.error == pytest.approx((0.64 + 0.14) / 6)
    assert by_width.error == pytest.approx((0.35 + 0.15) / 6)
    assert by_count.floor > 1.05 * by_width.floor
