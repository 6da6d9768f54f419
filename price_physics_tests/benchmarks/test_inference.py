"""The section ``inference``: both contenders say the same of the same samples."""

import pytest

from price_physics_tests.benchmarks import inference
from price_physics_tests.benchmarks.harness import Arena


def test_ours_and_the_plain_loop_agree(tmp_path):
    (figure,) = inference.figures(Arena(), 70, tmp_path, full=False)
    assert figure.target == 3.0
    ours, peer = (inference.TASKS[call.task](**call.args)() for call in figure.calls)
    assert ours == pytest.approx(peer, abs=1e-6)
    assert len(set(ours)) > 3
