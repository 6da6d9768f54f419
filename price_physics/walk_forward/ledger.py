"""Keep the ledger of trials: one line per entry, each with the digest of the line before.

The caller decides what counts as a trial. Entries are only ever added, and the last digest is kept
in a second file: a lost, changed or deleted entry is noticed at the next reading. An entry's market
is identified by the fingerprint of its ticks, whatever the market's name.
"""

import hashlib
import json
import logging
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock

from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.store.atomic import write_atomically
from price_physics.walk_forward.former_ledger import read_former_trials

_log = logging.getLogger(__name__)

Entry = dict[str, Any]
Ticks = Mapping[Month, str]
"""Fingerprint of a market's ticks, by month."""

_PREVIOUS = "previous"
_BEGINNING = "0" * 64
_END = "end"
"""Key of the last line of an export, with the digest of the line before."""
_KEY = ("trial", "month", "ticks")
"""A later entry replaces an earlier one that has the same key."""


def record_entry(folder: Path, entry: Entry) -> str:
    """Add an entry, unless it is already the latest of its trial, month and ticks.

    Parameters
    ----------
    folder : Path
        Of the ledger.
    entry : dict
        JSON: `trial`, `month`, `ticks`, and what was seen.

    Returns
    -------
    str
        The digest of the entry, without its place in the ledger.
    """
    add_entries(folder, [entry])
    return digest_of(entry)


def add_entries(folder: Path, entries: Iterable[Entry]) -> int:
    """Add entries in their order, as `record_entry` does; return how many were new."""
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".lock", timeout=60):
        lines = _read_lines(folder)
        latest = {_key(entry): digest_of(entry) for entry in map(_parsed, lines)}
        n_before = len(lines)
        for entry in entries:
            digest = digest_of(entry)
            if latest.get(_key(entry)) == digest:
                continue
            latest[_key(entry)] = digest
            said = {k: v for k, v in entry.items() if k != _PREVIOUS}
            lines.append(_line(said | {_PREVIOUS: _end_of(lines)}))
        if len(lines) > n_before:
            write_atomically(_file(folder), b"".join(line + b"\n" for line in lines))
        end = f"{_end_of(lines)}\n".encode()
        if lines and (not _head(folder).exists() or _head(folder).read_bytes() != end):
            write_atomically(_head(folder), end)  # a kill may have come between the two
        return len(lines) - n_before


def read_entries(folder: Path) -> list[Entry]:
    """Read every entry, oldest first.

    Raises
    ------
    StoreError
        When entries were lost, changed or deleted.
    """
    return [_parsed(line) for line in _read_lines(folder)]


def parse_entries(content: bytes, source: str) -> list[Entry]:
    """Parse exported entries, and check that they are all that was exported.

    Exports of earlier versions have no end: of them nobody can tell, which is said.

    Raises
    ------
    StoreError
        When one is not JSON or does not follow from the one before, or the end is another's.
    """
    *lines, end = content.splitlines() or [b""]
    remedy = "export it again, with `price-physics ledger export`"
    if _is_entry(end):
        _log.warning(
            "%s, line %d: the export has no end, as those of earlier versions: entries after this "
            "one may be cut off",
            source,
            len(lines) + 1,
        )
        lines.append(end)
        end = _end_line(lines)
    _check_chain(lines, source, remedy)
    if end != _end_line(lines):
        raise StoreError(
            f"{source}, line {len(lines) + 1}: is not the end of what was exported: entries were "
            f"changed or cut off; {remedy}"
        )
    return [_parsed(line) for line in lines]


def export_entries(folder: Path, path: Path) -> int:
    """Write every entry to a file of JSON lines, for `parse_entries`; return their number.

    A last line names the digest of the one before, so that no end can be lost unseen.
    """
    lines = _read_lines(folder)
    write_atomically(path, b"".join(line + b"\n" for line in [*lines, _end_line(lines)]))
    return len(lines)


def digest_of(entry: Entry) -> str:
    """Hash an entry without its place in the ledger."""
    said = {k: v for k, v in entry.items() if k != _PREVIOUS}
    return hashlib.sha256(_line(said)).hexdigest()[:32]


