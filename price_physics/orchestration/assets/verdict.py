"""Predictions -> walk-forward -> report and verdict; model -> motifs."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import dagster as dg

from price_physics.months import Month
from price_physics.orchestration.assets.common import Site
from price_physics.orchestration.assets.learning import load_model
from price_physics.orchestration.io_manager import MonthTables
from price_physics.orchestration.partitions import month_of
from price_physics.orchestration.tracking import MlflowTracking, run_tags
from price_physics.pipeline.dag import STAGES
from price_physics.pipeline.versions import code_version
from price_physics.schemas.motifs import MOTIF_MEMBERS, MOTIFS
from price_physics.schemas.walk_forward import TRADES
from price_physics.store.artefact import Artefact, canonical_json
from price_physics.store.partitions import Partition
from price_physics.study.trial import config_hash

if TYPE_CHECKING:
    from price_physics.walk_forward.build import WalkForwardResult

GROUP = "verdict"
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

        month = month_of(context)
        result = build_walk_forward(
            study,
            month,
            MonthTables(predictions, "predictions"),
            site.prices(ticks),
            MonthTables(bars, "bars"),
            labels[month].table("labels"),
            warm_up=predictions[month].warm_up,
            candles=bool(market.candle_ns),
        )
        context.add_output_metadata(
            {
                "trades": len(result.trades),
                "net_return": float((1 + result.daily["net_return"]).prod() - 1),
            }
        )
        return Artefact(
            tables=tuple(
                (schema, getattr(result, schema.name)) for schema in STAGES["walk_forward"].tables
            ),
            warm_up=result.warm_up,
        )

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
        from price_physics.walk_forward.ledger import trials_version
        from price_physics.walk_forward.trial import judge_months

        month = month_of(context)
        months = {m: _month_walk(p) for m, p in walk_forward.items()}
        verdict = judge_months(
            months,
            ledger=project.ledger,
            study=study,
            market=market,
            month=month,
            synthetic=walk_forward[month].synthetic,
            in_sample=walk_forward[month].in_sample,
        )
        result = build_report(
            study,
            market,
            month,
            walk_forward=months,
            predictions=MonthTables(predictions, "predictions"),
            labels=MonthTables(labels, "labels"),
            label_counts={m: p.document("counts") for m, p in labels.items()},
            provenance={m: p.document("provenance") for m, p in predictions.items()},
            verdict=verdict,
            environment=environment(site, walk_forward),
        )
        files = {
            "report.html": result.html.encode(),
            "report.md": result.markdown.encode(),
            "report.json": canonical_json(result.numbers),
        }
        tracking.log_month(
            study,
            market,
            month,
            tags={
                **run_tags(context, walk_forward[month], walk_forward[month].warm_up),
                "verdict": verdict.verdict,
            },
            metrics={
                "sharpe_annual": verdict.sharpe_annual,
                "bootstrap_p": verdict.bootstrap_p,
                "shift_p": verdict.shift_p,
                "n_days": verdict.n_days,
                "n_trades": verdict.n_trades,
            },
            files={
                f"report/{name}": content for name, content in {**files, **result.plots}.items()
            },
        )
        context.add_output_metadata(
            {
                "verdict": dg.MetadataValue.md(f"**{verdict.verdict}**: {verdict.sentence}"),
                "report": dg.MetadataValue.path(
                    str(project.outputs / study.name / "reports" / f"{month}.html")
                ),
            }
        )
        return Artefact(
            files={**files, **result.plots},
            warm_up=walk_forward[month].warm_up,
            inputs={"ledger": trials_version(project.ledger, market.name, month)},
        )

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

        month = month_of(context)
        trained = model.get(month - 1)
        result = build_motifs(
            study,
            month,
            model=load_model(trained) if trained and not trained.warm_up else None,
            bars=MonthTables(bars, "bars"),
            windows=MonthTables(images, "windows"),
            features=MonthTables(regime_features, "regime_features"),
            labels=labels[month].table("labels"),
            predictions=MonthTables(predictions, "predictions"),
            scored=walk_forward[month].table("scored"),
            synthetic=walk_forward[month].synthetic,
            in_sample=walk_forward[month].in_sample,
        )
        context.add_output_metadata({"motifs": dg.MetadataValue.md(result.markdown)})
        return Artefact(
            tables=((MOTIFS, result.motifs), (MOTIF_MEMBERS, result.members)),
            files={**result.plots, "motifs.md": result.markdown.encode()},
            warm_up=result.warm_up,
        )

    return [walk_forward, report, motifs]


def _month_walk(partition: Partition) -> "WalkForwardResult":
    """Rebuild a month of the walk-forward from its tables."""
    from price_physics.walk_forward.build import WalkForwardResult

    frames = {schema.name: partition.table(schema.name) for schema in STAGES["walk_forward"].tables}
    return WalkForwardResult(**frames, warm_up=partition.warm_up)


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
