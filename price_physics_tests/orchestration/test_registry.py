"""A registered model scores batches as the model it was made of; twice the same is once."""

from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save

from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.orchestration import registry
from price_physics.orchestration.registry import (
    ModelFiles,
    alias_of,
    digest_of_files,
    example,
    import_pyfunc,
    register,
)
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.schemas.regimes import FEATURE_COLUMNS
from price_physics.schemas.table import ODDS
from price_physics.store.artefact import canonical_json
from price_physics_tests.damage import flips
from price_physics_tests.motifs.cases import model, study

pytestmark = pytest.mark.slow  # MLflow makes its database, and reads models back

MONTH = Month(2012, 4)
MARKS = {"price_physics.synthetic": "false", "price_physics.in_sample": "true"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    tracking = MlflowTracking(folder=str(tmp_path_factory.mktemp("mlflow")))
    return tracking.client()


def files_of(trained):
    weights = {f"0.{k}": v.numpy() for k, v in trained.network.state_dict().items()}
    architecture = trained.architecture
    return ModelFiles(save(weights), canonical_json(architecture), architecture["images"])


@pytest.fixture(scope="module")
def run(client, tmp_path_factory):
    place = tmp_path_factory.mktemp("artifacts").as_uri()
    return client.create_run(client.create_experiment("x", artifact_location=place)).info.run_id


@pytest.fixture(scope="module")
def trained():
    return model(study())


@pytest.fixture(scope="module")
def version(client, run, trained):
    return register(client, "toy", MONTH, run, files_of(trained), MARKS)


def load(client, name):
    import mlflow

    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.set_registry_uri(client.tracking_uri)
    return import_pyfunc()[0].load_model(f"models:/{name}")


def test_a_registered_model_scores_five_rows_as_the_model_itself(client, version, trained):
    rng, n_bars = np.random.default_rng(1), 32
    close = 100 * np.exp(rng.normal(0, 0.01, (5, n_bars)).cumsum(axis=1))
    volume, features = rng.uniform(1, 2, (5, n_bars)), rng.normal(size=(5, len(FEATURE_COLUMNS)))
    rows = pd.DataFrame({"close": list(close), "volume": list(volume)})
    rows[FEATURE_COLUMNS] = features
    rows["side"] = [1.0, -1.0, 1.0, -1.0, 1.0]
    rows[list(ODDS)] = rng.dirichlet([1, 1, 1], 5)
    scored = load(client, f"toy@{alias_of(MONTH)}").predict(rows)
    for i in range(5):  # one at a time: a row sees no other
        series = torch.from_numpy(np.stack([close[i], volume[i]]))
        logits = trained.logits(series, np.array([n_bars - 1]), features[i : i + 1])
        down, flat, up = trained.probabilities(logits, rows.iloc[i : i + 1]).numpy()[0]
        np.testing.assert_allclose(scored.iloc[i][["p_up", "p_flat", "p_down"]], [up, flat, down])
    assert scored["p_up"].nunique() == 5


def test_nothing_is_pickled(client, run, version):
    def walk(path):
        for entry in client.list_artifacts(run, path):
            yield from walk(entry.path) if entry.is_dir else [entry.path]

    names = {path.rsplit("/", 1)[-1] for path in walk("registered")}
    assert {"serving.py", "network.safetensors", "architecture.json", "MLmodel"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".pt", ".pth"))]


def test_the_same_model_is_one_version_another_is_a_new_one(client, run, version, trained):
    assert register(client, "toy", MONTH, run, files_of(trained), MARKS) == version
    other = register(client, "toy", MONTH, run, files_of(model(study(), seed=6)), MARKS)
    assert other != version
    assert client.get_model_version_by_alias("toy", alias_of(MONTH)).version == other
    later = register(client, "toy", MONTH + 1, run, files_of(trained), MARKS)
    assert client.get_model_version_by_alias("toy", alias_of(MONTH + 1)).version == later


