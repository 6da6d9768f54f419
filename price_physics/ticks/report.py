"""What a month says of its rows: which were set aside, and the quality report.

It is the same of trades and of candles.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from price_physics.schemas.ticks import QUARANTINE
from price_physics.ticks.gaps import missing_days, refuse_gaps
from price_physics.ticks.index import FileEntry, inputs_of
from price_physics.ticks.intake import MOST_LISTED, Intake
from price_physics.ticks.quality import QualityCounts, score
from price_physics.ticks.read import read_raw
from price_physics.ticks.rows import AnyRows, Fault


def set_aside(intake: Intake, conflicts: list[tuple[int, int, int]], reason: str) -> None:
    """Add rows to the faults, given file, line and time, fetching their text again."""
    for number, (file, path) in intake.files.items():
        found = sorted((line, time_ns) for n, line, time_ns in conflicts if n == number)
        found = found[: max(0, MOST_LISTED - len(intake.faults))]
        text = read_raw(path, file, np.array([line for line, _ in found], np.int64))
        intake.faults += [
            (number, Fault(line, reason, raw, time_ns, True))
            for (line, time_ns), raw in zip(found, text, strict=True)
        ]


def lines_of(rows: AnyRows, file: NDArray[np.int32]) -> list[tuple[int, int, int]]:
    """File, line and time of rows."""
    columns = (file, rows.line, rows.time_ns)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def tell(
    intake: Intake,
    entries: dict[str, FileEntry],
    counts: QualityCounts,
    n_dropped: int,
    **more: int,
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, str], bool]:
    """What a month says beside its rows: quarantine, quality with `more` in it, inputs, synthetic.

    Raises
    ------
    TickDataError
        When a strict market misses days or ids.
    """
    market, month = intake.market, intake.month
    report = _month_report(intake, counts, n_dropped)
    refuse_gaps(
        market, month, report["missing_days"], report["missing_ids"], report["missing_ids_share"]
    )
    feeding = [entries[file] for file, _ in intake.files.values()]
    synthetic = market.synthetic or any(entry.is_synthetic for entry in feeding)
    quality = report | more | {"synthetic": synthetic}
    return _quarantine_table(intake), quality, inputs_of(entries, month), synthetic


def _quarantine_table(intake: Intake) -> pd.DataFrame:
    """Shape faults as QUARANTINE; one without a time of its own is known when the month ends."""
    faults = sorted(intake.faults, key=lambda found: (found[0], found[1].line))
    known_at = [f.time_ns if f.own_time else intake.month.end_ns for _, f in faults]
    return pd.DataFrame(
        {
            "file": np.array([intake.files[number][0] for number, _ in faults], object),
            "row": np.array([fault.line for _, fault in faults], np.int64),
            "reason": np.array([fault.reason for _, fault in faults], object),
            "raw": np.array([fault.raw for _, fault in faults], object),
            "known_at": np.array(known_at, np.int64),
        }
    )[QUARANTINE.columns]


def _month_report(intake: Intake, counts: QualityCounts, n_dropped: int) -> dict[str, Any]:
    """The quality report of a month, as JSON: what was read, what became of it, and a score."""
    market, month = intake.market, intake.month
    facts = counts.report()
    unexplained, explained = missing_days(
        market, month, counts.ticks_by_day, facts["first_tick_ns"]
    )
    report = {
        "market": market.name,
        "month": str(month),
        "empty": counts.n_ticks == 0,
        "files": [
            {"file": file, "rows": intake.n_rows[number]}
            for number, (file, _) in sorted(intake.files.items())
        ],
        "rows_read": sum(intake.n_rows.values()),
        "quarantined": sum(intake.n_set_aside.values()),
        "quarantine_listed": len(intake.faults),
        "quarantine_reasons": dict(sorted((+intake.n_set_aside).items())),
        "duplicates_dropped": n_dropped,
        "rows_out_of_order": intake.n_backwards,
        "days": len(counts.ticks_by_day),
        "missing_days": unexplained,
        "missing_days_in_outages": explained,
        **facts,
    }
    return report | {"score": score(report)}
