"""A network is one module of a folder: what it must have, and what adding one changes."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from price_physics import source
from price_physics.errors import ConfigError, StoreError
from price_physics.model import networks
from price_physics.model.networks import build_network, config_class, network_config, network_json
from price_physics.model.predict import TrainedModel, predict
from price_physics.model.train import Task, fit_network
from price_physics.pipeline.dag import STAGES
from price_physics.pipeline.versions import code_version
from price_physics.study.model import ModelConfig
from price_physics_tests.model.test_train import make_store
from price_physics_tests.model.toy import MONTH, as_events, fit_toy, make_study
from price_physics_tests.sources import forget

TINY_NAME = "tiny_of_the_tests"
TINY = '''
"""`tiny`: one layer of the pooled image."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from price_physics.model.networks import Dropout, Network, NetworkConfig


@dataclass(frozen=True)
class TinyConfig(NetworkConfig):
    """`width` channels."""

    width: int = 8
    kernel: int = 3


class Tiny(Network):
    """One convolution, one layer."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.conv = nn.Conv2d(config.n_channels, config.width, config.kernel, padding=1)
        self.dropout = Dropout(config.dropout)
        self.output = nn.Linear(4 * config.width + config.n_features, config.n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Map (B, C, S, S) to (B, w, 2, 2)."""
        maps = torch.relu(self.conv(images))
        return nn.functional.avg_pool2d(maps, images.shape[-1] // 2)

    def classify(self, feature_map: Tensor, features: Tensor) -> Tensor:
        """Map (B, w, 2, 2) and (B, N) to (B, n_classes)."""
        x = torch.cat([feature_map.flatten(1), features], dim=1)
        return self.output(self.dropout(x))
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of networks in a copy of the package; networks are looked up there, too."""
    copy = tmp_path / "price_physics"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(source.__file__).parent, copy, ignore=ignored)
    monkeypatch.setattr(source, "_ROOT", copy)
    monkeypatch.setattr(networks, "__path__", [*networks.__path__, str(copy / "model/networks")])
    forget()
    yield copy / "model/networks"
    forget()


@pytest.fixture
def add(folder, monkeypatch):
    """Add a network as a file; return the class of its configuration."""

    def add(name, text):
        (folder / f"{name}.py").write_text(text)
        forget()
        module = f"price_physics.model.networks.{name}"
        monkeypatch.delitem(sys.modules, module, raising=False)
        return name

    return add


def of(name, **settings):
    return build_network(config_class(name)(n_channels=1, n_features=2, n_classes=3, **settings))


def study_of(name, **model):
    study = make_study(**model)
    return study.model_copy(
        update={"model": study.model.model_copy(update={"architecture": name, "width": None})}
    )


# ---------------------------------------------------------------------------- one file
@pytest.mark.slow
def test_a_file_more_is_a_network_more(add, tables):
    study = study_of(add(TINY_NAME, TINY), batch_size=16, max_epochs=8, dropout=0.2)
    result = fit_toy(study, tables)
    assert result.architecture["network"] == {
        "architecture": TINY_NAME,
        "n_channels": 1,
        "n_features": 6,
        "n_classes": 3,
        "width": 8,
        "kernel": 3,
        "dropout": 0.2,
    }
    assert result.summary["direction_auc_mean_of_folds"] > 0.9
    assert {name.split(".")[1] for name in result.weights} == {"conv", "output"}
    model = TrainedModel.load(result.weights, result.architecture)
    events, features = as_events(tables["windows"][MONTH]), tables["features"][MONTH]
    frame = predict(study, MONTH, model, tables["bars"], events, features)
    assert np.isfinite(frame["p_up"]).all()


def test_a_width_that_the_study_names_is_the_networks(add):
    tiny = of(add(TINY_NAME, TINY), width=4, dropout=0.5)
    assert tiny.conv.out_channels == 4
    assert tiny.dropout.p == 0.5
    assert network_config(network_json(tiny.config)) == tiny.config
    assert tiny.config.activations(64) == 64 * 64 * 4


def test_every_dropout_of_a_network_draws_from_the_fits_generator(add):
    two = TINY.replace(
        "self.dropout = Dropout(config.dropout)",
        "self.dropout, self.early = Dropout(config.dropout), Dropout(config.dropout)",
    ).replace("torch.relu(self.conv(images))", "self.early(torch.relu(self.conv(images)))")
    config = config_class(add("twice", two))(n_channels=1, n_features=2, n_classes=2, dropout=0.5)

    def fitted():
        store = make_store(pool=1)
        task = Task(np.arange(40), None, n_epochs=1, seed=1)
        return fit_network(store, ModelConfig(batch_size=8), config, task).network

    before = torch.get_rng_state()
    one, _ = fitted(), torch.rand(5)
    again = fitted()
    assert one.early.generator is one.dropout.generator is not None
    assert all(map(torch.equal, one.state_dict().values(), again.state_dict().values()))
    torch.set_rng_state(before)


def test_building_draws_what_the_weights_draw(add):
    tiny = config_class(add(TINY_NAME, TINY))(n_channels=1, n_features=2, n_classes=3)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        kind = type(build_network(tiny))
        built = torch.get_rng_state()
        torch.manual_seed(3)
        plain = kind(tiny)
        assert torch.equal(built, torch.get_rng_state())
    assert plain.training
    assert build_network(tiny).training


# ---------------------------------------------------------------------------- refused
LACKS = {
    "no attribute dropout that is a networks.Dropout": (
        "        self.dropout = Dropout(config.dropout)\n",
        "        self.drop = Dropout(config.dropout)\n",
    ),
    "dropout is a Dropout, not a networks.Dropout": ("= Dropout(", "= nn.Dropout("),
    "no attribute config, what it was made from": ("        self.config = config\n", ""),
    "0 classes that extend NetworkConfig": ("TinyConfig(NetworkConfig)", "TinyConfig"),
    "0 classes that extend Network,": ("class Tiny(Network)", "class Tiny(nn.Module)"),
    "2 classes that extend Network,": (
        "class Tiny(Network)",
        "class Other(Network):\n    pass\n\n\nclass Tiny(Network)",
    ),
    "Tiny defines no classify": ("def classify", "def classified"),
    "Tiny defines no features": ("def features", "def map_features"),
    r"classify gives \(2, 4\) of 2 events, not \(2, 3\)": ("n_classes)", "n_classes + 1)"),
    r"features gives \(2, 8, 4\) of 2 images, not \(2, c, h, w\)": (
        "images.shape[-1] // 2)",
        "images.shape[-1] // 2).flatten(2)",
    ),
    r"it fails on images of \(2, 1, 16, 16\): mat1": ("4 * config.width", "config.width"),
    r"conv is a Conv2d of 1 x 1 with stride \(2, 2\)": ("config.kernel, padding=1", "1, stride=2"),
    "pool is a AdaptiveAvgPool2d": (
        "        self.dropout =",
        "        self.pool = nn.AdaptiveAvgPool2d(1)\n        self.dropout =",
    ),
}
"""Error message -> (text of TINY to replace, its replacement)."""


@pytest.mark.parametrize("said", LACKS)
def test_what_a_network_lacks_is_named(add, said):
    old, new = LACKS[said]
    assert old in TINY
    name = add("lacking", TINY.replace(old, new))
    with pytest.raises(ConfigError, match=f"model.architecture = 'lacking': .*{said}") as error:
        of(name)
    assert "networks/__init__.py" in str(error.value)


def test_what_is_no_network_is_no_architecture(add, tables):
    for name in ("nothing", "_blocks", "_dropout"):
        with pytest.raises(ConfigError, match=r"none of \[.*'patchify', .*'resnet_lite'"):
            fit_toy(study_of(name), tables)
    with pytest.raises(StoreError, match="is none of"):
        network_config({"architecture": "_blocks"})
    assert add(TINY_NAME, TINY) in source.names_in("price_physics.model.networks")


# ---------------------------------------------------------------------------- versions
def networks_in(*modules):
    package = "price_physics.model.networks."
    return {n.removeprefix(package) for n in source.closure(*modules) if n.startswith(package)}


def test_nobody_imports_a_network_but_by_the_name_a_study_gives():
    for entry in ("model.fit", "model.train", "model.probabilities", "motifs.build"):
        assert networks_in(f"price_physics.{entry}") == {"_dropout"}
    for name in ("resnet_lite", "patchify"):
        found = networks_in(f"price_physics.model.networks.{name}")
        assert found == {name, "_blocks", "_dropout"}


@pytest.mark.slow
def test_a_network_is_of_those_versions_whose_study_names_it(folder, add):
    def versions():
        forget()
        return {
            (name, asset): code_version(asset, study_of(name))
            for name in ("resnet_lite", "patchify")
            for asset in STAGES
        }

    before = versions()
    add(TINY_NAME, TINY)
    assert versions() == before
    file = folder / "patchify.py"
    file.write_text(file.read_text().replace("PATCH = 8", "PATCH = 4"))
    after = versions()
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {("patchify", asset) for asset in ("model", "probabilities", "motifs")}
    file = folder / "_blocks.py"
    file.write_text(file.read_text().replace("0.2", "0.3"))
    both = versions()
    assert {name for name, asset in after if after[name, asset] != both[name, asset]} == {
        "resnet_lite",
        "patchify",
    }


def epochs_trained(folder, name, store):
    """Epochs that a fit with a checkpoint still had to train."""
    forget()
    done: list[int] = []
    config = config_class(name)(n_channels=1, n_features=2, n_classes=2, width=4)
    task = Task(np.arange(40), None, n_epochs=2, seed=1)
    settings = ModelConfig(batch_size=8, max_epochs=2)
    file = folder / f"{name}.safetensors"
    fit_network(store, settings, config, task, on_epoch=done.append, checkpoint=file)
    return done


def test_a_checkpoint_is_kept_by_what_trains_and_nothing_else(folder, add, tmp_path, caplog):
    store, package = make_store(pool=1), folder.parents[1]
    add(TINY_NAME, TINY)

    def edit(file, old, new):
        text = (package / file).read_text()
        assert old in text
        (package / file).write_text(text.replace(old, new))

    assert epochs_trained(tmp_path, TINY_NAME, store) == [1, 2]
    tiny = f"model/networks/{TINY_NAME}.py"
    for file in ("model/train.py", "model/step.py", "images/render.py", tiny):
        edit(file, "import torch\n", "# a comment\nimport torch\n")
        assert epochs_trained(tmp_path, TINY_NAME, store) == []
    edit("model/networks/resnet_lite.py", "width", "breadth")
    edit("model/networks/_blocks.py", "0.2", "0.3")
    edit("model/figures.py", "8, 3.9", "8, 4")
    edit("images/contact_sheet.py", "_GAP = 0.1", "_GAP = 0.2")
    add("other", TINY)
    assert epochs_trained(tmp_path, TINY_NAME, store) == []
    assert not caplog.records
    for file, old, new in (
        (tiny, "torch.relu(", "torch.tanh("),
        ("model/schedules.py", "0.3 * n_steps", "0.2 * n_steps"),
        ("images/wavelet.py", "import torch\n", "import torch\n\nMORE = 1\n"),
    ):
        edit(file, old, new)
        assert epochs_trained(tmp_path, TINY_NAME, store) == [1, 2]
    assert len(caplog.records) == 3
