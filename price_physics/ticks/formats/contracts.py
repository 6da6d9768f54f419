"""Quantities that count contracts: the market's YAML says what one contract is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from price_physics.errors import ConfigError
from price_physics.ticks.formats.layout import Layout

if TYPE_CHECKING:
    from price_physics.study.market import Market


def count_contracts(layout: Layout, market: Market, file: str, *, inverse: bool) -> Layout:
    """Scale the quantity by the market's contract size.

    Parameters
    ----------
    layout : Layout
    market : Market
    file : str
        For the message.
    inverse : bool
        A contract is worth quote currency (100 USD), not base currency (0.01 BTC).

    Raises
    ------
    ConfigError
        When the market does not say what a contract is worth.
    """
    if market.contract_size is None:
        worth = "quote currency, such as 100 for 100 USD" if inverse else "base currency"
        raise ConfigError(
            f"{file}: {market.symbol} is counted in contracts, and contract_size is not set; set "
            f"`contract_size:` in configs/markets/{market.name}.yaml to what one contract is worth "
            f"in {worth}, as the exchange specifies it"
        )
    return replace(layout, qty_scale=market.contract_size, qty_is_quote=inverse)
