"""Asset checks of a month's ticks, on three levels, for the Dagster UI.

Stop: nothing is written. Quarantine: rows are set aside and counted. Report: oddities are counted
and scored. ``ticks`` decides; a check only shows what it decided.
"""

import warnings
from typing import Any

import dagster as dg

STOP, QUARANTINE, REPORT = "files_can_be_trusted", "no_row_set_aside", "nothing_to_report"

_DESCRIPTIONS = {
    STOP: (
        "Stop: checksums and CRCs hold, no file is cut off, every schema and word for a side is "
        "known, one unit of time a file, no other instrument, no stretch of trades twice, and at "
        "most quarantine_limit of the rows set aside; with strict_gaps no whole day and at most "
        "0.1 % of ids missing. Otherwise nothing is written."
    ),
    QUARANTINE: (
        "Quarantine: no unreadable field, no price or quantity at or below zero or beyond what a "
        "venue has, no id with two payloads. Such rows are set aside with a reason."
    ),
    REPORT: (
        "Report: no duplicate dropped, row out of order, day missing, spike that reverts, or side "
        "inferred. These are counted and scored."
    ),
}
_FINDINGS = (
    "duplicates_dropped",
    "identical_rows_kept",
    "rows_out_of_order",
    "reverting_spikes",
    "sides_inferred",
    "silences_over_ten_typical_gaps",
)


def tick_check_specs(
    asset: dg.AssetKey, partitions: dg.PartitionsDefinition
) -> list[dg.AssetCheckSpec]:
    """The checks of a market's ticks; the first blocks what is downstream."""
    with warnings.catch_warnings():
        # without partitions a check would belong to no month; the parameter is a preview
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=asset,
                description=description,
                blocking=name == STOP,
                partitions_def=partitions,
            )
            for name, description in _DESCRIPTIONS.items()
        ]


def stopped(message: str) -> dg.AssetCheckResult:
    """The result for a month that stopped."""
    return dg.AssetCheckResult(
        check_name=STOP,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=message,
    )


def tick_check_results(quality: dict[str, Any]) -> list[dg.AssetCheckResult]:
    """The results for a month that was written, from its quality report."""
    findings = {name: quality[name] for name in _FINDINGS if quality[name]}
    if quality["missing_days"]:
        findings["missing_days"] = ", ".join(quality["missing_days"])
    if quality["missing_ids_share"]:
        findings["missing_ids_share"] = quality["missing_ids_share"]
    rest = {
        name: quality[name]
        for name in ("score", "candles_without_trade", "candles_absent", "volumes_not_believed")
        if quality.get(name) is not None
    }
    return [
        dg.AssetCheckResult(check_name=STOP, passed=True),
        dg.AssetCheckResult(
            check_name=QUARANTINE,
            passed=not quality["quarantined"],
            severity=dg.AssetCheckSeverity.WARN,
            metadata=quality["quarantine_reasons"],
        ),
        dg.AssetCheckResult(
            check_name=REPORT,
            passed=not findings,
            severity=dg.AssetCheckSeverity.WARN,
            metadata=findings | rest,
        ),
    ]
