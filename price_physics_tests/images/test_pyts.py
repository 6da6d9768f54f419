"""Our fields against pyts, the oracle. Importing pyts compiles it, for half a minute."""

import warnings

import numpy as np
import pytest
import torch

from price_physics.images.render import gadf, gasf, mtf

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pyts_image():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyts.image
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


@pytest.mark.parametrize("kind", ["walk", "ties", "monotone"])
def test_shorter_windows_are_pyts_at_their_own_size_replicated(pyts_image, kind):
    x = windows(kind, 32)
    pixel = np.arange(64) * 32 // 64
    oracle = pyts_image.GramianAngularField(32, (-1, 1), "difference").transform(x)
    expected = oracle[:, pixel][:, :, pixel]
    np.testing.assert_allclose(gadf(torch.from_numpy(x), 64).numpy(), expected, rtol=0, atol=1e-6)
