"""What the table of random walks counts as failed, and that its dumps are walks."""

import io

import numpy as np
import pandas as pd
import pytest

from price_physics_tests.benchmarks.random_walks import (
    FIRST,
    LAST,
    TRADES_A_DAY,
    Walk,
    dump,
    page,
    passed,
)

EDGE = Walk(0, "edge", 92, 120, 300, 0.001, 0.1, 0.6)
NONE = Walk(1, "no edge", 92, 0, 60, 1.0, 0.0, None)
WANT = NONE._replace(n_signals=3)


@pytest.mark.parametrize(
    ("walks", "good"),
    [([NONE] * 19 + [EDGE], True), ([EDGE, EDGE], False), ([WANT], False), ([NONE], True)],
)
def test_one_edge_is_luck_and_no_edge_needs_something_to_tell_it_from(walks, good):
    assert passed(walks) is good
    text = page(walks, "today")
    assert ("PASSED" if good else "FAILED") in text
    assert text.count("\n| ") == len(walks) + 1


def test_a_dump_is_a_walk_within_its_months():
    rows = pd.read_csv(io.BytesIO(dump(3)), header=None, names=["second", "price", "qty"])
    assert len(rows) == TRADES_A_DAY * 152
    assert rows["second"].is_monotonic_increasing
    assert FIRST.start_ns // 10**9 <= rows["second"].iloc[0]
    assert rows["second"].iloc[-1] < LAST.stop_ns // 10**9
    moves = np.diff(np.log(rows["price"]))
    assert abs(moves.mean()) < 3 * moves.std() / np.sqrt(len(moves))
    assert dump(3) == dump(3)
    assert dump(3) != dump(4)
