"""A registered model scores batches as the model it was made of; twice the same is once."""

import json
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
    CONFIGURATION,
    LOGGED_MODEL,
    ModelFiles,
    alias_of,
    digest_of_files,
    example,
    find_alias,
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
    stored = trained.network.state_dict().items()
    weights = {f"0.{k}": np.array(v.numpy(), order="C") for k, v in stored}
    architecture = {**trained.architecture, "month": str(MONTH)}
    return ModelFiles(save(weights), canonical_json(architecture), architecture["images"])


@pytest.fixture(scope="module")
def run(client, tmp_path_factory):
    place = tmp_path_factory.mktemp("artifacts").as_uri()
    return client.create_run(client.create_experiment("x", artifact_location=place))


@pytest.fixture(scope="module")
def trained():
    return model(study())


@pytest.fixture(scope="module")
def version(client, run, trained):
    return number(client, "toy", MONTH, run, files_of(trained), MARKS)


def number(*arguments):
    return register(*arguments).version


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
    place = Path(url2pathname(urlparse(client.get_model_version("toy", version).source).path))
    names = {path.name for path in place.rglob("*") if path.is_file()}
    assert {"serving.py", "network.safetensors", "architecture.json", "MLmodel"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".pt", ".pth"))]


def test_the_same_model_is_one_version_another_is_a_new_one(client, run, version, trained):
    assert number(client, "toy", MONTH, run, files_of(trained), MARKS) == version
    other = number(client, "toy", MONTH, run, files_of(model(study(), seed=6)), MARKS)
    assert other != version
    assert client.get_model_version_by_alias("toy", alias_of(MONTH)).version == other
    later = number(client, "toy", MONTH + 1, run, files_of(trained), MARKS)
    assert client.get_model_version_by_alias("toy", alias_of(MONTH + 1)).version == later


def test_a_version_says_how_far_it_can_be_trusted(client, run, trained):
    first = number(client, "marked", MONTH, run, files_of(trained), MARKS)
    assert MARKS.items() <= client.get_model_version("marked", first).tags.items()
    honest = {**MARKS, "price_physics.in_sample": "false"}
    again = number(client, "marked", MONTH, run, files_of(trained), honest)
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
    first = number(client, "again", MONTH, run, files_of(trained))
    second = number(client, "again", MONTH, run, files_of(model(study(), seed=6)))
    tags = []
    for version in (first, second):
        tag, files = tag_and_files(client, "again", version)
        assert files == tag
        tags.append(tag)
    assert tags[0] != tags[1]
    assert number(client, "again", MONTH, run, files_of(trained)) == first  # as it was
    assert client.get_model_version_by_alias("again", alias_of(MONTH)).version == first


def test_a_version_whose_files_are_not_those_of_its_tag_is_not_trusted(client, run, trained):
    first = number(client, "torn", MONTH + 2, run, files_of(trained))
    known = client.get_model_version("torn", first)
    network = Path(url2pathname(urlparse(known.source).path), "artifacts", "network.safetensors")
    content = network.read_bytes()
    for damage in (lambda: network.write_bytes(content[:-1] + b"?"), network.unlink):
        damage()
        again = number(client, "torn", MONTH + 2, run, files_of(trained))
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
            with pytest.raises(StoreError, match="registered; in its project run  rm -r"):
                registry.read_model(paths)
        file.write_bytes(content)
    assert registry.read_model(paths) == whole


def test_a_version_with_older_code_makes_way(client, run, trained, monkeypatch, tmp_path):
    older = tmp_path / "serving.py"
    older.write_bytes(registry._CODE.read_bytes() + b"# as it was\n")
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_CODE", older)
        first = number(client, "older", MONTH, run, files_of(trained))
    second = number(client, "older", MONTH, run, files_of(trained))
    assert second != first
    assert client.get_model_version_by_alias("older", alias_of(MONTH)).version == second
    tag, files = tag_and_files(client, "older", second)
    assert files == tag


STEPS = ["log_model_artifacts", "create_model_version", "set_registered_model_alias"]


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_leaves_no_alias_to_the_wrong_model(client, run, trained, monkeypatch, step):
    name, other = f"killed_at_{step}", files_of(model(study(), seed=6))
    first = number(client, name, MONTH, run, files_of(trained))

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(client), step, killed)
        with pytest.raises(KeyboardInterrupt):
            number(client, name, MONTH, run, other)
    led = client.get_model_version_by_alias(name, alias_of(MONTH))
    assert led.version == first
    assert digest_of_files(led.source) == led.tags["price_physics.sha256"]
    second = number(client, name, MONTH, run, other)
    assert client.get_model_version_by_alias(name, alias_of(MONTH)).version == second
    assert len(client.search_model_versions(f"name = '{name}'")) == 2
    logged = client.search_logged_models([run.info.experiment_id], f"name = '{name}-{MONTH}'")
    assert {model.status for model in logged} == {"READY"}, "what the kill left half made is gone"


def test_a_version_is_a_logged_model_with_its_signature(client, run, trained):
    made = register(client, "signed", MONTH, run, files_of(trained), MARKS)
    logged = client.get_logged_model(made.tags[LOGGED_MODEL])
    assert (logged.name, logged.status) == (f"signed-{MONTH}", "READY")
    assert logged.source_run_id == run.info.run_id
    assert json.loads(logged.tags["mlflow.modelVersions"]) == [{"name": "signed", "version": 1}]
    outputs = client.get_run(run.info.run_id).outputs.model_outputs
    assert logged.model_id in {output.model_id for output in outputs}
    signature = load(client, f"signed@{alias_of(MONTH)}").metadata.signature
    assert signature.outputs.input_names() == ["p_up", "p_flat", "p_down"]
    assert {"close", "volume", *FEATURE_COLUMNS, *ODDS} <= set(signature.inputs.input_names())


def test_latest_is_the_last_month_though_an_earlier_one_is_trained_again(client, run, trained):
    name, ours = "newest", {**MARKS, CONFIGURATION: "a"}
    for month in (MONTH, MONTH + 1):
        register(client, name, month, run, files_of(trained), ours)
    champion = client.get_model_version_by_alias(name, alias_of(MONTH + 1))
    client.set_registered_model_alias(name, "champion", champion.version)
    again = register(client, name, MONTH, run, files_of(model(study(), seed=6)), ours)
    latest = client.get_model_version_by_alias(name, "latest")
    assert latest.tags["price_physics.month"] == str(MONTH + 1)
    assert latest.tags[LOGGED_MODEL] == champion.tags[LOGGED_MODEL], "the same files"
    assert client.get_model_version_by_alias(name, alias_of(MONTH)).version == again.version
    assert client.get_model_version_by_alias(name, alias_of(MONTH + 1)).version == latest.version
    assert client.get_model_version_by_alias(name, "champion").version == champion.version
    theirs = {**MARKS, CONFIGURATION: "b"}  # another configuration begins anew
    begun = register(client, name, MONTH, run, files_of(model(study(), seed=7)), theirs)
    assert client.get_model_version_by_alias(name, "latest").version == begun.version


def test_an_alias_that_leads_nowhere_is_none(client, version):
    assert find_alias(client, "toy", "champion") is None
    assert find_alias(client, "no such model", "latest") is None
