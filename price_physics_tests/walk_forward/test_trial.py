"""Looking at a study: what is written down, and what an in-sample policy is worth."""

from dataclasses import replace

import pytest

from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.study.trial import config_hash
from price_physics.walk_forward.decision import DECLARED_LEVEL, MONTHLY_LEVEL
from price_physics.walk_forward.ledger import read_entries
from price_physics.walk_forward.look import Look, declared_in_time, lost_looks, other_trials
from price_physics.walk_forward.trial import judge_months
from price_physics.walk_forward.verdict import NO_VERDICT, Description
from price_physics_tests.report import cases


def look(ledger, name="a", in_sample=False, generated=False, declared=None, market="m", **changes):
    """Look at every month in turn, as the walk-forward does, then judge as the report does."""
    given = cases.arguments(**changes)
    study = given["study"]
    rule = study.walk_forward.model_copy(update={"judged_in": declared})
    study = study.model_copy(update={"walk_forward": rule})
    looks = {}
    for month, walk in given["walk_forward"].items():
        who = Look(
            ledger=ledger,
            trial=f"{name}{declared}",
            settings=f"settings of {name}",
            study=f"study {name}",
            market=market,
            declared=str(declared) if declared else None,
            ticks=f"ticks of {month}",
            generated=generated,
        )
        served = walk.warm_up is None
        looks[month] = who.write_down(month, walk.daily, served=served, in_sample=in_sample)
    late = declared is not None and not declared_in_time(ledger, looks, str(declared))
    verdict = judge_months(
        given["walk_forward"],
        given["predictions"],
        study,
        given["month"],
        other_trials(ledger, market, looks),
        in_sample,
        late,
    )
    return verdict, read_entries(ledger), looks


