"""Our fields against pyts, the oracle. Importing pyts compiles it, for half a minute."""

import warnings

import numpy as np
import pytest
import torch

from price_physics.images.render import Renderer, gadf, gasf, mtf, recurrence
from price_physics.study.images import ImagesConfig

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pyts_image():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyts.approximation
        import pyts.image
        import pyts.preprocessing
    return pyts.image


def windows(kind, n_bars):
    rng = np.random.default_rng(n_bars)
    walk = np.cumsum(rng.normal(size=(12, n_bars)), axis=1)
    return {
        "walk": walk,
        "prices": 5 * np.exp(0.01 * walk),
        "ties": np.round(walk),
        "few": rng.integers(0, 3, size=(12, n_bars)).astype(np.float64),
        "constant": np.full((2, n_bars), 4.87),
        "monotone": np.cumsum(rng.random((12, n_bars)), axis=1) * np.array([1, -1] * 6)[:, None],
        "steps": np.repeat(walk[:, : n_bars // 4 + 1], 4, axis=1)[:, :n_bars],
        "tiny": 1e-8 * np.round(walk),
    }[kind]


KINDS = ["walk", "prices", "ties", "few", "constant", "monotone", "steps", "tiny"]
SIZES = [(32, 32), (64, 64), (33, 33), (128, 64), (100, 64), (129, 64), (65, 64), (127, 16)]


@pytest.mark.parametrize(("n_bars", "size"), SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_fields_equal_pyts(pyts_image, kind, n_bars, size):
    x = windows(kind, n_bars)
    tensor = torch.from_numpy(x)
    for method, field in (("summation", gasf), ("difference", gadf)):
        for sample_range in ((-1, 1), (0, 1)):
            oracle = pyts_image.GramianAngularField(size, sample_range, method)
            np.testing.assert_allclose(
                field(tensor, size, sample_range).numpy(), oracle.transform(x), rtol=0, atol=1e-6
            )
    for n_bins in (2, 5, 8):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "some quantiles are equal"
            expected = pyts_image.MarkovTransitionField(size, n_bins).transform(x)
        np.testing.assert_allclose(mtf(tensor, size, n_bins).numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n_bars", "size"), SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_recurrence_equals_pyts_of_the_scaled_window(pyts_image, kind, n_bars, size):
    x = windows(kind, n_bars)
    averages = x
    if n_bars > size:
        from pyts.approximation import PiecewiseAggregateApproximation

        averages = PiecewiseAggregateApproximation(
            None, output_size=size, overlapping=False
        ).transform(x)
    lowest = averages.min(1, keepdims=True)
    spread = np.ptp(averages, axis=1, keepdims=True)
    scaled = (averages - lowest) / np.where(spread > 0, spread, 1)
    expected = pyts_image.RecurrencePlot().transform(scaled)
    drawn = recurrence(torch.from_numpy(x), size).numpy()
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-12)
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_the_engine_pyts_draws_the_same_pictures(pyts_image):
    settings = {
        "windows_bars": [24, 50, 128],
        "size_pixels": 50,
        "channels": ["gasf", "gadf", "mtf", "recurrence"],
    }
    rng = np.random.default_rng(0)
    series = torch.from_numpy(np.exp(rng.normal(0, 0.01, (2, 400)).cumsum(1)))
    ends = torch.arange(130, 400, 9)
    ours = Renderer(ImagesConfig(**settings))(series, ends)
    slow = Renderer(ImagesConfig(**settings, engine="pyts"))
    theirs = slow(series, ends)
    assert theirs.shape == ours.shape
    assert theirs.dtype == torch.float32
    assert float((theirs - ours).abs().max()) < 2e-3  # ours go through float32
    assert slow(series, ends[:0]).shape == (0, 12, 50, 50)
    with pytest.raises(ValueError, match="no gradients"):
        slow(series.requires_grad_(), ends)


@pytest.mark.parametrize("kind", ["walk", "ties", "monotone"])
def test_shorter_windows_are_pyts_at_their_own_size_replicated(pyts_image, kind):
    x = windows(kind, 32)
    pixel = np.arange(64) * 32 // 64
    oracle = pyts_image.GramianAngularField(32, (-1, 1), "difference").transform(x)
    expected = oracle[:, pixel][:, :, pixel]
    np.testing.assert_allclose(gadf(torch.from_numpy(x), 64).numpy(), expected, rtol=0, atol=1e-6)
