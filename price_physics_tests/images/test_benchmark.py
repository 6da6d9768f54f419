"""The section of the benchmark still runs: without pyts, without looking at a clock."""

import time

import numpy as np
import pytest
import torch

from price_physics.images import render
from price_physics_tests.benchmarks import images
from price_physics_tests.benchmarks.contender import run
from price_physics_tests.benchmarks.harness import OURS, Arena, BenchmarkError


@pytest.fixture(autouse=True)
def _same_threads_after():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Drawn(Arena):
    """Ours in this process; a peer's pictures are those of another task of ours."""

    def ask(self, call):
        task, given = call.task, call.args
        if task == "draw_pyts":
            task = "draw_fields"
        result, seconds = run(images.TASKS[task](**given), once=True)
        return {"result": result, "seconds": seconds}


@pytest.fixture
def figures(tmp_path):
    return images.figures(Arena(), 5, tmp_path, full=False)


def test_every_task_of_ours_draws_every_pixel(figures):
    assert [figure.name for figure in figures] == ["fields_64", "fields_128", "renderer_64_128"]
    for figure, n_channels in zip(figures, (3, 3, 6), strict=True):
        assert figure.ours.contender == OURS
        assert figure.peer.task in images.TASKS
        counted = Drawn().measure(figure, rounds=1).results[0][:: len_of_a_channel()]
        assert counted == [5 * 64 * 64] * n_channels


def len_of_a_channel():
    return len(images.looked_at([np.zeros((5, 64, 64))]))


@pytest.mark.parametrize("name", ["gasf", "gadf", "mtf"])
@pytest.mark.parametrize("wrong", [torch.zeros_like, lambda drawn: drawn + 0.01, torch.flip])
def test_a_renderer_that_draws_something_else_fails(figures, monkeypatch, name, wrong):
    right = getattr(render, name)
    given = {"dims": (1,)} if wrong is torch.flip else {}

    def draw(*arguments, **options):
        return wrong(right(*arguments, **options), **given)

    class Wrong(Drawn):
        def ask(self, call):
            with monkeypatch.context() as patch:
                if call.task != "draw_pyts":
                    patch.setattr(render, name, draw)
                return super().ask(call)

    with pytest.raises(BenchmarkError, match="fields_64: contenders disagree"):
        Wrong().measure(figures[0], rounds=1)


def test_the_clock_stands_still_while_the_result_is_worked_out():
    def slow():
        time.sleep(0.3)
        return 5

    result, seconds = run(lambda: slow, once=True)
    assert result == 5
    assert seconds < 0.2
