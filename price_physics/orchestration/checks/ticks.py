"""Checks of a month's ticks, on three levels: what stops it, what was set aside, what is odd.

`ticks` decides; a check shows what it decided.
"""

from price_physics.orchestration.checks.finding import Case, Check, Finding

STOP, QUARANTINE, ODD, HOLES = (
    "files_can_be_trusted",
    "few_rows_set_aside",
    "few_oddities",
    "no_day_is_missing",
)

_ODDITIES = ("duplicates_dropped", "rows_out_of_order", "reverting_spikes")
_COUNTED = ("sides_inferred_share", "identical_rows_kept", "silences_over_ten_typical_gaps")
_HANDFUL = 10
_THIN_TICKS_A_DAY = 20


def _trusted(case: Case) -> Finding:
    quality = case.found.document("quality")
    n_files, n_rows = len(quality["files"]), quality["rows_read"]
    return Finding(
        True, f"{n_files} files, {n_rows} rows of the month; none is cut off, torn or of another"
    )


def _set_aside(case: Case) -> Finding:
    quality = case.found.document("quality")
    n_rows, n_bad = quality["rows_read"], quality["quarantined"]
    share, limit = n_bad / n_rows if n_rows else 0.0, case.market.quarantine_limit
    reasons = quality["quarantine_reasons"]
    why = f": {', '.join(f'{n} because {reason}' for reason, n in reasons.items())}"
    return Finding(
        2 * share <= limit or n_bad <= 1,
        f"{n_bad} of {n_rows} rows set aside{why if reasons else ''}",
        {"share_set_aside": share, **reasons},
    )


def _odd(case: Case) -> Finding:
    quality = case.found.document("quality")
    found = {name: quality[name] for name in _ODDITIES}
    n, n_rows = sum(found.values()), quality["rows_read"]
    numbers = found | {name: quality[name] for name in _COUNTED if quality.get(name) is not None}
    text = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items() if count)
    return Finding(
        n <= max(_HANDFUL, case.market.quarantine_limit * n_rows),
        f"{text or 'nothing odd'} among {n_rows} rows",
        numbers | {"score": quality["score"]},
    )


def _holes(case: Case) -> Finding:
    quality = case.found.document("quality")
    missing, n_days = quality["missing_days"], quality["days"]
    share = quality["missing_ids_share"] or 0.0
    numbers = {
        "missing_days": len(missing),
        "missing_ids_share": share,
        "completeness": quality["completeness"],
    }
    traded = n_days - len(missing)
    text = f"{traded} of {n_days} days have rows"
    if missing:
        text += f"; none on {', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}"
    is_thin = quality["ticks"] < _THIN_TICKS_A_DAY * max(traded, 1)
    if missing and is_thin and traded:
        return Finding(
            True, f"{text}: {quality['ticks']} ticks a month leave days without one", numbers
        )
    if share:
        text += f"; {share:.2%} of the ids are missing"
    limit = case.market.quarantine_limit
    return Finding(not missing and share <= limit, text, numbers)


TICK_CHECKS = (
    Check(
        STOP,
        _trusted,
        "Checksums and CRCs hold, no file is cut off, every schema and word for a side is known, "
        "one unit of time a file, no other instrument, no stretch of trades twice, and at most "
        "quarantine_limit of the rows set aside; with strict_gaps no whole day and at most 0.1 % "
        "of ids missing.",
        "the message names the file and the row; download it again, or correct the market's YAML.",
        blocking=True,
    ),
    Check(
        QUARANTINE,
        _set_aside,
        "At most half of the market's quarantine_limit of the rows are set aside: unreadable "
        "fields, prices or quantities at or below zero or beyond what a venue has, ids with two "
        "payloads.",
        "read the table quarantine of the month, which names file, row and reason; download the "
        "file again.",
    ),
    Check(
        ODD,
        _odd,
        "Duplicates, rows out of order and spikes that revert are no more than ten, or no more "
        "than quarantine_limit of the rows. They are cleaned, counted and scored.",
        "compare the file with another download; what was done about each is in the quality "
        "report.",
    ),
    Check(
        HOLES,
        _holes,
        "Every day that is no known outage has rows, and few ids are missing. A market with fewer "
        f"than {_THIN_TICKS_A_DAY} ticks a day may have days without one.",
        "download the missing days, or declare them under `outages:` in the market's YAML, so "
        "that labels that cross them do not train.",
    ),
)
