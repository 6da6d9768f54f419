"""Write down a look at a month out of sample: who looked, at which ticks, and what was won.

It is written down when the month is traded, before any result is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from price_physics.errors import StaleInputs
from price_physics.walk_forward.ledger import digest_of, read_entries, read_trials, record_entry
from price_physics.walk_forward.passive import DAYS_A_BLOCK

if TYPE_CHECKING:
    import pandas as pd

    from price_physics.months import Month

DAY_NS = 86_400_000_000_000
Document = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """Who looks at a month.

    Attributes
    ----------
    ledger : Path
        Folder of the trial ledger.
    trial : str
        Hash of settings and code: studies with the same hash are one trial.
    settings : str
        The same without the code and without the declared month.
    study, market : str
        Names, for people.
    declared : str or None
        The one month in which the study is to be judged.
    ticks : str
        Fingerprint of the month's ticks.
    generated : bool
        Whether the month's ticks are marked as generated; looks at such ticks are no trials.
    """

    ledger: Path
    trial: str
    settings: str
    study: str
    market: str
    declared: str | None
    ticks: str
    generated: bool

    def write_down(
        self, month: Month, daily: pd.DataFrame, *, served: bool, in_sample: bool
    ) -> Document:
        """Write down what a month won, and return a description of the look.

        Parameters
        ----------
        daily : DataFrame
            DAILY of the month.
        served : bool
            Whether a model served the month. A month without a model counts if an earlier month of
            the trial had one.
        in_sample : bool
            Whether a barrier was chosen from the outcomes to be judged: it is a look, but no
            evidence.

        Returns
        -------
        dict
            Document `look` of the month: `trial`, `settings`, `ticks`, and `entry`, the digest of
            what was written down, or None.
        """
        counts = not self.generated and (served or self._was_served_before(month))
        entry = None
        if counts:
            entry = record_entry(self.ledger, self._entry(month, daily, in_sample))
        return {
            "trial": self.trial,
            "settings": self.settings,
            "ticks": self.ticks,
            "entry": entry,
        }

    def _was_served_before(self, month: Month) -> bool:
        return any(
            entry["trial"] == self.trial and entry["month"] < str(month)
            for entry in read_entries(self.ledger)
        )

    def _entry(self, month: Month, daily: pd.DataFrame, in_sample: bool) -> Document:
        daily = daily[daily["covered"].to_numpy(dtype=bool)]
        net = daily["net_return"].to_numpy(dtype=np.float64)
        block = daily["day_ns"].to_numpy(dtype=np.int64) // DAY_NS // DAYS_A_BLOCK
        won = {str(k): float(net[block == k].sum()) for k in np.unique(block)}
        known = {} if in_sample else {"block_sums": won, "sum_of_squares": float(net @ net)}
        return {
            "trial": self.trial,
            "settings": self.settings,
            "declared": self.declared,
            "month": str(month),
            "ticks": self.ticks,
            "study": self.study,
            "market": self.market,
            "n_days": len(net),
            "in_sample": in_sample,
            **known,
        }


def other_trials(ledger: Path, market: str, looks: Mapping[Month, Document]) -> list[Document]:
    """Read the other trials on the ticks that a study looked at.

    Parameters
    ----------
    looks : mapping of Month to dict
        Document `look` of every month up to the one reported.

    Raises
    ------
    StaleInputs
        When the ledger lacks what the study wrote down.
    """
    if lost := lost_looks(ledger, looks):
        raise StaleInputs(
            f"the ledger {ledger} lacks what was looked at in {', '.join(map(str, lost))}: it was "
            "lost or deleted; what somebody exported comes back by  price-physics ledger import "
            "FILE; what the study looked at is written down again where it is run"
        )
    own = {look["trial"] for look in looks.values()}
    trials = read_trials(ledger, market, ticks_of(looks))
    return [trial for trial in trials if trial["trial"] not in own]


def ticks_of(looks: Mapping[Month, Document]) -> dict[Month, str]:
    """Fingerprints of the ticks that were looked at, by month."""
    return {month: look["ticks"] for month, look in looks.items()}


def lost_looks(ledger: Path, looks: Mapping[Month, Document]) -> list[Month]:
    """List the months whose entries the ledger has lost."""
    known = {digest_of(entry) for entry in read_entries(ledger)}
    return [m for m, look in looks.items() if look["entry"] and look["entry"] not in known]


def declared_in_time(ledger: Path, looks: Mapping[Month, Document], declared: str) -> bool:
    """Tell whether the first look at these ticks with these settings declared this month.

    Declaring after the first look does not count.
    """
    ticks = {str(month): fingerprint for month, fingerprint in ticks_of(looks).items()}
    settings = {look["settings"] for look in looks.values()}
    first = next(
        (
            entry
            for entry in read_entries(ledger)
            if entry["settings"] in settings and ticks.get(entry["month"]) == entry["ticks"]
        ),
        None,
    )
    return first is None or first["declared"] == declared
