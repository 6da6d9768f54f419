"""What MLflow keeps of a fit, of a report and of motifs, taken from their artefacts.

The prefix of a number says what it was measured on: `out_of_fold/` the month's own training set,
each row scored by a network that did not train on it; `out_of_sample/` every month that was traded,
up to this one; `month/` this month alone, out of sample too; `ticks/` the month's data; `training/`
is about the fit and no score.
"""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import pandas as pd

from price_physics.months import Month
from price_physics.orchestration.made import Made
from price_physics.orchestration.registry import MARKS, ModelFiles
from price_physics.pipeline.versions import code_version
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.store.artefact import Artefact, canonical_json
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.study.trial import config_hash

Numbers = Mapping[str, float | None]

_PACKAGES = ("numpy", "pandas", "pyarrow", "numba", "scipy", "scikit-learn", "torch", "dagster")

TRACKED = {
    "model": ("architecture.json", "summary.json"),
    "report": ("report.json",),
    "motifs": ("motifs.md",),
}
"""Assets that MLflow keeps, in this order, and the files that identify what was logged."""

LAYOUT = "layout-2"
"""Raise it when other numbers or files are logged: what was logged before is then logged again."""

_SCORES = ("log_loss", "skill_", "calibration_", "direction_auc", "n_out_of_fold", "n_effective")
_OUTCOMES = ("net_return", "gross_return", "buy_and_hold_return", "max_drawdown", "hit_rate")
_OF_MONTH = ("net_return", "gross_return", "cost", "market_return", "hit_rate", "n_events")


@dataclass(frozen=True, kw_only=True)
class Logged:
    """What MLflow keeps of one asset's month.

    Attributes
    ----------
    asset, digest : str
        Kept as a tag once all of it is logged.
    made : Made
    metrics : mapping of name to number
        None is left out, or NaN where the run already has a number.
    tags : mapping of str to str
        Those of `MARKS` go to the model's version too.
    note : str
        Markdown that MLflow shows at the head of the run.
    files : mapping of path to bytes
    curves : DataFrame, optional
        LEARNING_CURVES, logged by epoch.
    model : ModelFiles, optional
        Registered under the study's name, with an alias of the month.
    of_study : frozenset of str
        Names of the metrics and tags that stand for the whole study: its parent run gets them and
        the note, at the step of the month.
    scored : (month, metrics), optional
        Month of the model that was scored out of sample, and the names of its metrics.
    datasets : mapping of context to Partition
        What a metric was measured on: `training` or `evaluation`; others are lineage.
    """

    asset: str
    digest: str
    made: Made
    metrics: Numbers = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    curves: pd.DataFrame | None = None
    model: ModelFiles | None = None
    of_study: frozenset[str] = frozenset()
    scored: tuple[Month, frozenset[str]] | None = None
    datasets: Mapping[str, Partition] = field(default_factory=dict)


def logged_of_fit(artefact: Artefact | Partition, training_set: Partition, made: Made) -> Logged:
    """What MLflow keeps of a fit; of a warm-up month neither a model nor plots.

    Parameters
    ----------
    artefact
        Of the asset `model`.
    training_set : Partition
        `folds` of the month: it carries the marks of all that it was made from.
    made : Made
    """
    from safetensors.numpy import save

    from price_physics.model.figures import draw_calibration, draw_learning_curves

    documents = [canonical_json(artefact.document(n)) for n in ("architecture", "summary")]
    curves = artefact.table(LEARNING_CURVES.name)
    files = {
        "folds/manifest.json": canonical_json(artefact.document("fold_manifest")),
        "model/architecture.json": documents[0],
    }
    model, note = None, f"No model: {artefact.warm_up}."
    if weights := artefact.arrays("network"):
        network, month = save(weights), training_set.month
        images = artefact.document("architecture")["images"]
        model = ModelFiles(network, documents[0], images)
        fitted = artefact.document("architecture")["month"]
        note = f"Trained through {fitted}; it serves {month + 1}, which no label of it has seen."
        files["model/network.safetensors"] = network
        files["plots/learning_curves.png"] = draw_learning_curves(curves)
        files["plots/calibration.png"] = draw_calibration(artefact.table(OUT_OF_FOLD.name))
    return Logged(
        asset="model",
        digest=logged_digest(*documents),
        metrics=fit_metrics(artefact.document("summary")),
        tags=made.tags | _marks(training_set) | {"price_physics.warm_up": artefact.warm_up or ""},
        note=note,
        files=files,
        curves=curves,
        model=model,
        datasets={"training": training_set},
        made=made,
    )


def logged_of_report(
    files: Mapping[str, bytes],
    walked: Partition,
    made: Made,
    judged_on: Mapping[str, Partition],
) -> Logged:
    """What MLflow keeps of a report: its files, the verdict, its numbers, those of the ticks.

    Parameters
    ----------
    files : mapping of name to bytes
        Of the asset `report`.
    walked : Partition
        `walk_forward` of the month.
    made : Made
    judged_on : mapping of context to Partition
        The month's `ticks`, and what was predicted of it, as `evaluation`.
    """
    numbers = json.loads(files["report.json"])
    verdict, month = numbers["verdict"], numbers["months"][-1]
    outcomes = outcome_metrics(numbers)
    of_month = {f"month/{name}": month[name] for name in _OF_MONTH}
    of_month["month/direction_auc"] = month["direction_auc_within_month"]
    # a report of an earlier version says nothing of the ticks
    of_ticks = quality_metrics(numbers["quality"][-1]) if "quality" in numbers else {}
    entry = walked.document("look")["entry"]
    served = month["model_month"]
    return Logged(
        asset="report",
        digest=logged_digest(files["report.json"]),
        metrics=outcomes | of_month | of_ticks,
        tags={
            **made.tags,
            **_marks(walked),
            "verdict": verdict["verdict"],
            "price_physics.ledger_entry": entry or "",
        },
        note=report_note(numbers),
        files={f"report/{name}": content for name, content in files.items()},
        of_study=frozenset({*outcomes, "verdict"}),
        scored=(Month.parse(served), frozenset(of_month)) if served else None,
        datasets=judged_on,
        made=made,
    )


