"""Run every planted market through the DAG, then score all methods on the same test events."""

from collections.abc import Sequence
from typing import Any

from price_physics.months import Month
from price_physics.orchestration.backfill import find_study, run_backfill, run_month
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.instance import open_instance
from price_physics.pipeline.freshness import stale_assets
from price_physics.progress import asset_bar
from price_physics.project import Project
from price_physics.store.artefact import canonical_json
from price_physics.store.atomic import write_atomically
from price_physics.store.partitions import Partition, Store
from price_physics.truth.judgement import (
    TargetRow,
    Truth,
    ceiling_of_test,
    hold_card_to_target,
    hold_gains_to_target,
    hold_to_targets,
)
from price_physics.truth.markets import Kind, barrier_steps
from price_physics.truth.measure import measure
from price_physics.truth.odds import Gain
from price_physics.truth.page import draw
from price_physics.truth.projects import (
    ON_CARD,
    TEST,
    TRAIN,
    episodes_a_day,
    first_month,
    planted_project,
    studies,
    study,
)

EVENTS_ON_CARD = 120_000
"""Least number of events in the month to train on."""
_SCORING = {"ticks", "bars", "regime_features", "labels", "images", "probabilities"}
"""The assets that are needed of the test month; a backfill in the planted project adds the rest."""


def run_truth(project: Project, kinds: Sequence[Kind], seed: int, n_events: int) -> Truth:
    """Plant markets, run them through the DAG, and measure what was found.

    What is current is not computed again, so the next run continues one that was killed. Where
    torch sees a CUDA card, the default network is also trained, on more events; elsewhere a row
    says that it was not.

    Parameters
    ----------
    project : Project
        Results go to its ``outputs/truth``; everything else to a project inside that folder.
    kinds : sequence of Kind
    seed : int
        Seed of markets and studies.
    n_events : int
        Least number of events to train on.

    Returns
    -------
    Truth
        Written as ``truth.json``, ``truth.md`` and ``truth.png`` too.

    Raises
    ------
    ConfigError
        When a month cannot hold so many events.
    PricePhysicsError
        Whatever stopped a month.
    """
    episodes = episodes_a_day(n_events)
    folder = project.outputs / "truth"
    root = folder / f"seed-{seed}-{episodes}-a-day"
    planted = planted_project(root, kinds, seed, episodes, project.root / "dagster.yaml")
    rows: list[TargetRow] = []
    facts: dict[str, dict[str, Any]] = {}
    gains: dict[Kind, dict[str, Gain]] = {}
    for kind in kinds:
        for name in studies(kind):
            _run_dag(planted, name, first_month(kind))
        aucs, gains[kind], facts[kind] = measure(Store(planted.store), kind, seed, episodes)
        rows += hold_to_targets(kind, aucs)
        # A card is there to see more, not to see what moves.
        if ceiling_of_test(kind) > 0.5 and kind != "moving_barriers":
            row, more = _on_card(project, kind, seed)
            rows.append(row)
            facts |= more
    sections = study(kinds[0], seed, episodes)
    settings = {name: sections[name] for name in ("labels", "barrier_policy", "images", "model")}
    settings["model on a card"] = ON_CARD
    if "moving_barriers" in kinds:
        months = range(TEST - first_month("moving_barriers") + 1)
        steps = [barrier_steps("moving_barriers", i) for i in months]
        settings["steps to a barrier that moves, month by month"] = steps
    truth = Truth(seed, rows, facts, settings, hold_gains_to_target(gains))
    write_atomically(folder / "truth.json", canonical_json(truth.document()))
    write_atomically(folder / "truth.png", draw(truth))
    write_atomically(folder / "truth.md", truth.markdown("truth.png").encode())
    return truth


def _on_card(
    project: Project, kind: Kind, seed: int
) -> tuple[TargetRow, dict[str, dict[str, Any]]]:
    """Do the same with the default network, if there is a CUDA card; return its row and facts."""
    import torch

    if not torch.cuda.is_available():
        return hold_card_to_target(kind, None), {}
    episodes = episodes_a_day(EVENTS_ON_CARD)
    root = project.outputs / "truth" / f"seed-{seed}-{episodes}-a-day-on-card"
    dagster = project.root / "dagster.yaml"
    planted = planted_project(root, [kind], seed, episodes, dagster, ON_CARD)
    _run_dag(planted, kind, first_month(kind))
    aucs, _, facts = measure(Store(planted.store), kind, seed, episodes)
    return hold_card_to_target(kind, aucs), {f"{kind}, on a card": facts}


def _run_dag(planted: Project, name: str, first: Month) -> None:
    """Materialise a study's months to train on, and of the test month what scoring needs."""
    run_backfill(planted, name, first, TRAIN)
    study_, market = find_study(planted, name)
    stale = [a for a in stale_assets(planted, market, study_, TEST) if a in _SCORING]
    if not stale:
        return
    with open_instance(planted) as instance, asset_bar(f"{name} {TEST}", len(stale)) as bar:

        def on_written(partition: Partition) -> None:
            bar.update()

        definitions = build_definitions(planted, on_written)
        run_month(definitions, instance, market, study_, TEST, stale)
