"""One fit: what the loss sees, when it stops, and that it repeats."""

import copy
import math
from types import MappingProxyType

import numpy as np
import pytest
import torch

from price_physics.errors import PricePhysicsError
from price_physics.images.render import Renderer
from price_physics.model import device as device_module
from price_physics.model import step as step_module
from price_physics.model.dataset import Moments, Samples, SampleStore, Scales
from price_physics.model.inference import infer
from price_physics.model.networks import build_network
from price_physics.model.networks.patchify import PatchifyConfig
from price_physics.model.networks.resnet_lite import ResNetLite, ResNetLiteConfig
from price_physics.model.schedules import batches, cosine, one_cycle
from price_physics.model.state import TrainingState, adamw
from price_physics.model.step import Step, weighted_loss
from price_physics.model.train import Task, fit_network
from price_physics.study.images import ImagesConfig
from price_physics.study.model import ModelConfig

IMAGES = ImagesConfig(windows_bars=[8], size_pixels=8, channels=["gadf"])
CPU = torch.device("cpu")
SCHEDULES = {"one_cycle": one_cycle, "cosine": cosine}
NETWORK = ResNetLiteConfig(n_channels=1, n_features=2, n_classes=2, width=4)


def make_store(n=60, n_classes=2, seed=0, cache_bytes=1 << 30, device=CPU, pool=NETWORK.pool):
    """The first feature hints at the class; the images are noise."""
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
    scales = Scales(Moments([0.1], [0.7]), Moments([1.0, 0.0], [2.0, 1.0]))
    return SampleStore(Renderer(IMAGES, pool), samples, classes, scales, device, cache_bytes)


def fit(
    store,
    n_classes=2,
    train=None,
    early_stop=None,
    uniqueness=None,
    n_epochs=3,
    call=MappingProxyType({}),
    **config,
):
    settings = ModelConfig(**{"batch_size": 8, "max_epochs": 6, "learning_rate": 0.01, **config})
    store.uniqueness = np.ones(len(store)) if uniqueness is None else uniqueness
    return fit_network(
        store,
        settings,
        ResNetLiteConfig(n_channels=1, n_features=2, n_classes=n_classes, width=4),
        Task(np.arange(40) if train is None else train, early_stop, n_epochs, seed=1),
        **call,
    )


def logits_of(network, store, index, **settings):
    return infer([network], store, index, **settings).numpy()


def make_state(store, architecture=NETWORK):
    with torch.random.fork_rng():
        torch.manual_seed(4)
        network = build_network(architecture)
    network.to(store.device, memory_format=torch.channels_last)
    return TrainingState(network, adamw(network, 0.01), torch.Generator(), torch.Generator())


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


def test_the_cosine_schedule_falls_from_its_peak():
    rates = [cosine(step, 10, 2.0) for step in range(10)]
    assert rates[0] == 2.0
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 0.1


def test_weighted_batches_draw_with_replacement_in_proportion():
    weight = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    samples = torch.tensor([7, 8, 9])
    order = list(batches(samples, 100, 40, torch.Generator().manual_seed(3), weight))
    assert [len(b) for b in order] == [100] * 40
    counts = np.bincount(torch.cat(order))
    assert counts[7] == 0
    assert counts[9] / 4_000 == pytest.approx(0.75, abs=0.03)
    once = list(batches(samples.repeat(2)[:5], 3, 2, torch.Generator(), weight.repeat(2)[:5]))
    assert [len(b) for b in once] == [3, 2]
    # By hand: which sample's share of the weights each draw falls into.
    at = 4 * torch.rand(4_000, generator=torch.Generator().manual_seed(3), dtype=weight.dtype)
    np.testing.assert_array_equal(torch.cat(order), np.where(at.numpy() < 1, 8, 9))


def test_batches_visit_every_sample_once_an_epoch():
    order = list(batches(torch.arange(10), 4, 3, torch.Generator().manual_seed(1)))
    assert [len(b) for b in order] == [4, 4, 2]
    assert sorted(torch.cat(order).tolist()) == list(range(10))
    long = torch.cat(list(batches(torch.arange(10), 4, 5, torch.Generator().manual_seed(1))))
    assert np.bincount(long).tolist() == [2] * 10
    few = list(batches(torch.arange(10), 4, 1, torch.Generator().manual_seed(1)))
    assert [len(b) for b in few] == [4]
    # A lone last sample would break batch normalisation.
    assert [len(b) for b in batches(torch.arange(9), 4, 3, torch.Generator())] == [4, 4, 2]


