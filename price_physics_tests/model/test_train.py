"""One fit: what the loss sees, when it stops, and that it repeats."""

import math

import numpy as np
import pytest
import torch

from price_physics.errors import PricePhysicsError
from price_physics.images.render import Renderer
from price_physics.model.dataset import Moments, Samples, SampleStore
from price_physics.model.network import NetworkConfig
from price_physics.model.train import batches, fit_network, one_cycle, predict_logits, weighted_loss
from price_physics.study import ImagesConfig, ModelConfig

IMAGES = ImagesConfig(windows_bars=[8], size_pixels=8, channels=["gadf"])
CPU = torch.device("cpu")


def make_store(n=60, n_classes=2, seed=0, cache_bytes=1 << 30):
    """Classes are told by the first feature, faintly; the images are noise."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, n_classes, n)
    features = rng.normal(size=(n, 2))
    features[:, 0] += 2 * classes
    close = 5 * np.exp(np.cumsum(rng.normal(0, 0.01, n + 8)))
    samples = Samples(
        np.arange(n),
        np.stack([close, np.ones_like(close)]),
        np.arange(7, n + 7),
        features,
        np.ones(n),
        None,
    )
    plain = Moments([0.1], [0.7]), Moments([1.0, 0.0], [2.0, 1.0])
    return SampleStore(Renderer(IMAGES), samples, classes, *plain, CPU, cache_bytes)


def fit(store, n_classes=2, train=None, early_stop=None, uniqueness=None, n_epochs=3, **config):
    settings = ModelConfig(**{"batch_size": 8, "max_epochs": 6, "learning_rate": 0.01, **config})
    return fit_network(
        store,
        settings,
        NetworkConfig(n_channels=1, n_features=2, n_classes=n_classes, width=4),
        np.ones(len(store)) if uniqueness is None else uniqueness,
        np.arange(40) if train is None else train,
        early_stop,
        n_epochs,
        seed=1,
    )


def same_weights(one, two):
    first, second = one.network.state_dict(), two.network.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


# ---------------------------------------------------------------------------- pieces
def test_weighted_loss_by_hand():
    logits = torch.log(torch.tensor([[0.2, 0.8], [0.6, 0.4]]))
    classes, weight = torch.tensor([1, 1]), torch.tensor([1.0, 3.0])
    plain = -(math.log(0.8) + 3 * math.log(0.4)) / 2
    focal = -(0.2**2 * math.log(0.8) + 3 * 0.6**2 * math.log(0.4)) / 2
    assert float(weighted_loss(logits, classes, weight, 0.0)) == pytest.approx(plain)
    assert float(weighted_loss(logits, classes, weight, 2.0)) == pytest.approx(focal)


def test_learning_rate_rises_then_falls():
    rates = [one_cycle(step, 100, 2.0) for step in range(100)]
    assert max(rates) == rates[30] == 2.0
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)
    assert rates[-1] < 0.01
    assert one_cycle(0, 1, 2.0) > 0


def test_batches_visit_every_sample_once_an_epoch():
    order = list(batches(np.arange(10), 4, 3, torch.Generator().manual_seed(1)))
    assert [len(b) for b in order] == [4, 4, 2]
    assert sorted(torch.cat(order).tolist()) == list(range(10))
    long = torch.cat(list(batches(np.arange(10), 4, 5, torch.Generator().manual_seed(1))))
    assert np.bincount(long).tolist() == [2] * 10
    few = list(batches(np.arange(10), 4, 1, torch.Generator().manual_seed(1)))
    assert [len(b) for b in few] == [4]
    # A lone last sample would break batch normalisation.
    assert [len(b) for b in batches(np.arange(9), 4, 3, torch.Generator())] == [4, 4, 2]


def test_images_are_the_same_rendered_once_or_in_every_step():
    index = torch.tensor([5, 0, 31])
    cached, rendered = make_store(), make_store(cache_bytes=0)
    assert torch.equal(cached.images(index), rendered.images(index))
    expected = (Renderer(IMAGES)(cached.series, cached.ends[index]) - 0.1) / 0.7
    assert torch.allclose(cached.images(index), expected, atol=1e-6)
    assert torch.allclose(cached.features[:, 0], rendered.features[:, 0])


# ---------------------------------------------------------------------------- the loop
def test_two_fits_are_bit_identical_and_leave_the_global_seed_alone():
    store = make_store()
    torch.manual_seed(5)
    one = fit(store, early_stop=np.arange(40, 60))
    after = torch.rand(1)
    torch.manual_seed(6)
    two = fit(store, early_stop=np.arange(40, 60))
    assert same_weights(one, two)
    assert one.curve == two.curve
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))
    assert same_weights(one, fit(make_store(cache_bytes=0), early_stop=np.arange(40, 60)))


def test_it_learns_from_features():
    store = make_store(200)
    fitted = fit(store, train=np.arange(150), n_epochs=6)
    logits = predict_logits(fitted.network, store, np.arange(150, 200))
    assert (logits.argmax(axis=1) == store.classes[150:].numpy()).mean() > 0.75


def test_only_training_samples_and_the_stopping_slice_are_read():
    store, poisoned = make_store(), make_store()
    poisoned.features[55:] = math.nan
    poisoned.classes[55:] = 0
    index = {"train": np.arange(40), "early_stop": np.arange(40, 55)}
    assert same_weights(fit(store, **index), fit(poisoned, **index))


def test_the_best_epoch_is_kept():
    store = make_store()
    stop = np.arange(40, 60)
    # The stopping slice's classes are inverted: every epoch of learning makes it worse.
    store.classes[40:] = 1 - store.classes[40:]
    fitted = fit(store, early_stop=stop, n_epochs=6, patience_epochs=2, learning_rate=0.05)
    losses = [row["early_stop_loss"] for row in fitted.curve]
    assert fitted.best_epoch == 1 + int(np.argmin(losses))
    assert len(losses) == fitted.best_epoch + 2 < 6
    assert same_weights(
        fitted, fit(store, n_epochs=fitted.best_epoch, patience_epochs=2, learning_rate=0.05)
    )


def test_the_stopping_loss_is_unweighted_log_loss():
    store = make_store()
    stop = np.arange(40, 60)
    uniqueness = np.where(np.arange(60) < 40, 1.0, 1e-6)  # of no consequence to the slice
    fitted = fit(store, early_stop=stop, uniqueness=uniqueness, n_epochs=1)
    assert same_weights(fitted, fit(store, early_stop=stop, n_epochs=1))
    z = predict_logits(fitted.network, store, stop)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    classes = store.classes[stop].numpy()
    by_hand = -np.log(p[np.arange(20), classes]).mean()
    assert fitted.curve[0]["early_stop_loss"] == pytest.approx(by_hand, rel=1e-6)


def test_uniqueness_acts_on_the_loss_by_its_ratios_only():
    store = make_store()
    uniqueness = np.random.default_rng(2).uniform(0.1, 1, 60)
    one = fit(store, uniqueness=uniqueness)
    assert same_weights(one, fit(store, uniqueness=uniqueness / 2))
    assert not same_weights(one, fit(store))
    weight = uniqueness[:40]
    up = store.classes[:40].numpy() == 1
    assert np.exp(one.log_odds[1]) == pytest.approx(weight[up].sum() / weight.sum())


def test_class_weights_enter_the_training_log_odds():
    store = make_store()
    share = float((store.classes[:40] == 1).double().mean())
    fitted = fit(store, head="binary_take_profit", class_weights=[1, 4])
    assert np.exp(fitted.log_odds[1]) == pytest.approx(4 * share / (4 * share + 1 - share))


def test_without_a_stopping_slice_all_epochs_run():
    fitted = fit(make_store(), n_epochs=4, patience_epochs=1)
    assert fitted.best_epoch == len(fitted.curve) == 4
    assert all(math.isnan(row["early_stop_loss"]) for row in fitted.curve)


def test_steps_per_epoch_and_focal_loss_are_honoured():
    store = make_store()
    assert not same_weights(fit(store, steps_per_epoch=2), fit(store))
    focal = fit(store, head="binary_take_profit", focal_gamma=2.0)
    assert focal.curve[0]["train_loss"] < fit(store).curve[0]["train_loss"]


def test_divergence_is_an_error():
    store = make_store()
    store.features[3] = math.inf
    with pytest.raises(PricePhysicsError, match="learning_rate"):
        fit(store)
