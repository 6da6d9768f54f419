"""Configurations that must be refused, and the sentence that says so: files, sections, paths."""

import math
import os
from pathlib import Path
from typing import Any

from price_physics.study.model import ARCHITECTURES
from price_physics.study.yaml_file import MOST_BYTES, MOST_NODES

from .variants import FLOW, LEVELS

LAUGHS = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
NETWORKS = " or ".join([", ".join(map(repr, ARCHITECTURES[:-1])), repr(ARCHITECTURES[-1])])
FIXED = {"kind": "fixed", "take_profit_multiple": 1, "stop_loss_multiple": 1}
PERCENT = {"kind": "percent", "take_profit_percent": 1, "stop_loss_percent": 1}

FILES: list[tuple[str | bytes, str]] = [
    ("symbol: é\n".encode("latin-1"), "line 1: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    (b"a: 1\nb: \x81\n", "line 2: byte 0x81 is not UTF-8"),
    ("symbol: X\n".encode("utf-16"), "is UTF-16 or UTF-32; save it as UTF-8"),
    ("symbol: X\n".encode("utf-16-le"), "is UTF-16 or UTF-32; save it as UTF-8"),
    ("symbol: X\n".encode("utf-32"), "is UTF-16 or UTF-32; save it as UTF-8"),
    ("a: 2012-13-01\n", "2012-13-01' cannot be read: month must be in 1..12; correct it, or"),
    ("a: {b: [2012-02-31]}\n", "'2012-02-31' cannot be read: day "),
    ("2012-02-31: 1\n", "'2012-02-31' cannot be read: day "),
    ("a: 2012-02-20 25:00:00\n", "cannot be read: hour must be in 0..23"),
    ("&a {a: *a}\n", "&a refers to itself"),
    ("a: &b [1, {c: *b}]\n", "&b refers to itself"),
    (LAUGHS, "more than 10,000 keys and values, references unfolded"),
    ("a: " + "[" * 5_000 + "]" * 5_000, "more than 20 levels deep"),
    ("{a: " * 3_000 + "1" + "}" * 3_000, "more than 20 levels deep"),
    ("\n".join(f"{'  ' * i}a:" for i in range(400)), "more than 20 levels deep"),
    ("a: " + "9" * 5_001, "a value of 5,001 characters, at most 2,000"),
    ("a: [" + "1, " * MOST_NODES + "1]", "more than 10,000 keys and values"),
    ("a: 1\n" * (MOST_BYTES // 5 + 1), "holds 1,000,005 bytes, settings at most 1,000,000"),
    ("? [a, b]\n: 1\n", "a key is not text"),
    ("? {a: b}\n: 1\n", "a key is not text"),
    ("2001-01-01: 1\n", "key datetime.date(2001, 1, 1) is not text; correct or remove it"),
    ("a: {1: 2}\n", "key 1 is not text"),
    ("a: [{true: 2}]\n", "key True is not text"),
    ("a: *nobody\n", "undefined alias"),
    ("a: !!python/object:os.system {}\n", "could not determine a constructor"),
    ("a: !!timestamp abc\n", "'abc' cannot be read"),
    ("a: !!bool abc\n", "'abc' cannot be read"),
    ("a: !!int ''\n", "'' cannot be read"),
    ("- 1\n", "expected a mapping of settings, found [1]"),
    ("", "expected a mapping of settings, found None"),
    ("a: 1\n---\nb: 2\n", "expected a single document"),
    ("a: \0\n", "not valid YAML"),
]
"""Contents of a file, and what the message must contain."""

SECTIONS: list[tuple[str, Any, str]] = [
    (
        "bars",
        {"kind": "dollars", "threshold_quote": 50},
        "bars.kind = 'dollars': Input should be 'time', 'tick', 'volume', 'dollar', "
        "'tick_imbalance', 'tick_run', 'volume_imbalance', 'volume_run', 'dollar_imbalance' "
        "or 'dollar_run'",
    ),
    ("bars", {}, "bars: kind: dollar needs threshold_quote"),
    ("bars", 7, "bars = 7: Input should be an object"),
    ("bars", {"threshold_quote": -1}, "bars.threshold_quote = -1: Input should be greater"),
    (
        "bars",
        {"threshold_quote": 50, "interval_minutes": 5},
        "bars.interval_minutes = 5: kind: dollar has no interval_minutes; remove it, or set "
        "kind to time",
    ),
    (
        "bars",
        {"threshold_quot": 50},
        "bars: kind: dollar needs threshold_quote\n"
        "bars.threshold_quot = 50: unknown key; remove it or correct its spelling",
    ),
    (
        "bars",
        {"threshold_quote": 50, "clip_factor": None},
        "bars.clip_factor = None: Input should be a valid number",
    ),
    (
        "bars",
        {"kind": "tick_run", **FLOW, "min_ticks": 50},
        "bars: expected_ticks 40.0 lies outside [min_ticks 50, max_ticks 400]",
    ),
    ("events", {"kind": "cusum"}, "events: kind: cusum needs cusum_bps"),
    (
        "events",
        {"cusum_bps": 5},
        "events.cusum_bps = 5: kind: every has no cusum_bps; remove it, or set kind to cusum",
    ),
    (
        "events",
        {"kind": "cusum", "cusum_bps": 5, "every_n_bars": 2},
        "events.every_n_bars = 2: kind: cusum has no every_n_bars; remove it, or set kind to every",
    ),
    ("labels", {}, "labels: give horizon_minutes or horizon_bars, one of them"),
    ("labels", {"horizon_bars": 3, "horizon_minutes": 5}, "labels: give horizon_minutes or"),
    ("labels", {"horizon_bars": 3, "path": "bars"}, "labels: path: bars needs both_touched"),
    (
        "labels",
        {"horizon_bars": 3, "side": "long"},
        "labels.side = 'long': Input should be 'trend' or 'reversal'",
    ),
    (
        "barrier_policy",
        {"kind": "fixed"},
        "barrier_policy: kind: fixed needs take_profit_multiple, stop_loss_multiple",
    ),
    (
        "barrier_policy",
        {"kind": "month"},
        "barrier_policy: kind: month needs take_profit_bounds, stop_loss_bounds, "
        "fallback_take_profit, fallback_stop_loss",
    ),
    (
        "barrier_policy",
        {**FIXED, "in_sample": True},
        "barrier_policy.in_sample = True: kind: fixed has no in_sample; remove it",
    ),
    (
        "barrier_policy",
        {**PERCENT, "min_events": 9},
        "barrier_policy.min_events = 9: kind: percent has no min_events; remove it, or set "
        "kind to month, regime or global",
    ),
    (
        "barrier_policy",
        {**LEVELS, "take_profit_bounds": [1, "8"]},
        "barrier_policy.take_profit_bounds.1 = '8': Input should be a valid number",
    ),
    (
        "barrier_policy",
        {**LEVELS, "take_profit_bounds": [1]},
        "barrier_policy.take_profit_bounds.1: Field required",
    ),
    (
        "model",
        {"architecture": "dropout"},
        f"model.architecture = 'dropout': Input should be {NETWORKS}",
    ),
    (
        "images",
        {"windows_bars": [10**12]},
        "images.windows_bars.0 = 1000000000000: Input should be",
    ),
    ("images", {"windows_bars": []}, "images.windows_bars = []: List should have at least 1 item"),
    ("images", {"size_pixels": 10**9}, "images.size_pixels = 1000000000: Input should be less"),
    ("model", {"width": 10**9}, "model.width = 1000000000: Input should be less than or equal"),
    ("model", {"n_seeds": 10**9}, "model.n_seeds = 1000000000: Input should be less than or equal"),
    ("labels", {"horizon_minutes": 1e300}, "labels.horizon_minutes = 1e+300: Input should be less"),
    ("seed", -1, "seed = -1: Input should be greater than or equal to 0"),
    ("seed", 2**80, "seed = 1208925819614629174706176: Input should be less than 2147483648"),
    (
        "folds",
        {"n_splits": 5, "embargo_minutes": 1e300},
        "folds.embargo_minutes = 1e+300: Input should be less than or equal to 525600",
    ),
    (
        "regime_features",
        {"return_minutes": 1e300},
        "regime_features.return_minutes = 1e+300: Input should be less than or equal to 525600",
    ),
]
"""A section of a study, its settings, and the beginnings of the lines of the message."""

MARKETS: list[tuple[dict[str, Any], str]] = [
    ({"symbol": 5}, "symbol = 5: Input should be a valid string"),
    ({"sybmol": "X"}, "sybmol = 'X': unknown key; remove it or correct its spelling"),
    ({"candle_minutes": True}, "candle_minutes = True: Input should be a valid number"),
    (
        {"candle_minutes": 1, "vendor": "kraken"},
        "vendor = 'kraken': vendor: kraken has rows of trades; drop candle_minutes",
    ),
    (
        {"candle_minutes": 1, "vendor": "layout"},
        "vendor = 'layout': Input should be 'binance_klines', 'generic' or 'kraken_ohlcvt'",
    ),
    (
        {"candle_minutes": 1, "columns": {"price": "p", "qty": "q"}},
        "columns: price, qty: keys for trades; correct them, or drop candle_minutes",
    ),
    (
        {"outages": [{"start": "2012-01-01", "reason": "x"}]},
        "outages.0.end: Field required",
    ),
    ({"first_month": "9999-12"}, "first_month = '9999-12': '9999-12' is out of range"),
    ({"files": []}, "files = []: List should have at least 1 item"),
    ({"contract_size": math.nan}, "contract_size = nan: Input should be a finite number"),
]
"""Settings of a market, and the beginning of the message."""


# ---------------------------------------------------------------------------- paths
def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


PATHS: list[tuple[Any, str]] = [
    (pipe, ": is a pipe, socket or device, not a file; remove or rename it"),
    (device, ": is a pipe, socket or device, not a file"),
    (dangling, " (a link to nowhere): cannot be read: No such file or directory"),
    (loop, " (a link to m.yaml): cannot be read: Too many levels of symbolic links"),
    (Path.mkdir, ": is a folder, not a file"),
]
"""What makes a path that is no file, and how the message goes on after its name."""
