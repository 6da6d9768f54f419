"""Build the report of a month: judge, collect the numbers, draw the plots, write three formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from price_physics.figures import DARK, LIGHT
from price_physics.report.content import compose
from price_physics.report.curves import chain_months
from price_physics.report.evidence import Evidence
from price_physics.report.numbers import collect_numbers
from price_physics.report.plots import draw
from price_physics.report.quality import holes_sentence, quality_numbers
from price_physics.report.render import to_html, to_markdown
from price_physics.schemas.labels import LABELS
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.store.artefact import Artefact, canonical_json
from price_physics.walk_forward.ledger import trials_version
from price_physics.walk_forward.look import declared_in_time, other_trials, ticks_of
from price_physics.walk_forward.month import MonthWalk
from price_physics.walk_forward.trial import judge_months

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study


def build_report(
    study: Study,
    market: Market,
    month: Month,
    past: Past,
    *,
    ledger: Path,
    environment: dict[str, Any],
) -> Artefact:
    """Judge everything out of sample up to a month, and write the report.

    The same inputs give the same bytes.

    Parameters
    ----------
    study, market, month
        The study and its market; the last month that the report covers.
    past : Past
        Walk-forward, predictions, labels and ticks of all months up to `month`; of ticks only
        their quality.
    ledger : Path
        Folder of the trial ledger.
    environment : dict
        versions, seed, config_hash, code_version, synthetic, in_sample, inputs; printed unchanged.

    Returns
    -------
    Artefact
        ``report.html``, ``report.md``, ``report.json``, plots.
    """
    own = past.of("walk_forward")[month]
    walks = {m: MonthWalk.of(known) for m, known in past.of("walk_forward").items()}
    predictions, in_sample = past.table(PREDICTIONS), own.in_sample
    looks = past.documents("walk_forward", "look")
    declared = study.walk_forward.judged_in
    verdict = judge_months(
        walks,
        predictions,
        study,
        month,
        other_trials(ledger, market.name, looks),
        in_sample,
        declared is not None and not declared_in_time(ledger, looks, str(declared)),
    )
    quality = past.documents("ticks", "quality")
    traded = {m: quality[m] for m in walks if m in quality and walks[m].warm_up is None}
    if holes := holes_sentence(quality_numbers(traded)):
        verdict = replace(verdict, sentence=f"{verdict.sentence} {holes}")
    evidence = Evidence(
        study,
        market,
        month,
        walks,
        predictions,
        past.table(LABELS),
        past.documents("labels", "counts"),
        quality,
        past.documents("predictions", "provenance"),
        verdict,
        environment,
    )
    return Artefact(
        files=write_report(evidence),
        warm_up=own.warm_up,
        inputs={"ledger": trials_version(ledger, market.name, ticks_of(looks))},
        highlights={"verdict": f"**{verdict.verdict}**: {verdict.sentence}"},
    )


def write_report(evidence: Evidence) -> dict[str, bytes]:
    """Return the files of a report, by name: three formats, and the plots."""
    curves = chain_months(evidence.walk_forward)
    numbers = collect_numbers(evidence, curves)
    document = compose(numbers)
    light, dark = draw(numbers, curves, LIGHT), draw(numbers, curves, DARK)
    return {
        "report.html": to_html(document, light, dark).encode(),
        "report.md": to_markdown(document).encode(),
        "report.json": canonical_json(numbers),
        **light,
    }
