"""Renders by hand, against the naive reference, and what must never happen to them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.images.render import Renderer, gadf, gasf, mtf
from price_physics.study import ImagesConfig
from price_physics_tests.images import naive

ROOT3 = math.sqrt(3)


def random_walk(n, seed=0, start=5.0):
    steps = np.random.default_rng(seed).normal(0, 0.01, n)
    return torch.from_numpy(start * np.exp(np.cumsum(steps)))


# ---------------------------------------------------------------------------- by hand
def test_gasf_and_gadf_of_three_prices_by_hand():
    # 2, 5, 3 scales to -1, 1, -1/3: angles pi, 0 and acos(-1/3).
    windows = torch.tensor([[2.0, 5.0, 3.0]], dtype=torch.float64)
    s = math.sqrt(8) / 3
    summed = [[1, -1, 1 / 3], [-1, 1, -1 / 3], [1 / 3, -1 / 3, 1 / 9 - 8 / 9]]
    differed = [[0, 0, s], [0, 0, -s], [-s, s, 0]]
    assert torch.allclose(
        gasf(windows, 3)[0], torch.tensor(summed, dtype=torch.float64), atol=1e-12
    )
    assert torch.allclose(
        gadf(windows, 3)[0], torch.tensor(differed, dtype=torch.float64), atol=1e-12
    )


def test_gasf_on_zero_to_one_by_hand():
    # 0, 1/2, 1 are the cosines of 90, 60 and 0 degrees.
    image = gasf(torch.tensor([[4.0, 6.0, 8.0]], dtype=torch.float64), 3, (0, 1))[0]
    expected = torch.tensor([[-1, -ROOT3 / 2, 0], [-ROOT3 / 2, -0.5, 0.5], [0, 0.5, 1]])
    assert torch.allclose(image, expected.double(), atol=1e-7)


def test_mtf_by_hand():
    # States low, low, high, low, high, high: low goes low 1 and high 2 of 3; high 1 and 1 of 2.
    image = mtf(torch.tensor([[1.0, 2.0, 9.0, 3.0, 8.0, 7.0]]), 6, n_bins=2)[0]
    low, high = torch.tensor([1 / 3, 2 / 3]), torch.tensor([1 / 2, 1 / 2])
    state = [0, 0, 1, 0, 1, 1]
    for i, from_state in enumerate(state):
        for j, to_state in enumerate(state):
            assert image[i, j] == (low, high)[from_state][to_state]


def test_direction_lives_in_gadf_and_in_gasf_on_zero_to_one():
    rise = random_walk(32)[None]
    fall = -rise
    assert torch.allclose(gasf(rise, 32), gasf(fall, 32), atol=1e-9)
    assert torch.allclose(gadf(rise, 32), -gadf(fall, 32), atol=1e-9)
    assert (gasf(rise, 32, (0, 1)) - gasf(fall, 32, (0, 1))).abs().max() > 0.5


def test_a_constant_window_has_no_structure_and_is_finite():
    flat = torch.full((1, 16), 7.25, dtype=torch.float64)
    assert torch.equal(gasf(flat, 16), torch.ones(1, 16, 16, dtype=torch.float64))
    assert not gadf(flat, 16).any()
    assert torch.equal(mtf(flat, 16), torch.ones(1, 16, 16, dtype=torch.float64))


# ---------------------------------------------------------------------------- sizes
@pytest.mark.parametrize(("n_bars", "size"), [(8, 8), (8, 20), (21, 8), (32, 8), (16, 9)])
@pytest.mark.parametrize("kind", ["walk", "ties", "monotone"])
def test_equals_the_naive_reference(n_bars, size, kind):
    window = {
        "walk": random_walk(n_bars, seed=n_bars),
        "ties": torch.from_numpy(np.random.default_rng(3).integers(0, 4, n_bars).astype(float)),
        "monotone": torch.linspace(3, 4, n_bars, dtype=torch.float64),
    }[kind]
    prices = window.tolist()
    for sample_range in ((-1, 1), (0, 1)):
        for field, difference in ((gasf, False), (gadf, True)):
            expected = torch.tensor(
                naive.gramian(prices, size, sample_range, difference), dtype=torch.float64
            )
            assert torch.allclose(field(window[None], size, sample_range)[0], expected, atol=1e-6)
    for n_bins in (2, 3, 8):
        expected = torch.tensor(naive.transition_field(prices, size, n_bins), dtype=torch.float64)
        assert torch.allclose(mtf(window[None], size, n_bins)[0], expected, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=8, max_size=24),
    st.integers(4, 24),
    st.integers(2, 8),
)
def test_equals_the_naive_reference_on_anything(prices, size, n_bins):
    window = torch.tensor([prices], dtype=torch.float64)
    field = torch.tensor(naive.transition_field(prices, size, n_bins), dtype=torch.float64)
    summed = torch.tensor(naive.gramian(prices, size, (-1, 1), False), dtype=torch.float64)
    assert torch.allclose(mtf(window, size, n_bins)[0], field, atol=1e-12)
    assert torch.allclose(gasf(window, size)[0], summed, atol=1e-6)


def test_short_windows_are_replicated_so_that_pixels_map_back_to_bars():
    windows = random_walk(24)[None]
    pixel = torch.arange(64) * 24 // 64
    for field in (gasf, gadf, mtf):
        assert torch.equal(field(windows, 64), field(windows, 24)[:, pixel][:, :, pixel])


@pytest.mark.parametrize("field", [gasf, gadf, mtf])
def test_windows_do_not_see_each_other_and_float32_is_close(field):
    windows = torch.stack([random_walk(50, seed) for seed in range(4)])
    images = field(windows, 16)
    for i in range(4):
        assert torch.equal(images[i], field(windows[i : i + 1], 16)[0])
    assert torch.allclose(images, field(windows.float(), 16).double(), atol=2e-3)


@pytest.mark.parametrize(
    "windows", [torch.zeros(4), torch.zeros(2, 1), torch.zeros(2, 8, dtype=torch.int64)]
)
def test_what_cannot_be_rendered_is_refused(windows):
    with pytest.raises(ValueError, match="windows have shape"):
        gasf(windows, 8)
    with pytest.raises(ValueError, match="windows have shape"):
        mtf(windows, 8)


def test_impossible_parameters_are_refused():
    windows = random_walk(8)[None]
    with pytest.raises(ValueError, match="sample_range"):
        gasf(windows, 8, (1, -1))
    with pytest.raises(ValueError, match="n_bins 1"):
        mtf(windows, 8, 1)
    with pytest.raises(ValueError, match="size 0"):
        gadf(windows, 0)


# ---------------------------------------------------------------------------- gradients
@pytest.mark.parametrize("field", [gasf, gadf])
@pytest.mark.parametrize("kind", ["walk", "constant", "ties"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite(field, kind, dtype):
    window = {
        "walk": random_walk(40),
        "constant": torch.full((40,), 3.0, dtype=torch.float64),
        "ties": torch.tensor([1.0, 1.0, 2.0, 2.0] * 10, dtype=torch.float64),
    }[kind]
    windows = window.to(dtype)[None].requires_grad_()
    weights = torch.linspace(-1, 1, 256, dtype=dtype).view(16, 16)
    (field(windows, 16)[0] * weights).sum().backward()
    assert torch.isfinite(windows.grad).all()


def test_the_gradient_is_the_derivative():
    window = random_walk(12)
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=(12, 12)))

    def height(prices):
        return (gadf(prices[None], 12)[0] * weights).sum()

    leaf = window.clone().requires_grad_()
    height(leaf).backward()
    inner = [i for i in range(12) if i not in (int(window.argmin()), int(window.argmax()))]
    for i in inner:  # at the extremes the root has no derivative
        step = torch.zeros(12, dtype=torch.float64)
        step[i] = 1e-7
        numeric = (height(window + step) - height(window - step)) / 2e-7
        assert float(leaf.grad[i]) == pytest.approx(float(numeric), rel=1e-4, abs=1e-4)


# ---------------------------------------------------------------------------- renderer
CONFIG = ImagesConfig(windows_bars=[32, 8, 16], size_pixels=16, channels=["gadf", "mtf"])


def test_channels_are_window_major():
    renderer = Renderer(CONFIG)
    assert renderer.channel_names == ["gadf_32", "mtf_32", "gadf_8", "mtf_8", "gadf_16", "mtf_16"]
    close, ends = random_walk(60), torch.tensor([31, 40, 59])
    images = renderer(close, ends)
    assert images.shape == (3, 6, 16, 16)
    assert images.dtype == torch.float32
    for row, end in enumerate(ends.tolist()):
        for i, n_bars in enumerate((32, 8, 16)):
            window = close[None, end - n_bars + 1 : end + 1]
            assert torch.allclose(images[row, 2 * i], gadf(window, 16)[0].float(), atol=1e-3)
            assert torch.allclose(images[row, 2 * i + 1], mtf(window, 16)[0].float(), atol=1e-6)


def test_no_image_depends_on_a_later_close():
    renderer, close = Renderer(CONFIG), random_walk(80)
    ends = torch.arange(31, 60)
    tampered = close.clone()
    tampered[60:] = 1e6
    assert torch.equal(renderer(close, ends), renderer(tampered, ends))
    assert not torch.equal(renderer(close, ends + 1)[-1], renderer(tampered, ends + 1)[-1])


@pytest.mark.parametrize("end", [0, 30, 80])
def test_a_window_outside_the_closes_is_refused(end):
    # Position -1 would silently be the last close: the future.
    with pytest.raises(ValueError, match="windows of 32 bars"):
        Renderer(CONFIG)(random_walk(80), torch.tensor([40, end]))


def test_float32_closes_are_refused():
    with pytest.raises(ValueError, match="float64"):
        Renderer(CONFIG)(random_walk(80).float(), torch.tensor([40]))


def test_the_unit_of_the_price_does_not_matter():
    renderer, close = Renderer(CONFIG), random_walk(80, start=60_000.0)
    ends = torch.tensor([40, 50, 79])
    assert torch.equal(renderer(close, ends), renderer(close * 2.0**-32, ends))
    # A tenth of a cent at 60,000 survives: in float32 they would all be one price.
    steps = 60_000 + 0.001 * torch.from_numpy(
        np.random.default_rng(0).permutation(80).astype(float)
    )
    window = steps[None, 48:80] - 60_000
    assert torch.allclose(renderer(steps, ends[-1:])[0, 0], gadf(window, 16)[0].float(), atol=1e-3)


def test_no_events_give_no_images():
    assert Renderer(CONFIG)(random_walk(80), torch.empty(0, dtype=torch.int64)).shape == (
        0,
        6,
        16,
        16,
    )


def test_pixels_do_not_depend_on_threads_or_batches():
    renderer, close = Renderer(CONFIG), random_walk(900)
    ends = torch.arange(31, 900)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = renderer(close, ends)
        torch.set_num_threads(2)
        two = renderer(close, ends)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(one, two)
    assert torch.equal(one, torch.cat([renderer(close, part) for part in ends.split(57)]))


def test_closes_get_a_gradient_through_the_renderer():
    close = random_walk(80).requires_grad_()
    Renderer(CONFIG)(close, torch.tensor([60])).square().sum().backward()
    assert torch.isfinite(close.grad).all()
    assert close.grad[29:61].abs().sum() > 0
    assert not close.grad[61:].any()
    assert not close.grad[:29].any()
