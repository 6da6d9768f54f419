"""Bars and ticks -> regime features, excursions, barrier policy, labels, weights, folds."""

from collections.abc import Mapping

import dagster as dg

from price_physics.orchestration.assets.common import Site
from price_physics.orchestration.io_manager import MonthTables
from price_physics.orchestration.partitions import month_of
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.weights import WEIGHTS
from price_physics.store.artefact import Artefact

GROUP = "labels"


def build_label_assets(site: Site) -> list[dg.AssetsDefinition]:
    """Make the assets from regime features to folds."""
    study = site.study

    @dg.asset(**site.asset_args("regime_features", GROUP, {"numpy", "parquet"}, REGIME_FEATURES))
    def regime_features(context: dg.AssetExecutionContext, bars: Mapping) -> Artefact:
        """Trailing return and volatility, calendar and regime of every event of the month."""
        from price_physics.regimes.build import build_regime_features

        frame = build_regime_features(study, month_of(context), MonthTables(bars, "bars"))
        return Artefact(tables=((REGIME_FEATURES, frame),))

    @dg.asset(**site.asset_args("excursions", GROUP, {"numba", "parquet"}, EXCURSIONS))
    def excursions(context: dg.AssetExecutionContext, bars: Mapping, ticks: Mapping) -> Artefact:
        """How far price ran either way over each horizon that ends in the month, in ATR."""
        from price_physics.labels.excursions import build_excursions

        frame = build_excursions(
            study,
            month_of(context),
            MonthTables(bars, "bars"),
            site.prices(ticks),
            candles=bool(site.market.candle_ns),
        )
        return Artefact(tables=((EXCURSIONS, frame),))

    @dg.asset(**site.asset_args("barrier_policy", GROUP, {"numpy", "parquet"}, BARRIER_POLICY))
    def barrier_policy(
        context: dg.AssetExecutionContext, excursions: Mapping, regime_features: Mapping
    ) -> Artefact:
        """Take-profit and stop-loss multiples for the events of the next month.

        With an in-sample policy for those of the month itself: marked, as is all that follows.
        """
        from price_physics.labels.policy import build_policy

        frame = build_policy(
            study,
            month_of(context),
            MonthTables(excursions, "excursions"),
            MonthTables(regime_features, "regime_features"),
        )
        context.add_output_metadata({"policy": dg.MetadataValue.md(frame.to_markdown(index=False))})
        return Artefact(tables=((BARRIER_POLICY, frame),), in_sample=study.barrier_policy.in_sample)

    @dg.asset(**site.asset_args("labels", GROUP, {"numba", "parquet"}, LABELS))
    def labels(
        context: dg.AssetExecutionContext,
        bars: Mapping,
        ticks: Mapping,
        regime_features: Mapping,
        barrier_policy: Mapping,
    ) -> Artefact:
        """Triple-barrier labels, touched on ticks or bars, whose horizon ends in the month."""
        from price_physics.labels.build import build_labels

        result = build_labels(
            study,
            site.market,
            month_of(context),
            MonthTables(bars, "bars"),
            site.prices(ticks),
            MonthTables(regime_features, "regime_features"),
            MonthTables(barrier_policy, "barrier_policy"),
        )
        label, counts = result.labels["label"], result.counts
        undecidable = {"undecidable": counts["undecidable"]} if "undecidable" in counts else {}
        context.add_output_metadata(
            {
                "labels/up": int((label == 1).sum()),
                "labels/flat": int((label == 0).sum()),
                "labels/down": int((label == -1).sum()),
                **{f"dropped/{reason}": n for reason, n in counts["dropped"].items()},
                **undecidable,
            }
        )
        return Artefact(tables=((LABELS, result.labels),), documents={"counts": counts})

    @dg.asset(**site.asset_args("weights", GROUP, {"numba", "parquet"}, WEIGHTS))
    def weights(context: dg.AssetExecutionContext, labels: Mapping, bars: Mapping) -> Artefact:
        """Average uniqueness of every label known by the end of the month."""
        from price_physics.weights.build import build_weights

        frame = build_weights(
            month_of(context), MonthTables(labels, "labels"), MonthTables(bars, "bars")
        )
        return Artefact(tables=((WEIGHTS, frame),))

    @dg.asset(**site.asset_args("folds", GROUP, {"numpy", "parquet"}, FOLD_ROLES))
    def folds(context: dg.AssetExecutionContext, labels: Mapping, images: Mapping) -> Artefact:
        """The anchored training set that tests on the next month, and the purged k-fold in it."""
        from price_physics.folds.build import build_folds

        result = build_folds(
            study, month_of(context), MonthTables(labels, "labels"), MonthTables(images, "windows")
        )
        context.add_output_metadata({"members": len(result.members)})
        return Artefact(
            tables=((FOLD_ROLES, result.roles), (FOLD_MEMBERS, result.members)),
            documents={"manifest": result.manifest},
            warm_up=result.warm_up,
        )

    return [regime_features, excursions, barrier_policy, labels, weights, folds]
