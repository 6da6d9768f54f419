"""Motifs of a month, end to end on a small market."""

import numpy as np
import pytest

from price_physics.model.predict import TrainedModel
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.motifs import MOTIF_MEMBERS, MOTIFS
from price_physics_tests.motifs import cases

PNG = b"\x89PNG\r\n"


def draw_nothing(patch):
    """For what pictures have no say in: they take half a second each."""
    patch.setattr("price_physics.motifs.plots.motif_png", lambda *_: b"")
    patch.setattr("price_physics.motifs.plots.overview_png", lambda *_: b"")


@pytest.fixture(scope="module")
def result():
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        return cases.motifs_of(**cases.arguments())


@pytest.fixture(scope="module")
def drawn():
    return cases.motifs_of(**cases.arguments())


@pytest.fixture
def no_plots(monkeypatch):
    draw_nothing(monkeypatch)


def test_tables_conform_and_belong_together(result):
    assert MOTIFS.to_arrow(result.motifs).num_rows == len(result.motifs) > 2
    assert MOTIF_MEMBERS.to_arrow(result.members).num_rows == result.motifs["n_events"].sum()
    assert result.warm_up is None
    counted = result.members["motif"].value_counts()
    for row in result.motifs.itertuples():
        assert counted[row.motif] == row.n_events
        assert (result.members["event_time_ns"] == row.prototype_event_ns).sum() == 1
    assert result.members["event_time_ns"].is_unique
    assert (result.motifs["known_at"] == cases.MONTH.end_ns).all()


def test_names_sides_and_sizes(result):
    motifs = result.motifs
    assert list(motifs["motif"].str.split("-").str[0].unique()) == ["long", "short"]
    assert (
        motifs["side"] == motifs["motif"].str.startswith("long").map({True: 1, False: -1})
    ).all()
    for side in (1, -1):
        sizes = motifs.loc[motifs["side"] == side, "n_events"]
        assert sizes.is_monotonic_decreasing
        assert sizes.sum() <= 40
        assert 1 <= len(sizes) <= 2


def test_numbers_against_a_plain_loop(result):
    scored = cases.scored(cases.arguments()).set_index("event_time_ns")
    for row in result.motifs.itertuples():
        members = result.members[result.members["motif"] == row.motif]
        events = scored.loc[members["event_time_ns"]]
        p = events["p_up"] if row.side > 0 else events["p_down"]
        assert row.mean_probability == pytest.approx(p.mean())
        assert row.hit_rate == pytest.approx((events["label"] == row.side).mean())
        assert row.base_rate == pytest.approx((scored["label"] == row.side).mean())
        assert row.mean_outcome_bps == pytest.approx((row.side * events["outcome_bps"]).mean())
        nearest = members.loc[members["distance"].idxmin(), "event_time_ns"]
        assert row.prototype_event_ns == nearest


def test_descriptions_differ_and_are_listed(result):
    assert result.motifs["description"].is_unique
    for row in result.motifs.itertuples():
        assert row.description[1:] in result.markdown
        assert f"## {row.motif}\n" in result.markdown
    assert result.markdown.count("28 to 41 %") == 1
    scored = cases.scored(cases.arguments())
    low, high = (scored["p_up"] - scored["p_down"]).quantile([0.1, 0.9])
    assert f"differs by {100 * (high - low):.2f} percentage points" in result.markdown


@pytest.mark.slow
def test_a_picture_of_each_and_an_overview(drawn):
    names = {f"{m}.png" for m in drawn.motifs["motif"]} | {"overview.png"}
    assert set(drawn.plots) == names
    assert all(content.startswith(PNG) for content in drawn.plots.values())


@pytest.mark.slow
def test_same_inputs_same_bytes(drawn):
    again = cases.motifs_of(**cases.arguments())
    assert again.plots == drawn.plots
    assert again.markdown == drawn.markdown
    assert again.motifs.equals(drawn.motifs)
    assert again.members.equals(drawn.members)


@pytest.mark.usefixtures("no_plots")
def test_only_events_of_the_month_before_are_asked_about_again(monkeypatch):
    """The labels' own model predicted the rest; who never had a prediction has no motif."""
    asked, logits = [], TrainedModel.logits

    def record(self, series, ends, features):
        asked.append(len(ends))
        return logits(self, series, ends, features)

    given = cases.arguments()
    before = cases.MONTH - 1
    monkeypatch.setattr(TrainedModel, "logits", record)
    members = cases.motifs_of(**given).members["event_time_ns"]
    assert asked == [cases.N_CARRIED]
    assert (members < cases.MONTH.start_ns).any()
    odds = given["probabilities"][before].assign(by_network=False)
    given["probabilities"] = {**given["probabilities"], before: odds}
    members = cases.motifs_of(**given).members["event_time_ns"]
    assert asked == [cases.N_CARRIED, 0]
    assert (members >= cases.MONTH.start_ns).all()


