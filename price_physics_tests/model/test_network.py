"""The network's shapes, and the layers it must not contain."""

import json
import os

import pytest
import torch
from torch import nn

from price_physics.errors import ConfigError, StoreError
from price_physics.model import device as device_module
from price_physics.model.device import (
    algorithms,
    describe_device,
    exact_float32,
    resolve_device,
    seeded,
)
from price_physics.model.networks import build_network, config_class, network_config, network_json
from price_physics.model.networks.patchify import Patchify, PatchifyConfig, patches
from price_physics.model.networks.resnet_lite import ResNetLite, ResNetLiteConfig
from price_physics.source import names_in

CONFIGS = [config_class(name) for name in names_in("price_physics.model.networks")]
CONFIG = ResNetLiteConfig(n_channels=5, n_features=6, n_classes=3, width=4)


@pytest.mark.parametrize(("size", "cells"), [(32, 8), (16, 4), (8, 2), (4, 1), (50, 12)])
def test_shapes(size, cells):
    network = ResNetLite(CONFIG).eval()
    images, features = torch.randn(2, 5, size, size), torch.randn(2, 6)
    feature_map = network.features(images)
    assert feature_map.shape == (2, 16, cells, cells)
    logits = network.classify(feature_map, features)
    assert logits.shape == (2, 3)
    assert torch.equal(logits, network(images, features))


@pytest.mark.parametrize(("size", "cells"), [(64, 4), (32, 2), (16, 1), (8, 1), (100, 7)])
def test_shapes_of_patchify(size, cells):
    network = Patchify(PatchifyConfig(n_channels=5, n_features=6, n_classes=3, width=8)).eval()
    images, features = torch.randn(2, 5, size, size), torch.randn(2, 6)
    feature_map = network.features(images)
    assert feature_map.shape == (2, 20, cells, cells)
    logits = network.classify(feature_map, features)
    assert torch.equal(logits, network(images, features))


def test_patchify_has_about_as_many_parameters_as_asked_for():
    network = Patchify(PatchifyConfig(n_channels=9, n_features=6, n_classes=3))
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(1.2e6, rel=0.05)


@pytest.mark.parametrize(("side", "channels"), [(2, 3), (8, 1)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_patches_and_a_product_are_a_strided_convolution(side, channels, layout):
    x = torch.randn(2, channels, 16, 16).contiguous(memory_format=layout)
    weight = torch.randn(5, channels, side, side)
    expected = nn.functional.conv2d(x, weight, stride=side)
    flat = weight.permute(0, 2, 3, 1).reshape(5, -1, 1, 1)
    torch.testing.assert_close(nn.functional.conv2d(patches(x, side), flat), expected)


def test_padding_is_before_the_oldest_pixels():
    network = Patchify(PatchifyConfig(n_channels=1, n_features=1, n_classes=2, width=4)).eval()
    images, features = torch.randn(1, 1, 24, 24), torch.zeros(1, 1)
    padded = torch.zeros(1, 1, 32, 32)
    padded[:, :, 8:, 8:] = images
    assert torch.equal(network(images, features), network(padded, features))


@pytest.mark.parametrize("config", CONFIGS)
def test_configurations_survive_json(config):
    made = config(n_channels=1, n_features=2, n_classes=2, width=4, dropout=0.3)
    document = json.loads(json.dumps(network_json(made)))
    assert network_config(document) == made
    for broken in ({**document, "depth": 3}, {**document, "architecture": "vit"}, {}):
        with pytest.raises(StoreError, match="is none of"):
            network_config(broken)


@pytest.mark.parametrize("config", CONFIGS)
def test_no_strided_convolution_and_no_adaptive_pooling(config):
    network = build_network(config(n_channels=5, n_features=6, n_classes=3, width=4))
    modules = list(network.modules())
    convolutions = [m for m in modules if isinstance(m, nn.Conv2d)]
    assert len(convolutions) >= 9 or config not in (ResNetLiteConfig, PatchifyConfig)
    assert {m.stride for m in convolutions} <= {(1, 1)}  # others crash on the CPU
    assert not [m for m in modules if isinstance(m, nn.AdaptiveAvgPool2d)]


@pytest.mark.parametrize("n_channels", [1, 2, 3, 9, 16])
@pytest.mark.parametrize("width", [4, 7, 16])
@pytest.mark.parametrize("kind", CONFIGS)
def test_trains_in_channels_last(n_channels, width, kind):
    config = kind(n_channels=n_channels, n_features=2, n_classes=2, width=width)
    network = build_network(config).to(memory_format=torch.channels_last)
    images = torch.randn(4, n_channels, 16, 16).contiguous(memory_format=torch.channels_last)
    network(images, torch.randn(4, 2)).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_features_reach_the_logits():
    network = ResNetLite(CONFIG).eval()
    images = torch.randn(2, 5, 16, 16)
    one, two = network(images, torch.zeros(2, 6)), network(images, torch.ones(2, 6))
    assert not torch.allclose(one, two)


def test_device():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match=r"model\.device = 'cuda'"):
            resolve_device("cuda")


def test_seeded_restores_what_it_touched():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    flags = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    with seeded(11, torch.device("cpu")):
        inside = torch.rand(2)
    with seeded(11, torch.device("cpu")):
        assert torch.equal(torch.rand(2), inside)
    with pytest.raises(ZeroDivisionError), seeded(11, torch.device("cpu")):
        1 / 0  # noqa: B018
    assert torch.equal(torch.rand(2), expected)
    assert flags == (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark)


def test_cublas_is_told_once_and_stays_told(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    resolve_device("cpu")
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    device = resolve_device("auto")
    assert device.type == "cuda"
    for deterministic in (True, False):
        with algorithms(device, deterministic):
            assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
            assert torch.are_deterministic_algorithms_enabled() == deterministic
            assert torch.backends.cudnn.benchmark != deterministic
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert not torch.are_deterministic_algorithms_enabled()
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")  # another that sums in order
    resolve_device("cuda")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def float32_precision():
    return torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision


def test_exact_float32_restores_what_it_found():
    before = float32_precision()
    try:
        torch.backends.cudnn.conv.fp32_precision = "tf32"
        torch.backends.cuda.matmul.fp32_precision = "tf32"
        with exact_float32():
            assert float32_precision() == ("ieee", "ieee")
        with pytest.raises(ZeroDivisionError), exact_float32():
            1 / 0  # noqa: B018
        assert float32_precision() == ("tf32", "tf32")
    finally:
        torch.backends.cudnn.conv.fp32_precision = before[0]
        torch.backends.cuda.matmul.fp32_precision = before[1]


def test_the_processor_is_described(tmp_path, monkeypatch):
    facts = tmp_path / "cpuinfo"
    facts.write_text("processor\t: 0\nmodel name\t: Abacus 3000: fast\n\nprocessor\t: 1\n")
    monkeypatch.setattr(device_module, "_CPU_FACTS", facts)
    device_module._cpu_name.cache_clear()
    described = describe_device(torch.device("cpu"))
    device_module._cpu_name.cache_clear()
    assert described["device_name"] == "Abacus 3000: fast"
    assert described["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
    monkeypatch.setattr(device_module, "_CPU_FACTS", tmp_path / "none")
    assert describe_device(torch.device("cpu"))["device_name"]
    device_module._cpu_name.cache_clear()
