"""Several studies on one market, side by side: policies, an in-sample one, and meta-labelling.

The real DAG on three months of the sample: of the first the policies are made, the second trains,
the third is predicted and traded.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from PIL import Image

from price_physics.audit.moments import parse_moment
from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.orchestration.audit import materialise, run_audit
from price_physics.orchestration.build import build_definitions
from price_physics.pipeline.dag import STAGES, months_read, reads_of
from price_physics.pipeline.freshness import stale_assets
from price_physics.pipeline.versions import settings_hash
from price_physics.project import Project
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.reading import load_configs, load_study
from price_physics.study.study import Study
from price_physics.walk_forward.ledger import read_entries
from price_physics_tests.e2e.projects import SMALL, make_project, partitions_of

pytestmark = pytest.mark.e2e

EARLIEST, FIRST, LAST = Month(2012, 1), Month(2012, 2), Month(2012, 3)
AMID = parse_moment("2012-02-17T16:25:04")
TINY = {
    **SMALL,
    "model.max_epochs": 1,
    "model.steps_per_epoch": 8,
    "images.windows_bars": [16],
    "images.size_pixels": 8,
    "walk_forward.min_confidence": 0.0,
    "walk_forward.fee_bps": 0.0,
    "walk_forward.slippage_bps": 0.0,
    "walk_forward.sizing": "fixed",
}
EXAMPLES = Path(__file__).parents[2] / "configs" / "examples" / "studies"
QUANTILES = {"q55_45": (0.55, 0.45), "q60_40": (0.60, 0.40), "q65_35": (0.65, 0.35)}
Done = dict[str, list[tuple[str, Month]]]
BAR_SIDES = {
    "bars": {"kind": "time", "interval_minutes": 120},
    "labels": {
        "horizon_minutes": 1440,
        "path": "bars",
        "both_touched": "drop",
        "side": "trend",
    },
}


def add_study(project: Project, name: str, edits: Mapping[str, Any]) -> None:
    """The small demo with some settings edited, and sections replaced, under another name."""
    studies = project.configs / "studies"
    study = yaml.safe_load((studies / "demo.yaml").read_text())
    for key, value in edits.items():
        section, _, setting = key.partition(".")
        study[section] = {**study[section], setting: value} if setting else value
    (studies / f"{name}.yaml").write_text(yaml.safe_dump(study))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Nothing has run; studies of every kind lie beside the demo."""
    found = make_project(tmp_path_factory.mktemp("studies"), str(EARLIEST), str(LAST), TINY)
    for name, (take_profit, stop_loss) in QUANTILES.items():
        quantiles = {"take_profit_quantile": take_profit, "stop_loss_quantile": stop_loss}
        add_study(found, name, {f"barrier_policy.{key}": q for key, q in quantiles.items()})
    add_study(found, "in_sample", {"barrier_policy.in_sample": True})
    add_study(found, "meta", {**BAR_SIDES, "model.head": "binary_take_profit"})
    return found


def run(project: Project, name: str) -> list[tuple[str, Month]]:
    """Materialise what is stale of a study, and of its last month what serves it."""
    market, study = _find(project, name)
    written: list[tuple[str, Month]] = []
    later = {"report"} | ({"motifs"} if name == "in_sample" else set())
    unused = {m: {"report", "motifs"} for m in (EARLIEST, FIRST)}
    unused |= {LAST: {"weights", "folds", "model", "motifs"} - later}
    for month in (EARLIEST, FIRST, LAST):
        stale = [a for a in stale_assets(project, market, study, month) if a not in unused[month]]
        materialise(project, name, [month], stale, lambda p: written.append((p.key[1], p.month)))
    return written


def _find(project: Project, name: str) -> tuple[Market, Study]:
    markets, studies = load_configs(project.configs)
    return markets[studies[name].market], studies[name]