def test_sides_are_those_the_model_leans_to(result):
    scored = cases.scored(cases.arguments()).set_index("event_time_ns")
    leaning = scored["p_up"] - scored["p_down"]
    side = result.members["motif"].str.startswith("long").map({True: 1, False: -1})
    beyond = leaning[result.members["event_time_ns"]].to_numpy() - leaning.median()
    assert (np.sign(beyond) == side).all()


@pytest.mark.usefixtures("no_plots")
def test_events_without_a_window_are_not_explained():
    given = cases.arguments()
    cut = given["windows"][cases.MONTH].iloc[50:]
    given["windows"] = {**given["windows"], cases.MONTH: cut}
    some = cases.motifs_of(**given)
    allowed = {*cut["event_time_ns"], *given["windows"][cases.MONTH - 1]["event_time_ns"]}
    assert set(some.members["event_time_ns"]) <= allowed


@pytest.mark.usefixtures("no_plots")
def test_the_binary_head_tells_take_profit_from_everything_else():
    given = cases.arguments("binary_take_profit")
    scored = cases.scored(given).set_index("event_time_ns")
    found = cases.motifs_of(**given)
    MOTIFS.to_arrow(found.motifs)
    for row in found.motifs.itertuples():
        names = found.members["motif"] == row.motif
        events = scored.loc[found.members.loc[names, "event_time_ns"]]
        is_up = events["label"] == 1
        want = is_up if row.side > 0 else ~is_up
        p = events["p_up"] if row.side > 0 else 1 - events["p_up"]
        assert row.hit_rate == pytest.approx(want.mean())
        assert row.mean_probability == pytest.approx(p.mean())
        assert row.motif.rpartition("-")[0] == ("take-profit" if row.side > 0 else "other")
        # An outcome is the trade's, on the label's side: no class of this head turns it round.
        assert row.mean_outcome_bps == pytest.approx(events["outcome_bps"].mean())
    assert {-1, 1} == set(found.motifs["side"])
    assert "long" not in found.markdown
    assert "short" not in found.markdown
    assert "mean probability of the class" in found.markdown


@pytest.mark.usefixtures("no_plots")
def test_a_short_that_works_is_a_take_profit_that_earned():
    """Meta-labelled: every event is a short, every take-profit earned 30 basis points."""
    given = cases.arguments("binary_take_profit")
    rule = {"horizon_minutes": 480, "side": "reversal"}
    study = given["study"]
    given["study"] = study.model_validate({**study.model_dump(), "labels": rule})
    labels = given["labels"][cases.MONTH]
    outcome = np.where(labels["label"] == 1, 1.0, -1 / 3)
    given["labels"] = {cases.MONTH: labels.assign(outcome_atr=outcome)}
    found = cases.motifs_of(**given).motifs
    for row in found.itertuples():
        works = row.hit_rate if row.side > 0 else 1 - row.hit_rate
        assert row.mean_outcome_bps == pytest.approx(40 * works - 10)


@pytest.mark.usefixtures("no_plots")
def test_what_is_synthetic_or_in_sample_says_so():
    given = cases.arguments()
    synthetic, in_sample = "Synthetic data", "In-sample policy"
    plain = cases.motifs_of(**given).markdown
    assert synthetic not in plain
    assert in_sample not in plain
    marked = cases.motifs_of(**given, marks={"synthetic", "in_sample"})
    assert [line for line in marked.markdown.split("\n") if line][1:3] == [
        "Synthetic data: this market was generated by a program.",
        "In-sample policy: the barriers of every month were chosen from that month's own outcomes.",
    ]
    assert marked.motifs.equals(cases.motifs_of(**given).motifs)
    warming_up = cases.motifs_of(**{**given, "model": None}, marks={"in_sample"}).markdown
    assert in_sample in warming_up
    assert "No motifs: no model served this month." in warming_up


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": None}, "no model served this month"),
        (
            {"labels": {cases.MONTH: LABELS.empty()}},
            "0 labelled events with a picture, 16 are needed",
        ),
        ({"windows": {}}, "0 labelled events"),
        ({"windows": {cases.MONTH: IMAGE_WINDOWS.empty()}}, "0 labelled events"),
    ],
)
def test_warm_up_is_a_table_of_nothing_with_a_reason(change, reason):
    found = cases.motifs_of(**{**cases.arguments(), **change})
    assert reason in found.warm_up
    assert reason in found.markdown
    assert found.plots == {}
    assert MOTIFS.to_arrow(found.motifs).num_rows == 0
    assert MOTIF_MEMBERS.to_arrow(found.members).num_rows == 0


def test_a_model_that_tells_nothing_apart_has_no_motifs():
    given = cases.arguments()
    weights, architecture = given["model"]
    given["model"] = {**weights, "0.output.weight": 0 * weights["0.output.weight"]}, architecture
    p = cases.scored(given)[["p_up", "p_flat", "p_down"]].iloc[0]
    said = given["probabilities"]
    given["probabilities"] = {m: frame.assign(**p) for m, frame in said.items()}
    assert "told no event from any other" in cases.motifs_of(**given).warm_up
