"""Models in MLflow's registry: one name a study, one version a model, an alias a month.

``mlflow.pyfunc.load_model("models:/demo@through-2012-04")`` scores with the model trained through
April 2012, ``models:/demo@latest`` with that of the last month, ``models:/demo@champion`` with the
one that `promotion` chose. A version is a logged model of MLflow 3, which holds the files, the
settings, and the scores with what they were measured on. mlflow is imported when something is
registered, never before.
"""

import hashlib
import json
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import price_physics
from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.schemas.regimes import FEATURE_COLUMNS
from price_physics.schemas.table import ODDS
from price_physics.store.sealed_json import seal

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

LATEST, CHAMPION = "latest", "champion"
MARKS = {name: f"price_physics.{name}" for name in ("synthetic", "in_sample")}
"""Tags with the value true or false, of runs and of the models that they register."""
CONFIGURATION = "price_physics.configuration"
LOGGED_MODEL = "price_physics.logged_model"
"""Tag of a version: the id of its logged model, which MLflow's own database does not keep."""
_VERSIONS = "mlflow.modelVersions"
_DIGEST = "price_physics.sha256"
_MONTH = "price_physics.month"
_CODE = Path(__file__).with_name("serving.py")
"""What MLflow runs when it loads a version; a copy of it lies in each."""
_TYPE = "price_physics.network"
_EVEN = dict.fromkeys(ODDS, 1 / 3)
_PARTS = {
    "network": "network.safetensors",
    "architecture": "architecture.json",
    "checksums": "checksums.json",
}
"""Files of a registered model; the last holds the sha256 of the others, and its own."""


@dataclass(frozen=True)
class ModelFiles:
    """A trained model as bytes: safetensors and JSON; `images` is its render specification."""

    network: bytes
    architecture: bytes
    images: dict[str, Any]


def alias_of(month: Month) -> str:
    """Alias under which the model trained through `month` is found."""
    return f"through-{month}"


def find_alias(client: "MlflowClient", name: str, alias: str) -> "ModelVersion | None":
    """The version that an alias leads to; None without the model or the alias."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def register(
    client: "MlflowClient",
    name: str,
    month: Month,
    run: "Run",
    model: ModelFiles,
    marks: Mapping[str, str] | None = None,
) -> "ModelVersion":
    """Register a model, unless a version of the month holds the same bytes and the same code.

    Every model has a folder of its own, so that no version's files change when the month is
    trained again. The alias moves last: a kill before leaves it where it was.

    Parameters
    ----------
    client : MlflowClient
    name : str
        Name of the registered model.
    month : Month
        The last month that it was trained on.
    run : Run
        The MLflow run that made it.
    model : ModelFiles
    marks : mapping of tag to value, optional
        Further tags of the version, which say how far it can be trusted.

    Returns
    -------
    ModelVersion
        Its tag `LOGGED_MODEL` names the logged model of MLflow 3.
    """
    checksums = _checksums(model.network, model.architecture)
    whole = model.network + model.architecture + checksums + _CODE.read_bytes()
    digest = hashlib.sha256(whole).hexdigest()
    version = _find_version(client, name, month, digest)
    tags = {_MONTH: str(month), _DIGEST: digest, **(marks or {})}
    if version is None:
        last = find_alias(client, name, LATEST)
        if last is None:
            _create_registered(client, name)
        model_id, source = _log_model(client, f"{name}-{month}", run, model, tags)
        tags[LOGGED_MODEL] = model_id
        fitted = json.loads(model.architecture)["month"]
        note = f"Trained through {fitted}; it serves {month + 1}, which no label of it has seen."
        version = _create_version(client, name, source, run.info.run_id, tags, note)
        if last is not None and _is_later(last, tags):
            # `latest` is the highest number, and would lead to a month that was trained again.
            run_id, note = last.run_id or "", last.description or ""
            again = _create_version(client, name, last.source or "", run_id, last.tags, note)
            alias = alias_of(Month.parse(last.tags[_MONTH]))
            client.set_registered_model_alias(name, alias, again.version)
    for tag, value in tags.items():
        if version.tags.get(tag) != value:
            client.set_model_version_tag(name, version.version, tag, value)
    client.set_registered_model_alias(name, alias_of(month), version.version)
    return version


def _is_later(last: "ModelVersion", tags: Mapping[str, str]) -> bool:
    """Whether a version of the same configuration was trained through a later month."""
    same = last.tags.get(CONFIGURATION) == tags.get(CONFIGURATION)
    return same and last.tags.get(_MONTH, "") > tags[_MONTH]


def _create_registered(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        note = f"The networks of the study {name}: one version a month that they learned from."
        client.create_registered_model(name, description=note)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _create_version(
    client: "MlflowClient", name: str, source: str, run_id: str, tags: dict[str, str], note: str
) -> "ModelVersion":
    """Make a version of a logged model, and let that one's page show it."""
    version = client.create_model_version(name, source, run_id, tags=tags, description=note)
    shown = json.dumps([{"name": name, "version": version.version}])
    client.set_logged_model_tags(tags[LOGGED_MODEL], {_VERSIONS: shown})
    return version


