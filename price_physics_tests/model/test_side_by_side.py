"""Jobs on threads: order, errors, interrupts, and how many."""

import threading
import time
from functools import partial

import numpy as np
import pytest
import torch

from price_physics.images.threads import one_cpu_thread
from price_physics.model import side_by_side as module
from price_physics.model.device import exact_float32
from price_physics.model.inference import infer
from price_physics.model.networks import build_network
from price_physics.model.networks.resnet_lite import ResNetLiteConfig
from price_physics.model.side_by_side import GivenUpError, fits_at_once, side_by_side
from price_physics.model.train import Task, fit_network
from price_physics.study.model import ModelConfig
from price_physics_tests.model.test_train import NETWORK, make_store

CPU = torch.device("cpu")
PATIENCE_S = 60


class Endless:
    """A job that ends only when it is given up, and counts how often."""

    def __init__(self):
        self.running, self.n_ended = threading.Event(), 0

    def __call__(self, check):
        self.running.set()
        while True:
            try:
                check()
            except GivenUpError:
                self.n_ended += 1
                raise


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_the_jobs(n_threads):
    third_is_done = threading.Event()

    def job(number, check):
        check()
        if n_threads > 1 and number < 2:
            assert third_is_done.wait(PATIENCE_S)
        third_is_done.set()
        return number

    jobs = [lambda check, n=n: job(n, check) for n in range(3)]
    assert side_by_side(jobs, n_threads) == [0, 1, 2]


def test_with_one_thread_the_caller_does_the_work():
    def job(check):
        return threading.current_thread()

    assert side_by_side([job], 1) == [threading.current_thread()]
    assert side_by_side([job], 2) != [threading.current_thread()]


def test_torch_has_one_thread_in_each():
    before = torch.get_num_threads()
    assert side_by_side([lambda check: torch.get_num_threads()] * 4, 2) == [1] * 4
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_ends_the_others_at_their_next_check(error):
    endless, started = Endless(), []

    def failing(check):
        assert endless.running.wait(PATIENCE_S)
        time.sleep(0.05)  # all jobs are waiting by then
        raise error

    jobs = [endless, failing, *[lambda check: started.append(True)] * 50]
    with pytest.raises(error):
        side_by_side(jobs, 2)
    assert endless.n_ended == 1
    assert not started


def test_an_interrupt_of_the_caller_ends_the_jobs(monkeypatch):
    jobs = [Endless(), Endless()]

    def interrupted(futures):
        assert all(job.running.wait(PATIENCE_S) for job in jobs)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "as_completed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        side_by_side(jobs, 2)
    assert [job.n_ended for job in jobs] == [1, 1]


def test_as_many_fits_at_once_as_cores_and_memory_allow(monkeypatch):
    monkeypatch.setattr(module, "_n_cores", lambda: 6)
    default, wide = (ResNetLiteConfig(9, 6, 3, width=width) for width in (32, 128))
    assert fits_at_once(CPU, 128, 64, default) == 6
    assert fits_at_once(CPU, 512, 64, default) == 2
    assert fits_at_once(CPU, 128, 128, default) == 2
    assert fits_at_once(CPU, 128, 64, wide) == 2
    assert fits_at_once(CPU, 4096, 512, wide) == 1
    assert fits_at_once(torch.device("cuda"), 128, 64, default) == 1


def test_fits_that_draw_in_the_step_do_not_feel_each_other():
    def weights(n_threads):
        store = make_store(cache_bytes=0)
        store.uniqueness = np.linspace(0.5, 1, 60)

        def fit(seed, check):
            task = Task(np.arange(40), np.arange(40, 60), n_epochs=2, seed=seed)
            config = ModelConfig(batch_size=8, max_epochs=2, weights_on="sampler")
            done = fit_network(store, config, NETWORK, task, on_step=check)
            return {k: v.numpy().tobytes() for k, v in done.network.state_dict().items()}

        return side_by_side([partial(fit, seed) for seed in range(4)], n_threads)

    with one_cpu_thread(), exact_float32():
        one_by_one, together = weights(1), weights(3)
    assert one_by_one == together
    assert len({w["output.weight"] for w in together}) == 4


def test_a_prediction_can_be_given_up():
    store, n_batches = make_store(), []

    def stop():
        n_batches.append(1)
        raise GivenUpError

    network = build_network(NETWORK)
    with pytest.raises(GivenUpError):
        infer([network], store, np.arange(60), stop)
    assert n_batches == [1]


# ---------------------------------------------------------------------------- dropout
def test_dropout_draws_from_its_own_generator():
    network = build_network(ResNetLiteConfig(1, 0, 2, width=4, dropout=0.25))
    dropout, x = network.dropout, torch.ones(100_000)

    def draw(seed):
        dropout.generator = torch.Generator().manual_seed(seed)
        return dropout(x)

    before = torch.get_rng_state()
    first, again, other = draw(1), draw(1), draw(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float(first.mean()) == pytest.approx(1, abs=4 * (1 / 3 / 100_000) ** 0.5)
    dropout.eval()
    assert torch.equal(draw(1), x)


def test_dropout_without_a_generator_is_torchs():
    dropout = build_network(ResNetLiteConfig(1, 0, 2, width=4, dropout=0.25)).dropout
    x = torch.ones(50)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        drawn = dropout(x)
        torch.manual_seed(1)
        assert torch.equal(drawn, torch.nn.functional.dropout(x, 0.25))
