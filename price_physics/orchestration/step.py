"""What every asset does: hand back what is current, else compute it; check it; say what it is.

So any way in is harmless: a month that is asked for again is found, and not computed again.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from price_physics.errors import PricePhysicsError, StoreError
from price_physics.machine_faults import machine_faults
from price_physics.months import Month
from price_physics.orchestration.checks import Case, Evaluation, evaluate
from price_physics.orchestration.made import COMPUTED, Made, made_now
from price_physics.orchestration.partitions import month_of
from price_physics.orchestration.shown import shown_of
from price_physics.pipeline.dag import owner_of
from price_physics.pipeline.freshness import is_current
from price_physics.project import Project
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition, Store
from price_physics.study.market import Market
from price_physics.study.study import Study

AGAIN_TAG = "price_physics/again"
"""A run with this tag computes what is current, too."""

UNCHECKED_TAG = "price_physics/unchecked"
"""A run of the audit, which names a leak itself: no check stops it."""

Months = Mapping[Month, Partition]


@dataclass(frozen=True)
class Scope:
    """A market, for its ticks, or a study on it: what every asset of either needs."""

    project: Project
    market: Market
    study: Study | None
    partitions: dg.MonthlyPartitionsDefinition

    @property
    def owner(self) -> str:
        """The study, or else the market."""
        return self.study.name if self.study else self.market.name

    def stored(self, asset: str, month: Month) -> Partition | None:
        """A month of an asset, where it is current."""
        if not is_current(self.project, self.market, self.study, asset, month):
            return None
        return self._read(asset, month)

    def before(self, asset: str, month: Month) -> Partition | None:
        """The month before, whether current or not; None where it is missing or damaged."""
        try:
            return self._read(asset, month - 1)
        except StoreError:  # whoever reads it for its numbers says what is wrong with it
            return None

    def _read(self, asset: str, month: Month) -> Partition:
        return Store(self.project.store).read(
            (owner_of(asset, self.owner, self.market.name), asset), month
        )


def run_step(
    scope: Scope,
    name: str,
    context: dg.AssetExecutionContext,
    inputs: Mapping[str, Months],
    compute: Callable[[], Artefact],
    metadata: Mapping[str, dg.MetadataValue] | None = None,
    then: Callable[[Artefact, Made], None] | None = None,
) -> Iterator[dg.AssetCheckResult | dg.Output[Any]]:
    """Find or compute a month of an asset, check it, and hand it over.

    What was computed goes to `then` once no check blocks: MLflow holds nothing that is not written.

    Yields
    ------
    The artefact, or the partition that stands; the results of the asset's checks.

    Raises
    ------
    PricePhysicsError
        When a check says that a number would be wrong: then nothing is written.
    """
    month = month_of(context)
    known = None if AGAIN_TAG in context.run.tags else scope.stored(name, month)
    if known:
        context.log.info(
            f"{scope.owner}/{name} {month} is current: found in the store, not computed again. "
            f"A run with the tag {AGAIN_TAG} computes it all the same."
        )
    start_s = time.time()
    found = known or compute()
    made = made_now(start_s, context)
    with machine_faults():
        before = scope.before(name, month)
        case = Case(found, inputs, month, scope.market, scope.study, before)
        results = evaluate(name, case)
    stops = UNCHECKED_TAG not in context.run.tags
    wrong = [r for r in results if r.blocks and stops]
    if wrong:
        yield from (_result(r, stops) for r in results)
        raise PricePhysicsError(
            f"{scope.owner}/{name} {month}: "
            + "; ".join(f"{r.check.name}: {r.finding.text}. {r.check.remedy}" for r in wrong)
        )
    if then is not None and isinstance(found, Artefact):
        then(found, made)
    shown = {COMPUTED: known is None, **shown_of(name, found), **(metadata or {})}
    yield dg.Output(found, metadata=shown)
    yield from (_result(r, stops) for r in results)


def _result(evaluation: Evaluation, stops: bool) -> dg.AssetCheckResult:
    check, finding = evaluation.check, evaluation.finding
    error = check.blocking and stops
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN,
        description=finding.text,
        metadata=finding.numbers,
    )
