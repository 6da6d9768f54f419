"""Sections of whatever kind their settings say, as a YAML would make them."""

from typing import Any

from pydantic import TypeAdapter

from price_physics.study.barriers import BarrierPolicyConfig
from price_physics.study.bars import BarsConfig
from price_physics.study.market import Market
from price_physics.study.reading import MARKET

_BARS: TypeAdapter[BarsConfig] = TypeAdapter(BarsConfig)
_BARRIERS: TypeAdapter[BarrierPolicyConfig] = TypeAdapter(BarrierPolicyConfig)


def bars_of(**settings: Any) -> BarsConfig:
    return _BARS.validate_python(settings)


def barriers_of(**settings: Any) -> BarrierPolicyConfig:
    return _BARRIERS.validate_python(settings)


def market_of(**settings: Any) -> Market:
    """Of trades, or of candles where `candle_minutes` is given."""
    return MARKET.validate_python(settings)
