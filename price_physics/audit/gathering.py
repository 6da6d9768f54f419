"""Gather the findings of an audit, moment by moment, from the stores of its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from price_physics.audit.comparison import compare_partitions
from price_physics.audit.findings import Audit, Coverage, Leak, utc
from price_physics.audit.splits import in_sample_leak, split_leaks
from price_physics.pipeline.dag import owner_of

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.store.partitions import Key, Store
    from price_physics.study.market import Market
    from price_physics.study.study import Study


@dataclass
class GatheredFindings:
    """Leaks, coverage and gaps so far."""

    study: Study
    market: Market
    stages: Sequence[str]

    def __post_init__(self) -> None:
        self.leaks: list[Leak] = []
        self.coverage = {asset: Coverage() for asset in self.stages}
        self.gaps: list[str] = []

    def _key(self, asset: str) -> Key:
        return owner_of(asset, self.study.name, self.market.name), asset

    def check_marks(self, base: Store, months: Sequence[Month]) -> None:
        """Look for barriers that were chosen from the outcomes they are judged on.

        By the end of a month such a choice is known, so no tampering shows it; the mark does.
        """
        for asset in self.stages:
            for month in months:
                partition = base.read(self._key(asset), month)
                if partition.in_sample:
                    self.leaks.append(in_sample_leak(partition))

    def check_splits(self, base: Store, months: Sequence[Month]) -> None:
        """Look for training labels that touch what they are tested on."""
        if "folds" in self.stages:
            for month in months:
                self.leaks += split_leaks(base.read(self._key("folds"), month))

    def compare_stores(
        self, base: Store, tampered: Store, months: Sequence[Month], t_ns: int
    ) -> None:
        """Compare every partition of a tampered run with the base run's."""
        felt = dict.fromkeys(self.stages, False)
        for asset in self.stages:
            key, total = self._key(asset), Coverage()
            for month in months:
                pair = base.read(key, month), tampered.read(key, month)
                found = compare_partitions(*pair, t_ns)
                self.leaks += found.leaks
                total.add(found.coverage)
            felt[asset] = total.felt > 0
            total.felt = int(felt[asset])
            self.coverage[asset].add(total)
        others = [asset for asset in self.stages if asset != "ticks"]
        if not felt["ticks"] or (others and not any(felt[asset] for asset in others)):
            self.gaps.append(
                f"after {utc(t_ns)} no {'asset but the ticks' if felt['ticks'] else 'tick'} "
                f"changed through {months[-1]}: the tampering proves nothing; choose a moment with "
                "trades after it"
            )

    def audit(
        self,
        months: tuple[str, str],
        moments_ns: tuple[int, ...],
        overrides: Mapping[str, tuple[Any, Any]],
    ) -> Audit:
        """Sum up: add a gap for what was not compared, and order the leaks by pipeline."""
        empty = [asset for asset, coverage in self.coverage.items() if coverage.is_empty]
        if empty:
            self.gaps.append(
                f"nothing of {', '.join(empty)} was compared: no month that was over had any (too "
                "little to train on yet); choose later moments or more months"
            )
        order = list(self.stages)
        leaks = sorted(self.leaks, key=lambda leak: order.index(leak.asset))
        return Audit(
            self.study.name, months, moments_ns, overrides, leaks, self.coverage, self.gaps
        )
