"""Fit the networks of a month: an ensemble for every fold, then one on all members.

Every fold trains, stops early on its own purged slice, and predicts its test samples. The final
fits use all members and run for the folds' median number of epochs. The networks of an ensemble
differ in their seeds, and their logits are averaged. On the CPU the fits run side by side.
Calibration is in `calibration`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median_high
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from price_physics.folds.runs import role_of_each
from price_physics.images.threads import one_cpu_thread
from price_physics.model.dataset import SampleStore
from price_physics.model.device import exact_float32
from price_physics.model.inference import infer
from price_physics.model.networks import NetworkConfig
from price_physics.model.side_by_side import Check, fits_at_once, side_by_side
from price_physics.model.train import Fit, Index, Task, fit_network
from price_physics.months import Month
from price_physics.schemas.model import LEARNING_CURVES
from price_physics.scores.probabilities import Floats

if TYPE_CHECKING:
    from price_physics.study.folds import FoldsConfig
    from price_physics.study.study import Study

Progress = Callable[[int, int, str], None]
"""Called with the epochs done, the most there can be, and a text: what is being fitted."""

FINAL = -1
"""The number of the final fit in the learning curves."""

_PARTS = ("train", "early_stop", "test")
Parts = dict[str, Index]
_Wanted = tuple[Index, Index | None, int]
"""Training samples, early-stopping samples, and the maximum number of epochs."""


@dataclass(frozen=True)
class FoldedFit:
    """The fits of the folds and the final fits on all members.

    Attributes
    ----------
    fits : dict of fold to list of Fit
        One fit per seed; the key of the final fits is `FINAL`.
    tested : (fold, sample, logits)
        One row per tested sample, sorted by sample; logits are on the scale of the final fits,
        without the offset.
    """

    fits: dict[int, list[Fit]]
    tested: tuple[np.ndarray, Index, Floats]

    @property
    def final(self) -> list[Fit]:
        return self.fits[FINAL]

    @property
    def device(self) -> torch.device:
        return next(self.final[0].network.parameters()).device

    @property
    def epochs(self) -> int:
        return self.final[0].best_epoch

    @property
    def fold_epochs(self) -> list[int]:
        """Best epoch of every fit of the folds, by fold, then by seed."""
        return [fit.best_epoch for f in sorted(self.fits) if f != FINAL for fit in self.fits[f]]

    @property
    def at_once(self) -> int:
        """How many samples at a time fitted into the device's memory in the last fit."""
        return self.final[-1].at_once

    def curves(self, month: Month) -> pd.DataFrame:
        """Return LEARNING_CURVES; the row of an epoch is the mean over the seeds that ran it."""
        rows = [
            {"fold": fold, **row}
            for fold, fits in sorted(self.fits.items())
            for fit in fits
            for row in fit.curve
        ]
        frame = pd.DataFrame(rows).groupby(["fold", "epoch"], as_index=False).mean()
        frame["known_at"] = month.end_ns
        types = {"fold": np.int32, "epoch": np.int32, "known_at": np.int64}
        return frame[LEARNING_CURVES.columns].astype(types)


def read_folds(
    config: FoldsConfig, month: Month, members: pd.DataFrame, roles: pd.DataFrame
) -> tuple[dict[int, Parts], str | None]:
    """Return each fold's parts as positions among the sorted members, or why there is no model."""
    n, least = len(members), config.min_training_samples
    if n < least or not len(roles):
        return {}, f"{n} labelled windows through {month}; training needs {least} and their folds"
    times = np.sort(members["event_time_ns"].to_numpy(np.int64))
    folds: dict[int, Parts] = {}
    for fold, rows in roles[roles["fold"] >= 0].groupby("fold", sort=True):
        role, parts = role_of_each(rows, times), {}
        for part in _PARTS:
            parts[part] = np.flatnonzero(role == part)
            if not len(parts[part]):
                return {}, f"fold {fold} of {month} has no {part} sample among {n} members"
        folds[int(str(fold))] = parts
    return folds, None


