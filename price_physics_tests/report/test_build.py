"""The report: one set of numbers in three formats, alone on its page, honest when empty."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from price_physics.cli import print_verdict
from price_physics.orchestration.tracked import quality_metrics, verdict_metrics
from price_physics.report.build import build_report, write_report
from price_physics.report.content import compose
from price_physics.report.evidence import Evidence
from price_physics.report.plots import MOST_SPANS, outline
from price_physics.report.verdict_section import meaning
from price_physics.schemas.labels import LABELS
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, POSITIONS, SCORED, TRADES
from price_physics.walk_forward.ledger import trials_version
from price_physics_tests.past import past_of
from price_physics_tests.report import cases

PNG = b"\x89PNG\r\n"
PLOTS = {"equity.png", "values.png", "reliability.png", "confusion.png"}
CASES = {
    "underpowered": {},
    "edge": {"word": "edge", "synthetic": True},
    "no edge": {"word": "no edge", "binary": True},
    "warm-up": {"n_months": 0},
}


class Report(NamedTuple):
    """One report in three formats."""

    html: str
    markdown: str
    numbers: dict
    plots: dict


def report_of(**given):
    files = write_report(Evidence(**given))
    texts = [files.pop(f"report.{suffix}").decode() for suffix in ("html", "md", "json")]
    return Report(*texts[:2], json.loads(texts[2]), files)


def without_pictures(given):
    """Build with plots of one byte, for tests that do not look at pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("price_physics.report.build.draw", lambda *_: dict.fromkeys(PLOTS, b"0"))
        return report_of(**given)


class Page(HTMLParser):
    """Collect text and attributes of a page; check that its elements are balanced."""

    VOID = frozenset({"meta", "img", "source", "br"})

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.open, self.hidden = [], [], [], False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data.strip())


@pytest.fixture(scope="module")
def real():
    return report_of(**cases.arguments())


@pytest.fixture(scope="module")
def plain():
    return without_pictures(cases.arguments())


@pytest.fixture(params=CASES)
def quick(request):
    return without_pictures(cases.arguments(**CASES[request.param]))


def cells(document):
    """Every figure and word of the report, as it is to be read."""
    tables = [document.conditions, *(t for s in document.sections for t in s.tables)]
    yield from (cell for t in tables for row in t.rows for cell in row)
    yield from (text for tile in document.tiles for text in (tile.label, tile.value, tile.detail))
    yield from (document.sentence, *document.notices, *document.meaning)
    yield from (text for s in document.sections for text in s.text)


def test_html_and_markdown_show_the_same_and_it_follows_from_the_json(quick):
    document = compose(json.loads(json.dumps(quick.numbers, allow_nan=False)))
    shown = " ".join(Page(quick.html).text)
    plain = quick.markdown.replace("\\|", "|")
    n_cells = 0
    for text in cells(document):
        assert text in shown
        assert text in plain
        n_cells += 1
    assert n_cells > 100


def test_the_page_is_alone(quick):
    page = Page(quick.html)
    assert page.open == []
    assert "http://" not in quick.html
    assert "https://" not in quick.html
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "srcset", "href"):
            if name in attributes:
                assert attributes[name].startswith("data:image/png;base64,")
        if tag == "img":
            assert len(attributes["alt"]) > 20
    assert not re.search(r"url\(|@import", quick.html)


def test_settings_are_escaped(quick):
    assert "&lt;b&gt;made up&lt;/b&gt;" in quick.html
    assert "<b>" not in quick.html


@pytest.mark.slow
def test_same_inputs_same_bytes_and_plots_are_png(real):
    again = report_of(**cases.arguments())
    assert again == real
    assert set(real.plots) == PLOTS
    assert all(content.startswith(PNG) for content in real.plots.values())
    assert all(b"Software" not in content[:2000] for content in real.plots.values())


SEEN = {"trial": "own", "settings": "s", "entry": None}


