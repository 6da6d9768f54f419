"""The section of the benchmark still runs: without pyts, without looking at a clock."""

import pytest
import torch

from price_physics_tests.benchmarks import images
from price_physics_tests.benchmarks.harness import OURS, Arena


@pytest.fixture(autouse=True)
def _same_threads_after():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_every_task_of_ours_draws_every_pixel(tmp_path):
    figures = images.figures(Arena(), 5, tmp_path, full=False)
    assert [figure.name for figure in figures] == ["fields_64", "fields_128", "renderer_64_128"]
    for figure, n_channels in zip(figures, (3, 3, 6), strict=True):
        assert figure.ours.contender == OURS
        draw = images.TASKS[figure.ours.task](**figure.ours.args)
        assert draw() == 5 * n_channels * 64 * 64
        assert figure.peer.task in images.TASKS
