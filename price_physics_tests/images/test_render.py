"""Renders by hand, against the naive reference, and what must never happen to them."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.images import fields, transitions
from price_physics.images.render import (
    RENDERER_VERSION,
    Renderer,
    gadf,
    gasf,
    mtf,
    recurrence,
    wavelet,
)
from price_physics.images.transitions import quantile_bins
from price_physics.images.wavelet import scales
from price_physics.study.images import ImagesConfig
from price_physics_tests.images import naive

ROOT3 = math.sqrt(3)
GOLDEN = Path(__file__).parent / "golden"


FIELDS = [gasf, gadf, mtf, recurrence, wavelet]
CHANNELS = ["gasf", "gadf", "mtf", "recurrence", "wavelet"]
CHANNELS += [f"volume_{name}" for name in CHANNELS]


def random_walk(n, seed=0, start=5.0):
    steps = np.random.default_rng(seed).normal(0, 0.01, n)
    return torch.from_numpy(start * np.exp(np.cumsum(steps)))


def bars(n, seed=0, start=5.0):
    """Closes and volumes: (2, n)."""
    volume = np.random.default_rng(seed + 1).gamma(2, 10, n)
    return torch.stack([random_walk(n, seed, start), torch.from_numpy(volume)])


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


def test_recurrence_by_hand():
    # 3, 4, 7 scales to 0, 1/4, 1.
    image = recurrence(torch.tensor([[3.0, 4.0, 7.0]]), 3)[0]
    assert image.tolist() == [[0, 0.25, 1], [0.25, 0, 0.75], [1, 0.75, 0]]


@pytest.mark.slow
def test_a_wavelet_sees_where_how_wide_and_which_way():
    bump = torch.zeros(1, 64, dtype=torch.float64)
    bump[0, 28:37] = 1.0  # nine bars about bar 32
    image = wavelet(bump, 64)[0]
    row, column = divmod(int(image.argmax()), 64)
    assert column == 32
    assert scales(64)[row // 2] == pytest.approx(4.5, abs=1.5)  # half its width
    assert torch.allclose(wavelet(-bump, 64)[0], -image, atol=1e-6)
    rise = torch.linspace(0, 1, 64, dtype=torch.float64)[None]
    assert (wavelet(rise, 64)[0, :, -1] > 0)[8:].all()  # above what came before
    assert (wavelet(rise, 64)[0, :, 0] < 0)[8:].all()


def test_a_constant_window_has_no_structure_and_is_finite():
    flat = torch.full((1, 16), 7.25, dtype=torch.float64)
    assert not recurrence(flat, 16).any()
    assert not wavelet(flat, 16).any()
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
    for field, reference, tolerance in (
        (recurrence, naive.recurrence, 1e-12),
        (wavelet, naive.wavelet, 1e-6),
    ):
        expected = torch.tensor(reference(prices, size), dtype=torch.float64)
        assert torch.allclose(field(window[None], size)[0], expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("n_bins", [2, 3, 7, 8, 49, 64])
@pytest.mark.parametrize("n_bars", [8, 49, 97, 128])
def test_edges_are_numpys_percentiles_to_the_bit(n_bars, n_bins):
    rng = np.random.default_rng(n_bars)
    windows = np.concatenate(
        [rng.normal(size=(20, n_bars)), rng.integers(0, n_bars, (20, n_bars))]
    ).astype(np.float64)
    edges = np.percentile(windows, np.linspace(0, 100, n_bins + 1)[1:-1], axis=1).T
    distinct = np.ones(edges.shape, bool)
    if n_bins > 2:
        distinct[:, :-1] = np.diff(edges, axis=1) > 1e-8
    expected = ((edges[:, :, None] < windows[:, None, :]) & distinct[:, :, None]).sum(1)
    np.testing.assert_array_equal(quantile_bins(torch.from_numpy(windows), n_bins), expected)


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
    distance = torch.tensor(naive.recurrence(prices, size), dtype=torch.float64)
    assert torch.allclose(recurrence(window, size)[0], distance, atol=1e-12)


def test_short_windows_are_replicated_so_that_pixels_map_back_to_bars():
    windows = random_walk(24)[None]
    pixel = torch.arange(64) * 24 // 64
    for field in FIELDS:
        assert torch.equal(field(windows, 64), field(windows, 24)[:, pixel][:, :, pixel])


@pytest.mark.parametrize("field", FIELDS)
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
    for field in FIELDS:
        with pytest.raises(ValueError, match="windows have shape"):
            field(windows, 8)


def test_impossible_parameters_are_refused():
    windows = random_walk(8)[None]
    with pytest.raises(ValueError, match="sample_range"):
        gasf(windows, 8, (1, -1))
    with pytest.raises(ValueError, match="n_bins 1"):
        mtf(windows, 8, 1)
    with pytest.raises(ValueError, match="size 0"):
        gadf(windows, 0)


# ---------------------------------------------------------------------------- gradients
@pytest.mark.parametrize("field", [gasf, gadf, recurrence, wavelet])
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


@pytest.mark.parametrize("field", [gadf, recurrence, wavelet])
def test_the_gradient_is_the_derivative(field):
    window = random_walk(12)
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=(12, 12)))

    def height(prices):
        return (field(prices[None], 12)[0] * weights).sum()

    leaf = window.clone().requires_grad_()
    height(leaf).backward()
    inner = [i for i in range(12) if i not in (int(window.argmin()), int(window.argmax()))]
    far = 1e-4 if field is wavelet else 1e-7  # it rounds prices to 2^-24 of their range
    for i in inner:  # at the extremes the root has no derivative
        step = torch.zeros(12, dtype=torch.float64)
        step[i] = far
        numeric = (height(window + step) - height(window - step)) / (2 * far)
        assert float(leaf.grad[i]) == pytest.approx(float(numeric), rel=1e-3, abs=1e-3)


def test_no_gradient_flows_through_the_transitions():
    assert not mtf(random_walk(12)[None].requires_grad_(), 12).requires_grad


# ---------------------------------------------------------------------------- renderer
CONFIG = ImagesConfig(windows_bars=[32, 8, 16], size_pixels=16, channels=["gadf", "mtf"])
ALL = ImagesConfig(windows_bars=[32, 8], size_pixels=16, channels=CHANNELS)


def test_channels_are_window_major():
    renderer = Renderer(ALL)
    assert renderer.channel_names[:2] == ["gasf_32", "gadf_32"]
    assert renderer.channel_names[9:11] == ["volume_wavelet_32", "gasf_8"]
    series, ends = bars(60), torch.tensor([31, 40, 59])
    images = renderer(series, ends)
    assert images.shape == (3, 20, 16, 16)
    assert images.dtype == torch.float32
    for row, end in enumerate(ends.tolist()):
        place = 0
        for n_bars in (32, 8):
            for drawn in series:
                window = drawn[None, end - n_bars + 1 : end + 1]
                for field in FIELDS:
                    expected = field(window, 16)[0].float()
                    assert torch.allclose(images[row, place], expected, atol=1e-3)
                    place += 1
        assert place == 20


def test_no_image_depends_on_a_later_bar():
    renderer, series = Renderer(ALL), bars(80)
    ends = torch.arange(31, 60)
    tampered = series.clone()
    tampered[:, 60:] = 1e6
    assert torch.equal(renderer(series, ends), renderer(tampered, ends))
    later = renderer(series, ends + 1)[-1] != renderer(tampered, ends + 1)[-1]
    for name, seen in zip(renderer.channel_names, later.flatten(1).any(1), strict=True):
        assert seen or "mtf" in name  # the event's own bar may have been in its bin before


@pytest.mark.parametrize("end", [0, 30, 80])
def test_a_window_outside_the_bars_is_refused(end):
    # Position -1 would silently be the last close: the future.
    with pytest.raises(ValueError, match="windows of 32 bars"):
        Renderer(CONFIG)(bars(80), torch.tensor([40, end]))


def test_float32_bars_and_bare_closes_are_refused():
    for series in (bars(80).float(), random_walk(80)):
        with pytest.raises(ValueError, match="float64"):
            Renderer(CONFIG)(series, torch.tensor([40]))


def test_units_do_not_matter():
    renderer, series = Renderer(ALL), bars(80, start=60_000.0)
    ends = torch.tensor([40, 50, 79])
    units = torch.tensor([[2.0**-32], [2.0**40]], dtype=torch.float64)
    assert torch.equal(renderer(series, ends), renderer(series * units, ends))
    # A tenth of a cent at 60,000 survives: in float32 they would all be one price.
    steps = 60_000 + 0.001 * torch.from_numpy(
        np.random.default_rng(0).permutation(80).astype(float)
    )
    window = steps[None, 48:80] - 60_000
    series = torch.stack([steps, steps])
    assert torch.allclose(renderer(series, ends[-1:])[0, 1], gadf(window, 16)[0].float(), atol=1e-3)


def test_bars_without_volume_are_constant_and_finite():
    series = bars(80)
    series[1] = 0.0
    images = Renderer(ALL)(series, torch.tensor([79]))
    assert torch.isfinite(images).all()
    assert (images[0, [5, 7]] == 1).all()
    assert not images[0, [6, 8, 9]].any()


def test_no_events_give_no_images():
    images = Renderer(ALL)(bars(80), torch.empty(0, dtype=torch.int64))
    assert images.shape == (0, 20, 16, 16)


@pytest.mark.parametrize("size", [16, 33])
def test_pixels_do_not_depend_on_threads_or_batches(size):
    config = ImagesConfig(windows_bars=[40, 24], size_pixels=size, channels=CHANNELS)
    renderer, series = Renderer(config), bars(150)
    ends = torch.arange(39, 150)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = renderer(series, ends)
        torch.set_num_threads(2)
        two = renderer(series, ends)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(one, two)
    parts = [*ends[:100].split(57), *ends[100:].split(1)]
    assert torch.equal(one, torch.cat([renderer(series, part) for part in parts]))


def test_bfloat16_is_float32_rounded_once():
    series, ends = bars(80), torch.arange(31, 80)
    images = Renderer(ALL)(series, ends)
    half = Renderer(ALL)(series, ends, dtype=torch.bfloat16)
    assert torch.equal(half, images.bfloat16())
    assert float((half.float() - images).abs().max()) <= 2.0**-9  # pixels are at most 1
    with torch.autocast("cpu", torch.bfloat16):  # inside a training step, too
        assert torch.equal(Renderer(ALL)(series, ends), images)


def test_a_checked_call_draws_the_same_and_looks_at_no_value():
    series, ends = bars(80), torch.arange(31, 80)
    plain = Renderer(ALL)(series, ends)
    assert torch.equal(Renderer(ALL)(series, ends, checked=True), plain)
    shapes = Renderer(ALL)(series.to("meta"), ends.to("meta"), checked=True)  # has no values
    assert shapes.shape == plain.shape


@pytest.mark.slow
def test_a_compiler_sees_one_graph():
    # The front end alone: a test must not wait for a C++ compiler.
    renderer, series, ends = Renderer(ALL), bars(80), torch.arange(31, 80)
    draw = torch.compile(
        lambda series, ends: renderer(series, ends, checked=True), fullgraph=True, backend="eager"
    )
    assert torch.equal(draw(series, ends), renderer(series, ends))


def images_of_version_1():
    step = (7919 * np.arange(200) % 101 - 50).astype(np.float64)
    series = torch.from_numpy(np.stack([400 + np.cumsum(step) / 64, 60 + step]))
    config = ImagesConfig(windows_bars=[32, 64, 100], size_pixels=64, channels=CHANNELS)
    return Renderer(config)(series, torch.tensor([120, 199])).numpy()


def sketch(images):
    """Every fifth pixel of every fifth row, and the mean of each row: no change escapes both."""
    return {"pixels": images[:, :, ::5, ::5], "row_means": images.mean(3, dtype=np.float64)}


def furthest_from_golden(images):
    """By channel, for channels drawn from a window; golden from `np.savez_compressed`."""
    with np.load(GOLDEN / "pixels_1.npz") as golden:
        drawn = sketch(images)
        assert sorted(golden) == sorted(drawn)
        apart = [np.abs(drawn[name] - golden[name]) for name in golden]
    furthest = np.maximum(*(a.reshape(2, 3, len(CHANNELS), -1).max((0, 1, 3)) for a in apart))
    return dict(zip(CHANNELS, furthest.tolist(), strict=True))


def test_the_pixels_are_those_of_version_1():
    # A change here changes what stored models were trained on: raise RENDERER_VERSION.
    assert RENDERER_VERSION == "1"
    # Not to the bit: torch's root of a float32 is its library's, whose last bit is a processor's.
    assert max(furthest_from_golden(images_of_version_1()).values()) <= 1e-6


def test_another_normalisation_is_seen_in_the_golden_pixels(monkeypatch):
    unit_range = fields.unit_range
    monkeypatch.setattr(fields, "unit_range", lambda x: unit_range(x) * (1 - 1e-5))
    apart = furthest_from_golden(images_of_version_1())
    for name in ("gasf", "gadf", "recurrence"):
        assert apart[name] > 5e-6
        assert apart[f"volume_{name}"] > 5e-6


@pytest.mark.parametrize("where", ["bins", "edges"])
def test_a_transition_field_that_is_off_by_one_is_seen_in_the_golden_pixels(monkeypatch, where):
    quantile_bins = transitions.quantile_bins

    def by_one_bin(windows, n_bins):
        return (quantile_bins(windows, n_bins) - 1).clamp(min=0)

    def at_the_next_edge(windows, n_bins):
        return quantile_bins(windows, n_bins + 1).clamp(max=n_bins - 1)

    wrong = {"bins": by_one_bin, "edges": at_the_next_edge}[where]
    monkeypatch.setattr(transitions, "quantile_bins", wrong)
    apart = furthest_from_golden(images_of_version_1())
    assert min(apart["mtf"], apart["volume_mtf"]) > 1e-2
    assert max(apart["gasf"], apart["wavelet"]) <= 1e-6


def test_bars_get_a_gradient_through_the_renderer():
    series = bars(80).requires_grad_()
    Renderer(ALL)(series, torch.tensor([60])).square().sum().backward()
    assert torch.isfinite(series.grad).all()
    assert (series.grad[:, 29:61].abs().sum(1) > 0).all()
    assert not series.grad[:, 61:].any()
    assert not series.grad[:, :29].any()


@pytest.mark.parametrize("flat", [0, 1])
def test_returns_get_a_finite_gradient_in_a_market_that_stands_still(flat):
    series = bars(80)
    series[flat, 10:] = series[flat, 10]
    returns = torch.diff(series[0].log()).requires_grad_()
    close = series[0, 0] * torch.cat([torch.ones(1), returns.cumsum(0).exp()])
    images = Renderer(ALL)(torch.stack([close, series[1]]), torch.tensor([31, 60]))
    images.square().sum().backward()
    assert torch.isfinite(returns.grad).all()