def test_images_are_the_same_rendered_once_or_in_every_step():
    index = torch.tensor([5, 0, 31])
    cached, rendered = make_store(), make_store(cache_bytes=0)
    assert torch.equal(cached.images(index), rendered.images(index))
    expected = (Renderer(IMAGES, 2)(cached.series, cached.ends[index]) - 0.1) / 0.7
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
    logits = logits_of(fitted.network, store, np.arange(150, 200))
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
    z = logits_of(fitted.network, store, stop)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    classes = store.classes[stop].numpy()
    by_hand = -np.log(p[np.arange(20), classes]).mean()
    assert fitted.curve[0]["early_stop_loss"] == pytest.approx(by_hand, rel=1e-6)


# ---------------------------------------------------------------------------- the offset
def test_the_offset_is_in_the_loss_and_in_the_stopping_loss(monkeypatch):
    seen = []

    def record(logits, classes, weight, gamma):
        seen.append(logits.detach().clone())
        return weighted_loss(logits, classes, weight, gamma)

    monkeypatch.setattr(step_module, "weighted_loss", record)
    plain, added = make_store(), make_store()
    added.offset = torch.randn((60, 2), generator=torch.Generator().manual_seed(1))
    stop, settings = np.arange(40, 60), {"n_epochs": 1, "batch_size": 40}
    without = fit(plain, early_stop=stop, **settings)
    fitted = fit(added, early_stop=stop, **settings)
    before, after = seen  # one step each, of the same forty samples in the same order
    order = next(batches(torch.arange(40), 40, 1, torch.Generator().manual_seed(1)))
    torch.testing.assert_close(after - before, added.offset[order])
    assert not same_weights(without, fitted)
    z = logits_of(fitted.network, added, stop) + added.offset[stop].double().numpy()
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    by_hand = -np.log(p[np.arange(20), added.classes[stop].numpy()]).mean()
    assert fitted.curve[0]["early_stop_loss"] == pytest.approx(by_hand, rel=1e-6)


def test_what_the_offset_says_is_not_learnt_again():
    """With the true odds as the offset there is nothing to learn: the logits hardly differ."""
    plain, added = make_store(300), make_store(300)
    true = plain.features[:, :1] * 2 * 2 - 2 + 2  # log-odds of a feature that is N(2 c, 1)
    added.offset = torch.cat([torch.zeros_like(true), true], dim=1)
    given = {"train": np.arange(300), "n_epochs": 6, "batch_size": 20, "dropout": 0.0}
    spread = {}
    for name, store in (("plain", plain), ("added", added)):
        logits = logits_of(fit(store, **given).network, store, np.arange(300))
        spread[name] = np.diff(logits).std()
    assert spread["added"] < 0.4 * spread["plain"]


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


@pytest.mark.slow
def test_weights_on_the_sampler_teach_what_weights_on_the_loss_teach():
    store = make_store(300)
    store.features[:] = 0  # nothing to learn but the shares of the classes
    uniqueness = np.random.default_rng(2).uniform(0.1, 1, 300)
    settings = {"head": "binary_take_profit", "class_weights": [1, 4], "dropout": 0.0}
    given = {"train": np.arange(300), "uniqueness": uniqueness, "n_epochs": 6, "batch_size": 20}
    taught = {}
    for where in ("loss", "sampler"):
        fitted = fit(store, weights_on=where, **given, **settings)
        p = 1 / (1 + np.exp(-np.diff(logits_of(fitted.network, store, np.arange(300)))))
        taught[where] = p.mean()
        assert p.mean() == pytest.approx(np.exp(fitted.log_odds[1]), abs=0.06)
    up = store.classes.numpy() == 1
    weighted = 4 * uniqueness[up].sum() / (4 * uniqueness[up].sum() + uniqueness[~up].sum())
    assert np.exp(fitted.log_odds[1]) == pytest.approx(weighted)
    assert weighted - up.mean() > 0.2  # a correction left out, or made twice, would be seen
    assert taught["loss"] == pytest.approx(taught["sampler"], abs=0.06)


