"""Grad-CAM against a network whose attribution is known by hand, and its folding onto time."""

import numpy as np
import pytest
import torch
from torch import nn

from price_physics.images.windows import window_ends
from price_physics.motifs.attribution import explain, grad_cam, time_profile
from price_physics.schemas.regimes import FEATURE_COLUMNS
from price_physics_tests.motifs import cases


class TwoMaps(nn.Module):
    """Feature maps are the two channels, pooled by 2; class k looks at map k only."""

    def features(self, images):
        return nn.functional.avg_pool2d(images, 2)

    def classify(self, feature_map, features):
        return feature_map.mean((2, 3)) @ torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def corner_images():
    """Channel 0 lights the first quarter, channel 1 the last."""
    images = torch.zeros(1, 2, 8, 8)
    images[0, 0, :4, :4] = 1.0
    images[0, 1, 4:, 4:] = 1.0
    return images


@pytest.mark.parametrize(("class_index", "early"), [(0, True), (2, False)])
def test_the_map_lies_where_the_class_looks(class_index, early):
    maps = grad_cam(TwoMaps(), corner_images(), torch.zeros(1, 0), class_index, 8)
    profile = time_profile(maps.numpy())[0]
    assert maps.sum().item() == pytest.approx(1.0, abs=1e-6)
    assert profile[:4].sum() == pytest.approx(0.9375 if early else 0.0625, abs=1e-6)


def test_weights_are_the_mean_gradient_and_negative_evidence_is_dropped():
    """Class 0's score is mean(map 0) - mean(map 1) / 2: map 1 counts against and goes."""
    images = torch.rand(3, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    maps = grad_cam(TwoMaps(), images, torch.zeros(3, 0), 0, 8)
    pooled = nn.functional.avg_pool2d(images, 2)
    raw = torch.relu(pooled[:, 0] - pooled[:, 1] / 2)[:, None]
    want = nn.functional.interpolate(raw, size=(8, 8), mode="bilinear", align_corners=False)[:, 0]
    want = want / want.sum((1, 2), keepdim=True)
    torch.testing.assert_close(maps, want)


def test_a_class_that_nothing_speaks_for_is_even():
    maps = grad_cam(TwoMaps(), corner_images(), torch.zeros(1, 0), 1, 8)
    torch.testing.assert_close(maps, torch.full((1, 8, 8), 1 / 64))


def test_the_network_keeps_its_mode_and_gets_no_gradients():
    model = cases.model(cases.study())
    model.network.train()
    images = torch.rand(2, 9, 8, 8, generator=torch.Generator().manual_seed(1))
    grad_cam(model.network, images, torch.zeros(2, 6), 0, 16)
    assert model.network.training
    assert all(p.grad is None for p in model.network.parameters())


def test_time_profile_against_a_plain_loop():
    maps = np.random.default_rng(0).random((3, 5, 5))
    maps /= maps.sum(axis=(1, 2), keepdims=True)
    want = np.zeros((3, 5))
    for b in range(3):
        for i in range(5):
            for j in range(5):
                want[b, i] += maps[b, i, j] / 2
                want[b, j] += maps[b, i, j] / 2
    np.testing.assert_allclose(time_profile(maps), want, atol=1e-15)
    np.testing.assert_allclose(time_profile(maps).sum(axis=1), 1.0)


def test_explaining_does_not_depend_on_the_batch():
    given, model = cases.arguments(), cases.model(cases.study())
    series, ends = window_ends(given["bars"], given["windows"][cases.MONTH]["event_time_ns"][:5])
    raw = given["features"][cases.MONTH][FEATURE_COLUMNS].to_numpy()[:5]
    whole = explain(model, series, ends, raw, class_index=2, channel=1)
    parts = explain(model, series, ends, raw, class_index=2, channel=1, batch_size=2)
    for a, b in zip(whole, parts, strict=True):
        assert a.shape == (5, 16, 16)
        np.testing.assert_allclose(a, b, atol=1e-5)
