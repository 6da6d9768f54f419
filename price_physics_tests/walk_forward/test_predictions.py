"""The stage `predictions`: what probabilities are worth, without asking a network."""

import numpy as np
import pandas as pd
import pytest

from price_physics.frames import conform
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.probabilities import PROBABILITIES
from price_physics.source import closure
from price_physics.walk_forward.predictions import build_predictions
from price_physics.walk_forward.signals import prediction_table
from price_physics_tests.past import past_of
from price_physics_tests.walk_forward import make
from price_physics_tests.walk_forward.make import FEB, JAN

DOCUMENTS = {"summary": {"n": 9}, "fold_manifest": {"n_members": 400}, "architecture": {"w": 4}}
OF_MODEL = make.out_of_fold([1, -1, 0, -1], [2.0, -1.0, 0.1, -1.0], take_profit=2.0)


def probabilities(n=5, by_network=True):
    """Events of February that a network leans to, one more than the other."""
    time = FEB.start_ns + make.HOUR * np.arange(n)
    p_up = np.linspace(0.2, 0.9, n)
    of_event = {"price": 100.0, "atr": 1.0, "upper": 102.0, "lower": 99.0}
    return conform(
        PROBABILITIES,
        event_time_ns=time,
        horizon_end_ns=time + make.HOUR,
        **{name: np.full(n, value) for name, value in of_event.items()},
        take_profit_multiple=np.full(n, 2.0),
        stop_loss_multiple=np.ones(n),
        **make.even_odds(n),
        side=np.ones(n),
        by_network=np.full(n, by_network),
        p_up=p_up,
        p_flat=np.full(n, 0.05),
        p_down=0.95 - p_up,
    )


def decided(study, frame, model=True, warm_up=None):
    months = {JAN: OF_MODEL} if model else {}
    past = past_of(
        {OUT_OF_FOLD: months, PROBABILITIES: {FEB: frame}},
        {("model", name): dict.fromkeys(months, found) for name, found in DOCUMENTS.items()},
        warm_up={"probabilities": {FEB: warm_up}, "model": dict.fromkeys(months, warm_up)},
    )
    return build_predictions(study, None, FEB, past)


def test_probabilities_are_weighed_with_the_models_own_past():
    study, given = make.study(), probabilities()
    found = decided(study, given)
    frame = found.table("predictions")
    expected = prediction_table(study, given, OF_MODEL)
    pd.testing.assert_frame_equal(frame, expected, check_exact=True)
    PREDICTIONS.to_arrow(frame)
    assert set(frame["side"]) >= {-1, 1}
    assert frame["by_network"].all()
    kept = [name for name in PROBABILITIES.columns if name != "side"]
    pd.testing.assert_frame_equal(frame[kept], given[kept], check_exact=True)
    assert found.warm_up is None
    assert found.document("provenance") == {
        "model_month": str(JAN),
        "warm_up": None,
        "summary": {"n": 9},
        "folds": {"n_members": 400},
        "architecture": {"w": 4},
    }


def test_without_a_network_nothing_trades_and_it_is_said_why():
    given = probabilities(by_network=False)
    first = decided(make.study(), given, model=False, warm_up="no model")
    assert first.document("provenance") == {
        "model_month": None,
        "warm_up": "no model",
        "summary": {},
        "folds": {},
        "architecture": {},
    }
    young = decided(make.study(), given, warm_up="too few samples")
    assert young.document("provenance")["model_month"] == str(JAN)
    for found, reason in ((first, "no model"), (young, "too few samples")):
        assert found.warm_up == reason
        frame = found.table("predictions")
        assert PREDICTIONS.to_arrow(frame).num_rows == 5
        assert not frame["by_network"].any()
        assert not frame["side"].any()


@pytest.mark.parametrize(
    "module", ["build", "predictions", "signals", "trial", "verdict", "ledger", "month"]
)
def test_no_network_is_behind_a_decision(module):
    names = closure(f"price_physics.walk_forward.{module}")
    packages = {name.split(".")[1] for name in names if "." in name}
    assert not packages & {"images", "model"}
    assert "torch" not in names
