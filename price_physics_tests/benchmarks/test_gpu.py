"""The GPU's table: refuses to run without a card, and what it counts is counted right."""

import numpy as np
import pytest
import torch

from price_physics.images.threads import one_cpu_thread
from price_physics.study import ModelConfig
from price_physics_tests.benchmarks import gpu

TOY = gpu.Sizes(
    n_samples=60, batch=8, n_steps=1, n_months=2, n_epochs=1, n_folds=2, matrix=64, copied=1024
)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card is there: it would be measured")
def test_without_a_card_it_says_so_and_measures_nothing(capsys):
    assert gpu.main() == 1
    assert "no CUDA device here: nothing was measured" in capsys.readouterr().out


@one_cpu_thread()
def test_every_figure_comes_out_on_a_toy(capsys):
    config = ModelConfig(batch_size=TOY.batch, width=4, device="cpu")
    rows = gpu.measure(torch.device("cpu"), TOY, config)
    assert len({row.name for row in rows}) == len(rows) == 19
    assert all(np.isfinite(row.value) and row.value > 0 for row in rows)
    values = {row.name: row.value for row in rows}
    assert values["walk_forward_folds"] > values["walk_forward"]
    assert "rendering's share of a step" in gpu.table(rows)


def test_operations_and_bytes_are_those_of_a_product():
    a, b = torch.ones(8, 16), torch.ones(16, 4)
    flops, moved = gpu._counted(lambda: torch.mm(a, b))
    assert flops == 2 * 8 * 16 * 4
    assert moved == 4 * (8 * 16 + 16 * 4 + 8 * 4)


def test_a_target_may_be_the_least_or_the_most():
    assert gpu.Row("a", "", 2.0, "s", 1.0).met is True
    assert gpu.Row("a", "", 2.0, "s", 1.0, most=True).met is False
    assert gpu.Row("a", "", 2.0, "s").met is None
