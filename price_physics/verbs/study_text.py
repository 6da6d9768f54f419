"""The YAMLs that `new-study` writes: after the examples, in sizes that fit what the files hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from price_physics.months import Month
from price_physics.verbs.activity import two_digits

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.verbs.activity import Activity

FULL_SIZE_BARS = 50_000
"""Bars in all from which a study is sized like the examples, and below like the demo."""
OPEN_MONTHS = 3
"""Months without a trade after which a market counts as over."""

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
        low=plain(two_digits(reach / 4)),
        middle=plain(two_digits(reach / 2)),
        high=plain(two_digits(reach * 2)),
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
