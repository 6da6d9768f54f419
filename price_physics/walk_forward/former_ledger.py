"""Read trials that earlier versions wrote: ``<market>/<trial>/<YYYY-MM>.json``.

They do not hold their blocks of days, so each counts as a trial with unknown results.
"""

import json
from pathlib import Path
from typing import Any

from price_physics.errors import StoreError
from price_physics.months import Month

_REMEDY = "bring it back from a backup, or delete it and count one trial less than there was"
_FORMER_KEY = "config_hash"
"""Key of the trial in the oldest entries."""


def read_former_trials(folder: Path, market: str, month: Month) -> list[dict[str, Any]]:
    """Read each former trial of a market: its latest entry of a month up to `month`.

    Raises
    ------
    StoreError
        When an entry cannot be read.
    """
    trials = []
    for trial in sorted(p for p in (folder / market).glob("*") if p.is_dir()):
        months = sorted(Month.parse(p.stem) for p in trial.glob("[0-9]*.json"))
        known = [m for m in months if m <= month]
        if known:
            trials.append(_read(trial / f"{known[-1]}.json"))
    return trials


def _read(path: Path) -> dict[str, Any]:
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise StoreError(f"{path}: not a trial: {error}; {_REMEDY}") from error
    if not isinstance(entry, dict):
        raise StoreError(f"{path}: not a trial: {entry!r}; {_REMEDY}")
    if _FORMER_KEY in entry:
        entry["trial"] = entry.pop(_FORMER_KEY)
    return entry