def past(given, marks=(), looks=None):
    """What `build_report` reads."""
    schemas = (TRADES, POSITIONS, BOOK, EQUITY, DAILY, SCORED)
    walks = given["walk_forward"]
    return past_of(
        {
            **{s: {m: getattr(walk, s.name) for m, walk in walks.items()} for s in schemas},
            PREDICTIONS: given["predictions"],
            LABELS: given["labels"],
        },
        {
            ("labels", "counts"): given["label_counts"],
            ("predictions", "provenance"): given["provenance"],
            ("ticks", "quality"): given["quality"],
            ("walk_forward", "look"): looks or {m: SEEN | {"ticks": str(m)} for m in walks},
        },
        warm_up={"walk_forward": {m: walk.warm_up for m, walk in walks.items()}},
        marks={"walk_forward": {given["month"]: set(marks)}},
    )


@pytest.mark.parametrize("marks", [(), ("synthetic",), ("in_sample",)])
def test_the_stage_judges_and_reports(tmp_path, monkeypatch, marks):
    given = cases.arguments()
    monkeypatch.setattr("price_physics.report.build.draw", lambda *_: dict.fromkeys(PLOTS, b"0"))
    of = [given[name] for name in ("study", "market", "month")]
    environment = {"seed": 7}
    found = build_report(*of, past(given, marks), ledger=tmp_path, environment=environment)
    assert set(found.files) == {"report.html", "report.md", "report.json", *PLOTS}
    numbers = json.loads(found.files["report.json"])
    verdict = numbers["verdict"]
    assert found.highlights == {"verdict": f"**{verdict['verdict']}**: {verdict['sentence']}"}
    assert (verdict["verdict"] == "no verdict") is ("in_sample" in marks)
    assert verdict["n_days"] == numbers["headline"]["n_days"] == 92
    assert numbers["environment"] == environment
    ticks = {m: str(m) for m in given["walk_forward"]}
    trials = trials_version(tmp_path, given["market"].name, ticks)
    assert (found.inputs, found.warm_up) == ({"ledger": trials}, None)
    assert list(tmp_path.iterdir()) == [], "a report writes nothing down"


def test_where_nothing_was_traded_it_is_not_said_that_days_are_missing():
    numbers = {
        "headline": {"n_months": 3, "n_days": 92, "net_return": 0.0},
        "verdict": {"verdict": "underpowered", "n_trades": 0},
        "costs": {"turnover": 0.0},
    }
    first, second = meaning(numbers)
    assert "nothing was traded, for the reason above" in first
    assert "days are too few" not in first + second


@pytest.mark.parametrize(("place", "in_sentence"), [(0, False), (2, True), (4, True)])
def test_a_verdict_over_months_with_known_holes_says_so(tmp_path, monkeypatch, place, in_sentence):
    """Months that only warm up are named in the notice alone."""
    given = cases.arguments(n_warm_up=2, n_months=3)
    month = sorted(given["quality"])[place]
    given["quality"][month] = cases.quality(month, completeness=0.5)
    monkeypatch.setattr("price_physics.report.build.draw", lambda *_: dict.fromkeys(PLOTS, b"0"))
    of = [given[name] for name in ("study", "market", "month")]
    found = build_report(*of, past(given), ledger=tmp_path, environment={"seed": 7})
    holes = f"Known holes in the ticks of {month} (completeness 0.50)."
    sentence = json.loads(found.files["report.json"])["verdict"]["sentence"]
    assert sentence.endswith(holes) is in_sentence
    assert (holes in found.highlights["verdict"]) is in_sentence
    assert holes in found.files["report.html"].decode()


@pytest.mark.slow
def test_both_themes_are_embedded(real):
    sources = [a for tag, a in Page(real.html).tags if tag == "source"]
    images = [a for tag, a in Page(real.html).tags if tag == "img"]
    assert len(sources) == len(images) == len(PLOTS)
    for dark, light in zip(sources, images, strict=True):
        assert "dark" in dark["media"]
        assert dark["srcset"] != light["src"]