def logged_of_motifs(files: Mapping[str, bytes], made: Made) -> Logged:
    """What MLflow keeps of motifs: their words and pictures."""
    return Logged(
        asset="motifs",
        digest=logged_digest(files["motifs.md"]),
        files={f"motifs/{name}": content for name, content in files.items()},
        made=made,
    )


def logged_digest(*contents: bytes) -> str:
    """Identify what is logged by the files of it that hold its numbers."""
    return joined(hashlib.sha256(content).hexdigest() for content in contents)


def joined(sha256s: Iterable[str]) -> str:
    """One digest of several and of what is logged of them, short enough for a tag."""
    return " ".join([LAYOUT, *(sha256[:32] for sha256 in sha256s)])


def outcome_metrics(numbers: dict[str, Any]) -> dict[str, float | None]:
    """Pick from a report's numbers how the study did on all months out of sample."""
    head = numbers["headline"]
    found = {
        **verdict_metrics(numbers["verdict"]),
        **{name: head[name] for name in _OUTCOMES},
        "cost": head["costs_paid"],
        "direction_auc_pairs_within_months": head["direction_auc_pairs_within_months"],
        "cost_bps_a_round_trip": numbers["costs"]["round_trip_bps"],
    }
    return {f"out_of_sample/{name}": value for name, value in found.items()}


def report_note(numbers: dict[str, Any]) -> str:
    """The first page of a report in Markdown."""
    from price_physics.report.content import compose  # Dagster loads this module: keep it light

    page = compose(numbers)
    rows = [f"| {t.label} | {t.value} | {t.detail} |" for t in page.tiles]
    table = "\n".join(["| Out of sample | Value | |", "|---|---|---|", *rows])
    marks = [f"*{notice}*" for notice in page.notices]
    return "\n\n".join([f"**{page.verdict}**. {page.sentence}", *marks, page.subtitle, table])


def verdict_metrics(verdict: dict[str, Any]) -> dict[str, float | None]:
    """Pick the numbers of a report's verdict that MLflow plots by month."""
    of_contests = {
        f"{number}_{investor.replace(' ', '_')}": contest[number]
        for investor, contest in verdict["contests"].items()
        for number in ("p", "t", "won")
    }
    worth = verdict["worth"] or {}
    return {
        "p": verdict["p"],
        **of_contests,
        **{name: worth.get(name) for name in ("break_even_bps", "lower_bps", "upper_bps")},
        "sharpe_annual": verdict["description"]["sharpe_annual"],
        **{name: verdict[name] for name in ("n_days", "n_trades", "n_trials")},
    }


def quality_metrics(month: dict[str, Any]) -> dict[str, float | None]:
    """Pick what a report says of the ticks of its month, for MLflow to plot by month."""
    names = ("kept", "set_aside", "doubled", "missing_ids", "candles_absent", "silences")
    shares = ("sides_inferred_share", "completeness", "score")
    counted = {name: month[name] for name in (*names, *shares)}
    return {f"ticks/{n}": v for n, v in counted.items()} | {
        "ticks/missing_days": len(month["missing_days"])
    }


def environment(
    study: Study, market: Market, walk_forward: Mapping[Month, Partition]
) -> dict[str, Any]:
    """Describe what made the numbers of a report: seeds, versions, hashes, inputs.

    The report prints it, and no version of the report covers this function or the libraries that
    it lists. No number depends on either: seed, settings, code and inputs are in the report's
    version already, and a new list of libraries is no reason to judge a month again. A report
    that stays current names the libraries with which it was written.
    """
    months = walk_forward.values()
    return {
        "versions": {
            "python": platform.python_version(),
            "price_physics": version("price-physics"),
            **{name: version(name) for name in _PACKAGES},
        },
        "seed": study.seed,
        "config_hash": config_hash(study, market),
        "code_version": code_version("report", study),
        "synthetic": any(p.synthetic for p in months),
        **({"in_sample": True} if any(p.in_sample for p in months) else {}),
        "inputs": {p.name: p.data_version for _, p in sorted(walk_forward.items())},
    }


def fit_metrics(summary: dict[str, Any]) -> dict[str, float | None]:
    """The plain numbers of a model's summary, named by what they were measured on."""
    return {
        ("out_of_fold/" if name.startswith(_SCORES) else "training/") + name: value
        for name, value in numbers_in(summary).items()
    }


def numbers_in(summary: dict[str, Any]) -> dict[str, float | None]:
    """Keep the plain numbers of a summary, which MLflow can plot."""
    return {
        key: float(value)
        for key, value in summary.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _marks(read: Partition) -> dict[str, str]:
    """Tags that say how far to trust the numbers; a partition carries the marks of its inputs."""
    return {tag: str(getattr(read, name)).lower() for name, tag in MARKS.items()}
