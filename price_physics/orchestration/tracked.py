"""What MLflow logs of a fit and of a report, taken from their artefacts."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from price_physics.months import Month
from price_physics.orchestration.registry import ModelFiles
from price_physics.pipeline.versions import code_version
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.store.artefact import Artefact, canonical_json
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.study.trial import config_hash

_PACKAGES = ("numpy", "pandas", "pyarrow", "numba", "scipy", "scikit-learn", "torch", "dagster")


TRACKED = {"model": ("architecture.json", "summary.json"), "report": ("report.json",)}
"""Assets that MLflow keeps runs of, and the files that identify what was logged."""


def logged_digest(*contents: bytes) -> str:
    """Identify what is logged by the files of it that hold its numbers."""
    return joined(hashlib.sha256(content).hexdigest() for content in contents)


def joined(sha256s: Iterable[str]) -> str:
    """One digest of several, short enough for a tag."""
    return " ".join(sha256[:32] for sha256 in sha256s)


def logged_of_fit(artefact: Artefact | Partition) -> dict[str, Any]:
    """What MLflow logs of a fit; of a warm-up month neither a model nor plots."""
    from safetensors.numpy import save

    from price_physics.model.figures import draw_calibration, draw_learning_curves

    architecture = artefact.document("architecture")
    curves = artefact.table(LEARNING_CURVES.name)
    files = {
        "folds/manifest.json": canonical_json(artefact.document("fold_manifest")),
        "model/architecture.json": canonical_json(architecture),
    }
    model = None
    if weights := artefact.arrays("network"):
        network = save(weights)
        model = ModelFiles(network, canonical_json(architecture), architecture["images"])
        files["model/network.safetensors"] = network
        files["plots/learning_curves.png"] = draw_learning_curves(curves)
        files["plots/calibration.png"] = draw_calibration(artefact.table(OUT_OF_FOLD.name))
    metrics = numbers_in(artefact.document("summary"))
    return {"metrics": metrics, "curves": curves, "files": files, "model": model}


def logged_of_report(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What MLflow logs of a report: its files, the verdict's word, its numbers, the ticks'."""
    numbers = json.loads(files["report.json"])
    verdict = numbers["verdict"]
    # a report of an earlier version says nothing of the ticks
    of_ticks = quality_metrics(numbers["quality"][-1]) if "quality" in numbers else {}
    return {
        "tags": {"verdict": verdict["verdict"]},
        "metrics": verdict_metrics(verdict) | of_ticks,
        "files": {f"report/{name}": content for name, content in files.items()},
    }


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


def numbers_in(summary: dict[str, Any]) -> dict[str, float | None]:
    """Keep the plain numbers of a summary, which MLflow can plot."""
    return {
        key: float(value)
        for key, value in summary.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