def test_the_headline_is_what_it_says(plain):
    head = plain.numbers["headline"]
    assert (head["first_month"], head["last_month"], head["n_months"]) == ("2012-03", "2012-05", 3)
    assert f"{100 * head['net_return']:.1f}\N{NO-BREAK SPACE}%" in plain.markdown
    assert "## Verdict: underpowered" in plain.markdown
    assert "about 812 at this Sharpe" in plain.markdown


def test_days_without_data_are_counted_and_named():
    given = cases.arguments()
    april = given["walk_forward"][given["month"] - 1]
    april.daily.loc[[2, 3, 20], "covered"] = False
    outage = {"start": "2012-04-21T00:00", "end": "2012-04-21T12:00", "reason": "repairs"}
    given["market"] = type(given["market"])(**given["market"].model_dump() | {"outages": [outage]})
    found = without_pictures(given)
    assert found.numbers["headline"]["n_days"] == 89
    assert "89 days, after 2 of warm-up; 3 without data left out" in found.markdown
    named = "Days without data, which do not count: 2012-04-03, 2012-04-04."
    assert named in found.markdown
    named = "Days without data in a known outage, which do not count: 2012-04-21."
    assert named in found.markdown
    assert "without data" not in without_pictures(cases.arguments()).markdown


def test_synthetic_data_are_called_synthetic():
    for synthetic in (True, False):
        found = without_pictures(cases.arguments(n_months=0, synthetic=synthetic))
        assert ("Synthetic data" in found.html) is synthetic
        assert ("Synthetic data" in found.markdown) is synthetic


def test_an_in_sample_policy_is_named_and_has_no_verdict():
    for in_sample in (True, False):
        given = cases.arguments(word="no verdict" if in_sample else "edge")
        given["environment"] = given["environment"] | ({"in_sample": True} if in_sample else {})
        found = without_pictures(given)
        assert ("In-sample policy: the barriers" in found.html) is in_sample
        assert ("In-sample policy: the barriers" in found.markdown) is in_sample
        assert ("## Verdict: no verdict" in found.markdown) is in_sample
        assert ('class="card verdict no-verdict"' in found.html) is in_sample
        assert ("chosen with those days in view" in found.markdown) is in_sample
        assert found.numbers["in_sample"] is in_sample


def test_the_study_alone_says_in_sample_too():
    given = cases.arguments(n_months=0)
    policy = given["study"].barrier_policy.model_copy(update={"in_sample": True})
    given["study"] = given["study"].model_copy(update={"barrier_policy": policy})
    assert "In-sample policy: the barriers" in without_pictures(given).html


@pytest.mark.parametrize(
    ("labels", "counts", "shown"),
    [
        ({}, {}, None),
        (
            {"path": "bars", "both_touched": "drop"},
            {"undecidable": 7, "both_touched": 7},
            "| A bar touched both sides and cannot decide: dropped | 14 |",
        ),
        (
            {"path": "bars", "both_touched": "stop_loss_first"},
            {"undecidable": 7},
            "| A bar touched both sides and cannot decide: a stop-loss | 14 |",
        ),
        ({"side": "trend"}, {"no_side": 3}, "| Events without a label, no side | 6 |"),
        (
            {},
            {"horizon_over_28_days": 2},
            "| Events without a label, a horizon of over 28 days | 4 |",
        ),
        (
            {},
            {"bars_merged": 9},
            "| Bars that closed at the same moment as another, one event with it | 18 |",
        ),
    ],
)
def test_what_the_labels_are_of(labels, counts, shown):
    given = cases.arguments(n_warm_up=2, n_months=0)
    config = given["study"].labels.model_copy(update=labels)
    given["study"] = given["study"].model_copy(update={"labels": config})
    own = {k: n for k, n in counts.items() if k in ("undecidable", "bars_merged")}
    dropped = {k: n for k, n in counts.items() if k not in own}
    month = {"bars_merged": 0, "dropped": {"horizon_over_28_days": 0} | dropped} | own
    given["label_counts"] = dict.fromkeys(given["label_counts"], month)
    given["labels"] = {
        m: pd.DataFrame({"label": np.array([1, 1, 0, -1], np.int8)}) for m in given["labels"]
    }
    found = without_pictures(given)
    assert ("## Labels" in found.markdown) is (shown is not None)
    if shown:
        assert shown in found.markdown
        assert "| Labels | 8 |" in found.markdown
        assert "| Take-profit first | 4 |" in found.markdown
        assert "| Stop-loss first | 2 |" in found.markdown
        assert "both_touched" not in found.markdown.split("## Labels")[1].split("##")[0]
    assert found.numbers["labels"]["n_labels"] == 8


