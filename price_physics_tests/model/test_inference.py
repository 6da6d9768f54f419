"""The one path by which networks are asked: the same bytes on any number of threads."""

import threading

import numpy as np
import pytest
import torch

from price_physics.errors import PricePhysicsError
from price_physics.images.threads import one_cpu_thread
from price_physics.model import inference
from price_physics.model import side_by_side as side_by_side_module
from price_physics.model.device import exact_float32
from price_physics.model.inference import infer
from price_physics.model.networks import build_network
from price_physics.model.networks.patchify import PatchifyConfig
from price_physics.model.networks.resnet_lite import ResNetLite, ResNetLiteConfig
from price_physics.model.side_by_side import idle_cores, side_by_side
from price_physics_tests.model.test_train import make_store

KINDS = [ResNetLiteConfig, PatchifyConfig]


def networks_of(kind, n=1):
    """Networks whose batch normalisation has seen something."""
    config = kind(n_channels=1, n_features=2, n_classes=3, width=16)
    found = []
    with torch.random.fork_rng():
        for seed in range(n):
            torch.manual_seed(seed)
            network = build_network(config).to(memory_format=torch.channels_last)
            side = 8 // kind.pool
            network.train()(torch.randn(50, 1, side, side), torch.randn(50, 2))
            found.append(network)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cache_bytes", [0, 1 << 30])
def test_the_bytes_do_not_depend_on_the_threads(kind, cache_bytes):
    store = make_store(1_100, pool=kind.pool, cache_bytes=cache_bytes)
    networks, index = networks_of(kind, 2), np.arange(1_100)[::-1].copy()
    torch.set_num_threads(2)
    alone = infer(networks, store, index, n_threads=1)
    assert torch.get_num_threads() == 2
    assert alone.dtype == torch.float64
    for n_threads in (2, 3, 8):
        assert torch.equal(infer(networks, store, index, n_threads=n_threads), alone)
    torch.set_num_threads(1)


def test_threads_are_used_and_each_has_one_torch_thread(monkeypatch):
    store, seen = make_store(2_000), set()
    images = type(store).images

    def record(self, index, dtype=torch.float32):
        seen.add((threading.get_ident(), torch.get_num_threads(), torch.is_grad_enabled()))
        return images(self, index, dtype)

    monkeypatch.setattr(type(store), "images", record)
    logits = infer(networks_of(ResNetLiteConfig), store, np.arange(2_000), n_threads=3)
    assert not logits.requires_grad
    assert len({thread for thread, _, _ in seen}) == 3
    assert {(n, grad) for _, n, grad in seen} == {(1, False)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_logits_are_the_mean_of_what_each_network_says(kind):
    store, index = make_store(70, pool=kind.pool), torch.tensor([3, 69, 0])
    networks = networks_of(kind, 3)
    found = infer(networks, store, index.numpy())
    with torch.no_grad():
        each = [n.eval()(store.images(index), store.features[index]) for n in networks]
    torch.testing.assert_close(found.float(), torch.stack(each).mean(0))
    assert infer(networks, store, index[:0].numpy()).shape == (0, 3)


def test_a_network_sees_batches_of_one_size(monkeypatch):
    store, seen = make_store(300), []
    forward = ResNetLite.forward

    def record(self, images, features):
        seen.append(len(images))
        return forward(self, images, features)

    monkeypatch.setattr(ResNetLite, "forward", record)
    for n in (1, 64, 300):
        infer(networks_of(ResNetLiteConfig), store, np.arange(n))
    assert {size for size in seen if size != 50} == {64}


def test_where_memory_does_not_suffice_fewer_pass_and_it_is_remembered(monkeypatch, caplog):
    store, forward = make_store(300), ResNetLite.forward
    networks = networks_of(ResNetLiteConfig)
    whole = infer(networks, store, np.arange(300))

    def small(self, images, features):
        if len(images) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images, features)

    monkeypatch.setattr(ResNetLite, "forward", small)
    torch.testing.assert_close(infer(networks, store, np.arange(300)), whole)
    assert [record.args for record in caplog.records] == [
        ("evaluation", 64, 32),
        ("evaluation", 32, 16),
    ]
    infer(networks, store, np.arange(300))
    assert len(caplog.records) == 2  # the next call begins with 16
    monkeypatch.setattr(ResNetLite, "forward", lambda *_: small(None, range(17), None))
    with pytest.raises(PricePhysicsError, match=r"not suffice for evaluation .*model\.device"):
        infer(networks, store, np.arange(300))


def test_what_ends_it_early_ends_all_threads(monkeypatch):
    store, begun = make_store(5_000), []
    images = type(store).images
    monkeypatch.setattr(type(store), "images", lambda *given: begun.append(1) or images(*given))

    def stop():
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        infer(networks_of(ResNetLiteConfig), store, np.arange(5_000), stop, n_threads=2)
    assert len(begun) < 20 // 2  # of twenty jobs


# ---------------------------------------------------------------------------- cores
def test_a_job_has_the_cores_that_no_other_holds(monkeypatch):
    monkeypatch.setattr(side_by_side_module, "_n_cores", lambda: 4)
    assert idle_cores() == 4
    with one_cpu_thread(), exact_float32():
        assert side_by_side([lambda check: idle_cores()], 1) == [4]

        together = threading.Barrier(3)

        def job(check):
            together.wait(10)
            found = idle_cores(), side_by_side([lambda check: idle_cores()] * 2, 1)
            together.wait(10)
            return found

        assert side_by_side([job] * 3, 3) == [(2, [2, 2])] * 3
        busy = side_by_side([lambda check: idle_cores()] * 9, 9)
        assert min(busy) >= 1
    assert idle_cores() == 4


def test_inference_takes_the_idle_cores(monkeypatch):
    asked = []
    monkeypatch.setattr(inference, "idle_cores", lambda: 3)
    monkeypatch.setattr(
        inference, "side_by_side", lambda jobs, n: asked.append(n) or side_by_side(jobs, 1)
    )
    store, networks = make_store(1_000), networks_of(ResNetLiteConfig)
    infer(networks, store, np.arange(1_000))
    infer(networks, store, np.arange(300))
    infer(networks, store, np.arange(1_000), n_threads=1)
    assert asked == [3, 2, 1]
