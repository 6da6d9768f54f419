"""Temperature and bias recover what was planted, and undo what weights did."""

import numpy as np
import pytest
from scipy.optimize import minimize

from price_physics.model.calibration import (
    Calibration,
    cross_calibrated,
    fit_calibration,
    training_log_odds,
)
from price_physics.scores.calibration import calibration_error_equal_count
from price_physics.scores.probabilities import log_loss, log_softmax


def simulate(n, n_classes, seed=0, spread=1.0):
    """True log-probabilities and the classes drawn from them."""
    rng = np.random.default_rng(seed)
    log_p = log_softmax(rng.normal(0, spread, (n, n_classes)))
    classes = (np.exp(log_p).cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    return log_p, np.minimum(classes, n_classes - 1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_recovers_a_known_temperature_and_bias(n_classes):
    log_p, classes = simulate(60_000, n_classes)
    bias = np.array([0.7, -0.2, -0.5])[:n_classes]
    bias = bias - bias.mean()
    fitted = fit_calibration((log_p - bias) * 2.5, classes)
    assert fitted.temperature == pytest.approx(2.5, rel=0.03)
    np.testing.assert_allclose(fitted.bias, bias, atol=0.03)
    assert sum(fitted.bias) == pytest.approx(0, abs=1e-12)


def test_undoes_class_weights_where_temperature_alone_fails():
    log_p, classes = simulate(40_000, 2)
    weighted = log_p + np.log([1, 4])  # what a network trained with weights 1 to 4 says
    best = log_loss(np.exp(log_p), classes)
    with_bias = fit_calibration(weighted, classes)
    alone = fit_calibration(weighted, classes, fit_bias=False)
    assert log_loss(with_bias.probabilities(weighted), classes) < best + 1e-4
    assert log_loss(alone.probabilities(weighted), classes) > best + 0.02
    assert with_bias.probabilities(weighted)[:, 1].mean() == pytest.approx(classes.mean(), abs=1e-6)
    assert with_bias.bias[0] - with_bias.bias[1] == pytest.approx(np.log(4), abs=0.05)


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_without_bias_it_is_sklearns_temperature_scaling(scale):
    from sklearn.calibration import _TemperatureScaling

    log_p, classes = simulate(4_000, 3, seed=5)
    logits = log_p * scale
    oracle = _TemperatureScaling().fit(logits, classes)
    fitted = fit_calibration(logits, classes, fit_bias=False)
    assert 1 / fitted.temperature == pytest.approx(float(oracle.beta_), rel=1e-5)
    np.testing.assert_allclose(fitted.probabilities(logits), oracle.predict(logits), atol=1e-6)
    assert fitted.bias == [0, 0, 0]


def test_logits_that_know_nothing_become_base_rates():
    rng = np.random.default_rng(1)
    classes = rng.choice(3, 5_000, p=[0.6, 0.1, 0.3])
    logits = 3 * rng.normal(size=(5_000, 3))
    fitted = fit_calibration(logits, classes)
    assert fitted.temperature > 20
    shares = np.bincount(classes) / len(classes)
    np.testing.assert_allclose(fitted.probabilities(logits).mean(axis=0), shares, atol=1e-6)


def test_an_inverted_model_keeps_a_positive_temperature():
    log_p, classes = simulate(5_000, 3)
    fitted = fit_calibration(-log_p, classes)
    assert 0 < fitted.temperature < np.inf
    assert fitted.probabilities(log_p).std(axis=0).max() < 0.01


def test_a_class_that_never_comes_out_is_improbable_and_finite():
    log_p, classes = simulate(2_000, 2)
    logits = np.column_stack([log_p, np.full(len(log_p), -1.0)])
    p = fit_calibration(logits, classes).probabilities(logits)
    assert np.isfinite(p).all()
    assert p[:, 2].max() < 0.01


def test_the_same_logits_give_the_same_calibration():
    log_p, classes = simulate(3_000, 3, seed=2)
    assert fit_calibration(log_p, classes) == fit_calibration(log_p.copy(), classes.copy())


def test_probabilities_are_softmax_of_scaled_logits_plus_bias():
    p = Calibration(2.0, [0.0, np.log(3)]).probabilities([[0.0, 0.0], [2.0, 0.0]])
    np.testing.assert_allclose(p, [[0.25, 0.75], [np.e / (np.e + 3), 3 / (np.e + 3)]])


def test_training_log_odds_are_weighted_shares():
    classes, weights = [0, 2, 2, 0, 0], [1.0, 2.0, 2.0, 1.0, 4.0]
    np.testing.assert_allclose(np.exp(training_log_odds(classes, weights, 3)), [0.6, 0.1, 0.4])


# ---------------------------------------------------------------------------- the offset
@pytest.mark.parametrize("n_classes", [2, 3])
def test_temperature_and_bias_are_found_beside_an_offset_that_neither_touches(n_classes):
    rng = np.random.default_rng(4)
    offset = log_softmax(rng.normal(0, 1.5, (60_000, n_classes)))
    known = rng.normal(0, 0.7, (60_000, n_classes))
    bias = np.array([0.7, -0.2, -0.5])[:n_classes]
    p = np.exp(log_softmax(known + bias + offset))
    classes = (p.cumsum(axis=1) < rng.random(len(p))[:, None]).sum(axis=1).clip(max=n_classes - 1)
    fitted = fit_calibration(known * 2.5, classes, offset)
    assert fitted.temperature == pytest.approx(2.5, rel=0.04)
    np.testing.assert_allclose(fitted.bias, bias - bias.mean(), atol=0.03)
    np.testing.assert_allclose(fitted.probabilities(known * 2.5, offset), p, atol=0.02)
    blind = fit_calibration(known * 2.5, classes)
    with_offset = log_loss(fitted.probabilities(known * 2.5, offset), classes)
    assert with_offset < log_loss(blind.probabilities(known * 2.5), classes) - 0.1


def test_logits_that_know_nothing_become_the_offset():
    rng = np.random.default_rng(1)
    p = rng.dirichlet([2, 1, 3], 5_000)
    classes = (p.cumsum(axis=1) < rng.random(5_000)[:, None]).sum(axis=1)
    fitted = fit_calibration(3 * rng.normal(size=(5_000, 3)), classes, np.log(p))
    np.testing.assert_allclose(fitted.probabilities(np.zeros((5_000, 3)), np.log(p)), p, atol=0.02)


def test_training_log_odds_are_what_the_offset_does_not_say():
    """Compared with the intercept of a weighted regression with the offset and nothing else."""
    rng = np.random.default_rng(3)
    offset = log_softmax(rng.normal(0, 2, (400, 3)))
    classes, weights = rng.choice(3, 400, p=[0.6, 0.3, 0.1]), rng.uniform(0.1, 2, 400)
    found = training_log_odds(classes, weights, 3, offset)

    def loss(a):
        log_p = log_softmax(np.r_[a, 0] + offset)
        return -(weights * log_p[np.arange(400), classes]).sum()

    best = minimize(loss, np.zeros(2), options={"gtol": 1e-9}).x
    np.testing.assert_allclose(found[:2] - found[2], best, atol=1e-5)
    assert np.exp(found).sum() == pytest.approx(1)
    # An offset that is the same for all says nothing: only the shares are left.
    alike = np.broadcast_to(np.log([0.2, 0.3, 0.5]), (400, 3))
    shares = np.bincount(classes, weights) / weights.sum()
    odds = training_log_odds(classes, weights, 3, alike)
    np.testing.assert_allclose(np.diff(odds + np.log([0.2, 0.3, 0.5])), np.diff(np.log(shares)))


def test_each_fold_has_its_own_offset():
    log_p, classes = simulate(300, 3)
    offset = log_softmax(np.random.default_rng(8).normal(0, 1, (300, 3)))
    folds = np.repeat([4, 1, 7], 100)
    p = cross_calibrated(log_p, classes, folds, offset)
    other = folds != 1
    fitted = fit_calibration(log_p[other], classes[other], offset[other])
    expected = fitted.probabilities(log_p[~other], offset[~other])
    np.testing.assert_array_equal(p[~other], expected)


# ---------------------------------------------------------------------------- judged honestly
def test_each_folds_probabilities_come_from_the_other_folds():
    log_p, classes = simulate(300, 3)
    folds = np.repeat([4, 1, 7], 100)
    p = cross_calibrated(log_p * 2, classes, folds)
    other = folds != 1
    expected = fit_calibration(log_p[other] * 2, classes[other]).probabilities(log_p * 2)
    np.testing.assert_array_equal(p[folds == 1], expected[folds == 1])
    turned = np.where(folds == 1, 2 - classes, classes)
    again = cross_calibrated(log_p * 2, turned, folds)
    np.testing.assert_array_equal(again[folds == 1], p[folds == 1])
    assert not np.array_equal(again[folds == 4], p[folds == 4])


def test_pure_noise_does_not_seem_to_know_anything():
    """Cross-calibrated losses equal those on fresh rows; losses on the fitted rows are too low."""
    rng, n = np.random.default_rng(0), 100
    folds = np.repeat(np.arange(5, dtype=np.int32), n // 5)
    loss = {"own": [], "cross": [], "fresh": [], "base": []}
    error = {"own": [], "cross": [], "fresh": []}
    for _ in range(30):
        classes = rng.choice(3, 2 * n, p=[0.4, 0.2, 0.4])
        logits = rng.normal(size=(2 * n, 3))
        fitted = fit_calibration(logits[:n], classes[:n])
        judged = {
            "own": (fitted.probabilities(logits[:n]), classes[:n]),
            "cross": (cross_calibrated(logits[:n], classes[:n], folds), classes[:n]),
            "fresh": (fitted.probabilities(logits[n:]), classes[n:]),
        }
        for name, (p, came) in judged.items():
            loss[name].append(log_loss(p, came))
            error[name].append(calibration_error_equal_count(p[:, 2], came == 2)[0])
        base = np.bincount(classes[:n]) / n
        loss["base"].append(log_loss(np.tile(base, (n, 1)), classes[:n]))
    own, cross, fresh, base = (np.array(loss[k]) for k in ("own", "cross", "fresh", "base"))
    assert (own <= base + 1e-3).all()  # knowledge, it would seem, in every run
    assert (cross > base).mean() > 0.9
    assert cross.mean() > fresh.mean() - 0.01
    assert cross.mean() < fresh.mean() + 0.03  # four fifths of the rows calibrate a little worse
    assert np.mean(error["own"]) < np.mean(error["fresh"]) < np.mean(error["cross"]) + 0.01
