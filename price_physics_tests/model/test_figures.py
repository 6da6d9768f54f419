"""The floor under a calibration error: at the effective sample, and reached by perfect models."""

import numpy as np
import pandas as pd
import pytest

from price_physics.model.figures import draw_calibration, draw_learning_curves
from price_physics.model.summary import judge_calibration
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.scores.calibration import calibration_error_equal_count

PNG = b"\x89PNG"


def out_of_fold(n, spell=1, seed=0, binary=False):
    """Make calibrated rows: probability and outcome change every `spell` events, labels overlap."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([4, 3, 4], n // spell)
    label = (p.cumsum(axis=1) < rng.random(n // spell)[:, None]).sum(axis=1) - 1
    p, label = np.repeat(p, spell, axis=0), np.repeat(label, spell).astype(np.int8)
    frame = pd.DataFrame({name: np.ones(n) for name in OUT_OF_FOLD.columns})
    frame["event_time_ns"] = np.arange(n)
    frame["label_end_ns"] = np.arange(n) + spell - 1
    frame["label"] = label
    frame["p_down"], frame["p_flat"], frame["p_up"] = p.T
    return frame.assign(p_down=np.nan, p_flat=np.nan) if binary else frame


@pytest.mark.parametrize(("spell", "within"), [(1, 0.2), (8, 0.35)])
def test_a_calibrated_model_shows_the_floor_of_its_effective_sample(spell, within):
    n, errors, floors, plain = 2_400, [], [], []
    for seed in range(12):
        frame = out_of_fold(n, spell, seed)
        judged = judge_calibration(frame)
        # The product of two autocorrelations counts overlap a little short.
        assert 0.85 * n / spell < judged["n_effective"] <= 1.7 * n / spell
        floors.append(judged["calibration_floor_equal_count_effective"])
        for name, value in (("down", -1), ("flat", 0), ("up", 1)):
            error, floor = calibration_error_equal_count(
                frame[f"p_{name}"], frame["label"] == value
            )
            errors.append(error)
            plain.append(floor)
    assert np.mean(errors) == pytest.approx(np.mean(floors), rel=within)
    if spell > 1:  # by the number of rows, a perfect model would seem badly calibrated
        assert np.mean(errors) > 2 * np.mean(plain)


def test_the_binary_head_is_judged_on_its_one_probability():
    assert set(judge_calibration(out_of_fold(500, binary=True))) == {
        "n_effective",
        "calibration_floor_equal_count_effective",
    }
    assert draw_calibration(out_of_fold(500, binary=True)).startswith(PNG)


def test_a_warm_up_has_nothing_to_judge():
    assert judge_calibration(OUT_OF_FOLD.empty()) == {}


@pytest.mark.slow
def test_the_pictures_are_the_same_bytes_twice():
    frame = out_of_fold(300)
    assert draw_calibration(frame).startswith(PNG)
    assert draw_calibration(frame) == draw_calibration(frame)
    curves = pd.DataFrame(
        {
            "fold": [-1, -1, 0, 0],
            "epoch": [1, 2, 1, 2],
            "train_loss": [1.0, 0.9, 1.0, 0.8],
            "early_stop_loss": [np.nan, np.nan, 1.1, 1.0],
            "learning_rate": 0.1,
            "known_at": 0,
        }
    )[LEARNING_CURVES.columns]
    assert draw_learning_curves(curves).startswith(PNG)
    assert draw_learning_curves(curves) == draw_learning_curves(curves)
