"""Bars -> images -> network -> out-of-sample predictions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from price_physics.months import Month
from price_physics.orchestration.assets.common import Site, shown
from price_physics.orchestration.partitions import month_of
from price_physics.orchestration.registry import ModelFiles
from price_physics.orchestration.tracking import MlflowTracking, run_tags
from price_physics.past import Past
from price_physics.progress import training_bar
from price_physics.project import Project
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.store.artefact import Artefact, canonical_json

GROUP = "learning"


def build_learning_assets(site: Site) -> list[dg.AssetsDefinition]:
    """Make images, model and predictions."""
    study, market = site.study, site.market

    @dg.asset(**site.asset_args("images", GROUP, {"torch", "parquet"}, IMAGE_WINDOWS))
    def images(context: dg.AssetExecutionContext, bars: Mapping) -> Artefact:
        """Window index, render specification, channel statistics, golden renders, a sheet."""
        from price_physics.images.build import build_images

        return shown(context, build_images(study, market, month_of(context), Past({"bars": bars})))

    @dg.asset(**site.asset_args("model", GROUP, {"torch", "mlflow"}, OUT_OF_FOLD))
    def model(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        images: Mapping,
        bars: Mapping,
        regime_features: Mapping,
        labels: Mapping,
        weights: Mapping,
        folds: Mapping,
    ) -> Artefact:
        """The network trained through the month, calibrated; out-of-fold predictions; curves."""
        from price_physics.model.fit import fit_model

        month = month_of(context)
        past = Past(
            {
                "images": images,
                "bars": bars,
                "regime_features": regime_features,
                "labels": labels,
                "weights": weights,
                "folds": folds,
            }
        )
        place = checkpoint_folder(site.project, study.name, month)
        with training_bar(f"training {study.name} {month}") as progress:
            artefact = fit_model(study, market, month, past, progress=progress, checkpoints=place)
        tags = run_tags(context, folds[month], artefact.warm_up)
        tracking.log_month(study, market, month, tags=tags, **logged_of_fit(artefact))
        return shown(context, artefact)

    @dg.asset(**site.asset_args("predictions", GROUP, {"torch", "parquet"}, PREDICTIONS))
    def predictions(
        context: dg.AssetExecutionContext,
        model: Mapping,
        barrier_policy: Mapping,
        bars: Mapping,
        images: Mapping,
        regime_features: Mapping,
    ) -> Artefact:
        """Out of sample, for the events of the month: probabilities, barriers, side and size."""
        from price_physics.walk_forward.predictions import build_predictions

        past = Past(
            {
                "model": model,
                "barrier_policy": barrier_policy,
                "bars": bars,
                "images": images,
                "regime_features": regime_features,
            }
        )
        return shown(context, build_predictions(study, market, month_of(context), past))

    return [images, model, predictions]


def checkpoint_folder(project: Project, study: str, month: Month) -> Path:
    """Where the fits of a month keep their state until its partition stands."""
    return project.data / "checkpoints" / study / str(month)


def logged_of_fit(artefact: Artefact) -> dict[str, Any]:
    """What MLflow gets of a fit; of a warm-up month neither a model nor pictures."""
    from safetensors.numpy import save

    from price_physics.model.figures import draw_calibration, draw_learning_curves

    architecture = artefact.document("architecture")
    curves = artefact.table(LEARNING_CURVES.name)
    files = {
        "folds/manifest.json": canonical_json(artefact.document("fold_manifest")),
        "model/architecture.json": canonical_json(architecture),
    }
    model = None
    if weights := artefact.arrays("network"):
        files["model/network.safetensors"] = save(weights)
        model = ModelFiles(save(weights), canonical_json(architecture), architecture["images"])
        files["plots/learning_curves.png"] = draw_learning_curves(curves)
        files["plots/calibration.png"] = draw_calibration(artefact.table(OUT_OF_FOLD.name))
    metrics = numbers_in(artefact.document("summary"))
    return {"metrics": metrics, "curves": curves, "files": files, "model": model}


def numbers_in(summary: dict) -> dict[str, float | None]:
    """Keep the plain numbers of a summary: what a tracker can plot."""
    return {
        key: float(value)
        for key, value in summary.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
