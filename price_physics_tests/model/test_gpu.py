"""On CUDA: a recorded step is the step, deterministic fits repeat, killed ones go on."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from price_physics.model.device import algorithms, exact_float32, resolve_device, seeded
from price_physics.model.networks.resnet_lite import ResNetLiteConfig
from price_physics.model.step import Step
from price_physics.study.model import ModelConfig
from price_physics_tests.model.test_train import (
    Killed,
    fit,
    kill_after,
    make_state,
    make_store,
    same_weights,
)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device here"),
]
NETWORK = ResNetLiteConfig(n_channels=1, n_features=2, n_classes=2, width=4, dropout=0.0)
BATCHES = [(0, 16), (16, 32), (32, 48), (5, 21), (48, 56), (2, 18)]
"""Five full batches and, as the last but one, a short one."""


@pytest.fixture
def cuda():
    return resolve_device("cuda")


def steps_optimised(state):
    return {float(s["step"]) for s in state.optimiser.state.values()}


def test_deterministic_fits_are_bit_identical(cuda):
    for weights_on in ("loss", "sampler"):
        settings = {"deterministic": True, "early_stop": np.arange(40, 60), "batch_size": 16}
        settings["weights_on"] = weights_on
        one, two = (fit(make_store(device=cuda), **settings) for _ in range(2))
        assert same_weights(one, two)
        assert one.curve == two.curve
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("n_steps", [1, 2, 5, 6])
def test_recorded_steps_move_the_weights_as_plain_steps_do(cuda, n_steps):
    store = make_store(device=cuda)
    config = ModelConfig(batch_size=16, precision="float32")
    weight = torch.rand(60, generator=torch.Generator().manual_seed(2)).to(cuda)
    trained = {}
    # one algorithm for both: AdamW's first steps magnify the last bits of a gradient
    with seeded(1, cuda), algorithms(cuda, deterministic=True), exact_float32():
        for recorded in (False, True):
            state = make_state(store, NETWORK)
            state.network.train()
            step = Step(state, store, weight, config, 16, recorded)
            for number, (start, stop) in enumerate(BATCHES[:n_steps]):
                step(torch.arange(start, stop, device=cuda), 1e-3 * (1 + number))
            assert steps_optimised(state) == {n_steps}
            trained[recorded] = (state.network.state_dict(), float(step.total_loss))
    start = make_state(store, NETWORK).network.state_dict()
    for name, plain in trained[False][0].items():
        torch.testing.assert_close(trained[True][0][name], plain, atol=1e-4, rtol=0)
    moved = [
        (start[n] - v).abs().max() for n, v in trained[False][0].items() if v.is_floating_point()
    ]
    assert max(moved) > 5e-4
    assert trained[True][1] == pytest.approx(trained[False][1], rel=1e-4)


def test_recorded_steps_in_bfloat16_do_about_what_plain_steps_do(cuda):
    settings = {"batch_size": 16, "precision": "bfloat16", "dropout": 0.0, "n_epochs": 2}
    recorded = fit(make_store(device=cuda), **settings)
    plain = fit(make_store(device=cuda), deterministic=True, **settings)
    for one, two in zip(recorded.curve, plain.curve, strict=True):
        assert one["train_loss"] == pytest.approx(two["train_loss"], rel=0.05)


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_killed_fit_goes_on(cuda, tmp_path, deterministic):
    settings = {
        "deterministic": deterministic,
        "n_epochs": 3,
        "batch_size": 16,
        "precision": "float32",
        "dropout": 0.0,
        "learning_rate": 1e-3,
    }
    file, whole_file = tmp_path / "fit.safetensors", tmp_path / "whole.safetensors"
    whole = fit(make_store(device=cuda), call={"checkpoint": whole_file}, **settings)
    with pytest.raises(Killed):
        fit(
            make_store(device=cuda),
            call={"on_epoch": kill_after(1), "checkpoint": file},
            **settings,
        )
    again = fit(make_store(device=cuda), call={"checkpoint": file}, **settings)
    if deterministic:
        assert same_weights(whole, again)
    one, two = load_file(whole_file), load_file(file)
    counts = [name for name in one if name.endswith(".step")]
    assert counts
    assert {float(two[name]) for name in counts} == {3 * 3}  # 16, 16 and 8 samples an epoch
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], value, atol=5e-4, rtol=1e-2)
    losses = [[row["train_loss"] for row in f.curve] for f in (whole, again)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
