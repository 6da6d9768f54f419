"""Predictions -> walk-forward -> report and verdict; model -> motifs."""

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version

import dagster as dg

from price_physics.months import Month
from price_physics.orchestration.assets.common import Site, shown
from price_physics.orchestration.partitions import month_of
from price_physics.orchestration.tracking import MlflowTracking, run_tags
from price_physics.past import Past
from price_physics.pipeline.versions import code_version
from price_physics.schemas.motifs import MOTIFS
from price_physics.schemas.walk_forward import TRADES
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition
from price_physics.study.trial import config_hash

GROUP = "verdict"
LOGGED = ("sharpe_annual", "bootstrap_p", "shift_p", "n_days", "n_trades")
"""Numbers of the verdict that MLflow plots by month."""

PACKAGES = ("numpy", "pandas", "pyarrow", "numba", "scipy", "scikit-learn", "torch", "dagster")


def build_verdict_assets(site: Site) -> list[dg.AssetsDefinition]:
    """Make walk_forward, report and motifs."""
    study, market, project = site.study, site.market, site.project

    @dg.asset(**site.asset_args("walk_forward", GROUP, {"numba", "parquet"}, TRADES))
    def walk_forward(
        context: dg.AssetExecutionContext,
        predictions: Mapping,
        ticks: Mapping,
        bars: Mapping,
        labels: Mapping,
    ) -> Artefact:
        """Trades and equity of the month after costs; positions carried in and out."""
        from price_physics.walk_forward.build import build_walk_forward

        read = {"predictions": predictions, "ticks": ticks, "bars": bars, "labels": labels}
        return shown(context, build_walk_forward(study, market, month_of(context), Past(read)))

    @dg.asset(**site.asset_args("report", GROUP, {"html", "mlflow"}))
    def report(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        walk_forward: Mapping,
        predictions: Mapping,
        labels: Mapping,
    ) -> Artefact:
        """The out-of-sample report up to the month, and its verdict."""
        from price_physics.report.build import build_report

        month = month_of(context)
        artefact = build_report(
            study,
            market,
            month,
            Past({"walk_forward": walk_forward, "predictions": predictions, "labels": labels}),
            ledger=project.ledger,
            environment=environment(site, walk_forward),
        )
        verdict = json.loads(artefact.files["report.json"])["verdict"]
        tracking.log_month(
            study,
            market,
            month,
            tags={
                **run_tags(context, walk_forward[month], artefact.warm_up),
                "verdict": verdict["verdict"],
            },
            metrics={name: verdict[name] for name in LOGGED},
            files={f"report/{name}": content for name, content in artefact.files.items()},
        )
        page = project.outputs / study.name / "reports" / f"{month}.html"
        context.add_output_metadata({"report": dg.MetadataValue.path(str(page))})
        return shown(context, artefact)

    @dg.asset(**site.asset_args("motifs", GROUP, {"torch", "parquet"}, MOTIFS))
    def motifs(
        context: dg.AssetExecutionContext,
        model: Mapping,
        bars: Mapping,
        images: Mapping,
        regime_features: Mapping,
        predictions: Mapping,
        labels: Mapping,
        walk_forward: Mapping,
    ) -> Artefact:
        """What the network looks for, in words: Grad-CAM clusters of the month's events."""
        from price_physics.motifs.build import build_motifs

        past = Past(
            {
                "model": model,
                "bars": bars,
                "images": images,
                "regime_features": regime_features,
                "predictions": predictions,
                "labels": labels,
                "walk_forward": walk_forward,
            }
        )
        return shown(context, build_motifs(study, market, month_of(context), past))

    return [walk_forward, report, motifs]


def environment(site: Site, walk_forward: Mapping[Month, Partition]) -> dict:
    """Describe what made the numbers: seeds, versions, hashes, inputs."""
    return {
        "versions": {
            "python": platform.python_version(),
            "price_physics": version("price-physics"),
            **{name: version(name) for name in PACKAGES},
        },
        "seed": site.study.seed,
        "config_hash": config_hash(site.study, site.market),
        "code_version": code_version("report", site.study),
        "synthetic": any(p.synthetic for p in walk_forward.values()),
        **({"in_sample": True} if any(p.in_sample for p in walk_forward.values()) else {}),
        "inputs": {p.name: p.data_version for _, p in sorted(walk_forward.items())},
    }
