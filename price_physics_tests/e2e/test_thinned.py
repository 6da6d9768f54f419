"""A study whose training is thinned, and whose model serves on, through the whole DAG."""

from pathlib import Path

from price_physics.months import Month
from price_physics.orchestration.backfill import run_backfill
from price_physics.pipeline.freshness import stale_assets
from price_physics.study.reading import load_configs
from price_physics_tests.e2e.projects import SMALL, make_project, partitions_of

THINNED = {
    "folds.window_months": 1,
    "folds.max_training_events": 200,
    "model.max_evaluated_events": 100,
    "model.refit_every_months": 3,
}


def test_a_thinned_study_runs_and_says_when_its_model_was_trained(tmp_path: Path) -> None:
    project = make_project(tmp_path, "2012-01", "2012-03", {**SMALL, **THINNED})
    run_backfill(project, "demo")
    partitions = partitions_of(project)
    fitted, carried = (partitions["model", month] for month in ("2012-02", "2012-03"))
    assert partitions["model", "2012-01"].warm_up is not None, "labels at fallback barriers"
    assert carried.document("summary")["carried_through"] == "2012-03"
    for model in (fitted, carried):
        assert model.document("architecture")["month"] == "2012-02"
        out_of_fold = model.table("out_of_fold")
        assert len(out_of_fold) == 100
        assert (out_of_fold["stands_for"] > 1).all()
        n_events = out_of_fold["stands_for"].sum()
        assert abs(n_events - fitted.document("fold_manifest")["n_members"]) < 1e-6
    members = partitions["folds", "2012-03"].document("manifest")
    assert members["months"] == ["2012-03", "2012-03"]
    served = partitions["predictions", "2012-03"].document("provenance")
    assert served["model_month"] == "2012-02"
    markets, studies = load_configs(project.configs)
    stale = stale_assets(project, markets["bitstamp_usd"], studies["demo"], Month(2012, 3))
    assert stale == []
