"""The trials that have been looked at: one JSON a market, trial and month.

What counts as a trial is decided by the caller; synthetic markets and choices nested inside a
fold are none.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.store.atomic import write_atomically

_REMEDY = "delete it, and rerun the report of that month"
_FORMER_KEY = "config_hash"
"""What entries written by earlier versions call the name of the trial."""


def record_trial(
    folder: Path, market: str, trial: str, month: Month, record: dict[str, Any]
) -> Path:
    """Write down that a trial has been looked at out of sample, through a month.

    The same trial and month again replaces what was written.

    Parameters
    ----------
    folder : Path
        Of the ledger.
    market : str
        Name of the market.
    trial : str
        Its name, from ``trial.trial_name``; no two trials of a market have the same.
    month : Month
        The last month looked at.
    record : dict
        JSON: what was seen, `sharpe_daily` among it.

    Returns
    -------
    Path
        ``folder/market/trial/YYYY-MM.json``.
    """
    path = folder / market / trial / f"{month}.json"
    entry = {**record, "market": market, "trial": trial, "month": str(month)}
    text = json.dumps(entry, indent=2, sort_keys=True, allow_nan=False)
    write_atomically(path, (text + "\n").encode())
    return path


def read_trials(folder: Path, market: str, month: Month) -> list[dict[str, Any]]:
    """Read every trial of a market as it stood when a month ended.

    Returns
    -------
    list of dict
        By the trial's name, of each its latest entry with a month up to the one given: the
        report of an old month does not change when a later one is added. Whatever an entry calls
        it, the name is under `trial`.

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


def trials_version(folder: Path, market: str, month: Month) -> str:
    """Hash the trials that a report of `month` counts: another trial makes it stale."""
    text = json.dumps(read_trials(folder, market, month), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


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