def test_the_quality_of_the_ticks_is_shown_by_month():
    found = without_pictures(cases.arguments(n_warm_up=2, n_months=3))
    section = found.markdown.split("## Quality of the ticks")[1].split("##")[0]
    row = "12,345 | 12 | 34 | 0 | 0 | 56 | 25.0\N{NO-BREAK SPACE}% | 78 | 1.5 | 0.995 | 0.871 |"
    assert section.count(row) == 5
    assert "Known holes" not in found.html
    assert [m["month"] for m in found.numbers["quality"]] == [
        "2012-01", "2012-02", "2012-03", "2012-04", "2012-05",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"completeness": 0.9}, None),
        ({"completeness": 0.899}, "2012-02 (completeness 0.90)."),
        (
            {"completeness": 0.7, "missing_days": ["2012-02-01", "2012-02-09"]},
            "2012-02 (completeness 0.70, 2 days missing).",
        ),
        ({"completeness": None, "score": None, "ticks": 0}, "2012-02 (no tick at all)."),
    ],
)
def test_a_month_with_known_holes_is_named_above_the_verdict(changes, shown):
    given = cases.arguments()
    month = sorted(given["quality"])[1]
    given["quality"][month] = cases.quality(month, **changes)
    found = without_pictures(given)
    for text in (found.html, found.markdown):
        head = text.split("Quality of the ticks")[0]
        assert (f"Known holes in the ticks of {shown}" in head) is (shown is not None)


def test_candles_that_are_absent_have_a_column_of_their_own():
    given = cases.arguments()
    changes = {"missing_ids": None, "missing_ids_share": None, "candles_absent": 77}
    given["quality"] = {m: cases.quality(m, **changes) for m in given["quality"]}
    section = without_pictures(given).markdown.split("## Quality of the ticks")[1].split("##")[0]
    assert "| Candles absent |" in section
    assert section.count("| 0 | 0 | 77 | 25.0") == 5


def test_warm_up_says_so_and_invents_nothing():
    found = report_of(**cases.arguments(n_months=0))
    assert "Nothing out of sample yet" in found.html
    assert "Nothing out of sample yet" in found.markdown
    assert "Warm-up in 2012-01, 2012-02: 132 samples, 300 are needed." in found.markdown
    assert found.numbers["headline"]["net_return"] is None
    assert found.numbers["reliability"] is None
    assert all(content.startswith(PNG) for content in found.plots.values())
    assert 'class="muted"' in found.html


def test_every_verdict_has_its_tone_and_meaning():
    tones = {}
    for word in ("edge", "no edge", "underpowered"):
        html = without_pictures(cases.arguments(word=word)).html
        tones[word] = re.search(r'class="card verdict ([a-z-]+)"', html)[1]
        meaning = html.split("What this means</h2>")[1].split("</p>")[0]
        assert meaning.count(". ") == 1
    assert tones == {"edge": "edge", "no edge": "no-edge", "underpowered": "underpowered"}


