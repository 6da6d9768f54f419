"""The audit bites: a leak planted in a stage is found, and the stage and column are named.

Every plant replaces what one asset calls, in this process; the audit then runs the real DAG up to
that asset on two months of the sample.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import filelock
import numpy as np
import pandas as pd
import pytest

from price_physics.audit.findings import Audit
from price_physics.audit.moments import parse_moment
from price_physics.bars.build import build_bars
from price_physics.bars.ticks import bars_of_ticks
from price_physics.errors import ConfigError, PartitionLocked
from price_physics.events.times import event_times
from price_physics.labels import build as labels_build
from price_physics.labels.atr import month_atr
from price_physics.labels.excursions import build_excursions
from price_physics.months import Month
from price_physics.orchestration.audit import result_path, run_audit
from price_physics.past import Past
from price_physics.pipeline.dag import STAGES
from price_physics.project import Project
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.bars import BARS
from price_physics.store.artefact import Artefact
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.ticks.month.clean import TickRule
from price_physics.weights.build import build_weights
from price_physics_tests.e2e.projects import make_project

pytestmark = pytest.mark.e2e

FIRST, LAST = Month(2012, 2), Month(2012, 3)
AMID = parse_moment("2012-02-17T16:25:04")
"""A bar closes, a dozen labels are open, and the price is about to rise."""
HALF_DAY_NS = 12 * 3600 * 10**9


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("audited"), str(FIRST), str(LAST))


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One month more: labels of a market's first month, at fallback barriers, are in no fold."""
    return make_project(tmp_path_factory.mktemp("longer"), str(FIRST - 1), str(LAST))


def audit(project: Project, *assets: str, moment: int = AMID) -> Audit:
    return run_audit(project, "demo", assets=assets, moments_ns=[moment], caps={})


def leaks_of(found: Audit) -> set[tuple[str, str, str]]:
    """(asset, member, column) of everything that leaked."""
    assert not found.passed
    assert found.text().count("FAILED") == 1
    return {(leak.asset, leak.member, leak.column) for leak in found.leaks}


# ---------------------------------------------------------------------------- nothing planted
def test_what_is_clean_passes(project: Project) -> None:
    """Up to the excursions, at the end of the first month and amid the second."""
    moments = [FIRST.end_ns, parse_moment("2012-03-15T03:25:24")]
    found = run_audit(project, "demo", assets=["excursions"], moments_ns=moments, caps={})
    assert found.passed, found.text()
    assert list(found.coverage) == ["ticks", "bars", "excursions"]
    for asset, coverage in found.coverage.items():
        assert all(coverage.rows.values()), asset
        assert coverage.months == 2
        assert coverage.felt == 2, f"{asset} did not notice the tampering"
    written = json.loads(result_path(project, "demo").read_text())
    assert written["passed"] is True
    assert written["coverage"]["bars"]["rows"] == found.coverage["bars"].rows
    assert not (project.data / "audit" / "demo").exists()
    assert not project.store.exists(), "the store is not touched"
    assert not project.ledger.exists(), "an audit is no trial"


