"""The audit, on splits that public packages made: it finds what each gets wrong, and where.

The splits are golden files, made again by ``python -m price_physics_tests.benchmarks.peer_labels``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from price_physics.folds.audit import INSIDE_EMBARGO, LEADING_EDGE, TRAILING_EDGE, audit_split
from price_physics.folds.purged import CombinatorialPurgedCV, PurgedKFold

from .peer_labels import SETTINGS, peer_labels

START, END = (np.array(column) for column in peer_labels().values())
PURGED, PURGED_AND_EMBARGOED = 0, 1


def splits(peer, setting):
    """The splits a peer made of the labels, with one of its settings."""
    golden = json.loads(Path(__file__).with_name("golden").joinpath(f"{peer}.json").read_text())
    made = golden["combinatorial" if peer == "skfolio" else "purged_k_fold"][setting]
    assert made["settings"] == SETTINGS[peer][setting]
    return made["splits"]


def found(train, test, embargo=0):
    """{kind: (number of labels, position of the first, position of its pair)}."""
    findings = audit_split(START, END, train, test, embargo)
    return {f.kind: (f.n_labels, f.train, f.test) for f in findings}


def test_mlfinpy_does_not_purge_the_leading_edge():
    """Its block starts when its first label **ends**: at 225 the second, not at 200.

    Label 6 lasts until 215, and trains; a label that is still alive at 225 does not.
    """
    first, second, third = (found(*split) for split in splits("mlfinpy", PURGED))
    assert (START[20], END[20], END[6]) == (200, 225, 215)
    assert second[LEADING_EDGE] == (2, 6, 20)
    assert third[LEADING_EDGE] == (2, 34, 40)
    assert LEADING_EDGE not in first
    train = set(splits("mlfinpy", PURGED)[1][0])
    missed = {i for i in range(20) if START[20] <= END[i] < END[20]}
    assert missed == missed & train
    assert not train & {i for i in range(20) if END[i] >= END[20]}


def test_mlfinpy_takes_the_last_end_for_the_largest():
    """Label 19 ends the first block at 215; label 18 of the same block lasts until 335."""
    first, second, third = (found(*split) for split in splits("mlfinpy", PURGED))
    assert (END[19], END[18]) == (215, 335)
    assert first == {TRAILING_EDGE: (12, 22, 18)}
    assert second[TRAILING_EDGE] == (12, 42, 38)
    assert TRAILING_EDGE not in third
    train = splits("mlfinpy", PURGED)[0][0]
    assert train == [i for i in range(20, 60) if START[i] > END[19]]


def test_mlfinpys_embargo_hides_some_of_it():
    """Three rows later the label that ends last is another one: four still leak."""
    first, second, _ = (found(*split) for split in splits("mlfinpy", PURGED_AND_EMBARGOED))
    assert first[TRAILING_EDGE] == (4, 30, 18)
    assert second == {LEADING_EDGE: (2, 6, 20), TRAILING_EDGE: (4, 50, 38)}


@pytest.mark.parametrize(("setting", "n_found"), [(0, 43), (1, 31), (2, 0)])
def test_skfolio_purges_rows_not_labels(setting, n_found):
    """Labels of up to 155 on rows ten apart: only 15 rows purge all of them; by default it is 0."""
    n = 0
    for train, test in splits("skfolio", setting):
        kinds = found(train, test)
        assert kinds.keys() <= {LEADING_EDGE, TRAILING_EDGE}
        n += sum(n_labels for n_labels, _, _ in kinds.values())
    assert n == n_found


def test_skfolio_drops_labels_that_meet_nothing():
    """Where it is safe it drops more than the overlap: ours train on those, and on nothing else."""
    ours = CombinatorialPurgedCV(3, 2, START, END)
    more = 0
    for (train, test), (our_train, our_test) in zip(
        splits("skfolio", 2), ours.split(START), strict=True
    ):
        assert test == our_test.tolist()
        assert set(train) < set(our_train.tolist())
        more += len(our_train) - len(train)
    assert more == 9


def test_pymlfinance_purges_as_we_do():
    ours = PurgedKFold(3, START, END).split(START)
    for (train, test), (our_train, our_test) in zip(
        splits("pymlfinance", PURGED), ours, strict=True
    ):
        assert (train, test) == (our_train.tolist(), our_test.tolist())


def test_pymlfinances_embargo_vanishes_where_labels_outlast_the_block():
    """Its embargo, six rows here, starts at the last row of a block, not at the largest end.

    The longest label of a block lasts 14 rows on: nothing is embargoed after it.
    """
    embargoed = splits("pymlfinance", PURGED_AND_EMBARGOED)
    assert embargoed == splits("pymlfinance", PURGED)
    first, second, third = (found(*split, embargo=60) for split in embargoed)
    assert first == {INSIDE_EMBARGO: (6, 34, 18)}
    assert second == {INSIDE_EMBARGO: (6, 54, 38)}
    assert third == {}


def test_ours_pass_where_those_fail():
    for splitter in (PurgedKFold(3, START, END, 155), CombinatorialPurgedCV(6, 2, START, END, 155)):
        for train, test in splitter.split(START):
            assert found(train, test, embargo=155) == {}
