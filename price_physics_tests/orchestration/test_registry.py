"""A registered model scores batches as the model it was made of; twice the same is once."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save

from price_physics.months import Month
from price_physics.orchestration.registry import (
    ModelFiles,
    alias_of,
    example,
    import_pyfunc,
    register,
)
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.schemas import FEATURE_COLUMNS
from price_physics.store.artefact import canonical_json
from price_physics_tests.motifs.cases import model, study

MONTH = Month(2012, 4)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    tracking = MlflowTracking(folder=str(tmp_path_factory.mktemp("mlflow")))
    return tracking._client()


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
    return register(client, "toy", MONTH, run, files_of(trained))


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
    scored = load(client, f"toy@{alias_of(MONTH)}").predict(rows)
    for i in range(5):  # one at a time: a row sees no other
        series = torch.from_numpy(np.stack([close[i], volume[i]]))
        logits = trained.logits(series, np.array([n_bars - 1]), features[i : i + 1])
        down, flat, up = trained.probabilities(logits).numpy()[0]
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
    assert register(client, "toy", MONTH, run, files_of(trained)) == version
    other = register(client, "toy", MONTH, run, files_of(model(study(), seed=6)))
    assert other != version
    assert client.get_model_version_by_alias("toy", alias_of(MONTH)).version == other
    later = register(client, "toy", MONTH + 1, run, files_of(trained))
    assert client.get_model_version_by_alias("toy", alias_of(MONTH + 1)).version == later


def test_rows_of_another_length_are_refused(client, version):
    rows = example({"windows_bars": [16]}, 3)
    with pytest.raises(ValueError, match=r"close has rows of \[16\] bars; give 32"):
        load(client, f"toy/{version}").predict(rows)
