"""Configurations and dumps that would crash, hang or mislead a careless reader."""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from price_physics.errors import ConfigError
from price_physics.study.reading import load_configs
from price_physics_tests.benchmarks.faults.processes import start
from price_physics_tests.benchmarks.faults.rows import Case, Row
from price_physics_tests.study import hostile as configurations
from price_physics_tests.study.test_same_trials import BITSTAMP, DEMO, changed
from price_physics_tests.ticks import hostile as dumps

MOST_SECONDS = 5.0
PROMISE = "a sentence that names the file, within five seconds"


# ---------------------------------------------------------------------------- configurations
def refuse(configs: Path, told: Path) -> int:
    """Read a folder of configurations; write what was said of it, and how long it took."""
    began, said = time.monotonic(), ""
    try:
        load_configs(configs)
    except ConfigError as error:
        said = str(error)
    told.write_text(json.dumps([said, time.monotonic() - began]), encoding="utf-8")
    return 0


def of_configurations() -> Row:
    """The lists of the tests, each file among sound ones."""
    files = [
        (f"file {i}: {sentence}", "studies/hostile.yaml", partial(_write, content))
        for i, (content, sentence) in enumerate(configurations.FILES)
    ]
    sections = [
        (f"{section}: {sentence}", "studies/demo.yaml", partial(_change, DEMO, {section: settings}))
        for section, settings, sentence in configurations.SECTIONS
    ]
    markets = [
        (sentence, "markets/bitstamp_usd.yaml", partial(_change, BITSTAMP, settings))
        for settings, sentence in configurations.MARKETS
    ]
    paths = [
        (make.__name__, "markets/hostile.yaml", make)
        for make, _ in (configurations.PATHS if os.name != "nt" else ())
    ]
    long = (f"{'a' * 230}.yaml", f"markets/{'a' * 230}.yaml", partial(_change, BITSTAMP, {}))
    cases = [
        Case(name[:70].replace("\n", " "), partial(_configuration, place, make))
        for name, place, make in [*files, *sections, *markets, *paths, long]
    ]
    return Row("hostile configurations", PROMISE, cases, at_once=2)


def _write(content: str | bytes, path: Path) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _change(source: Path, settings: dict, path: Path) -> None:
    made = changed(source, path.parent, settings)
    made.replace(path)


def _configuration(place: str, make: Callable[[Path], None], folder: Path) -> None:
    configs, told = folder / "configs", folder / "told.json"
    for name, source in (("markets", BITSTAMP), ("studies", DEMO)):
        (configs / name).mkdir(parents=True)
        (configs / name / source.name).write_bytes(source.read_bytes())
    path = configs / place
    make(path)
    child = start(folder / "said", refuse, configs, told)
    assert child.ended(MOST_SECONDS * 4) == 0, child.text[-1000:]
    said, seconds = json.loads(told.read_text(encoding="utf-8"))
    assert said.startswith(str(path)), f"said: {said[:200]!r}"
    assert seconds < MOST_SECONDS, f"{seconds:.1f} s"


# ---------------------------------------------------------------------------- dumps
def refuse_dump(folder: Path, told: Path) -> int:
    """Build a month of a market that has one file that cannot be trusted."""
    dumps.warm_up()
    told.write_text(json.dumps(dumps.refuse(folder)), encoding="utf-8")
    return 0


def of_dumps(n: int | None = None) -> Row:
    """The list of the tests: bombs, torn archives, wrong encodings, pictures, mixtures."""
    from price_physics_tests.benchmarks.faults.kills import spread

    cases = [Case(name, partial(_dump, name)) for name in dumps.CASES]
    cases = cases if n is None else spread(cases, n)
    return Row("hostile dumps", PROMISE, cases, at_once=2)


def _dump(name: str, folder: Path) -> None:
    file, _, complaint = dumps.CASES[name]
    dumps.write_case(name, folder / "market")
    told = folder / "told.json"
    child = start(folder / "said", refuse_dump, folder / "market", told)
    assert child.ended(MOST_SECONDS * 12) == 0, child.text[-1000:]
    found = json.loads(told.read_text(encoding="utf-8"))
    assert found["error"].startswith(file), f"said: {found['error'][:200]!r}"
    assert complaint in found["error"], f"said: {found['error'][:200]!r}"
    assert found["seconds"] < MOST_SECONDS, f"{found['seconds']:.1f} s"
    assert found["left"] == [], f"left over: {found['left']}"
    assert found["known"] == ["a.csv"], f"remembered: {found['known']}"
