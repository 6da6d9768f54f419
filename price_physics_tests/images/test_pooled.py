"""Drawn at the pooled size at once, an image is what pooling makes of the whole one."""

import pytest
import torch
from torch.nn.functional import avg_pool2d

from price_physics.images.render import Renderer, gadf, gasf, mtf
from price_physics.study.images import ImagesConfig

NAMES = ["gasf", "gadf", "mtf", "recurrence", "wavelet"]
CHANNELS = [*NAMES, *(f"volume_{name}" for name in NAMES)]
EVEN = [(16, 64), (32, 64), (64, 64), (128, 64), (192, 64)]
UNEVEN = [(40, 64), (50, 64), (100, 64), (24, 15), (30, 15), (8, 9)]
"""Bars a window and pixels a side: blocks are equally long, or they are not."""


def walks(n_bars, n=20, seed=3):
    generator = torch.Generator().manual_seed(seed)
    walk = torch.randn(n, n_bars, generator=generator, dtype=torch.float64).cumsum(1)
    walk[0] = 1.0  # constant
    walk[1] = walk[1].round()  # many equal prices
    return walk


@pytest.mark.parametrize("pool", [2, 3, 4])
@pytest.mark.parametrize(("n_bars", "size"), [*EVEN, *UNEVEN])
@pytest.mark.parametrize("field", [gasf, gadf, mtf])
def test_pooled_drawing_is_exact(field, n_bars, size, pool):
    windows = walks(n_bars)
    found, expected = field(windows, size, pool=pool), avg_pool2d(field(windows, size), pool)
    assert found.shape == (20, size // pool, size // pool)
    torch.testing.assert_close(found, expected, atol=1e-15, rtol=0)
    # In float32, what a network sees, the same sums round differently: by a few last bits.
    single = field(windows.float(), size, pool=pool)
    rounded = avg_pool2d(field(windows.float(), size), pool)
    torch.testing.assert_close(single, rounded, atol=1e-6, rtol=0)


def test_a_field_of_equal_blocks_is_never_drawn_whole(monkeypatch):
    """Only uneven transitions are: their pixels weigh bars differently."""
    pooled = []
    monkeypatch.setattr(
        "price_physics.images.transitions.avg_pool2d",
        lambda whole, pool: pooled.append(whole.shape[1]) or avg_pool2d(whole, pool),
    )
    for n_bars, size in EVEN:
        mtf(walks(n_bars), size, pool=2)
    assert pooled == []
    mtf(walks(100), 64, pool=2)
    assert pooled == [64]


@pytest.mark.parametrize("engine", ["torch", pytest.param("pyts", marks=pytest.mark.slow)])
def test_a_renderer_pools_every_channel(engine):
    channels = CHANNELS if engine == "torch" else NAMES[:4]
    config = ImagesConfig(
        windows_bars=[8, 16, 24], size_pixels=16, channels=channels, engine=engine
    )
    close, volume = 100 + walks(80)[5:7]
    series, ends = torch.stack([close, volume.abs()]), torch.tensor([40, 60, 79])
    whole, pooled = Renderer(config), Renderer(config, pool=2)
    assert (whole.size_pixels, pooled.size_pixels) == (16, 8)
    assert whole.channel_names == pooled.channel_names
    expected = avg_pool2d(whole(series, ends), 2)
    torch.testing.assert_close(pooled(series, ends), expected, atol=1e-6, rtol=0)


def test_gradients_flow_through_pooled_drawing():
    series = torch.stack([100 + walks(40)[4], torch.ones(40, dtype=torch.float64)])
    config = ImagesConfig(windows_bars=[16, 32], size_pixels=16, channels=["gasf", "gadf"])
    found = []
    for renderer, pool in ((Renderer(config, 2), 1), (Renderer(config), 2)):
        prices = series.clone().requires_grad_(True)
        images = renderer(prices, torch.tensor([35, 39]))
        (avg_pool2d(images, pool) ** 2).sum().backward()
        found.append(prices.grad)
    assert found[0][0].abs().max() > 0
    torch.testing.assert_close(found[0], found[1], atol=1e-4, rtol=1e-4)