def test_a_version_says_how_far_it_can_be_trusted(client, run, trained):
    first = register(client, "marked", MONTH, run, files_of(trained), MARKS)
    assert MARKS.items() <= client.get_model_version("marked", first).tags.items()
    honest = {**MARKS, "price_physics.in_sample": "false"}
    again = register(client, "marked", MONTH, run, files_of(trained), honest)
    assert again == first
    assert honest.items() <= client.get_model_version("marked", first).tags.items()


def test_rows_of_another_length_are_refused(client, version):
    rows = example({"windows_bars": [16]}, 3)
    with pytest.raises(ValueError, match=r"close has rows of \[16\] bars; give 32"):
        load(client, f"toy/{version}").predict(rows)


def tag_and_files(client, name, version):
    known = client.get_model_version(name, version)
    return known.tags["price_physics.sha256"], digest_of_files(known.source)


def test_a_month_trained_again_leaves_the_older_version_its_files(client, run, trained):
    first = register(client, "again", MONTH, run, files_of(trained))
    second = register(client, "again", MONTH, run, files_of(model(study(), seed=6)))
    tags = []
    for version in (first, second):
        tag, files = tag_and_files(client, "again", version)
        assert files == tag
        tags.append(tag)
    assert tags[0] != tags[1]
    assert register(client, "again", MONTH, run, files_of(trained)) == first  # as it was
    assert client.get_model_version_by_alias("again", alias_of(MONTH)).version == first


def test_a_version_whose_files_are_not_those_of_its_tag_is_not_trusted(client, run, trained):
    first = register(client, "torn", MONTH + 2, run, files_of(trained))
    known = client.get_model_version("torn", first)
    network = Path(url2pathname(urlparse(known.source).path), "artifacts", "network.safetensors")
    content = network.read_bytes()
    for damage in (lambda: network.write_bytes(content[:-1] + b"?"), network.unlink):
        damage()
        again = register(client, "torn", MONTH + 2, run, files_of(trained))
        tag, files = tag_and_files(client, "torn", again)
        assert files == tag
        assert client.get_model_version_by_alias("torn", alias_of(MONTH + 2)).version == again


def test_no_flipped_bit_of_a_registered_model_is_loaded(client, version, tmp_path):
    import mlflow

    path = mlflow.artifacts.download_artifacts(
        f"models:/toy@{alias_of(MONTH)}", dst_path=str(tmp_path), tracking_uri=client.tracking_uri
    )
    files = {part: Path(path, "artifacts", file) for part, file in registry._PARTS.items()}
    paths = {part: str(file) for part, file in files.items()}
    whole = registry.read_model(paths)
    for file in files.values():
        content = file.read_bytes()
        for damaged in flips(content, 25):
            file.write_bytes(damaged)
            with pytest.raises(StoreError, match="not those that were registered; delete"):
                registry.read_model(paths)
        file.write_bytes(content)
    assert registry.read_model(paths) == whole


def test_a_version_with_older_code_makes_way(client, run, trained, monkeypatch, tmp_path):
    older = tmp_path / "serving.py"
    older.write_bytes(registry._CODE.read_bytes() + b"# as it was\n")
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_CODE", older)
        first = register(client, "older", MONTH, run, files_of(trained))
    second = register(client, "older", MONTH, run, files_of(trained))
    assert second != first
    assert client.get_model_version_by_alias("older", alias_of(MONTH)).version == second
    tag, files = tag_and_files(client, "older", second)
    assert files == tag


@pytest.mark.parametrize("step", ["create_model_version", "set_registered_model_alias"])
def test_a_kill_leaves_no_alias_to_the_wrong_model(client, run, trained, monkeypatch, step):
    name, other = f"killed_at_{step}", files_of(model(study(), seed=6))
    first = register(client, name, MONTH, run, files_of(trained))

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(client), step, killed)
        with pytest.raises(KeyboardInterrupt):
            register(client, name, MONTH, run, other)
    led = client.get_model_version_by_alias(name, alias_of(MONTH))
    assert led.version == first
    assert digest_of_files(led.source) == led.tags["price_physics.sha256"]
    second = register(client, name, MONTH, run, other)
    assert client.get_model_version_by_alias(name, alias_of(MONTH)).version == second
    assert len(client.search_model_versions(f"name = '{name}'")) == 2