# ---------------------------------------------------------------------------- ticks, bars
def test_sides_that_look_ahead(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def next_move(rule: TickRule, price: np.ndarray, sign: np.ndarray) -> np.ndarray:
        moves = np.sign(np.diff(price, append=price[-1])).astype(np.int8)
        return np.where(sign != 0, sign, np.where(moves != 0, moves, 1)).astype(np.int8)

    monkeypatch.setattr(TickRule, "__call__", next_move)
    found = audit(project, "ticks")
    assert leaks_of(found) == {("ticks", "ticks.parquet", "tick_sign")}
    assert found.leaks[0].known_at_ns is not None
    assert found.leaks[0].known_at_ns == AMID, "only the last tick could know"


def stamped(how: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable:
    return planted(build_bars, lambda frame, *_: how(frame))


def planted(build: Callable[..., Artefact], change: Callable[..., pd.DataFrame]) -> Callable:
    """A stage of one table whose rows are changed: of the frame, the study, the month, the past."""

    def leaking(study: Study, market: Market, month: Month, past: Past) -> Artefact:
        artefact = build(study, market, month, past)
        ((schema, frame),) = artefact.tables
        return replace(artefact, tables=((schema, change(frame, study, month, past)),))

    return leaking


def test_a_bar_stamped_with_its_first_tick(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = stamped(lambda bars: bars.assign(known_at=bars["open_time_ns"]))
    monkeypatch.setattr("price_physics.bars.build.build_bars", early)
    moment = _amid_a_bar(project)
    found = leaks_of(audit(project, "bars", moment=moment))
    assert {(asset, member) for asset, member, _ in found} == {("bars", "bars.parquet")}
    assert {"close", "n_ticks", "close_time_ns"} & {column for _, _, column in found}


def _amid_a_bar(project: Project) -> int:
    """The first tick of the bar that takes longest."""
    from price_physics.audit.tampering import read_dumps
    from price_physics.study.reading import load_configs

    markets, studies = load_configs(project.configs)
    (dump,) = read_dumps(markets["bitstamp_usd"], project.root, FIRST, FIRST)
    good = dump[dump["price"].notna()]
    ticks = {FIRST: [good.assign(tick_sign=np.int8(1))]}
    bars = bars_of_ticks(studies["demo"].bars, FIRST, ticks)
    longest = (bars["close_time_ns"] - bars["open_time_ns"]).idxmax()
    return int(bars["open_time_ns"][longest])


def test_a_bar_stamped_with_a_later_time(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed at the tick after its last."""

    def later(bars: pd.DataFrame) -> pd.DataFrame:
        following = bars["open_time_ns"].shift(-1, fill_value=bars["close_time_ns"].iloc[-1])
        return bars.assign(close_time_ns=following)

    monkeypatch.setattr("price_physics.bars.build.build_bars", stamped(later))
    found = audit(project, "bars")
    assert leaks_of(found) == {("bars", "bars.parquet", "close_time_ns")}
    assert found.leaks[0].n_rows == 1, "only the last bar before t could know"


# ---------------------------------------------------------------------------- features
def test_a_centred_window(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def centred(frame: pd.DataFrame, study: Study, month: Month, past: Past) -> pd.DataFrame:
        bars = past.table(BARS)[month]
        time, close = (bars[c].to_numpy() for c in ("close_time_ns", "close"))
        event = frame["event_time_ns"].to_numpy()
        after, before = (
            np.clip(np.searchsorted(time, event + shift, side="right") - 1, 0, None)
            for shift in (HALF_DAY_NS, -HALF_DAY_NS)
        )
        return frame.assign(trailing_return=np.log(close[after] / close[before]))

    build = planted(build_regime_features, centred)
    monkeypatch.setattr("price_physics.regimes.build.build_regime_features", build)
    found = audit(project, "regime_features")
    assert leaks_of(found) == {
        ("regime_features", "regime_features.parquet", "trailing_return"),
    }
    assert AMID - HALF_DAY_NS < int(found.leaks[0].row.split()[1]) <= AMID


def test_scaling_over_the_whole_month(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def scaled(frame: pd.DataFrame, *_: object) -> pd.DataFrame:
        volatility = frame["trailing_volatility"]
        return frame.assign(trailing_volatility=volatility / volatility.mean())

    build = planted(build_regime_features, scaled)
    monkeypatch.setattr("price_physics.regimes.build.build_regime_features", build)
    found = audit(project, "regime_features")
    assert leaks_of(found) == {
        ("regime_features", "regime_features.parquet", "trailing_volatility"),
    }
    assert {leak.month for leak in found.leaks} == {str(FIRST)}


# ---------------------------------------------------------------------------- labels
def test_an_excursion_known_at_the_touch(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured over the whole horizon, counted from the touch on."""

    def early(frame: pd.DataFrame, study: Study, *_: object) -> pd.DataFrame:
        policy = study.barrier_policy
        touched = (frame["favourable_atr"] >= policy.fallback_take_profit) | (
            frame["adverse_atr"] >= policy.fallback_stop_loss
        )
        half = frame["event_time_ns"] + study.labels.longest_horizon_ns // 2
        return frame.assign(known_at=np.where(touched, half, frame["known_at"]))

    build = planted(build_excursions, early)
    monkeypatch.setattr("price_physics.labels.excursions.build_excursions", build)
    found = leaks_of(audit(project, "excursions"))
    assert {(asset, member) for asset, member, _ in found} == {("excursions", "excursions.parquet")}
    assert {"favourable_atr", "adverse_atr"} & {column for _, _, column in found}


def test_a_policy_from_its_own_month(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events of m stand between the barriers of m, not of m-1."""
    reads = {**STAGES["labels"].reads, "barrier_policy": (-1, 0)}
    monkeypatch.setitem(STAGES, "labels", replace(STAGES["labels"], reads=reads))
    build_labels = labels_build.build_labels

    def own(study: Study, market: Market, month: Month, past: Past) -> Artefact:
        read = {asset: past.of(asset) for asset in reads}
        policies = read["barrier_policy"]
        read["barrier_policy"] = {m - 1: policies[m] for m in policies}
        return build_labels(study, market, month, Past(read))

    monkeypatch.setattr("price_physics.labels.build.build_labels", own)
    found = audit(project, "labels")
    leaked = leaks_of(found)
    assert ("labels", "labels.parquet", "take_profit_multiple") in leaked
    assert {asset for asset, _, _ in leaked} == {"labels"}, "the policy itself is innocent"


def test_weights_that_are_used_before_their_month_is_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label's uniqueness depends on the labels that start while it lives."""

    early = planted(build_weights, lambda frame, *_: frame.assign(known_at=frame["event_time_ns"]))
    monkeypatch.setattr("price_physics.weights.build.build_weights", early)
    found = leaks_of(audit(project, "weights"))
    assert ("weights", "weights.parquet", "average_uniqueness") in found


# ---------------------------------------------------------------------------- folds
def test_a_fold_without_purge(longer: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is known by the end of the month: only the intervals show it."""
    monkeypatch.setattr("price_physics.folds.roles.purge", _no_purge)
    found = audit(longer, "folds")
    assert leaks_of(found) == {("folds", "roles.parquet", "role")}
    assert found.leaks[0].t_ns is None
    kinds = {leak.tampered.partition(" label")[0] for leak in found.leaks}
    assert {"leading edge of test", "trailing edge of test"} <= kinds


def _no_purge(start: np.ndarray, *_: object, **__: object) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(len(start), np.bool_), np.zeros(len(start), np.bool_)


def test_a_training_set_without_a_cut(longer: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels by the month of their event: the last horizon's reach into the month that tests."""

    def by_event(study: Study, month: Month, bars: Mapping[Month, pd.DataFrame]) -> tuple:
        frame = bars[month]
        atr = month_atr(bars, month, study.labels.atr_period_bars)
        position = np.searchsorted(frame["close_time_ns"], event_times(frame, study.events))
        position = position[atr[position] > 0]
        time_ns = frame["close_time_ns"].to_numpy()[position]
        return (
            time_ns,
            time_ns + study.labels.longest_horizon_ns,
            frame["close"].to_numpy()[position],
            atr[position],
        )

    monkeypatch.setattr(labels_build, "events_ending_in", by_event)
    leaked = leaks_of(audit(longer, "folds", moment=parse_moment("2012-03-15T03:25:24")))
    assert ("labels", "labels.parquet", "known_at") in leaked
    assert ("folds", "members.parquet", "label_end_ns") in leaked


# ---------------------------------------------------------------------------- what proves nothing
def test_tampering_that_changes_nothing_is_a_gap(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("price_physics.audit.tampering.tamper", lambda dumps, t_ns, seed: dumps)
    found = audit(project, "bars")
    assert not found.passed
    assert found.leaks == []
    assert "no tick changed through 2012-02: the tampering proves nothing" in found.gaps[0]
    assert "INCOMPLETE" in found.text()


def test_an_asset_of_which_nothing_was_compared_is_a_gap(project: Project) -> None:
    """Amid the first month there is no policy yet."""
    found = audit(project, "barrier_policy")
    assert not found.passed
    assert "nothing of" in found.gaps[0]
    assert "barrier_policy was compared" in found.gaps[0]


# ---------------------------------------------------------------------------- refusals
@pytest.mark.parametrize("moment", [FIRST.start_ns - 1, LAST.end_ns])
def test_a_moment_outside_is_refused(project: Project, moment: int) -> None:
    with pytest.raises(ConfigError, match=r"is not inside the months .*2012-02"):
        audit(project, "bars", moment=moment)


def test_an_unknown_asset_is_refused(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"no asset \['lables'\]; choose among \['ticks'"):
        audit(project, "lables")


def test_two_audits_at_once_are_refused(project: Project) -> None:
    lock = project.data / "locks" / "audit-demo.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(lock), pytest.raises(PartitionLocked, match="another audit of demo"):
        audit(project, "bars")


def test_what_is_costly_is_capped(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Study] = []

    def build(study: Study, market: Market, month: Month, past: Past) -> Artefact:
        from price_physics.study.reading import load_configs

        _, studies = load_configs(project.data / "audit" / "demo" / "base" / "configs")
        seen.append(studies["demo"])
        return build_bars(study, market, month, past)

    monkeypatch.setattr("price_physics.bars.build.build_bars", build)
    caps = {"model.max_epochs": 1, "model.steps_per_epoch": 5, "model.width": 1000}
    found = run_audit(project, "demo", assets=["bars"], moments_ns=[AMID], caps=caps)
    assert found.overrides == {"model.max_epochs": (2, 1), "model.steps_per_epoch": (None, 5)}
    assert (seen[0].model.max_epochs, seen[0].model.steps_per_epoch) == (1, 5)
    assert "model.max_epochs 2 -> 1" in found.text()