def _log_model(
    client: "MlflowClient",
    name: str,
    run: "Run",
    model: ModelFiles,
    tags: Mapping[str, str],
) -> tuple[str, str]:
    """Make a logged model of a run; return its id and where its files are."""
    from mlflow.entities import LoggedModelOutput

    experiment, run_id = run.info.experiment_id, run.info.run_id
    query = f"tags.`{_DIGEST}` = '{tags[_DIGEST]}' AND source_run_id = '{run_id}'"
    for killed in client.search_logged_models([experiment], filter_string=query):
        if killed.status != "READY":
            client.delete_logged_model(killed.model_id)
    logged = client.create_logged_model(experiment, name, run_id, tags=dict(tags), model_type=_TYPE)
    with tempfile.TemporaryDirectory() as folder:
        parts = {key: Path(folder, file) for key, file in _PARTS.items()}
        parts["network"].write_bytes(model.network)
        parts["architecture"].write_bytes(model.architecture)
        parts["checksums"].write_bytes(_checksums(model.network, model.architecture))
        made = Path(folder, "model")
        _save(made, {key: str(path) for key, path in parts.items()}, model.images, logged.model_id)
        client.log_model_artifacts(logged.model_id, str(made))
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")
    return logged.model_id, logged.artifact_location


def read_model(paths: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Read the network and the architecture of a registered model.

    Parameters
    ----------
    paths : mapping of str to str
        Of the files, as MLflow hands them to what it loads.

    Raises
    ------
    StoreError
        When a file does not hold the bytes that were registered.
    """
    network, architecture, checksums = (Path(paths[part]).read_bytes() for part in _PARTS)
    if _checksums(network, architecture) != checksums:
        raise StoreError(
            f"{Path(paths['network']).parent}: the files are not those that were registered; "
            "in its project run  rm -r data/mlflow  and  price-physics track --study NAME  with "
            "its own name: the store holds all that MLflow does, and registers it again"
        )
    return network, architecture


def _checksums(network: bytes, architecture: bytes) -> bytes:
    contents = {"network": network, "architecture": architecture}
    return seal({_PARTS[k]: hashlib.sha256(v).hexdigest() for k, v in contents.items()})


def files_of(source: str) -> list[bytes] | None:
    """Network, architecture, checksums and code of a version; None when one is missing."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository = get_artifact_repository(source)
    there = {entry.path for entry in repository.list_artifacts("artifacts")}
    code = [entry.path for entry in repository.list_artifacts() if entry.path == _CODE.name]
    if not code or not there >= {f"artifacts/{file}" for file in _PARTS.values()}:
        return None
    with tempfile.TemporaryDirectory() as folder:
        repository.download_artifacts("artifacts", folder)
        repository.download_artifacts(_CODE.name, folder)
        parts = [Path(folder, "artifacts", file) for file in _PARTS.values()]
        return [path.read_bytes() for path in (*parts, Path(folder, _CODE.name))]


def digest_of_files(source: str) -> str | None:
    """Hash the files that a version with this source loads; None when one is missing."""
    files = files_of(source)
    return None if files is None else hashlib.sha256(b"".join(files)).hexdigest()


def example(images: dict[str, Any], n_rows: int = 2) -> pd.DataFrame:
    """Example of a model's input; with one row MLflow would fix the size of a batch at one."""
    rng, n_bars = np.random.default_rng(0), max(images["windows_bars"])
    close = 100 * np.exp(rng.normal(0, 0.01, (n_rows, n_bars)).cumsum(axis=1))
    frame = pd.DataFrame({"close": list(close), "volume": list(np.ones((n_rows, n_bars)))})
    return frame.assign(**dict.fromkeys(FEATURE_COLUMNS, 0.0), side=1.0, **_EVEN)


def import_pyfunc() -> tuple[Any, Any]:
    """Import mlflow.pyfunc and `set_model`, without MLflow's warnings on its own type hints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        import mlflow.pyfunc
        from mlflow.models import set_model
    return mlflow.pyfunc, set_model


def _find_version(
    client: "MlflowClient", name: str, month: Month, digest: str
) -> "ModelVersion | None":
    """Find the month's version with these bytes."""
    query = f"name = '{name}' AND tags.`{_DIGEST}` = '{digest}'"
    for known in client.search_model_versions(query):
        # A tag says what was meant to be there; what a version loads is its files.
        whole = LOGGED_MODEL in known.tags and digest_of_files(known.source or "") == digest
        if known.tags.get(_MONTH) == str(month) and whole:
            return known
    return None


def _save(folder: Path, artifacts: dict[str, str], images: dict[str, Any], model_id: str) -> None:
    """Write an MLflow model made from code and files."""
    pyfunc, _ = import_pyfunc()
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    bars = [ColSpec(Array(DataType.double), name) for name in ("close", "volume")]
    numbers = [*FEATURE_COLUMNS, "side", *ODDS]
    inputs: list[Any] = [*bars, *(ColSpec(DataType.double, name) for name in numbers)]
    outputs: list[Any] = [ColSpec(DataType.double, name) for name in ("p_up", "p_flat", "p_down")]
    pyfunc.save_model(
        folder,
        mlflow_model=Model(model_uuid=model_id, model_id=model_id),
        python_model=str(_CODE),
        artifacts=artifacts,
        signature=ModelSignature(Schema(inputs), Schema(outputs)),
        input_example=example(images),
        pip_requirements=[f"price-physics=={price_physics.__version__}"],
    )
