"""Models in MLflow's registry: one name a study, one version a model, an alias a month.

``mlflow.pyfunc.load_model("models:/demo@through-2012-04")`` scores with the model trained through
April 2012. mlflow is imported when something is registered, never before.
"""

import hashlib
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import price_physics
from price_physics.months import Month
from price_physics.schemas import FEATURE_COLUMNS

if TYPE_CHECKING:
    from mlflow import MlflowClient

_DIGEST = "price_physics.sha256"
_FOLDER = "registered"


@dataclass(frozen=True)
class ModelFiles:
    """A trained model as bytes: safetensors and JSON; `images` is its render specification."""

    network: bytes
    architecture: bytes
    images: dict[str, Any]


def alias_of(month: Month) -> str:
    """Alias under which the model trained through `month` is found."""
    return f"through-{month}"


def register(client: "MlflowClient", name: str, month: Month, run: str, model: ModelFiles) -> str:
    """Register a model, unless the month's alias already leads to the same bytes.

    Parameters
    ----------
    client : MlflowClient
    name : str
        Of the registered model.
    month : Month
        The last it was trained on.
    run : str
        The MLflow run that gets the files.
    model : ModelFiles

    Returns
    -------
    str
        The version.
    """
    digest = hashlib.sha256(model.network + model.architecture).hexdigest()
    standing = _standing(client, name, alias_of(month))
    if standing is not None and standing.tags.get(_DIGEST) == digest:
        return standing.version
    with tempfile.TemporaryDirectory() as folder:
        parts = {"network": Path(folder, "network.safetensors")}
        parts["architecture"] = Path(folder, "architecture.json")
        parts["network"].write_bytes(model.network)
        parts["architecture"].write_bytes(model.architecture)
        made = Path(folder, _FOLDER)
        _save(made, {key: str(path) for key, path in parts.items()}, model.images)
        client.log_artifacts(run, str(made), _FOLDER)
    source = f"{client.get_run(run).info.artifact_uri}/{_FOLDER}"
    tags = {"price_physics.month": str(month), _DIGEST: digest}
    version = client.create_model_version(name, source, run_id=run, tags=tags).version
    client.set_registered_model_alias(name, alias_of(month), version)
    return version


def example(images: dict[str, Any], n_rows: int = 2) -> pd.DataFrame:
    """Rows that a model takes; two, because an example of one freezes the batch at one."""
    rng, n_bars = np.random.default_rng(0), max(images["windows_bars"])
    close = 100 * np.exp(rng.normal(0, 0.01, (n_rows, n_bars)).cumsum(axis=1))
    frame = pd.DataFrame({"close": list(close), "volume": list(np.ones((n_rows, n_bars)))})
    return frame.assign(**dict.fromkeys(FEATURE_COLUMNS, 0.0))


def import_pyfunc() -> tuple[Any, Any]:
    """Import mlflow.pyfunc and `set_model`, without what MLflow says of its own type hints."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        import mlflow.pyfunc
        from mlflow.models import set_model
    return mlflow.pyfunc, set_model


def _standing(client: "MlflowClient", name: str, alias: str):  # type: ignore[no-untyped-def]
    """Version that an alias leads to; makes the registered model when there is none."""
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name)
    known = client.get_registered_model(name).aliases
    return client.get_model_version(name, known[alias]) if alias in known else None


def _save(folder: Path, artifacts: dict[str, str], images: dict[str, Any]) -> None:
    """Write an MLflow model made from code and files."""
    pyfunc, _ = import_pyfunc()
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    bars = [ColSpec(Array(DataType.double), name) for name in ("close", "volume")]
    inputs: list[Any] = [*bars, *(ColSpec(DataType.double, name) for name in FEATURE_COLUMNS)]
    outputs: list[Any] = [ColSpec(DataType.double, name) for name in ("p_up", "p_flat", "p_down")]
    pyfunc.save_model(
        folder,
        python_model=str(Path(__file__).with_name("serving.py")),
        artifacts=artifacts,
        signature=ModelSignature(Schema(inputs), Schema(outputs)),
        input_example=example(images),
        pip_requirements=[f"price-physics=={price_physics.__version__}"],
    )
