"""Models in MLflow's registry: one name a study, one version a model, an alias a month.

``mlflow.pyfunc.load_model("models:/demo@through-2012-04")`` scores with the model trained through
April 2012. mlflow is imported when something is registered, never before.
"""

import hashlib
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

_DIGEST = "price_physics.sha256"
_MONTH = "price_physics.month"
_FOLDER = "registered"
_CODE = Path(__file__).with_name("serving.py")
"""What MLflow runs when it loads a version; a copy of it lies in each."""
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


def register(
    client: "MlflowClient",
    name: str,
    month: Month,
    run: str,
    model: ModelFiles,
    marks: Mapping[str, str] | None = None,
) -> str:
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
    run : str
        The MLflow run that gets the files.
    model : ModelFiles
    marks : mapping of tag to value, optional
        Further tags of the version, which say how far it can be trusted.

    Returns
    -------
    str
        The version.
    """
    checksums = _checksums(model.network, model.architecture)
    whole = model.network + model.architecture + checksums + _CODE.read_bytes()
    digest = hashlib.sha256(whole).hexdigest()
    version = _find_version(client, name, month, digest)
    if version is None:
        place = f"{_FOLDER}/{digest[:16]}"
        with tempfile.TemporaryDirectory() as folder:
            parts = {key: Path(folder, file) for key, file in _PARTS.items()}
            parts["network"].write_bytes(model.network)
            parts["architecture"].write_bytes(model.architecture)
            parts["checksums"].write_bytes(checksums)
            made = Path(folder, "model")
            _save(made, {key: str(path) for key, path in parts.items()}, model.images)
            client.log_artifacts(run, str(made), place)
        source = f"{client.get_run(run).info.artifact_uri}/{place}"
        tags = {_MONTH: str(month), _DIGEST: digest}
        version = client.create_model_version(name, source, run_id=run, tags=tags).version
    for tag, value in (marks or {}).items():
        client.set_model_version_tag(name, version, tag, value)
    client.set_registered_model_alias(name, alias_of(month), version)
    return version


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


def digest_of_files(source: str) -> str | None:
    """Hash the files that a version with this source loads; None when one is missing."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository = get_artifact_repository(source)
    there = {entry.path for entry in repository.list_artifacts("artifacts")}
    code = [entry.path for entry in repository.list_artifacts() if entry.path == _CODE.name]
    if not code or not there >= {f"artifacts/{file}" for file in _PARTS.values()}:
        return None
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        repository.download_artifacts("artifacts", folder)
        for file in _PARTS.values():
            digest.update(Path(folder, "artifacts", file).read_bytes())
        repository.download_artifacts(_CODE.name, folder)
        digest.update(Path(folder, _CODE.name).read_bytes())
    return digest.hexdigest()


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


def _find_version(client: "MlflowClient", name: str, month: Month, digest: str) -> str | None:
    """Find the month's version with these bytes; create the registered model if there is none."""
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name)
    for known in client.search_model_versions(f"name = '{name}'"):
        claims = (known.tags.get(_MONTH), known.tags.get(_DIGEST))
        # A tag says what was meant to be there; what a version loads is its files.
        if claims == (str(month), digest) and digest_of_files(known.source or "") == digest:
            return known.version
    return None


def _save(folder: Path, artifacts: dict[str, str], images: dict[str, Any]) -> None:
    """Write an MLflow model made from code and files."""
    pyfunc, _ = import_pyfunc()
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    bars = [ColSpec(Array(DataType.double), name) for name in ("close", "volume")]
    numbers = [*FEATURE_COLUMNS, "side", *ODDS]
    inputs: list[Any] = [*bars, *(ColSpec(DataType.double, name) for name in numbers)]
    outputs: list[Any] = [ColSpec(DataType.double, name) for name in ("p_up", "p_flat", "p_down")]
    pyfunc.save_model(
        folder,
        python_model=str(_CODE),
        artifacts=artifacts,
        signature=ModelSignature(Schema(inputs), Schema(outputs)),
        input_example=example(images),
        pip_requirements=[f"price-physics=={price_physics.__version__}"],
    )
