"""The page of the network on real candles: what it counts as missed, and whose months it shows."""

import numpy as np
import pytest
import yaml

from price_physics.months import Month
from price_physics.schemas.walk_forward import SCORED
from price_physics.study.reading import load_configs
from price_physics_tests.benchmarks import real_network
from price_physics_tests.benchmarks.real_network import (
    N_FIRST,
    by_month,
    main,
    make_project,
    page,
)

REPORT = {
    "verdict": {"verdict": "underpowered", "n_trades": 3},
    "headline": {"net_return": 0.01},
}
MONTHS = Month.span(Month(2016, 9), Month(2017, 4))


def served(stated, n=400, seed=1):
    """Events of eight months with a rate of 0.3, of which a model states one number a month."""
    rng = np.random.default_rng(seed)
    frame = SCORED.empty().reindex(range(n * len(MONTHS)))
    frame["event_time_ns"] = np.concatenate([m.start_ns + np.arange(n) for m in MONTHS])
    won = np.concatenate([rng.permutation(np.arange(n) < 0.3 * n) for _ in MONTHS])
    frame["label"] = np.where(won, 1, -1).astype(np.int8)
    frame["side"] = np.int8(1)
    frame["p_up"] = np.repeat(stated, n)
    frame["p0_up"], frame["p0_none"], frame["p0_down"] = 0.31, 0.1, 0.59
    return frame


def test_months_are_those_of_the_events():
    frame = served(np.full(8, 0.3))
    months = by_month(frame, frame["p_up"].to_numpy())
    assert [m.month for m in months] == MONTHS
    assert [m.n for m in months] == [400] * 8
    for m in months:
        assert (m.stated, m.came, m.error) == pytest.approx((0.3, 0.3, 0))
        assert m.excess == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("where", "stated", "good"),
    [
        (slice(None), 0.3, True),
        (slice(N_FIRST), 0.36, False),
        (slice(N_FIRST, None), 0.36, True),
        (slice(None), 0.5, False),
    ],
    ids=["all near", "the first months far off", "later ones far off", "all far off"],
)
def test_first_months_far_off_or_an_excess_is_a_miss(where, stated, good):
    p = np.full(8, 0.3)
    p[where] = stated
    text, passed = page({"network": served(p)}, REPORT, "today")
    assert passed is good
    assert ("Both targets are met" in text, "MISSED" in text) == (good, not good)
    assert text.count("\n| 201") == len(MONTHS)
    near = 6 if stated == 0.3 or where == slice(N_FIRST, None) else 0
    assert f"{near} of 6 are within" in text
    assert "| odds alone |" in text


def test_both_studies_load_and_differ_in_the_offset_alone(tmp_path):
    project = make_project(tmp_path)
    markets, studies = load_configs(project.configs)
    assert set(markets) == {real_network.MARKET}
    raw = [yaml.safe_load((project.configs / "studies" / f"{n}.yaml").read_text()) for n in studies]
    offsets = {study["model"].pop("offset") for study in raw}
    assert offsets == set(real_network.OFFSETS.values())
    assert {k: v for k, v in raw[0].items() if k != "description"} == {
        k: v for k, v in raw[1].items() if k != "description"
    }


def test_without_the_candles_it_says_so_and_runs_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(real_network.markets, "FOLDER", tmp_path / "none")
    assert main(["--folder", str(tmp_path / "project")]) == 0
    assert capsys.readouterr().out.startswith("Skipped: the real candles are not here")
    assert not (tmp_path / "project").exists()
