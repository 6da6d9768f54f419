"""Text from integers, against decimal arithmetic."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.truth.kernels import format_rows
from price_physics.truth.vendors import Number, Raw, Words, csv_blocks

VALUE = st.integers(0, 2**63 - 1)


def text_of(columns):
    return b"".join(bytes(block) for block in csv_blocks(columns)).decode()


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=20), st.integers(0, 12))
def test_numbers_are_exact_decimals(pairs, n_decimals):
    left, right = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    lines = text_of([Number(left, n_decimals), Number(right)]).splitlines()
    assert lines == [f"{Decimal(a).scaleb(-n_decimals):f},{b}" for a, b in pairs]


@pytest.mark.parametrize("kernel", [format_rows, format_rows.py_func], ids=["jitted", "plain"])
def test_kernel_and_its_plain_self(kernel):
    values = np.array([[0, 1, 10**18, 2**63 - 1], [1, 0, 0, 1], [0, 0, 0, 0]])
    words, stop = np.frombuffer(b"Buy,Sell", np.uint8), np.array([0, 3, 8])
    raw = np.frombuffer(b"abcdefgh", np.uint8).reshape(4, 2)
    out = np.full(200, 33, np.uint8)
    n_bytes = kernel(values, np.array([3, -1, -2]), words, stop, raw, out)
    assert out[:n_bytes].tobytes().decode().splitlines() == [
        "0.000,,Sell,ab",
        "0.001,Buy,cd",
        "1000000000000000.000,Buy,ef",
        "9223372036854775.807,,Sell,gh",
    ]
    assert (out[n_bytes:] == 33).all()


def test_words_of_several_columns_and_many_blocks():
    n_rows = 300_000
    which = np.arange(n_rows) % 2
    columns = [Words(which == 1, ["no", "yes"]), Number(np.arange(n_rows)), Words(which, ["x", ""])]
    lines = text_of(columns).split("\n")
    assert len(lines) == n_rows + 1
    assert lines[:2] == ["no,0,x", "yes,1,"]
    assert lines[-2:] == ["yes,299999,", ""]
    assert len(list(csv_blocks(columns))) > 1


def test_raw_bytes_keep_their_rows_over_blocks():
    content = np.repeat(np.arange(200_000, dtype=np.uint32), 1).view(np.uint8).reshape(-1, 4)
    digits = content % 10 + 48
    lines = text_of([Raw(digits.astype(np.uint8)), Number(np.arange(200_000))]).splitlines()
    for row in (0, 131_071, 131_072, 199_999):
        assert lines[row] == f"{digits[row].astype(np.uint8).tobytes().decode()},{row}"
