"""The project that an audit makes reads the dumps that the audit writes, and nothing else."""

import yaml

from price_physics.audit.scratch import make_project
from price_physics.audit.tampering import read_dumps
from price_physics.months import Month
from price_physics.project import Project
from price_physics.study.reading import load_market, load_study
from price_physics.ticks.build import build_ticks
from price_physics_tests.e2e import projects

MAY = Month(2012, 5)
ROWS = "".join(f"{1_335_830_400 + i},5.5,{1 + i},{'up' if i % 3 else 'down'}\n" for i in range(60))
READING = {
    "encoding": "utf-16",
    "columns": {"timestamp": "time", "qty": "much"},
    "side_words": {"up": "sell", "down": "buy", "buy": "sell", "sell": "buy"},
}


def test_how_the_market_reads_its_own_files_is_left_behind(tmp_path):
    """Words explained in the market would turn the sides that the audit writes."""
    data = ("time,price,much,side\n" + ROWS).encode("utf-16")
    own = projects.make_project(tmp_path / "own", "2012-05", "2012-05", ticks=data)
    path = own.configs / "markets" / "bitstamp_usd.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | READING))
    market = load_market(path)
    study = load_study(own.configs / "studies" / "demo.yaml")
    dumps = read_dumps(market, own.root, MAY, MAY)
    (tmp_path / "audit").mkdir()
    audited = make_project(tmp_path / "audit", own, study, market, [MAY], {}, dumps)
    assert isinstance(audited, Project)
    again = load_market(audited.configs / "markets" / "bitstamp_usd.yaml")
    signs = []
    for settings, root in ((market, own.root), (again, audited.root)):
        artefact = build_ticks(settings, MAY, root)
        (_, table), _ = artefact.tables
        signs.append(table.frame()["tick_sign"].tolist())
        assert artefact.document("quality")["sides_inferred"] == 0
    assert signs[0] == signs[1] == [-1 if i % 3 else 1 for i in range(60)]
