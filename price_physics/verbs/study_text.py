"""The YAMLs that `new-study` writes: after the examples, in sizes that fit what the files hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from price_physics.bars.kernels import dollar_bars
from price_physics.months import Month
from price_physics.ticks.reading.rows import CandleRows

if TYPE_CHECKING:
    from pathlib import Path

    from price_physics.study.market import Market
    from price_physics.ticks.index import FileEntry
    from price_physics.ticks.reading.rows import Block

BARS_A_DAY = 200.0
"""What ten million a bar gave on Binance's BTCUSDT, as in the example of candles."""
ROWS_A_BAR = 4.0
"""Least rows that a bar is made of on average, as in the demo."""
FULL_SIZE_BARS = 50_000
"""Bars in all from which a study is sized like the examples, and below like the demo."""
OPEN_MONTHS = 3
"""Months without a trade after which a market counts as over."""
KEPT_ROWS, PIECES = 10_000, 10
"""Rows of a block whose values are kept, and the pieces of neighbours that they are kept in."""
DAY_NS = 86_400 * 10**9

_FULL = {
    "min_events": 1000,
    "n_splits": 5,
    "min_training_samples": 5000,
    "width": 32,
    "batch_size": 128,
    "epochs": "max_epochs: 4\n  steps_per_epoch: 300",
}
_SMALL = {
    "min_events": 50,
    "n_splits": 4,
    "min_training_samples": 300,
    "width": 12,
    "batch_size": 64,
    "epochs": "max_epochs: 8",
}

_STUDY = """\
# yaml-language-server: $schema=../study.schema.json
# Written by `price-physics new-study` for what the files held then; every number may be changed.
description: {description}
market: "{name}"
seed: 7

bars:
  kind: dollar
  threshold_quote: {threshold}   # about {bars_a_day:.0f} bars a day

labels:
  horizon_minutes: {horizon}
  atr_period_bars: 14{both_touched}

barrier_policy:
  kind: month
  take_profit_quantile: 0.60
  stop_loss_quantile: 0.40
  take_profit_bounds: [{low}, {high}]
  stop_loss_bounds: [{low}, {high}]
  min_events: {min_events}
  fallback_take_profit: {middle}
  fallback_stop_loss: {middle}

regime_features:
  return_minutes: {horizon}
  volatility_minutes: {horizon}

folds:
  n_splits: {n_splits}
  embargo_minutes: {horizon}
  min_training_samples: {min_training_samples}

images:
  windows_bars: [32, 64, 128]
  size_pixels: 64
  channels: [gasf, gadf, mtf]

model:
  width: {width}
  head: {head}
  batch_size: {batch_size}
  {epochs}
  learning_rate: 0.001

walk_forward:
  fee_bps: {fee}
  slippage_bps: {slippage}
  min_confidence: 0.05
"""


class Activity:
    """Counts rows and days while files are read, and keeps values (see `ticks.look.Taker`)."""

    def __init__(self) -> None:
        self.n_rows = 0
        self._days: set[int] = set()
        self._kept: list[np.ndarray] = []

    def wants(self, entry: FileEntry) -> bool:
        """Want every file: the index holds no values."""
        return True

    def take(self, block: Block, number: int) -> None:
        """Note the days of a block's rows, and the values of some of them."""
        rows = block.rows
        self.n_rows += rows.time_ns.size
        self._days.update(np.unique(rows.time_ns // DAY_NS).tolist())
        value = rows.notional if isinstance(rows, CandleRows) else rows.price * rows.qty
        pieces = np.array_split(np.nan_to_num(value), PIECES)
        self._kept += [piece[: KEPT_ROWS // PIECES].copy() for piece in pieces]

    def end_file(self, number: int, file: str, path: Path, entry: FileEntry) -> None:
        """Settle nothing."""

    @property
    def n_days(self) -> int:
        """Days with a row."""
        return len(self._days)

    @property
    def bars_a_day(self) -> float:
        """Bars a day to aim at."""
        return max(1.0, min(BARS_A_DAY, self.n_rows / self.n_days / ROWS_A_BAR))

    @cached_property
    def threshold(self) -> float:
        """Value in quote currency at which so many bars close, in two digits.

        Counted, not divided: where few trades make a bar, each overshoots by much of itself.
        """
        value = np.concatenate(self._kept)
        ones = np.ones_like(value)
        wanted = self.bars_a_day * self.n_days * value.size / self.n_rows
        low, high = float(value[value > 0].min()), float(value.sum())
        for _ in range(40):
            middle = (low * high) ** 0.5
            if dollar_bars(value, ones, middle).size > wanted:
                low = middle
            else:
                high = middle
        return _two_digits(high)


def market_text(market: Market, vendors: Sequence[str], traded: Sequence[Month]) -> str:
    """Write a market's YAML; the vendor is recognised anew in every file, so it is a comment."""
    lines = ["# yaml-language-server: $schema=../market.schema.json"]
    lines.append(f"# Written by `price-physics new-study`; recognised: {', '.join(vendors)}.")
    lines.append(f"symbol: {json.dumps(market.symbol)}")
    lines.append(f"files: {json.dumps(market.files)}")
    if market.candle_minutes is not None:
        lines.append(f"candle_minutes: {plain(market.candle_minutes)}")
    lines.append(f"first_month: {traded[0]}")
    now = datetime.now(UTC)
    if Month(now.year, now.month) - traded[-1] > OPEN_MONTHS:
        lines.append(f"last_month: {traded[-1]}   # remove it if more is to come")
    return "\n".join([*lines, ""])


def study_text(market: Market, activity: Activity, fee: float, slippage: float) -> str:
    """Write a study's YAML; barriers are sized by how far a random walk gets in a horizon."""
    bars_a_day = activity.bars_a_day
    horizon = 600 if bars_a_day >= 50 else 1440
    reach = (bars_a_day * horizon / 1440) ** 0.5  # in ATR: a bar's range is about one step
    sizes = _FULL if bars_a_day * activity.n_days >= FULL_SIZE_BARS else _SMALL
    candles = market.candle_minutes is not None
    return _STUDY.format(
        description=json.dumps(f"{market.symbol}, dollar bars of {plain(activity.threshold)}"),
        name=market.name,
        threshold=plain(activity.threshold),
        bars_a_day=bars_a_day,
        horizon=horizon,
        low=plain(_two_digits(reach / 4)),
        middle=plain(_two_digits(reach / 2)),
        high=plain(_two_digits(reach * 2)),
        both_touched="\n  both_touched: stop_loss_first" if candles else "",
        head="binary_take_profit" if candles else "three_class",
        fee=plain(fee),
        slippage=plain(slippage),
        **sizes,
    )


def plain(value: float) -> str:
    """Write a number without an exponent, which YAML may take for text.

    Examples
    --------
    >>> plain(1e7), plain(0.00002), plain(3.5)
    ('10000000', '0.00002', '3.5')
    """
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _two_digits(value: float) -> float:
    """Round to two digits.

    Examples
    --------
    >>> _two_digits(12345.6), _two_digits(0.0678)
    (12000.0, 0.068)
    """
    return round(value, 1 - floor(log10(value)))
