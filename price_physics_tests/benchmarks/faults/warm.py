"""What a backfill imports and works out about the code, once: children are forked after it."""

import pkgutil
from importlib import import_module

import alembic.command  # noqa: F401
import matplotlib.backends.backend_agg  # noqa: F401
import mlflow.pyfunc
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
import mlflow.utils.requirements_utils as requirements
import torch._dynamo  # noqa: F401
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage  # noqa: F401

import price_physics
from price_physics.pipeline.dag import STAGES
from price_physics.pipeline.versions import code_version
from price_physics.source import source_version
from price_physics.study.reading import load_study
from price_physics_tests.e2e.projects import ROOT

for module in pkgutil.walk_packages(price_physics.__path__, "price_physics."):
    if not module.name.endswith(("serving", "definitions")):  # they run when they are imported
        import_module(module.name)
study = load_study(ROOT / "configs" / "studies" / "demo.yaml")
for asset in STAGES:
    code_version(asset, study if asset != "ticks" else None)
source_version("price_physics.ticks.look")
requirements._init_packages_to_modules_map()