def test_the_sampler_draws_by_its_weights_and_the_loss_then_has_none(monkeypatch):
    seen = []

    def record(logits, classes, weight, gamma):
        seen.append((classes.clone(), weight.clone()))
        return weighted_loss(logits, classes, weight, gamma)

    monkeypatch.setattr(step_module, "weighted_loss", record)
    store = make_store()
    uniqueness = np.where(store.classes.numpy() == 1, 1.0, 1e-9)
    fitted = fit(store, uniqueness=uniqueness, weights_on="sampler")
    assert all((weight == 1).all() for _, weight in seen)
    assert all((classes == 1).all() for classes, _ in seen)
    assert np.exp(fitted.log_odds[1]) == pytest.approx(1)
    seen.clear()
    fit(store, uniqueness=uniqueness, weights_on="loss")
    assert any((weight != 1).any() for _, weight in seen)
    assert any((classes == 0).any() for classes, _ in seen)


def test_the_gradient_is_clipped_where_asked(monkeypatch):
    store, norms = make_store(), []
    plain = torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(
        torch.nn.utils, "clip_grad_norm_", lambda p, m: norms.append(m) or plain(p, m)
    )
    clipped = fit(store, gradient_clip=1e-4)
    assert set(norms) == {1e-4}
    norms.clear()
    free = fit(store, gradient_clip=None)
    assert norms == []
    assert not same_weights(clipped, free)


def test_bfloat16_trains_near_float32():
    store = make_store()
    exact, rounded = fit(store), fit(store, precision="bfloat16")
    assert not same_weights(exact, rounded)
    assert rounded.curve[-1]["train_loss"] == pytest.approx(exact.curve[-1]["train_loss"], rel=0.1)
    assert {p.dtype for p in rounded.network.parameters()} == {torch.float32}


def test_the_schedule_is_the_one_named():
    store = make_store()
    rates = {s: [r["learning_rate"] for r in fit(store, schedule=s).curve] for s in SCHEDULES}
    steps = 5  # 40 samples in batches of 8; the cycle spans max_epochs = 6
    for name, schedule in SCHEDULES.items():
        assert rates[name] == [schedule(5 * e - 1, 6 * steps, 0.01) for e in (1, 2, 3)]


# ---------------------------------------------------------------------------- out of memory
def memory_for_eight(monkeypatch):
    """From here on no more than eight samples fit into memory at once."""
    forward = ResNetLite.forward

    def small(self, images, features):
        if len(images) > 8 and self.training:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images, features)

    monkeypatch.setattr(ResNetLite, "forward", small)


def test_out_of_memory_halves_what_passes_at_once_and_goes_on(monkeypatch, caplog):
    plain = fit(make_store(), batch_size=32)
    memory_for_eight(monkeypatch)
    fitted = fit(make_store(), batch_size=32)
    assert (plain.at_once, fitted.at_once) == (32, 8)
    assert [row["epoch"] for row in fitted.curve] == [1, 2, 3]
    assert [r.args[1:] for r in caplog.records] == [(32, 16), (16, 8)]
    # What is lost is batch normalisation over the whole batch, and nothing else.
    told = Task(np.arange(40), None, 3, seed=1, at_once=8)
    same = fit_network(
        make_store(),
        ModelConfig(batch_size=32, max_epochs=6, learning_rate=0.01),
        NETWORK,
        told,
    )
    assert same_weights(fitted, same)


def test_a_gradient_in_parts_is_the_gradient_of_the_whole():
    store = make_store()
    state = make_state(store)
    weight = torch.rand(60, generator=torch.Generator().manual_seed(2))
    config = ModelConfig(batch_size=40, gradient_clip=None)
    state.network.eval()  # batch normalisation is what parts change
    gradients = []
    for at_once in (40, 16):
        step = Step(state, store, weight, config, at_once, recorded=False)
        step(torch.arange(40), 0.0)
        gradients.append([p.grad.clone() for p in state.network.parameters()])
        assert float(step.total_loss) == pytest.approx(40 * 0.35, rel=0.5)
    for whole, parts in zip(*gradients, strict=True):
        torch.testing.assert_close(whole, parts, atol=1e-6, rtol=1e-4)


