"""Our average uniqueness is that of mlfinpy and of pymlfinance, on labels of the golden files."""

import json
from pathlib import Path

import numpy as np
import pytest

from price_physics.weights.kernels import average_uniqueness
from price_physics_tests.folds.peer_labels import peer_labels
from price_physics_tests.labels.peer_path import MINUTE_NS, SETTINGS, peer_path

FOLDER = Path(__file__).parents[1]


@pytest.mark.parametrize("setting", range(len(SETTINGS)))
def test_mlfinpy_weighs_as_we_do(setting):
    golden = json.loads((FOLDER / "labels/golden/mlfinpy.json").read_text())["labels"][setting]
    path = peer_path()
    end = (np.array(golden["label_end_ns"]) - path["time_ns"][0]) // MINUTE_NS
    ours = average_uniqueness(np.array(path["event"]), end, len(path["time_ns"]))
    np.testing.assert_allclose(ours, golden["average_uniqueness"], rtol=1e-11)


def test_pymlfinance_weighs_as_we_do():
    golden = json.loads((FOLDER / "folds/golden/pymlfinance.json").read_text())
    start, end = (np.array(column) for column in peer_labels().values())
    ours = average_uniqueness(start, end, int(end.max()) + 1)
    np.testing.assert_allclose(ours, golden["average_uniqueness"], rtol=1e-11)
