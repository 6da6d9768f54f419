"""`price-physics new-study NAME`: write a market and a study from the files that are there.

Five questions, or their flags: where the files are, whose they are, whether they hold candles, and
what a trade costs. The rest is read from the files, once: the index keeps it for the backfill.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from price_physics.errors import ConfigError, TickDataError
from price_physics.pipeline.inputs import open_index
from price_physics.progress import reading_bar
from price_physics.project import Project
from price_physics.store.atomic import write_atomically
from price_physics.study.base import NAME
from price_physics.study.market import Market
from price_physics.study.reading import load_configs, load_market
from price_physics.ticks.index import FileEntry, months_of
from price_physics.ticks.look import look_at_files
from price_physics.verbs.activity import Activity
from price_physics.verbs.study_text import market_text, plain, study_text

MOST_GLOBS = 20
_QUESTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "files": ("Which files? A glob, such as data/raw/btcusdt/*.zip", lambda text: [text]),
    "symbol": ("Symbol of the instrument, such as BTCUSDT", str),
    "candle_minutes": ("Minutes of a candle; empty where the rows are trades", float),
    "fee_bps": ("Fee of the venue a side, in basis points, such as 3.5", float),
    "slippage_bps": ("Slippage a side, in basis points, such as 2", float),
}
_MAY_BE_EMPTY = ("candle_minutes",)
_OF_MARKET = ("files", "symbol", "candle_minutes")


def run(project: Project, options: argparse.Namespace) -> int:
    """Ask for what no flag said, read the files, write both YAMLs, and say what is next."""
    name, configs = options.name, project.configs
    if not re.fullmatch(NAME, name):
        raise ConfigError(
            f"name {name!r}: use small letters, digits and _, at most 64, as in btcusdt_2024"
        )
    paths = {place: configs / place / f"{name}.yaml" for place in ("markets", "studies")}
    _refuse_to_overwrite(paths, options)
    has_market = paths["markets"].is_file()
    answers = _answers(options, has_market)
    market = load_market(paths["markets"]) if has_market else _market(name, answers)
    entries, activity = _look(project, market)
    traded = sorted(m for m, extent in months_of(entries.values()).items() if extent.last_ns)
    if not traded:
        raise TickDataError(f"{', '.join(market.files)}: no file holds a good row")
    if not activity.is_traded:
        raise ConfigError(
            f"{', '.join(market.files)}: no row has a volume, so no bar of value would close; take "
            "files with volumes"
        )
    vendors = sorted({entry.vendor for entry in entries.values()})
    texts = {"studies": study_text(market, activity, answers["fee_bps"], answers["slippage_bps"])}
    if not has_market:
        texts["markets"] = market_text(market, vendors, traded)
    _validate(name, texts, market_file=paths["markets"])
    for place in sorted(texts):  # the market first: a study without one would stop every study
        write_atomically(paths[place], texts[place].encode())
        print(f"wrote {paths[place]}")
    n_rows = sum(extent.rows for extent in months_of(entries.values()).values())
    print(f"{len(entries)} files of {', '.join(vendors)}: {n_rows:,} rows", end="")
    print(f", {traded[0]} to {traded[-1]}")
    print(f"bars of {plain(activity.threshold)} quote, about {activity.bars_a_day:.0f} a day")
    if len(traded) < 4:
        print("few months: the first ones are warm-up, and each model trades the month after it")
    print(f"next: price-physics backfill --study {name}    then: price-physics open --study {name}")
    return 0


def _refuse_to_overwrite(paths: dict[str, Path], options: argparse.Namespace) -> None:
    given = [f"--{_flag(flag)}" for flag in _OF_MARKET if getattr(options, flag)]
    if paths["studies"].exists():
        raise ConfigError(f"{paths['studies']} is there already; choose another name, or remove it")
    if paths["markets"].exists() and given:
        raise ConfigError(
            f"{paths['markets']} is there already; leave out {', '.join(given)} to make a study on "
            "it, choose another name, or remove it"
        )


def _answers(options: argparse.Namespace, has_market: bool) -> dict[str, Any]:
    """Take what flags say, and ask for the rest where somebody can answer."""
    answers = {key: getattr(options, key) for key in _QUESTIONS}
    asked = [k for k, v in answers.items() if v is None and not (has_market and k in _OF_MARKET)]
    if not sys.stdin.isatty():
        lacking = [f"--{_flag(k)}" for k in asked if k not in _MAY_BE_EMPTY]
        if lacking:
            raise ConfigError(f"nobody is there to answer: give {', '.join(lacking)}")
        return answers
    for key in asked:
        question, parse = _QUESTIONS[key]
        try:
            text = input(f"{question}: ").strip()
        except EOFError:
            raise ConfigError(f"no answer; run it again, or give --{_flag(key)}") from None
        if not text and key in _MAY_BE_EMPTY:
            continue
        try:
            answers[key] = parse(text) if text else None
        except ValueError:
            answers[key] = None
        if answers[key] is None:
            raise ConfigError(f"{text!r} answers nothing; run it again, or give --{_flag(key)}")
    return answers


def _flag(key: str) -> str:
    return key.replace("_", "-")


def _market(name: str, answers: dict[str, Any]) -> Market:
    files = answers["files"]
    if len(files) > MOST_GLOBS:
        raise ConfigError(
            f"--files names {len(files)} files; quote the glob: --files 'data/raw/*.zip'"
        )
    settings = {"symbol": answers["symbol"], "files": files, "first_month": "1970-01"}
    if answers["candle_minutes"] is not None:
        settings["candle_minutes"] = answers["candle_minutes"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.yaml")
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return load_market(path)


def _look(project: Project, market: Market) -> tuple[dict[str, FileEntry], Activity]:
    """Read every file; what a market's YAML would have to say, a flag or that YAML says."""
    activity = Activity()
    try:
        with reading_bar(f"{market.name}: files") as progress:
            index = open_index(project, market)
            return look_at_files(market, project.root, index, progress, activity), activity
    except (ConfigError, TickDataError) as error:
        raise ConfigError(
            f"{error}\nNothing was written. For candles give --candle-minutes. What else a market "
            f"must say goes into its YAML: copy configs/examples/markets/btcusdt.yaml to "
            f"configs/markets/{market.name}.yaml, edit it, and run new-study without --files"
        ) from error


def _validate(name: str, texts: dict[str, str], market_file: Path) -> None:
    """Read both as a run does, before anything is written. Raises ConfigError."""
    with tempfile.TemporaryDirectory() as folder:
        for place in ("markets", "studies"):
            path = Path(folder, place, f"{name}.yaml")
            path.parent.mkdir()
            text = texts.get(place) or market_file.read_text(encoding="utf-8")
            path.write_text(text, encoding="utf-8")
        load_configs(Path(folder))
