"""Bars -> images -> network -> out-of-sample predictions."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from price_physics.months import Month
from price_physics.orchestration.assets.common import Site
from price_physics.orchestration.io_manager import MonthTables
from price_physics.orchestration.partitions import month_of
from price_physics.orchestration.registry import ModelFiles
from price_physics.orchestration.tracking import MlflowTracking, run_tags
from price_physics.progress import training_bar
from price_physics.project import Project
from price_physics.schemas.images import DROPPED_WINDOWS, IMAGE_WINDOWS
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.store.artefact import Artefact, canonical_json
from price_physics.store.partitions import Partition

if TYPE_CHECKING:
    from price_physics.model.result import ModelResult

GROUP = "learning"


def build_learning_assets(site: Site) -> list[dg.AssetsDefinition]:
    """Make images, model and predictions."""
    study, market = site.study, site.market

    @dg.asset(**site.asset_args("images", GROUP, {"torch", "parquet"}, IMAGE_WINDOWS))
    def images(context: dg.AssetExecutionContext, bars: Mapping) -> Artefact:
        """Window index, render specification, channel statistics, golden renders, a sheet."""
        from price_physics.images.build import build_images

        result = build_images(study, month_of(context), MonthTables(bars, "bars"))
        context.add_output_metadata({"contact_sheet": inline_png(result.preview)})
        return Artefact(
            tables=((IMAGE_WINDOWS, result.windows), (DROPPED_WINDOWS, result.dropped)),
            documents={
                "specification": result.specification,
                "statistics": result.statistics,
                "checksums": result.checksums,
            },
            tensors={"golden": result.golden},
            files={"contact_sheet.png": result.contact_sheet},
        )

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
        from price_physics.model.figures import judge_calibration
        from price_physics.model.fit import fit_model

        month = month_of(context)
        fold = folds[month]
        with training_bar(f"training {study.name} {month}") as progress:
            result = fit_model(
                study,
                month,
                windows=MonthTables(images, "windows"),
                bars=MonthTables(bars, "bars"),
                features=MonthTables(regime_features, "regime_features"),
                labels=MonthTables(labels, "labels"),
                weights=weights[month].table("weights"),
                members=fold.table("members"),
                roles=fold.table("roles"),
                statistics={m: p.document("statistics") for m, p in images.items()},
                progress=progress,
                checkpoints=checkpoint_folder(site.project, study.name, month),
            )
        manifest = fold.document("manifest")
        summary = {**result.summary, **judge_calibration(result.out_of_fold)}
        artefact = Artefact(
            tables=((OUT_OF_FOLD, result.out_of_fold), (LEARNING_CURVES, result.curves)),
            documents={
                "architecture": result.architecture,
                "summary": summary,
                "fold_manifest": manifest,
            },
            tensors={"network": result.weights},
            warm_up=fold.warm_up or result.warm_up,
        )
        tracking.log_month(
            study,
            market,
            month,
            tags=run_tags(context, fold, artefact.warm_up),
            metrics=numbers_in(summary),
            curves=result.curves,
            files={
                "folds/manifest.json": canonical_json(manifest),
                "model/architecture.json": canonical_json(result.architecture),
                **model_file(result.weights),
                **plots(result),
            },
            model=model_files(result),
        )
        return artefact

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
        from price_physics.model.predict import predict
        from price_physics.walk_forward.signals import build_predictions

        month = month_of(context)
        trained = model.get(month - 1)
        provenance = provenance_of(trained)
        if trained is None or trained.warm_up:
            return Artefact(
                tables=((PREDICTIONS, PREDICTIONS.empty()),),
                documents={"provenance": provenance},
                warm_up=provenance["warm_up"],
            )
        features = regime_features[month].table("regime_features")
        probabilities = predict(
            study,
            month,
            load_model(trained),
            MonthTables(bars, "bars"),
            images[month].table("windows"),
            features,
        )
        policy = barrier_policy.get(month - study.barrier_policy.lag_months)
        frame = build_predictions(
            study,
            month,
            probabilities,
            trained.table("out_of_fold"),
            policy.table("barrier_policy") if policy else None,
            MonthTables(bars, "bars"),
            features,
        )
        return Artefact(tables=((PREDICTIONS, frame),), documents={"provenance": provenance})

    return [images, model, predictions]


def inline_png(picture: bytes) -> dg.MetadataValue:
    """Show a small picture in the UI, whose Markdown takes data URIs."""
    return dg.MetadataValue.md(f"![](data:image/png;base64,{b64encode(picture).decode()})")


def load_model(partition: Partition):  # type: ignore[no-untyped-def]  # torch loads lazily
    """Rebuild the network of a model partition, strictly."""
    from price_physics.model.predict import TrainedModel

    return TrainedModel.load(partition.arrays("network"), partition.document("architecture"))


def provenance_of(trained: Partition | None) -> dict:
    """Describe the model that serves a month, for the report."""
    if trained is None:
        return {
            "model_month": None,
            "warm_up": "first month of the market: no model was trained before it",
            "summary": {},
            "folds": {},
            "architecture": {},
        }
    return {
        "model_month": str(trained.month),
        "warm_up": trained.warm_up,
        "summary": trained.document("summary"),
        "folds": trained.document("fold_manifest"),
        "architecture": trained.document("architecture"),
    }


def checkpoint_folder(project: Project, study: str, month: Month) -> Path:
    """Where the fits of a month keep their state until its partition stands."""
    return project.data / "checkpoints" / study / str(month)


def model_file(weights: dict) -> dict[str, bytes]:
    """Serialise a network for people; a warm-up month has none."""
    from safetensors.numpy import save

    return {"model/network.safetensors": save(weights)} if weights else {}


def model_files(result: "ModelResult") -> ModelFiles | None:
    """Serialise a model for the registry; a warm-up month has none."""
    from safetensors.numpy import save

    if result.warm_up:
        return None
    architecture = canonical_json(result.architecture)
    return ModelFiles(save(result.weights), architecture, result.architecture["images"])


def plots(result: "ModelResult") -> dict[str, bytes]:
    """Draw the learning curves and the calibration; nothing of a warm-up month."""
    from price_physics.model.figures import draw_calibration, draw_learning_curves

    if result.warm_up:
        return {}
    return {
        "plots/learning_curves.png": draw_learning_curves(result.curves),
        "plots/calibration.png": draw_calibration(result.out_of_fold),
    }


def numbers_in(summary: dict) -> dict[str, float | None]:
    """Keep the plain numbers of a summary: what a tracker can plot."""
    return {
        key: float(value)
        for key, value in summary.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