@one_cpu_thread()  # both set the whole process, so before any thread starts
@exact_float32()
def fit_folds(
    study: Study,
    month: Month,
    store: SampleStore,
    network: NetworkConfig,
    folds: dict[int, Parts],
    trained: Index,
    progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> FoldedFit:
    """Fit every fold, then the samples that are `trained`; parameters as `fit_model`.

    `progress` may be called from other threads, one at a time.
    """
    work = _Work(study, month, store, network, sorted(folds), progress, checkpoints)
    parts = dict(sorted(folds.items()))
    fits = work.fit(
        {f: (p["train"], p["early_stop"], study.model.max_epochs) for f, p in parts.items()}
    )
    tested = {
        f: infer([fit.network for fit in fits[f]], store, p["test"]).numpy()
        for f, p in parts.items()
    }
    epochs = median_high(fit.best_epoch for ensemble in fits.values() for fit in ensemble)
    fits |= work.fit({FINAL: (trained, None, epochs)})
    # Move logits from each fold's scale to that of the final model, which is served: beyond the
    # offset, each has learnt the prior of its own training part.
    final = fits[FINAL][0].log_odds
    tests = [
        (np.full(len(z), f, np.int32), parts[f]["test"], z + (final - fits[f][0].log_odds))
        for f, z in tested.items()
    ]
    fold_of, index, logits = (np.concatenate(part) for part in zip(*tests, strict=True))
    order = np.lexsort((fold_of, index))
    return FoldedFit(fits, (fold_of[order], index[order], logits[order]))


@dataclass
class _Work:
    """What all fits of a month share."""

    study: Study
    month: Month
    store: SampleStore
    network: NetworkConfig
    folds: list[int]
    progress: Progress | None
    checkpoints: Path | None
    at_once: int | None = None  # largest that fitted into the device's memory so far

    def __post_init__(self) -> None:
        size_pixels = self.store.renderer.config.size_pixels
        batch_size = self.study.model.batch_size
        self.n_threads = fits_at_once(self.store.device, batch_size, size_pixels, self.network)
        self._epochs_done: dict[tuple[int, int], int] = {}
        self._reporting = Lock()

    def fit(self, wanted: dict[int, _Wanted]) -> dict[int, list[Fit]]:
        """Fit an ensemble for each fold: one network a seed."""
        members = range(self.study.model.n_seeds)
        jobs = [partial(self._fit, f, member, *wanted[f]) for f in wanted for member in members]
        fits = iter(side_by_side(jobs, self.n_threads))
        return {f: [next(fits) for _ in members] for f in wanted}

    def _fit(
        self,
        fold: int,
        member: int,
        train: Index,
        early_stop: Index | None,
        epochs: int,
        check: Check,
    ) -> Fit:
        place = self._place(fold)
        seeds = np.random.SeedSequence([self.study.seed, place, member])
        task = Task(train, early_stop, epochs, int(seeds.generate_state(1)[0]), self.at_once)
        fit = fit_network(
            self.store,
            self.study.model,
            self.network,
            task,
            on_epoch=partial(self._report, fold, member),
            on_step=check,
            checkpoint=self._file(fold, member),
        )
        self.at_once = fit.at_once
        with self._reporting:
            self._epochs_done[place, member] = self.study.model.max_epochs  # no more to come
        return fit

    def _place(self, fold: int) -> int:
        return len(self.folds) if fold == FINAL else self.folds.index(fold)

    def _report(self, fold: int, member: int, epoch: int) -> None:
        if self.progress is None:
            return
        config, place = self.study.model, self._place(fold)
        n_fits = (len(self.folds) + 1) * config.n_seeds
        name = "final fit" if fold == FINAL else f"fold {place + 1} of {len(self.folds)}"
        seed = f", seed {member + 1} of {config.n_seeds}" if config.n_seeds > 1 else ""
        with self._reporting:
            self._epochs_done[place, member] = epoch
            done = sum(self._epochs_done.values())
            text = f"{self.month} {name}{seed}, epoch {epoch}"
            self.progress(done, n_fits * config.max_epochs, text)

    def _file(self, fold: int, member: int) -> Path | None:
        if self.checkpoints is None:
            return None
        name = "final" if fold == FINAL else f"fold_{fold}"
        return self.checkpoints / f"{name}_seed_{member}.safetensors"