def test_the_first_section_says_the_rule_with_its_numbers(plain):
    text = plain.markdown
    assert "| p against its average | 0.3333 | 0.0050 | no | luck against average |" in text
    assert "The largest of the three p decides." in text
    assert (
        "| Largest p of three | 0.3333 | against its average; an edge needs at most 0.005 |" in text
    )
    assert "| Break-even cost | 61.2 bps | 48.1 to 74.3; a round trip costs 50.0 |" in text
    won = "| Always its average position | 0.3333 | 1.200 | +6.22\N{NO-BREAK SPACE}% | 0.310 |"
    assert won in text
    assert "| Break-even cost of a round trip, bps | +61.2 |" in text
    assert "Descriptions, none of which decides" in text
    assert plain.numbers["verdict"]["contests"]["so far"]["p"] == 0.0011
    assert plain.numbers["verdict"]["worth"]["break_even_bps"] == 61.2


def test_a_month_that_is_not_the_declared_one_says_so():
    given = cases.arguments(word="not judged yet")
    given["verdict"] = replace(given["verdict"], level=None, conditions=())
    found = without_pictures(given)
    assert 'class="card verdict not-judged-yet"' in found.html
    assert "which says nothing yet: one month was declared, and this is another." in found.markdown
    assert "p against its average" not in found.markdown.split("## Headline")[0]


def test_mlflow_plots_the_numbers_of_the_verdict(plain):
    metrics = verdict_metrics(plain.numbers["verdict"])
    assert (metrics["p"], metrics["p_so_far"], metrics["t_cash"]) == (0.3333, 0.0011, 2.1)
    assert (metrics["won_average"], metrics["break_even_bps"]) == (0.0622, 61.2)
    assert (metrics["n_trials"], metrics["sharpe_annual"]) == (1, 1.7195)
    empty = verdict_metrics(without_pictures(cases.arguments(n_months=0)).numbers["verdict"])
    assert (empty["p"], empty["break_even_bps"], empty["n_days"]) == (None, None, 0)


def test_mlflow_plots_the_quality_of_the_ticks(real):
    metrics = quality_metrics(real.numbers["quality"][-1])
    assert (metrics["ticks/kept"], metrics["ticks/set_aside"], metrics["ticks/doubled"]) == (
        12_345,
        12,
        34,
    )
    assert (metrics["ticks/completeness"], metrics["ticks/missing_days"]) == (0.995, 0)
    assert metrics["ticks/candles_absent"] is None


@pytest.mark.parametrize("place", [0, 2])
def test_the_end_of_a_backfill_names_known_holes_once(tmp_path, capsys, place):
    given = cases.arguments(n_warm_up=2, n_months=3)
    month = sorted(given["quality"])[place]
    given["quality"][month] = cases.quality(month, completeness=0.5)
    holes = f"Known holes in the ticks of {month} (completeness 0.50)."
    if place:  # of a month that traded the verdict says so itself
        sentence = f"{given['verdict'].sentence} {holes}"
        given["verdict"] = replace(given["verdict"], sentence=sentence)
    numbers = tmp_path / "report.json"
    numbers.write_text(json.dumps(without_pictures(given).numbers), encoding="utf-8")
    print_verdict(numbers, tmp_path / "report.html")
    assert capsys.readouterr().out.count(holes) == 1


def test_a_filled_track_record_is_not_asked_for_again():
    given = cases.arguments()
    short = replace(given["verdict"].description, minimum_track_record_days=50.0)
    given["verdict"] = replace(given["verdict"], description=short)
    assert "about 50 at this Sharpe" not in without_pictures(given).html


def test_a_long_curve_is_drawn_by_its_outline():
    rng = np.random.default_rng(3)
    time = np.sort(rng.integers(0, 10**15, 100_000))
    level = np.exp(np.cumsum(rng.normal(0, 1e-3, len(time))))
    shown = outline(time, level)
    assert len(shown) <= 4 * MOST_SPANS
    assert (shown[0], shown[-1]) == (0, len(time) - 1)
    assert {int(level.argmin()), int(level.argmax())} <= set(shown.tolist())
    # Nowhere is the drawn line further from the curve than the curve moves within a span.
    spans = np.array_split(level, MOST_SPANS // 2)
    most = max(float(np.ptp(part)) for part in spans)
    drawn = np.interp(time, time[shown], level[shown])
    assert np.abs(drawn - level).max() < most