def test_every_month_out_of_sample_is_written_down_with_its_blocks(tmp_path):
    verdict, entries, looks = look(tmp_path)
    assert [e["month"] for e in entries] == ["2012-03", "2012-04", "2012-05"]
    assert [bool(document["entry"]) for document in looks.values()] == [False] * 2 + [True] * 3
    daily = cases.arguments()["walk_forward"][Month(2012, 3)].daily
    by_block = {}
    for row in daily.itertuples():
        block = str(row.day_ns // (5 * cases.DAY))
        by_block[block] = by_block.get(block, 0.0) + row.net_return
    assert entries[0]["block_sums"] == pytest.approx(by_block)
    assert entries[0]["sum_of_squares"] == pytest.approx((daily["net_return"] ** 2).sum())
    assert sum(e["n_days"] for e in entries) == verdict.n_days


def test_days_without_data_are_none(tmp_path):
    """They are neither judged nor written down: the result is the same without their rows."""
    given = cases.arguments()
    walks, gone = dict(given["walk_forward"]), slice(5, 9)
    month = Month(2012, 4)
    daily, equity = (getattr(walks[month], name).copy() for name in ("daily", "equity"))
    at = daily.index[gone]
    daily.loc[at, ["net_return", "gross_return", "market_return", "cost", "turnover"]] = 0.0
    daily.loc[at, "covered"] = False
    equity["price"] = walks[month].equity["price"].where(daily["covered"]).ffill()
    book = walks[month].book[daily["covered"].to_numpy()].reset_index(drop=True)
    seen = replace(walks[month], daily=daily, equity=equity, book=book)
    without = replace(seen, daily=daily[daily["covered"]].reset_index(drop=True))

    def judged(walk):
        return judge_months(walks | {month: walk}, {}, given["study"], given["month"])

    assert judged(seen) == judged(without)
    assert judged(seen).n_days == judged(walks[month]).n_days - 4 == 88
    who = Look(tmp_path, "a", "s", "a", "m", None, "ticks", False)
    for walk in (seen, without):
        who.write_down(month, walk.daily, served=True, in_sample=False)
    (entry,) = read_entries(tmp_path)
    assert entry["n_days"] == 26


def test_a_month_without_a_model_after_one_that_had_one_counts(tmp_path):
    _, _, looks = look(tmp_path)
    who = Look(tmp_path, "aNone", "settings of a", "study a", "m", None, "ticks", False)
    daily = cases.warm_up_walk(Month(2012, 6)).daily
    assert who.write_down(Month(2012, 6), daily, served=False, in_sample=False)["entry"]
    early = who.write_down(Month(2012, 2), daily, served=False, in_sample=False)
    assert early["entry"] is None
    assert len(looks) == 5


def test_no_verdict_is_drawn_from_an_in_sample_policy(tmp_path):
    verdict, entries, _ = look(tmp_path, in_sample=True)
    assert verdict.verdict == NO_VERDICT == "no verdict"
    assert "in-sample policy" in verdict.sentence
    assert verdict.n_days > 80
    assert verdict.n_trades > 0
    assert verdict.description == Description()
    assert (verdict.p, verdict.worth, verdict.contests, verdict.conditions) == (None, None, {}, ())
    assert [e["in_sample"] for e in entries] == [True] * 3
    assert not any("block_sums" in e for e in entries)


def test_it_was_a_look_all_the_same_and_no_evidence(tmp_path):
    """The next honest study has one more trial to beat, whose results are unknown."""
    alone, _, _ = look(tmp_path / "alone")
    look(tmp_path / "both", "b", in_sample=True)
    after, entries, _ = look(tmp_path / "both")
    assert (alone.n_trials, after.n_trials) == (1, 2)
    assert after.description.sharpe_daily == alone.description.sharpe_daily
    assert after.description.deflated_sharpe is not None
    assert all(after.contests[name].p > alone.contests[name].p for name in alone.contests)
    assert after.verdict in {"edge", "no edge", "underpowered"}
    assert [e["in_sample"] for e in entries].count(True) == 3


def test_a_renamed_market_changes_nothing(tmp_path):
    look(tmp_path, "b", market="other name")
    verdict, _, _ = look(tmp_path)
    assert verdict.n_trials == 2
    again, entries, _ = look(tmp_path, market="third name")
    assert (again.n_trials, len(entries)) == (2, 9), "the same trial under another name"


def test_nothing_is_written_down_of_generated_ticks(tmp_path):
    verdict, entries, _ = look(tmp_path, in_sample=True, generated=True)
    assert (verdict.verdict, entries) == (NO_VERDICT, [])


def test_a_warm_up_has_no_verdict_either(tmp_path):
    verdict, entries, _ = look(tmp_path, in_sample=True, n_months=0)
    assert (verdict.verdict, verdict.n_days, entries) == (NO_VERDICT, 0, [])


def test_a_deleted_ledger_is_noticed_and_the_remedy_named(tmp_path):
    _, _, looks = look(tmp_path)
    assert lost_looks(tmp_path, looks) == []
    for path in tmp_path.iterdir():
        path.unlink()
    assert lost_looks(tmp_path, looks) == Month.span(Month(2012, 3), Month(2012, 5))
    with pytest.raises(
        StoreError, match=r"lacks what was looked at in 2012-03.*price-physics ledger import"
    ):
        other_trials(tmp_path, "m", looks)
    look(tmp_path)
    assert lost_looks(tmp_path, looks) == []


def test_whoever_looks_first_and_declares_afterwards_has_not_declared(tmp_path):
    may = Month(2012, 5)
    verdict, _, _ = look(tmp_path / "first", declared=may)
    assert verdict.level == DECLARED_LEVEL
    again, _, _ = look(tmp_path / "first", declared=may)
    assert again.level == DECLARED_LEVEL
    look(tmp_path / "first")  # looking every month as well takes nothing back
    assert look(tmp_path / "first", declared=may)[0].level == DECLARED_LEVEL

    look(tmp_path / "late")
    late, _, _ = look(tmp_path / "late", declared=may)
    assert late.level == MONTHLY_LEVEL
    assert "had been looked at before it declared" in late.sentence


def test_an_in_sample_policy_is_another_configuration():
    given = cases.arguments()
    study, market = given["study"], given["market"]
    honest = config_hash(study, market)
    policy = study.barrier_policy.model_copy(update={"in_sample": True})
    assert config_hash(study.model_copy(update={"barrier_policy": policy}), market) != honest
    assert given["month"] == Month(2012, 5)
