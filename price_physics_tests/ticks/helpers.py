"""Tiny markets and files for the tests of ticks."""

import gzip
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from price_physics.months import Month
from price_physics.schemas.ticks import QUARANTINE
from price_physics.store.artefact import Artefact
from price_physics.study.market import Market
from price_physics.ticks.build import build_ticks
from price_physics.ticks.reading.read import read_file
from price_physics.ticks.reading.rows import Fault, TradeRows
from price_physics_tests.study.make import market_of

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "ticks"
MAY = Month(2012, 5)
START = MAY.start_ns // 10**9
DAY = 86_400


def market(**settings) -> Market:
    """A market of every file in the folder, from May 2012 on; generic unless a vendor is given.

    Its files are tiny: one bad row in a few is no reason to stop.
    """
    defaults = {"name": "toy", "symbol": "TOY", "vendor": "generic", "files": ["*"]}
    defaults |= {"quarantine_limit": 1.0}
    return market_of(**defaults | {"first_month": "2012-05"} | settings)


BITCOINCHARTS = market(vendor="bitcoincharts")
GENERIC = market()


def put(folder: Path, content: str | bytes, name: str = "ticks.csv") -> Path:
    """Write a file, compressed as its name says."""
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(data))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name.removesuffix(".zip") + ".csv", data)
    else:
        path.write_bytes(data)
    return path


class Built:
    """A month: its artefact's table, quarantine and report by their names."""

    def __init__(self, artefact: Artefact) -> None:
        (schema, table), (quarantine, set_aside) = artefact.tables
        assert quarantine is QUARANTINE
        setattr(self, schema.name, table)
        self.quarantine, self.quality = set_aside, artefact.document("quality")
        self.inputs, self.synthetic = artefact.inputs, artefact.synthetic


def build_month(settings: Market, folder: Path, month: Month, index=None, scratch=None) -> Built:
    """Build a month of the files in a folder."""
    return Built(build_ticks(settings, month, folder, index=index, scratch=scratch))


def files_of(inputs: dict[str, str]) -> list[str]:
    """The files among a month's inputs; what else they are is known by its words."""
    words = re.compile(r".*\.SYNTHETIC|last trade before|format \w+")
    return [name for name in inputs if not words.fullmatch(name)]


def read_all(settings: Market, path: Path, **options) -> tuple[TradeRows, list[Fault]]:
    """Read a whole file."""
    blocks = list(read_file(settings, path, path.name, **options))
    faults = [fault for block in blocks for fault in block.faults]
    return TradeRows.concatenate([block.rows for block in blocks]), faults


def make_rows(time_ns, trade_id=None, price=None, qty=None, kind=None, sign=None) -> TradeRows:
    """Rows of the given columns; what is not given is plain."""
    n_rows = len(time_ns)

    def column(values, default, dtype):
        return np.array(np.full(n_rows, default) if values is None else values, dtype)

    return TradeRows(
        time_ns=np.array(time_ns, np.int64),
        trade_id=column(trade_id, 0, np.int64),
        price=column(price, 5.0, np.float64),
        qty=column(qty, 1.0, np.float64),
        line=np.arange(1, n_rows + 1),
        id_kind=column(kind, 0 if trade_id is None else 1, np.int8),
        sign=column(sign, 0, np.int8),
    )


def assert_same_rows(first: TradeRows, second: TradeRows) -> None:
    """Bit for bit: NaN equals NaN, and -0.0 is not 0.0."""
    for name, one, other in zip(TradeRows._fields, first, second, strict=True):
        assert one.dtype == other.dtype, name
        assert one.tobytes() == other.tobytes(), (name, one, other)


def real(folder: str):
    """Skip a test where the real ticks are absent."""
    return pytest.mark.skipif(
        not (SHARED / folder).is_dir(), reason=f"real ticks are not there: {SHARED / folder}"
    )
