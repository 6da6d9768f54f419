"""A vendor or a network is known by lying in its folder; nothing of it is imported to know it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import price_physics
from price_physics.study.market import VENDORS
from price_physics.study.model import ARCHITECTURES

from .test_same_trials import BITSTAMP, DEMO, changed

READ = """
import json, sys
from pathlib import Path
from price_physics.study.reading import load_market, load_study
market, study = load_market(Path(sys.argv[1])), load_study(Path(sys.argv[2]))
rooms = "price_physics.ticks", "price_physics.model", "torch"
loaded = [m for m in sys.modules if m.startswith(rooms)]
print(json.dumps([market.vendor, study.model.architecture, loaded]))
"""
IMPOSSIBLE = "raise RuntimeError('imported')\n"


def test_what_lies_there_may_be_named_and_is_not_imported(tmp_path: Path) -> None:
    package = tmp_path / "price_physics"
    source = Path(price_physics.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    for neighbour, name in (("kraken.py", "my_venue"), ("patchify.py", "my_network")):
        (beside,) = package.rglob(neighbour)
        (beside.parent / f"{name}.py").write_text(IMPOSSIBLE)
    market = changed(BITSTAMP, tmp_path, {"vendor": "my_venue"})
    model = yaml.safe_load(DEMO.read_text())["model"] | {"architecture": "my_network"}
    study = changed(DEMO, tmp_path, {"model": model})
    done = subprocess.run(
        [sys.executable, "-c", READ, market, study],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == ["my_venue", "my_network", []]


@pytest.mark.parametrize("helper", ["contracts", "layout", "match", "dropout", "__init__"])
def test_what_several_share_is_neither_vendor_nor_network(helper: str) -> None:
    assert helper not in {*VENDORS["trades"], *VENDORS["candles"], *ARCHITECTURES}


def test_any_dump_may_be_generic_and_every_other_vendor_has_rows_of_one_kind() -> None:
    assert set(VENDORS["trades"]) & set(VENDORS["candles"]) == {"generic"}
    assert {"kraken", "tardis"} <= set(VENDORS["trades"])
    assert {"kraken_ohlcvt", "binance_klines"} <= set(VENDORS["candles"])
    assert {"resnet_lite", "patchify"} <= set(ARCHITECTURES)
