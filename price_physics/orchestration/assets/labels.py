"""Bars and ticks -> regime features, excursions, barrier policy, labels, weights, folds."""

from collections.abc import Mapping

import dagster as dg

from price_physics.orchestration.assets.common import Site, shown
from price_physics.orchestration.partitions import month_of
from price_physics.past import Past
from price_physics.schemas.folds import FOLD_ROLES
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.weights import WEIGHTS
from price_physics.store.artefact import Artefact

GROUP = "labels"


def build_label_assets(site: Site) -> list[dg.AssetsDefinition]:
    """Make the assets from regime features to folds."""
    study, market = site.study, site.market

    @dg.asset(**site.asset_args("regime_features", GROUP, {"numpy", "parquet"}, REGIME_FEATURES))
    def regime_features(context: dg.AssetExecutionContext, bars: Mapping) -> Artefact:
        """Trailing return and volatility, calendar and regime of every event of the month."""
        from price_physics.regimes.build import build_regime_features

        return build_regime_features(study, market, month_of(context), Past({"bars": bars}))

    @dg.asset(**site.asset_args("excursions", GROUP, {"numba", "parquet"}, EXCURSIONS))
    def excursions(context: dg.AssetExecutionContext, bars: Mapping, ticks: Mapping) -> Artefact:
        """How far price ran either way over each horizon that ends in the month, in ATR."""
        from price_physics.labels.excursions import build_excursions

        past = Past({"bars": bars, "ticks": ticks})
        return build_excursions(study, market, month_of(context), past)

    @dg.asset(**site.asset_args("barrier_policy", GROUP, {"numpy", "parquet"}, BARRIER_POLICY))
    def barrier_policy(
        context: dg.AssetExecutionContext, excursions: Mapping, regime_features: Mapping
    ) -> Artefact:
        """Take-profit and stop-loss multiples for the events of the next month.

        With an in-sample policy for those of the month itself: marked, as is all that follows.
        """
        from price_physics.labels.policy import build_policy

        past = Past({"excursions": excursions, "regime_features": regime_features})
        return shown(context, build_policy(study, market, month_of(context), past))

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

        read = {"bars": bars, "ticks": ticks, "regime_features": regime_features}
        past = Past({**read, "barrier_policy": barrier_policy})
        return shown(context, build_labels(study, market, month_of(context), past))

    @dg.asset(**site.asset_args("weights", GROUP, {"numba", "parquet"}, WEIGHTS))
    def weights(context: dg.AssetExecutionContext, labels: Mapping, bars: Mapping) -> Artefact:
        """Average uniqueness of every label known by the end of the month."""
        from price_physics.weights.build import build_weights

        past = Past({"labels": labels, "bars": bars})
        return build_weights(study, market, month_of(context), past)

    @dg.asset(**site.asset_args("folds", GROUP, {"numpy", "parquet"}, FOLD_ROLES))
    def folds(context: dg.AssetExecutionContext, labels: Mapping, images: Mapping) -> Artefact:
        """The anchored training set that tests on the next month, and the purged k-fold in it."""
        from price_physics.folds.build import build_folds

        past = Past({"labels": labels, "images": images})
        return shown(context, build_folds(study, market, month_of(context), past))

    return [regime_features, excursions, barrier_policy, labels, weights, folds]