def test_what_memory_took_is_kept_with_the_state(monkeypatch, tmp_path):
    def run(name, **call):
        return fit(make_store(), batch_size=32, call={"checkpoint": tmp_path / name, **call})

    with monkeypatch.context() as patch:
        memory_for_eight(patch)
        whole = run("whole")
        assert (whole.at_once, run("whole").at_once) == (8, 8)
        with pytest.raises(Killed):
            run("killed", on_epoch=kill_after(1))
    again = run("killed")  # where it goes on there is memory
    assert again.at_once == 8
    assert same_weights(whole, again)
    assert not same_weights(whole, fit(make_store(), batch_size=32))


@pytest.mark.parametrize("cache_bytes", [0, 1 << 30])
def test_images_are_drawn_in_the_parts_that_memory_takes(monkeypatch, cache_bytes):
    draw, seen = SampleStore.images, []

    def small(self, index, dtype=torch.float32):
        seen.append(len(index))
        if len(index) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return draw(self, index, dtype)

    store = make_store(cache_bytes=cache_bytes)
    monkeypatch.setattr(SampleStore, "images", small)
    fitted = fit(store, batch_size=32)
    assert fitted.at_once == 8
    assert seen[:2] == [32, 16]
    assert max(seen[2:]) == 8


def test_without_memory_for_all_images_every_step_draws_its_own(monkeypatch, caplog):
    draw, at_most = SampleStore._render, 40

    def small(self, index, dtype):
        if len(index) > at_most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return draw(self, index, dtype)

    cached = fit(make_store())
    monkeypatch.setattr(SampleStore, "_render", small)
    store = make_store()
    (record,) = caplog.records
    assert "images of 60 samples" in record.getMessage()
    assert same_weights(cached, fit(store))


def test_too_little_memory_for_anything_is_an_error(monkeypatch):
    def never(self, images, features):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ResNetLite, "forward", never)
    with pytest.raises(PricePhysicsError, match=r"memory does not suffice .*model\.device"):
        fit(make_store(), batch_size=32)


# ---------------------------------------------------------------------------- killed, and again
class Killed(Exception):
    pass


def kill_after(epoch):
    def on_epoch(done):
        if done == epoch:
            raise Killed

    return on_epoch


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", [1, 3, 4])
def test_a_killed_fit_ends_where_it_would_have(tmp_path, killed_after):
    settings = {"early_stop": np.arange(40, 60), "n_epochs": 6, "patience_epochs": 6}
    whole = fit(make_store(), **settings)
    file = tmp_path / "fit.safetensors"
    with pytest.raises(Killed):
        fit(
            make_store(),
            call={"on_epoch": kill_after(killed_after), "checkpoint": file},
            **settings,
        )
    torch.rand(3)  # the random state of another process
    done = []
    again = fit(make_store(), call={"on_epoch": done.append, "checkpoint": file}, **settings)
    assert done == list(range(killed_after + 1, 7))
    assert same_weights(whole, again)
    assert (whole.curve, whole.best_epoch) == (again.curve, again.best_epoch)
    # And once it is finished, nothing is trained again.
    once_more = fit(make_store(), call={"on_epoch": done.append, "checkpoint": file}, **settings)
    assert len(done) == 6 - killed_after
    assert same_weights(whole, once_more)
    assert whole.curve == once_more.curve


