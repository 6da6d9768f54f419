"""The section ``training``: the peer of the row to be met is what a user writes."""

import pytest
import torch

from price_physics.model.networks import build_network
from price_physics_tests.benchmarks import training, training_loops
from price_physics_tests.benchmarks.harness import Arena

N = 6


class Nobody(Arena):
    """Stores nothing."""

    def ask(self, call):
        return {}


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    return training.figures(Nobody(), N, tmp_path_factory.mktemp("images"), full=False)


def test_the_first_row_is_to_be_met_and_its_peer_is_left_as_it_comes(figures):
    first, *others = figures
    assert first.target == 2.0
    assert first.peer.args.items() >= {"threads": None, "workers": 0}.items()
    assert first.ours.args["network"] == first.peer.args["network"] == "resnet_lite"
    assert first.ours.args["n_fits"] == first.peer.args["n_fits"] == 2
    assert "plain DataLoader, one after another, torch's own threads" in first.text
    assert len(others) == 4
    for figure in others:
        assert figure.target is None
        assert figure.peer.args["threads"] == 1
        assert figure.ours.args["n_fits"] == figure.peer.args["n_fits"] == 1
        assert "one thread each" in figure.text
    assert len({figure.name for figure in figures}) == 5


def test_the_plain_loop_is_plain(figures, monkeypatch):
    seen = {"layout": [], "threads": [], "items": 0, "loaders": []}

    def watched(config):
        network = build_network(config)

        def look(module, given):
            filters = [p for p in module.parameters() if p.ndim == 4]
            seen["layout"].append(all(t.is_contiguous() for t in [given[0], *filters]))
            seen["threads"].append(torch.get_num_threads())

        network.register_forward_pre_hook(look)
        return network

    class Optimiser(torch.optim.AdamW):
        def __init__(self, *given, **options):
            super().__init__(*given, **options)
            seen["fused"] = self.defaults["fused"]

    class Loader(torch.utils.data.DataLoader):
        def __init__(self, *given, **options):
            super().__init__(*given, **options)
            seen["loaders"].append(self.num_workers)

    item = torch.Tensor.item

    def counted(tensor):
        seen["items"] += tensor.requires_grad  # the loss has a gradient, nothing else read has
        return item(tensor)

    monkeypatch.setattr(training_loops, "build_network", watched)
    monkeypatch.setattr(training_loops, "DataLoader", Loader)
    monkeypatch.setattr(torch.optim, "AdamW", Optimiser)
    monkeypatch.setattr(torch.Tensor, "item", counted)
    monkeypatch.setattr(training, "BATCH", 2)
    own = torch.get_num_threads()
    assert training.TASKS["train_loader"](**figures[0].peer.args)() == 2 * N
    assert seen == {
        "layout": [True] * 6,
        "threads": [own] * 6,
        "items": 6,
        "loaders": [0, 0],
        "fused": None,
    }
    assert torch.get_num_threads() == own


def test_ours_and_the_peer_held_to_one_thread_run(figures):
    for task, given, n_fits in (
        ("train_drawn", figures[0].ours.args, 2),
        ("train_drawn", figures[1].ours.args, 1),
        ("train_loader", figures[1].peer.args, 1),
    ):
        assert training.TASKS[task](**given)() == n_fits * N