def dot() -> bytes:
    """A picture of one pixel."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def done(project: Project) -> Done:
    """What was materialised of every study, one after the other."""
    names = ("equity.png", "values.png", "reliability.png", "confusion.png")
    with pytest.MonkeyPatch.context() as patch:  # pictures have no say in any of this
        patch.setattr("price_physics.report.build.draw", lambda *_: dict.fromkeys(names, dot()))
        return {name: run(project, name) for name in (*QUANTILES, "in_sample", "meta")}


def partitions(project: Project, name: str) -> dict[tuple[str, str], Partition]:
    return partitions_of(project, name)


def months(found: Mapping[tuple[str, str], Partition], asset: str, table: str) -> pd.DataFrame:
    return pd.concat([found[asset, str(m)].table(table) for m in (FIRST, LAST)])


def trials(project: Project) -> list[dict[str, Any]]:
    return [e for e in read_entries(project.ledger) if e["month"] == str(LAST)]


# ---------------------------------------------------------------------------- three policies
def test_three_policies_share_their_ticks_and_are_three_trials(
    project: Project, done: Done
) -> None:
    built = [[month for asset, month in done[name] if asset == "ticks"] for name in QUANTILES]
    assert built == [[EARLIEST, FIRST, LAST], [], []], "the second and the third find them there"
    ticks = {
        partitions(project, name)["bars", str(LAST)].manifest["inputs"][
            f"bitstamp_usd/ticks/{LAST}"
        ]
        for name in QUANTILES
    }
    assert len(ticks) == 1
    looked_at = {t["study"]: t for t in trials(project) if t["study"] in QUANTILES}
    assert set(looked_at) == set(QUANTILES)
    assert all(t["block_sums"] for t in looked_at.values())
    reports = project.outputs
    counts = [
        json.loads((reports / name / "reports" / f"{LAST}.json").read_text())["verdict"]["n_trials"]
        for name in QUANTILES
    ]
    assert counts == [1, 2, 3], "every one looked at counts for the next"


def test_three_policies_differ_in_their_barriers_alone(project: Project, done: Done) -> None:
    tables = {name: partitions(project, name) for name in QUANTILES}
    served = [months(t, "barrier_policy", "barrier_policy") for t in tables.values()]
    take_profits = [frame["take_profit_multiple"].to_numpy() for frame in served]
    stop_losses = [frame["stop_loss_multiple"].to_numpy() for frame in served]
    assert (take_profits[0] < take_profits[1]).all()
    assert (take_profits[1] < take_profits[2]).all()
    assert (stop_losses[0] > stop_losses[2]).all()
    for asset in ("bars", "regime_features", "excursions", "images"):
        versions = {t[asset, str(m)].data_version for t in tables.values() for m in (LAST,)}
        assert len(versions) == 1, asset


def test_the_templates_are_three_policies_on_one_market() -> None:
    names = {"q55_45": "btcusdt_q55_45", "q60_40": "btcusdt", "q65_35": "btcusdt_q65_35"}
    dumps = {
        name: load_study(EXAMPLES / f"{file}.yaml").model_dump() for name, file in names.items()
    }
    for name, quantiles in QUANTILES.items():
        policy = dumps[name]["barrier_policy"]
        found = policy.pop("take_profit_quantile"), policy.pop("stop_loss_quantile")
        assert found == quantiles
        assert dumps[name].pop("name") == names[name]
        assert dumps[name].pop("description")
    assert dumps["q55_45"] == dumps["q60_40"] == dumps["q65_35"]


# ---------------------------------------------------------------------------- in-sample policy
def test_the_edges_of_an_in_sample_study_reach_its_own_month_and_no_later(project: Project) -> None:
    _, studies = load_configs(project.configs)
    for asset, stage in STAGES.items():
        refits = {"model"} if asset == "model" else set()  # every month, so none serves on
        own = {name: window for name, window in stage.reads.items() if name not in refits}
        assert reads_of(asset, studies["demo"]) == own
        found = reads_of(asset, studies["in_sample"])
        changed = {name for name, window in found.items() if window != stage.reads[name]}
        assert changed == ({"barrier_policy"} if asset in ("labels", "probabilities") else set())
        assert all(last <= 0 for _, last in found.values())
        assert all(months_read(w, LAST, FIRST)[-1:] <= [LAST] for w in found.values())
    definitions = build_definitions(project)
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    for study, window in {"demo": "m-2 to m-1", "in_sample": "m-1 to m"}.items():
        text = specs[f"{study}/labels"].description or ""
        assert f"barrier_policy of {window}." in text


def test_an_in_sample_policy_marks_everything_downstream(project: Project, done: Done) -> None:
    before = {"ticks", "bars", "regime_features", "excursions", "images"}
    found = partitions(project, "in_sample")
    assert {asset for asset, _ in found} == set(STAGES)
    for (asset, month), partition in found.items():
        assert partition.in_sample == (asset not in before), (asset, month)
    assert not any(p.in_sample for p in partitions(project, "q60_40").values())
    stale = stale_assets(project, *_find(project, "in_sample"), LAST)
    assert "report" in stale, "another study was looked at since: one trial more"
    assert set(stale) == {"weights", "folds", "model", "report"}, "but for what was not asked for"


def test_its_labels_and_trades_stand_between_the_barriers_of_their_own_month(
    project: Project, done: Done
) -> None:
    found = partitions(project, "in_sample")
    labels = months(found, "labels", "labels")
    predictions = months(found, "predictions", "predictions")
    assert len(predictions) > 50
    assert (labels["event_time_ns"] < LAST.start_ns).any()
    for frame in (labels, predictions):
        own = [str(Month.of(t)) for t in frame["event_time_ns"]]
        for month in set(own):
            (policy,) = found["barrier_policy", month].table("barrier_policy").to_dict("records")
            of_month = frame[[m == month for m in own]]
            for column in ("take_profit_multiple", "stop_loss_multiple"):
                assert (of_month[column] == policy[column]).all()


def test_no_verdict_is_drawn_and_the_look_is_written_down(project: Project, done: Done) -> None:
    reports = project.outputs / "in_sample" / "reports"
    numbers = json.loads((reports / f"{LAST}.json").read_text())
    assert numbers["verdict"]["verdict"] == "no verdict"
    assert numbers["verdict"]["n_trades"] > 0
    assert numbers["in_sample"] is True
    for suffix in ("html", "md"):
        text = (reports / f"{LAST}.{suffix}").read_text()
        assert "No verdict: in-sample policy" in text
        assert "In-sample policy: the barriers of every month" in text
    (look,) = (t for t in trials(project) if t["study"] == "in_sample")
    assert ("block_sums" in look, look["in_sample"]) == (False, True)


@pytest.mark.parametrize("moment", [AMID, FIRST.end_ns])
def test_the_audit_finds_the_in_sample_policy(project: Project, moment: int) -> None:
    """Amid a month the arrow that it bends leaks; at its end nothing does but what is marked."""
    found = run_audit(project, "in_sample", assets=["labels"], moments_ns=[moment], caps={})
    assert not found.passed
    assert found.gaps == [], "the first month's policy is over at either"
    marked = [leak for leak in found.leaks if leak.t_ns is None]
    assert [(leak.asset, leak.month, leak.reason) for leak in marked] == [
        (asset, str(month), "in-sample policy")
        for asset in ("barrier_policy", "labels")
        for month in (EARLIEST, FIRST, *([LAST] if moment == FIRST.end_ns else []))
    ]
    assert "FAILED: barrier_policy knows the future (manifest.json, in_sample)" in found.text()
    felt = {(leak.asset, leak.column) for leak in found.leaks if leak.t_ns is not None}
    assert (("labels", "take_profit_multiple") in felt) == (moment == AMID)
    assert {asset for asset, _ in felt} <= {"labels"}, "policy and excursions are innocent"


# ---------------------------------------------------------------------------- meta-labelling
def test_a_primary_model_s_side_is_all_that_is_traded(project: Project, done: Done) -> None:
    found = partitions(project, "meta")
    asset = "regime_features"
    features = pd.concat([found[asset, str(m)].table(asset) for m in (EARLIEST, FIRST, LAST)])
    features = features.set_index("event_time_ns")
    labels = months(found, "labels", "labels")
    trend = features["trailing_return"]
    assert (labels["side"] * trend[labels["event_time_ns"]].to_numpy() > 0).all()
    assert set(labels["side"]) == {-1, 1}
    predictions = months(found, "predictions", "predictions")
    traded = predictions[predictions["side"] != 0]
    assert (traded["side"] * trend[traded["event_time_ns"]].to_numpy() > 0).all()
    is_long = predictions["expected_value_long_bps"].notna()
    assert (is_long == (trend[predictions["event_time_ns"]].to_numpy() > 0)).all()
    assert (is_long != predictions["expected_value_short_bps"].notna()).all()
    out_of_fold = found["model", str(FIRST)].table("out_of_fold")
    side_of = labels.set_index("event_time_ns")["side"]
    assert (out_of_fold["side"].to_numpy() == side_of[out_of_fold["event_time_ns"]]).all()
    trades = months(found, "walk_forward", "trades")
    side = traded.set_index("event_time_ns")["side"]
    assert (trades["side"].to_numpy() == side[trades["event_time_ns"]].to_numpy()).all()


def test_what_bars_cannot_decide_is_counted_down_to_the_report(
    project: Project, done: Done
) -> None:
    found = partitions(project, "meta")
    counts = [found["labels", str(m)].document("counts") for m in (EARLIEST, FIRST, LAST)]
    n_undecidable = sum(c["undecidable"] for c in counts)
    assert n_undecidable == sum(c["dropped"]["both_touched"] for c in counts)
    reports = project.outputs / "meta" / "reports"
    numbers = json.loads((reports / f"{LAST}.json").read_text())["labels"]
    assert (numbers["n_undecidable"], numbers["path"]) == (n_undecidable, "bars")
    text = (reports / f"{LAST}.md").read_text()
    assert f"| A bar touched both sides and cannot decide: dropped | {n_undecidable} |" in text


@pytest.mark.parametrize("moment", [AMID, FIRST.end_ns])
def test_labels_by_bars_and_sides_pass_the_audit(project: Project, moment: int) -> None:
    found = run_audit(project, "meta", assets=["weights"], moments_ns=[moment], caps={})
    assert found.leaks == [], found.text()
    assert found.coverage["labels"].rows["labels"] > 50


def test_a_side_with_a_head_that_asks_again_is_refused(project: Project, tmp_path: Path) -> None:
    lost = Project(tmp_path)
    (tmp_path / "configs" / "studies").mkdir(parents=True)
    demo = project.configs / "studies" / "demo.yaml"
    (lost.configs / "studies" / "demo.yaml").write_text(demo.read_text())
    add_study(lost, "meta", BAR_SIDES)
    with pytest.raises(ConfigError, match=r"labels\.side trend .* binary_take_profit"):
        load_study(lost.configs / "studies" / "meta.yaml")


def test_a_change_of_side_reaches_the_policy(project: Project) -> None:
    """Its excursions stay the same bytes: only its own settings say that it is stale."""
    market, study = _find(project, "meta")
    labels = study.labels.model_copy(update={"side": "reversal"})
    other = study.model_copy(update={"labels": labels})
    changed = {
        asset
        for asset in STAGES
        if settings_hash(asset, study, market) != settings_hash(asset, other, market)
    }
    assert {"barrier_policy", "labels", "probabilities"} <= changed
    assert not {"ticks", "bars", "regime_features", "images"} & changed
