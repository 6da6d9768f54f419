"""Dumps of a market that does not exist say so, down to the report, whatever the YAML says."""

import yaml

from price_physics.months import Month
from price_physics.pipeline.dag import STAGES
from price_physics.truth.dumps import SyntheticMarket, write_synthetic_dumps
from price_physics_tests.e2e.conftest import run
from price_physics_tests.e2e.projects import make_project, partitions_of

FIRST = Month(2024, 1)


def test_synthetic_down_to_the_report(tmp_path) -> None:
    never_trained = {"folds.min_training_samples": 100_000, "bars.threshold_quote": 2e6}
    project = make_project(tmp_path, str(FIRST), str(FIRST), edits=never_trained)
    folder = tmp_path / "data" / "raw"
    vendor = "binance_futures_trades"
    write_synthetic_dumps(SyntheticMarket("BTCUSDT", FIRST, 1, 2_000, 1), vendor, folder)
    path = tmp_path / "configs" / "markets" / "bitstamp_usd.yaml"
    market = yaml.safe_load(path.read_text()) | {"symbol": "BTCUSDT", "files": ["data/raw/*.zip"]}
    path.write_text(yaml.safe_dump(market))

    partitions = partitions_of(run(project))
    assert len(partitions) == len(STAGES)
    assert all(partition.synthetic for partition in partitions.values())
    ticks = partitions["ticks", str(FIRST)]
    assert ticks.document("quality")["synthetic"] is True
    zipped = "data/raw/BTCUSDT-trades-2024-01.zip"
    beside = {f"{zipped}.SYNTHETIC", f"format {vendor}", "last trade before"}
    assert ticks.manifest["inputs"].keys() == {zipped} | beside
    html = project.outputs / "demo" / "reports" / f"{FIRST}.html"
    assert "Synthetic data" in html.read_text()
