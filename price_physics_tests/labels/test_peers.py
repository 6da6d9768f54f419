"""Our labels beside those of mlfinpy, on the same closes.

Where it is right the labels are equal; every error of its own has a test that shows what it is. Its
labels are a golden file, made again by ``python -m price_physics_tests.benchmarks.peer_labels``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from price_physics.labels.kernels import first_touch

from .peer_path import MINUTE_NS, SETTINGS, peer_path

GOLDEN = json.loads(Path(__file__).with_name("golden").joinpath("mlfinpy.json").read_text())
TIME, PRICE, EVENT = (np.array(column) for column in peer_path().values())
UNIT, DOUBLE, UNEQUAL, EXACT = range(4)


class Beside:
    """Labels and their ends, ours and mlfinpy's, and the return at the end."""

    def __init__(self, setting, stop_multiple=None):
        self.settings = SETTINGS[setting]
        assert GOLDEN["labels"][setting]["settings"] == self.settings
        self.target, (take, stop) = self.settings["target"], self.settings["multiples"]
        self.take_profit, self.stop_loss = take * self.target, (stop_multiple or stop) * self.target
        at, horizon_ns = PRICE[EVENT], self.settings["minutes"] * MINUTE_NS
        barriers = (at * (1 + self.take_profit), at * (1 - self.stop_loss))
        self.label, touch = first_touch(TIME, PRICE, EVENT, *barriers, horizon_ns)
        self.end_ns = np.where(self.label != 0, TIME[touch], TIME[EVENT] + horizon_ns)
        self.gain = PRICE[touch] / at - 1
        peer = GOLDEN["labels"][setting]
        self.peer, self.peer_end_ns = np.array(peer["label"]), np.array(peer["label_end_ns"])


def test_mlfinpy_is_right_where_multiples_are_one_and_no_price_meets_a_barrier():
    both = Beside(UNIT)
    np.testing.assert_array_equal(both.label, both.peer)
    np.testing.assert_array_equal(both.end_ns, both.peer_end_ns)
    assert np.unique(both.label, return_counts=True)[1].min() > 20


def test_mlfinpy_labels_touches_near_the_upper_barrier_zero():
    """It finds the touch, then asks whether ``log(1 + r) > m log(1 + target)``: more than m target.

    From the barrier on to ``(1 + target)^m``, a touch is called a time-out.
    """
    both = Beside(DOUBLE)
    np.testing.assert_array_equal(both.end_ns, both.peer_end_ns)
    zeroed = (both.label == 1) & (both.peer == 0)
    near = both.gain <= (1 + both.target) ** 2 - 1
    np.testing.assert_array_equal(zeroed, (both.label == 1) & near)
    assert zeroed.sum() == 4
    assert (both.peer[(both.label == 1) & ~near] == 1).all()


def test_mlfinpy_labels_time_outs_near_the_lower_barrier_stop_losses():
    """The same question on the other side: ``m log(1 + target)`` of loss is less than m target."""
    for setting, n in ((DOUBLE, 1), (EXACT, 1)):
        both = Beside(setting)
        multiple = both.settings["multiples"][1]
        near = 1 + both.gain < (1 + both.target) ** -multiple
        made = (both.label == 0) & (both.peer == -1)
        np.testing.assert_array_equal(made, (both.label == 0) & near)
        assert made.sum() == n
        np.testing.assert_array_equal(both.end_ns[made], both.peer_end_ns[made])
        assert (both.peer[both.label == -1] == -1).sum() > 40


def test_mlfinpy_does_not_count_a_price_on_the_barrier_as_a_touch():
    """A target of 1/32 is met exactly from multiples of 4: its path goes on to the next price."""
    both = Beside(EXACT)
    later = both.end_ns != both.peer_end_ns
    np.testing.assert_array_equal(later, (both.label != 0) & (np.abs(both.gain) == both.target))
    assert later.sum() == 8
    assert (both.peer_end_ns[later] > both.end_ns[later]).all()


def test_mlfinpy_ignores_the_multiple_of_the_stop_loss_where_no_side_is_given():
    """It looks for touches with the take-profit's multiple on both sides."""
    assert (Beside(UNEQUAL).end_ns != Beside(UNEQUAL).peer_end_ns).sum() > 40
    assert SETTINGS[UNEQUAL]["multiples"] == [1, 2]
    both = Beside(UNEQUAL, stop_multiple=1)
    np.testing.assert_array_equal(both.end_ns, both.peer_end_ns)


@pytest.mark.parametrize("setting", range(len(SETTINGS)))
def test_the_golden_file_is_of_this_path(setting):
    """An end lies after its event and within the horizon, or the file is of another path."""
    peer = GOLDEN["labels"][setting]
    life = np.array(peer["label_end_ns"]) - TIME[EVENT]
    assert len(peer["label"]) == len(EVENT)
    assert (life > 0).all()
    assert life.max() == SETTINGS[setting]["minutes"] * MINUTE_NS