@pytest.mark.parametrize(
    "change", ["seed", "data", "settings", "processor", "vectors", "damage", "cut", "empty"]
)
def test_another_fits_or_a_damaged_checkpoint_is_ignored_aloud(
    tmp_path, caplog, monkeypatch, change
):
    file, done = tmp_path / "fit.safetensors", []
    fit(make_store(), n_epochs=1, call={"checkpoint": file})
    store, settings = make_store(), {}
    raw = bytearray(file.read_bytes())
    if change == "seed":
        store = make_store(seed=1)
    elif change == "data":
        store.features[3, 0] += 1e-3
    elif change == "settings":
        settings = {"weight_decay": 0.02}
    elif change == "processor":
        monkeypatch.setattr(device_module, "_cpu_name", lambda: "another")
    elif change == "vectors":
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "another")
    elif change == "damage":
        raw[-100] ^= 1
        file.write_bytes(raw)
    else:
        file.write_bytes(raw[: -100 if change == "cut" else 0])
    fit(store, n_epochs=1, call={"checkpoint": file, "on_epoch": done.append}, **settings)
    assert done == [1]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    said = {"damage": "checksum", "cut": "", "empty": ""}.get(change, "another fit")
    assert said in record.getMessage()
    assert "starts over" in record.getMessage()
    assert not list(tmp_path.glob(".tmp*"))


def test_the_optimiser_that_is_laid_out_beforehand_is_adamw():
    store = make_store()
    state = make_state(store)
    twin = copy.deepcopy(state.network.eval())  # without dropout
    plain = torch.optim.AdamW(twin.parameters(), lr=0.01, weight_decay=0.01, fused=True)
    state.optimiser.param_groups[0]["lr"] = 0.01
    for _ in range(3):
        for network, optimiser in ((state.network, state.optimiser), (twin, plain)):
            optimiser.zero_grad()
            network(store.images(torch.arange(8)), store.features[:8]).square().sum().backward()
            optimiser.step()
        store.features += 0.1
        for one, two in zip(state.network.parameters(), twin.parameters(), strict=True):
            assert torch.equal(one, two)
    assert set(plain.state[next(twin.parameters())]) == {"step", "exp_avg", "exp_avg_sq"}


# ---------------------------------------------------------------------------- settings
def test_without_a_stopping_slice_all_epochs_run():
    fitted = fit(make_store(), n_epochs=4, patience_epochs=1)
    assert fitted.best_epoch == len(fitted.curve) == 4
    assert all(math.isnan(row["early_stop_loss"]) for row in fitted.curve)


def test_steps_per_epoch_and_focal_loss_are_honoured():
    store = make_store()
    assert not same_weights(fit(store, steps_per_epoch=2), fit(store))
    focal = fit(store, head="binary_take_profit", focal_gamma=2.0)
    assert focal.curve[0]["train_loss"] < fit(store).curve[0]["train_loss"]


def test_images_that_are_not_pooled_as_the_network_asks_are_refused():
    with pytest.raises(ValueError, match="pooled by 1, ResNetLiteConfig asks for 2"):
        fit(make_store(pool=1))


def test_divergence_is_an_error():
    store = make_store()
    store.features[3] = math.inf
    with pytest.raises(PricePhysicsError, match="learning_rate"):
        fit(store)


def test_fits_and_their_logits_are_in_true_float32(monkeypatch):
    forward, seen = ResNetLite.forward, []

    def record(self, images, features):
        conv, matmul = torch.backends.cudnn.conv, torch.backends.cuda.matmul
        seen.append((self.training, conv.fp32_precision, matmul.fp32_precision))
        return forward(self, images, features)

    before = torch.backends.cudnn.conv.fp32_precision
    monkeypatch.setattr(ResNetLite, "forward", record)
    store = make_store()
    fitted = fit(store, early_stop=np.arange(40, 60))
    assert set(seen) == {(True, "ieee", "ieee"), (False, "ieee", "ieee")}
    seen.clear()
    logits_of(fitted.network, store, np.arange(60))
    assert set(seen) == {(False, "ieee", "ieee")}
    assert torch.backends.cudnn.conv.fp32_precision == before


@pytest.mark.parametrize("kind", [ResNetLiteConfig, PatchifyConfig])
def test_a_samples_logits_do_not_depend_on_those_after_it(kind):
    store = make_store(300, pool=kind.pool)
    architecture = kind(n_channels=1, n_features=2, n_classes=2, width=16)
    network = make_state(store, architecture).network
    whole = logits_of(network, store, np.arange(300))
    for n in (0, 1, 63, 65, 66, 257, 258, 264):
        np.testing.assert_array_equal(logits_of(network, store, np.arange(n)), whole[:n])