def read_trials(folder: Path, market: str, ticks: Ticks) -> list[Entry]:
    """Read every trial of a market as it was when a month ended.

    Parameters
    ----------
    folder : Path
        Of the ledger.
    market : str
        Its name, by which entries of earlier versions are found.
    ticks : mapping of Month to str
        Fingerprints of the market's ticks, up to the month.

    Returns
    -------
    list of dict
        One dict per `trial`, its months merged: `n_days`, `sharpe_daily`, and `block_sums` by block
        (a string). An in-sample trial has no `block_sums`, and its `sharpe_daily` is None. Adding
        later months does not change the report of an old one.

    Raises
    ------
    StoreError
        When an entry cannot be read, or is missing.
    """
    wanted = {str(month): fingerprint for month, fingerprint in ticks.items()}
    latest = {
        _key(entry): entry
        for entry in read_entries(folder)
        if wanted.get(entry["month"]) == entry["ticks"]
    }
    by_trial: dict[str, list[Entry]] = {}
    for key in sorted(latest):
        by_trial.setdefault(latest[key]["trial"], []).append(latest[key])
    trials = [_whole(entries) for entries in by_trial.values()]
    return trials + read_former_trials(folder, market, max(ticks)) if ticks else trials


def trials_version(folder: Path, market: str, ticks: Ticks) -> str:
    """Hash the trials that a report counts: another trial makes it stale."""
    text = json.dumps(read_trials(folder, market, ticks), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _whole(entries: list[Entry]) -> Entry:
    """Merge the months of a trial."""
    last = entries[-1]
    known = {name: last[name] for name in ("trial", "study", "month", "declared")}
    known["n_days"] = sum(entry["n_days"] for entry in entries)
    if any(entry["in_sample"] for entry in entries):
        return known | {"in_sample": True, "sharpe_daily": None}
    sums: dict[str, float] = {}
    for entry in entries:
        for block, won in entry["block_sums"].items():
            sums[block] = sums.get(block, 0.0) + won
    return known | {"block_sums": sums, "sharpe_daily": _sharpe(entries, known["n_days"])}


def _sharpe(entries: list[Entry], n_days: int) -> float | None:
    """Daily Sharpe ratio from sums and sums of squares."""
    if n_days < 2:
        return None
    mean = sum(sum(entry["block_sums"].values()) for entry in entries) / n_days
    square = sum(entry["sum_of_squares"] for entry in entries)
    variance = (square - n_days * mean**2) / (n_days - 1)
    return mean / variance**0.5 if variance > 1e-12 * square else None


# ---------------------------------------------------------------------------- lines
def _file(folder: Path) -> Path:
    return folder / "ledger.jsonl"


def _head(folder: Path) -> Path:
    return folder / "last_digest"


def _key(entry: Entry) -> tuple[str, ...]:
    return tuple(entry[name] for name in _KEY)


def _line(entry: Entry) -> bytes:
    return json.dumps(entry, sort_keys=True, allow_nan=False).encode()


def _end_of(lines: list[bytes]) -> str:
    return hashlib.sha256(lines[-1]).hexdigest() if lines else _BEGINNING


def _end_line(lines: list[bytes]) -> bytes:
    return json.dumps({_END: _end_of(lines)}).encode()


def _is_entry(line: bytes) -> bool:
    try:
        return _PREVIOUS in json.loads(line)
    except (ValueError, TypeError):
        return False


def _parsed(line: bytes) -> Entry:
    return json.loads(line)


def _read_lines(folder: Path) -> list[bytes]:
    path, head = _file(folder), _head(folder)
    moves = "; ".join(
        f"mv {shlex.quote(str(p))} {shlex.quote(f'{p}.damaged')}" for p in (path, head)
    )
    remedy = (
        f"bring {path} back from a backup; or run  {moves}; for f in configs/studies/*.yaml; do "
        "make backfill STUDY=$(basename $f .yaml); done  in which every study writes down again "
        "what it looked at; what somebody exported comes back by  price-physics ledger import FILE"
    )
    lines = path.read_bytes().splitlines() if path.exists() else []
    digests = _check_chain(lines, str(path), remedy)
    if head.exists() and head.read_bytes().strip() not in {digest.encode() for digest in digests}:
        raise StoreError(f"{path}: the last of {len(lines)} entries is gone; {remedy}")
    return lines


def _check_chain(lines: list[bytes], source: str, remedy: str) -> set[str]:
    """Check that each line names the digest of the one before; return all digests."""
    return set(_chain(lines, source, remedy))


def _chain(lines: list[bytes], source: str, remedy: str) -> Iterator[str]:
    digest = _BEGINNING
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            found = entry[_PREVIOUS], _key(entry)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{source}, line {number}: not a trial: {error!r}; {remedy}"
            ) from error
        if found[0] != digest:
            raise StoreError(
                f"{source}, line {number}: does not follow from the line before: an entry was "
                f"changed or deleted; {remedy}"
            )
        digest = hashlib.sha256(line).hexdigest()
        yield digest
