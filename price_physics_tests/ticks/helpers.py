"""Tiny markets and files for the tests of ticks."""

import gzip
import zipfile
from pathlib import Path

from price_physics.months import Month
from price_physics.study import Columns, Market

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "ticks"
MAY = Month(2012, 5)
START = MAY.start_ns // 10**9


def market(**settings) -> Market:
    """A generic market of every file in the folder, in May 2012."""
    columns = settings.pop("columns", None)
    if columns is not None:
        settings["columns"] = Columns(**columns)
    defaults = {"name": "toy", "symbol": "TOY", "vendor": "generic", "files": ["*"]}
    return Market(**defaults | {"first_month": "2012-05"} | settings)


BITCOINCHARTS = market(vendor="bitcoincharts")


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
