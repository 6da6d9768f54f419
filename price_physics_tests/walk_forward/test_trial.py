"""Looking at a study: what is written down, and what an in-sample policy is worth."""

from price_physics.months import Month
from price_physics.study.trial import config_hash
from price_physics.walk_forward.ledger import read_trials
from price_physics.walk_forward.trial import judge_months, write_down
from price_physics.walk_forward.verdict import NO_VERDICT, Description
from price_physics_tests.report import cases


def look(ledger, in_sample=False, synthetic=False, fee_bps=7.0, **changes):
    given = cases.arguments(**changes)
    study = given["study"]
    rule = study.walk_forward.model_copy(update={"fee_bps": fee_bps})
    policy = study.barrier_policy.model_copy(update={"in_sample": in_sample})
    study = study.model_copy(update={"walk_forward": rule, "barrier_policy": policy})
    month, market = given["month"], given["market"]
    of = {"ledger": ledger, "study": study, "market": market, "month": month}
    months = given["walk_forward"]
    others = [] if synthetic else write_down(months, in_sample=in_sample, **of)
    verdict = judge_months(months, given["predictions"], study, month, others, in_sample)
    return verdict, read_trials(ledger, market.name, month)


def test_no_verdict_is_drawn_from_an_in_sample_policy(tmp_path):
    verdict, trials = look(tmp_path, in_sample=True)
    assert verdict.verdict == NO_VERDICT == "no verdict"
    assert "in-sample policy" in verdict.sentence
    assert verdict.n_days > 80
    assert verdict.n_trades > 0
    assert verdict.description == Description()
    assert (verdict.p, verdict.worth, verdict.contests, verdict.conditions) == (None, None, {}, ())
    assert [(t["sharpe_daily"], t["in_sample"]) for t in trials] == [(None, True)]


def test_it_was_a_look_all_the_same_and_no_evidence(tmp_path):
    """The next honest study has one more trial to beat, a lucky stranger."""
    alone, first = look(tmp_path / "alone")
    look(tmp_path / "both", in_sample=True)
    after, trials = look(tmp_path / "both")
    assert (alone.n_trials, after.n_trials) == (1, 2)
    assert after.description.sharpe_daily == alone.description.sharpe_daily
    assert after.description.deflated_sharpe is not None
    assert all(after.contests[name].p > alone.contests[name].p for name in alone.contests)
    assert after.verdict in {"edge", "no edge", "underpowered"}
    assert [t.get("in_sample", False) for t in trials].count(True) == 1
    assert "in_sample" not in first[0]


def test_nothing_is_written_down_of_a_synthetic_market(tmp_path):
    verdict, trials = look(tmp_path, in_sample=True, synthetic=True)
    assert (verdict.verdict, trials) == (NO_VERDICT, [])


def test_a_warm_up_has_no_verdict_either(tmp_path):
    verdict, trials = look(tmp_path, in_sample=True, n_months=0)
    assert (verdict.verdict, verdict.n_days, trials) == (NO_VERDICT, 0, [])


def test_an_in_sample_policy_is_another_configuration():
    given = cases.arguments()
    study, market = given["study"], given["market"]
    honest = config_hash(study, market)
    policy = study.barrier_policy.model_copy(update={"in_sample": True})
    assert config_hash(study.model_copy(update={"barrier_policy": policy}), market) != honest
    assert given["month"] == Month(2012, 5)
