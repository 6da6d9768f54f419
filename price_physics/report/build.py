"""The report of a month: numbers, plots, and the three formats that show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from price_physics.figures import DARK, LIGHT
from price_physics.months import Month
from price_physics.report.content import compose
from price_physics.report.curves import chain_months
from price_physics.report.numbers import collect_numbers
from price_physics.report.plots import draw
from price_physics.report.render import to_html, to_markdown
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.walk_forward.month import MonthWalk
from price_physics.walk_forward.verdict import Verdict


@dataclass(frozen=True)
class ReportResult:
    """One report in three formats; `plots` are PNG bytes by file name."""

    html: str
    markdown: str
    numbers: dict[str, Any]
    plots: dict[str, bytes]


def build_report(
    study: Study,
    market: Market,
    month: Month,
    *,
    walk_forward: Mapping[Month, MonthWalk],
    predictions: Mapping[Month, pd.DataFrame],
    labels: Mapping[Month, pd.DataFrame],
    label_counts: Mapping[Month, dict],
    provenance: Mapping[Month, dict],
    verdict: Verdict,
    environment: dict,
) -> ReportResult:
    """Report everything out of sample up to a month. Same inputs, same bytes.

    Parameters
    ----------
    study, market, month
        What is reported, through which month.
    walk_forward : mapping of month to MonthWalk
        All months up to `month`; those with a `warm_up` reason are out of the numbers.
    predictions, labels : mapping of month to DataFrame
        PREDICTIONS and LABELS, all months up to `month`.
    label_counts : mapping of month to dict
        What the labels do not show: `dropped` by reason, and `undecidable` where bars touch.
    provenance : mapping of month to dict
        Of the model that served the month: model_month, warm_up, summary, folds, architecture.
    verdict : Verdict
        Judged on the same months.
    environment : dict
        versions, seed, config_hash, code_version, synthetic, in_sample, inputs; printed as given.

    Returns
    -------
    ReportResult
    """
    curves = chain_months(walk_forward)
    numbers = collect_numbers(
        study,
        market,
        month,
        walk_forward=walk_forward,
        predictions=predictions,
        labels=labels,
        label_counts=label_counts,
        provenance=provenance,
        verdict=verdict,
        environment=environment,
        curves=curves,
    )
    document = compose(numbers)
    light, dark = draw(numbers, curves, LIGHT), draw(numbers, curves, DARK)
    return ReportResult(
        html=to_html(document, light, dark),
        markdown=to_markdown(document),
        numbers=numbers,
        plots=light,
    )
