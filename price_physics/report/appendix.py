"""Write the back of the report, all it takes to repeat it: models, folds, settings, versions."""

from typing import Any

from price_physics.report.document import Section, Table
from price_physics.report.format import count, minute, plain

Numbers = dict[str, Any]
_CALIBRATION = {
    "n_training": "n training",
    "epochs": "epochs",
    "temperature": "temperature",
    "bias": "bias",
    "log_loss": "log loss",
    "log_loss_of_base_rates": "log loss of base rates",
    "log_loss_of_driftless": "log loss of driftless odds",
    "skill_over_driftless": "log loss saved over them",
    "skill_over_driftless_low": "at least",
    "skill_over_driftless_high": "at most",
    "calibration_error_equal_count": "calibration error, bins of equal count",
    "calibration_floor_equal_count": "its floor",
    "direction_auc_mean_of_folds": "direction AUC, mean of folds",
}
"""Numbers of a model's summary, and their column heads."""


def appendix_sections(numbers: Numbers) -> list[Section]:
    """Return the sections on calibration, folds, parameters and provenance."""
    return [_models(numbers), _folds(numbers), _parameters(numbers), _provenance(numbers)]


def _models(numbers: Numbers) -> Section:
    """List the models, one row each: quality of their out-of-fold predictions, and calibration."""
    models = [m for m in numbers["models"] if m["warm_up"] is None and m["summary"]]
    keys = [key for key in _CALIBRATION if any(key in m["summary"] for m in models)]
    rows = [
        [m["month"], plain(m["model_month"]), *(plain(m["summary"].get(key), 4) for key in keys)]
        for m in models
    ]
    note = (
        "Out of fold, inside the training months. Probabilities are softmax(logits / temperature "
        "+ bias + log of the driftless odds); those judged here were calibrated on the other folds."
    )
    columns = ["Serves", "Trained through", *(_CALIBRATION[key] for key in keys)]
    return Section(
        "Models and calibration",
        text=[] if rows else ["No model has served a month yet."],
        tables=[Table(columns, rows, note=note, words=frozenset({"Serves", "Trained through"}))]
        if rows
        else [],
    )


def _folds(numbers: Numbers) -> Section:
    tables = [_fold_table(m) for m in numbers["models"] if m["folds"].get("folds")]
    return Section(
        "Fold manifest",
        text=[] if tables else ["No training set was large enough to be folded yet."],
        tables=tables,
        folded=bool(tables),
    )


def _fold_table(model: Numbers) -> Table:
    manifest = model["folds"]
    roles = list(dict.fromkeys(role for f in manifest["folds"] for role in f["counts"]))
    rows = [
        [
            str(f["fold"]),
            minute(f["test_start_ns"]),
            minute(f["test_end_ns"]),
            *(count(f["counts"].get(role, 0)) for role in roles),
        ]
        for f in manifest["folds"]
    ]
    months = " to ".join(str(m) for m in manifest["months"])
    embargo = plain(manifest["embargo_ns"] / 60e9)
    return Table(
        columns=["Fold", "Test from", "Test to", *(r.replace("_", " ") for r in roles)],
        rows=rows,
        title=f"For {model['month']}: {count(manifest['n_members'])} samples of {months}",
        note=f"Embargo {embargo} minutes. Excluded: {plain(manifest['excluded'])}. "
        f"sha256 of the roles {manifest['sha256']}.",
        words=frozenset({"Test from", "Test to"}),
    )


def _parameters(numbers: Numbers) -> Section:
    return Section(
        "Parameters",
        tables=[
            _settings("Study", numbers["parameters"]),
            _settings("Market", numbers["market_parameters"]),
        ],
        folded=True,
    )


def _provenance(numbers: Numbers) -> Section:
    environment = numbers["environment"]
    simple = {k: v for k, v in environment.items() if not isinstance(v, dict)}
    tables = [_settings("This report", simple)]
    tables += [
        _settings(key.replace("_", " ").capitalize(), value)
        for key, value in environment.items()
        if isinstance(value, dict) and value
    ]
    seeds = [
        [m["month"], *(plain(v) for v in m["training"].values())]
        for m in numbers["models"]
        if m["warm_up"] is None and any(v is not None for v in m["training"].values())
    ]
    if seeds:
        names = [k.replace("_", " ").capitalize() for k in numbers["models"][0]["training"]]
        tables.append(
            Table(
                ["Serves", *names],
                seeds,
                title="Training runs",
                words=frozenset({"Serves", "Device", "Device name", "Torch"}),
            )
        )
    return Section("Seeds, versions and inputs", tables=tables, folded=True)


def _settings(title: str, settings: Numbers) -> Table:
    rows = [[key, plain(value)] for key, value in settings.items()]
    return Table(
        ["Setting", "Value"],
        rows,
        title=title,
        words=frozenset({"Setting"}),
        prose=frozenset({"Value"}),
    )
